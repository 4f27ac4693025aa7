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
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bptrain.errors import Problem, RunError, raise_problems
from bptrain.messages import runs as messages
from bptrain.runs import storage

Array = npt.NDArray[Any]
Expected = Mapping[str, tuple[str, tuple[int, ...]]]

_KINDS = "biufcmMSU"
_DATE = (1980, 1, 1, 0, 0, 0)
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


_Header = tuple["np.dtype[Any]", tuple[int, ...], int]  # dtype, shape, where the array's bytes begin


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
        for name, array in _plain_arrays(arrays):
            member = zipfile.ZipInfo(f"{name}.npy", _DATE)
            member.create_system = 3
            member.external_attr = 0o644 << 16
            # the .npy header, version 1.0, written here so that no numpy release changes the bytes of a file
            text = f"{{'descr': {array.dtype.str!r}, 'fortran_order': False, 'shape': {array.shape!r}, }}"
            padded = text.ljust(-(-(len(text) + 11) // 64) * 64 - 11) + "\n"
            header = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(padded)) + padded.encode("ascii")
            archive.writestr(member, header + array.tobytes())
    return packed.getbuffer()


def parse_arrays(data: bytes, expected: Expected | None = None, *, source: str) -> dict[str, Array]:
    """The arrays in the bytes of a file by name, sorted; `source` names the file in messages.

    `expected` gives the exact set of names with dtype and shape. Raises RunError naming every array that is damaged,
    missing, not expected or of another dtype or shape.
    """
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except _ZIP_DAMAGE as err:
        reason = f"is not an .npz file or is cut off: {err}"
        raise RunError(messages.DAMAGED_ARRAYS(source=source, reason=reason, where=source)) from err
    with archive:
        members = _members(archive, data, source)
        wanted = {} if expected is None else expected
        if expected is not None:
            lacking, added = sorted(wanted.keys() - members.keys()), sorted(members.keys() - wanted.keys())
            problems = [messages.ARRAY_LACKS(source=source, name=name, where=source) for name in lacking]
            problems += [messages.ARRAY_UNEXPECTED(source=source, name=name, where=source) for name in added]
            raise_problems(problems, RunError)
        headers = {name: _read_header(archive, info, source, name) for name, info in members.items()}
        problems = []
        for name, (dtype, shape) in wanted.items():
            its_dtype, its_shape, _ = headers[name]
            if (its_dtype, its_shape) != (np.dtype(dtype).newbyteorder("<"), tuple(shape)):
                problem = messages.ARRAY_DIFFERS(
                    name=name,
                    source=source,
                    dtype=its_dtype.name,
                    shape=its_shape,
                    wanted_dtype=np.dtype(dtype).newbyteorder("<").name,
                    wanted_shape=tuple(shape),
                    where=source,
                )
                problems.append(problem)
        raise_problems(problems, RunError)
        arrays = {}
        for name in sorted(members):
            its_dtype, its_shape, start = headers[name]
            try:
                content = archive.read(members[name])  # compares the CRC
                arrays[name] = np.ndarray(its_shape, its_dtype, buffer=content, offset=start).copy()
            except (*_ZIP_DAMAGE, TypeError) as err:
                raise RunError(_damage(source, name, f"is damaged: {err}")) from err
        return arrays


def arrays_digest(arrays: Mapping[str, Array]) -> str:
    """The sha256 of arrays as values, in hexadecimal: equal arrays have equal digests on every machine.

    Hashed, in order of names: name, dtype as in "<f4" and shape as in "3,4", each ended by a zero byte, then the
    little-endian bytes in C order. Raises as `write_arrays`.
    """
    digest = hashlib.sha256()
    for name, array in _plain_arrays(arrays):
        shape = ",".join(str(size) for size in array.shape)
        digest.update(f"{name}\0{array.dtype.str}\0{shape}\0".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def _plain_arrays(arrays: Mapping[str, Array]) -> Iterator[tuple[str, Array]]:
    """The arrays by name, little-endian. Raises as `pack_arrays`."""
    for name in arrays:
        if not _is_plain_name(name):
            raise ValueError(f"an array's name must be a relative path without `..`, NUL and `\\`; got {name!r}")
    for name in sorted(arrays):
        array = arrays[name]
        if not isinstance(array, np.ndarray) or isinstance(array, np.ma.MaskedArray):
            raise TypeError(f"array {name!r} must be a plain numpy array; got {type(array).__name__}")
        if not _is_plain_dtype(array.dtype):
            raise TypeError(f"array {name!r} must hold numbers, booleans, times or fixed-width text; got {array.dtype}")
        yield name, np.asarray(array, dtype=array.dtype.newbyteorder("<"))


def _is_plain_name(name: str) -> bool:
    encodable = name.encode("utf-8", "replace").decode() == name
    return encodable and not set(name) & {"\0", "\\"} and not {"", ".", ".."} & set(name.split("/"))


def _is_plain_dtype(dtype: np.dtype[Any]) -> bool:
    return dtype.kind in _KINDS and dtype.char not in "gG" and dtype.itemsize > 0  # long double differs by machine


def _members(archive: zipfile.ZipFile, data: bytes, source: str) -> dict[str, zipfile.ZipInfo]:
    """The members by array name, each checked to be stored as it is.

    They must fill the file without gap or overlap: none is hidden, and together they are no larger than it.
    """
    members: dict[str, zipfile.ZipInfo] = {}
    problems = []
    for info in archive.infolist():
        name = info.filename.removesuffix(".npy")
        if name == info.filename or not _is_plain_name(name):
            reason = f"has the member `{info.filename}`, which is no array"
            problems.append(messages.DAMAGED_ARRAYS(source=source, reason=reason, where=source))
        elif name in members:
            problems.append(_damage(source, name, "is in the file twice"))
        elif info.compress_type != zipfile.ZIP_STORED or info.compress_size != info.file_size or info.flag_bits & 1:
            problems.append(_damage(source, name, "is compressed or encrypted; bptrain writes plain members only"))
        members[name] = info
    raise_problems(problems, RunError)
    end = 0
    for info in sorted(archive.infolist(), key=lambda one: one.header_offset):
        if info.header_offset != end or end + 30 > len(data):
            break
        name_bytes, extra_bytes = struct.unpack_from("<HH", data, end + 26)
        end += 30 + name_bytes + extra_bytes + info.compress_size
    if end != archive.start_dir:
        reason = "has gaps or overlaps between its arrays"
        raise RunError(messages.DAMAGED_ARRAYS(source=source, reason=reason, where=source))
    return members


def _read_header(archive: zipfile.ZipFile, info: zipfile.ZipInfo, source: str, name: str) -> _Header:
    try:
        with archive.open(info) as member:
            version = np.lib.format.read_magic(member)
            if version != (1, 0):
                raise ValueError(f"its .npy version is {version}, expected (1, 0)")
            shape, fortran_order, dtype = np.lib.format.read_array_header_1_0(member)
            start = member.tell()
    except (*_ZIP_DAMAGE, TypeError, SyntaxError) as err:
        raise RunError(_damage(source, name, f"has a damaged header: {err}")) from err
    if fortran_order or not _is_plain_dtype(dtype) or dtype != dtype.newbyteorder("<"):
        raise RunError(_damage(source, name, f"is not a plain little-endian C-order array (dtype {dtype})"))
    if any(size < 0 for size in shape) or start + math.prod(shape) * dtype.itemsize != info.file_size:
        reason = f"has {info.file_size - start:,} bytes, which is not dtype {dtype.name} and shape {shape}"
        raise RunError(_damage(source, name, reason))
    return dtype, shape, start


def _damage(source: str, name: str, reason: str) -> Problem:
    return messages.DAMAGED_ARRAY(source=source, name=name, reason=reason, where=source)
