"""Numeric columns: missing cells are filled, then values are scaled; what was missing stays visible."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bptrain.data.limits import LARGEST_NUMBER, NEARLY_ALL
from bptrain.errors import DataError, Problem
from bptrain.features.kind import (
    ColumnKind,
    Features,
    FeatureState,
    Inferred,
    Inputs,
    Json,
    Tensor,
    Transformed,
    with_indicators,
)
from bptrain.features.numeric.options import NumericOptions, ResolvedNumericOptions
from bptrain.features.numeric.scaling import ColumnScaling, Scaling, clip, learn_scaling
from bptrain.features.options import EmbeddingOptions
from bptrain.messages import features as messages
from bptrain.utils.text import yaml_name

if TYPE_CHECKING:
    from bptrain.data.files import AllowedPaths
    from bptrain.data.frame import Frame

# Arrays of the state with a number per column, by the names under which they are saved.
PER_COLUMN = ("lower", "upper", "fill", "minimum", "maximum", "center", "scale")

EXACT = 2**53  # float64 holds every whole number up to this
DOUBTFUL_SHARE = 0.2  # of cells outside `range`: rather the range is wrong than they
DEFAULT_LIMITS = {"quantile": 0.005, "zscore": 4.0}  # of outliers

ALL_VALUES = 8 / 3  # so many times the bins: with no more different values, each is a bin edge
FEWEST_BINS = 4  # for the rows beside the values that many share
MANY_VALUES = 49  # different values from which periodic features are given


@dataclass(frozen=True)
class Cells:
    """One column: `values` (n_rows,) float64, NaN where missing, no number or out of range.

    `bad` and `out_of_range` are masks (n_rows,) of cells that are present but no finite number, or outside `range`;
    `n_reformatted` counts the cells that are numbers because unit or thousands separators were removed.
    """

    values: np.ndarray
    bad: np.ndarray
    out_of_range: np.ndarray
    n_reformatted: int

    @classmethod
    def read(cls, frame: Frame, name: str, options: NumericOptions) -> Cells:
        """The cells of a column as its options read them."""
        from bptrain.features.numeric.number_formats import read_numbers

        numbers, no_number, n_reformatted = read_numbers(frame, name, options)
        bad = no_number | (np.abs(numbers) > LARGEST_NUMBER)
        values = np.where(bad, np.nan, numbers)
        low, high = options.range or (None, None)
        out_of_range = np.zeros(len(values), bool)  # NaN is not outside
        if low is not None:
            out_of_range |= values < low
        if high is not None:
            out_of_range |= values > high
        values[out_of_range] = np.nan
        return cls(values, bad, out_of_range, n_reformatted)


@dataclass(frozen=True)
class NumericState(FeatureState):
    """What training rows taught, beside the options it was learned with; the arrays are float64 (n_columns,).

    `bin_edges` (k,) are those of each column's piecewise-linear embedding, none where it has no such, and `periodic`
    tells which have periodic features.

    `lower_` and `upper_` are ±LARGEST_NUMBER where outliers are not clipped; `minimum_` and `maximum_` are the smallest
    and largest training values, by which it is told how new rows differ.
    """

    options: dict[str, ResolvedNumericOptions]
    indicators: tuple[str, ...]
    lower_: np.ndarray
    upper_: np.ndarray
    fill_: np.ndarray
    minimum_: np.ndarray
    maximum_: np.ndarray
    scaling: Scaling
    bin_edges: tuple[np.ndarray, ...]
    periodic: tuple[bool, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(self.options)

    @property
    def inputs(self) -> Inputs:
        return with_indicators("numeric", len(self.columns), self.indicators)

    def to_json(self) -> Json:
        columns = [
            {
                "name": name,
                "n_quantiles": len(self.scaling.quantiles.get(position, ())),
                "n_bin_edges": len(self.bin_edges[position]),
                "periodic": self.periodic[position],
                "options": options.model_dump(mode="json"),
            }
            for position, (name, options) in enumerate(self.options.items())
        ]
        return {"columns": columns, "indicators": list(self.indicators)}

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
            "bin_edges": np.concatenate([np.empty(0), *self.bin_edges]),
        }

    def scaled(self, values: np.ndarray) -> np.ndarray:
        """Values (n_rows, n_columns) float64 filled, scaled and clipped."""
        options = list(self.options.values())
        return clip(options, self.scaling.apply(options, np.where(np.isnan(values), self.fill_, values)))


class NumericKind(ColumnKind[NumericOptions, NumericState]):
    """Numeric columns: missing cells are filled, then values are scaled; what was missing stays visible.

    All numeric columns are one array `numeric` (n_rows, n_columns) float32. For each column, by its options and in this
    order: the text of a cell loses `unit` and `thousands`; a number outside `range` is missing; where `outliers` is
    `clip`, a number is moved into [lower, upper]; a missing cell takes `fill`; x becomes (f(x) - center) / scale, where
    f is sign(x) log(1 + |x|) for `log1p`, the normal score of x among its `quantiles` for `quantile`, else x; `clip` is
    last. Columns with missing training cells, listed in `indicators`, also have a column in `numeric_missing`
    (n_rows, n_indicators) float32: 1 where the cell is missing, else 0. `lower`, `upper`, `fill`, `center` and `scale`
    have a number per column; `quantiles` holds those of one column after the other, `n_quantiles` of each column.
    scikit-learn learns, saved numbers and numpy apply. `bin_edges`, `n_bin_edges` of each column, and `periodic` are of
    the network, which makes more of the scaled numbers.
    """

    name = "numeric"
    options = NumericOptions
    cells_are_numbers = True

    def infer(self, frame: Frame, name: str) -> Inferred[NumericOptions] | None:
        """Whether every cell is a number. A nearly numeric text column is a DataError that shows the other cells."""
        values, bad = frame.numbers(name)
        n_read = int(np.count_nonzero(~np.isnan(values)))
        n_bad = int(np.count_nonzero(bad))
        if n_bad == 0 and n_read:
            n_missing = frame.n_rows - n_read
            missing = f", {n_missing} of {frame.n_rows} cells are missing" if n_missing else ""
            return Inferred(NumericOptions(), f"every value is a number{missing}")
        if n_bad and n_read / (n_read + n_bad) >= NEARLY_ALL:
            from bptrain.features.numeric.number_formats import with_format_hint

            hint = f"if they are labels, write `columns: {{{yaml_name(name)}: categorical}}`"
            problem = frame.almost_numbers(name, bad, n_read + n_bad, what="column", hint=hint)
            raise DataError(with_format_hint(problem, frame, name))
        return None

    def suspect(self, frame: Frame, name: str) -> Problem | None:
        """Numbers with units, thousands separators or a decimal comma."""
        from bptrain.features.numeric.number_formats import suspect_numbers

        return suspect_numbers(frame, name)

    def check_options(self, key: str, options: NumericOptions, *, decimal: str) -> list[Problem]:
        """A separator of thousands that is the decimal mark."""
        if options.thousands != decimal:
            return []
        return [messages.THOUSANDS_ARE_DECIMAL(name=key, decimal=decimal, other="," if decimal == "." else ".")]

    def check(self, frame: Frame, options: Mapping[str, NumericOptions]) -> list[Problem]:
        """Cells that are no finite number or out of range where that is an error, and empty columns."""
        return [
            problem
            for name, column in options.items()
            for problem in self._check_cells(frame, name, column, Cells.read(frame, name, column))
        ]

    def warn(self, frame: Frame, name: str, options: NumericOptions) -> list[Problem]:
        """Whole numbers too large for float64.

        Only in columns of integers and text: a float as large was rounded before, and is hardly meant to be exact.
        """
        import pyarrow as pa
        import pyarrow.compute as pc

        if pa.types.is_floating(frame.type_of(name)):
            return []
        texts = frame.texts(name)
        long = pc.indices_nonzero(pc.match_substring_regex(texts, r"^\s*[+-]?[0-9]{16,}\s*$")).to_pylist()
        huge = [position for position in long if abs(int(texts[position].as_py())) > EXACT]
        if not huge:
            return []
        mask = np.isin(np.arange(frame.n_rows), huge)
        return [
            messages.HUGE_NUMBERS(
                name=name,
                n_huge=len(huge),
                n_rows=frame.n_rows,
                examples=frame.examples(name, mask),
                column=yaml_name(name),
                where=frame.where(huge[0]),
            )
        ]

    def warn_of_options(self, frame: Frame, name: str, options: NumericOptions) -> list[Problem]:
        """A `range` that makes many training cells impossible."""
        if options.range is None:
            return []
        outside, n_present = Cells.read(frame, name, options).out_of_range, frame.n_present(name)
        if outside.sum() <= DOUBTFUL_SHARE * n_present:
            return []
        return [
            messages.DOUBTFUL_RANGE(
                name=name,
                n_outside=int(outside.sum()),
                n_present=n_present,
                examples=frame.examples(name, outside),
                where=frame.where(int(np.flatnonzero(outside)[0])),
            )
        ]

    def rows_to_drop(self, frame: Frame, options: Mapping[str, NumericOptions]) -> dict[tuple[str, str], np.ndarray]:
        """Rows with a number out of range, or an outlier by bounds of all rows whose cell is a possible number."""
        masks = {}
        for name, column in options.items():
            if column.outliers != "drop" and (column.range is None or column.out_of_range != "drop"):
                continue
            cells = Cells.read(frame, name, column)
            if column.out_of_range == "drop":
                masks["out of range", name] = cells.out_of_range
            if column.outliers == "drop":
                low, high = learn_bounds(cells.values, column)
                masks["outlier", name] = (cells.values < low) | (cells.values > high)
        return {reason: mask for reason, mask in masks.items() if mask.any()}

    def learn(self, frame: Frame, options: Mapping[str, NumericOptions], paths: AllowedPaths) -> NumericState:
        """Bounds, fillings and scales, one column after the other."""
        resolved = {
            name: column if isinstance(column, ResolvedNumericOptions) else ResolvedNumericOptions.resolve(column)
            for name, column in options.items()
        }
        learned: list[_LearnedColumn] = []
        problems: list[Problem] = []
        for name, column in resolved.items():
            cells = Cells.read(frame, name, column)
            column_problems = self._check_cells(frame, name, column, cells)
            problems += column_problems
            if not column_problems:
                learned.append(_learn_column(cells.values, column))
        if problems:
            raise DataError(*problems)
        lower, upper, fill, minimum, maximum = np.array([column.numbers for column in learned]).T.copy()
        gaps = zip(resolved.items(), learned, strict=True)
        return NumericState(
            resolved,
            tuple(name for (name, column), taught in gaps if column.indicator and taught.some_missing),
            lower,
            upper,
            fill,
            minimum,
            maximum,
            Scaling.concat([column.scaling for column in learned]),
            tuple(column.bin_edges for column in learned),
            tuple(column.periodic for column in learned),
        )

    def transform(self, state: NumericState, frame: Frame, paths: AllowedPaths) -> Transformed:
        """The scaled numbers; unusable cells are `bad` and count as missing."""
        cells = {name: Cells.read(frame, name, column) for name, column in state.options.items()}
        values = np.stack([column.values for column in cells.values()], axis=1)
        kept = np.clip(values, state.lower_, state.upper_)
        with np.errstate(over="ignore", invalid="ignore"):  # far outside a narrow column: too large once it is scaled
            too_large = ~(np.abs(state.scaled(kept)) <= LARGEST_NUMBER)
        kept[too_large] = np.nan
        arrays = {"numeric": state.scaled(kept).astype(np.float32)}
        if state.indicators:
            chosen = [state.columns.index(name) for name in state.indicators]
            arrays["numeric_missing"] = np.isnan(kept[:, chosen]).astype(np.float32)
        result = Transformed(arrays)
        n_outside = np.count_nonzero((values < state.minimum_) | (values > state.maximum_), axis=0).tolist()
        n_clipped = (np.count_nonzero(kept != values, axis=0) - np.isnan(kept).sum(axis=0)).tolist()
        for position, (name, column) in enumerate(cells.items()):
            is_error = state.options[name].out_of_range == "error"
            bad = column.bad | too_large[:, position]
            if is_error and column.out_of_range.any():
                bad |= column.out_of_range
                result.problems[name] = _impossible(frame, name, state.options[name], column.out_of_range)
            if bad.any():
                result.bad[name] = bad
            if n_outside[position]:
                result.outside[name] = n_outside[position]
            changed = {
                "mark removed": column.n_reformatted,
                "out of range": 0 if is_error else int(column.out_of_range.sum()),
                "outlier clipped": n_clipped[position],
            }
            result.changed.update({(what, name): count for what, count in changed.items() if count})
        return result

    def load(self, saved: Json, arrays: Mapping[str, np.ndarray]) -> NumericState:
        """The state that `to_json` and `arrays` wrote."""
        columns = saved["columns"]
        quantiles, bin_edges = (
            np.split(arrays[name], np.cumsum([column[f"n_{name}"] for column in columns])[:-1])
            for name in ("quantiles", "bin_edges")
        )
        return NumericState(
            {column["name"]: ResolvedNumericOptions.model_validate(column["options"]) for column in columns},
            tuple(saved["indicators"]),
            arrays["lower"],
            arrays["upper"],
            arrays["fill"],
            arrays["minimum"],
            arrays["maximum"],
            Scaling(
                arrays["center"],
                arrays["scale"],
                {position: ranks for position, ranks in enumerate(quantiles) if len(ranks)},
            ),
            tuple(bin_edges),
            tuple(column["periodic"] for column in columns),
        )

    def array_shapes(self, saved: Json) -> Inputs:
        """Dtypes and shapes of the arrays that belong to `saved`."""
        columns = saved["columns"]
        shapes: Inputs = {name: ("<f8", (len(columns),)) for name in PER_COLUMN}
        for name in ("quantiles", "bin_edges"):
            shapes[name] = ("<f8", (sum(column[f"n_{name}"] for column in columns),))
        return shapes

    def encode(
        self, state: NumericState, inputs: dict[str, Tensor], *, seed: int, embedding: EmbeddingOptions
    ) -> Features:
        """The numbers, their embeddings and the indicators of missing cells."""
        from bptrain.features.numeric.encode import encode

        return encode(state, inputs, seed, embedding)

    def _check_cells(self, frame: Frame, name: str, options: NumericOptions, cells: Cells) -> list[Problem]:
        """What makes a column impossible to learn from."""
        problems = []
        if options.out_of_range == "error" and cells.out_of_range.any():
            problems.append(_impossible(frame, name, options, cells.out_of_range))
        if cells.bad.any():
            from bptrain.features.numeric.number_formats import with_format_hint

            problems.append(with_format_hint(self.bad_cells(frame, name, cells.bad), frame, name))
        elif np.isnan(cells.values).all():
            n_outside = int(cells.out_of_range.sum())
            message = messages.NO_VALUE_IN_RANGE if n_outside else messages.NO_VALUE
            problems.append(message(name=name, kind=self.name, column=yaml_name(name), n_outside=n_outside))
        return problems


@dataclass(frozen=True)
class _LearnedColumn:
    """What one column taught: `numbers` are lower, upper, fill, minimum and maximum."""

    numbers: tuple[float, float, float, float, float]
    some_missing: bool
    scaling: ColumnScaling
    bin_edges: np.ndarray
    periodic: bool


def _learn_column(values: np.ndarray, options: ResolvedNumericOptions) -> _LearnedColumn:
    """Of the cells (n_rows,) of a column, NaN for missing; they are changed in place."""
    from sklearn.impute import SimpleImputer

    is_clipped = options.outliers == "clip"
    lower, upper = learn_bounds(values, options) if is_clipped else (-LARGEST_NUMBER, LARGEST_NUMBER)
    minimum, maximum = float(np.nanmin(values)), float(np.nanmax(values))
    np.clip(values, lower, upper, out=values)
    missing = np.isnan(values)
    if options.missing == "constant":
        fill = options.fill
    elif options.missing == "median":  # SimpleImputer's number without its sorting, which takes most of the time
        fill = float(np.nanmedian(values))
    else:
        fill = float(SimpleImputer(strategy=options.missing).fit(values[:, None]).statistics_[0])
    values[missing] = fill
    scaling = learn_scaling(options, values)
    bin_edges, periodic = np.empty(0), False
    if options.bins or options.periodic:  # of the numbers that the network will see
        seen = clip([options], Scaling.concat([scaling]).apply([options], values[:, None]))
        seen = seen.astype(np.float32).astype(np.float64)[:, 0]
        bin_edges = learn_bin_edges(seen, options.bins)
        periodic = options.periodic and len(np.unique(seen)) >= MANY_VALUES
    return _LearnedColumn((lower, upper, fill, minimum, maximum), bool(missing.any()), scaling, bin_edges, periodic)


def learn_bin_edges(values: np.ndarray, n_bins: int) -> np.ndarray:
    """Rising bin edges (k,) float64 of the scaled training rows (n_rows,); none for two values or without bins.

    Gorishniy, Rubachev & Babenko, On Embeddings for Numerical Features in Tabular Deep Learning (NeurIPS 2022), section
    3.2, take plain quantiles. These leave hardly a bin to the rest of a column in which most cells hold one value, so
    such values are edges of their own here, and quantiles are those of the other rows.
    """
    different, counts = np.unique(values, return_counts=True)
    if not n_bins or len(different) <= 2:
        return np.empty(0)
    if len(different) <= ALL_VALUES * n_bins:
        return different
    heavy = different[counts > len(values) / n_bins]
    others = values[~np.isin(values, heavy)]
    shares = np.linspace(0, 1, max(n_bins - len(heavy), FEWEST_BINS) + 1)
    return np.unique(np.concatenate([heavy, different[[0, -1]], np.quantile(others, shares, method="nearest")]))


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


def _impossible(frame: Frame, name: str, options: NumericOptions, outside: np.ndarray) -> Problem:
    """The problem of the cells under `outside` (n_rows,), where these are an error."""
    low, high = options.range or (None, None)
    return messages.OUT_OF_RANGE(
        name=name,
        low="-∞" if low is None else f"{low:g}",
        high="∞" if high is None else f"{high:g}",
        n_outside=int(outside.sum()),
        n_rows=frame.n_rows,
        examples=frame.examples(name, outside),
        where=frame.where(int(np.flatnonzero(outside)[0])),
    )


NUMERIC = NumericKind()
