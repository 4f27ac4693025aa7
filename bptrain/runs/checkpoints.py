"""Generations of what a training needs to go on, of which a crash at any moment leaves a whole one.

A generation is a manifest, `00000012.json`, and the files of arrays it names by their content, `weights-1f0c….npz`. The
files are written and synced first, the manifest last: it appears by one rename, and a generation exists from then on.
Arrays that did not change since the generation before are not written again. Two generations are kept.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bptrain.errors import BptrainError, Problem, RunError
from bptrain.runs import platform, storage
from bptrain.runs.arrays import Array, pack_arrays, parse_arrays
from bptrain.utils.text import escape

FORMAT = 1
KEPT = 2
Groups = Mapping[str, Mapping[str, Array]]
Warn = Callable[[Problem], None]

_MANIFEST = re.compile(r"[0-9]{8}\.json")
_FILE = re.compile(r"[a-z_]+-[0-9a-f]{64}\.npz")


@dataclass(frozen=True)
class Generation:
    """A state that was saved: plain JSON values, and named arrays in named groups."""

    number: int
    state: Mapping[str, Any]
    groups: Groups


class Checkpoints:
    """The generations in one folder, which is made when the first is saved."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def save(self, state: Mapping[str, Any], groups: Groups) -> None:
        """Make the state durable as the newest generation; `groups` have names of a-z and `_`.

        Raises StorageError when the disk fails at any call; the generation before is then intact.
        """
        with storage.disk_errors(self.folder):
            platform.make_folder(self.folder)
            platform.sync_folder(self.folder.parent)
        known = self._manifests()
        number = 1 + max(known, default=0)
        files = {group: self._store(group, arrays) for group, arrays in groups.items()}
        content = {"format": FORMAT, "files": files, "state": dict(state)}
        storage.write_json(self._manifest(number), content | {"sha256": _digest(content)})
        self._forget_others({number, *sorted(known)[-(KEPT - 1) :]})

    def newest(self, warn: Warn = lambda _: None) -> Generation | None:
        """The newest generation that is whole, or None; `warn` is told of each that is passed over.

        Raises StorageError when the disk cannot be read.
        """
        for number in sorted(self._manifests(), reverse=True):
            try:
                return self._read(number)
            except RunError as error:
                warn(_passed_over(self._manifest(number), error))
        return None

    def _store(self, group: str, arrays: Mapping[str, Array]) -> dict[str, Any]:
        packed = pack_arrays(arrays)
        sha256 = hashlib.sha256(packed).hexdigest()
        path = self.folder / f"{group}-{sha256}.npz"
        if not storage.holds(path, packed):
            storage.write_bytes(path, packed)
        return {"sha256": sha256, "bytes": len(packed)}

    def _read(self, number: int) -> Generation:
        content = self._content(number)
        groups = {}
        for group, entry in content["files"].items():
            path = self.folder / f"{group}-{entry['sha256']}.npz"
            data = storage.read_bytes(path, at_most=entry["bytes"])
            if hashlib.sha256(data).hexdigest() != entry["sha256"]:
                raise RunError(Problem("BP502", f"`{escape(path)}` is not as it was saved", escape(path)))
            groups[group] = parse_arrays(data, source=escape(path))
        return Generation(number, content["state"], groups)

    def _content(self, number: int) -> dict[str, Any]:
        """A manifest, complete and as it was written."""
        path = self._manifest(number)
        data = storage.read_bytes(path)
        content = storage.parse_json(data, source=escape(path))
        whole = type(content) is dict and content.keys() == {"format", "files", "state", "sha256"}
        whole = whole and storage.canonical_json(content).encode() == data
        if not whole or content.pop("sha256") != _digest(content):
            raise RunError(Problem("BP502", f"`{escape(path)}` is not as it was saved", escape(path)))
        if content["format"] != FORMAT:
            raise RunError(Problem("BP506", f"`{escape(path)}` is of another version of bptrain", escape(path)))
        return dict(content)

    def _manifests(self) -> list[int]:
        return [int(Path(name).stem) for name in self._names() if _MANIFEST.fullmatch(name)]

    def _names(self) -> list[str]:
        with storage.disk_errors(self.folder, doing="read"):
            return platform.names_in(self.folder)

    def _manifest(self, number: int) -> Path:
        return self.folder / f"{number:08d}.json"

    def _forget_others(self, numbers: set[int]) -> None:
        """Remove all generations but these: manifests first, then the files that none of them names any more."""
        self._remove(self._manifest(number) for number in self._manifests() if number not in numbers)
        named = set()
        for number in self._manifests():
            try:
                files = self._content(number)["files"]
            except RunError:  # damaged: it is passed over, and keeps nothing
                continue
            named |= {f"{group}-{entry['sha256']}.npz" for group, entry in files.items()}
        names = self._names()
        self._remove(self.folder / name for name in names if _FILE.fullmatch(name) and name not in named)
        self._remove(self.folder / name for name in names if name.startswith(storage.TEMPORARY_PREFIX))

    def _remove(self, paths: Iterable[Path]) -> None:
        for path in paths:
            with storage.disk_errors(path, doing="remove"):
                platform.remove(path)


def _digest(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(storage.canonical_json(dict(content)).encode()).hexdigest()


def _passed_over(path: Path, error: BptrainError) -> Problem:
    message = f"the checkpoint `{escape(path)}` cannot be used and is passed over: {error.problems[0].message}"
    return Problem("BP520", message, escape(path))
