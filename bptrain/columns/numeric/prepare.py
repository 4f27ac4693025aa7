"""Numeric columns: cells become numbers that are possible, not extreme, filled where missing, and scaled.

All numeric columns are one array `numeric` (n_rows, n_columns) float32, each made in this order, with the entry of
`columns` and the numbers of the column: marks are removed (`unit`, `thousands`); a cell outside `low` … `high` counts
as missing; what is left is set to `lower` … `upper`; a missing cell becomes `fill`; then `scaling`: (x - center) /
scale, with x the signed logarithm sign(x) log(1 + |x|) for `log1p`; for `quantile` the rank of x among the column's
stretch of `quantiles` (`n_quantiles` of them) as a number of the normal distribution; last `clip` at `clip_limit`.
Columns with missing training cells, listed in `indicators`, also have a column in `numeric_missing` (n_rows,
n_indicators) float32: 1 where the cell is missing or impossible, else 0. scikit-learn learns, saved numbers and numpy
apply.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np

from bptrain.columns.numeric.marks import read_numbers
from bptrain.columns.numeric.options import NumericOptions
from bptrain.columns.numeric.scaling import Scaling, learn_scaling
from bptrain.columns.state import Json, Recognised, Transformed
from bptrain.errors import DataError, Problem, UsageError
from bptrain.table.frame import NEARLY_ALL, Frame
from bptrain.table.values import LARGEST_NUMBER
from bptrain.text import escape, yaml_name

NUMBERS = ("low", "high", "lower", "upper", "fill", "center", "scale", "minimum", "maximum")
LARGEST_EXACT = 2.0**53


@dataclass(frozen=True)
class NumberColumn:
    """How one column is read and scaled, besides the numbers that training rows taught."""

    name: str
    thousands: str | None
    unit: str | None
    refuse_outside: bool
    scaling: str
    clip: str
    clip_limit: float
    n_quantiles: int


@dataclass(frozen=True)
class NumericState:
    """What training rows taught: `numbers` maps each of NUMBERS to (n_columns,) float64.

    `quantiles` holds those of all columns with that scaling, one after the other.
    """

    numeric: tuple[NumberColumn, ...]
    numbers: Mapping[str, np.ndarray]
    quantiles: np.ndarray
    indicators: tuple[str, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.numeric)

    @property
    def inputs(self) -> dict[str, tuple[str, tuple[int, ...]]]:
        """Arrays given to the network: name → (dtype, shape of one row)."""
        arrays: dict[str, tuple[str, tuple[int, ...]]] = {"numeric": ("float32", (len(self.numeric),))}
        if self.indicators:
            arrays["numeric_missing"] = ("float32", (len(self.indicators),))
        return arrays

    def to_json(self) -> Json:
        return {"columns": [asdict(column) for column in self.numeric], "indicators": list(self.indicators)}

    def arrays(self) -> dict[str, np.ndarray]:
        return {**self.numbers, "quantiles": self.quantiles}

    def scalings(self) -> list[Scaling]:
        """The scaling of each column."""
        ends = np.cumsum([column.n_quantiles for column in self.numeric])
        return [
            Scaling(column.scaling, center, scale, self.quantiles[end - column.n_quantiles : end])
            for column, center, scale, end in zip(
                self.numeric, self.numbers["center"], self.numbers["scale"], ends, strict=True
            )
        ]


def load(saved: Json, arrays: Mapping[str, np.ndarray]) -> NumericState:
    """The state that `to_json` and `arrays` wrote."""
    columns = tuple(NumberColumn(**column) for column in saved["columns"])
    numbers = {name: arrays[name] for name in NUMBERS}
    return NumericState(columns, numbers, arrays["quantiles"], tuple(saved["indicators"]))


def array_shapes(saved: Json) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Names, dtypes and shapes of the arrays that belong to `saved`."""
    shapes = {name: ("<f8", (len(saved["columns"]),)) for name in NUMBERS}
    return {**shapes, "quantiles": ("<f8", (sum(column["n_quantiles"] for column in saved["columns"]),))}


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
    """Raise DataError for cells that are no usable number, and for columns without any value."""
    _read_all(frame, options)


def left_out(frame: Frame, options: Mapping[str, NumericOptions]) -> dict[tuple[str, str], np.ndarray]:
    """Rows of `frame` (training rows) that shall not train: (why, column) → mask (n_rows,)."""
    found: dict[tuple[str, str], np.ndarray] = {}
    for name, chosen in options.items():
        if "drop" not in (chosen.out_of_range, chosen.outliers):
            continue
        values = _read(frame, name, chosen)[0]
        outside = _outside(values, *chosen.bounds)
        if chosen.out_of_range == "drop":
            found["rows with impossible values not trained on", name] = outside
        if chosen.outliers == "drop":
            possible = values[~np.isnan(values) & ~outside]
            extreme = _outside(values, *_extremes(possible, chosen)) & ~outside
            found["rows with outliers not trained on", name] = extreme
    return found


