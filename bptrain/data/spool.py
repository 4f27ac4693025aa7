"""Tables kept in files that memory maps, so that they take no memory of their own; the files have no names."""

from __future__ import annotations

import mmap
import tempfile
from collections.abc import Iterable
from contextlib import ExitStack
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
