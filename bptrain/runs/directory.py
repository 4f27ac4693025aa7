"""The life of a run directory: claimed as DIR.partial under a lock, filled, sealed, and renamed to DIR in one step.

Two locks are held while a run is built: one on the folder DIR.partial itself, which stays with it through the rename,
and one on DIR.partial/.lock, which says who holds it and serves where folders cannot be locked.
"""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

from bptrain.errors import BusyError, DataError, LockedError, Problem, RunError, StorageError, UsageError
from bptrain.runs import manifest, platform, storage
from bptrain.runs.names import LATEST, RUNS, check_name, highest_number, numbers, refuse_existing, safe_stem
from bptrain.utils.text import escape

LOCK = ".lock"
CHECKPOINTS = "checkpoints"

Warn = Callable[[Problem], None]

_ATTEMPTS = 1000  # each failed attempt means that another process got ahead


class PartialRun:
    """A claimed run that is being built in `path`; made by `claim`, used as a context manager.

    Leaving the context releases the locks. An unpublished partial stays as it is, except after a UsageError or
    DataError: a wrong config or table leaves nothing behind. What goes on from an interruption, `resumed`, always
    stays. `notices` are warnings for the caller to show.
    """

    def __init__(
        self, final: Path, held: _Held, made: list[Path], notices: tuple[Problem, ...], *, resumed: bool = False
    ) -> None:
        self.path = manifest.partial_of(final)
        self.final = final
        self.notices = notices
        self.resumed = resumed
        self._held: _Held | None = held
        self._made = made

    def __enter__(self) -> PartialRun:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if isinstance(error, UsageError | DataError | LockedError) and not self.resumed:
            with suppress(StorageError):  # the mistake that ended the run is the one to show
                self.discard()
        self._release()

    @property
    def checkpoints(self) -> Path:
        """The folder of what an unfinished run needs to go on, which is there."""
        with storage.disk_errors(self.path):
            platform.make_folder(self.path / CHECKPOINTS)
            for folder in (self.path, self.path.parent):
                platform.sync_folder(folder)
        return self.path / CHECKPOINTS

    def forget_checkpoints(self) -> Path:
        """Remove them, for what they belong to is not known; their folder is there anew. Raises StorageError."""
        with storage.disk_errors(self.path):
            _remove(self.path / CHECKPOINTS)
        return self.checkpoints

    @property
    def sealed(self) -> bool:
        """Whether nothing but publishing is left to do."""
        return manifest.is_whole(self.path, leave_out=_unsealed(self.path))

    def publish(self, *, latest: bool, runs: Path = RUNS, warn: Warn = lambda _: None) -> Path:
        """Seal the run, rename it to its final path and return that. Checkpoints stay until it is sealed.

        With `latest`, `runs/latest` then names it, if it lies in `runs`; `warn` is told when that cannot be written.
        Raises BusyError when the final path has appeared meanwhile, RunError for what a run may not hold, and
        StorageError; the partial then stays.
        """
        held = self._need_held()
        if not self.sealed:
            with storage.disk_errors(self.path):
                _remove_temporary(self.path)
            manifest.write_manifest(self.path, leave_out=_unsealed(self.path))
        with storage.disk_errors(self.final):
            _sync_tree(self.path)
            _remove(self.path / CHECKPOINTS)
            held.drop_lock_file(self.path)
            _rename(self.path, self.final)
            for folder in (self.final.parent, *(made.parent for made in self._made)):
                platform.sync_folder(folder)
        self._release()
        if latest and self.final.parent.resolve() == runs.resolve():
            try:
                storage.write_text(runs / LATEST, self.final.name + "\n")
            except StorageError as err:  # the run is complete all the same
                warn(_no_pointer(self.final, runs / LATEST, err.problems[0]))
        return self.final

    def discard(self) -> None:
        """Remove the partial and the empty folders that this claim made; nothing happens after publishing.

        Raises StorageError.
        """
        if self._held is None:
            return
        with storage.disk_errors(self.path):
            _empty(self.path)
            self._held.drop_lock_file(self.path)
            self.path.rmdir()
        _remove_made(self._made)
        self._release()

    def _need_held(self) -> _Held:
        if self._held is None:
            raise RuntimeError(f"{self.path} was already published, discarded or released")
        return self._held

    def _release(self) -> None:
        if self._held is not None:
            self._held.close()
            self._held = None


