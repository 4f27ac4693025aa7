"""Whether a column holds dates, and how they are written. Day and month are never guessed."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bptrain.data.frame import NEARLY_ALL, Frame
from bptrain.errors import DataError, Problem
from bptrain.features.date.formats import ISO, seconds
from bptrain.features.date.options import DateOptions
from bptrain.features.distinct import distinct
from bptrain.features.kind import Recognised
from bptrain.utils.text import escape, yaml_name

N_LOOKED_AT = 100  # cells of which more than half must look like dates for the whole column to be read
_YEAR_FIRST, _YEAR_LAST = r"\d{4}[./]\d{1,2}[./]\d{1,2}", r"\d{1,2}[./-]\d{1,2}[./-]\d{4}"
LOOK = rf"^\s*(\d{{4}}-\d{{1,2}}-\d{{1,2}}([Tt ]\d.*)?|({_YEAR_FIRST}|{_YEAR_LAST})( \d{{1,2}}:.*)?)\s*$"
SEPARATORS = ("/", ".", "-")
TIMES = ("", " %H:%M", " %H:%M:%S")


def recognise(frame: Frame, name: str) -> Recognised | None:
    """Whether every cell is a date of one format that leaves no doubt which number is the day.

    A column of dates but for some cells, or of two formats, is a DataError that shows cells. One whose days are all 12
    or less, so that they could be months, is no date.
    """
    if not _looks_like_dates(frame, name):
        return None
    texts, positions = distinct(frame.texts(name))
    if not np.isnan(seconds(texts, ISO)).any():
        return Recognised(DateOptions(format=ISO), "every value is a date")
    read = {format: ~np.isnan(seconds(texts, format)) for format in _formats(texts)}
    shares = {format: _share_read(fits, positions) for format, fits in read.items()}
    best = max(shares, key=shares.__getitem__)
    if read[best].all() and not _could_be_months(best, read):
        return Recognised(DateOptions(format=best), _reason(best, texts, read))
    if shares[best] >= NEARLY_ALL and _could_be_months(best, read):
        return None
    if _share_read(np.logical_or.reduce(list(read.values())), positions) < NEARLY_ALL:
        return None
    bad = ~np.append(read[best], True)[positions]
    raise DataError(_almost(frame, name, bad, best))


def _looks_like_dates(frame: Frame, name: str) -> bool:
    """First in a few cells, as most columns are none; then nearly all must."""
    first = frame.take(np.flatnonzero(~frame.is_missing(name))[:N_LOOKED_AT])
    return _share(first.texts(name)) > 0.5 and _share(frame.texts(name)) >= NEARLY_ALL


def _share(texts: pa.ChunkedArray) -> float:
    fitting = pc.match_substring_regex(texts.drop_null(), LOOK)
    return (pc.sum(fitting).as_py() or 0) / max(len(fitting), 1)


def _share_read(fits: np.ndarray, positions: np.ndarray) -> float:
    """Of the cells that are present, those whose text (k,) fits."""
    return float(fits[positions[positions >= 0]].mean())


def _formats(texts: pa.Array) -> list[str]:
    """Those that some cell might have, ISO first; a separator or time that is nowhere need not be tried."""
    dates = ["%Y{0}%m{0}%d", "%d{0}%m{0}%Y", "%m{0}%d{0}%Y"]
    present = [mark for mark in SEPARATORS if pc.any(pc.match_substring(texts, mark)).as_py()]
    times = [time for time in TIMES if not time or pc.any(pc.match_substring(texts, ":")).as_py()]
    return [ISO, *(date.format(mark) + time for date in dates for mark in present for time in times)]


def _swapped(format: str) -> str:
    """The format with day and month in each other's place."""
    return format.replace("%d", "%?").replace("%m", "%d").replace("%?", "%m")


def _could_be_months(best: str, read: dict[str, np.ndarray]) -> bool:
    return best[:2] in ("%d", "%m") and np.array_equal(read[best], read[_swapped(best)])


def _reason(best: str, texts: pa.Array, read: dict[str, np.ndarray]) -> str:
    """Why this format, in words for the config."""
    if best[:2] not in ("%d", "%m"):
        return "every value is a date"
    only = np.flatnonzero(~read[_swapped(best)])[0]
    return f"every value is a date written {best}: {texts[int(only)].as_py()} is none the other way round"


def _almost(frame: Frame, name: str, bad: np.ndarray, format: str) -> Problem:
    shown = yaml_name(name)
    return Problem(
        "BP256",
        f"column `{escape(name)}` holds dates written {format} except for {int(bad.sum())} of {frame.n_present(name)} "
        f"cells: {frame.examples(name, bad)}",
        where=frame.where(int(np.flatnonzero(bad)[0])),
        hints=(
            "if these cells mean missing, add them to `data.na_values`; else write all dates in one way",
            f"if they are labels, write `columns: {{{shown}: categorical}}`",
        ),
    )
