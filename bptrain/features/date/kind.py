"""Date columns: parts of the calendar as sine and cosine, and the days since the earliest training date.

A moment is a number of seconds since 1970-01-01 in UTC, float64; NaN stands for a missing one. Dates are text in ISO
8601 or in a strptime format of numeric fields. Each cell is judged by itself; day and month are never guessed. Arrow's
regular expressions take the text apart and NumPy's calendar does the rest: Arrow's own strptime takes 2024-02-30 for
the 1st of March, and pandas is slow to import. Years are 1 to 9999, in today's calendar also before 1582.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bptrain.data.limits import NEARLY_ALL
from bptrain.errors import DataError, Problem
from bptrain.features.date.options import ISO, DateOptions
from bptrain.features.kind import (
    ColumnKind,
    FeatureState,
    Inferred,
    Inputs,
    Json,
    LearnedColumn,
    Transformed,
    empty_columns,
    unreadable_cells,
)
from bptrain.messages import features as messages
from bptrain.utils.text import shorten, yaml_name

if TYPE_CHECKING:
    import pyarrow as pa

    from bptrain.data.files import AllowedPaths
    from bptrain.data.frame import Frame

ALWAYS = ("month", "day_of_month", "weekday", "day_of_year")  # with `parts` left open; `hour` where there are times
DAY = 86400
ELAPSED = "elapsed"
# The first value of each part and after how many it begins anew; 0 for what never does.
PARTS = {
    "year": (0, 0),
    "quarter": (1, 4),
    "month": (1, 12),
    "week": (1, 53),
    "weekday": (0, 7),
    "weekend": (0, 0),
    "day_of_month": (1, 31),
    "day_of_year": (1, 366),
    "hour": (0, 24),
    "minute": (0, 60),
}

CENTURY = 69  # two-digit years from here on are 19xx, the others 20xx, as in POSIX
ZERO, ONE = np.zeros(()), np.ones(())  # of fields that a format does not have
DATE_PATTERN = r"(?P<Y>\d{4})-(?P<m>\d{1,2})-(?P<d>\d{1,2})"
TIME = r"(?P<H>\d{1,2}):(?P<M>\d{2})(?::(?P<S>\d{2})(?:\.(?P<f>\d{1,9}))?)?"
SIGN, ZONE = r"(?P<s>[+-])(?P<o>\d{2}):?(?P<p>\d{2})?", r"[Zz]"
ISO_PATTERN = rf"^{DATE_PATTERN}(?:[Tt ]{TIME}(?: ?(?:{ZONE}|{SIGN}))?)?$"
WIDTHS = {"Y": (4, 4), "f": (1, 9)}  # digits, least and most; other fields have one or two

# What a column must look like to be read, so that most columns cost little
N_LOOKED_AT = 100  # cells of which more than half must look like dates for the whole column to be looked at
_YEAR_FIRST, _YEAR_LAST = r"\d{4}[./]\d{1,2}[./]\d{1,2}", r"\d{1,2}[./-]\d{1,2}[./-]\d{4}"
LOOK = rf"^\s*(\d{{4}}-\d{{1,2}}-\d{{1,2}}([Tt ]\d.*)?|({_YEAR_FIRST}|{_YEAR_LAST})( \d{{1,2}}:.*)?)\s*$"
AMBIGUOUS = r"^(0?[1-9]|1[0-2])[./-](0?[1-9]|1[0-2])[./-]\d{4}$|^\d{1,2}[./-]\d{1,2}[./-]\d{2}$"
SEPARATORS = ("/", ".", "-")
TIMES = ("", " %H:%M", " %H:%M:%S")


@dataclass(frozen=True)
class Moments:
    """The different cells of a column as moments (k + 1,), NaN for no date; the last one stands for missing cells.

    `positions` (n_rows,) says which is whose, and `bad` (n_rows,) which cells are present but no date.
    """

    moments: np.ndarray
    positions: np.ndarray
    bad: np.ndarray

    @classmethod
    def read(cls, frame: Frame, name: str, format: str) -> Moments:
        """ISO dates are text in every file; those of another format may be numbers, which files spell differently."""
        from bptrain.data.frame import dictionary_encode

        texts, positions = dictionary_encode(frame.texts(name) if format == ISO else frame.labels(name))
        moments = np.append(seconds(texts, format), np.nan)
        return cls(moments, positions, np.isnan(moments)[positions] & (positions >= 0))


@dataclass(frozen=True)
class DateColumn(LearnedColumn):
    """How one column is read and what is made of it: `parts` in order, then the elapsed days."""

    format: str
    parts: tuple[str, ...]
    cyclic: bool
    elapsed: bool

    @property
    def layout(self) -> list[tuple[str, bool]]:
        """The parts in order, elapsed days last, and whether each becomes sine and cosine, or else is standardised."""
        layout = [(part, self.cyclic and PARTS[part][1] > 0) for part in self.parts]
        return [*layout, (ELAPSED, False)] if self.elapsed else layout

    @property
    def width(self) -> int:
        return sum(2 if is_cyclic else 1 for _, is_cyclic in self.layout)

    def scaled_numbers(self, moments: np.ndarray, origin: float) -> np.ndarray:
        """What is to be standardised of moments (k,): (k, n_scaled) float64, NaN for missing.

        `origin` is the day, since 1970-01-01, from which elapsed days are counted.
        """
        columns = [
            moments / DAY - origin if part == ELAPSED else read_part(part, moments)
            for part, is_cyclic in self.layout
            if not is_cyclic
        ]
        return np.stack(columns, axis=1) if columns else np.empty((len(moments), 0))

    def features(self, moments: np.ndarray, origin: float, mean: np.ndarray, scale: np.ndarray) -> np.ndarray:
        """Features (k, width) float32 of moments (k,), in the order of `layout`; 0 for missing."""
        features = np.zeros((len(moments), self.width), np.float32)
        scaled = iter(((self.scaled_numbers(moments, origin) - mean) / scale).T)
        present, place = ~np.isnan(moments), 0
        for part, is_cyclic in self.layout:
            if is_cyclic:  # computed once for each value of the part
                first, period = PARTS[part]
                angles = 2 * np.pi * np.arange(period) / period
                table = np.stack([np.sin(angles), np.cos(angles)], axis=1).astype(np.float32)
                columns = table[read_part(part, moments[present]).astype(np.int64) - first]
            else:
                columns = next(scaled)[present, None]
            features[present, place : place + columns.shape[1]] = columns
            place += columns.shape[1]
        return features


@dataclass(frozen=True, kw_only=True)
class DateState(FeatureState[DateColumn]):
    """What training rows taught: first and last date (n_columns,) in days, mean and scale (n_scaled,) of what is no
    sine."""

    kind = "date"
    column = DateColumn

    origin_: np.ndarray
    last_: np.ndarray
    mean_: np.ndarray
    scale_: np.ndarray

    def to_json(self) -> Json:
        """With `features`: what each column of the array `date` is."""
        features = [
            f"{column.name}: {part}{end}"
            for column in self.learned
            for part, is_cyclic in column.layout
            for end in ((" sine", " cosine") if is_cyclic else ("",))
        ]
        return super().to_json() | {"features": features}


class DateKind(ColumnKind[DateOptions, DateState]):
    """Date columns: parts of the calendar as sine and cosine, and the days since the earliest training date.

    All date columns are one array `date` (n_rows, n_features) float32; `features` names its columns in order: for each
    date column its `parts`, then, where `elapsed` is true, the days since `origin` (a number of days since 1970-01-01,
    with the time of day as a fraction). Dates are in UTC; a time without a zone counts as UTC, a date without a time is
    midnight.

    With `cyclic`, a part that begins anew is two features, sine and cosine of 2 pi (part - first) / period, with first
    and period: quarter 1, 4; month 1, 12; week 1, 53 (ISO 8601); weekday 0 for Monday, 7; day_of_month 1, 31;
    day_of_year 1, 366; hour 0, 24; minute 0, 60. Without `cyclic`, and always for year and weekend (1 on Saturday and
    Sunday, else 0), a part is one feature; that feature and the elapsed days are (number - mean) / scale, where `mean`
    and `scale` list only these features, in order. All features of a missing cell are 0.

    Columns with missing training cells, listed in `indicators`, also have a column in `date_missing` (n_rows,
    n_indicators) float32: 1 where the cell is missing, else 0. scikit-learn learns mean and scale, saved numbers and
    numpy apply them.
    """

    name = "date"
    options = DateOptions
    state = DateState
    unusable = "no date"
    tells_time = True

    def infer(self, frame: Frame, name: str) -> Inferred[DateOptions] | None:
        """Whether every cell is a date of one format that leaves no doubt which number is the day.

        A column of dates but for some cells, or of two formats, is a DataError that shows cells. One whose days are all
        12 or less, so that they could be months, is no date.
        """
        import pyarrow.compute as pc

        from bptrain.data.frame import dictionary_encode

        first = frame.take(np.flatnonzero(~frame.is_missing(name))[:N_LOOKED_AT])
        for rows in (first, frame):
            look_alike = pc.match_substring_regex(rows.texts(name).drop_null(), LOOK)
            share = (pc.sum(look_alike).as_py() or 0) / max(len(look_alike), 1)
            if share <= 0.5 or (rows is frame and share < NEARLY_ALL):
                return None
        texts, positions = dictionary_encode(frame.texts(name))
        if not np.isnan(seconds(texts, ISO)).any():
            return Inferred(DateOptions(format=ISO), "every value is a date")
        fits = {format: ~np.isnan(seconds(texts, format)) for format in _formats(texts)}
        present = positions[positions >= 0]
        shares = {format: float(mask[present].mean()) for format, mask in fits.items()}
        best = max(shares, key=shares.__getitem__)
        is_day_first_or_month_first = best[:2] in ("%d", "%m")
        other = best.replace("%d", "%?").replace("%m", "%d").replace("%?", "%m")  # day and month in each other's place
        in_doubt = is_day_first_or_month_first and np.array_equal(fits[best], fits[other])
        if fits[best].all() and not in_doubt:
            if not is_day_first_or_month_first:
                return Inferred(DateOptions(format=best), "every value is a date")
            decisive = texts[int(np.flatnonzero(~fits[other])[0])].as_py()
            reason = f"every value is a date written {best}: {decisive} is none the other way round"
            return Inferred(DateOptions(format=best), reason)
        if shares[best] >= NEARLY_ALL and in_doubt:
            return None
        if np.logical_or.reduce(list(fits.values()))[present].mean() < NEARLY_ALL:
            return None
        bad = ~np.append(fits[best], True)[positions]
        raise DataError(
            messages.ALMOST_DATES(
                name=name,
                format=best,
                n_bad=int(bad.sum()),
                n_present=frame.n_present(name),
                examples=frame.examples(name, bad),
                column=yaml_name(name),
                where=frame.where(int(np.flatnonzero(bad)[0])),
            )
        )

    def suspect(self, frame: Frame, name: str) -> Problem | None:
        """Labels of which nearly all look like dates of which nobody can tell the day from the month, or the year."""
        import pyarrow.compute as pc

        texts = frame.texts(name).drop_null()
        fitting = pc.match_substring_regex(texts, AMBIGUOUS)
        if not len(texts) or pc.sum(fitting).as_py() < NEARLY_ALL * len(texts):
            return None
        return messages.LOOKS_LIKE(
            name=name,
            what="dates",
            example=shorten(texts.filter(fitting)[0].as_py()),
            where=frame.where(int(np.flatnonzero(~frame.is_missing(name))[0])),
            hints=(
                'say which number is the day, for instance `{kind: date, format: "%d/%m/%Y"}` under `columns`, or '
                "declare the column's kind under `columns` if this is meant",
            ),
        )

    def check(self, frame: Frame, options: Mapping[str, DateOptions], *, training: bool) -> list[Problem]:
        """Cells that are no date of their column's format; of training rows, columns without any value."""
        if training:
            return empty_columns(frame, options, "a date")
        masks = {name: Moments.read(frame, name, column.format).bad for name, column in options.items()}
        return [self.bad_cells(frame, name, mask) for name, mask in masks.items() if mask.any()]

    def bad_cells(self, frame: Frame, name: str, mask: np.ndarray) -> Problem:
        """The problem of cells that are no date."""
        example = f'columns: {{{yaml_name(name)}: {{kind: date, format: "%d.%m.%Y"}}}}'
        hint = f"if dates are written in another way, say how, for instance `{example}`"
        return unreadable_cells(frame, name, mask, "is a date, but {} are no date of its format", hint)

    def learn(self, frame: Frame, options: Mapping[str, DateOptions], paths: AllowedPaths) -> DateState:
        """Earliest dates, and means and standard deviations of what is no sine."""
        from sklearn.preprocessing import StandardScaler

        problems = self.check(frame, options, training=True)
        read = {name: Moments.read(frame, name, column.format) for name, column in options.items()}
        problems += [self.bad_cells(frame, name, column.bad) for name, column in read.items() if column.bad.any()]
        if problems:
            raise DataError(*problems)
        dates = []
        for name, column in options.items():
            moments = read[name].moments
            has_times = (moments[~np.isnan(moments)] % DAY != 0).any()
            usual = (*ALWAYS, "hour") if has_times else ALWAYS
            parts = usual if column.parts is None else column.parts
            dates.append(DateColumn(name, column.format, parts, column.cyclic, column.elapsed))
        origin = np.array([np.nanmin(column.moments) / DAY for column in read.values()])
        last = np.array([np.nanmax(column.moments) / DAY for column in read.values()])
        numbers = [
            column.scaled_numbers(read[column.name].moments, first)[read[column.name].positions]
            for column, first in zip(dates, origin, strict=True)
        ]
        raw, mean, scale = np.concatenate(numbers, axis=1), np.empty(0), np.empty(0)
        if raw.shape[1]:
            scaler = StandardScaler().fit(raw)
            mean, scale = np.asarray(scaler.mean_, np.float64), np.asarray(scaler.scale_, np.float64)
            if not np.array_equal((raw - mean) / scale, scaler.transform(raw), equal_nan=True):
                raise RuntimeError("our standard scaling differs from scikit-learn's")
        missing = [name for name, column in read.items() if options[name].indicator and (column.positions < 0).any()]
        return DateState(
            learned=tuple(dates), indicators=tuple(missing), origin_=origin, last_=last, mean_=mean, scale_=scale
        )

    def transform(self, state: DateState, frame: Frame, paths: AllowedPaths) -> Transformed:
        """The features; cells that are no date are `bad` and count as missing."""
        features, absent, start = [], {}, 0
        result = Transformed({})
        for column, origin, last in zip(state.learned, state.origin_, state.last_, strict=True):
            read = Moments.read(frame, column.name, column.format)
            own = slice(start, start + sum(not is_cyclic for _, is_cyclic in column.layout))
            start = own.stop
            made = column.features(read.moments, origin, state.mean_[own], state.scale_[own])
            features.append(made[read.positions])
            absent[column.name] = np.isnan(read.moments)[read.positions]
            days = read.moments / DAY
            beyond = ((days < origin) | (days > last))[read.positions]
            if read.bad.any():
                result.bad[column.name] = read.bad
            if beyond.any():
                result.outside[column.name] = int(beyond.sum())
        result.arrays["date"] = np.concatenate(features, axis=1)
        if state.indicators:
            missing = np.stack([absent[name] for name in state.indicators], axis=1)
            result.arrays["date_missing"] = missing.astype(np.float32)
        return result

    def array_shapes(self, saved: Json) -> Inputs:
        """Dtypes and shapes of the arrays that belong to `saved`."""
        columns = [DateColumn(**column) for column in saved["columns"]]
        n_scaled = sum(not is_cyclic for column in columns for _, is_cyclic in column.layout)
        lengths = {"origin": len(columns), "last": len(columns), "mean": n_scaled, "scale": n_scaled}
        return {name: ("<f8", (length,)) for name, length in lengths.items()}


