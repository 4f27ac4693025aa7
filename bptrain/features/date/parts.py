"""Parts of the calendar: what each is, where it begins and after how many it begins anew."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bptrain.features.date.formats import DAY

Read = Callable[[np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class CalendarPart:
    """`read` takes days (k,) datetime64[D] and seconds of the day (k,); `period` is 0 for what never begins anew."""

    read: Read
    first: int = 0
    period: int = 0


def _year(days: np.ndarray, seconds: np.ndarray) -> np.ndarray:
    return days.astype("datetime64[Y]").astype(np.int64) + 1970


def _month(days: np.ndarray, seconds: np.ndarray) -> np.ndarray:
    return days.astype("datetime64[M]").astype(np.int64) % 12 + 1


def _quarter(days: np.ndarray, seconds: np.ndarray) -> np.ndarray:
    return (_month(days, seconds) + 2) // 3


def _day_of_month(days: np.ndarray, seconds: np.ndarray) -> np.ndarray:
    return np.asarray(days - days.astype("datetime64[M]")).astype(np.int64) + 1


def _day_of_year(days: np.ndarray, seconds: np.ndarray) -> np.ndarray:
    return np.asarray(days - days.astype("datetime64[Y]")).astype(np.int64) + 1


def _weekday(days: np.ndarray, seconds: np.ndarray) -> np.ndarray:
    return (days.astype(np.int64) + 3) % 7  # 1970-01-01 was a Thursday


def _week(days: np.ndarray, seconds: np.ndarray) -> np.ndarray:
    """Of ISO 8601: a week belongs to the year that has its Thursday."""
    return (_day_of_year(days - _weekday(days, seconds) + 3, seconds) + 6) // 7


def _weekend(days: np.ndarray, seconds: np.ndarray) -> np.ndarray:
    return (_weekday(days, seconds) >= 5).astype(np.int64)


def _hour(days: np.ndarray, seconds: np.ndarray) -> np.ndarray:
    return (seconds // 3600).astype(np.int64)


def _minute(days: np.ndarray, seconds: np.ndarray) -> np.ndarray:
    return (seconds % 3600 // 60).astype(np.int64)


PARTS = {
    "year": CalendarPart(_year),
    "quarter": CalendarPart(_quarter, 1, 4),
    "month": CalendarPart(_month, 1, 12),
    "week": CalendarPart(_week, 1, 53),
    "weekday": CalendarPart(_weekday, 0, 7),
    "weekend": CalendarPart(_weekend),
    "day_of_month": CalendarPart(_day_of_month, 1, 31),
    "day_of_year": CalendarPart(_day_of_year, 1, 366),
    "hour": CalendarPart(_hour, 0, 24),
    "minute": CalendarPart(_minute, 0, 60),
}


def read_part(name: str, moments: np.ndarray) -> np.ndarray:
    """A part (k,) float64 of moments (k,) in seconds since 1970-01-01; NaN stays NaN."""
    known = np.nan_to_num(moments)
    days = np.floor_divide(known, DAY)
    part = PARTS[name].read(days.astype(np.int64).astype("datetime64[D]"), known - days * DAY)
    return np.where(np.isnan(moments), np.nan, part)
