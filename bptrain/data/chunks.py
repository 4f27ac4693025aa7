"""What the readers of all formats share: chunks of an exact size, missing values in text, and where warnings go."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bptrain.errors import DataError, Problem
from bptrain.utils.text import escape, quote_list

Warn = Callable[[Problem], None]


def ignore(_: Problem) -> None:
    """The default of `warn`: nobody listens."""


def text_array(texts: Sequence[str]) -> pa.StringArray:
    """Text as an Arrow array. `pa.array` would do, but imports pandas, which takes longer than reading most files."""
    encoded = [text.encode() for text in texts]
    offsets = np.cumsum([0, *map(len, encoded)], dtype=np.int32)
    return pa.StringArray.from_buffers(len(encoded), pa.py_buffer(offsets), pa.py_buffer(b"".join(encoded)))


def exact_chunks(batches: Iterable[pa.RecordBatch], *, n_rows: int) -> Iterator[pa.Table]:
    """The same rows as tables of exactly `n_rows` rows; the last one may be shorter, none is empty."""
    parts: list[pa.RecordBatch] = []
    n_ready = 0
    for batch in batches:
        rest = batch
        while n_ready + rest.num_rows >= n_rows:
            n_taken = n_rows - n_ready
            yield pa.Table.from_batches([*parts, rest.slice(0, n_taken)])
            parts, n_ready, rest = [], 0, rest.slice(n_taken)
        if rest.num_rows:
            parts.append(rest)
            n_ready += rest.num_rows
    if parts:
        yield pa.Table.from_batches(parts)


def with_missing(batch: pa.RecordBatch, na_values: Sequence[str], *, where: str) -> pa.RecordBatch:
    """Cells of text columns that equal one of `na_values` become null. DataError (BP212): a cell holds NUL."""
    columns = []
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        if pa.types.is_string(column.type):
            if pc.any(pc.match_substring(column, "\0")).as_py():
                message = f"column {quote_list([name])} holds a NUL character"
                raise DataError(Problem("BP212", message, escape(where), hints=("remove it from the data",)))
            missing = pc.is_in(column, value_set=text_array(na_values), skip_nulls=True)
            if pc.any(missing).as_py():
                column = pc.if_else(missing, pa.nulls(len(column), pa.string()), column)
        columns.append(column)
    return pa.RecordBatch.from_arrays(columns, schema=batch.schema)