DATE = DateKind()


def read_part(name: str, moments: np.ndarray) -> np.ndarray:
    """A part (k,) float64 of moments (k,); NaN stays NaN."""
    known = np.nan_to_num(moments)
    day_numbers = np.floor_divide(known, DAY)
    days = day_numbers.astype(np.int64).astype("datetime64[D]")
    seconds = known - day_numbers * DAY
    weekdays = (days.astype(np.int64) + 3) % 7  # 1970-01-01 was a Thursday
    months = days.astype("datetime64[M]")
    match name:
        case "year":
            part = days.astype("datetime64[Y]").astype(np.int64) + 1970
        case "quarter":
            part = months.astype(np.int64) % 12 // 3 + 1
        case "month":
            part = months.astype(np.int64) % 12 + 1
        case "week":  # of ISO 8601: a week belongs to the year that has its Thursday
            thursdays = days - weekdays + 3
            part = (thursdays - thursdays.astype("datetime64[Y]")).astype(np.int64) // 7 + 1
        case "weekday":
            part = weekdays
        case "weekend":
            part = (weekdays >= 5).astype(np.int64)
        case "day_of_month":
            part = (days - months).astype(np.int64) + 1
        case "day_of_year":
            part = (days - days.astype("datetime64[Y]")).astype(np.int64) + 1
        case "hour":
            part = (seconds // 3600).astype(np.int64)
        case _:  # minute
            part = (seconds % 3600 // 60).astype(np.int64)
    return np.where(np.isnan(moments), np.nan, part)


def seconds(texts: pa.Array, format: str) -> np.ndarray:
    """Seconds since 1970-01-01 in UTC (k,) float64 of each text; NaN for what is no date of this format.

    `format` is `iso` or a strptime format. A time without a zone counts as UTC; one without seconds is at their start.
    A leap second is the first of the next minute.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    from bptrain.data.frame import parse_numbers, text_array

    empty, minus, zero, one = text_array(["", "-", "0", "1"])  # from Python's text, Arrow imports pandas
    groups = pc.extract_regex(pc.utf8_trim_whitespace(texts), pattern=_pattern(format))
    fields = {field.name: pc.struct_field(groups, [place]) for place, field in enumerate(groups.type)}
    numbers = {}  # the digits of each text; NaN where the text did not fit, the default where it lacks the field
    for name, field in fields.items():
        if name == "s":  # the sign of the zone
            numbers[name] = 1 - 2 * parse_numbers(pc.equal(field, minus).cast(pa.int8()))[0]
        else:
            default = one if name in ("m", "d") else zero
            numbers[name] = parse_numbers(pc.if_else(pc.equal(field, empty), default, field))[0]
    if "f" in fields:
        numbers["f"] = numbers["f"] / 10.0 ** parse_numbers(pc.utf8_length(fields["f"]))[0]
    hour, minute, second = (numbers.get(name, ZERO) for name in "HMS")
    is_time = (hour <= 23) & (minute <= 59) & (second <= 60)
    in_day = np.where(is_time, hour * 3600 + minute * 60 + second + numbers.get("f", ZERO), np.nan)
    sign, hours, minutes = (numbers.get(name, ZERO) for name in "sop")
    before_utc = np.where((hours <= 23) & (minutes <= 59), sign * (hours * 3600 + minutes * 60), np.nan)
    if "y" in numbers:
        numbers["Y"] = numbers["y"] + np.where(numbers["y"] >= CENTURY, 1900, 2000)
    year, month, day = numbers["Y"], numbers.get("m", ONE), numbers.get("d", ONE)
    possible = (year >= 1) & (month >= 1) & (month <= 12) & (day >= 1)
    months = np.where(possible, (year - 1970) * 12 + month - 1, 0).astype(np.int64)
    first, after = (
        number.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64) for number in (months, months + 1)
    )
    days = np.where(possible & (day <= after - first), first + day - 1, np.nan)
    return np.asarray(days * DAY + in_day - before_utc)


def _pattern(format: str) -> str:
    """A regular expression (RE2) of the whole cell with a group for each field."""
    if format == ISO:
        return ISO_PATTERN
    pieces = re.findall(r"%.|[^%]+", format)
    are_fields = [False, *(piece[0] == "%" and piece != "%%" for piece in pieces), False]
    groups = []
    for position, piece in enumerate(pieces):
        if not are_fields[position + 1]:
            groups.append(re.escape("%" if piece == "%%" else piece))
        elif piece == "%z":
            groups.append(f"(?:{ZONE}|{SIGN})")
        else:  # a field beside another one has all its digits, so that 20160702 can be read in one way only
            crowded = are_fields[position] or are_fields[position + 2]
            least, most = WIDTHS.get(piece[1], (2 if crowded or piece == "%y" else 1, 2))
            groups.append(rf"(?P<{piece[1]}>\d{{{least},{most}}})")
    return f"^{''.join(groups)}$"


def _formats(texts: pa.Array) -> list[str]:
    """Those that some cell might have, ISO first; a separator or time that is nowhere need not be tried."""
    import pyarrow.compute as pc

    dates = ["%Y{0}%m{0}%d", "%d{0}%m{0}%Y", "%m{0}%d{0}%Y"]
    present = [mark for mark in SEPARATORS if pc.any(pc.match_substring(texts, mark)).as_py()]
    times = [time for time in TIMES if not time or pc.any(pc.match_substring(texts, ":")).as_py()]
    return [ISO, *(date.format(mark) + time for date in dates for mark in present for time in times)]