def learn(frame: Frame, options: Mapping[str, NumericOptions]) -> NumericState:
    """Bounds, fill values and scalings of the training rows in `frame`.

    Raises DataError when a cell is not a finite number or a column has no value at all, UsageError for marks that
    contradict `data.decimal`.
    """
    learned = [_learn(values, name, options[name]) for name, values in _read_all(frame, options).items()]
    numbers = {key: np.array([each[1][key] for each in learned]) for key in NUMBERS}
    indicators = tuple(column.name for column, _, _, some_missing in learned if some_missing)
    quantiles = [scaling.quantiles for _, _, scaling, _ in learned]
    return NumericState(
        tuple(column for column, *_ in learned), numbers, np.concatenate([np.empty(0), *quantiles]), indicators
    )


def transform(state: NumericState, frame: Frame) -> Transformed:
    """The arrays of `frame`'s rows; cells that are no usable number are reported in `bad` and count as missing."""
    made = np.empty((frame.n_rows, len(state.numeric)), np.float32)
    missing = np.empty(made.shape, bool)
    result = Transformed({"numeric": made})
    for position, (column, scaling) in enumerate(zip(state.numeric, state.scalings(), strict=True)):
        numbers = {name: float(array[position]) for name, array in state.numbers.items()}
        made[:, position], missing[:, position] = _apply(frame, column, numbers, scaling, result)
    if state.indicators:
        chosen = [state.columns.index(name) for name in state.indicators]
        result.arrays["numeric_missing"] = missing[:, chosen].astype(np.float32)
    return result


def unusable(frame: Frame, name: str, mask: np.ndarray) -> Problem:
    """The problem of cells that cannot be used: no finite number, or outside the declared range."""
    values, bad = frame.numbers(name)
    if (bad | ~(np.abs(values) <= LARGEST_NUMBER))[mask].any():
        return frame.not_a_number(name, mask)
    return Problem(
        "BP250",
        f"column `{escape(name)}` has {int(mask.sum())} of {frame.n_rows} cells outside its declared `range`: "
        f"{frame.examples(name, mask)}",
        where=frame.where(int(np.flatnonzero(mask)[0])),
        hints=(
            "correct these cells, or widen `range`",
            f"to count them as missing, write `columns: {{{yaml_name(name)}: {{kind: numeric, range: […], "
            "out_of_range: missing}}`",
        ),
    )


def _learn(
    values: np.ndarray, name: str, options: NumericOptions
) -> tuple[NumberColumn, dict[str, float], Scaling, bool]:
    """One column's entry, its numbers, its scaling, and whether its missing cells raise an indicator."""
    low, high = options.bounds
    values = np.where(_outside(values, low, high), np.nan, values)
    present = values[~np.isnan(values)]
    if not len(present):
        raise DataError(_empty(name))
    lower, upper = _extremes(present, options) if options.outliers == "clip" else (-np.inf, np.inf)
    clipped = np.clip(values, lower, upper)
    fill = _fill(clipped, options)
    some_missing = len(present) < len(values)
    scaling = learn_scaling(np.where(np.isnan(clipped), fill, clipped), options.scaling)
    column = NumberColumn(
        name,
        options.thousands,
        options.unit,
        options.out_of_range == "error",
        options.scaling,
        options.clip,
        options.clip_limit,
        len(scaling.quantiles),
    )
    ends = (float(present.min()), float(present.max()))
    numbers = (low, high, float(lower), float(upper), fill, scaling.center, scaling.scale, *ends)
    return column, dict(zip(NUMBERS, numbers, strict=True)), scaling, some_missing and options.indicator


def _fill(values: np.ndarray, options: NumericOptions) -> float:
    """The value of missing cells, by scikit-learn's SimpleImputer."""
    from sklearn.impute import SimpleImputer

    constant = options.fill if options.missing == "constant" else None
    imputer = SimpleImputer(strategy=options.missing, fill_value=constant).fit(values[:, None])
    return float(imputer.statistics_[0])


