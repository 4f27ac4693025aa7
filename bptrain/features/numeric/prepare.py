"""Numeric columns: missing cells are filled, then values are scaled; what was missing stays visible.

All numeric columns are one array `numeric` (n_rows, n_columns) float32. For each column, by its options and in this
order: the text of a cell loses `unit` and `thousands`; a number outside `range` is missing; where `outliers` is `clip`,
a number is moved into [lower, upper]; a missing cell takes `fill`; x becomes (f(x) - center) / scale, where f is
sign(x) log(1 + |x|) for `log1p`, the normal score of x among its `quantiles` for `quantile`, else x; `clip` is last.
Columns with missing training cells, listed in `indicators`, also have a column in `numeric_missing`
(n_rows, n_indicators) float32: 1 where the cell is missing, else 0. `lower`, `upper`, `fill`, `center` and `scale` have
a number per column; `quantiles` holds those of one column after the other, `n_quantiles` of each column. scikit-learn
learns, saved numbers and numpy apply. `knots`, `n_knots` of each column, and `periodic` are of the network, which makes
more of the scaled numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from bptrain.data.frame import NEARLY_ALL, Frame
from bptrain.data.values import LARGEST_NUMBER
from bptrain.errors import DataError, Problem
from bptrain.features import number_formats as marks
from bptrain.features.kind import Json, Recognised, Transformed, n_numbers
from bptrain.features.numeric.bins import is_periodic, learn_knots
from bptrain.features.numeric.cells import Cells, read_cells
from bptrain.features.numeric.options import NumericOptions
from bptrain.features.numeric.outliers import learn_bounds
from bptrain.features.numeric.scaling import ColumnScaling, Scaling, clipped, joined, learn_scaling, scaled
from bptrain.utils.text import escape, yaml_name

PER_COLUMN = ("lower", "upper", "fill", "minimum", "maximum", "center", "scale")


@dataclass(frozen=True)
class NumericState:
    """What training rows taught, beside the options it was learned with; the arrays are float64 (n_columns,).

    `knots` (k,) are those of each column's piecewise-linear embedding, none where it has no such, and `periodic` tells
    which have periodic features.

    `lower_` and `upper_` are ±LARGEST_NUMBER where outliers are not clipped; `minimum_` and `maximum_` are the smallest
    and largest training values, by which it is told how new rows differ.
    """

    options: dict[str, NumericOptions]
    indicators: tuple[str, ...]
    lower_: np.ndarray
    upper_: np.ndarray
    fill_: np.ndarray
    minimum_: np.ndarray
    maximum_: np.ndarray
    scaling: Scaling
    knots: tuple[np.ndarray, ...]
    periodic: tuple[bool, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(self.options)

    @property
    def inputs(self) -> dict[str, tuple[str, tuple[int, ...]]]:
        """Arrays given to the network: name → (dtype, shape of one row)."""
        arrays: dict[str, tuple[str, tuple[int, ...]]] = {"numeric": ("float32", (len(self.columns),))}
        if self.indicators:
            arrays["numeric_missing"] = ("float32", (len(self.indicators),))
        return arrays

    @property
    def n_features(self) -> int:
        """How many numbers a row gives."""
        return n_numbers(self.inputs)

    def to_json(self) -> Json:
        lengths = [len(self.scaling.quantiles.get(position, ())) for position in range(len(self.columns))]
        return {
            "columns": [
                {
                    "name": name,
                    "n_quantiles": length,
                    "n_knots": len(knots),
                    "periodic": periodic,
                    "options": each.model_dump(mode="json"),
                }
                for (name, each), length, knots, periodic in zip(
                    self.options.items(), lengths, self.knots, self.periodic, strict=True
                )
            ],
            "indicators": list(self.indicators),
        }

    def arrays(self) -> dict[str, np.ndarray]:
        quantiles = [self.scaling.quantiles[position] for position in sorted(self.scaling.quantiles)]
        return {
            "lower": self.lower_,
            "upper": self.upper_,
            "fill": self.fill_,
            "minimum": self.minimum_,
            "maximum": self.maximum_,
            "center": self.scaling.center,
            "scale": self.scaling.scale,
            "quantiles": np.concatenate([np.empty(0), *quantiles]),
            "knots": np.concatenate([np.empty(0), *self.knots]),
        }


def load(saved: Json, arrays: Mapping[str, np.ndarray]) -> NumericState:
    """The state that `to_json` and `arrays` wrote."""
    pieces = _pieces(saved, arrays, "quantiles")
    quantiles = {position: piece for position, piece in enumerate(pieces) if len(piece)}
    return NumericState(
        {column["name"]: NumericOptions.model_validate(column["options"]) for column in saved["columns"]},
        tuple(saved["indicators"]),
        arrays["lower"],
        arrays["upper"],
        arrays["fill"],
        arrays["minimum"],
        arrays["maximum"],
        Scaling(arrays["center"], arrays["scale"], quantiles),
        tuple(_pieces(saved, arrays, "knots")),
        tuple(column["periodic"] for column in saved["columns"]),
    )


def _pieces(saved: Json, arrays: Mapping[str, np.ndarray], name: str) -> list[np.ndarray]:
    """What each column has of an array that holds one column's numbers after the other's."""
    lengths = [column[f"n_{name}"] for column in saved["columns"]]
    return np.split(arrays[name], np.cumsum(lengths)[:-1])


def array_shapes(saved: Json) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Names, dtypes and shapes of the arrays that belong to `saved`."""
    shapes = {name: ("<f8", (len(saved["columns"]),)) for name in PER_COLUMN}
    return shapes | {
        name: ("<f8", (sum(column[f"n_{name}"] for column in saved["columns"]),)) for name in ("quantiles", "knots")
    }


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
        problem = frame.almost_numbers(name, bad, n_read + n_bad, what="column", hint=hint)
        raise DataError(marks.with_hint(problem, frame, name))
    return None


