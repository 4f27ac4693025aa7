"""pandas frames: cells are read as they would be from a Parquet file of the frame."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pyarrow as pa

from bptrain.errors import DataError, Problem
from bptrain.table.chunks import with_missing
from bptrain.table.parquet import read_schema, schema_problems
from bptrain.text import escape

if TYPE_CHECKING:
    import pandas as pd

WHERE = "the data frame"


def from_pandas(frame: pd.DataFrame, *, na_values: Sequence[str]) -> pa.Table:
    """The columns of a frame without its index; text that equals one of `na_values` is missing.

    A column that mixes text with other values becomes text. DataError: names (BP215-BP220), values that are no cells
    (BP225), a NUL character (BP212).
    """
    arrays = [_cells(frame.iloc[:, position]) for position in range(frame.shape[1])]
    batch = pa.RecordBatch.from_arrays(arrays, names=[str(name) for name in frame.columns])
    schema = read_schema(batch.schema)
    problems = schema_problems(schema, where=WHERE)
    if problems:
        raise DataError(*problems)
    return pa.Table.from_batches([with_missing(batch.cast(schema), na_values, where=WHERE)])


def _cells(column: pd.Series) -> pa.Array:
    try:
        cells = pa.array(column, from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError):  # an object column of several types
        cells = pa.array(column.map(str, na_action="ignore"), pa.string(), from_pandas=True)
    except pa.ArrowNotImplementedError as err:
        message = f"columns hold values that are not read: `{escape(str(column.name))}` ({column.dtype})"
        hints = ("give numbers, text, true/false or dates: one column per value",)
        raise DataError(Problem("BP225", message, WHERE, hints=hints)) from err
    return cells.combine_chunks() if isinstance(cells, pa.ChunkedArray) else cells
