"""Impossible values and outliers of numeric columns: bounds learned on training rows, and rows not to train on."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from bptrain.data.frame import Frame
from bptrain.errors import Problem
from bptrain.features.numeric.cells import read_cells
from bptrain.features.numeric.options import NumericOptions
from bptrain.utils.text import escape

DOUBTFUL_SHARE = 0.2  # of cells outside `range`: rather the range is wrong than they
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


def doubtful_ranges(frame: Frame, options: Mapping[str, NumericOptions]) -> list[Problem]:
    """A warning of each column whose `range` makes many cells of the training rows in `frame` impossible."""
    outside = {name: read_cells(frame, name, each).out_of_range for name, each in options.items() if each.range}
    present = {name: frame.n_present(name) for name in outside}
    return [
        Problem(
            "BP257",
            f"column `{escape(name)}`: {int(mask.sum())} of {present[name]} cells lie outside its `range`: "
            f"{frame.examples(name, mask)}",
            where=frame.where(int(np.flatnonzero(mask)[0])),
            hints=("check the bounds and the unit they are in; such cells count as missing or are left out",),
            key=("columns", name, "range"),
        )
        for name, mask in outside.items()
        if mask.sum() > DOUBTFUL_SHARE * present[name]
    ]


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
