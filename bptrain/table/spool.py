"""Tables kept in files that memory maps, so that they take no memory of their own; the files have no names."""

from __future__ import annotations

import mmap
import tempfile
from collections.abc import Iterable
from itertools import chain
from pathlib import Path

import pyarrow as pa

from bptrain.runs.storage import disk_errors

SPOOLED_BYTES = 32 * 2**20  # files from this size on are read so
CHUNK_ROWS = 2**17


def spooled(tables: Iterable[pa.Table], folder: Path) -> pa.Table:
    """The rows of `tables`, which have one schema, in a file on the disk of `folder`; none for no tables.

    The file has no name, so nothing is left of it when the process ends. Raises StorageError when the disk is full.
    """
    rest = iter(tables)
    first = next(rest, None)
    if first is None:
        return pa.table({})
    with disk_errors(folder), tempfile.TemporaryFile(dir=folder) as file:
        with pa.ipc.new_file(file, first.schema) as writer:
            for table in chain([first], rest):
                writer.write_table(table)
        file.flush()
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    return pa.ipc.open_file(pa.BufferReader(pa.py_buffer(mapped))).read_all()
