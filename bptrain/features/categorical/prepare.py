"""Categorical columns: each cell becomes the number of its level.

All categorical columns are one array `categorical` (n_rows, n_columns) int32. Code 0 is a label that training rows
never showed (no input is raised for it); then come missing and rare, where training rows had them, and the levels in
sorted order: the first level has the code 1 + max(missing, rare). A label that training rows never showed, or showed
rarely, has the code `rare` (0 if there is none); a missing cell has the code `missing` (0 if there is none).

Spellings that only the type of a file makes different are one label: `3.0` is `3`, `true` and `TRUE` are `True`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bptrain.data.frame import Frame
from bptrain.features.categorical.options import CategoricalOptions
from bptrain.features.kind import Json, Recognised, Transformed

UNKNOWN = 0
MIN_COUNT = 5  # with `min_count` left open; in small tables it is one in a hundred rows


@dataclass(frozen=True)
class Levels:
    """The codes of one column; `missing` and `rare` are UNKNOWN where training rows had none.

    `dimension` is the length of the embedding, 0 for one-hot.
    """

    name: str
    levels: tuple[str, ...]
    rare_labels: tuple[str, ...]
    missing: int
    rare: int
    dimension: int

    @property
    def n_codes(self) -> int:
        """Codes that raise an input, 1 … n_codes."""
        return len(self.levels) + (self.missing > 0) + (self.rare > 0)


@dataclass(frozen=True)
class CategoricalState:
    """What training rows taught about all categorical columns."""

    levels: tuple[Levels, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.levels)

    @property
    def inputs(self) -> dict[str, tuple[str, tuple[int, ...]]]:
        """Arrays given to the network: name → (dtype, shape of one row)."""
        return {"categorical": ("int32", (len(self.levels),))}

    @property
    def n_features(self) -> int:
        """How many numbers a row gives: one for each code, or those of a vector."""
        return sum(column.dimension or column.n_codes for column in self.levels)

    def to_json(self) -> Json:
        return {"columns": [asdict(column) for column in self.levels]}

    def arrays(self) -> dict[str, np.ndarray]:
        return {}


def load(saved: Json, arrays: Mapping[str, np.ndarray]) -> CategoricalState:
    """The state that `to_json` wrote."""
    return CategoricalState(
        tuple(
            Levels(**(column | {name: tuple(column[name]) for name in ("levels", "rare_labels")}))
            for column in saved["columns"]
        )
    )


def array_shapes(saved: Json) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Categorical columns keep no arrays."""
    return {}


def recognise(frame: Frame, name: str) -> Recognised | None:
    """Every column with values can be read as labels; the table of kinds asks last."""
    return Recognised(CategoricalOptions(), f"{frame.n_unique(name)} labels") if frame.n_present(name) else None


def check(frame: Frame, options: Mapping[str, CategoricalOptions]) -> None:
    """Every cell is a label."""


def learn(frame: Frame, options: Mapping[str, CategoricalOptions]) -> CategoricalState:
    """Levels of the training rows in `frame`."""
    return CategoricalState(tuple(_learn_column(frame.labels(name), name, options[name]) for name in options))


def transform(state: CategoricalState, frame: Frame) -> Transformed:
    """The codes of `frame`'s rows; every label has a code, so nothing is bad."""
    codes = np.empty((frame.n_rows, len(state.levels)), np.int32)
    unknown, rare = {}, {}
    for position, column in enumerate(state.levels):
        codes[:, position], n_unlisted, n_rare = _codes(column, frame.labels(column.name))
        unknown[column.name], rare["rare label", column.name] = n_unlisted - n_rare, n_rare
    return Transformed({"categorical": codes}, unknown=_some(unknown), changed=_some(rare))


def _learn_column(labels: pa.ChunkedArray, name: str, options: CategoricalOptions) -> Levels:
    min_count = options.min_count or min(MIN_COUNT, max(1, len(labels) // 100))
    counts = {item["values"]: item["counts"] for item in pc.value_counts(labels.drop_null()).to_pylist()}
    levels = tuple(sorted(level for level, count in counts.items() if count >= min_count))
    dimension = _dimension(len(levels), options)
    if dimension and options.min_count is None:  # a vector of its own costs a rare level nothing
        levels = tuple(sorted(counts))
    rare_labels = tuple(sorted(set(counts) - set(levels)))
    missing = 1 if labels.null_count else UNKNOWN
    rare = missing + 1 if rare_labels else UNKNOWN
    return Levels(name, levels, rare_labels, missing, rare, dimension)


def _dimension(n_levels: int, options: CategoricalOptions) -> int:
    """0 for one-hot, else the embedding's length (rule of thumb of fast.ai's tabular learner)."""
    if options.encoding == "one_hot" or (options.encoding == "auto" and n_levels <= options.one_hot_limit):
        return 0
    return options.dimension or min(50, max(1, round(1.6 * n_levels**0.56)))


def _codes(column: Levels, cells: pa.ChunkedArray) -> tuple[np.ndarray, int, int]:
    """The code of each cell (n_rows,), and how many cells hold a label without a level, and a rare one among these."""
    first = 1 + max(column.missing, column.rare)
    positions = pc.index_in(cells, value_set=pa.array(column.levels, cells.type)).combine_chunks()
    missing = cells.is_null().to_numpy()
    unlisted = positions.is_null().to_numpy(zero_copy_only=False) & ~missing
    codes = np.where(unlisted, column.rare, positions.fill_null(0).to_numpy(zero_copy_only=False) + first)
    codes[missing] = column.missing
    return codes, int(unlisted.sum()), _count(cells, column.rare_labels)


def _some(counts: dict[Any, int]) -> dict[Any, int]:
    return {key: count for key, count in counts.items() if count}


def _count(cells: pa.ChunkedArray, labels: tuple[str, ...]) -> int:
    return int(pc.sum(pc.is_in(cells, value_set=pa.array(labels, cells.type))).as_py() or 0)
