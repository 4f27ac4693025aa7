"""Text of dates to seconds: ISO 8601, or a strptime format of numeric fields, each cell judged by itself.

Arrow's regular expressions take the text apart and NumPy's calendar does the rest: Arrow's own strptime takes
2024-02-30 for the 1st of March, and pandas is slow to import. Years are 1 to 9999, in
today's calendar also before 1582.
"""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bptrain.data import values
from bptrain.data.values import text_array

ISO = "iso"
CENTURY = 69  # two-digit years from here on are 19xx, the others 20xx, as in POSIX
DAY = 86400
ZERO, ONE = np.zeros(()), np.ones(())  # of fields that a format does not have

EMPTY, MINUS, ZERO_TEXT, ONE_TEXT = text_array(["", "-", "0", "1"])  # from Python's text, Arrow imports pandas

_DATE = r"(?P<Y>\d{4})-(?P<m>\d{1,2})-(?P<d>\d{1,2})"
_TIME = r"(?P<H>\d{1,2}):(?P<M>\d{2})(?::(?P<S>\d{2})(?:\.(?P<f>\d{1,9}))?)?"
_SIGN, _ZONE = r"(?P<s>[+-])(?P<o>\d{2}):?(?P<p>\d{2})?", r"[Zz]"
_ISO = rf"^{_DATE}(?:[Tt ]{_TIME}(?: ?(?:{_ZONE}|{_SIGN}))?)?$"
_WIDTHS = {"Y": (4, 4), "f": (1, 9)}  # digits, least and most; other fields have one or two
_Numbers = dict[str, np.ndarray]


def seconds(texts: pa.Array, format: str) -> np.ndarray:
    """Seconds since 1970-01-01 in UTC (k,) float64 of each text; NaN for what is no date of this format.

    `format` is `iso` or a strptime format. A time without a zone counts as UTC; one without seconds is at their start.
    """
    found = pc.extract_regex(pc.utf8_trim_whitespace(texts), pattern=_pattern(format))
    names = [field.name for field in found.type]
    fields = {name: pc.struct_field(found, [place]) for place, name in enumerate(names)}
    numbers = {name: _number(field, name) for name, field in fields.items()}
    if "f" in fields:
        numbers["f"] = numbers["f"] / 10.0 ** values.numbers(pc.utf8_length(fields["f"]))[0]
    return np.asarray(_day(numbers) * DAY + _second(numbers) - _shift(numbers))


def _number(field: pa.Array, name: str) -> np.ndarray:
    """The digits of each text (k,) float64; NaN where the text did not fit, the default where it lacks the field."""
    if name == "s":
        return 1 - 2 * values.numbers(pc.equal(field, MINUS).cast(pa.int8()))[0]
    default = ONE_TEXT if name in ("m", "d") else ZERO_TEXT
    return values.numbers(pc.if_else(pc.equal(field, EMPTY), default, field))[0]


def _pattern(format: str) -> str:
    """A regular expression (RE2) of the whole cell with a group for each field."""
    if format == ISO:
        return _ISO
    pieces = re.findall(r"%.|[^%]+", format)
    written = []
    for position, piece in enumerate(pieces):
        beside = [*pieces[max(position - 1, 0) : position], *pieces[position + 1 : position + 2]]
        written.append(_group(piece, crowded=any(map(_is_field, beside))))
    return f"^{''.join(written)}$"


def _is_field(piece: str) -> bool:
    return piece[0] == "%" and piece != "%%"


def _group(piece: str, *, crowded: bool) -> str:
    """A field beside another one has all its digits, so that 20160702 can be read in one way only."""
    if not _is_field(piece):
        return re.escape("%" if piece == "%%" else piece)
    name = piece[1]
    if name == "z":
        return f"(?:{_ZONE}|{_SIGN})"
    least, most = _WIDTHS.get(name, (2 if crowded or name == "y" else 1, 2))
    return rf"(?P<{name}>\d{{{least},{most}}})"


def _day(numbers: _Numbers) -> np.ndarray:
    """Days since 1970-01-01 (k,) float64; NaN where there is no such day."""
    year, month, day = _year(numbers), numbers.get("m", ONE), numbers.get("d", ONE)
    possible = (year >= 1) & (month >= 1) & (month <= 12) & (day >= 1)
    months = np.where(possible, (year - 1970) * 12 + month - 1, 0).astype(np.int64)
    first, after = _first_day(months), _first_day(months + 1)
    return np.where(possible & (day <= after - first), first + day - 1, np.nan)


def _first_day(months: np.ndarray) -> np.ndarray:
    """Days since 1970-01-01 of the first day of months since 1970-01."""
    return months.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)


def _year(numbers: _Numbers) -> np.ndarray:
    """NaN where the text did not fit: the year is the one field that every format has."""
    if "Y" in numbers:
        return numbers["Y"]
    return numbers["y"] + np.where(numbers["y"] >= CENTURY, 1900, 2000)


def _second(numbers: _Numbers) -> np.ndarray:
    """Seconds of the day (k,) float64; NaN where there is no such time. A leap second is the next minute's first."""
    hour, minute, second = (numbers.get(name, ZERO) for name in "HMS")
    possible = (hour <= 23) & (minute <= 59) & (second <= 60)
    return np.where(possible, hour * 3600 + minute * 60 + second + numbers.get("f", ZERO), np.nan)


def _shift(numbers: _Numbers) -> np.ndarray:
    """Seconds by which the zone of each text is before UTC (k,); NaN where there is no such zone."""
    sign, hours, minutes = (numbers.get(name, ZERO) for name in "sop")
    return np.where((hours <= 23) & (minutes <= 59), sign * (hours * 3600 + minutes * 60), np.nan)
