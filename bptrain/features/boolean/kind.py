"""Boolean columns: +1 for true, -1 for false, 0 for missing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bptrain.errors import DataError, Problem
from bptrain.features.boolean.options import BooleanOptions
from bptrain.features.kind import (
    ColumnKind,
    FeatureState,
    Inferred,
    LearnedColumn,
    Transformed,
    empty_columns,
    unreadable_cells,
)
from bptrain.utils.text import yaml_name

if TYPE_CHECKING:
    from bptrain.data.files import AllowedPaths
    from bptrain.data.frame import Frame

PAIRS = (("true", "false"), ("yes", "no"), ("y", "n"), ("t", "f"), ("on", "off"), ("1", "0"))
MOST_SPELLINGS = 16  # of two words, in all their letter cases; a column with more different cells is not looked at


@dataclass(frozen=True)
class Words(LearnedColumn):
    """The words of one column, in lower case."""

    true: tuple[str, ...]
    false: tuple[str, ...]

    @classmethod
    def declared(cls, name: str, options: BooleanOptions, frame: Frame) -> Words:
        """The usual words beside those of a column's options, which come first."""
        true, false = (
            tuple(dict.fromkeys(word.lower() for word in frame.normalize_values(words)))
            for words in (options.true_values, options.false_values)
        )
        usual_true = tuple(word for word, _ in PAIRS if word not in true + false)
        usual_false = tuple(word for _, word in PAIRS if word not in true + false)
        return cls(name, true + usual_true, false + usual_false)

    def read(self, frame: Frame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The sign of each cell (n_rows,) float32; masks (n_rows,) of text and of numbers that are no word."""
        by_word = dict.fromkeys(self.true, 1.0) | dict.fromkeys(self.false, -1.0)
        labels, positions = frame.encode_labels(self.name)
        signs = np.array([*(by_word.get(label.lower(), 0.0) for label in labels), 0.0], np.float32)[positions]
        others = (signs == 0) & (positions >= 0)  # missing cells, at -1, have the last sign
        if not others.any():
            return signs, others, others
        values, no_number = frame.numbers(self.name)
        text = others & (no_number | np.isnan(values))
        return signs, text, others & ~text


class BooleanState(FeatureState[Words]):
    """The words of all boolean columns, and which of these had missing training cells."""

    kind = "boolean"
    column = Words


class BooleanKind(ColumnKind[BooleanOptions, BooleanState]):
    """Boolean columns: +1 for true, -1 for false, 0 for missing.

    All boolean columns are one array `boolean` (n_rows, n_columns) float32: +1 where the cell, in lower case, is one of
    the column's words in `true`, -1 where it is one of those in `false`, else 0. Those with missing training cells,
    listed in `indicators`, also have a column in `boolean_missing` (n_rows, n_indicators) float32: 1 where the cell is
    missing, else 0. A number that is no word of the column, such as 2 where training rows had 0 and 1, counts as
    missing.

    A word is spelled the same whichever file holds it: `1.0` is `1`.
    """

    name = "boolean"
    options = BooleanOptions
    state = BooleanState
    unusable = "neither true nor false"

    def infer(self, frame: Frame, name: str) -> Inferred[BooleanOptions] | None:
        """Whether the cells are both words of one pair and nothing else."""
        if frame.n_unique(name) > MOST_SPELLINGS:
            return None
        words = {label.lower() for label in frame.encode_labels(name)[0]}
        if not any(words == set(pair) for pair in PAIRS):
            return None
        return Inferred(BooleanOptions(), f"every value is {' or '.join(sorted(words, reverse=True))}")

    def check(self, frame: Frame, options: Mapping[str, BooleanOptions], *, training: bool) -> list[Problem]:
        """Text that is no word of its column; in training, numbers that are none and columns without any value."""
        read = {name: Words.declared(name, column, frame).read(frame) for name, column in options.items()}
        masks = {name: numbers if training else text for name, (_, text, numbers) in read.items()}
        odd = [self.bad_cells(frame, name, mask) for name, mask in masks.items() if mask.any()]
        return [*odd, *empty_columns(frame, options, "boolean")] if training else odd

    def bad_cells(self, frame: Frame, name: str, mask: np.ndarray) -> Problem:
        """The problem of cells that are neither true nor false."""
        column = yaml_name(name)
        example = f"columns: {{{column}: {{kind: boolean, true_values: [ja], false_values: [nein]}}}}"
        return unreadable_cells(
            frame,
            name,
            mask,
            f"is boolean, but {{}} are {self.unusable}",
            f"if they mean true or false, write `{example}` with your words",
            f"if they are numbers, write `columns: {{{column}: numeric}}`",
        )

    def learn(self, frame: Frame, options: Mapping[str, BooleanOptions], paths: AllowedPaths) -> BooleanState:
        """The words of each column, and whether training rows had missing cells."""
        problems = [*self.check(frame, options, training=False), *self.check(frame, options, training=True)]
        if problems:
            raise DataError(*problems)
        missing = (name for name, column in options.items() if column.indicator and frame.is_missing(name).any())
        words = (Words.declared(name, column, frame) for name, column in options.items())
        return BooleanState(tuple(words), tuple(missing))

    def transform(self, state: BooleanState, frame: Frame, paths: AllowedPaths) -> Transformed:
        """The signs; text that is no word of its column is `bad`, a number that is none `unknown`."""
        signs = np.empty((frame.n_rows, len(state.learned)), np.float32)
        bad, unknown = {}, {}
        for position, words in enumerate(state.learned):
            signs[:, position], text, numbers = words.read(frame)
            if text.any():
                bad[words.name] = text
            if numbers.any():
                unknown[words.name] = int(np.count_nonzero(numbers))
        arrays = {"boolean": signs}
        if state.indicators:
            chosen = [state.columns.index(name) for name in state.indicators]
            arrays["boolean_missing"] = (signs[:, chosen] == 0).astype(np.float32)
        return Transformed(arrays, bad, unknown)


BOOLEAN = BooleanKind()
