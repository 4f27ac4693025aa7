"""The column with the role `weight`: how much each row counts, in training and in every metric."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from bptrain.data.frame import Frame
from bptrain.errors import DataError, Problem, UsageError
from bptrain.features.kinds import ColumnOptions
from bptrain.utils.text import escape, quote_list

ROLE = "weight"


def weight_column(options: Mapping[str, ColumnOptions]) -> str | None:
    """The column that holds the weights, or None. Raises UsageError when several have that role."""
    names = [name for name, chosen in options.items() if chosen.kind == ROLE]
    if len(names) > 1:
        message = f"only one column can be the weight of a row; {quote_list(names, last='and')} are declared so"
        hints = ("keep one, and declare the others `ignore` or with a kind",)
        raise UsageError(Problem("BP180", message, hints=hints, key=("columns", names[1])))
    return names[0] if names else None


def row_weights(frame: Frame, column: str | None) -> np.ndarray:
    """The weights (n_rows,) float64 of the rows; ones without a column.

    Raises DataError for cells that are missing, negative or no finite number, and when no row has any weight.
    """
    if column is None:
        return np.broadcast_to(np.float64(1.0), frame.n_rows)
    values, bad = frame.numbers(column)
    wrong = bad | ~np.isfinite(values) | (values < 0)
    if wrong.any():
        raise DataError(_unusable(frame, column, wrong))
    if frame.n_rows and not values.any():
        message = f"column `{escape(column)}` gives each of {frame.n_rows} rows the weight 0"
        raise DataError(Problem("BP306", message, hints=("a weight of 0 leaves a row out: give some rows more",)))
    return values


def _unusable(frame: Frame, column: str, wrong: np.ndarray) -> Problem:
    absent = frame.is_missing(column)
    gaps = f" ({int((wrong & absent).sum())} of them missing)" if (wrong & absent).any() else ""
    shown = frame.examples(column, wrong & ~absent)
    return Problem(
        "BP305",
        f"column `{escape(column)}` holds weights, but {int(wrong.sum())} of {frame.n_rows} cells are no finite "
        f"number >= 0{gaps}" + (f": {shown}" if shown else ""),
        where=frame.where(int(np.flatnonzero(wrong)[0])),
        hints=("correct these cells: 1 counts a row once, 0 leaves it out",),
    )
