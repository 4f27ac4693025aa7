"""The life of a run directory: acquired as DIR.partial under a lock, filled, sealed, and renamed to DIR in one step.

Two locks are held while a run is built: one on the folder DIR.partial itself, which stays with it through the rename,
and one on DIR.partial/.lock, which says who holds it and serves where folders cannot be locked.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import unicodedata
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

from bptrain.errors import (
    BusyError,
    DataError,
    LockedError,
    Problem,
    RunError,
    StorageError,
    UsageError,
    Warn,
    ignore,
)
from bptrain.messages import runs as messages
from bptrain.runs import manifest, platform, storage

LOCK = ".lock"
CHECKPOINTS = "checkpoints"
LATEST = "latest"
RUNS = Path("runs")

_ATTEMPTS = 1000  # each failed attempt means that another process got ahead


@dataclass
class PartialRun:
    """A run that is being built in `path`; made by `acquire_run`, used as a context manager.

    Leaving the context releases the locks. An unpublished partial stays as it is, except after a UsageError or
    DataError: a wrong config or table leaves nothing behind. What goes on from an interruption, `resumed`, always
    stays. `notices` are warnings for the caller to show.
    """

    path: Path
    final: Path
    notices: tuple[Problem, ...]
    resumed: bool
    _locks: _Locks | None
    _parents: list[Path]

    def __enter__(self) -> PartialRun:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if isinstance(error, UsageError | DataError | LockedError) and not self.resumed:
            with suppress(StorageError):  # the mistake that ended the run is the one to show
                self.discard()
        self._release()

    def checkpoints_folder(self) -> Path:
        """The folder of what an unfinished run needs to go on, made where there is none. Raises StorageError."""
        with storage.disk_errors(self.path):
            platform.make_folder(self.path / CHECKPOINTS)
            for folder in (self.path, self.path.parent):
                platform.sync_folder(folder)
        return self.path / CHECKPOINTS

    def forget_checkpoints(self) -> Path:
        """Remove them, for what they belong to is not known; their folder is there anew. Raises StorageError."""
        with storage.disk_errors(self.path):
            _remove(self.path / CHECKPOINTS)
        return self.checkpoints_folder()

    def is_sealed(self) -> bool:
        """Whether nothing but publishing is left to do."""
        return manifest.is_whole(self.path, leave_out=_unsealed(self.path))

    def publish(self, *, latest: bool, runs: Path = RUNS, warn: Warn = ignore) -> Path:
        """Seal the run, rename it to its final path and return that. Checkpoints stay until it is sealed.

        With `latest`, `runs/latest` then names it, if it lies in `runs`; `warn` is told when that cannot be written.
        Raises BusyError when the final path has appeared meanwhile, RunError for what a run may not hold, and
        StorageError; the partial then stays.
        """
        if self._locks is None:
            raise RuntimeError(f"{self.path} was already published, discarded or released")
        if not self.is_sealed():
            with storage.disk_errors(self.path):
                for path in list(self.path.rglob(f"{storage.TEMPORARY_PREFIX}*")):
                    _remove(path)
            manifest.write_manifest(self.path, leave_out=_unsealed(self.path))
        with storage.disk_errors(self.final):
            for name, _, files in os.walk(self.path, topdown=False):
                for file in files:
                    platform.sync_file(Path(name, file))
                platform.sync_folder(Path(name))
            _remove(self.path / CHECKPOINTS)
            self._locks.drop_lock_file(self.path)
            try:
                if os.path.lexists(self.final):
                    raise FileExistsError
                platform.rename_folder(self.path, self.final)
            except FileExistsError as err:
                raise BusyError(messages.NAME_TAKEN(run=self.final, partial=self.path, where=self.final)) from err
            for folder in (self.final.parent, *(parent.parent for parent in self._parents)):
                platform.sync_folder(folder)
        self._release()
        if latest and self.final.parent.resolve() == runs.resolve():
            try:
                storage.write_text(runs / LATEST, self.final.name + "\n")
            except StorageError as err:  # the run is complete all the same
                problem = messages.NOT_THE_LATEST(run=self.final, reason=err.problems[0].message, where=runs / LATEST)
                warn(replace(problem, hints=(*problem.hints, *err.problems[0].hints)))
        return self.final

    def discard(self) -> None:
        """Remove the partial and the empty folders that were made for it; nothing happens after publishing.

        Raises StorageError.
        """
        if self._locks is None:
            return
        with storage.disk_errors(self.path):
            _empty(self.path)
            self._locks.drop_lock_file(self.path)
            self.path.rmdir()
        _remove_parents(self._parents)
        self._release()

    def _release(self) -> None:
        if self._locks is not None:
            self._locks.close()
            self._locks = None


def acquire_run(run: Path | None, *, stem: str, runs: Path = RUNS, resume: bool = False) -> PartialRun:
    """Acquire a run directory for this process: `run` itself, or the next `runs/<stem>-NNNN` when it is None.

    Missing parents are made. A partial that an ended process left at `run` is emptied and used again, with a notice.
    To `resume`, its checkpoints are kept, and without `run` the newest partial of the stem is taken, if there is one.
    Raises UsageError when `run` exists, lies in another run or cannot be a run's name, BusyError when another process
    builds it, and StorageError.
    """
    if run is not None:
        check_name(run)
    manifest.refuse_inside_run(run or runs / stem)
    if run is not None:
        return _acquire_named(run, resume=resume)
    # letters, digits, `.`, `_` and `-` of the stem, short enough for every file system, never empty or hidden
    plain = re.sub(r"[^\w.-]+", "-", unicodedata.normalize("NFC", stem)).strip(".-_")
    stem = plain.encode("utf-8", "ignore")[:180].decode("utf-8", "ignore") or "run"
    if resume:
        numbers = sorted(run_numbers(runs, stem, only_partial=True), reverse=True)
        unpublished = [final for number in numbers if not os.path.lexists(final := runs / f"{stem}-{number:04d}")]
        for final in sorted(unpublished, key=_is_empty):  # those with something to go on from first, newest first
            if (partial := _acquire_partial(final, [], resume=True)) is not None:
                return partial
    return _acquire_numbered(runs, stem)


def latest_run(runs: Path = RUNS) -> Path:
    """The run that `runs/latest` names; raises UsageError when there is none, or it names no run in `runs`."""
    pointer = runs / LATEST
    if not os.path.lexists(pointer):
        raise UsageError(messages.NO_LATEST(pointer=pointer, where=pointer))
    try:
        name = storage.read_bytes(pointer, at_most=4096).decode("utf-8").removesuffix("\n")
    except (RunError, UnicodeDecodeError) as err:
        raise UsageError(messages.DAMAGED_LATEST(pointer=pointer, where=pointer)) from err
    is_plain = name not in {"", ".", ".."} and name.isprintable() and not set(name) & {"/", "\\", ":"}
    if not is_plain or (runs / name).is_symlink() or not (runs / name).is_dir():
        raise UsageError(messages.LATEST_NOWHERE(pointer=pointer, name=name, runs=runs, where=pointer))
    return runs / name


def check_name(run: Path) -> None:
    """Raise UsageError for a path that cannot be a run directory."""
    if run.name in {"", "..", LATEST} or run.name.endswith(manifest.PARTIAL_SUFFIX) or "\0" in str(run):
        problem = messages.UNUSABLE_NAME(run=run, latest=LATEST, suffix=manifest.PARTIAL_SUFFIX, where=run)
        raise UsageError(problem)


def run_numbers(runs: Path, stem: str, *, only_partial: bool = False) -> list[int]:
    """The numbers of the runs `<stem>-NNNN` in a folder, finished or not."""
    suffix = re.escape(manifest.PARTIAL_SUFFIX)
    pattern = re.compile(rf"{re.escape(stem)}-([0-9]{{4,}})({suffix}){'' if only_partial else '?'}")
    with storage.disk_errors(runs, doing="read"):
        matches = [pattern.fullmatch(name) for name in platform.names_in(runs)]
    return [int(match[1]) for match in matches if match]


@dataclass
class _Locks:
    """The two locks of a partial; the folder's is None where folders cannot be opened."""

    folder: int | None
    file: int | None = None

    def acquire(self, partial: Path) -> bool:
        """Lock folder and lock file; False when either is no longer the one at its path.

        BusyError when another process has one, UsageError for a folder that is no unfinished run.
        """
        if not platform.lock(self.folder, needed=False):
            raise _busy(partial)
        if not platform.is_at(self.folder, partial):
            return False
        content = os.listdir(partial)
        if content and not {LOCK, manifest.MANIFEST} & set(content):
            raise UsageError(messages.NOT_UNFINISHED(partial=partial, where=partial))
        self.file = platform.open_lock(partial / LOCK)
        if not platform.lock(self.file):
            raise _busy(partial)
        return platform.is_at(self.file, partial / LOCK)

    def drop_lock_file(self, partial: Path) -> None:
        """Close the lock file before removing it: some systems cannot remove or rename what is open."""
        if self.file is not None:
            os.close(self.file)
            self.file = None
        (partial / LOCK).unlink(missing_ok=True)

    def close(self) -> None:
        """Release both."""
        for descriptor in (self.file, self.folder):
            if descriptor is not None:
                os.close(descriptor)
        self.file = self.folder = None


