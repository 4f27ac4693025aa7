"""Data files to tables: one entry for all formats, whole or in chunks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import pyarrow as pa

from bptrain.data.chunks import Warn, ignore
from bptrain.data.files import DataFile, size
from bptrain.data.options import DataOptions
from bptrain.data.readers.csv import csv_names, read_csv, stream_csv
from bptrain.data.readers.jsonl import jsonl_schema, read_jsonl, stream_jsonl
from bptrain.data.readers.parquet import parquet_schema, read_parquet, stream_parquet
from bptrain.data.spool import CHUNK_ROWS, SPOOLED_BYTES
from bptrain.errors import DataError, Problem
from bptrain.utils.text import escape, nearest, quote_list

Result = TypeVar("Result")
Store = Callable[[Iterator[pa.Table]], pa.Table]
_SUFFIXES = {".csv": "csv", ".tsv": "tsv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet"}


def read_table(files: Sequence[DataFile], options: DataOptions, *, warn: Warn = ignore) -> pa.Table:
    """The rows of all files in the given order; columns in the order of the first file.

    CSV and TSV columns are all text; other formats keep their types, of which numbers are widened where files differ.
    DataError with the problems of all files: BP205-BP229. `warn` is called with each warning.
    """
    return concatenated(files, read_tables(files, options, warn=warn))


def read_tables(
    files: Sequence[DataFile], options: DataOptions, *, warn: Warn = ignore, store: Store | None = None
) -> list[pa.Table]:
    """The rows of each file, columns in the order of the first; raises as `read_table`.

    Large files are read in chunks, of which `store` makes a table; without it they are read whole as others are.
    """
    if len(files) > 1:
        common_names(files, options)

    def read(file: DataFile) -> pa.Table:
        if store is None or size(file) < SPOOLED_BYTES:
            return _read(file, options, warn)
        return store(stream_table(file, options, chunk_rows=CHUNK_ROWS, warn=warn))

    tables = _for_each(files, read)
    empty = [file for file, table in zip(files, tables, strict=True) if not table.num_rows]
    if empty:
        raise DataError(*(_no_rows(file) for file in empty))
    return [table.select(tables[0].column_names) for table in tables]


def common_names(files: Sequence[DataFile], options: DataOptions) -> list[str]:
    """The names of the columns, ordered as in the first file. DataError (BP228) for files that have others."""
    names = _for_each(files, lambda file: column_names(file, options))
    _require_same_names(files, names)
    return names[0]


def concatenated(files: Sequence[DataFile], tables: Sequence[pa.Table]) -> pa.Table:
    """One table of what `read_tables` gave. DataError (BP226) for columns whose types do not go together."""
    try:
        return pa.concat_tables(tables, promote_options="permissive")
    except (pa.ArrowTypeError, pa.ArrowInvalid) as err:
        raise DataError(*_type_problems(files, tables)) from err


def first_row(file: DataFile, options: DataOptions) -> int:
    """The number of a file's first row of cells as an editor shows it: 2 below a header, else 1."""
    return 2 if options.header and format_of(file, options) in ("csv", "tsv") else 1


def stream_table(file: DataFile, options: DataOptions, *, chunk_rows: int, warn: Warn = ignore) -> Iterator[pa.Table]:
    """The table that `read_table` gives for this file, in chunks of exactly `chunk_rows` rows, the last one shorter.

    Memory is bounded by the chunk and a few blocks of the file. A file without rows has no chunks. Problems are raised
    where they are met, so chunks before them may have been given out.
    """
    kind = format_of(file, options)
    if kind == "parquet":
        return stream_parquet(file, options, n_rows=chunk_rows, warn=warn)
    if kind == "jsonl":
        return stream_jsonl(file, options, n_rows=chunk_rows, warn=warn)
    return stream_csv(file, options, delimiter=_delimiter(kind, options), n_rows=chunk_rows, warn=warn)


