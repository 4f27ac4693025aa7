"""All columns together: learned on training rows, applied to any rows, saved as JSON and arrays; roles of others."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping

import numpy as np

from bptrain.data.frame import Frame
from bptrain.data.memory import Allocate
from bptrain.errors import DataError, Problem, UsageError
from bptrain.features.date.kind import DATE, Moments
from bptrain.features.date.options import DateOptions
from bptrain.features.kind import AnyState, Inputs, Transformed
from bptrain.features.kinds import KINDS, AnyKind
from bptrain.features.options import ColumnOptions, WeightOptions
from bptrain.messages import features as messages
from bptrain.runs.storage import Json
from bptrain.utils.text import quote_list, yaml_name

PART_ROWS = 2**17  # rows that are transformed together

Columns = Mapping[str, AnyState]  # by kind, in the order in which they were learned: the network's features follow it
Options = Mapping[str, ColumnOptions]


def by_kind(options: Options) -> Iterator[tuple[AnyKind, dict[str, ColumnOptions]]]:
    """The kinds that the columns have, each with the options of its own columns."""
    for name, kind in KINDS.items():
        own = {column: chosen for column, chosen in options.items() if chosen.kind == name}
        if own:
            yield kind, own


def check(frame: Frame, options: Options, *, training: bool) -> None:
    """Raise DataError for every cell of `frame` (any rows) that its column's kind cannot use; loads no scikit-learn.

    With `training`, instead for cells that training rows must not have, and rows for other purposes may.
    """
    problems = [problem for kind, own in by_kind(options) for problem in kind.check(frame, own, training=training)]
    if problems:
        raise DataError(*problems)


def doubts(frame: Frame, options: Options) -> list[Problem]:
    """Warnings of options that the training rows in `frame` make doubtful."""
    return [
        problem
        for kind, own in by_kind(options)
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
    for kind, own in by_kind(options):
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
    states: dict[str, AnyState] = {}
    problems: list[Problem] = []
    for kind, own in by_kind(options):
        try:
            states[kind.name] = kind.learn(frame, own, frame.paths)
        except DataError as error:
            problems.extend(error.problems)
    if problems:
        raise DataError(*problems)
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
    arrays: dict[str, np.ndarray] = {}
    unknown: Counter[str] = Counter()
    outside: Counter[str] = Counter()
    changed: Counter[tuple[str, str]] = Counter()
    for start in range(0, max(frame.n_rows, 1), PART_ROWS):
        rows = slice(start, min(start + PART_ROWS, frame.n_rows))
        part = transform(columns, frame.take(np.arange(rows.start, rows.stop)))
        if part.bad:
            whole, kinds = transform(columns, frame), kinds_of_columns(columns)
            bad = {name: kinds[name].bad_cells(frame, name, mask) for name, mask in whole.bad.items()}
            raise DataError(*(whole.problems.get(name, problem) for name, problem in bad.items()))
        for name, array in part.arrays.items():
            if start == 0:
                arrays[name] = allocate((frame.n_rows, *array.shape[1:]), str(array.dtype))
            arrays[name][rows] = array
        unknown.update(part.unknown)
        outside.update(part.outside)
        changed.update(part.changed)
    return Transformed(arrays, unknown=dict(unknown), outside=dict(outside), changed=dict(changed))


def row_size(columns: Columns) -> tuple[int, int]:
    """How many numbers a row gives the network, before any are learned from them, and the bytes of its arrays."""
    n_features = sum(state.n_features for state in columns.values())
    shapes = [shape for state in columns.values() for shape in state.inputs.values()]
    return n_features, sum(math.prod(shape) * np.dtype(dtype).itemsize for dtype, shape in shapes)


def kinds_of_columns(columns: Columns) -> dict[str, AnyKind]:
    """The kind of each column that the model sees."""
    return {name: KINDS[kind] for kind, state in columns.items() for name in state.columns}


def save(columns: Columns) -> tuple[list[Json], dict[str, np.ndarray]]:
    """A JSON value and the arrays, named `kind/array`, from which `load` makes the same columns in the same order."""
    saved: list[Json] = []
    arrays: dict[str, np.ndarray] = {}
    for kind, state in columns.items():
        arrays |= {f"{kind}/{name}": array for name, array in state.arrays().items()}
        saved.append({"kind": kind, "state": state.to_json()})
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
