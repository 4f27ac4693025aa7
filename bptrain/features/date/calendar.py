"""Moments to features: parts of the calendar as sine and cosine where they begin anew, standardised numbers else.

A moment is a number of seconds since 1970-01-01 in UTC, float64; NaN stands for a missing one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

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


@dataclass(frozen=True)
class DateColumn:
    """How one column is read and what is made of it: `parts` in order, then the elapsed days."""

    name: str
    format: str
    parts: tuple[str, ...]
    cyclic: bool
    elapsed: bool

    @property
    def cyclic_parts(self) -> tuple[str, ...]:
        """The parts that become sine and cosine."""
        return tuple(part for part in self.parts if self.cyclic and PARTS[part][1] > 0)

    @property
    def scaled_parts(self) -> tuple[str, ...]:
        """The others, which are standardised, `elapsed` last."""
        scaled = tuple(part for part in self.parts if part not in self.cyclic_parts)
        return (*scaled, ELAPSED) if self.elapsed else scaled

    @property
    def feature_names(self) -> list[str]:
        """The names of its features, in order."""
        names = []
        for part in (*self.parts, *((ELAPSED,) if self.elapsed else ())):
            ends = (" sine", " cosine") if part in self.cyclic_parts else ("",)
            names += [f"{self.name}: {part}{end}" for end in ends]
        return names

    def scaled_numbers(self, moments: np.ndarray, origin: float) -> np.ndarray:
        """What is to be standardised of moments (k,): (k, n_scaled) float64, NaN for missing.

        `origin` is the day, since 1970-01-01, from which elapsed days are counted.
        """
        columns = [
            moments / DAY - origin if part == ELAPSED else read_part(part, moments) for part in self.scaled_parts
        ]
        return np.stack(columns, axis=1) if columns else np.empty((len(moments), 0))

    def features(self, moments: np.ndarray, origin: float, mean: np.ndarray, scale: np.ndarray) -> np.ndarray:
        """Features (k, n_features) float32 of moments (k,), in the order of `feature_names`; 0 for missing."""
        features = np.zeros((len(moments), len(self.feature_names)), np.float32)
        scaled = iter(((self.scaled_numbers(moments, origin) - mean) / scale).T)
        present, place = ~np.isnan(moments), 0
        for part in (*self.parts, *((ELAPSED,) if self.elapsed else ())):
            if part in self.cyclic_parts:  # computed once for each value of the part
                first, period = PARTS[part]
                angles = 2 * np.pi * np.arange(period) / period
                table = np.stack([np.sin(angles), np.cos(angles)], axis=1).astype(np.float32)
                columns = table[read_part(part, moments[present]).astype(np.int64) - first]
            else:
                columns = next(scaled)[present, None]
            features[present, place : place + columns.shape[1]] = columns
            place += columns.shape[1]
        return features


def n_scaled(columns: Iterable[DateColumn]) -> int:
    """How many features of several columns are no sine or cosine."""
    return sum(len(column.scaled_parts) for column in columns)
