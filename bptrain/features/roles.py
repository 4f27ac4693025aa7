"""Columns with a role instead of a kind: how much each row counts, and when it happened."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from bptrain.data.frame import Frame
from bptrain.errors import DataError, UsageError
from bptrain.features.date.kind import DATE, Moments
from bptrain.features.date.options import DateOptions
from bptrain.features.options import ColumnOptions, WeightOptions
from bptrain.messages import features as messages
from bptrain.utils.text import quote_list, yaml_name


def weight_column(options: Mapping[str, ColumnOptions]) -> str | None:
    """The column that holds the weights, or None. Raises UsageError when several have that role."""
    names = [name for name, column in options.items() if isinstance(column, WeightOptions)]
    if len(names) > 1:
        raise UsageError(messages.SEVERAL_WEIGHTS(names=quote_list(names, last="and"), name=names[1]))
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
        missing = frame.is_missing(column)
        n_missing, examples = int((wrong & missing).sum()), frame.examples(column, wrong & ~missing)
        told = f" ({n_missing} of them missing)" if n_missing else ""
        raise DataError(
            messages.UNUSABLE_WEIGHTS(
                name=column,
                n_wrong=int(wrong.sum()),
                n_rows=frame.n_rows,
                examples=f"{told}: {examples}" if examples else told,
                where=frame.where(int(np.flatnonzero(wrong)[0])),
            )
        )
    if frame.n_rows and not values.any():
        raise DataError(messages.NO_WEIGHT(name=column, n_rows=frame.n_rows))
    return values


def timestamps(frame: Frame, name: str, declared: Mapping[str, ColumnOptions]) -> np.ndarray:
    """When each row happened: numbers (n_rows,) float64, larger for later; seconds since 1970-01-01 for dates.

    A declared date is read in its format, another column as numbers or as dates of a format that leaves no doubt.
    Raises DataError for cells that are missing or neither.
    """
    options = declared.get(name)
    values, bad = (None, None) if isinstance(options, DateOptions) else frame.numbers(name)
    if values is None or bad is None or bad.any():
        if not isinstance(options, DateOptions):
            inferred = DATE.infer(frame, name)
            options = DateOptions() if inferred is None else inferred.options
        read = Moments.read(frame, name, options.format)
        values = read.moments[read.positions]
    wrong = ~np.isfinite(values)
    if wrong.any():
        missing = frame.is_missing(name)
        raise DataError(
            messages.NO_TIME(
                name=name,
                n_wrong=int(wrong.sum()),
                n_rows=frame.n_rows,
                examples=frame.examples(name, wrong & ~missing) or f"{int(missing.sum())} are missing",
                column=yaml_name(name),
                where=frame.where(int(np.flatnonzero(wrong)[0])),
            )
        )
    return values
