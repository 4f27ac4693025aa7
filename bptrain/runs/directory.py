"""The life of a run directory: claimed as DIR.partial under a lock, filled, sealed, and renamed to DIR in one step.

Two locks are held while a run is built: one on the folder DIR.partial itself, which stays with it through the rename,
and one on DIR.partial/.lock, which says who holds it and serves where folders cannot be locked.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import unicodedata
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

from bptrain.errors import BusyError, DataError, Problem, RunError, StorageError, UsageError
from bptrain.runs import manifest, platform, storage
from bptrain.text import escape

LOCK = ".lock"
CHECKPOINTS = "checkpoints"
LATEST = "latest"

RUNS = Path("runs")
Warn = Callable[[Problem], None]

_ATTEMPTS = 1000  # each failed attempt means that another process got ahead


class PartialRun:
    """A claimed run that is being built in `path`; made by `claim`, used as a context manager.

    Leaving the context releases the locks. An unpublished partial stays as it is, except after a UsageError or
    DataError: a wrong config or table leaves nothing behind. `notices` are warnings for the caller to show.
    """

    def __init__(self, final: Path, held: _Held, made: list[Path], notices: tuple[Problem, ...]) -> None:
        self.path = manifest.partial_of(final)
        self.final = final
        self.notices = notices
        self._held: _Held | None = held
        self._made = made

    def __enter__(self) -> PartialRun:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if isinstance(error, UsageError | DataError):
            with suppress(StorageError):  # the mistake that ended the run is the one to show
                self.discard()
        self._release()

    def publish(self, *, latest: bool, runs: Path = RUNS, warn: Warn = lambda _: None) -> Path:
        """Seal the run, rename it to its final path and return that.

        With `latest`, `runs/latest` then names it, if it lies in `runs`; `warn` is told when that cannot be written.
        Raises BusyError when the final path has appeared meanwhile, RunError for what a run may not hold, and
        StorageError; the partial then stays.
        """
        held = self._need_held()
        with storage.disk_errors(self.path):
            _remove_working_files(self.path)
        manifest.write_manifest(self.path, leave_out=frozenset({LOCK}))
        with storage.disk_errors(self.final):
            _sync_tree(self.path)
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


def claim(run: Path | None, *, stem: str, runs: Path = RUNS) -> PartialRun:
    """Claim a run directory for this process: `run` itself, or the next `runs/<stem>-NNNN` when it is None.

    Missing parents are made. A partial that an ended process left at `run` is emptied and used again, with a notice.
    Raises UsageError when `run` exists, lies in another run or cannot be a run's name, BusyError when another process
    builds it, and StorageError.
    """
    if run is not None:
        _check_name(run)
    manifest.refuse_inside_run(run or runs / stem)
    return _claim_numbered(runs, _safe_stem(stem)) if run is None else _claim_named(run)


def latest_run(runs: Path = RUNS) -> Path:
    """The run that `runs/latest` names; raises UsageError when there is none, or it names no run in `runs`."""
    pointer = runs / LATEST
    where = escape(pointer)
    hints = ("name the run: `bptrain evaluate runs/NAME`", "`bptrain fit CONFIG` makes one")
    if not os.path.lexists(pointer):
        raise UsageError(Problem("BP514", f"there is no latest run: `{where}` does not exist", where, hints=hints))
    try:
        name = storage.read_bytes(pointer, at_most=4096).decode("utf-8").removesuffix("\n")
    except (RunError, UnicodeDecodeError) as err:
        raise UsageError(
            Problem("BP514", f"`{where}` is not the one-line text file that bptrain writes", where, hints=hints)
        ) from err
    plain = name not in {"", ".", ".."} and name.isprintable() and not set(name) & {"/", "\\", ":"}
    if not plain or (runs / name).is_symlink() or not (runs / name).is_dir():
        message = f"`{where}` names `{escape(name)}`, which is not a folder in `{escape(runs)}`"
        raise UsageError(Problem("BP514", message, where, hints=hints))
    return runs / name


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


def _claim_named(final: Path) -> PartialRun:
    made: list[Path] = []
    try:
        for _ in range(_ATTEMPTS):
            _refuse_existing(final)
            _make_partial(final, made)
            claimed = _take(final, made)
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
            number = max(number, _highest_number(runs, stem)) + 1
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


def _highest_number(runs: Path, stem: str) -> int:
    pattern = re.compile(rf"{re.escape(stem)}-([0-9]{{4,}})({re.escape(manifest.PARTIAL_SUFFIX)})?")
    if not os.path.lexists(runs):
        return 0
    with storage.disk_errors(runs, doing="read"):
        matches = [pattern.fullmatch(name) for name in os.listdir(runs)]
    return max((int(match[1]) for match in matches if match), default=0)


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


def _take(final: Path, made: list[Path]) -> PartialRun | None:
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
                claimed = PartialRun(final, held, made, _take_over(held, partial))
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
    hints = ("to keep an unfinished run, rename its folder or choose another `--run DIR`",)
    return (Problem("BP515", message, where, hints=hints),)


def _write_holder(held: _Held) -> None:
    if held.lock is None:
        raise RuntimeError("the lock file is not open")
    started = datetime.now(UTC).isoformat(timespec="seconds")
    holder = {"pid": os.getpid(), "host": socket.gethostname(), "started": started}
    os.ftruncate(held.lock, 0)
    platform.write_all(held.lock, storage.canonical_json(holder).encode())


def _empty(partial: Path) -> None:
    """Remove everything but the lock file, which shows until the end that the folder is ours."""
    for path in partial.iterdir():
        if path.name != LOCK:
            _remove(path)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _remove_working_files(partial: Path) -> None:
    _remove(partial / CHECKPOINTS)
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


def _safe_stem(stem: str) -> str:
    """Letters, digits, `.`, `_` and `-` of a stem, short enough for every file system, never empty or hidden."""
    kept = re.sub(r"[^\w.-]+", "-", unicodedata.normalize("NFC", stem)).strip(".-_")
    return kept.encode("utf-8", "ignore")[:180].decode("utf-8", "ignore") or "run"


def _check_name(run: Path) -> None:
    name, shown = run.name, escape(run)
    if name in {"", "..", LATEST} or name.endswith(manifest.PARTIAL_SUFFIX) or "\0" in str(run):
        message = f"`{shown}` cannot be the name of a run directory"
        taken = f"`{LATEST}` and names ending in `{manifest.PARTIAL_SUFFIX}` have a meaning of their own"
        raise UsageError(Problem("BP512", message, shown, hints=("choose a name such as `runs/adult-first`", taken)))


def _refuse_existing(final: Path) -> None:
    if os.path.lexists(final):
        where = escape(final)
        message = f"`{where}` exists, and a published run is never changed"
        hints = ("choose another name for `--run`, or leave it out to get the next number", "or remove it first")
        raise UsageError(Problem("BP511", message, where, hints=hints))


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
