"""Categorical columns: each cell becomes the number of its level."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bptrain.errors import Problem
from bptrain.features.categorical.options import CategoricalOptions
from bptrain.features.kind import ColumnKind, Features, FeatureState, Inferred, LearnedColumn, Transformed
from bptrain.features.options import EmbeddingOptions
from bptrain.messages import features as messages
from bptrain.utils.text import shorten

if TYPE_CHECKING:
    from bptrain.data.files import AllowedPaths
    from bptrain.data.frame import Frame
    from bptrain.models.compat import Tensor

UNKNOWN = 0
MIN_COUNT = 5  # with `min_count` left open; in small tables it is one in a hundred rows


@dataclass(frozen=True)
class Levels(LearnedColumn):
    """The codes of one column; `missing` and `rare` are UNKNOWN where training rows had none.

    `dimension` is the length of the embedding, 0 for one-hot.
    """

    levels: tuple[str, ...]
    rare_labels: tuple[str, ...]
    missing: int
    rare: int
    dimension: int

    @property
    def n_codes(self) -> int:
        """Codes that raise an input, 1 … n_codes."""
        return len(self.levels) + (self.missing > 0) + (self.rare > 0)


class CategoricalState(FeatureState[Levels]):
    """The levels of all categorical columns; the array holds a code of each."""

    kind = "categorical"
    column = Levels
    dtype = "int32"

    @property
    def n_features(self) -> int:
        """One for each code, or the numbers of a vector."""
        return sum(column.dimension or column.n_codes for column in self.learned)


class CategoricalKind(ColumnKind[CategoricalOptions, CategoricalState]):
    """Categorical columns: each cell becomes the number of its level.

    All categorical columns are one array `categorical` (n_rows, n_columns) int32. Code 0 is a label that training rows
    never showed (no input is raised for it); then come missing and rare, where training rows had them, and the levels
    in sorted order: the first level has the code 1 + max(missing, rare). A label that training rows never showed, or
    showed rarely, has the code `rare` (0 if there is none); a missing cell has the code `missing` (0 if there is none).

    Spellings that only the type of a file makes different are one label: `3.0` is `3`, `true` and `TRUE` are `True`.
    """

    name = "categorical"
    options = CategoricalOptions
    state = CategoricalState
    takes_any_text = True

    def infer(self, frame: Frame, name: str) -> Inferred[CategoricalOptions] | None:
        """Every column with values can be read as labels."""
        return Inferred(CategoricalOptions(), f"{frame.n_unique(name)} labels") if frame.n_present(name) else None

    def warn(self, frame: Frame, name: str, options: CategoricalOptions) -> list[Problem]:
        """Labels that differ by letter case, white space or Unicode form alone."""
        first: dict[str, str] = {}
        pairs = []
        for label in sorted(frame.encode_labels(name)[0]):
            folded = unicodedata.normalize("NFC", unicodedata.normalize("NFC", label.strip()).casefold())
            if first.setdefault(folded, label) != label:
                pairs.append((shorten(first[folded]), shorten(label)))
        if not pairs:
            return []
        return [messages.SPELLED_DIFFERENTLY(name=name, n_pairs=len(pairs), first=pairs[0][0], second=pairs[0][1])]

    def learn(self, frame: Frame, options: Mapping[str, CategoricalOptions], paths: AllowedPaths) -> CategoricalState:
        """The levels of each column."""
        learned = []
        for name, column in options.items():
            labels, positions = frame.encode_labels(name)
            n_rows = np.bincount(positions[positions >= 0], minlength=len(labels)).tolist()
            counts = dict(zip(labels, n_rows, strict=True))
            min_count = column.min_count or min(MIN_COUNT, max(1, frame.n_rows // 100))
            levels = tuple(sorted(label for label, count in counts.items() if count >= min_count))
            few = len(levels) <= column.one_hot_limit
            if column.encoding == "one_hot" or (few and column.encoding != "embedding"):
                dimension = 0
            else:  # by default the rule of thumb of fast.ai's tabular learner
                dimension = column.dimension or min(50, max(1, round(1.6 * len(levels) ** 0.56)))
                if column.min_count is None:  # a vector of its own costs a rare level nothing
                    levels = tuple(sorted(counts))
            rare_labels = tuple(sorted(set(counts) - set(levels)))
            missing = 1 if (positions < 0).any() else UNKNOWN
            rare = missing + 1 if rare_labels else UNKNOWN
            learned.append(Levels(name, levels, rare_labels, missing, rare, dimension))
        return CategoricalState(tuple(learned))

    def transform(self, state: CategoricalState, frame: Frame, paths: AllowedPaths) -> Transformed:
        """The codes; every label has one, so nothing is bad."""
        result = Transformed({"categorical": np.empty((frame.n_rows, len(state.learned)), np.int32)})
        for place, column in enumerate(state.learned):
            first = 1 + max(column.missing, column.rare)
            codes_of = {level: code for code, level in enumerate(column.levels, start=first)}
            labels, positions = frame.encode_labels(column.name)
            codes = [*(codes_of.get(label, column.rare) for label in labels), column.missing]
            result.arrays["categorical"][:, place] = np.array(codes, np.int32)[positions]
            counts = np.bincount(positions[positions >= 0], minlength=len(labels)).tolist()
            unlisted = {label: n for label, n in zip(labels, counts, strict=True) if label not in codes_of}
            n_rare = sum(unlisted.get(label, 0) for label in column.rare_labels)
            if n_rare:
                result.changed["rare label", column.name] = n_rare
            if sum(unlisted.values()) > n_rare:
                result.unknown[column.name] = sum(unlisted.values()) - n_rare
        return result

    def encode(
        self, state: CategoricalState, inputs: dict[str, Tensor], *, seed: int, embedding: EmbeddingOptions
    ) -> Features:
        """All one-hot columns, then embeddings."""
        from bptrain.features.categorical.encode import encode

        return encode(state, inputs["categorical"], seed)


CATEGORICAL = CategoricalKind()