def _extremes(values: np.ndarray, options: NumericOptions) -> tuple[float, float]:
    """The bounds beyond which values (n,) of training rows are extreme."""
    if not len(values):
        return -np.inf, np.inf
    if options.outlier_rule == "zscore":
        mean, spread = float(np.mean(values)), float(np.std(values))
        return mean - options.limit * spread, mean + options.limit * spread
    low, high = np.quantile(values, [options.limit, 1 - options.limit])
    return float(low), float(high)


def _apply(
    frame: Frame, column: NumberColumn, numbers: Mapping[str, float], scaling: Scaling, result: Transformed
) -> tuple[np.ndarray, np.ndarray]:
    """The scaled cells (n_rows,) and which are missing; what was changed is noted in `result`."""
    values, bad, n_marked = _cells(frame, column.name, column.thousands, column.unit)
    outside = _outside(values, numbers["low"], numbers["high"])
    bad |= outside & column.refuse_outside
    beyond = ~outside & _outside(values, numbers["lower"], numbers["upper"])
    new = ~outside & ~bad & _outside(values, numbers["minimum"], numbers["maximum"])
    values = np.where(outside | bad, np.nan, np.clip(values, numbers["lower"], numbers["upper"]))
    missing = np.isnan(values)
    with np.errstate(over="ignore"):  # far outside a narrow column: too large once it is scaled
        scaled = scaling.apply(np.where(missing, numbers["fill"], values))
    too_large = np.abs(scaled) > LARGEST_NUMBER
    if too_large.any():
        bad, missing = bad | too_large, missing | too_large
        scaled[too_large] = scaling.apply(np.array([numbers["fill"]]))[0]
    _note(result, column, bad, outside & ~bad, beyond, new, n_marked)
    return _clipped(scaled, column), missing


def _note(
    result: Transformed,
    column: NumberColumn,
    bad: np.ndarray,
    outside: np.ndarray,
    beyond: np.ndarray,
    new: np.ndarray,
    n_marked: int,
) -> None:
    if bad.any():
        result.bad[column.name] = bad
    if new.any():
        result.outside[column.name] = int(new.sum())
    steps = {
        "marks removed": n_marked,
        "impossible values taken as missing": int(outside.sum()),
        "outliers set to the bound": int(beyond.sum()),
    }
    result.changed.update({(what, column.name): n for what, n in steps.items() if n})


def _clipped(scaled: np.ndarray, column: NumberColumn) -> np.ndarray:
    limit = column.clip_limit
    if column.clip == "smooth":
        return np.asarray(scaled / np.sqrt(1 + np.square(scaled / limit)))
    if column.clip == "hard":
        low, high = (0.0, 1.0) if column.scaling == "minmax" else (-limit, limit)
        return np.asarray(np.clip(scaled, low, high))
    return scaled


def _outside(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """Present values beyond the bounds."""
    return np.asarray((values < low) | (values > high))


def _cells(frame: Frame, name: str, thousands: str | None, unit: str | None) -> tuple[np.ndarray, np.ndarray, int]:
    """Values (n_rows,), NaN for missing and unusable; which are unusable; and how many had marks."""
    values, bad, n_marked = read_numbers(frame, name, thousands=thousands, unit=unit)
    bad = bad | (np.abs(values) > LARGEST_NUMBER)
    return np.where(bad, np.nan, values), bad, n_marked


def _read(frame: Frame, name: str, options: NumericOptions) -> tuple[np.ndarray, np.ndarray, int]:
    if options.thousands is not None and options.thousands == frame.decimal:
        message = f'column `{escape(name)}` has `thousands: "{options.thousands}"`, which is the decimal mark'
        hints = ("set `data.decimal`, or choose another mark",)
        raise UsageError(Problem("BP182", message, hints=hints, key=("columns", name)))
    return _cells(frame, name, options.thousands, options.unit)


def _read_all(frame: Frame, options: Mapping[str, NumericOptions]) -> dict[str, np.ndarray]:
    """float64 (n_rows,) by column, NaN for missing. Raises DataError with the problems of all columns."""
    columns, problems = {}, []
    for name, chosen in options.items():
        values, bad, _ = _read(frame, name, chosen)
        if chosen.out_of_range == "error":
            bad |= _outside(values, *chosen.bounds)
        columns[name] = values
        if bad.any():
            problems.append(unusable(frame, name, bad))
        elif np.isnan(values).all():
            problems.append(_empty(name))
    if problems:
        raise DataError(*problems)
    return columns


def _empty(name: str) -> Problem:
    return Problem(
        "BP241",
        f"column `{escape(name)}` is numeric but has no usable value in the training rows",
        hints=(f"write `columns: {{{yaml_name(name)}: ignore}}`, or check `data.na_values` and `range`",),
        key=("columns", name),
    )