def _is_empty(final: Path) -> bool:
    """Whether the partial of a run was left without anything to go on from."""
    partial = manifest.partial_of(final)
    return not os.path.lexists(partial / manifest.MANIFEST) and not any((partial / CHECKPOINTS).glob("*/*.json"))


def _acquire_named(final: Path, *, resume: bool) -> PartialRun:
    parents: list[Path] = []
    try:
        for _ in range(_ATTEMPTS):
            if os.path.lexists(final):
                raise UsageError(messages.RUN_EXISTS(run=final, where=final))
            _make_partial(final, parents)
            partial = _acquire_partial(final, parents, resume=resume)
            if partial is not None:
                return partial
    except (UsageError, BusyError, StorageError):
        _remove_parents(parents)
        raise
    raise _busy(manifest.partial_of(final))


def _acquire_numbered(runs: Path, stem: str) -> PartialRun:
    parents: list[Path] = []
    number = 0
    try:
        for _ in range(_ATTEMPTS):
            number = max([number, *run_numbers(runs, stem)]) + 1
            final = runs / f"{stem}-{number:04d}"
            if not _make_partial(final, parents):
                continue
            with suppress(BusyError):  # someone named this very number with --run: take the next
                partial = _acquire_partial(final, parents)
                if partial is not None:
                    return partial
    except (UsageError, StorageError):
        _remove_parents(parents)
        raise
    raise _busy(runs / f"{stem}-{number:04d}")


