"""The seal of a run directory: MANIFEST.json holds size and sha256 of every file; nothing is used unverified."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bptrain.errors import Problem, RunError, StorageError, UsageError, raise_problems
from bptrain.messages import runs as messages
from bptrain.runs import arrays, storage
from bptrain.runs.storage import Json
from bptrain.utils.version import __version__

MANIFEST = "MANIFEST.json"
FORMAT = 1
PARTIAL_SUFFIX = ".partial"


@dataclass(frozen=True)
class RunFiles:
    """The files of a verified run; each is hashed again as it is read, so what you get is what was sealed."""

    directory: Path
    files: Mapping[str, tuple[str, int]]  # relative path → sha256, bytes

    def read_bytes(self, name: str) -> bytes:
        """The bytes of a file; raises RunError when the run has no such file or it changed since."""
        path = self.path(name)
        sha256, size = self.files[name]
        data = storage.read_bytes(path, at_most=size)
        if hashlib.sha256(data).hexdigest() != sha256:
            raise RunError(messages.OTHER_CONTENT(path=path, where=path))
        return data

    def read_json(self, name: str) -> Json:
        """The value of a JSON file; raises as `read_bytes`."""
        return storage.parse_json(self.read_bytes(name), source=str(self.path(name)))

    def read_arrays(self, name: str, expected: arrays.Expected | None = None) -> dict[str, arrays.Array]:
        """The arrays of an .npz file, as `arrays.parse_arrays`; raises as `read_bytes` and that."""
        return arrays.parse_arrays(self.read_bytes(name), expected, source=str(self.path(name)))

    def path(self, name: str) -> Path:
        """Where a file is, for readers that want a path; RunError when the manifest does not list it."""
        if name not in self.files:
            raise RunError(messages.NO_SUCH_RUN_FILE(run=self.directory, name=name, where=self.directory))
        return self.directory / name


def write_manifest(directory: Path, *, leave_out: frozenset[str] = frozenset()) -> None:
    """Write MANIFEST.json for every file below `directory`, except itself and the relative paths in `leave_out`.

    Raises RunError when a symlink, a special file or a name that is not UTF-8 is there, and StorageError.
    """
    files, problems = _regular_files(directory)
    raise_problems(problems, RunError)
    entries = {}
    for name in sorted(files - leave_out - {MANIFEST}):
        sha256, size = storage.file_digest(directory / name)
        entries[name] = {"sha256": sha256, "bytes": size}
    storage.write_json(directory / MANIFEST, {"format": FORMAT, "files": entries})


def verify(directory: Path) -> dict[str, Json]:
    """Compare a run directory with its manifest and return the manifest.

    Raises one RunError naming every changed, missing and added file, every symlink and special file; or saying why the
    directory is not a run, or which format a newer bptrain has to read. StorageError when the disk fails.
    """
    if directory.name.endswith(PARTIAL_SUFFIX) and directory.is_dir():
        raise RunError(messages.UNFINISHED(run=directory, where=directory))
    if not os.path.lexists(directory / MANIFEST):
        partial = partial_of(directory)
        if directory.is_dir():
            raise RunError(messages.NOT_A_RUN(run=directory, manifest=MANIFEST, where=directory))
        if not directory.exists() and partial.is_dir():
            raise RunError(messages.ONLY_PARTIAL(run=directory, partial=partial, where=directory))
        raise RunError(messages.NO_SUCH_RUN(run=directory, where=directory))
    return _compare(directory, leave_out=frozenset())


def is_whole(directory: Path, *, leave_out: frozenset[str]) -> bool:
    """Whether a directory that need not be published is as its manifest says, but for the relative paths left out."""
    try:
        _compare(directory, leave_out=leave_out)
    except RunError:
        return False
    return True


def _compare(directory: Path, *, leave_out: frozenset[str]) -> dict[str, Json]:
    """The manifest of a directory. Raises RunError with every file that is not as it says."""
    manifest = _read_manifest(directory)
    entries = manifest["files"]
    present, problems = _regular_files(directory)
    present -= {MANIFEST, *leave_out}
    irregular = {problem.where for problem in problems}
    for name in sorted(entries.keys() | present):
        path = directory / name
        if name not in entries:
            problems.append(messages.ADDED(path=path, manifest=MANIFEST, where=path))
        elif name not in present:
            missing = messages.MISSING(path=path, where=path)
            problems += [missing] if missing.where not in irregular else []
        else:
            sha256, size = storage.file_digest(path)
            if size != entries[name]["bytes"]:
                n_sealed = f"{entries[name]['bytes']:,}"
                problems.append(messages.OTHER_SIZE(path=path, n=f"{size:,}", n_sealed=n_sealed, where=path))
            elif sha256 != entries[name]["sha256"]:
                problems.append(messages.OTHER_CONTENT(path=path, where=path))
    raise_problems(problems, RunError)
    return manifest


def open_run(directory: Path) -> RunFiles:
    """Verify a run directory and give access to its files; raises as `verify`."""
    entries = verify(directory)["files"]
    return RunFiles(directory, {name: (entry["sha256"], entry["bytes"]) for name, entry in entries.items()})


def refuse_inside_run(path: Path) -> None:
    """Raise UsageError for a path to be written that links and `..` lead into a published run: it never changes."""
    parent = Path(os.path.realpath(path.parent))
    for folder in (parent, *parent.parents):
        if not os.path.isfile(folder / MANIFEST):  # False, too, where a folder may not be looked into
            continue
        try:
            content = storage.read_json(folder / MANIFEST)
        except (RunError, StorageError):  # damaged, but a run
            is_sealed = True
        else:  # other programs write files of that name, too
            is_sealed = isinstance(content, dict) and content.keys() >= {"format", "files"}
        if is_sealed:
            raise UsageError(messages.INSIDE_A_RUN(run=folder, where=path))


def partial_of(directory: Path) -> Path:
    """Where a run is built until it is published."""
    return directory.parent / (directory.name + PARTIAL_SUFFIX)


def _read_manifest(directory: Path) -> dict[str, Json]:
    path = directory / MANIFEST
    data = storage.read_bytes(path)
    manifest = storage.parse_json(data, source=str(path))
    format = manifest.get("format") if type(manifest) is dict else None
    if type(format) is int and format != FORMAT:
        problem = messages.OTHER_FORMAT(
            path=path,
            found=format,
            version=__version__,
            format=FORMAT,
            which="newer" if format > FORMAT else "different",
            where=path,
        )
        raise RunError(problem)
    damage = _manifest_damage(manifest)
    if damage is None and storage.canonical_json(manifest).encode("utf-8", "replace") != data:
        damage = "it is not written the way bptrain writes it"
    if damage is not None:
        raise RunError(messages.DAMAGED_MANIFEST(path=path, reason=damage, where=path))
    return dict(manifest)


def _manifest_damage(manifest: object) -> str | None:
    if type(manifest) is not dict or manifest.keys() != {"format", "files"} or type(manifest["format"]) is not int:
        return '{"format": 1, "files": …} was expected'
    if type(manifest["files"]) is not dict:
        return "`files` must be an object"
    for name, entry in manifest["files"].items():
        if type(entry) is not dict or entry.keys() != {"sha256", "bytes"}:
            return f"the entry `{name}` must have `sha256` and `bytes`"
        sha256, size = entry["sha256"], entry["bytes"]
        if type(sha256) is not str or not re.fullmatch("[0-9a-f]{64}", sha256) or type(size) is not int or size < 0:
            return f"the entry `{name}` must hold a sha256 and a number of bytes"
        if name.startswith("/") or {"", ".", ".."} & set(name.split("/")) or set(name) & {"\0", "\\"}:
            return f"`{name}` is not a plain relative path"
    return None


def _regular_files(directory: Path) -> tuple[set[str], list[Problem]]:
    """The relative paths of all regular files, and a problem for everything that is neither file nor folder."""
    files: set[str] = set()
    problems = []
    folders = [directory]
    while folders:
        folder = folders.pop()
        with storage.disk_errors(folder, doing="read"), os.scandir(folder) as scan:
            entries = sorted(scan, key=lambda entry: entry.name)
        for entry in entries:
            path = Path(entry.path)
            name = path.relative_to(directory).as_posix()
            if entry.is_dir(follow_symlinks=False):
                folders.append(path)
            elif not entry.is_file(follow_symlinks=False):
                what = "a symlink" if entry.is_symlink() else "a pipe, socket or device"
                problems.append(messages.NO_FILE_OF_A_RUN(path=path, what=what, where=path))
            elif name.encode("utf-8", "replace").decode() != name:
                problems.append(messages.NAME_NOT_UTF8(path=path, where=path))
            else:
                files.add(name)
    return files, problems
