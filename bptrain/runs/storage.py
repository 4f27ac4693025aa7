"""Atomic writing and strict reading of small files, canonical JSON, and disk errors in plain words."""

from __future__ import annotations

import errno
import hashlib
import json
import math
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from bptrain.errors import Problem, RunError, StorageError
from bptrain.runs import platform
from bptrain.utils.text import escape

TEMPORARY_PREFIX = ".tmp-"
_CHUNK = 2**20


def write_bytes(path: Path, data: bytes | memoryview) -> None:
    """Write a file so that it is either the old one or the whole new one, also after a crash or a power cut.

    Raises StorageError (exit 74); the old file, if any, is then untouched.
    """
    with written(path, need=len(data)) as file:
        platform.write_all(file.fileno(), data)


@contextmanager
def written(path: Path, *, need: int | None = None) -> Iterator[BinaryIO]:
    """A file to fill, which becomes `path` as `write_bytes` does it when the context ends without an error.

    `need` is the number of bytes to be written, if it is known. Raises StorageError.
    """
    temporary = path.parent / f"{TEMPORARY_PREFIX}{secrets.token_hex(8)}"
    with disk_errors(path, need=need):
        try:
            with os.fdopen(platform.open_new(temporary), "wb") as file:
                yield file
                file.flush()
                platform.sync(file.fileno())
            platform.replace(temporary, path)
        finally:
            with suppress(OSError):  # gone when all went well, and never worth hiding the first error
                platform.remove(temporary)
        platform.sync_folder(path.parent)


def write_text(path: Path, text: str) -> None:
    """`write_bytes` of UTF-8 text; line ends are written as they are."""
    write_bytes(path, text.encode("utf-8"))


def write_json(path: Path, value: object) -> None:
    """`write_bytes` of `canonical_json`."""
    write_text(path, canonical_json(value))


