"""Numbers written for people: units before or after them, and marks between groups of three digits."""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bptrain.table import values
from bptrain.table.chunks import text_array
from bptrain.table.frame import Frame


def read_numbers(
    frame: Frame, name: str, *, thousands: str | None, unit: str | None
) -> tuple[np.ndarray, np.ndarray, int]:
    """Values (n_rows,) float64, NaN for missing; a mask of cells that are no number; and how many had marks.

    Cells that are numbers as they stand are read so, whatever the marks.
    """
    found, bad = frame.numbers(name)
    if not bad.any() or (thousands is None and unit is None):
        return found, bad, 0
    positions = np.flatnonzero(bad)
    texts = frame.texts(name).take(values.positions_array(positions))
    plain, still_bad = values.numbers(_without_marks(texts, thousands, unit, frame.decimal), decimal=frame.decimal)
    found, bad = found.copy(), bad.copy()
    found[positions], bad[positions] = plain, still_bad
    return found, bad, int((~still_bad).sum())


def _without_marks(texts: pa.ChunkedArray, thousands: str | None, unit: str | None, decimal: str) -> pa.ChunkedArray:
    """Text that may be a number; where the groups are not of three digits, it is left as it is."""
    trimmed = pc.utf8_trim_whitespace(texts)
    if unit is not None:
        quoted = re.escape(unit)
        trimmed = pc.replace_substring_regex(trimmed, rf"^([+-]?)\s*{quoted}\s*|\s*{quoted}$", r"\1")
    if thousands is None:
        return trimmed
    mark, point = re.escape(thousands), re.escape(decimal)
    grouped = pc.match_substring_regex(trimmed, rf"^[+-]?\d{{1,3}}({mark}\d{{3}})+({point}\d*)?$")
    plain = pc.if_else(grouped, pc.replace_substring(trimmed, thousands, ""), trimmed)
    if decimal == thousands:  # refused before; without it every number would be grouped
        return trimmed
    return pc.if_else(pc.equal(plain, text_array([""])[0]), trimmed, plain)
