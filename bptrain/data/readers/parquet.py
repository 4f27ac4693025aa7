"""Parquet: typed columns; dictionary-encoded ones are decoded, of nested ones only the names are kept."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa
from pyarrow import parquet

from bptrain.data.chunks import Warn, exact_chunks, ignore, with_missing
from bptrain.data.files import DataFile, is_gzip, open_data
from bptrain.data.options import DataOptions
from bptrain.data.readers.encoding import foreign_format
from bptrain.data.readers.header import name_problems, name_warnings
from bptrain.data.values import unread, unread_type
from bptrain.errors import DataError, Problem
from bptrain.utils.text import escape

BATCH_ROWS = 2**16
_FLAT_TYPES = (
    pa.types.is_null,
    pa.types.is_boolean,
    pa.types.is_integer,
    pa.types.is_floating,
    pa.types.is_decimal,
    pa.types.is_string,
    pa.types.is_large_string,
    pa.types.is_string_view,
    pa.types.is_date,
    pa.types.is_timestamp,
    pa.types.is_time,
)


def parquet_schema(file: DataFile, *, warn: Warn = ignore) -> pa.Schema:
    """Names and types as they are read. DataError: damaged (BP227), names (BP215-BP220)."""
    with _opened(file) as opened:
        return _schema(opened, file, warn)


def read_parquet(file: DataFile, options: DataOptions, *, warn: Warn = ignore) -> pa.Table:
    """The whole table."""
    with _opened(file) as opened:
        schema = _schema(opened, file, warn)
        return pa.Table.from_batches(_batches(opened, schema, file, options), schema)


def stream_parquet(file: DataFile, options: DataOptions, *, n_rows: int, warn: Warn = ignore) -> Iterator[pa.Table]:
    """The same table in chunks of `n_rows` rows."""
    with _opened(file) as opened:
        schema = _schema(opened, file, warn)
        yield from exact_chunks(_batches(opened, schema, file, options), n_rows=n_rows)


def read_schema(schema: pa.Schema) -> pa.Schema:
    """The types that cells are read as: dictionaries are decoded, text has one type, and nested ones have stand-ins."""
    return pa.schema([pa.field(f.name, _read_type(f.type)) for f in schema])


def as_read(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """The columns of `schema` (from `read_schema`); those of types that are not read need not be in `batch`."""
    columns = [
        unread(field.type.field(0).name, batch.num_rows)
        if pa.types.is_struct(field.type)
        else batch.column(batch.schema.get_field_index(field.name)).cast(field.type)
        for field in schema
    ]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


@contextmanager
def _opened(file: DataFile) -> Iterator[parquet.ParquetFile]:
    if is_gzip(file):
        message = "Parquet files are compressed inside; they are not read from .gz"
        raise DataError(Problem("BP208", message, escape(file.name), hints=("decompress the file with gunzip",)))
    with open_data(file) as stream, _damage_explained(file):
        head = stream.read(262)
        if not head.startswith(b"PAR1"):
            raise _not_parquet(head, file)
        with parquet.ParquetFile(
            pa.PythonFile(stream, mode="r"), pre_buffer=False, buffer_size=2**20, page_checksum_verification=True
        ) as opened:
            yield opened


@contextmanager
def _damage_explained(file: DataFile) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, OSError, UnicodeDecodeError) as err:  # column names may be damaged, too
        message = f"the Parquet file is damaged or incomplete: {escape(str(err))}"
        hints = ("copy or write the file again",)
        raise DataError(Problem("BP227", message, escape(file.name), hints=hints)) from err


def _not_parquet(head: bytes, file: DataFile) -> DataError:
    if not head:
        problem = Problem("BP210", "the file is empty", escape(file.name), hints=("name a file that holds a table",))
        return DataError(problem)
    name = foreign_format(head) or "something else, perhaps a text file"
    message = f"the file should be Parquet by its name or `data.format`, but it is {name}"
    hints = ("set `data.format` or rename the file",)
    return DataError(Problem("BP208", message, escape(file.name), hints=hints))


def _schema(opened: parquet.ParquetFile, file: DataFile, warn: Warn) -> pa.Schema:
    schema = read_schema(opened.schema_arrow)
    where = escape(file.name)
    problems = name_problems(schema.names, where=where)
    if problems:
        raise DataError(*problems)
    for warning in name_warnings(schema.names, where=where):
        warn(warning)
    return schema


def _read_type(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_dictionary(kind):
        return _read_type(kind.value_type)
    if not any(is_type(kind) for is_type in _FLAT_TYPES):
        return unread_type(kind)
    return pa.string() if pa.types.is_large_string(kind) or pa.types.is_string_view(kind) else kind


def _batches(
    opened: parquet.ParquetFile, schema: pa.Schema, file: DataFile, options: DataOptions
) -> Iterator[pa.RecordBatch]:
    flat = [field.name for field in schema if not pa.types.is_struct(field.type)]
    for batch in opened.iter_batches(BATCH_ROWS, columns=flat):
        batch.validate(full=True)  # text that is no UTF-8 would go unnoticed
        yield with_missing(as_read(batch, schema), options.na_values, where=file.name)