def claim(run: Path | None, *, stem: str, runs: Path = RUNS, resume: bool = False) -> PartialRun:
    """Claim a run directory for this process: `run` itself, or the next `runs/<stem>-NNNN` when it is None.

    Missing parents are made. A partial that an ended process left at `run` is emptied and used again, with a notice.
    To `resume`, its checkpoints are kept, and without `run` the newest partial of the stem is taken, if there is one.
    Raises UsageError when `run` exists, lies in another run or cannot be a run's name, BusyError when another process
    builds it, and StorageError.
    """
    if run is not None:
        check_name(run)
    manifest.refuse_inside_run(run or runs / stem)
    if run is not None:
        return _claim_named(run, resume=resume)
    stem = safe_stem(stem)
    return (_claim_unfinished(runs, stem) if resume else None) or _claim_numbered(runs, stem)


class _Held:
    """The two locks of a partial; the folder's is None where folders cannot be opened."""

    def __init__(self, folder: int | None) -> None:
        self.folder = folder
        self.lock: int | None = None

    def drop_lock_file(self, partial: Path) -> None:
        """Close the lock file before removing it: some systems cannot remove or rename what is open."""
        if self.lock is not None:
            os.close(self.lock)
            self.lock = None
        (partial / LOCK).unlink(missing_ok=True)

    def close(self) -> None:
        for descriptor in (self.lock, self.folder):
            if descriptor is not None:
                os.close(descriptor)
        self.lock = self.folder = None


def _claim_unfinished(runs: Path, stem: str) -> PartialRun | None:
    """The newest partial of a stem, with its checkpoints."""
    names = [f"{stem}-{number:04d}" for number in sorted(numbers(runs, stem, only_partial=True), reverse=True)]
    left = [runs / name for name in names if not os.path.lexists(runs / name)]
    with_something = [final for final in left if _has_something(manifest.partial_of(final))]
    return next((_take(final, [], resume=True) for final in (*with_something, *left)), None)


def _has_something(partial: Path) -> bool:
    """Whether a partial was left with something to go on from."""
    return os.path.lexists(partial / manifest.MANIFEST) or any((partial / CHECKPOINTS).glob("*/*.json"))


def _claim_named(final: Path, *, resume: bool) -> PartialRun:
    made: list[Path] = []
    try:
        for _ in range(_ATTEMPTS):
            refuse_existing(final)
            _make_partial(final, made)
            claimed = _take(final, made, resume=resume)
            if claimed is not None:
                return claimed
    except (UsageError, BusyError, StorageError):
        _remove_made(made)
        raise
    raise BusyError(_busy(manifest.partial_of(final)))


def _claim_numbered(runs: Path, stem: str) -> PartialRun:
    made: list[Path] = []
    number = 0
    try:
        for _ in range(_ATTEMPTS):
            number = max(number, highest_number(runs, stem)) + 1
            final = runs / f"{stem}-{number:04d}"
            if not _make_partial(final, made):
                continue
            with suppress(BusyError):  # someone named this very number with --run: take the next
                claimed = _take(final, made)
                if claimed is not None:
                    return claimed
    except (UsageError, StorageError):
        _remove_made(made)
        raise
    raise BusyError(_busy(runs / f"{stem}-{number:04d}"))


def _make_partial(final: Path, made: list[Path]) -> bool:
    """Make the partial folder and its parents, adding those to `made`; False when the partial was there."""
    with storage.disk_errors(final):
        for attempt in range(_ATTEMPTS):
            try:
                _make_parents(final.parent, made)
                manifest.partial_of(final).mkdir()
            except FileExistsError:
                return False
            except FileNotFoundError:  # another claim that came to nothing removed the parent it had made
                if attempt == _ATTEMPTS - 1:
                    raise
            else:
                break
    return True


def _make_parents(folder: Path, made: list[Path]) -> None:
    for parent in (*reversed(folder.parents), folder):
        if not parent.is_dir():
            with suppress(FileExistsError):
                parent.mkdir()
                made.append(parent)


def _remove_made(made: list[Path]) -> None:
    for folder in reversed(made):
        with suppress(OSError):  # in use by another run, or already gone
            folder.rmdir()


def _take(final: Path, made: list[Path], *, resume: bool = False) -> PartialRun | None:
    """Lock the partial folder; None when another process moved it meanwhile. BusyError when another holds it."""
    partial = manifest.partial_of(final)
    if partial.is_symlink() or (partial.exists() and not partial.is_dir()):
        raise UsageError(_foreign(partial, "is not a folder"))
    with storage.disk_errors(partial):
        try:
            held = _Held(platform.open_folder(partial))
        except FileNotFoundError:
            return None
    claimed = None
    try:
        with storage.disk_errors(partial):
            if _lock(held, partial) and not _withdraw(held, partial, final):
                notices = () if resume else _take_over(held, partial)
                resumed = resume and _keep_checkpoints(held, partial)
                claimed = PartialRun(final, held, made, notices, resumed=resumed)
    finally:
        if claimed is None:
            held.close()
    return claimed


