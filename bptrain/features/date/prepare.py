"""Date columns: parts of the calendar as sine and cosine, and the days since the earliest training date.

All date columns are one array `date` (n_rows, n_features) float32; `features` names its columns in order: for each date
column its `parts`, then, where `elapsed` is true, the days since `origin` (a number of days since 1970-01-01, with the
time of day as a fraction). Dates are in UTC; a time without a zone counts as UTC, a date without a time is midnight.

With `cyclic`, a part that begins anew is two features, sine and cosine of 2 pi (part - first) / period, with first and
period: quarter 1, 4; month 1, 12; week 1, 53 (ISO 8601); weekday 0 for Monday, 7; day_of_month 1, 31; day_of_year 1,
366; hour 0, 24; minute 0, 60. Without `cyclic`, and always for year and weekend (1 on Saturday and Sunday, else 0), a
part is one feature; that feature and the elapsed days are (number - mean) / scale, where `mean` and `scale` list only
these features, in order. All features of a missing cell are 0.

Columns with missing training cells, listed in `indicators`, also have a column in `date_missing` (n_rows, n_indicators)
float32: 1 where the cell is missing, else 0. scikit-learn learns mean and scale, saved numbers and numpy apply them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass

import numpy as np

from bptrain.data.frame import Frame
from bptrain.errors import DataError, Problem
from bptrain.features import refusal
from bptrain.features.date.features import DateColumn, features, n_scaled, numbers
from bptrain.features.date.formats import DAY, ISO, seconds
from bptrain.features.date.options import DateOptions
from bptrain.features.date.recognise import recognise
from bptrain.features.distinct import distinct
from bptrain.features.kind import Json, Transformed, n_numbers
from bptrain.utils.text import yaml_name

__all__ = ["array_shapes", "check", "check_training", "learn", "load", "recognise", "transform", "unusable"]

UNUSABLE = "no date"
ALWAYS = ("month", "day_of_month", "weekday", "day_of_year")  # with `parts` left open; `hour` where there are times


@dataclass(frozen=True)
class DateState:
    """What training rows taught: first and last date (n_columns,) in days, mean and scale (n_scaled,) of what is no
    sine."""

    dates: tuple[DateColumn, ...]
    origin_: np.ndarray
    last_: np.ndarray
    mean_: np.ndarray
    scale_: np.ndarray
    indicators: tuple[str, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.dates)

    @property
    def features(self) -> list[str]:
        """What each column of the array `date` is."""
        return [name for column in self.dates for name in column.names()]

    @property
    def inputs(self) -> dict[str, tuple[str, tuple[int, ...]]]:
        """Arrays given to the network: name → (dtype, shape of one row)."""
        arrays: dict[str, tuple[str, tuple[int, ...]]] = {"date": ("float32", (len(self.features),))}
        if self.indicators:
            arrays["date_missing"] = ("float32", (len(self.indicators),))
        return arrays

    @property
    def n_features(self) -> int:
        """How many numbers a row gives."""
        return n_numbers(self.inputs)

    def to_json(self) -> Json:
        columns = [asdict(column) for column in self.dates]
        return {"columns": columns, "features": self.features, "indicators": list(self.indicators)}

    def arrays(self) -> dict[str, np.ndarray]:
        return {"origin": self.origin_, "last": self.last_, "mean": self.mean_, "scale": self.scale_}


@dataclass(frozen=True)
class Read:
    """The different cells of a column as moments (k + 1,) in seconds since 1970-01-01, NaN for no date; the last one
    stands for missing cells. `positions` (n_rows,) says which is whose."""

    moments: np.ndarray
    positions: np.ndarray

    def bad(self) -> np.ndarray:
        """Mask (n_rows,) of cells that are present but no date."""
        return np.asarray(np.isnan(self.moments)[self.positions] & (self.positions >= 0))

    def n_outside(self, first: float, last: float) -> int:
        """How many cells are before the first or after the last day."""
        days = self.moments / DAY
        return int(((days < first) | (days > last))[self.positions].sum())


def load(saved: Json, arrays: Mapping[str, np.ndarray]) -> DateState:
    """The state that `to_json` and `arrays` wrote."""
    learned = {f"{name}_": arrays[name] for name in ("origin", "last", "mean", "scale")}
    return DateState(_columns(saved), **learned, indicators=tuple(saved["indicators"]))


def array_shapes(saved: Json) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Names, dtypes and shapes of the arrays that belong to `saved`."""
    columns = _columns(saved)
    lengths = {"origin": len(columns), "last": len(columns), "mean": n_scaled(columns), "scale": n_scaled(columns)}
    return {name: ("<f8", (length,)) for name, length in lengths.items()}