def check(frame: Frame, options: Mapping[str, NumericOptions]) -> None:
    """Raise DataError for cells that are no finite number or out of range where that is an error, and empty columns."""
    problems: list[Problem] = []
    for name, each in options.items():
        problems += _problems(frame, name, each, read_cells(frame, name, each))
    if problems:
        raise DataError(*problems)


def learn(frame: Frame, options: Mapping[str, NumericOptions]) -> NumericState:
    """Bounds, fillings and scales of the training rows in `frame`, one column after the other.

    Raises DataError as `check` does.
    """
    learned: dict[str, _Learned] = {}
    problems: list[Problem] = []
    for name, each in options.items():
        cells = read_cells(frame, name, each)
        found = list(_problems(frame, name, each, cells))
        problems += found
        if not found:
            learned[name] = _learn_column(cells.values, each)
    if problems:
        raise DataError(*problems)
    lower, upper, fill, minimum, maximum = np.array([each.numbers for each in learned.values()]).T.copy()
    indicators = tuple(name for name, each in learned.items() if each.some_missing and options[name].indicator)
    scaling = joined([each.scaling for each in learned.values()])
    knots, periodic = (
        tuple(each) for each in zip(*((one.knots, one.periodic) for one in learned.values()), strict=True)
    )
    return NumericState(dict(options), indicators, lower, upper, fill, minimum, maximum, scaling, knots, periodic)


def transform(state: NumericState, frame: Frame) -> Transformed:
    """The arrays of `frame`'s rows; unusable cells are reported in `bad` and count as missing."""
    cells = [read_cells(frame, name, each) for name, each in state.options.items()]
    values = np.stack([column.values for column in cells], axis=1)
    kept = np.clip(values, state.lower_, state.upper_)
    with np.errstate(over="ignore", invalid="ignore"):  # far outside a narrow column: too large once it is scaled
        too_large = ~(np.abs(_apply(state, kept)) <= LARGEST_NUMBER)
    kept[too_large] = np.nan
    arrays = {"numeric": _apply(state, kept).astype(np.float32)}
    if state.indicators:
        chosen = [state.columns.index(name) for name in state.indicators]
        arrays["numeric_missing"] = np.isnan(kept[:, chosen]).astype(np.float32)
    return Transformed(
        arrays,
        _bad(state, cells, too_large),
        outside=_outside_training(state, values),
        problems=_out_of_range(frame, state.options, cells),
        changed=_changed(state, cells, np.count_nonzero(kept != values, axis=0) - np.isnan(kept).sum(axis=0)),
    )


@dataclass(frozen=True)
class _Learned:
    """What one column taught: `numbers` are lower, upper, fill, minimum and maximum."""

    numbers: tuple[float, float, float, float, float]
    some_missing: bool
    scaling: ColumnScaling
    knots: np.ndarray
    periodic: bool


