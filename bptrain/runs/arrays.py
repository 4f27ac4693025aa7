"""Named arrays in and out of .npz files: the same arrays give the same bytes, and nothing unexpected is allocated.

A file is a zip of stored (not compressed) .npy members, sorted by name and without dates. Reading never unpickles: each
member's header is compared with the bytes that are there and with what the caller expects before an array is made.
"""

from __future__ import annotations

import hashlib
import io
import math
import struct
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bptrain.errors import Problem, RunError
from bptrain.runs import storage
from bptrain.utils.text import escape

Array = npt.NDArray[Any]
Expected = Mapping[str, tuple[str, tuple[int, ...]]]

_KINDS = "biufcmMSU"
_DATE = (1980, 1, 1, 0, 0, 0)
_OVERHEAD = 12_000  # bytes a member may take beyond its array and its name: .npy header and zip records
_ZIP_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    IndexError,
    KeyError,
    NotImplementedError,
    OSError,
    OverflowError,
    RuntimeError,
    ValueError,
)


def write_arrays(path: Path, arrays: Mapping[str, Array]) -> None:
    """Write what `pack_arrays` makes, atomically; raises as it does, and StorageError."""
    storage.write_bytes(path, pack_arrays(arrays))


def pack_arrays(arrays: Mapping[str, Array]) -> memoryview:
    """The bytes of a file with arrays of any shape, little-endian and C order.

    A name may hold folders ("dense/kernel"). Raises ValueError for a name that is not a plain relative path, TypeError
    for what is not a plain array of numbers, booleans, times or fixed-width text.
    """
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(_checked_names(arrays)):
            array = _little_endian(name, arrays[name])
            member = zipfile.ZipInfo(f"{name}.npy", _DATE)
            member.create_system = 3
            member.external_attr = 0o644 << 16
            archive.writestr(member, _header(array) + array.tobytes())
    return packed.getbuffer()


def read_arrays(path: Path, expected: Expected | None = None) -> dict[str, Array]:
    """The arrays of a file by name, sorted.

    `expected` gives the exact set of names with dtype and shape. Raises RunError naming every array that is damaged,
    missing, not expected or of another dtype or shape, and StorageError when the file cannot be read.
    """
    at_most = None if expected is None else _largest_file(expected)
    return parse_arrays(storage.read_bytes(path, at_most=at_most), expected, source=escape(path))