def column_names(file: DataFile, options: DataOptions) -> list[str]:
    """The names of the columns, from the head of the file (JSON lines: from all of it)."""
    kind = format_of(file, options)
    if kind == "parquet":
        return list(parquet_schema(file).names)
    if kind == "jsonl":
        return list(jsonl_schema(file, options).names)
    return csv_names(file, options, delimiter=_delimiter(kind, options))


def format_of(file: DataFile, options: DataOptions) -> str:
    """csv, tsv, jsonl or parquet: `data.format`, else by the file's name. DataError (BP208) when that says nothing."""
    if options.format != "auto":
        return options.format
    kind = format_by_name(file)
    if kind is not None:
        return kind
    message = f"the format is not clear from the name '{escape(file.name)}'"
    hints = (f"set `data.format`, or let the name end in {', '.join(_SUFFIXES)}",)
    raise DataError(Problem("BP208", message, hints=hints))


def format_by_name(file: DataFile) -> str | None:
    """The format that the end of a file's name tells, or None."""
    name = file.name.lower().removesuffix(".gz")
    return next((kind for suffix, kind in _SUFFIXES.items() if name.endswith(suffix)), None)


def _read(file: DataFile, options: DataOptions, warn: Warn) -> pa.Table:
    kind = format_of(file, options)
    if kind == "parquet":
        return read_parquet(file, options, warn=warn)
    if kind == "jsonl":
        return read_jsonl(file, options, warn=warn)
    return read_csv(file, options, delimiter=_delimiter(kind, options), warn=warn)


def _delimiter(kind: str, options: DataOptions) -> str:
    return options.delimiter or ("\t" if kind == "tsv" else ",")


def _for_each(files: Sequence[DataFile], function: Callable[[DataFile], Result]) -> list[Result]:
    """The results for all files, or one error with the problems of all."""
    results: list[Result] = []
    problems: list[Problem] = []
    for file in files:
        try:
            results.append(function(file))
        except DataError as err:
            problems += err.problems
    if problems:
        raise DataError(*problems)
    return results


def _require_same_names(files: Sequence[DataFile], names: Sequence[Sequence[str]]) -> None:
    problems = []
    for file, others in zip(files[1:], names[1:], strict=True):
        lacking = [name for name in names[0] if name not in set(others)]
        added = [name for name in others if name not in set(names[0])]
        if lacking or added:
            problems.append(_other_names(files[0], file, lacking, added))
    if problems:
        raise DataError(*problems)


def _other_names(first: DataFile, file: DataFile, lacking: list[str], added: list[str]) -> Problem:
    parts = [f"lacks {quote_list(lacking, last='and', limit=5)}"] if lacking else []
    parts += [f"has also {quote_list(added, last='and', limit=5)}"] if added else []
    hints = [
        f"is `{escape(name)}` meant to be {quote_list(near)}?" for name in added[:3] if (near := nearest(name, lacking))
    ]
    message = f"its columns are not those of {escape(first.name)}: it {' and '.join(parts)}"
    hints.append("files of one table need the same column names, in any order")
    return Problem("BP228", message, escape(file.name), hints=tuple(hints))


def _type_problems(files: Sequence[DataFile], tables: Sequence[pa.Table]) -> list[Problem]:
    problems = []
    for name in tables[0].column_names:
        types = {str(table.schema.field(name).type): file for file, table in zip(files, tables, strict=True)}
        if len(types) > 1:
            shown = ", ".join(f"{kind} in {escape(file.name)}" for kind, file in types.items())
            hints = ("write the column with one type in all files",)
            problems.append(Problem("BP226", f"column {quote_list([name])} has several types: {shown}", hints=hints))
    return problems


def _no_rows(file: DataFile) -> Problem:
    hints = ("name a file that holds rows",)
    return Problem("BP210", "the file has columns but no rows", escape(file.name), hints=hints)
