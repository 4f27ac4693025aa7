"""Generations of what a training needs to go on, of which a crash at any moment leaves a whole one.

A generation is a manifest, `00000012.json`, and the files of arrays it names by their content, `weights-1f0c….npz`. The
files are written and synced first, the manifest last: it appears by one rename, and a generation exists from then on.
Arrays that did not change since the generation before are not written again. Two generations are kept.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bptrain.errors import RunError, Warn, ignore
from bptrain.messages import runs as messages
from bptrain.runs import platform, storage
from bptrain.runs.arrays import Array, pack_arrays, parse_arrays
from bptrain.runs.storage import Json

FORMAT = 1
KEPT = 2
Groups = Mapping[str, Mapping[str, Array]]

_MANIFEST = re.compile(r"[0-9]{8}\.json")
_FILE = re.compile(r"[a-z_]+-[0-9a-f]{64}\.npz")


@dataclass(frozen=True)
class Generation:
    """A state that was saved: plain JSON values, and named arrays in named groups."""

    number: int
    state: Mapping[str, Json]
    groups: Groups


@dataclass(frozen=True)
class Checkpoints:
    """The generations in one folder, which is made when the first is saved."""

    folder: Path

    def save(self, state: Mapping[str, Json], groups: Groups) -> None:
        """Make the state durable as the newest generation; `groups` have names of a-z and `_`.

        Raises StorageError when the disk fails at any call; the generation before is then intact.
        """
        with storage.disk_errors(self.folder):
            platform.make_folder(self.folder)
            platform.sync_folder(self.folder.parent)
        earlier = self._numbers()
        number = 1 + max(earlier, default=0)
        files = {}
        for group, arrays in groups.items():
            packed = pack_arrays(arrays)
            sha256 = hashlib.sha256(packed).hexdigest()
            path = self.folder / f"{group}-{sha256}.npz"
            try:
                unchanged = storage.read_bytes(path, at_most=len(packed)) == packed
            except RunError:
                unchanged = False
            if not unchanged:
                storage.write_bytes(path, packed)
            files[group] = {"sha256": sha256, "bytes": len(packed)}
        content = {"format": FORMAT, "files": files, "state": dict(state)}
        storage.write_json(self._manifest(number), content | {"sha256": _digest(content)})
        self._forget_others({number, *sorted(earlier)[-(KEPT - 1) :]})

    def newest(self, warn: Warn = ignore) -> Generation | None:
        """The newest generation that is whole, or None; `warn` is told of each that is passed over.

        Raises StorageError when the disk cannot be read.
        """
        for number in sorted(self._numbers(), reverse=True):
            try:
                content, groups = self._content(number), {}
                for group, entry in content["files"].items():
                    path = self.folder / f"{group}-{entry['sha256']}.npz"
                    data = storage.read_bytes(path, at_most=entry["bytes"])
                    if hashlib.sha256(data).hexdigest() != entry["sha256"]:
                        raise RunError(messages.NOT_AS_SAVED(path=path, where=path))
                    groups[group] = parse_arrays(data, source=str(path))
                return Generation(number, content["state"], groups)
            except RunError as error:
                path, reason = self._manifest(number), error.problems[0].message
                warn(messages.CHECKPOINT_PASSED_OVER(path=path, reason=reason, where=path))
        return None

    def _numbers(self) -> list[int]:
        """The numbers of the generations that have a manifest."""
        with storage.disk_errors(self.folder, doing="read"):
            return [int(Path(name).stem) for name in platform.names_in(self.folder) if _MANIFEST.fullmatch(name)]

    def _manifest(self, number: int) -> Path:
        return self.folder / f"{number:08d}.json"

    def _content(self, number: int) -> dict[str, Json]:
        """A manifest, complete and as it was written."""
        path = self._manifest(number)
        data = storage.read_bytes(path)
        content = storage.parse_json(data, source=str(path))
        is_whole = type(content) is dict and content.keys() == {"format", "files", "state", "sha256"}
        is_whole = is_whole and storage.canonical_json(content).encode() == data
        if not is_whole or content.pop("sha256") != _digest(content):
            raise RunError(messages.NOT_AS_SAVED(path=path, where=path))
        if content["format"] != FORMAT:
            raise RunError(messages.OTHER_CHECKPOINT_FORMAT(path=path, where=path))
        return dict(content)

    def _forget_others(self, numbers: set[int]) -> None:
        """Remove all generations but these: manifests first, then the files that none of them names any more."""
        for number in self._numbers():
            if number not in numbers:
                storage.remove(self._manifest(number))
        needed = set()
        for number in self._numbers():
            try:
                files = self._content(number)["files"]
            except RunError:  # damaged: it is passed over, and keeps nothing
                continue
            needed |= {f"{group}-{entry['sha256']}.npz" for group, entry in files.items()}
        with storage.disk_errors(self.folder, doing="read"):
            names = platform.names_in(self.folder)
        unneeded = [name for name in names if _FILE.fullmatch(name) and name not in needed]
        for name in [*unneeded, *(name for name in names if name.startswith(storage.TEMPORARY_PREFIX))]:
            storage.remove(self.folder / name)


def _digest(content: Mapping[str, Json]) -> str:
    return hashlib.sha256(storage.canonical_json(dict(content)).encode()).hexdigest()