def canonical_json(value: object) -> str:
    """The one text of a JSON value: sorted keys, two spaces, shortest floats, a newline at the end.

    Takes dict (with str keys), list, tuple, str, int, float, bool and None, and nothing derived from them: TypeError
    names the place of anything else, numpy scalars included. NaN and infinities are a ValueError.
    """
    _check_plain(value, "$")
    return json.dumps(value, sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def read_bytes(path: Path, *, at_most: int | None = None) -> bytes:
    """The bytes of a regular file.

    Raises RunError when it is missing, a symlink, not a regular file, or larger than `at_most` bytes, and StorageError
    when it cannot be read.
    """
    with open_regular(path) as file, disk_errors(path, doing="read"):
        size = os.fstat(file.fileno()).st_size
        if at_most is not None and size > at_most:
            message = f"`{escape(path)}` has {size:,} bytes, at most {at_most:,} were expected"
            raise RunError(Problem("BP502", message, escape(path), hints=_DAMAGED))
        return file.read()


def sha256(path: Path) -> str:
    """The sha256 of a regular file's bytes, in hexadecimal; raises as `read_bytes`."""
    digest = hashlib.sha256()
    with open_regular(path) as file, disk_errors(path, doing="read"):
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def holds(path: Path, data: bytes | memoryview) -> bool:
    """Whether a regular file has exactly these bytes. Raises StorageError when it cannot be read."""
    try:
        return read_bytes(path, at_most=len(data)) == data
    except RunError:
        return False


def open_regular(path: Path) -> BinaryIO:
    """A regular file open for reading, in binary; raises as `read_bytes`."""
    try:
        descriptor = platform.open_read(path)
    except (FileNotFoundError, NotADirectoryError) as err:
        raise RunError(Problem("BP503", f"the file `{escape(path)}` is missing", escape(path), hints=_DAMAGED)) from err
    except OSError as err:
        if err.errno in {errno.ELOOP, errno.ENXIO}:  # a symlink, or a socket
            raise RunError(_irregular(path)) from err
        raise StorageError(_disk_problem(err, path, need=None, doing="read")) from err
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise RunError(_irregular(path))
    return os.fdopen(descriptor, "rb")


def read_json(path: Path) -> Any:
    """The value of a JSON file, read strictly; raises RunError when it is damaged, as `read_bytes` otherwise."""
    return parse_json(read_bytes(path), source=escape(path))


def parse_json(data: bytes, *, source: str) -> Any:
    """The value of UTF-8 JSON; duplicate keys, NaN, infinities and overflow are a RunError naming `source`."""
    try:
        return json.loads(data.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_refuse, parse_float=_finite)
    except (ValueError, RecursionError) as err:
        raise RunError(
            Problem("BP507", f"`{source}` is not valid JSON: {escape(str(err))}", source, hints=_DAMAGED)
        ) from err


@contextmanager
def disk_errors(path: Path, *, need: int | None = None, doing: str = "write") -> Iterator[None]:
    """Turn every OSError inside into a StorageError about `path`; `need` is the number of bytes to be written."""
    try:
        yield
    except OSError as err:
        raise StorageError(_disk_problem(err, path, need=need, doing=doing)) from err


def require_space(folder: Path, n_bytes: int) -> None:
    """Raise StorageError when the disk of `folder` has less room than that."""
    with disk_errors(folder, need=n_bytes):
        free = platform.free_bytes(folder)
        if free is not None and free < n_bytes:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


_DAMAGED = ("restore the run from a copy, or train it again with `bptrain fit`",)

# errno → (code, reason, hint)
_REASONS: dict[int, tuple[str, str, str]] = {
    errno.ENOSPC: ("BP740", "the disk is full", "free some space or choose another disk with `--run DIR`"),
    errno.EDQUOT: ("BP740", "your disk quota is used up", "delete files of yours or ask for a larger quota"),
    errno.EFBIG: ("BP740", "the file is larger than the system allows", "raise the limit (`ulimit -f`)"),
    errno.EACCES: ("BP741", "you have no permission", "choose a folder that you may write to, or change its mode"),
    errno.EPERM: ("BP741", "the system does not permit it", "choose a folder that you may write to"),
    errno.EROFS: ("BP742", "the file system is read-only", "choose a folder on another disk"),
    errno.EIO: ("BP743", "the disk reported an input/output error", "check the disk; what was written may be lost"),
    errno.ENAMETOOLONG: ("BP744", "the name is too long", "choose a shorter name"),
    errno.ENOTDIR: ("BP744", "a part of the path is a file, not a folder", "choose another path"),
    errno.EISDIR: ("BP744", "a folder has that name", "choose another name or remove the folder"),
    errno.ELOOP: ("BP744", "it is a symlink, or the path has a loop of them", "give the path without symlinks"),
    errno.EILSEQ: ("BP744", "the file system does not accept that name", "choose a name in plain letters"),
    errno.ENOLCK: ("BP745", "the file system cannot lock files", "put the run on a local disk"),
    errno.EOPNOTSUPP: ("BP745", "the file system does not support it", "put the run on a local disk"),
}
_OTHER = ("BP746", "the system refused", "look at the reason in brackets")


def _disk_problem(err: OSError, path: Path, *, need: int | None, doing: str) -> Problem:
    code, reason, hint = _REASONS.get(err.errno or 0, _OTHER)
    message = f"cannot {doing} `{escape(path)}`: {reason} ({err.strerror or err})"
    if code == "BP740":
        free = platform.free_bytes(path)
        sizes = [f"{need:,} bytes are needed"] if need is not None else []
        sizes += [f"{free:,} bytes are free"] if free is not None else []
        message = "; ".join([message, ", ".join(sizes)] if sizes else [message])
    return Problem(code, message, escape(path), hints=(hint,))


def _irregular(path: Path) -> Problem:
    message = f"`{escape(path)}` is not a regular file (a symlink, folder, pipe or device), and only those are read"
    return Problem("BP505", message, escape(path), hints=("replace it by the file itself",))


def _check_plain(value: object, place: str) -> None:
    if type(value) is dict:
        for key, item in value.items():
            if type(key) is not str:
                raise TypeError(f"JSON keys must be str; got {key!r} of type {type(key).__name__} in {place}")
            _check_plain(item, f"{place}.{key}")
    elif type(value) is list or type(value) is tuple:
        for index, item in enumerate(value):
            _check_plain(item, f"{place}[{index}]")
    elif value is not None and type(value) not in (str, int, float, bool):
        raise TypeError(
            f"{type(value).__module__}.{type(value).__name__} is not a JSON value; got {value!r} at {place}"
        )


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"the key {key!r} is there twice")
        found[key] = value
    return found


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not a JSON number")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"the number {text} is too large")
    return number
