"""Dates written as text: to seconds by ISO 8601 or a strptime format of numeric fields, and which format a column has.

Each cell is judged by itself; day and month are never guessed.

Arrow's regular expressions take the text apart and NumPy's calendar does the rest: Arrow's own strptime takes
2024-02-30 for the 1st of March, and pandas is slow to import. Years are 1 to 9999, in
today's calendar also before 1582.
"""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bptrain.data.frame import Frame, dictionary_encode, parse_numbers, text_array
from bptrain.data.limits import NEARLY_ALL
from bptrain.errors import DataError, Problem
from bptrain.features.date.calendar import DAY
from bptrain.features.date.options import ISO, DateOptions
from bptrain.features.kind import Inferred
from bptrain.messages import features as messages
from bptrain.utils.text import shorten, yaml_name

CENTURY = 69  # two-digit years from here on are 19xx, the others 20xx, as in POSIX
ZERO, ONE = np.zeros(()), np.ones(())  # of fields that a format does not have
EMPTY, MINUS, ZERO_TEXT, ONE_TEXT = text_array(["", "-", "0", "1"])  # from Python's text, Arrow imports pandas

_DATE = r"(?P<Y>\d{4})-(?P<m>\d{1,2})-(?P<d>\d{1,2})"
_TIME = r"(?P<H>\d{1,2}):(?P<M>\d{2})(?::(?P<S>\d{2})(?:\.(?P<f>\d{1,9}))?)?"
_SIGN, _ZONE = r"(?P<s>[+-])(?P<o>\d{2}):?(?P<p>\d{2})?", r"[Zz]"
_ISO = rf"^{_DATE}(?:[Tt ]{_TIME}(?: ?(?:{_ZONE}|{_SIGN}))?)?$"
_WIDTHS = {"Y": (4, 4), "f": (1, 9)}  # digits, least and most; other fields have one or two

# What a column must look like to be read, so that most columns cost little
N_LOOKED_AT = 100  # cells of which more than half must look like dates for the whole column to be looked at
_YEAR_FIRST, _YEAR_LAST = r"\d{4}[./]\d{1,2}[./]\d{1,2}", r"\d{1,2}[./-]\d{1,2}[./-]\d{4}"
LOOK = rf"^\s*(\d{{4}}-\d{{1,2}}-\d{{1,2}}([Tt ]\d.*)?|({_YEAR_FIRST}|{_YEAR_LAST})( \d{{1,2}}:.*)?)\s*$"
AMBIGUOUS = r"^(0?[1-9]|1[0-2])[./-](0?[1-9]|1[0-2])[./-]\d{4}$|^\d{1,2}[./-]\d{1,2}[./-]\d{2}$"
SEPARATORS = ("/", ".", "-")
TIMES = ("", " %H:%M", " %H:%M:%S")


def seconds(texts: pa.Array, format: str) -> np.ndarray:
    """Seconds since 1970-01-01 in UTC (k,) float64 of each text; NaN for what is no date of this format.

    `format` is `iso` or a strptime format. A time without a zone counts as UTC; one without seconds is at their start.
    A leap second is the first of the next minute.
    """
    groups = pc.extract_regex(pc.utf8_trim_whitespace(texts), pattern=_pattern(format))
    fields = {field.name: pc.struct_field(groups, [place]) for place, field in enumerate(groups.type)}
    numbers = {}  # the digits of each text; NaN where the text did not fit, the default where it lacks the field
    for name, field in fields.items():
        if name == "s":  # the sign of the zone
            numbers[name] = 1 - 2 * parse_numbers(pc.equal(field, MINUS).cast(pa.int8()))[0]
        else:
            default = ONE_TEXT if name in ("m", "d") else ZERO_TEXT
            numbers[name] = parse_numbers(pc.if_else(pc.equal(field, EMPTY), default, field))[0]
    if "f" in fields:
        numbers["f"] = numbers["f"] / 10.0 ** parse_numbers(pc.utf8_length(fields["f"]))[0]
    hour, minute, second = (numbers.get(name, ZERO) for name in "HMS")
    is_time = (hour <= 23) & (minute <= 59) & (second <= 60)
    in_day = np.where(is_time, hour * 3600 + minute * 60 + second + numbers.get("f", ZERO), np.nan)
    sign, hours, minutes = (numbers.get(name, ZERO) for name in "sop")
    before_utc = np.where((hours <= 23) & (minutes <= 59), sign * (hours * 3600 + minutes * 60), np.nan)
    return np.asarray(_days(numbers) * DAY + in_day - before_utc)


