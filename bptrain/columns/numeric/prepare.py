"""Numeric columns: missing cells take the training median, then standard scaling; what was missing stays visible.

All numeric columns are one array `numeric` (n_rows, n_columns) float32: (cell, or median where missing, minus mean)
divided by scale. Those with missing training cells, listed in `indicators`, also have a column in `numeric_missing`
(n_rows, n_indicators) float32: 1 where the cell is missing, else 0. scikit-learn learns, saved numbers and numpy apply.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from bptrain.columns.numeric.options import NumericOptions
from bptrain.columns.state import Json, Recognised, Transformed
from bptrain.errors import DataError, Problem
from bptrain.table.frame import NEARLY_ALL, Frame
from bptrain.table.values import LARGEST_NUMBER
from bptrain.text import escape, yaml_name


@dataclass(frozen=True)
class NumericState:
    """What training rows taught: one entry per column in each array, all float64 (n_columns,)."""

    columns: tuple[str, ...]
    median_: np.ndarray
    mean_: np.ndarray
    scale_: np.ndarray
    indicators: tuple[str, ...]

    @property
    def inputs(self) -> dict[str, tuple[str, tuple[int, ...]]]:
        """Arrays given to the network: name → (dtype, shape of one row)."""
        arrays: dict[str, tuple[str, tuple[int, ...]]] = {"numeric": ("float32", (len(self.columns),))}
        if self.indicators:
            arrays["numeric_missing"] = ("float32", (len(self.indicators),))
        return arrays

    def to_json(self) -> Json:
        return {"columns": list(self.columns), "indicators": list(self.indicators)}

    def arrays(self) -> dict[str, np.ndarray]:
        return {"median": self.median_, "mean": self.mean_, "scale": self.scale_}


def load(saved: Json, arrays: Mapping[str, np.ndarray]) -> NumericState:
    """The state that `to_json` and `arrays` wrote."""
    return NumericState(
        tuple(saved["columns"]), arrays["median"], arrays["mean"], arrays["scale"], tuple(saved["indicators"])
    )


def array_shapes(saved: Json) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Names, dtypes and shapes of the arrays that belong to `saved`."""
    return {name: ("<f8", (len(saved["columns"]),)) for name in ("median", "mean", "scale")}


def recognise(frame: Frame, name: str) -> Recognised | None:
    """Whether every cell is a number. A nearly numeric text column is a DataError that shows the odd cells."""
    values, bad = frame.numbers(name)
    n_read = int(np.count_nonzero(~np.isnan(values)))
    n_bad = int(np.count_nonzero(bad))
    if n_bad == 0 and n_read:
        n_missing = frame.n_rows - n_read
        missing = f", {n_missing} of {frame.n_rows} cells are missing" if n_missing else ""
        return Recognised(NumericOptions(), f"every value is a number{missing}")
    if n_bad and n_read / (n_read + n_bad) >= NEARLY_ALL:
        hint = f"if they are labels, write `columns: {{{yaml_name(name)}: categorical}}`"
        raise DataError(frame.almost_numbers(name, bad, n_read + n_bad, what="column", hint=hint))
    return None


def check(frame: Frame, options: Mapping[str, NumericOptions]) -> None:
    """Raise DataError for cells that are no finite number, and for columns without any value."""
    _values(frame, tuple(options))


def learn(frame: Frame, options: Mapping[str, NumericOptions]) -> NumericState:
    """Medians, means and standard deviations of the training rows in `frame`.

    Raises DataError when a cell is not a finite number or a column has no value at all.
    """
    from sklearn.impute import SimpleImputer
    from sklearn.preprocessing import StandardScaler

    columns = tuple(options)
    values = _values(frame, columns)
    missing = np.isnan(values)
    imputer = SimpleImputer(strategy="median").fit(values)
    filled = imputer.transform(values)
    scaler = StandardScaler().fit(filled)
    some_missing = [name for name, some in zip(columns, missing.any(axis=0).tolist(), strict=True) if some]
    scaled = np.array([options[name].scaling == "standard" for name in columns])
    state = NumericState(
        columns,
        np.asarray(imputer.statistics_, np.float64),
        np.where(scaled, scaler.mean_, 0.0),
        np.where(scaled, scaler.scale_, 1.0),
        tuple(name for name in some_missing if options[name].indicator),
    )
    expected = np.where(scaled, scaler.transform(filled), filled)
    if not np.array_equal(_scale(state, values), expected):
        raise RuntimeError("our standard scaling differs from scikit-learn's")
    return state


def transform(state: NumericState, frame: Frame) -> Transformed:
    """The arrays of `frame`'s rows; cells that are no finite number are reported in `bad` and count as missing."""
    values = np.empty((frame.n_rows, len(state.columns)))
    wrong = np.empty(values.shape, bool)
    for position, name in enumerate(state.columns):
        values[:, position], wrong[:, position] = _numbers(frame, name)
    with np.errstate(over="ignore"):  # far outside a narrow column: too large once it is scaled
        wrong |= np.abs(_scale(state, values)) > LARGEST_NUMBER
    values[wrong] = np.nan
    bad = {name: wrong[:, position] for position, name in enumerate(state.columns) if wrong[:, position].any()}
    arrays = {"numeric": _scale(state, values).astype(np.float32)}
    if state.indicators:
        chosen = [state.columns.index(name) for name in state.indicators]
        arrays["numeric_missing"] = np.isnan(values[:, chosen]).astype(np.float32)
    return Transformed(arrays, bad)


def _scale(state: NumericState, values: np.ndarray) -> np.ndarray:
    filled = np.where(np.isnan(values), state.median_, values)
    return np.asarray((filled - state.mean_) / state.scale_)


def _numbers(frame: Frame, name: str) -> tuple[np.ndarray, np.ndarray]:
    values, bad = frame.numbers(name)
    bad = bad | (np.abs(values) > LARGEST_NUMBER)
    return np.where(bad, np.nan, values), bad


def _values(frame: Frame, columns: tuple[str, ...]) -> np.ndarray:
    """float64 (n_rows, n_columns), NaN for missing."""
    values = np.empty((frame.n_rows, len(columns)))
    problems = []
    for position, name in enumerate(columns):
        values[:, position], bad = _numbers(frame, name)
        if bad.any():
            problems.append(frame.not_a_number(name, bad))
        elif np.isnan(values[:, position]).all():
            problems.append(_empty(name))
    if problems:
        raise DataError(*problems)
    return values


def _empty(name: str) -> Problem:
    return Problem(
        "BP241",
        f"column `{escape(name)}` is declared numeric but has no value in the training rows",
        hints=(f"write `columns: {{{yaml_name(name)}: ignore}}`, or check `data.na_values`",),
        key=("columns", name),
    )
