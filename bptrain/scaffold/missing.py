"""Cells that stand for a missing value, found by looking at them.

A word such as `?` or `NA` means missing wherever it stands, unless the other cells make it a label; `unknown` or a dash
only where what is left is more than labels (numbers, dates, grades), as labels lose nothing by one more. The same goes
for odd cells in a column of numbers. Whatever is decided is counted, so that the user can disagree.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bptrain.data.frame import Frame
from bptrain.data.limits import LARGEST_NUMBER, NEARLY_ALL
from bptrain.data.values import positions_array, text_array
from bptrain.errors import DataError
from bptrain.features.kinds import KINDS, AnyKind
from bptrain.scaffold.reading import text_columns

# Compared without letter case and the white space around them; "" is a cell of white space.
CERTAIN = ("", "?", "na", "n/a", "n.a.", "#n/a", "#na", "<na>", "nan", "nat", "null")
LIKELY = ("-", "--", "---", ".", "..", "unknown", "unk", "missing", "not available", "not_available", "#value!")
ONLY_AMONG_NUMBERS = ("none", "nil", "not applicable", "not_applicable")  # else they may be an answer
WORDS = (*CERTAIN, *LIKELY, *ONLY_AMONG_NUMBERS)
MOST_OF_TARGET = 0.05  # share of a target's rows that may go with a word; above that it is rather a label
MOST_ODD = 5  # distinct odd cells among numbers that are worth naming one by one


@dataclass
class Missing:
    """What means missing: words with the number of cells by column; odd cells among numbers likewise.

    `labels` are words that stay labels; `spoilt` are cells that may be labels but are missing with the others, as one
    list holds for all columns; `broken` are columns of numbers with more odd cells than can be named.
    """

    words: dict[str, dict[str, int]] = field(default_factory=dict)
    odd: dict[str, dict[str, int]] = field(default_factory=dict)
    labels: dict[str, dict[str, int]] = field(default_factory=dict)
    spoilt: dict[str, dict[str, int]] = field(default_factory=dict)
    broken: dict[str, str] = field(default_factory=dict)

    @property
    def na_values(self) -> tuple[str, ...]:
        """What `data.na_values` should list."""
        return ("", *self.words, *(text for text in self.odd if text not in self.words))


def find_missing(frame: Frame, target: str) -> Missing:
    """Look at every text column of `frame`."""
    found = Missing()
    refused: set[str] = set()
    for name in text_columns(frame):
        _look_for_words(frame, name, target, found, refused)
    for word in refused & set(found.words):  # a list that holds for all columns cannot spare one
        _note(found.labels, word, found.words.pop(word))
    for name in text_columns(frame):
        _look_for_odd_cells(frame, name, found, refused)
    _look_for_spoilt_labels(frame, found)
    return found


def _look_for_words(frame: Frame, name: str, target: str, found: Missing, refused: set[str]) -> None:
    texts = frame.texts(name)
    folded = pc.utf8_lower(pc.utf8_trim_whitespace(texts))
    positions = _positions(pc.is_in(folded, value_set=text_array(WORDS), skip_nulls=True))
    counts = _counts(texts.take(positions_array(positions)))
    if not counts:
        return
    rest = frame.take(np.delete(np.arange(frame.n_rows), positions))
    kind = _kind_of(rest, name)
    for word, count in counts.items():
        if word and name == target and count > MOST_OF_TARGET * frame.n_rows:
            refused.add(word)
        elif _means_missing(word, kind, rest, name):
            _note(found.words, word, {name: count})
        else:
            _note(found.labels, word, {name: count})


def _means_missing(word: str, kind: AnyKind | None, rest: Frame, name: str) -> bool:
    plain = word.strip().lower()
    if plain in CERTAIN:
        return not (word.isalpha() and _is_code_like(word, rest, name))
    if plain in ONLY_AMONG_NUMBERS:
        return kind is not None and _is_numbers(rest, name)
    return kind is not None and not kind.takes_any_text


def _is_code_like(word: str, rest: Frame, name: str) -> bool:
    """Whether all other labels are written like the word: NA among EU and AS is North America."""
    if word.casefold() == "null" or word.casefold() == "nan":
        return False
    pattern = rf"^[A-Z]{{{len(word)}}}$" if word.isupper() else rf"^[a-z]{{{len(word)}}}$"
    labels = pc.unique(rest.texts(name).drop_null())
    return len(labels) > 2 and bool(pc.all(pc.match_substring_regex(labels, pattern)).as_py())


def _kind_of(frame: Frame, name: str) -> AnyKind | None:
    """The kind that the cells look like; a column of numbers with some odd cells is one of numbers."""
    if not frame.n_rows or not frame.n_present(name):
        return None
    for kind in KINDS.values():
        try:
            if kind.infer(frame, name) is not None:
                return kind
        except DataError:  # nearly all cells are of this kind
            return kind
    return None


def _is_numbers(frame: Frame, name: str) -> bool:
    bad = frame.numbers(name)[1]
    return int(np.count_nonzero(bad)) <= (1 - NEARLY_ALL) * frame.n_present(name)


def _look_for_odd_cells(frame: Frame, name: str, found: Missing, refused: set[str]) -> None:
    """Numbers with a few cells that are none, after those that mean missing are set aside."""
    texts = frame.texts(name)
    positions = _positions(pc.is_in(texts, value_set=text_array(list(found.words)), skip_nulls=True))
    rest = frame.take(np.delete(np.arange(frame.n_rows), positions))
    values, bad = rest.numbers(name)
    bad = bad | (np.abs(values) > LARGEST_NUMBER)
    n_bad = int(np.count_nonzero(bad))
    n_present = rest.n_present(name)
    if not n_bad or n_bad > (1 - NEARLY_ALL) * n_present or len(np.unique(values[~np.isnan(values)])) < 2:
        return
    counts = _counts(rest.texts(name).take(positions_array(np.flatnonzero(bad))))
    if len(counts) > MOST_ODD or not refused.isdisjoint(counts):
        found.broken[name] = f"{n_bad} of {n_present} cells are not: {rest.examples(name, bad)}"
        return
    for text, count in counts.items():
        _note(found.odd, text, {name: count})


def _look_for_spoilt_labels(frame: Frame, found: Missing) -> None:
    for word in set(found.labels) & set(found.words):
        found.spoilt[word] = found.labels.pop(word)
    for text, known in found.odd.items():
        for name in text_columns(frame):
            count = _counts(frame.texts(name)).get(text, 0) if name not in known else 0
            if count:
                _note(found.spoilt, text, {name: count})


def _counts(texts: pa.ChunkedArray) -> dict[str, int]:
    """How often each text occurs, in order; null is none."""
    counted = pc.value_counts(texts.drop_null())
    return dict(sorted((str(item["values"]), int(item["counts"])) for item in counted.to_pylist()))


def _note(where: dict[str, dict[str, int]], word: str, counts: Mapping[str, int]) -> None:
    where.setdefault(word, {}).update(counts)


def _positions(mask: pa.ChunkedArray) -> np.ndarray:
    """The rows that are true, int64 (k,)."""
    found = pc.indices_nonzero(mask)
    return np.from_dlpack(found).astype(np.int64) if len(found) else np.empty(0, np.int64)
