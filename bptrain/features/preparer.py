"""All columns together: learned on training rows, applied to any rows, saved as JSON and arrays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from bptrain.data.frame import Frame
from bptrain.errors import DataError, Problem
from bptrain.features import kinds
from bptrain.features.kind import Json, State, Transformed
from bptrain.features.kinds import ColumnOptions
from bptrain.features.numeric import outliers
from bptrain.utils.text import escape

Columns = Mapping[str, State]  # by kind, in the order in which they were learned: the network's features follow it


def check(frame: Frame, options: Mapping[str, ColumnOptions]) -> None:
    """Raise DataError for every cell of `frame` (any rows) that its column's kind cannot use; loads no scikit-learn."""
    problems: list[Problem] = []
    for kind in kinds.KINDS:
        try:
            kinds.prepare(kind).check(frame, _of_kind(options, kind))
        except DataError as error:
            problems.extend(error.problems)
    if problems:
        raise DataError(*problems)


def doubts(frame: Frame, options: Mapping[str, ColumnOptions]) -> list[Problem]:
    """Warnings of options that the training rows in `frame` make doubtful."""
    return outliers.doubtful_ranges(frame, _of_kind(options, "numeric"))


def learn(frame: Frame, options: Mapping[str, ColumnOptions]) -> Columns:
    """What the training rows in `frame` teach about each column that is not ignored.

    Raises DataError with the problems of all kinds at once.
    """
    states: dict[str, State] = {}
    problems: list[Problem] = []
    for kind in kinds.KINDS:
        own = _of_kind(options, kind)
        try:
            if own:
                states[kind] = kinds.prepare(kind).learn(frame, own)
        except DataError as error:
            problems.extend(error.problems)
    if problems:
        raise DataError(*problems)
    return states


def rows_to_train(frame: Frame, options: Mapping[str, ColumnOptions]) -> tuple[np.ndarray, list[tuple[str, str, int]]]:
    """Which training rows in `frame` to learn from and train on, bool (n_rows,), and why the others not.

    Each reason is what is wrong ("out of range", "outlier"), the column, and its number of rows; a row may have several
    reasons. Called on training rows only, before `learn` sees those that are kept: rows for validation, test and
    prediction are never left out. Raises DataError when no row would be kept.
    """
    refused = outliers.refused_rows(frame, _of_kind(options, "numeric"))
    kept = ~np.logical_or.reduce([np.zeros(frame.n_rows, bool), *refused.values()])
    reasons = [(what, name, int(mask.sum())) for (what, name), mask in refused.items()]
    if frame.n_rows and not kept.any():
        raise DataError(_no_row_left(frame, reasons))
    return kept, reasons


def transform(columns: Columns, frame: Frame) -> Transformed:
    """The arrays of all kinds for the rows of `frame`."""
    result = Transformed({})
    for kind, state in columns.items():
        part = kinds.prepare(kind).transform(state, frame)
        result.arrays.update(part.arrays)
        result.bad.update(part.bad)
        result.unknown.update(part.unknown)
        result.outside.update(part.outside)
        result.changed.update(part.changed)
        result.problems.update(part.problems)
    return result


def row_bytes(columns: Columns) -> int:
    """Bytes of a row of the arrays for the network."""
    inputs = [each for state in columns.values() for each in state.inputs.values()]
    return sum(int(np.prod(shape)) * np.dtype(dtype).itemsize for dtype, shape in inputs)


def n_features(columns: Columns) -> int:
    """How many numbers a row gives the network, before any are learned from them."""
    return sum(state.n_features for state in columns.values())


def used_columns(columns: Columns) -> tuple[str, ...]:
    """The names of the columns that the model sees."""
    return tuple(name for state in columns.values() for name in state.columns)


def save(columns: Columns) -> tuple[list[Json], dict[str, np.ndarray]]:
    """A JSON value and the arrays, named `kind/array`, from which `load` makes the same columns in the same order."""
    saved = [{"kind": kind, "state": state.to_json()} for kind, state in columns.items()]
    arrays = {f"{kind}/{name}": array for kind, state in columns.items() for name, array in state.arrays().items()}
    return saved, arrays


def array_shapes(saved: list[Json]) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Dtype and shape of every array that belongs to `saved`."""
    return {
        f"{item['kind']}/{name}": shape
        for item in saved
        for name, shape in kinds.prepare(item["kind"]).array_shapes(item["state"]).items()
    }


def load(saved: list[Json], arrays: Mapping[str, np.ndarray]) -> Columns:
    """The columns that `save` wrote."""
    return {item["kind"]: kinds.prepare(item["kind"]).load(item["state"], _own(arrays, item["kind"])) for item in saved}


def _no_row_left(frame: Frame, reasons: list[tuple[str, str, int]]) -> Problem:
    told = ", ".join(f"column `{escape(name)}` {n} for a cell that is {what}" for what, name, n in reasons[:5])
    return Problem(
        "BP254",
        f"every one of the {frame.n_rows} training rows would be left out: {told}",
        hints=("widen `range`, or do not `drop` the rows of these columns",),
        key=("columns", reasons[0][1]),
    )


def _of_kind(options: Mapping[str, ColumnOptions], kind: str) -> dict[str, Any]:
    return {name: chosen for name, chosen in options.items() if chosen.kind == kind}


def _own(arrays: Mapping[str, np.ndarray], kind: str) -> dict[str, np.ndarray]:
    start = f"{kind}/"
    return {name.removeprefix(start): array for name, array in arrays.items() if name.startswith(start)}
