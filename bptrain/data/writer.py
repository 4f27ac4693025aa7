"""Tables written in chunks, to a file that appears when it is complete."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pyarrow as pa

from bptrain.data.readers.format import Format, Sink
from bptrain.data.readers.formats import FORMATS
from bptrain.errors import UsageError
from bptrain.messages import data as messages
from bptrain.runs.storage import TEMPORARY_PREFIX, disk_errors


class Writer:
    """Writes tables of one schema after each other, to a file in a format that begins with the first of them."""

    def __init__(self, format: Format, path: Path) -> None:
        self._format, self._path = format, path
        self._sink: Sink | None = None

    def write(self, table: pa.Table) -> None:
        """Append the rows of `table`."""
        if self._sink is None:
            self._sink = self._format.sink(str(self._path), table.schema)
        self._sink.write_table(table)

    def close(self) -> None:
        """Finish the file."""
        sink, self._sink = self._sink, None
        if sink is not None:
            sink.close()


def require_free(path: Path, *, overwrite: bool) -> None:
    """Raise UsageError when no file can be made there: its folder is missing, or it exists (unless `overwrite`)."""
    if not path.parent.is_dir():
        raise UsageError(messages.NO_OUTPUT_FOLDER(folder=path.parent))
    if path.exists() and not overwrite:
        raise UsageError(messages.OUTPUT_EXISTS(path=path))


@contextmanager
def open_writer(path: Path, *, overwrite: bool) -> Iterator[Writer]:
    """A writer for the format that the name ends with; the file is renamed into place when the block ends well.

    Raises UsageError for an unknown ending or an existing file (unless `overwrite`), StorageError when the disk fails.
    """
    formats = {format.output_suffix: format for format in FORMATS.values() if format.output_suffix is not None}
    if path.suffix not in formats:
        raise UsageError(messages.UNKNOWN_ENDING(name=path.name, endings=", ".join(formats)))
    require_free(path, overwrite=overwrite)
    partial = path.with_name(f"{TEMPORARY_PREFIX}{secrets.token_hex(8)}")
    writer = Writer(formats[path.suffix], partial)
    try:
        with disk_errors(path):
            yield writer
            writer.close()
            partial.replace(path)
    finally:
        with suppress(OSError, pa.ArrowException):  # the error that ended the block is the one to show
            writer.close()
        partial.unlink(missing_ok=True)
