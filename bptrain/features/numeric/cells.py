"""The cells of a numeric column as numbers: marks removed, impossible values found."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bptrain.data import values
from bptrain.data.frame import Frame
from bptrain.data.values import LARGEST_NUMBER
from bptrain.features.numeric.options import NumericOptions

# What may stand for a mark: tables written by people have typographic spaces and apostrophes.
_SPELLINGS = {" ": " \u00a0\u2009\u202f", "'": "'\u2019"}


@dataclass(frozen=True)
class Cells:
    """One column: `values` (n_rows,) float64, NaN where missing, no number or out of range.

    `bad` and `out_of_range` are masks (n_rows,) of cells that are present but no finite number, or outside `range`;
    `n_marked` counts the cells that are numbers because marks were removed.
    """

    values: np.ndarray
    bad: np.ndarray
    out_of_range: np.ndarray
    n_marked: int


def read_cells(frame: Frame, name: str, options: NumericOptions) -> Cells:
    """The cells of a column as its options read them."""
    found, bad, n_marked = read_numbers(frame, name, options)
    bad |= np.abs(found) > LARGEST_NUMBER
    found[bad] = np.nan
    outside = _outside(found, options)
    found[outside] = np.nan
    return Cells(found, bad, outside, n_marked)


def read_numbers(frame: Frame, name: str, options: NumericOptions) -> tuple[np.ndarray, np.ndarray, int]:
    """As `Frame.numbers`, with marks removed, and the number of cells that this made numbers."""
    if (options.unit is None and options.thousands is None) or not _holds_text(frame, name):
        return *frame.numbers(name), 0
    texts = frame.texts(name)
    plain = without_marks(texts, options, decimal=frame.decimal)
    found, bad = values.numbers(plain, decimal=frame.decimal)
    changed = pc.indices_nonzero(pc.not_equal(plain, texts))
    return found, bad, int(np.count_nonzero(~bad[np.from_dlpack(changed)])) if len(changed) else 0


def without_marks(texts: pa.ChunkedArray, options: NumericOptions, *, decimal: str) -> pa.ChunkedArray:
    """The cells (n,) without unit and thousands marks; a cell that is not grouped by threes keeps its marks."""
    if options.unit is not None:
        texts = _without_unit(texts, re.escape(options.unit.strip()))
    if options.thousands is not None:
        texts = _without_thousands(texts, options.thousands, re.escape(decimal))
    return texts


def _holds_text(frame: Frame, name: str) -> bool:
    kind = frame.type_of(name)
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _without_unit(texts: pa.ChunkedArray, unit: str) -> pa.ChunkedArray:
    """Removed once, at the beginning (also behind a sign) or else at the end."""
    begins = rf"^\s*([+-]?)\s*{unit}\s*"
    at_end = pc.replace_substring_regex(texts, rf"\s*{unit}\s*$", "")
    at_start = pc.replace_substring_regex(texts, begins, r"\1", max_replacements=1)
    return pc.if_else(pc.match_substring_regex(texts, begins), at_start, at_end)


def _without_thousands(texts: pa.ChunkedArray, mark: str, decimal: str) -> pa.ChunkedArray:
    marks = f"[{re.escape(_SPELLINGS.get(mark, mark))}]"
    grouped = pc.match_substring_regex(texts, rf"^\s*[+-]?[0-9]{{1,3}}({marks}[0-9]{{3}})+({decimal}[0-9]*)?\s*$")
    return pc.if_else(grouped, pc.replace_substring_regex(texts, marks, ""), texts)


def _outside(found: np.ndarray, options: NumericOptions) -> np.ndarray:
    """NaN is not outside."""
    if options.range is None:
        return np.zeros(len(found), bool)
    low, high = options.range
    below = found < low if low is not None else np.zeros(len(found), bool)
    return np.asarray(below if high is None else below | (found > high))
