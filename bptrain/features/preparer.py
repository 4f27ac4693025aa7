"""All columns together: learned on training rows, applied to any rows, saved as JSON and arrays."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

import numpy as np

from bptrain.data.frame import Frame
from bptrain.data.memory import Allocate
from bptrain.errors import DataError, Problem
from bptrain.features.kind import FeatureState, Inputs, Json, Transformed
from bptrain.features.kinds import KINDS, AnyKind
from bptrain.features.options import ColumnOptions
from bptrain.messages import features as messages

PART_ROWS = 2**17  # rows that are transformed together

Columns = Mapping[
    str, FeatureState
]  # by kind, in the order in which they were learned: the network's features follow it
Options = Mapping[str, ColumnOptions]


def check(frame: Frame, options: Options) -> None:
    """Raise DataError for every cell of `frame` (any rows) that its column's kind cannot use; loads no scikit-learn."""
    _raise(problem for kind, own in _by_kind(options) for problem in kind.check(frame, own))


def check_training(frame: Frame, options: Options) -> None:
    """Raise DataError for cells of `frame` that training rows must not have, and rows for other purposes may."""
    _raise(problem for kind, own in _by_kind(options) for problem in kind.check_training(frame, own))


def doubts(frame: Frame, options: Options) -> list[Problem]:
    """Warnings of options that the training rows in `frame` make doubtful."""
    return [
        problem
        for kind, own in _by_kind(options)
        for name, column in own.items()
        for problem in kind.warn_of_options(frame, name, column)
    ]


def rows_to_train(frame: Frame, options: Options) -> tuple[np.ndarray, list[tuple[str, str, int]]]:
    """Which training rows in `frame` to learn from and train on, bool (n_rows,), and why the others not.

    Each reason is what is wrong ("out of range", "outlier"), the column, and its number of rows; a row may have several
    reasons. Called on training rows only, before `learn` sees those that are kept: rows for validation, test and
    prediction are never left out. Raises DataError when no row would be kept.
    """
    dropped: dict[tuple[str, str], np.ndarray] = {}
    for kind, own in _by_kind(options):
        dropped |= kind.rows_to_drop(frame, own)
    kept = ~np.logical_or.reduce([np.zeros(frame.n_rows, bool), *dropped.values()])
    reasons = [(what, name, int(mask.sum())) for (what, name), mask in dropped.items()]
    if frame.n_rows and not kept.any():
        words = ", ".join(f"column `{name}` {n} for a cell that is {what}" for what, name, n in reasons[:5])
        raise DataError(messages.NO_ROW_LEFT(n_rows=frame.n_rows, reasons=words, name=reasons[0][1]))
    return kept, reasons


def learn(frame: Frame, options: Options) -> Columns:
    """What the training rows in `frame` teach about each column that is not ignored.

    Raises DataError with the problems of all kinds at once.
    """
    states: dict[str, FeatureState] = {}
    problems: list[Problem] = []
    for kind, own in _by_kind(options):
        try:
            states[kind.name] = kind.learn(frame, own, frame.paths)
        except DataError as error:
            problems.extend(error.problems)
    _raise(problems)
    return states


def transform(columns: Columns, frame: Frame) -> Transformed:
    """The arrays of all kinds for the rows of `frame`; cells that cannot be used are `bad` and count as missing."""
    result = Transformed({})
    for kind, state in columns.items():
        part = KINDS[kind].transform(state, frame, frame.paths)
        result.arrays.update(part.arrays)
        result.bad.update(part.bad)
        result.unknown.update(part.unknown)
        result.outside.update(part.outside)
        result.changed.update(part.changed)
        result.problems.update(part.problems)
    return result


def transform_or_raise(columns: Columns, frame: Frame, allocate: Allocate = np.empty) -> Transformed:
    """As `transform`, in parts of the rows and into arrays that `allocate` makes.

    Raises DataError that shows all cells that cannot be used.
    """
    inputs = _inputs(columns)
    arrays = {name: allocate((frame.n_rows, *shape), dtype) for name, (dtype, shape) in inputs.items()}
    unknown: Counter[str] = Counter()
    outside: Counter[str] = Counter()
    changed: Counter[tuple[str, str]] = Counter()
    for start in range(0, frame.n_rows, PART_ROWS):
        rows = slice(start, min(start + PART_ROWS, frame.n_rows))
        part = transform(columns, frame.take(np.arange(rows.start, rows.stop)))
        if part.bad:
            whole, kinds = transform(columns, frame), kinds_of_columns(columns)
            raise DataError(
                *(
                    whole.problems.get(name) or kinds[name].bad_cells(frame, name, mask)
                    for name, mask in whole.bad.items()
                )
            )
        for name, array in part.arrays.items():
            arrays[name][rows] = array
        unknown.update(part.unknown)
        outside.update(part.outside)
        changed.update(part.changed)
    return Transformed(arrays, unknown=dict(unknown), outside=dict(outside), changed=dict(changed))


def row_bytes(columns: Columns) -> int:
    """Bytes of a row of the arrays for the network."""
    return sum(int(np.prod(shape)) * np.dtype(dtype).itemsize for dtype, shape in _inputs(columns).values())


def n_features(columns: Columns) -> int:
    """How many numbers a row gives the network, before any are learned from them."""
    return sum(state.n_features for state in columns.values())


def used_columns(columns: Columns) -> tuple[str, ...]:
    """The names of the columns that the model sees."""
    return tuple(kinds_of_columns(columns))


def kinds_of_columns(columns: Columns) -> dict[str, AnyKind]:
    """The kind of each column that the model sees."""
    return {name: KINDS[kind] for kind, state in columns.items() for name in state.columns}


def save(columns: Columns) -> tuple[list[Json], dict[str, np.ndarray]]:
    """A JSON value and the arrays, named `kind/array`, from which `load` makes the same columns in the same order."""
    saved = [{"kind": kind, "state": state.to_json()} for kind, state in columns.items()]
    arrays = {f"{kind}/{name}": array for kind, state in columns.items() for name, array in state.arrays().items()}
    return saved, arrays


def array_shapes(saved: list[Json]) -> Inputs:
    """Dtype and shape of every array that belongs to `saved`."""
    return {
        f"{item['kind']}/{name}": shape
        for item in saved
        for name, shape in KINDS[item["kind"]].array_shapes(item["state"]).items()
    }


def load(saved: list[Json], arrays: Mapping[str, np.ndarray]) -> Columns:
    """The columns that `save` wrote."""
    states = {}
    for item in saved:
        prefix = f"{item['kind']}/"
        own = {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}
        states[item["kind"]] = KINDS[item["kind"]].load(item["state"], own)
    return states


def _by_kind(options: Options) -> Iterator[tuple[AnyKind, dict[str, ColumnOptions]]]:
    """The kinds that the columns have, each with the options of its own columns."""
    for name, kind in KINDS.items():
        own = {column: chosen for column, chosen in options.items() if chosen.kind == name}
        if own:
            yield kind, own


def _inputs(columns: Columns) -> Inputs:
    return {name: array for state in columns.values() for name, array in state.inputs.items()}


def _raise(problems: Iterator[Problem] | list[Problem]) -> None:
    """Raise DataError if there are any problems."""
    problems = list(problems)
    if problems:
        raise DataError(*problems)
