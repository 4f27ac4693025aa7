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
from bptrain.messages import runs as messages
from bptrain.runs import platform

Json = Any  # a value of JSON: dict with str keys, list, str, int, float, bool or None
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
    write_bytes(path, canonical_json(value).encode())


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
            raise RunError(messages.TOO_MANY_BYTES(path=path, n=f"{size:,}", limit=f"{at_most:,}", where=path))
        return file.read()


def file_digest(path: Path) -> tuple[str, int]:
    """The sha256 of a regular file's bytes, in hexadecimal, and how many there are; raises as `read_bytes`."""
    digest, n_bytes = hashlib.sha256(), 0
    with open_regular(path) as file, disk_errors(path, doing="read"):
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            n_bytes += len(chunk)
    return digest.hexdigest(), n_bytes


def open_regular(path: Path) -> BinaryIO:
    """A regular file open for reading, in binary; raises as `read_bytes`."""
    try:
        descriptor = platform.open_read(path)
    except (FileNotFoundError, NotADirectoryError) as err:
        raise RunError(messages.FILE_MISSING(path=path, where=path)) from err
    except OSError as err:
        if err.errno in {errno.ELOOP, errno.ENXIO}:  # a symlink, or a socket
            raise RunError(messages.NOT_REGULAR(path=path, where=path)) from err
        raise StorageError(_disk_problem(err, path, need=None, doing="read")) from err
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise RunError(messages.NOT_REGULAR(path=path, where=path))
    return os.fdopen(descriptor, "rb")


def read_json(path: Path) -> Json:
    """The value of a JSON file, read strictly; raises RunError when it is damaged, as `read_bytes` otherwise."""
    return parse_json(read_bytes(path), source=str(path))


def parse_json(data: bytes, *, source: str) -> Json:
    """The value of UTF-8 JSON; duplicate keys, NaN, infinities and overflow are a RunError naming `source`."""
    try:
        return json.loads(data.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_finite, parse_float=_finite)
    except (ValueError, RecursionError) as err:
        raise RunError(messages.NOT_JSON(path=source, reason=err, where=source)) from err


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


def remove(path: Path) -> None:
    """Remove a file, if there is one. Raises StorageError."""
    with disk_errors(path, doing="remove"):
        platform.remove(path)


_BY_ERRNO = {
    errno.ENOSPC: messages.DISK_FULL,
    errno.EDQUOT: messages.QUOTA_USED,
    errno.EFBIG: messages.FILE_TOO_LARGE,
    errno.EACCES: messages.NO_PERMISSION,
    errno.EPERM: messages.NOT_PERMITTED,
    errno.EROFS: messages.READ_ONLY,
    errno.EIO: messages.DISK_ERROR,
    errno.ENAMETOOLONG: messages.NAME_TOO_LONG,
    errno.ENOTDIR: messages.FILE_IN_PATH,
    errno.EISDIR: messages.FOLDER_OF_THAT_NAME,
    errno.ELOOP: messages.SYMLINK_LOOP,
    errno.EILSEQ: messages.NAME_NOT_ACCEPTED,
    errno.ENOLCK: messages.NO_LOCKS,
    errno.EOPNOTSUPP: messages.NOT_SUPPORTED,
}


def _disk_problem(err: OSError, path: Path, *, need: int | None, doing: str) -> Problem:
    """What the system's error means; where there is too little room, also how much is needed and free."""
    message = _BY_ERRNO.get(err.errno or 0, messages.REFUSED)
    sizes = []
    if message.code == messages.DISK_FULL.code:
        free = platform.free_bytes(path)
        sizes += [f"{need:,} bytes are needed"] if need is not None else []
        sizes += [f"{free:,} bytes are free"] if free is not None else []
    in_brackets = f"; {', '.join(sizes)}" if sizes else ""
    return message(doing=doing, path=path, system=err.strerror or err, sizes=in_brackets, where=path)


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


def _unique(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    values = dict(pairs)
    if len(values) < len(pairs):
        twice = next(key for number, (key, _) in enumerate(pairs) if key in dict(pairs[:number]))
        raise ValueError(f"the key {twice!r} is there twice")
    return values


def _finite(text: str) -> float:
    """A number of JSON text, or one of the constants NaN, Infinity and -Infinity, which are none."""
    number = float(text)
    if not math.isfinite(number):
        is_constant = text.lstrip("-").isalpha()
        raise ValueError(f"{text} is not a JSON number" if is_constant else f"the number {text} is too large")
    return number
