"""pandas frames: cells are read as they would be from a Parquet file of the frame."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pyarrow as pa

from bptrain.data.chunks import with_missing
from bptrain.data.readers.header import name_problems
from bptrain.data.readers.parquet import as_read, read_schema
from bptrain.data.values import unread
from bptrain.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

WHERE = "the data frame"


def from_pandas(frame: pd.DataFrame, *, na_values: Sequence[str]) -> pa.Table:
    """The columns of a frame without its index; text that equals one of `na_values` is missing.

    A column that mixes text with other values becomes text; of one whose values are no cells only the name is kept.
    DataError: names (BP215-BP220), a NUL character (BP212).
    """
    arrays = [_cells(frame.iloc[:, position]) for position in range(frame.shape[1])]
    batch = pa.RecordBatch.from_arrays(arrays, names=[str(name) for name in frame.columns])
    schema = read_schema(batch.schema)
    problems = name_problems(schema.names, where=WHERE)
    if problems:
        raise DataError(*problems)
    return pa.Table.from_batches([with_missing(as_read(batch, schema), na_values, where=WHERE)])


def _cells(column: pd.Series) -> pa.Array:
    try:
        cells = pa.array(column, from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError):  # an object column of several types
        cells = pa.array(column.map(str, na_action="ignore"), pa.string(), from_pandas=True)
    except pa.ArrowNotImplementedError:  # a type that Arrow does not have, such as complex numbers
        cells = unread(str(column.dtype), len(column))
    return cells.combine_chunks() if isinstance(cells, pa.ChunkedArray) else cells
