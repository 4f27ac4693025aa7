"""Tables written in chunks, to a file that appears when it is complete."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from bptrain.errors import Problem, UsageError
from bptrain.runs.storage import TEMPORARY_PREFIX, disk_errors
from bptrain.utils.text import escape


class Writer:
    """Writes tables of one schema after each other."""

    def __init__(self, open_sink: Callable[[pa.Schema], Any]) -> None:
        self._open_sink = open_sink
        self._sink: Any = None

    def write(self, table: pa.Table) -> None:
        """Append the rows of `table`."""
        if self._sink is None:
            self._sink = self._open_sink(table.schema)
        self._sink.write_table(table)

    def close(self) -> None:
        """Finish the file."""
        sink, self._sink = self._sink, None
        if sink is not None:
            sink.close()


class _JsonLines:
    def __init__(self, path: str) -> None:
        self._file = open(path, "w", encoding="utf-8")  # noqa: SIM115, PTH123 — closed by close()

    def write_table(self, table: pa.Table) -> None:
        self._file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in table.to_pylist())

    def close(self) -> None:
        self._file.close()


SINKS: dict[str, Callable[[str, pa.Schema], Any]] = {
    ".csv": pacsv.CSVWriter,
    ".parquet": lambda path, schema: pq.ParquetWriter(path, schema, compression="zstd"),
    ".jsonl": lambda path, schema: _JsonLines(path),
}


def require_free(path: Path, *, overwrite: bool) -> None:
    """Raise UsageError when no file can be made there: its folder is missing, or it exists (unless `overwrite`)."""
    if not path.parent.is_dir():
        folder = escape(str(path.parent))
        raise UsageError(
            Problem(
                "BP160", f"there is no folder `{folder}` for the output", hints=(f"make it first: mkdir -p {folder}",)
            )
        )
    if path.exists() and not overwrite:
        raise UsageError(
            Problem("BP158", f"`{escape(str(path))}` exists already", hints=("choose another name, or add `--force`",))
        )


@contextmanager
def open_writer(path: Path, *, overwrite: bool) -> Iterator[Writer]:
    """A writer for the format that the name ends with; the file is renamed into place when the block ends well.

    Raises UsageError for an unknown ending or an existing file (unless `overwrite`), StorageError when the disk fails.
    """
    if path.suffix not in SINKS:
        endings = ", ".join(SINKS)
        raise UsageError(
            Problem(
                "BP157", f"`{escape(path.name)}` has no ending that says its format", hints=(f"use one of {endings}",)
            )
        )
    require_free(path, overwrite=overwrite)
    partial = path.with_name(f"{TEMPORARY_PREFIX}{secrets.token_hex(8)}")
    writer = Writer(lambda schema: SINKS[path.suffix](str(partial), schema))
    try:
        with disk_errors(path):
            yield writer
            writer.close()
            partial.replace(path)
    finally:
        with suppress(OSError, pa.ArrowException):  # the error that ended the block is the one to show
            writer.close()
        partial.unlink(missing_ok=True)
