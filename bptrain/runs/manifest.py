"""The seal of a run directory: MANIFEST.json holds size and sha256 of every file; nothing is used unverified."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bptrain.errors import Problem, RunError, StorageError, UsageError
from bptrain.runs import arrays, storage
from bptrain.utils.text import escape
from bptrain.utils.version import __version__

MANIFEST = "MANIFEST.json"
FORMAT = 1
PARTIAL_SUFFIX = ".partial"

_CHUNK = 1 << 20
_UNFINISHED = ("wait until `bptrain fit` has ended, or go on with it: `bptrain fit CONFIG --resume --run DIR`",)
_RESTORE = ("restore the run from a copy, or train it again with `bptrain fit`",)


@dataclass(frozen=True)
class RunFiles:
    """The files of a verified run; each is hashed again as it is read, so what you get is what was sealed."""

    directory: Path
    files: Mapping[str, tuple[str, int]]  # relative path → sha256, bytes

    def read_bytes(self, name: str) -> bytes:
        """The bytes of a file; raises RunError when the run has no such file or it changed since."""
        sha256, size = self._entry(name)
        data = storage.read_bytes(self.path(name), at_most=size)
        if hashlib.sha256(data).hexdigest() != sha256:
            raise RunError(_changed(self.directory, name, "its content has changed"))
        return data

    def read_json(self, name: str) -> Any:
        """The value of a JSON file; raises as `read_bytes`."""
        return storage.parse_json(self.read_bytes(name), source=escape(self.path(name)))

    def read_arrays(self, name: str, expected: arrays.Expected | None = None) -> dict[str, arrays.Array]:
        """The arrays of an .npz file, as `arrays.read_arrays`; raises as `read_bytes`."""
        return arrays.parse_arrays(self.read_bytes(name), expected, source=escape(self.path(name)))

    def path(self, name: str) -> Path:
        """Where a file is, for readers that want a path; RunError when the manifest does not list it."""
        self._entry(name)
        return self.directory / name

    def _entry(self, name: str) -> tuple[str, int]:
        if name not in self.files:
            run = escape(self.directory)
            raise RunError(Problem("BP503", f"the run `{run}` has no file `{escape(name)}`", run))
        return self.files[name]


def write_manifest(directory: Path, *, leave_out: frozenset[str] = frozenset()) -> None:
    """Write MANIFEST.json for every file below `directory`, except itself and the relative paths in `leave_out`.

    Raises RunError when a symlink, a special file or a name that is not UTF-8 is there, and StorageError.
    """
    files, problems = _walk(directory)
    if problems:
        raise RunError(*problems)
    entries = {}
    for name in sorted(files - leave_out - {MANIFEST}):
        sha256, size = _hash(directory / name)
        entries[name] = {"sha256": sha256, "bytes": size}
    storage.write_json(directory / MANIFEST, {"format": FORMAT, "files": entries})


def verify(directory: Path) -> dict[str, Any]:
    """Compare a run directory with its manifest and return the manifest.

    Raises one RunError naming every changed, missing and added file, every symlink and special file; or saying why the
    directory is not a run, or which format a newer bptrain has to read. StorageError when the disk fails.
    """
    _check_is_run(directory)
    return _verify(directory, leave_out=frozenset())


def is_whole(directory: Path, *, leave_out: frozenset[str]) -> bool:
    """Whether a directory that need not be published is as its manifest says, but for the relative paths left out."""
    try:
        _verify(directory, leave_out=leave_out)
    except RunError:
        return False
    return True


def _verify(directory: Path, *, leave_out: frozenset[str]) -> dict[str, Any]:
    manifest = _read_manifest(directory)
    entries = manifest["files"]
    found, problems = _walk(directory)
    found -= {MANIFEST, *leave_out}
    irregular = {problem.where for problem in problems}
    for name in sorted(entries.keys() | found):
        problem = _compare(directory, name, entries.get(name), present=name in found)
        if problem is not None and problem.where not in irregular:
            problems.append(problem)
    if problems:
        raise RunError(*problems)
    return manifest


def open_run(directory: Path) -> RunFiles:
    """Verify a run directory and give access to its files; raises as `verify`."""
    entries = verify(directory)["files"]
    return RunFiles(directory, {name: (entry["sha256"], entry["bytes"]) for name, entry in entries.items()})


def refuse_inside_run(path: Path) -> None:
    """Raise UsageError for a path to be written that links and `..` lead into a published run: it never changes."""
    parent = Path(os.path.realpath(path.parent))
    for folder in (parent, *parent.parents):
        if _is_sealed(folder):
            raise UsageError(
                Problem(
                    "BP516",
                    f"the output would be inside the run {escape(folder)}, which is sealed and never changes",
                    where=escape(path),
                    hints=("write it to another folder",),
                )
            )


def _is_sealed(folder: Path) -> bool:
    """Whether a folder holds a run's manifest, damaged or not; other programs write files of that name, too."""
    if not os.path.isfile(folder / MANIFEST):  # False, too, where a folder may not be looked into
        return False
    try:
        content = storage.read_json(folder / MANIFEST)
    except (RunError, StorageError):
        return True
    return isinstance(content, dict) and content.keys() >= {"format", "files"}