def parse_arrays(data: bytes, expected: Expected | None = None, *, source: str) -> dict[str, Array]:
    """`read_arrays` of bytes in memory; `source` names them in messages."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except _ZIP_DAMAGE as err:
        raise RunError(_damage(source, f"is not an .npz file or is cut off: {err}")) from err
    with archive:
        members = _members(archive, source)
        _check_layout(archive, data, source)
        if expected is not None:
            _raise_all(_set_problems(set(members), set(expected), source))
        headers = {name: _read_header(archive, info, source, name) for name, info in members.items()}
        if expected is not None:
            _raise_all(_header_problems(headers, expected, source))
        return {name: _read_member(archive, members[name], headers[name], source, name) for name in sorted(members)}


def arrays_digest(arrays: Mapping[str, Array]) -> str:
    """The sha256 of arrays as values, in hexadecimal: equal arrays have equal digests on every machine.

    Hashed, in order of names: name, dtype as in "<f4" and shape as in "3,4", each ended by a zero byte, then the
    little-endian bytes in C order. Raises as `write_arrays`.
    """
    digest = hashlib.sha256()
    for name in sorted(_checked_names(arrays)):
        array = _little_endian(name, arrays[name])
        shape = ",".join(str(size) for size in array.shape)
        digest.update(f"{name}\0{array.dtype.str}\0{shape}\0".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


_Header = tuple["np.dtype[Any]", tuple[int, ...], int]  # dtype, shape, where the array's bytes begin


def _checked_names(arrays: Mapping[str, Array]) -> list[str]:
    for name in arrays:
        if not _is_plain(name):
            raise ValueError(f"an array's name must be a relative path without `..`, NUL and `\\`; got {name!r}")
    return list(arrays)


def _is_plain(name: str) -> bool:
    encodable = name.encode("utf-8", "replace").decode() == name
    return encodable and not set(name) & {"\0", "\\"} and not {"", ".", ".."} & set(name.split("/"))


def _little_endian(name: str, array: Array) -> Array:
    if not isinstance(array, np.ndarray) or isinstance(array, np.ma.MaskedArray):
        raise TypeError(f"array {name!r} must be a plain numpy array; got {type(array).__name__}")
    if not _is_plain_dtype(array.dtype):
        raise TypeError(f"array {name!r} must hold numbers, booleans, times or fixed-width text; got {array.dtype}")
    return np.asarray(array, dtype=array.dtype.newbyteorder("<"))


def _is_plain_dtype(dtype: np.dtype[Any]) -> bool:
    return dtype.kind in _KINDS and dtype.char not in "gG" and dtype.itemsize > 0  # long double differs by machine


def _header(array: Array) -> bytes:
    """The .npy header, version 1.0, written here so that no numpy release changes the bytes of a file."""
    text = f"{{'descr': {array.dtype.str!r}, 'fortran_order': False, 'shape': {array.shape!r}, }}"
    padded = text.ljust(-(-(len(text) + 11) // 64) * 64 - 11) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(padded)) + padded.encode("ascii")


def _largest_file(expected: Expected) -> int:
    sizes = (math.prod(shape) * np.dtype(dtype).itemsize for dtype, shape in expected.values())
    return sum(sizes) + sum(_OVERHEAD + 4 * len(name.encode()) for name in expected) + _OVERHEAD


def _members(archive: zipfile.ZipFile, source: str) -> dict[str, zipfile.ZipInfo]:
    """The members by array name, each checked to be stored as it is."""
    members: dict[str, zipfile.ZipInfo] = {}
    problems = []
    for info in archive.infolist():
        name = info.filename.removesuffix(".npy")
        if name == info.filename or not _is_plain(name):
            problems.append(_damage(source, f"has the member `{escape(info.filename)}`, which is no array"))
        elif name in members:
            problems.append(_damage(source, "is in the file twice", name))
        elif info.compress_type != zipfile.ZIP_STORED or info.compress_size != info.file_size or info.flag_bits & 1:
            problems.append(_damage(source, "is compressed or encrypted; bptrain writes plain members only", name))
        members[name] = info
    _raise_all(problems)
    return members


def _check_layout(archive: zipfile.ZipFile, data: bytes, source: str) -> None:
    """Members must fill the file without gap or overlap: none is hidden, and together they are no larger than it."""
    end = 0
    for info in sorted(archive.infolist(), key=lambda one: one.header_offset):
        if info.header_offset != end or end + 30 > len(data):
            break
        name_bytes, extra_bytes = struct.unpack_from("<HH", data, end + 26)
        end += 30 + name_bytes + extra_bytes + info.compress_size
    if end != archive.start_dir:
        raise RunError(_damage(source, "has gaps or overlaps between its arrays"))


def _read_header(archive: zipfile.ZipFile, info: zipfile.ZipInfo, source: str, name: str) -> _Header:
    try:
        with archive.open(info) as member:
            version = np.lib.format.read_magic(member)
            if version != (1, 0):
                raise ValueError(f"its .npy version is {version}, expected (1, 0)")
            shape, fortran_order, dtype = np.lib.format.read_array_header_1_0(member)
            start = member.tell()
    except (*_ZIP_DAMAGE, TypeError, SyntaxError) as err:
        raise RunError(_damage(source, f"has a damaged header: {err}", name)) from err
    if fortran_order or not _is_plain_dtype(dtype) or dtype != dtype.newbyteorder("<"):
        raise RunError(_damage(source, f"is not a plain little-endian C-order array (dtype {dtype})", name))
    if any(size < 0 for size in shape) or start + math.prod(shape) * dtype.itemsize != info.file_size:
        text = f"has {info.file_size - start:,} bytes, which is not dtype {dtype.name} and shape {shape}"
        raise RunError(_damage(source, text, name))
    return dtype, shape, start


def _read_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, header: _Header, source: str, name: str) -> Array:
    dtype, shape, start = header
    try:
        data = archive.read(info)  # compares the CRC
        return np.ndarray(shape, dtype, buffer=data, offset=start).copy()
    except (*_ZIP_DAMAGE, TypeError) as err:
        raise RunError(_damage(source, f"is damaged: {err}", name)) from err


def _set_problems(found: set[str], expected: set[str], source: str) -> list[Problem]:
    missing = [f"`{source}` lacks the array `{escape(name)}`" for name in sorted(expected - found)]
    extra = [f"`{source}` has an unexpected array `{escape(name)}`" for name in sorted(found - expected)]
    return [Problem("BP509", message, source, hints=_MISFIT) for message in missing + extra]


def _header_problems(headers: Mapping[str, _Header], expected: Expected, source: str) -> list[Problem]:
    problems = []
    for name, (dtype, shape, _) in headers.items():
        wanted_dtype, wanted_shape = np.dtype(expected[name][0]).newbyteorder("<"), tuple(expected[name][1])
        if (dtype, shape) != (wanted_dtype, wanted_shape):
            message = (
                f"array `{escape(name)}` in `{source}` has dtype {dtype.name} and shape {shape}, "
                f"expected {wanted_dtype.name} and {wanted_shape}"
            )
            problems.append(Problem("BP509", message, source, hints=_MISFIT))
    return problems


_MISFIT = ("use the run as `bptrain fit` wrote it, or train it again",)


def _damage(source: str, text: str, name: str | None = None) -> Problem:
    subject = f"`{source}`" if name is None else f"array `{escape(name)}` in `{source}`"
    hint = "restore the file from a copy of the run, or train it again with `bptrain fit`"
    return Problem("BP508", f"{subject} {escape(text)}", source, hints=(hint,))


def _raise_all(problems: list[Problem]) -> None:
    if problems:
        raise RunError(*problems)
