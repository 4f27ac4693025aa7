"""Ordinal columns: the place of each label in the declared order, and well-known scales that are found."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bptrain.errors import DataError, Problem
from bptrain.features.kind import (
    ColumnKind,
    FeatureState,
    Inferred,
    LearnedColumn,
    Transformed,
    empty_columns,
    unreadable_cells,
)
from bptrain.features.ordinal.options import OrdinalOptions
from bptrain.utils.text import escape, nearest, yaml_name

if TYPE_CHECKING:
    from bptrain.data.files import AllowedPaths
    from bptrain.data.frame import Frame

LEAST_LABELS, MOST_LABELS = 3, 20  # of a scale; a column with more different cells is not looked at
N_NEAR = 3  # labels for which the nearest one is named

# Each entry is one place, lowest first; several words at one place are alternatives. A scale may be used in part, but a
# label that it does not have is no scale. Labels are compared by their letters and digits alone, so `Very_Good`,
# `very good` and `VERY-GOOD` are one.
SCALES: tuple[tuple[str, ...], ...] = (
    ("very low", "low", "medium|moderate|mid|average|normal", "high", "very high"),
    ("none", "mild", "moderate", "severe", "very severe|critical"),
    (
        "xxs|extra extra small",
        "xs|extra small",
        "s|small",
        "m|medium|mid",
        "l|large",
        "xl|extra large",
        "xxl|2xl",
        "xxxl|3xl",
    ),
    (
        "very poor",
        "poor",
        "fair",
        "below average",
        "average|typical",
        "above average",
        "good",
        "very good",
        "excellent",
        "very excellent|outstanding",
    ),
    ("fair", "good", "very good", "premium", "ideal"),  # the cut of diamonds
    ("never", "rarely|seldom", "sometimes|occasionally", "often|frequently", "usually", "always"),
    ("strongly disagree", "disagree", "neutral|neither agree nor disagree|undecided", "agree", "strongly agree"),
    ("very dissatisfied", "dissatisfied", "neutral", "satisfied", "very satisfied"),
)


def order_of(labels: Sequence[str]) -> tuple[str, ...] | None:
    """The labels from the lowest to the highest if one scale has them all, each in a place of its own."""
    if len(labels) < LEAST_LABELS:
        return None
    by_letters = {label: re.sub(r"[\s_-]", "", label).lower() for label in labels}
    for scale in SCALES:
        by_word = {word.replace(" ", ""): place for place, words in enumerate(scale) for word in words.split("|")}
        places = {label: by_word.get(letters, -1) for label, letters in by_letters.items()}
        if -1 not in places.values() and len(set(places.values())) == len(labels):
            return tuple(sorted(labels, key=places.__getitem__))
    return None


@dataclass(frozen=True)
class Scale(LearnedColumn):
    """The labels of one column from the lowest to the highest, and how places become features."""

    order: tuple[str, ...]
    encoding: str

    @property
    def width(self) -> int:
        return 1 if self.encoding == "linear" else len(self.order) - 1

    @classmethod
    def declared(cls, name: str, options: OrdinalOptions, frame: Frame) -> Scale:
        """That of a column's options, its labels spelled as those of `frame`."""
        return cls(name, tuple(frame.normalize_values(options.order)), options.encoding)

    def read(self, frame: Frame) -> tuple[np.ndarray, np.ndarray]:
        """The place of each cell (n_rows,), -1 if it has none, and which have a label that is not in the order."""
        by_label = {label: place for place, label in enumerate(self.order)}
        labels, positions = frame.encode_labels(self.name)
        places = np.array([*(by_label.get(label, -1) for label in labels), -1], np.int64)[positions]
        return places, (places < 0) & (positions >= 0)

    def table(self) -> np.ndarray:
        """The features (n_labels + 1, width) float32 of each place; the last row, for place -1, is zero."""
        n_labels = len(self.order)
        if self.encoding == "linear":
            rows = np.linspace(-1, 1, n_labels)[:, None]
        else:
            rows = np.tri(n_labels, n_labels - 1, -1)
        return np.concatenate([rows, np.zeros((1, rows.shape[1]))]).astype(np.float32)


