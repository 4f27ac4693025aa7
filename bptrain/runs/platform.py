"""The one place with platform calls: opening without following links, syncing, locking, renaming, free space.

Linux and macOS are served fully; Windows is best effort: it has no folder handles, so folders are neither synced nor
locked there, and a run directory is guarded by its lock file alone. Every function lets OSError through unless it says
otherwise; `bptrain.runs.storage` turns it into words.
"""

from __future__ import annotations

import contextlib
import errno
import os
import platform as _platform
import shutil
import subprocess
import sys
from pathlib import Path

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

_GIT_SECONDS = 5
_COMMON = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
_NO_SUPPORT = {errno.EBADF, errno.EINVAL, errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP}


def processor() -> str:
    """The name of the processor as the system tells it, or an empty text."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError), Path("/proc/cpuinfo").open(encoding="ascii", errors="replace") as file:
            return next((line.partition(":")[2].strip() for line in file if line.startswith("model name")), "")
    return _platform.processor()


def git_state() -> dict[str, str | bool] | None:
    """The commit of the repository that the work is done in, and whether tracked files differ from it.

    For the record: no result depends on it. None outside a repository, or without git.
    """
    texts = []
    for arguments in (("rev-parse", "HEAD"), ("status", "--porcelain", "--untracked-files=no")):
        try:
            done = subprocess.run(
                ["git", *arguments],
                capture_output=True,
                text=True,
                timeout=_GIT_SECONDS,
                check=True,
                stdin=subprocess.DEVNULL,
            )
        except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
            return None
        texts.append(done.stdout.strip())
    return {"commit": texts[0], "dirty": bool(texts[1])}


def open_read(path: Path) -> int:
    """A descriptor for reading; a symlink as last component fails, and a FIFO does not hang."""
    return os.open(path, os.O_RDONLY | _COMMON | getattr(os, "O_NONBLOCK", 0))


def open_new(path: Path) -> int:
    """A descriptor for writing a file that must not exist yet; its mode is 0666 less the umask."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _COMMON, 0o666)


def open_lock(path: Path) -> int:
    """A descriptor for reading and writing a lock file, created when missing."""
    return os.open(path, os.O_RDWR | os.O_CREAT | _COMMON, 0o666)


def open_folder(path: Path) -> int | None:
    """A descriptor of a folder (not of a symlink to one), or None where folders cannot be opened."""
    if sys.platform == "win32":
        return None
    return os.open(path, os.O_RDONLY | os.O_DIRECTORY | _COMMON)


def reserve(descriptor: int, n_bytes: int) -> None:
    """Give an empty file so many bytes of the disk, so that a full one shows here and not when a page is written."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, 0, n_bytes)
        return
    zeros = memoryview(bytes(2**20))
    for start in range(0, n_bytes, len(zeros)):
        write_all(descriptor, zeros[: n_bytes - start])


def write_all(descriptor: int, data: bytes | memoryview) -> None:
    """Write every byte, however many calls that takes."""
    rest = memoryview(data).cast("B")
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def sync(descriptor: int) -> None:
    """Return only when the bytes of a file are on the disk, not just in its cache."""
    if sys.platform == "darwin":
        fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
    else:
        os.fsync(descriptor)


def sync_file(path: Path) -> None:
    """`sync` for a file that someone else wrote."""
    if sys.platform == "win32":  # a read-only handle cannot be synced there
        return
    descriptor = open_read(path)
    try:
        sync(descriptor)
    finally:
        os.close(descriptor)


def sync_folder(path: Path) -> None:
    """Make the names inside a folder, or the one that a link leads to, durable, where the file system can do that."""
    descriptor = open_folder(Path(os.path.realpath(path)))
    if descriptor is None:
        return
    try:
        os.fsync(descriptor)
    except OSError as err:
        if err.errno not in _NO_SUPPORT:
            raise
    finally:
        os.close(descriptor)


def replace(source: Path, target: Path) -> None:
    """Rename a file over another one, atomically."""
    os.replace(source, target)


def remove(path: Path) -> None:
    """Remove a file, if there is one."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)


def make_folder(path: Path) -> None:
    """Make a folder in one that there is; nothing when there is one of that name."""
    with contextlib.suppress(FileExistsError):
        os.mkdir(path)


def names_in(path: Path) -> list[str]:
    """The names in a folder, sorted; none when there is no such folder."""
    try:
        return sorted(os.listdir(path))
    except FileNotFoundError:
        return []


def rename_folder(source: Path, target: Path) -> None:
    """Rename a folder, atomically; FileExistsError when anything but an empty folder is at `target`."""
    try:
        os.rename(source, target)
    except OSError as err:
        if err.errno in {errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR} and os.path.lexists(target):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target)) from err
        raise


def lock(descriptor: int | None, *, needed: bool = True) -> bool:
    """Take the exclusive lock of an open file or folder without waiting; False when another process holds it.

    The kernel releases it when the descriptor is closed, also by kill -9. A lock that is not `needed` counts as taken
    where it cannot be: that of a folder (Windows, NFS), which a lock file backs.
    """
    if descriptor is None:
        return not needed
    try:
        if sys.platform == "win32":
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):  # PermissionError is how Windows says "locked"
        return False
    except OSError as err:
        if needed or err.errno not in _NO_SUPPORT:
            raise
    return True


def is_at(descriptor: int | None, path: Path) -> bool:
    """Whether an open file or folder is still the one at `path` (True for a folder that could not be opened)."""
    if descriptor is None:
        return True
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(path, follow_symlinks=False))
    except FileNotFoundError:
        return False


def free_bytes(path: Path) -> int | None:
    """Free bytes for this user where `path` is or would be, or None when the system does not say."""
    for folder in (path, *path.parents):
        try:
            return shutil.disk_usage(folder).free
        except FileNotFoundError:
            continue
        except OSError:
            return None
    return None