def partial_of(directory: Path) -> Path:
    """Where a run is built until it is published."""
    return directory.parent / (directory.name + PARTIAL_SUFFIX)


def _check_is_run(directory: Path) -> None:
    run = escape(directory)
    if directory.name.endswith(PARTIAL_SUFFIX) and directory.is_dir():
        raise RunError(Problem("BP501", f"`{run}` is an unfinished run", run, hints=_UNFINISHED))
    if os.path.lexists(directory / MANIFEST):
        return
    if not directory.exists() and partial_of(directory).is_dir():
        message = f"the run `{run}` is unfinished: there is only `{escape(partial_of(directory))}`"
        raise RunError(Problem("BP501", message, run, hints=_UNFINISHED))
    reason = f"it has no {MANIFEST}" if directory.is_dir() else "there is no such folder"
    hints = ("give a folder that `bptrain fit` made, for instance `runs/adult-0001`", "`bptrain fit CONFIG` makes one")
    raise RunError(Problem("BP500", f"`{run}` is not a run directory: {reason}", run, hints=hints))


def _read_manifest(directory: Path) -> dict[str, Any]:
    path = directory / MANIFEST
    where = escape(path)
    data = storage.read_bytes(path)
    manifest = storage.parse_json(data, source=where)
    found = manifest.get("format") if type(manifest) is dict else None
    if type(found) is int and found != FORMAT:
        message = (
            f"`{where}` has format {found}; this is bptrain {__version__}, which reads format {FORMAT}: "
            f"a {'newer' if found > FORMAT else 'different'} bptrain that reads format {found} is needed"
        )
        raise RunError(Problem("BP506", message, where, hints=("`pip install --upgrade bptrain`",)))
    damage = _manifest_damage(manifest)
    if damage is None and storage.canonical_json(manifest).encode("utf-8", "replace") != data:
        damage = "it is not written the way bptrain writes it"
    if damage is not None:
        raise RunError(Problem("BP507", f"`{where}` is damaged: {damage}", where, hints=_RESTORE))
    return dict(manifest)


def _manifest_damage(manifest: object) -> str | None:
    if type(manifest) is not dict or manifest.keys() != {"format", "files"} or type(manifest["format"]) is not int:
        return '{"format": 1, "files": …} was expected'
    if type(manifest["files"]) is not dict:
        return "`files` must be an object"
    for name, entry in manifest["files"].items():
        if type(entry) is not dict or entry.keys() != {"sha256", "bytes"}:
            return f"the entry `{escape(name)}` must have `sha256` and `bytes`"
        sha256, size = entry["sha256"], entry["bytes"]
        if type(sha256) is not str or not re.fullmatch("[0-9a-f]{64}", sha256) or type(size) is not int or size < 0:
            return f"the entry `{escape(name)}` must hold a sha256 and a number of bytes"
        if name.startswith("/") or {"", ".", ".."} & set(name.split("/")) or set(name) & {"\0", "\\"}:
            return f"`{escape(name)}` is not a plain relative path"
    return None


def _compare(directory: Path, name: str, entry: dict[str, Any] | None, *, present: bool) -> Problem | None:
    where = escape(directory / name)
    if entry is None:
        message = f"`{where}` was added: it is not in {MANIFEST}"
        return Problem("BP504", message, where, hints=("remove it; a published run is never changed",))
    if not present:
        return Problem("BP503", f"`{where}` is missing", where, hints=_RESTORE)
    sha256, size = _hash(directory / name)
    if size != entry["bytes"]:
        return _changed(directory, name, f"it has {size:,} bytes, {entry['bytes']:,} were sealed")
    return _changed(directory, name, "its content has changed") if sha256 != entry["sha256"] else None


def _changed(directory: Path, name: str, reason: str) -> Problem:
    where = escape(directory / name)
    return Problem("BP502", f"`{where}` is not as it was sealed: {reason}", where, hints=_RESTORE)


def _walk(directory: Path) -> tuple[set[str], list[Problem]]:
    """The relative paths of all regular files, and a problem for everything that is neither file nor folder."""
    files: set[str] = set()
    problems = []
    for entry in _entries(directory):
        name = Path(entry.path).relative_to(directory).as_posix()
        if not entry.is_file(follow_symlinks=False):
            kind = "a symlink" if entry.is_symlink() else "a pipe, socket or device"
            problems.append(_not_allowed(directory / name, f"is {kind}; a run holds only files and folders"))
        elif name.encode("utf-8", "replace").decode() != name:
            problems.append(_not_allowed(directory / name, "has a name that is not UTF-8"))
        else:
            files.add(name)
    return files, problems


def _not_allowed(path: Path, text: str) -> Problem:
    return Problem("BP505", f"`{escape(path)}` {text}", escape(path), hints=("remove or rename it",))


def _entries(directory: Path) -> Iterator[os.DirEntry[str]]:
    folders = [directory]
    while folders:
        folder = folders.pop()
        with storage.disk_errors(folder, doing="read"), os.scandir(folder) as scan:
            entries = sorted(scan, key=lambda entry: entry.name)
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                folders.append(Path(entry.path))
            else:
                yield entry


def _hash(path: Path) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    with storage.open_regular(path) as file, storage.disk_errors(path, doing="read"):
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
    return digest.hexdigest(), size
