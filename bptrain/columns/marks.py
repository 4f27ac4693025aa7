"""Text columns that look like numbers or dates with marks: read as labels, which is seldom what was meant."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bptrain.errors import Problem
from bptrain.table.frame import NEARLY_ALL, Frame
from bptrain.text import escape, shorten


@dataclass(frozen=True)
class Mark:
    """What cells look like, the pattern of the whole cell (RE2), and what the user can do."""

    looks: str
    pattern: str
    remedy: str


MARKS = (
    Mark(  # those of which the kind `date` cannot tell the day from the month, or the year
        "dates",
        r"^(0?[1-9]|1[0-2])[./-](0?[1-9]|1[0-2])[./-]\d{4}$|^\d{1,2}[./-]\d{1,2}[./-]\d{2}$",
        'say which number is the day, for instance `{kind: date, format: "%d/%m/%Y"}` under `columns`',
    ),
    Mark("numbers with thousands separators", r"^[+-]?\d{1,3}(,\d{3})+(\.\d+)?$", "write them without the separators"),
    Mark("numbers with a decimal comma", r"^[+-]?\d*,\d+$", 'set `data.decimal: ","`'),
    Mark("numbers with a percent sign", r"^[+-]?[\d.,]+ ?%$", "write them without the sign"),
    Mark(
        "numbers with a currency sign", r"^[+-]?[$€£¥] ?[\d.,]+$|^[+-]?[\d.,]+ ?[$€£¥]$", "write them without the sign"
    ),
)


def look_alike(frame: Frame, name: str) -> Problem | None:
    """The warning for a column of labels of which nearly all look like marked numbers or dates."""
    texts = frame.texts(name).drop_null()
    for mark in MARKS:
        fitting = pc.match_substring_regex(texts, mark.pattern)
        if len(texts) and pc.sum(fitting).as_py() >= NEARLY_ALL * len(texts):
            return _warning(frame, name, mark, texts.filter(fitting))
    return None


def _warning(frame: Frame, name: str, mark: Mark, fitting: pa.ChunkedArray) -> Problem:
    example = escape(shorten(fitting[0].as_py()))
    first = int(np.flatnonzero(~frame.is_missing(name))[0])
    return Problem(
        "BP249",
        f"column `{escape(name)}` holds what looks like {mark.looks}, for instance '{example}', but is not read so",
        where=frame.where(first),
        hints=(f"{mark.remedy}, or declare the column's kind under `columns` if this is meant",),
    )