def _lock(held: _Held, partial: Path) -> bool:
    """Lock folder and lock file; False when either is no longer the one at its path. BusyError when another has it."""
    if not platform.lock_folder(held.folder):
        raise BusyError(_busy(partial))
    if not platform.is_at(held.folder, partial):
        return False
    content = os.listdir(partial)
    if content and not {LOCK, manifest.MANIFEST} & set(content):
        raise UsageError(_foreign(partial, "holds files, but none that show it to be an unfinished run"))
    held.lock = platform.open_lock(partial / LOCK)
    if not platform.lock(held.lock):
        raise BusyError(_busy(partial))
    return platform.is_at(held.lock, partial / LOCK)


def _withdraw(held: _Held, partial: Path, final: Path) -> bool:
    """Whether the run was published between our look and our lock; the partial that we made anew is then removed."""
    if not os.path.lexists(final):
        return False
    if os.listdir(partial) == [LOCK]:
        held.drop_lock_file(partial)
        partial.rmdir()
    return True


def _take_over(held: _Held, partial: Path) -> tuple[Problem, ...]:
    left = sorted(name for name in os.listdir(partial) if name != LOCK)
    _empty(partial)
    _write_holder(held)
    if not left:
        return ()
    where = escape(partial)
    names = ", ".join(escape(name) for name in left)
    message = f"`{where}` was left by a run that ended early; its files were removed: {names}"
    hints = ("`--resume` would have gone on with it; to keep an unfinished run, choose another `--run DIR`",)
    return (Problem("BP515", message, where, hints=hints),)


def _keep_checkpoints(held: _Held, partial: Path) -> bool:
    """Remove what will be written again, and say whether there is something to go on from."""
    _write_holder(held)
    if manifest.is_whole(partial, leave_out=_unsealed(partial)):
        return True
    _empty(partial, but=CHECKPOINTS)
    return (partial / CHECKPOINTS).is_dir()


def _unsealed(partial: Path) -> frozenset[str]:
    """What is there only as long as the run is not published."""
    return frozenset({LOCK, *(path.relative_to(partial).as_posix() for path in (partial / CHECKPOINTS).rglob("*"))})


def _write_holder(held: _Held) -> None:
    if held.lock is None:
        raise RuntimeError("the lock file is not open")
    started = datetime.now(UTC).isoformat(timespec="seconds")
    holder = {"pid": os.getpid(), "host": socket.gethostname(), "started": started}
    os.ftruncate(held.lock, 0)
    platform.write_all(held.lock, storage.canonical_json(holder).encode())


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


def _remove_temporary(partial: Path) -> None:
    for path in list(partial.rglob(f"{storage.TEMPORARY_PREFIX}*")):
        _remove(path)


def _sync_tree(partial: Path) -> None:
    for folder, _, names in os.walk(partial, topdown=False):
        for name in names:
            platform.sync_file(Path(folder, name))
        platform.sync_folder(Path(folder))


def _rename(partial: Path, final: Path) -> None:
    try:
        if os.path.lexists(final):
            raise FileExistsError
        platform.rename_folder(partial, final)
    except FileExistsError as err:
        raise BusyError(_appeared(partial, final)) from err


def _foreign(partial: Path, reason: str) -> Problem:
    where = escape(partial)
    message = f"`{where}` {reason}; bptrain builds the run there and would have to remove it"
    return Problem("BP513", message, where, hints=("rename or remove it, or choose another name for `--run`",))


def _appeared(partial: Path, final: Path) -> Problem:
    message = f"`{escape(final)}` appeared while the run was being built, so the run was not published"
    hints = (f"the finished run is in `{escape(partial)}`: move `{escape(final)}` away and rename it",)
    return Problem("BP751", message, escape(final), hints=hints)


def _no_pointer(final: Path, pointer: Path, cause: Problem) -> Problem:
    message = f"`{escape(final)}` is published, but is not the latest run: {cause.message}"
    hints = (f"name the run: `bptrain evaluate {escape(final)}`", *cause.hints)
    return Problem("BP517", message, escape(pointer), hints=hints)


def _busy(partial: Path) -> Problem:
    where = escape(partial)
    message = f"`{where}` is being written by {_holder(partial)}"
    hints = ("wait until it has ended, or choose another name for `--run`",)
    return Problem("BP750", message, where, hints=hints)


def _holder(partial: Path) -> str:
    try:
        holder = storage.read_json(partial / LOCK)
    except (RunError, StorageError):  # not written yet, or already removed
        return "another process"
    if not isinstance(holder, dict):
        return "another process"
    pid, host, started = (escape(str(holder.get(key, "unknown"))) for key in ("pid", "host", "started"))
    return f"process {pid} on host {host} (since {started})"
