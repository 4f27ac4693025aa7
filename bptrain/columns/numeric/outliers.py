"""Impossible values and outliers of numeric columns: bounds learned on training rows, and rows not to train on."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from bptrain.columns.numeric.cells import read_cells
from bptrain.columns.numeric.options import NumericOptions
from bptrain.table.frame import Frame

DEFAULT_LIMITS = {"quantile": 0.005, "zscore": 4.0}
Refused = dict[tuple[str, str], np.ndarray]  # (what is wrong, column) → mask (n_rows,)


def refused_rows(frame: Frame, options: Mapping[str, NumericOptions]) -> Refused:
    """The training rows in `frame` that the options leave out of training, by reason and column.

    Outliers are judged by bounds of all rows in `frame` whose cell is a possible number.
    """
    refused: Refused = {}
    for name, each in options.items():
        if each.outliers != "drop" and (each.range is None or each.out_of_range != "drop"):
            continue
        cells = read_cells(frame, name, each)
        if each.out_of_range == "drop":
            refused["out of range", name] = cells.out_of_range
        if each.outliers == "drop":
            low, high = learn_bounds(cells.values, each)
            refused["outlier", name] = (cells.values < low) | (cells.values > high)
    return {key: mask for key, mask in refused.items() if mask.any()}


def learn_bounds(values: np.ndarray, options: NumericOptions) -> tuple[float, float]:
    """The least and greatest value (n_rows,; NaN is missing) that is no outlier."""
    present = values[~np.isnan(values)]
    if not len(present):
        return -np.inf, np.inf
    limit = options.outlier_limit or DEFAULT_LIMITS[options.outlier_rule]
    if options.outlier_rule == "quantile":
        low, high = np.quantile(present, (limit, 1 - limit))
    else:
        mean, deviation = present.mean(), present.std()
        low, high = mean - limit * deviation, mean + limit * deviation
    if present.min() == present.max():  # the mean of equal numbers may be another one
        low = high = present[0]
    return float(low), float(high)