def check(frame: Frame, options: Mapping[str, DateOptions]) -> None:
    """Raise DataError for cells that are no date of their column's format."""
    _refuse_bad(frame, {name: _read(frame, name, chosen.format) for name, chosen in options.items()})


def check_training(frame: Frame, options: Mapping[str, DateOptions]) -> None:
    """Raise DataError for columns without any value."""
    problems = [refusal.empty(name, "a date") for name in options if not frame.n_present(name)]
    if problems:
        raise DataError(*problems)


def learn(frame: Frame, options: Mapping[str, DateOptions]) -> DateState:
    """Earliest dates, means and standard deviations of the training rows in `frame`.

    Raises DataError when a cell is no date or a column has no value at all.
    """
    check_training(frame, options)
    read = {name: _read(frame, name, chosen.format) for name, chosen in options.items()}
    _refuse_bad(frame, read)
    dates = tuple(_settled(name, chosen, read[name].moments) for name, chosen in options.items())
    origin = np.array([np.nanmin(column.moments) / DAY for column in read.values()])
    last = np.array([np.nanmax(column.moments) / DAY for column in read.values()])
    raw = [
        numbers(column, read[column.name].moments, first)[read[column.name].positions]
        for column, first in zip(dates, origin, strict=True)
    ]
    mean, scale = _learn_scale(np.concatenate(raw, axis=1))
    missing = [name for name, column in read.items() if options[name].indicator and (column.positions < 0).any()]
    return DateState(dates, origin, last, mean, scale, tuple(missing))


def transform(state: DateState, frame: Frame) -> Transformed:
    """The arrays of `frame`'s rows; cells that are no date are reported in `bad` and count as missing."""
    read = {column.name: _read(frame, column.name, column.format) for column in state.dates}
    arrays = {"date": np.concatenate(list(_features(state, read)), axis=1)}
    if state.indicators:
        absent = [np.isnan(read[name].moments)[read[name].positions] for name in state.indicators]
        arrays["date_missing"] = np.stack(absent, axis=1).astype(np.float32)
    bad = {name: column.bad() for name, column in read.items()}
    outside = {
        column.name: read[column.name].n_outside(first, last)
        for column, first, last in zip(state.dates, state.origin_, state.last_, strict=True)
    }
    return Transformed(
        arrays,
        {name: mask for name, mask in bad.items() if mask.any()},
        outside={name: n for name, n in outside.items() if n},
    )


def unusable(frame: Frame, name: str, mask: np.ndarray) -> Problem:
    """The problem of cells that are no date."""
    other = f'columns: {{{yaml_name(name)}: {{kind: date, format: "%d.%m.%Y"}}}}'
    remedy = f"if dates are written in another way, say how, for instance `{other}`"
    return refusal.unreadable(frame, name, mask, "is a date, but {} are no date of its format", remedy)


def _columns(saved: Json) -> tuple[DateColumn, ...]:
    return tuple(DateColumn(**(column | {"parts": tuple(column["parts"])})) for column in saved["columns"])


def _read(frame: Frame, name: str, format: str) -> Read:
    """ISO dates are text in every file; those of another format may be numbers, which files spell differently."""
    texts, positions = distinct(frame.texts(name) if format == ISO else frame.labels(name))
    return Read(np.append(seconds(texts, format), np.nan), positions)


def _refuse_bad(frame: Frame, read: Mapping[str, Read]) -> None:
    problems = [unusable(frame, name, column.bad()) for name, column in read.items() if column.bad().any()]
    if problems:
        raise DataError(*problems)


def _settled(name: str, options: DateOptions, moments: np.ndarray) -> DateColumn:
    some_time = bool((moments[~np.isnan(moments)] % DAY != 0).any())
    parts = options.parts if options.parts is not None else ALWAYS + (("hour",) if some_time else ())
    return DateColumn(name, options.format, parts, options.cyclic, options.elapsed)


def _learn_scale(raw: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Means and standard deviations (n_scaled,) of the cells that are present."""
    from sklearn.preprocessing import StandardScaler

    if not raw.shape[1]:
        return np.empty(0), np.empty(0)
    scaler = StandardScaler().fit(raw)
    if not np.array_equal((raw - scaler.mean_) / scaler.scale_, scaler.transform(raw), equal_nan=True):
        raise RuntimeError("our standard scaling differs from scikit-learn's")
    return np.asarray(scaler.mean_, np.float64), np.asarray(scaler.scale_, np.float64)


def _features(state: DateState, read: Mapping[str, Read]) -> Iterator[np.ndarray]:
    """Of each column, (n_rows, its features)."""
    start = 0
    for column, origin in zip(state.dates, state.origin_, strict=True):
        own = slice(start, start + n_scaled([column]))
        made = features(column, read[column.name].moments, origin, state.mean_[own], state.scale_[own])
        yield made[read[column.name].positions]
        start = own.stop