def _learn_column(values: np.ndarray, options: NumericOptions) -> _Learned:
    """Of the cells (n_rows,) of a column, NaN for missing; they are changed in place."""
    clip = options.outliers == "clip"
    lower, upper = learn_bounds(values, options) if clip else (-LARGEST_NUMBER, LARGEST_NUMBER)
    ends = float(np.nanmin(values)), float(np.nanmax(values))
    np.clip(values, lower, upper, out=values)
    missing = np.isnan(values)
    fill = _learn_fill(values, options)
    values[missing] = fill
    scaling = learn_scaling(options, values)
    if not options.bins and not options.periodic:
        return _Learned((lower, upper, fill, *ends), bool(missing.any()), scaling, np.empty(0), False)
    alone = joined([scaling])
    shown = clipped([options], scaled(alone, [options], values[:, None])).astype(np.float32).astype(np.float64)[:, 0]
    knots, periodic = learn_knots(shown, options), is_periodic(shown, options)
    return _Learned((lower, upper, fill, *ends), bool(missing.any()), scaling, knots, periodic)


def _learn_fill(values: np.ndarray, options: NumericOptions) -> float:
    """What takes the place of missing cells."""
    from sklearn.impute import SimpleImputer

    if options.missing == "constant":
        return options.fill
    if options.missing == "median":  # SimpleImputer's number without its sorting, which takes most of the time
        return float(np.nanmedian(values))
    return float(SimpleImputer(strategy=options.missing).fit(values[:, None]).statistics_[0])


def _apply(state: NumericState, values: np.ndarray) -> np.ndarray:
    """Filled, scaled and clipped (n_rows, n_columns) float64."""
    options = list(state.options.values())
    filled = np.where(np.isnan(values), state.fill_, values)
    return clipped(options, scaled(state.scaling, options, filled))


def _bad(state: NumericState, cells: list[Cells], too_large: np.ndarray) -> dict[str, np.ndarray]:
    masks = {}
    for position, (name, each) in enumerate(state.options.items()):
        mask = cells[position].bad | too_large[:, position]
        if each.out_of_range == "error":
            mask |= cells[position].out_of_range
        if mask.any():
            masks[name] = mask
    return masks


def _outside_training(state: NumericState, values: np.ndarray) -> dict[str, int]:
    """By column, the cells beyond the smallest and largest training value."""
    counts = np.count_nonzero((values < state.minimum_) | (values > state.maximum_), axis=0)
    return {name: n for name, n in zip(state.columns, counts.tolist(), strict=True) if n}


def _changed(state: NumericState, cells: list[Cells], n_clipped: np.ndarray) -> dict[tuple[str, str], int]:
    counts = {}
    for name, each, column, n in zip(state.options, state.options.values(), cells, n_clipped.tolist(), strict=True):
        counts["mark removed", name] = column.n_marked
        counts["out of range", name] = 0 if each.out_of_range == "error" else int(column.out_of_range.sum())
        counts["outlier clipped", name] = n
    return {key: count for key, count in counts.items() if count}


def _out_of_range(frame: Frame, options: Mapping[str, NumericOptions], cells: list[Cells]) -> dict[str, Problem]:
    """By column, the problem of cells outside a range where this is an error."""
    return {
        name: _impossible(frame, name, each, column.out_of_range)
        for (name, each), column in zip(options.items(), cells, strict=True)
        if each.out_of_range == "error" and column.out_of_range.any()
    }


def _problems(frame: Frame, name: str, options: NumericOptions, cells: Cells) -> Iterator[Problem]:
    """What makes a column impossible to learn from."""
    yield from _out_of_range(frame, {name: options}, [cells]).values()
    if cells.bad.any():
        yield marks.with_hint(frame.not_a_number(name, cells.bad), frame, name)
    elif np.isnan(cells.values).all():
        yield _empty(name, n_outside=int(cells.out_of_range.sum()))


def _empty(name: str, *, n_outside: int) -> Problem:
    outside = f": all its {n_outside} numbers lie outside `range`" if n_outside else ""
    return Problem(
        "BP241",
        f"column `{escape(name)}` is declared numeric but has no value in the training rows{outside}",
        hints=(f"write `columns: {{{yaml_name(name)}: ignore}}`, or check `data.na_values`",),
        key=("columns", name),
    )


def _impossible(frame: Frame, name: str, options: NumericOptions, mask: np.ndarray) -> Problem:
    low, high = options.range or (None, None)
    bounds = f"{'-∞' if low is None else f'{low:g}'} to {'∞' if high is None else f'{high:g}'}"
    return Problem(
        "BP254",
        f"column `{escape(name)}` ranges from {bounds}, but {int(mask.sum())} of {frame.n_rows} cells lie outside: "
        f"{frame.examples(name, mask)}",
        where=frame.where(int(np.flatnonzero(mask)[0])),
        hints=(
            "correct the cells or widen `range`",
            "or write `out_of_range: missing` for the column, and such cells count as missing",
        ),
    )
