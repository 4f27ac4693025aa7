"""Date columns: parts of the calendar as sine and cosine, and the days since the earliest training date."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from bptrain.errors import DataError, Problem
from bptrain.features.date.calendar import DAY, DateColumn, n_scaled
from bptrain.features.date.options import ISO, DateOptions
from bptrain.features.kind import (
    ColumnKind,
    FeatureState,
    Inferred,
    Inputs,
    Json,
    Transformed,
    empty_columns,
    unreadable_cells,
    with_indicators,
)
from bptrain.utils.text import yaml_name

if TYPE_CHECKING:
    from bptrain.data.files import AllowedPaths
    from bptrain.data.frame import Frame

ALWAYS = ("month", "day_of_month", "weekday", "day_of_year")  # with `parts` left open; `hour` where there are times


@dataclass(frozen=True)
class Moments:
    """The different cells of a column as moments (k + 1,) in seconds since 1970-01-01, NaN for no date; the last one
    stands for missing cells. `positions` (n_rows,) says which is whose."""

    moments: np.ndarray
    positions: np.ndarray

    @classmethod
    def read(cls, frame: Frame, name: str, format: str) -> Moments:
        """ISO dates are text in every file; those of another format may be numbers, which files spell differently."""
        from bptrain.data.frame import dictionary_encode
        from bptrain.features.date.formats import seconds

        texts, positions = dictionary_encode(frame.texts(name) if format == ISO else frame.labels(name))
        return cls(np.append(seconds(texts, format), np.nan), positions)

    @property
    def bad(self) -> np.ndarray:
        """Mask (n_rows,) of cells that are present but no date."""
        return np.asarray(np.isnan(self.moments)[self.positions] & (self.positions >= 0))


@dataclass(frozen=True)
class DateState(FeatureState):
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
        return [name for column in self.dates for name in column.feature_names]

    @property
    def inputs(self) -> Inputs:
        return with_indicators("date", len(self.features), self.indicators)

    def to_json(self) -> Json:
        columns = [asdict(column) for column in self.dates]
        return {"columns": columns, "features": self.features, "indicators": list(self.indicators)}

    def arrays(self) -> dict[str, np.ndarray]:
        return {"origin": self.origin_, "last": self.last_, "mean": self.mean_, "scale": self.scale_}


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
    unusable = "no date"
    tells_time = True

    def infer(self, frame: Frame, name: str) -> Inferred[DateOptions] | None:
        """Whether every cell is a date of one format that leaves no doubt which number is the day."""
        from bptrain.features.date.formats import infer_format

        return infer_format(frame, name)

    def suspect(self, frame: Frame, name: str) -> Problem | None:
        """Dates of which nobody can tell the day from the month, or the year."""
        from bptrain.features.date.formats import suspect_dates

        return suspect_dates(frame, name)

    def check(self, frame: Frame, options: Mapping[str, DateOptions]) -> list[Problem]:
        """Cells that are no date of their column's format."""
        masks = {name: Moments.read(frame, name, column.format).bad for name, column in options.items()}
        return [self.bad_cells(frame, name, mask) for name, mask in masks.items() if mask.any()]

    def check_training(self, frame: Frame, options: Mapping[str, DateOptions]) -> list[Problem]:
        """Columns without any value."""
        return empty_columns(frame, options, "a date")

    def bad_cells(self, frame: Frame, name: str, mask: np.ndarray) -> Problem:
        """The problem of cells that are no date."""
        example = f'columns: {{{yaml_name(name)}: {{kind: date, format: "%d.%m.%Y"}}}}'
        hint = f"if dates are written in another way, say how, for instance `{example}`"
        return unreadable_cells(frame, name, mask, "is a date, but {} are no date of its format", hint)

    def learn(self, frame: Frame, options: Mapping[str, DateOptions], paths: AllowedPaths) -> DateState:
        """Earliest dates, and means and standard deviations of what is no sine."""
        problems = self.check_training(frame, options)
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
        raw = [
            column.scaled_numbers(read[column.name].moments, first)[read[column.name].positions]
            for column, first in zip(dates, origin, strict=True)
        ]
        mean, scale = _learn_scale(np.concatenate(raw, axis=1))
        missing = [name for name, column in read.items() if options[name].indicator and (column.positions < 0).any()]
        return DateState(tuple(dates), origin, last, mean, scale, tuple(missing))

    def transform(self, state: DateState, frame: Frame, paths: AllowedPaths) -> Transformed:
        """The features; cells that are no date are `bad` and count as missing."""
        features, absent, start = [], {}, 0
        bad: dict[str, np.ndarray] = {}
        outside: dict[str, int] = {}
        for column, origin, last in zip(state.dates, state.origin_, state.last_, strict=True):
            read = Moments.read(frame, column.name, column.format)
            own = slice(start, start + n_scaled([column]))
            start = own.stop
            made = column.features(read.moments, origin, state.mean_[own], state.scale_[own])
            features.append(made[read.positions])
            absent[column.name] = np.isnan(read.moments)[read.positions]
            days = read.moments / DAY
            beyond = ((days < origin) | (days > last))[read.positions]
            if read.bad.any():
                bad[column.name] = read.bad
            if beyond.any():
                outside[column.name] = int(beyond.sum())
        arrays = {"date": np.concatenate(features, axis=1)}
        if state.indicators:
            arrays["date_missing"] = np.stack([absent[name] for name in state.indicators], axis=1).astype(np.float32)
        return Transformed(arrays, bad, outside=outside)

    def load(self, saved: Json, arrays: Mapping[str, np.ndarray]) -> DateState:
        """The state that `to_json` and `arrays` wrote."""
        learned = {f"{name}_": arrays[name] for name in ("origin", "last", "mean", "scale")}
        return DateState(_columns(saved), **learned, indicators=tuple(saved["indicators"]))

    def array_shapes(self, saved: Json) -> Inputs:
        """Dtypes and shapes of the arrays that belong to `saved`."""
        columns = _columns(saved)
        lengths = {"origin": len(columns), "last": len(columns), "mean": n_scaled(columns), "scale": n_scaled(columns)}
        return {name: ("<f8", (length,)) for name, length in lengths.items()}


def _columns(saved: Json) -> tuple[DateColumn, ...]:
    return tuple(DateColumn(**(column | {"parts": tuple(column["parts"])})) for column in saved["columns"])


def _learn_scale(raw: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Means and standard deviations (n_scaled,) of the cells that are present."""
    from sklearn.preprocessing import StandardScaler

    if not raw.shape[1]:
        return np.empty(0), np.empty(0)
    scaler = StandardScaler().fit(raw)
    if not np.array_equal((raw - scaler.mean_) / scaler.scale_, scaler.transform(raw), equal_nan=True):
        raise RuntimeError("our standard scaling differs from scikit-learn's")
    return np.asarray(scaler.mean_, np.float64), np.asarray(scaler.scale_, np.float64)


DATE = DateKind()
