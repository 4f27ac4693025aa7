"""Boolean columns: +1 for true, -1 for false, 0 for missing.

All boolean columns are one array `boolean` (n_rows, n_columns) float32: +1 where the cell, in lower case, is one of the
column's words in `true`, -1 where it is one of those in `false`, else 0. Those with missing training cells, listed in
`indicators`, also have a column in `boolean_missing` (n_rows, n_indicators) float32: 1 where the cell is missing, else
0. A number that is no word of the column, such as 2 where training rows had 0 and 1, counts as missing.

A word is spelled the same whichever file holds it: `1.0` is `1`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np
import pyarrow.compute as pc

from bptrain.data.frame import Frame
from bptrain.errors import DataError, Problem
from bptrain.features import refusal
from bptrain.features.boolean.options import BooleanOptions
from bptrain.features.distinct import distinct, keys_of
from bptrain.features.kind import Json, Recognised, Transformed, n_numbers
from bptrain.utils.text import yaml_name

PAIRS = (("true", "false"), ("yes", "no"), ("y", "n"), ("t", "f"), ("on", "off"), ("1", "0"))
MOST_SPELLINGS = 16  # of two words, in all their letter cases; a column with more different cells is not looked at
UNUSABLE = "neither true nor false"


@dataclass(frozen=True)
class Meanings:
    """The words of one column, in lower case."""

    name: str
    true: tuple[str, ...]
    false: tuple[str, ...]

    def of(self, words: list[str]) -> np.ndarray:
        """+1 or -1 for each word (k,) float32, 0 for one without meaning."""
        signs = dict.fromkeys(self.true, 1.0) | dict.fromkeys(self.false, -1.0)
        return np.array([signs.get(word.lower(), 0.0) for word in words], np.float32)


@dataclass(frozen=True)
class BooleanState:
    """What the options say of all boolean columns, and which had missing training cells."""

    meanings: tuple[Meanings, ...]
    indicators: tuple[str, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.meanings)

    @property
    def inputs(self) -> dict[str, tuple[str, tuple[int, ...]]]:
        """Arrays given to the network: name → (dtype, shape of one row)."""
        arrays: dict[str, tuple[str, tuple[int, ...]]] = {"boolean": ("float32", (len(self.meanings),))}
        if self.indicators:
            arrays["boolean_missing"] = ("float32", (len(self.indicators),))
        return arrays

    @property
    def n_features(self) -> int:
        """How many numbers a row gives."""
        return n_numbers(self.inputs)

    def to_json(self) -> Json:
        return {"columns": [asdict(column) for column in self.meanings], "indicators": list(self.indicators)}

    def arrays(self) -> dict[str, np.ndarray]:
        return {}


def load(saved: Json, arrays: Mapping[str, np.ndarray]) -> BooleanState:
    """The state that `to_json` wrote."""
    meanings = (Meanings(column["name"], tuple(column["true"]), tuple(column["false"])) for column in saved["columns"])
    return BooleanState(tuple(meanings), tuple(saved["indicators"]))


def array_shapes(saved: Json) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Boolean columns keep no arrays."""
    return {}


def recognise(frame: Frame, name: str) -> Recognised | None:
    """Whether the cells are both words of one pair and nothing else."""
    if frame.n_unique(name) > MOST_SPELLINGS:
        return None
    spelled = pc.unique(frame.labels(name).drop_null()).to_pylist()
    words = {word.lower() for word in spelled}
    if not any(words == set(pair) for pair in PAIRS):
        return None
    return Recognised(BooleanOptions(), f"every value is {' or '.join(sorted(words, reverse=True))}")


def check(frame: Frame, options: Mapping[str, BooleanOptions]) -> None:
    """Raise DataError for text that is no word of its column."""
    bad = transform(_state(frame, options), frame).bad
    if bad:
        raise DataError(*(unusable(frame, name, mask) for name, mask in bad.items()))


def check_training(frame: Frame, options: Mapping[str, BooleanOptions]) -> None:
    """Raise DataError for numbers that are no word of their column, and for columns without any value."""
    state = _state(frame, options)
    bad = transform(state, frame).bad
    problems = []
    for meanings in state.meanings:
        name = meanings.name
        others = _read(meanings, frame)[1] & ~bad.get(name, np.zeros(frame.n_rows, bool))
        if others.any():
            problems.append(unusable(frame, name, others))
        elif not frame.n_present(name):
            problems.append(refusal.empty(name, "boolean"))
    if problems:
        raise DataError(*problems)


def learn(frame: Frame, options: Mapping[str, BooleanOptions]) -> BooleanState:
    """The words of each column, and whether training rows had missing cells.

    Raises DataError when a cell is no word of its column, or a column has no value at all.
    """
    problems: list[Problem] = []
    for refuse in (check, check_training):
        try:
            refuse(frame, options)
        except DataError as error:
            problems.extend(error.problems)
    if problems:
        raise DataError(*problems)
    return _state(frame, options)


def transform(state: BooleanState, frame: Frame) -> Transformed:
    """The arrays of `frame`'s rows; text that is no word of its column is `bad`, a number that is none `unknown`."""
    arrays = {"boolean": np.empty((frame.n_rows, len(state.meanings)), np.float32)}
    bad, unknown = {}, {}
    for position, column in enumerate(state.meanings):
        arrays["boolean"][:, position], others = _read(column, frame)
        if others.any():
            numbers, text = frame.numbers(column.name)
            text = others & (text | np.isnan(numbers))
            bad[column.name], unknown[column.name] = text, int(np.count_nonzero(others & ~text))
    if state.indicators:
        chosen = [state.columns.index(name) for name in state.indicators]
        arrays["boolean_missing"] = (arrays["boolean"][:, chosen] == 0).astype(np.float32)
    return Transformed(
        arrays,
        {name: mask for name, mask in bad.items() if mask.any()},
        {name: count for name, count in unknown.items() if count},
    )


def unusable(frame: Frame, name: str, mask: np.ndarray) -> Problem:
    """The problem of cells that are neither true nor false."""
    own = f"columns: {{{yaml_name(name)}: {{kind: boolean, true_values: [ja], false_values: [nein]}}}}"
    number = f"if they are numbers, write `columns: {{{yaml_name(name)}: numeric}}`"
    remedy = f"if they mean true or false, write `{own}` with your words"
    return refusal.unreadable(frame, name, mask, f"is boolean, but {{}} are {UNUSABLE}", remedy, number)


def _state(frame: Frame, options: Mapping[str, BooleanOptions]) -> BooleanState:
    missing = (name for name, chosen in options.items() if chosen.indicator and frame.is_missing(name).any())
    return BooleanState(tuple(_meanings(name, chosen) for name, chosen in options.items()), tuple(missing))


def _meanings(name: str, options: BooleanOptions) -> Meanings:
    """The usual words beside those of the options, which come first."""
    true, false = _lower(options.true_values), _lower(options.false_values)
    usual_true = tuple(word for word, _ in PAIRS if word not in true + false)
    usual_false = tuple(word for _, word in PAIRS if word not in true + false)
    return Meanings(name, true + usual_true, false + usual_false)


def _lower(words: tuple[str | int | float | bool, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word.lower() for word in keys_of(words)))


def _read(column: Meanings, frame: Frame) -> tuple[np.ndarray, np.ndarray]:
    """The sign of each cell (n_rows,) float32, and whether it is present but no word of the column, bool (n_rows,)."""
    words, positions = distinct(frame.labels(column.name))
    signs = np.append(column.of(words.to_pylist()), np.float32(0))[positions]  # missing cells have the last one
    return signs, (signs == 0) & (positions >= 0)
