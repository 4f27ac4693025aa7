"""A disk that fails or crashes at a chosen call, and what may be left on it after a crash.

Stands in for the module `os` in `bptrain.runs.platform`, the one place with such calls. Calls reach the real disk;
beside that, it is known which bytes of each file and which names of each folder were synced: only these survive.
"""

from __future__ import annotations

import errno
import itertools
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FAULTS = {"ENOSPC": errno.ENOSPC, "EIO": errno.EIO, "EROFS": errno.EROFS}


class Crash(BaseException):
    """The machine stopped: nothing that would run afterwards does."""


@dataclass
class File:
    """What a file holds for certain, and the path at which it now is."""

    durable: bytes = b""


@dataclass
class Disk:
    """The calls so far, and what happens at the one numbered `at` (from 0): a fault by name, `short`, or a crash."""

    root: Path
    at: int | None = None
    fault: str = ""
    calls: list[str] = field(default_factory=list)
    crashed: bool = False

    def __post_init__(self) -> None:
        self._open: dict[int, Path] = {}
        self.files = {path: File(path.read_bytes()) for path in self.root.rglob("*") if path.is_file()}
        self.durable: dict[Path, File] = dict(self.files)  # names that survive
        self.pending: list[tuple[Path, File | None]] = []  # names not synced yet, in the order of their change

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)

    def open(self, path: Path, flags: int, mode: int = 0o777) -> int:
        self._call(f"open {self._kind(path)}")
        try:
            descriptor = os.open(path, flags, mode)
        except OSError:
            self._done(None)
            raise
        self._open[descriptor] = Path(path)
        if flags & os.O_CREAT and not stat.S_ISDIR(os.fstat(descriptor).st_mode):
            self._name(Path(path), File())
        return self._done(descriptor)

    def write(self, descriptor: int, data: memoryview) -> int:
        short = self._call("write") == "short"
        return self._done(os.write(descriptor, data[: max(1, len(data) // 2)] if short else data))

    def fsync(self, descriptor: int) -> None:
        path = self._open[descriptor]
        self._call(f"sync {self._kind(path)}")
        os.fsync(descriptor)
        if path.is_dir():
            kept = [change for change in self.pending if change[0].parent != path]
            for name, file in self.pending:
                if name.parent == path:
                    self._settle(self.durable, name, file)
            self.pending = kept
        else:
            self.files[path].durable = path.read_bytes()
        self._done(None)

    def replace(self, source: Path, target: Path) -> None:
        self._call(f"rename to {self._kind(target)}")
        os.replace(source, target)
        file = self.files[source]
        self._name(Path(target), file)
        self._name(Path(source), None)
        self._done(None)

    def unlink(self, path: Path) -> None:
        self._call(f"remove {self._kind(path)}")
        try:
            os.unlink(path)
            self._name(Path(path), None)
        finally:  # also when there is none of that name
            self._done(None)

    def mkdir(self, path: Path) -> None:
        self._call("make folder")
        try:
            os.mkdir(path)
        finally:
            self._done(None)

    def listdir(self, path: Path) -> list[str]:
        self._call("list")
        return self._done(os.listdir(path))

    def after_crash(self) -> Iterator[dict[Path, bytes]]:
        """The contents that may be found: names up to each change or without one of them, bytes whole, cut or zero."""
        for changes in self._changes():
            names = dict(self.durable)
            for name, file in changes:
                self._settle(names, name, file)
            unsynced = {id(file) for file in names.values() if self._now(file) != file.durable}
            for spoil in ("kept", "lost", "half", "zeros") if unsynced else ("kept",):
                yield {name: self._spoilt(file, spoil) for name, file in names.items()}

    def _changes(self) -> Iterator[list[tuple[Path, File | None]]]:
        for n_changes in range(len(self.pending) + 1):
            yield self.pending[:n_changes]
        for lost in range(len(self.pending)):
            yield [*self.pending[:lost], *self.pending[lost + 1 :]]

    def _spoilt(self, file: File, spoil: str) -> bytes:
        now = self._now(file)
        if now == file.durable or spoil == "kept":
            return now
        return {"lost": file.durable, "half": now[: len(now) // 2], "zeros": bytes(len(now))}[spoil]

    def _now(self, file: File) -> bytes:
        for path, other in self.files.items():
            if other is file and path.exists():
                return path.read_bytes()
        return file.durable

    def _call(self, what: str) -> str:
        """Note a call; the fault that it is to show, if it is only a matter of its result."""
        if self.crashed:
            raise Crash
        number = len(self.calls)
        self.calls.append(what)
        if number != self.at:
            return ""
        if self.fault == "crash before":
            self.crashed = True
            raise Crash
        if self.fault in FAULTS:
            raise OSError(FAULTS[self.fault], os.strerror(FAULTS[self.fault]))
        return self.fault

    def _done(self, result: Any) -> Any:
        if self.fault == "crash after" and len(self.calls) - 1 == self.at:
            self.crashed = True
            raise Crash
        return result

    def _name(self, path: Path, file: File | None) -> None:
        self.pending.append((path, file))
        self._settle(self.files, path, file)

    @staticmethod
    def _settle(names: dict[Path, File], path: Path, file: File | None) -> None:
        names.pop(path, None)
        if file is not None:
            names[path] = file

    @staticmethod
    def _kind(path: Path) -> str:
        name = Path(path).name
        if name.startswith(".tmp-"):
            return "temporary file"
        return "manifest" if name.endswith(".json") else "arrays" if name.endswith(".npz") else "folder"


def faults_of(calls: list[str]) -> list[tuple[int, str]]:
    """Every call with every fault that it can show."""
    kinds = (*FAULTS, "crash before", "crash after")
    faults = list(itertools.product(range(len(calls)), kinds))
    return faults + [(number, "short") for number, what in enumerate(calls) if what == "write"]
