"""What is odd about columns that are used: labels that differ by spelling alone, huge whole numbers, mostly missing."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bptrain.data.frame import Frame
from bptrain.errors import Problem
from bptrain.features import kinds
from bptrain.features.kinds import ColumnOptions
from bptrain.utils.text import escape, shorten, yaml_name

MOSTLY_MISSING = 0.5
EXACT = 2**53  # float64 holds every whole number up to this


def odd_columns(frame: Frame, options: Mapping[str, ColumnOptions]) -> Iterator[Problem]:
    """Warnings about the columns that the model sees, from the training rows in `frame`."""
    for name, each in options.items():
        if kinds.is_feature(each):
            found = (
                _mostly_missing(frame, name),
                _spelled_differently(frame, name) if each.kind == "categorical" else None,
                _huge_numbers(frame, name) if each.kind == "numeric" else None,
            )
            yield from (problem for problem in found if problem is not None)


def _mostly_missing(frame: Frame, name: str) -> Problem | None:
    n_missing = frame.n_rows - frame.n_present(name)
    if n_missing <= MOSTLY_MISSING * frame.n_rows:
        return None
    return Problem(
        "BP253",
        f"column `{escape(name)}`: {n_missing} of {frame.n_rows} training cells are missing",
        hints=(f"if it tells nothing, write `columns: {{{yaml_name(name)}: ignore}}`",),
    )


def _spelled_differently(frame: Frame, name: str) -> Problem | None:
    first: dict[str, str] = {}
    pairs = []
    for label in sorted(frame.labels(name).drop_null().unique().to_pylist()):
        known = first.setdefault(_folded(label), label)
        if known != label:
            pairs.append((known, label))
    if not pairs:
        return None
    shown = " and ".join(f"'{escape(shorten(label))}'" for label in pairs[0])
    return Problem(
        "BP251",
        f"column `{escape(name)}`: {len(pairs)} label(s) differ from another only by letter case, white space at the "
        f"ends or Unicode form, for instance {shown}",
        hints=("if they mean the same, write `clean: {strip: true, case: ignore}`",),
    )


def _folded(label: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", label.strip()).casefold())


def _huge_numbers(frame: Frame, name: str) -> Problem | None:
    """Only in columns of integers and text: a float as large was rounded before, and is hardly meant to be exact."""
    if pa.types.is_floating(frame.type_of(name)):
        return None
    texts = frame.texts(name)
    long = pc.match_substring_regex(texts, r"^\s*[+-]?[0-9]{16,}\s*$")
    positions = pc.indices_nonzero(long).to_pylist()
    huge = [position for position in positions if abs(int(texts[position].as_py())) > EXACT]
    if not huge:
        return None
    mask = np.zeros(frame.n_rows, bool)
    mask[huge] = True
    return Problem(
        "BP252",
        f"column `{escape(name)}` is numeric, but {len(huge)} of {frame.n_rows} cells are whole numbers beyond 2^53, "
        f"which lose their last digits: {frame.examples(name, mask)}",
        where=frame.where(huge[0]),
        hints=(f"if they are codes, write `columns: {{{yaml_name(name)}: categorical}}`, if identifiers, `ignore`",),
    )
