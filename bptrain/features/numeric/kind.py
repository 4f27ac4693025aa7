"""Numeric columns: missing cells are filled, then values are scaled; what was missing stays visible."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING, Literal, get_args

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
    LearnedColumn,
    Tensor,
    Transformed,
)
from bptrain.features.numeric.options import NumericOptions, ResolvedNumericOptions, Thousands
from bptrain.features.numeric.scaling import Scaling, Taught, learn_bounds, learn_column, scaled
from bptrain.features.options import EmbeddingOptions
from bptrain.messages import features as messages
from bptrain.utils.text import shorten, yaml_name

if TYPE_CHECKING:
    from bptrain.data.files import AllowedPaths
    from bptrain.data.frame import Frame
    from bptrain.models.presets import Preset

EXACT = 2**53  # float64 holds every whole number up to this
N_LOOKED_AT = 1000  # distinct cells from which formats are guessed; all cells then decide
UNITS = ("$", "€", "£", "¥", "₹", "%", "USD", "EUR", "GBP", "CHF", "kg", "lbs", "km", "cm", "mm", "mph", "°C", "°F")
THOUSANDS: tuple[Thousands, ...] = get_args(Thousands)
DECIMAL_COMMA = r"^[+-]?([$€£¥₹] ?)?[\d.]*,\d+( ?[$€£¥₹%])?$"
# What may stand for a separator: tables written by people have typographic spaces and apostrophes.
SPELLINGS = {" ": " \u00a0\u2009\u202f", "'": "'\u2019"}
DOUBTFUL_SHARE = 0.2  # of cells outside `range`: rather the range is wrong than they


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
class NumericColumn(LearnedColumn):
    """One column: how many `quantiles` and `bin_edges` are its own, whether it has periodic features, its options."""

    n_quantiles: int
    n_bin_edges: int
    periodic: bool
    options: ResolvedNumericOptions


@dataclass(frozen=True, kw_only=True)
class NumericState(FeatureState[NumericColumn]):
    """What training rows taught; arrays are float64 (n_columns,).

    `lower_` and `upper_` are ±LARGEST_NUMBER where outliers are not clipped; `minimum_` and `maximum_` are the smallest
    and largest training values, by which it is told how new rows differ. `quantiles_` and `bin_edges_` (k,) hold those
    of one column after the other: of `scaling: quantile`, and of piecewise-linear embeddings.
    """

    kind = "numeric"
    column = NumericColumn

    lower_: np.ndarray
    upper_: np.ndarray
    fill_: np.ndarray
    minimum_: np.ndarray
    maximum_: np.ndarray
    center_: np.ndarray
    scale_: np.ndarray
    quantiles_: np.ndarray
    bin_edges_: np.ndarray

    def of_each(self, name: Literal["quantiles", "bin_edges"]) -> list[np.ndarray]:
        """The quantiles or bin edges of each column."""
        counts = [column.n_quantiles if name == "quantiles" else column.n_bin_edges for column in self.learned]
        return np.split(self.quantiles_ if name == "quantiles" else self.bin_edges_, np.cumsum(counts)[:-1])


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
    state = NumericState
    cells_are_numbers = True
    marks = ("thousands",)

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
            hint = f"if they are labels, write `columns: {{{yaml_name(name)}: categorical}}`"
            problem = frame.almost_numbers(name, bad, n_read + n_bad, what="column", hint=hint)
            raise DataError(with_format_hint(problem, frame, name))
        return None

    def suspect(self, frame: Frame, name: str) -> Problem | None:
        """Labels of which nearly all look like numbers with units, thousands separators or a decimal comma."""
        import pyarrow.compute as pc

        texts = frame.texts(name).drop_null()
        options = infer_format(frame, name)
        if options is not None:
            words = []
            if options.unit is not None:
                is_currency = options.unit in "$€£¥₹"
                sign = "a currency sign" if is_currency else "a unit"
                words.append("a percent sign" if options.unit == "%" else sign)
            if options.thousands is not None:
                words.append("thousands separators")
            what, fitting = f"numbers with {' and '.join(words)}", pc.match_substring_regex(texts, r"[^0-9+-]")
            hint = declaration(name, options)
        else:
            what, fitting = "numbers with a decimal comma", pc.match_substring_regex(texts, DECIMAL_COMMA)
            hint = 'set `data.decimal: ","`'
            if not len(texts) or pc.sum(fitting).as_py() < NEARLY_ALL * len(texts):
                return None
        return messages.LOOKS_LIKE(
            name=name,
            what=what,
            example=shorten(texts.filter(fitting)[0].as_py()),
            where=frame.where(int(np.flatnonzero(~frame.is_missing(name))[0])),
            hints=(f"{hint}, or declare the column's kind under `columns` if this is meant",),
        )

    def resolve_options(
        self, options: Mapping[str, NumericOptions], preset: Preset
    ) -> Mapping[str, ResolvedNumericOptions]:
        """With the preset's `scaling`, and its `clip` where neither is written; bins are shared out among columns."""
        few = len(options) <= preset.most_columns
        bins = max(preset.fewest_bins, min(preset.bins, preset.all_bins // len(options))) if few else 0
        return {
            name: resolved(
                column, scaling=preset.scaling, clip=preset.clip, bins=bins, periodic=preset.periodic and few
            )
            for name, column in options.items()
        }

    def check(self, frame: Frame, options: Mapping[str, NumericOptions], *, training: bool) -> list[Problem]:
        """Cells that are no finite number or out of range where that is an error, and empty columns, in any rows."""
        return [
            problem
            for name, column in options.items()
            if not training
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
        settled = {
            name: column if isinstance(column, ResolvedNumericOptions) else resolved(column)
            for name, column in options.items()
        }
        taught: list[Taught] = []
        problems: list[Problem] = []
        for name, column in settled.items():
            cells = Cells.read(frame, name, column)
            column_problems = self._check_cells(frame, name, column, cells)
            problems += column_problems
            if not column_problems:
                taught.append(learn_column(cells.values, column))
        if problems:
            raise DataError(*problems)
        lower, upper = np.array([column.bounds for column in taught]).T.copy()
        minimum, maximum = np.array([column.extremes for column in taught]).T.copy()
        gaps = zip(settled.items(), taught, strict=True)
        return NumericState(
            learned=tuple(
                NumericColumn(name, len(each.scaling.quantiles), len(each.bin_edges), each.periodic, column)
                for (name, column), each in zip(settled.items(), taught, strict=True)
            ),
            indicators=tuple(name for (name, column), each in gaps if column.indicator and each.some_missing),
            lower_=lower,
            upper_=upper,
            fill_=np.array([column.fill for column in taught]),
            minimum_=minimum,
            maximum_=maximum,
            center_=np.array([column.scaling.center for column in taught]),
            scale_=np.array([column.scaling.scale for column in taught]),
            quantiles_=np.concatenate([column.scaling.quantiles for column in taught]),
            bin_edges_=np.concatenate([column.bin_edges for column in taught]),
        )

    def transform(self, state: NumericState, frame: Frame, paths: AllowedPaths) -> Transformed:
        """The scaled numbers; unusable cells are `bad` and count as missing."""
        options = [column.options for column in state.learned]
        cells = [Cells.read(frame, column.name, column.options) for column in state.learned]
        values = np.stack([column.values for column in cells], axis=1)
        kept = np.clip(values, state.lower_, state.upper_)
        scaling = [Scaling(*each) for each in zip(state.center_, state.scale_, state.of_each("quantiles"), strict=True)]
        with np.errstate(over="ignore", invalid="ignore"):  # far outside a narrow column: too large once it is scaled
            numbers = scaled(options, scaling, np.where(np.isnan(kept), state.fill_, kept))
            too_large = ~(np.abs(numbers) <= LARGEST_NUMBER)
        if too_large.any():
            kept[too_large] = np.nan
            numbers = scaled(options, scaling, np.where(np.isnan(kept), state.fill_, kept))
        arrays = {"numeric": numbers.astype(np.float32)}
        if state.indicators:
            chosen = [state.columns.index(name) for name in state.indicators]
            arrays["numeric_missing"] = np.isnan(kept[:, chosen]).astype(np.float32)
        result = Transformed(arrays)
        n_outside = np.count_nonzero((values < state.minimum_) | (values > state.maximum_), axis=0).tolist()
        n_clipped = (np.count_nonzero(kept != values, axis=0) - np.isnan(kept).sum(axis=0)).tolist()
        for position, (learned, column) in enumerate(zip(state.learned, cells, strict=True)):
            name, is_error = learned.name, learned.options.out_of_range == "error"
            bad = column.bad | too_large[:, position]
            if is_error and column.out_of_range.any():
                bad |= column.out_of_range
                result.problems[name] = _impossible(frame, name, learned.options, column.out_of_range)
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
        columns = [
            column | {"options": ResolvedNumericOptions.model_validate(column["options"])}
            for column in saved["columns"]
        ]
        return super().load(saved | {"columns": columns}, arrays)

    def array_shapes(self, saved: Json) -> Inputs:
        """Dtypes and shapes of the arrays that belong to `saved`."""
        columns = saved["columns"]
        names = ("lower", "upper", "fill", "minimum", "maximum", "center", "scale")
        shapes: Inputs = {name: ("<f8", (len(columns),)) for name in names}
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
            problems.append(with_format_hint(self.bad_cells(frame, name, cells.bad), frame, name))
        elif np.isnan(cells.values).all():
            n_outside = int(cells.out_of_range.sum())
            message = messages.NO_VALUE_IN_RANGE if n_outside else messages.NO_VALUE
            problems.append(message(name=name, kind=self.name, column=yaml_name(name), n_outside=n_outside))
        return problems


def resolved(
    options: NumericOptions,
    *,
    scaling: str = "standard",
    clip: str | None = None,
    bins: int = 0,
    periodic: bool = False,
) -> ResolvedNumericOptions:
    """The options with these values where they say `auto`; `clip` goes with a `scaling` that does."""
    values: Json = {"scaling": scaling, "bins": bins, "periodic": periodic}
    values = {name: value for name, value in values.items() if getattr(options, name) == "auto"}
    if clip is not None and "scaling" in values and "clip" not in options.model_fields_set:
        values["clip"] = clip
    return ResolvedNumericOptions.model_construct(
        options.model_fields_set | values.keys(), **{**dict(options), **values}
    )


def read_numbers(frame: Frame, name: str, options: NumericOptions) -> tuple[np.ndarray, np.ndarray, int]:
    """As `Frame.numbers`, without `unit` and `thousands`, and the number of cells that are numbers because of that.

    A cell that is not grouped by threes keeps its separators.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    from bptrain.data.frame import parse_numbers

    kind = frame.type_of(name)
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    is_text = pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    if (options.unit is None and options.thousands is None) or not is_text:
        return *frame.numbers(name), 0
    texts = plain = frame.texts(name)
    if options.unit is not None:  # removed once, at the beginning (also behind a sign) or else at the end
        unit = re.escape(options.unit.strip())
        begins = rf"^\s*([+-]?)\s*{unit}\s*"
        at_end = pc.replace_substring_regex(plain, rf"\s*{unit}\s*$", "")
        at_start = pc.replace_substring_regex(plain, begins, r"\1", max_replacements=1)
        plain = pc.if_else(pc.match_substring_regex(plain, begins), at_start, at_end)
    if options.thousands is not None:
        marks = f"[{re.escape(SPELLINGS.get(options.thousands, options.thousands))}]"
        pattern = rf"^\s*[+-]?[0-9]{{1,3}}({marks}[0-9]{{3}})+({re.escape(frame.decimal)}[0-9]*)?\s*$"
        grouped = pc.match_substring_regex(plain, pattern)
        plain = pc.if_else(grouped, pc.replace_substring_regex(plain, marks, ""), plain)
    numbers, bad = parse_numbers(plain, decimal=frame.decimal)
    changed = pc.indices_nonzero(pc.not_equal(plain, texts))
    return numbers, bad, int(np.count_nonzero(~bad[np.from_dlpack(changed)])) if len(changed) else 0


def infer_format(frame: Frame, name: str) -> NumericOptions | None:
    """The `unit` and `thousands` with which nearly all cells of a text column are numbers, where they are not without.

    None where no such options help, or none are needed. Fewest come first, and only those that stand in some cell.
    """
    import pyarrow as pa

    different = frame.texts(name).drop_null().unique().slice(0, N_LOOKED_AT)
    rows, cells = np.arange(len(different)), different.to_pylist()
    sample = type(frame)(pa.table({name: different.cast(pa.string())}), rows, decimal=frame.decimal)
    everything = "\n".join(cells)
    units = []
    for unit in (unit for unit in UNITS if unit in everything):
        written = re.escape(unit)
        number = re.compile(rf"\s*[+-]*\s*(?:{written}\s*[+-]?[0-9.,].*|[+-]?[0-9.,].*{written})\s*")
        units += [unit] if any(map(number.fullmatch, cells)) else []
    thousands = [mark for mark in THOUSANDS if mark != frame.decimal and any(mark in cell.strip() for cell in cells)]
    for mark, separator in list(product([None, *units], [None, *thousands]))[1:]:
        options = NumericOptions(unit=mark, thousands=separator)
        for some in (sample, frame):
            numbers, bad, n_changed = read_numbers(some, name, options)
            n_read, n_bad = np.count_nonzero(~np.isnan(numbers)), np.count_nonzero(bad)
            if not n_changed or n_read / (n_read + n_bad) < NEARLY_ALL:
                break
        else:
            return options
    return None


def declaration(name: str, options: NumericOptions) -> str:
    """What to write in a config for a column: "write `columns: {price: {kind: numeric, unit: "$"}}`"."""
    given = {"unit": options.unit, "thousands": options.thousands}
    written = [f'{key}: "{mark}"' for key, mark in given.items() if mark is not None]
    return f"write `columns: {{{yaml_name(name)}: {{{', '.join(['kind: numeric', *written])}}}}}`"


def with_format_hint(problem: Problem, frame: Frame, name: str) -> Problem:
    """The problem of cells that are no numbers, with the options that read them where there are such."""
    options = infer_format(frame, name)
    return problem if options is None else replace(problem, hints=(declaration(name, options), *problem.hints))


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
