"""Parquet: typed columns; dictionary-encoded ones are decoded, of nested ones only the names are kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import pyarrow as pa
from pyarrow import parquet

from bptrain.data.files import DataFile, open_data
from bptrain.data.frame import unread, unread_type
from bptrain.data.options import DataOptions
from bptrain.data.readers.format import Format, Sink, check_names, foreign_format, set_missing
from bptrain.errors import DataError, Warn
from bptrain.messages import data as messages

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


class ParquetFormat(Format):
    """Files of the Apache Parquet format; numbers, text, true/false, dates and times are read."""

    name = "parquet"
    suffixes = (".parquet",)
    output_suffix = ".parquet"
    mark = b"PAR1"

    @contextmanager
    def open(
        self, file: DataFile, options: DataOptions, warn: Warn
    ) -> Iterator[tuple[pa.Schema, Iterable[pa.RecordBatch]]]:
        if file.is_gzip:
            raise DataError(messages.GZIPPED_PARQUET(where=file.name))
        with open_data(file) as stream:
            try:
                head = stream.read(262)
                if not head:
                    raise DataError(messages.EMPTY_FILE(where=file.name))
                if not head.startswith(self.mark):
                    other = foreign_format(head) or "something else, perhaps a text file"
                    raise DataError(messages.NOT_PARQUET(format=other, where=file.name))
                with parquet.ParquetFile(
                    pa.PythonFile(stream, mode="r"),
                    pre_buffer=False,
                    buffer_size=2**20,
                    page_checksum_verification=True,
                ) as opened:
                    schema = schema_as_read(opened.schema_arrow)
                    check_names(schema.names, file.name, warn)
                    yield schema, self._batches(opened, schema, file, options)
            except (pa.ArrowException, OSError, UnicodeDecodeError) as err:  # column names may be damaged, too
                raise DataError(messages.DAMAGED_PARQUET(reason=err, where=file.name)) from err

    def sink(self, path: str, schema: pa.Schema) -> Sink:
        writer: Sink = parquet.ParquetWriter(path, schema, compression="zstd")
        return writer

    def _batches(
        self, opened: parquet.ParquetFile, schema: pa.Schema, file: DataFile, options: DataOptions
    ) -> Iterator[pa.RecordBatch]:
        flat = [field.name for field in schema if not pa.types.is_struct(field.type)]
        for batch in opened.iter_batches(BATCH_ROWS, columns=flat):
            batch.validate(full=True)  # text that is no UTF-8 would go unnoticed
            yield set_missing(cells_as_read(batch, schema), options.na_values, where=file.name)


def schema_as_read(schema: pa.Schema) -> pa.Schema:
    """The types that cells are read as: dictionaries are decoded, text has one type, and nested ones have stand-ins."""
    fields = []
    for field in schema:
        kind = field.type
        while pa.types.is_dictionary(kind):
            kind = kind.value_type
        if not any(is_type(kind) for is_type in _FLAT_TYPES):
            kind = unread_type(kind)
        elif pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
            kind = pa.string()
        fields.append(pa.field(field.name, kind))
    return pa.schema(fields)


def cells_as_read(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """The columns of `schema_as_read`; those of types that are not read need not be in `batch`."""
    columns = [
        unread(field.type.field(0).name, batch.num_rows)
        if pa.types.is_struct(field.type)
        else batch.column(batch.schema.get_field_index(field.name)).cast(field.type)
        for field in schema
    ]
    return pa.RecordBatch.from_arrays(columns, schema=schema)