def _make_partial(final: Path, parents: list[Path]) -> bool:
    """Make the partial folder and its parents, adding those to `parents`; False when the partial was there."""
    with storage.disk_errors(final):
        for attempt in range(_ATTEMPTS):
            try:
                for parent in (*reversed(final.parent.parents), final.parent):
                    if not parent.is_dir():
                        with suppress(FileExistsError):
                            parent.mkdir()
                            parents.append(parent)
                manifest.partial_of(final).mkdir()
            except FileExistsError:
                return False
            except FileNotFoundError:  # another process that came to nothing removed the parent it had made
                if attempt == _ATTEMPTS - 1:
                    raise
            else:
                break
    return True


def _remove_parents(parents: list[Path]) -> None:
    for folder in reversed(parents):
        with suppress(OSError):  # in use by another run, or already gone
            folder.rmdir()


def _acquire_partial(final: Path, parents: list[Path], *, resume: bool = False) -> PartialRun | None:
    """Lock the partial folder; None when another process moved it meanwhile. BusyError when another holds it."""
    partial = manifest.partial_of(final)
    if partial.is_symlink() or (partial.exists() and not partial.is_dir()):
        raise UsageError(messages.NOT_A_FOLDER(partial=partial, where=partial))
    with storage.disk_errors(partial):
        try:
            locks = _Locks(platform.open_folder(partial))
        except FileNotFoundError:
            return None
    acquired = None
    try:
        with storage.disk_errors(partial):
            if not locks.acquire(partial) or (lock_file := locks.file) is None:
                return None
            if os.path.lexists(final):  # published between our look and our lock: ours was made anew
                if os.listdir(partial) == [LOCK]:
                    locks.drop_lock_file(partial)
                    partial.rmdir()
                return None
            notices: tuple[Problem, ...] = ()
            resumed = False
            leftovers = ", ".join(sorted(name for name in os.listdir(partial) if name != LOCK))
            if not resume:
                _empty(partial)
            started = datetime.now(UTC).isoformat(timespec="seconds")
            holder = {"pid": os.getpid(), "host": socket.gethostname(), "started": started}
            os.ftruncate(lock_file, 0)
            platform.write_all(lock_file, storage.canonical_json(holder).encode())
            if resume:  # what will be written again is removed
                resumed = manifest.is_whole(partial, leave_out=_unsealed(partial))
                if not resumed:
                    _empty(partial, but=CHECKPOINTS)
                    resumed = (partial / CHECKPOINTS).is_dir()
            elif leftovers:
                notices = (messages.PARTIAL_REPLACED(partial=partial, names=leftovers, where=partial),)
            acquired = PartialRun(partial, final, notices, resumed, locks, parents)
    finally:
        if acquired is None:
            locks.close()
    return acquired


def _unsealed(partial: Path) -> frozenset[str]:
    """What is there only as long as the run is not published."""
    return frozenset({LOCK, *(path.relative_to(partial).as_posix() for path in (partial / CHECKPOINTS).rglob("*"))})


def _empty(partial: Path, *, but: str = "") -> None:
    """Remove everything but the lock file, which shows until the end that the folder is ours, and the name `but`."""
    for path in partial.iterdir():
        if path.name not in {LOCK, but}:
            _remove(path)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _busy(partial: Path) -> BusyError:
    """The error of a partial that another process builds, named as its lock file says."""
    try:
        holder = storage.read_json(partial / LOCK)
    except (RunError, StorageError):  # not written yet, or already removed
        holder = None
    named = "another process"
    if isinstance(holder, dict):
        pid, host, started = (holder.get(key, "unknown") for key in ("pid", "host", "started"))
        named = f"process {pid} on host {host} (since {started})"
    return BusyError(messages.BUSY(partial=partial, holder=named, where=partial))
