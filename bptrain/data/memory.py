"""Room for arrays of many rows: in memory, or in files without names that memory maps."""

from __future__ import annotations

import mmap
import tempfile
from collections.abc import Callable
from math import prod
from pathlib import Path

import numpy as np

from bptrain.runs import platform
from bptrain.runs.storage import disk_errors

Allocate = Callable[[tuple[int, ...], str], np.ndarray]
ALIGNMENT = 64  # TensorFlow and JAX copy arrays that do not begin at a multiple of so many bytes
LARGE_BYTES = 2**20


def in_memory(shape: tuple[int, ...], dtype: str) -> np.ndarray:
    """An array whose elements are still to be written; it begins where TensorFlow can share it."""
    n_bytes = prod(shape) * np.dtype(dtype).itemsize
    room = np.empty(n_bytes + ALIGNMENT, np.uint8)
    start = -room.ctypes.data % ALIGNMENT
    return _viewed(room[start : start + n_bytes], shape, dtype)


def in_files(folder: Path) -> Allocate:
    """Room on the disk of `folder`, reserved at once; StorageError when it is full. Nothing stays of the files."""

    def allocate(shape: tuple[int, ...], dtype: str) -> np.ndarray:
        n_bytes = prod(shape) * np.dtype(dtype).itemsize
        if n_bytes < LARGE_BYTES:
            return np.empty(shape, dtype)
        with disk_errors(folder, need=n_bytes), tempfile.TemporaryFile(dir=folder) as file:
            platform.reserve(file.fileno(), n_bytes)
            return _viewed(mmap.mmap(file.fileno(), n_bytes), shape, dtype)

    return allocate


def moved(array: np.ndarray, allocate: Allocate) -> np.ndarray:
    """A copy in room that `allocate` makes."""
    room = allocate(array.shape, array.dtype.str)
    room[...] = array
    return room


def _viewed(room: mmap.mmap | np.ndarray, shape: tuple[int, ...], dtype: str) -> np.ndarray:
    return np.frombuffer(room, dtype).reshape(shape)
