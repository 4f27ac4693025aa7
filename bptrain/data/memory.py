"""Memory maps: arrays and tables of many rows in files without names, of which nothing is left behind."""

from __future__ import annotations

import mmap
import tempfile
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from itertools import chain
from math import prod
from pathlib import Path

import numpy as np
import pyarrow as pa

from bptrain.runs import platform
from bptrain.runs.storage import disk_errors

Allocate = Callable[[tuple[int, ...], str], np.ndarray]
ALIGNMENT = 64  # TensorFlow and JAX copy arrays that do not begin at a multiple of so many bytes
LARGE_BYTES = 2**20


def in_memory(shape: tuple[int, ...], dtype: str) -> np.ndarray:
    """An array whose elements are still to be written; it begins where TensorFlow can share it."""
    n_bytes = prod(shape) * np.dtype(dtype).itemsize
    buffer = np.empty(n_bytes + ALIGNMENT, np.uint8)
    start = -buffer.ctypes.data % ALIGNMENT
    return np.frombuffer(buffer[start : start + n_bytes], dtype).reshape(shape)


def memory_mapped(folder: Path) -> Allocate:
    """Allocates arrays on the disk of `folder`, reserved at once; StorageError when it is full."""

    def allocate(shape: tuple[int, ...], dtype: str) -> np.ndarray:
        n_bytes = prod(shape) * np.dtype(dtype).itemsize
        if n_bytes < LARGE_BYTES:
            return np.empty(shape, dtype)
        with disk_errors(folder, need=n_bytes), tempfile.TemporaryFile(dir=folder) as file:
            platform.reserve(file.fileno(), n_bytes)
            return np.frombuffer(mmap.mmap(file.fileno(), n_bytes), dtype).reshape(shape)

    return allocate


def copy_into(array: np.ndarray, allocate: Allocate) -> np.ndarray:
    """A copy of an array in what `allocate` makes."""
    copy = allocate(array.shape, array.dtype.str)
    copy[...] = array
    return copy


def memory_map_table(tables: Iterable[pa.Table], folder: Path) -> pa.Table:
    """The rows of `tables`, which have one schema, in a file on the disk of `folder`; none for no tables.

    Raises StorageError when the disk is full.
    """
    rest = iter(tables)
    first = next(rest, None)
    if first is None:
        return pa.table({})
    with ExitStack() as stack:
        with disk_errors(folder):
            file = stack.enter_context(tempfile.TemporaryFile(dir=folder))
            writer = stack.enter_context(pa.ipc.new_file(file, first.schema))
        for table in chain([first], rest):  # whose making may meet errors of another disk
            with disk_errors(folder):
                writer.write_table(table)
        with disk_errors(folder):
            writer.close()
            file.flush()
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    return pa.ipc.open_file(pa.BufferReader(pa.py_buffer(mapped))).read_all()