def _pattern(format: str) -> str:
    """A regular expression (RE2) of the whole cell with a group for each field."""
    if format == ISO:
        return _ISO
    pieces = re.findall(r"%.|[^%]+", format)
    are_fields = [False, *(piece[0] == "%" and piece != "%%" for piece in pieces), False]
    groups = []
    for position, piece in enumerate(pieces):
        if not are_fields[position + 1]:
            groups.append(re.escape("%" if piece == "%%" else piece))
        elif piece == "%z":
            groups.append(f"(?:{_ZONE}|{_SIGN})")
        else:  # a field beside another one has all its digits, so that 20160702 can be read in one way only
            crowded = are_fields[position] or are_fields[position + 2]
            least, most = _WIDTHS.get(piece[1], (2 if crowded or piece == "%y" else 1, 2))
            groups.append(rf"(?P<{piece[1]}>\d{{{least},{most}}})")
    return f"^{''.join(groups)}$"


def _days(numbers: dict[str, np.ndarray]) -> np.ndarray:
    """Days since 1970-01-01 (k,) float64; NaN where there is no such day, or the text did not fit."""
    year, month, day = numbers.get("Y"), numbers.get("m", ONE), numbers.get("d", ONE)
    if year is None:
        year = numbers["y"] + np.where(numbers["y"] >= CENTURY, 1900, 2000)
    possible = (year >= 1) & (month >= 1) & (month <= 12) & (day >= 1)
    months = np.where(possible, (year - 1970) * 12 + month - 1, 0).astype(np.int64)
    first, after = (
        number.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64) for number in (months, months + 1)
    )
    return np.where(possible & (day <= after - first), first + day - 1, np.nan)


def infer_format(frame: Frame, name: str) -> Inferred[DateOptions] | None:
    """Whether every cell is a date of one format that leaves no doubt which number is the day.

    A column of dates but for some cells, or of two formats, is a DataError that shows cells. One whose days are all 12
    or less, so that they could be months, is no date.
    """
    first = frame.take(np.flatnonzero(~frame.is_missing(name))[:N_LOOKED_AT])
    if _look_alike(first.texts(name)) <= 0.5 or _look_alike(frame.texts(name)) < NEARLY_ALL:
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


def suspect_dates(frame: Frame, name: str) -> Problem | None:
    """The warning for a column of labels of which nearly all look like dates that `infer_format` leaves in doubt."""
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
            'say which number is the day, for instance `{kind: date, format: "%d/%m/%Y"}` under `columns`, or declare '
            "the column's kind under `columns` if this is meant",
        ),
    )


def _look_alike(texts: pa.ChunkedArray) -> float:
    """The share (0 … 1) of present cells that look like dates."""
    fitting = pc.match_substring_regex(texts.drop_null(), LOOK)
    return (pc.sum(fitting).as_py() or 0) / max(len(fitting), 1)


def _formats(texts: pa.Array) -> list[str]:
    """Those that some cell might have, ISO first; a separator or time that is nowhere need not be tried."""
    dates = ["%Y{0}%m{0}%d", "%d{0}%m{0}%Y", "%m{0}%d{0}%Y"]
    present = [mark for mark in SEPARATORS if pc.any(pc.match_substring(texts, mark)).as_py()]
    times = [time for time in TIMES if not time or pc.any(pc.match_substring(texts, ":")).as_py()]
    return [ISO, *(date.format(mark) + time for date in dates for mark in present for time in times)]