class OrdinalState(FeatureState[Scale]):
    """The scales of all ordinal columns, and which of these had missing training cells."""

    kind = "ordinal"
    column = Scale


class OrdinalKind(ColumnKind[OrdinalOptions, OrdinalState]):
    """Ordinal columns: the place of each label in the declared order.

    All ordinal columns are one array `ordinal` (n_rows, n_features) float32, column by column. With n labels in its
    `order` and p the place of the cell's label, counted from 0, a column has

    - with `encoding: thermometer`, n - 1 features, of which the j-th, counted from 0, is 1 where p > j, else 0;
    - with `encoding: linear`, one feature, -1 + 2 p / (n - 1).

    All features of a missing cell are 0, as are those of a label that is not in `order`. Columns with missing training
    cells, listed in `indicators`, also have a column in `ordinal_missing` (n_rows, n_indicators) float32: 1 where the
    cell is missing or its label is not in `order`, else 0. Spellings that only the type of a file makes different are
    one label: `3.0` is `3`.
    """

    name = "ordinal"
    options = OrdinalOptions
    state = OrdinalState
    unusable = "not in the order"

    def infer(self, frame: Frame, name: str) -> Inferred[OrdinalOptions] | None:
        """Whether all labels belong to one well-known scale. Numbers never do."""
        if frame.n_unique(name) > MOST_LABELS:
            return None
        order = order_of(frame.encode_labels(name)[0])
        return Inferred(OrdinalOptions(order=order), " < ".join(order)) if order else None

    def check(self, frame: Frame, options: Mapping[str, OrdinalOptions], *, training: bool) -> list[Problem]:
        """Of training rows, labels that are not in the order, and columns without any value."""
        if not training:
            return []
        problems = empty_columns(frame, options, "ordinal")
        for name, column in options.items():
            unknown = Scale.declared(name, column, frame).read(frame)[1]
            if unknown.any():
                labels = frame.take(np.flatnonzero(unknown)).encode_labels(name)[0][:N_NEAR]
                order = [str(label) for label in column.order]
                nearest_labels = {label: near[0] for label in labels if (near := nearest(label, order))}
                pairs = [f"`{escape(near)}` for `{escape(label)}`" for label, near in nearest_labels.items()]
                place = f"`order` of `columns: {{{yaml_name(name)}: {{kind: ordinal, order: […]}}}}`"
                hints = [f"did you mean {', '.join(pairs)}?"] if pairs else []
                hints.append(f"put them where they belong in {place}")
                said = f"is ordinal, but {{}} are {self.unusable}"
                problems.append(unreadable_cells(frame, name, unknown, said, *hints))
        return problems

    def learn(self, frame: Frame, options: Mapping[str, OrdinalOptions], paths: AllowedPaths) -> OrdinalState:
        """The order of each column, and whether training rows had missing cells."""
        problems = self.check(frame, options, training=True)
        if problems:
            raise DataError(*problems)
        missing = (name for name, column in options.items() if column.indicator and frame.is_missing(name).any())
        scales = (Scale.declared(name, column, frame) for name, column in options.items())
        return OrdinalState(tuple(scales), tuple(missing))

    def transform(self, state: OrdinalState, frame: Frame, paths: AllowedPaths) -> Transformed:
        """The features of the places; a label that is not in the order is `unknown` and counts as missing."""
        places, unknown = {}, {}
        for scale in state.learned:
            places[scale.name], others = scale.read(frame)
            if others.any():
                unknown[scale.name] = int(np.count_nonzero(others))
        features = [scale.table()[places[scale.name]] for scale in state.learned]
        arrays = {"ordinal": np.concatenate(features, axis=1)}
        if state.indicators:
            absent = [places[name] < 0 for name in state.indicators]
            arrays["ordinal_missing"] = np.stack(absent, axis=1).astype(np.float32)
        return Transformed(arrays, unknown=unknown)


ORDINAL = OrdinalKind()
