"""Ordinal columns: the place of each label in the declared order.

All ordinal columns are one array `ordinal` (n_rows, n_features) float32, column by column. With n labels in its `order`
and p the place of the cell's label, counted from 0, a column has

- with `encoding: thermometer`, n - 1 features, of which the j-th, counted from 0, is 1 where p > j, else 0;
- with `encoding: linear`, one feature, -1 + 2 p / (n - 1).

All features of a missing cell are 0, as are those of a label that is not in `order`. Columns with missing training
cells, listed in `indicators`, also have a column in `ordinal_missing` (n_rows, n_indicators) float32: 1 where the cell
is missing or its label is not in `order`, else 0. Spellings that only the type of a file makes different are one label:
`3.0` is `3`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bptrain.data.frame import Frame
from bptrain.data.values import text_array
from bptrain.errors import DataError, Problem
from bptrain.features import refusal
from bptrain.features.distinct import distinct
from bptrain.features.kind import Json, Recognised, Transformed, n_numbers
from bptrain.features.ordinal.options import OrdinalOptions
from bptrain.features.ordinal.scales import order_of
from bptrain.utils.text import escape, nearest, yaml_name

MOST_LABELS = 20  # of a scale; a column with more different cells is not looked at
UNUSABLE = "not in the order"
N_NEAR = 3  # labels for which the nearest one is named


@dataclass(frozen=True)
class Scale:
    """The labels of one column from the lowest to the highest, and how places become features."""

    name: str
    order: tuple[str, ...]
    encoding: str

    def places(self, labels: list[str]) -> np.ndarray:
        """The place of each label (k,) in the order; -1 for one that is not in it."""
        by_label = {label: place for place, label in enumerate(self.order)}
        return np.array([by_label.get(label, -1) for label in labels], np.int64)

    def table(self) -> np.ndarray:
        """The features (n_labels + 1, width) float32 of each place; the last row, for place -1, is zero."""
        n_labels = len(self.order)
        if self.encoding == "linear":
            rows = np.linspace(-1, 1, n_labels)[:, None]
        else:
            rows = np.tri(n_labels, n_labels - 1, -1)
        return np.concatenate([rows, np.zeros((1, rows.shape[1]))]).astype(np.float32)


@dataclass(frozen=True)
class OrdinalState:
    """What the options say of all ordinal columns, and which had missing training cells."""

    scales: tuple[Scale, ...]
    indicators: tuple[str, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(scale.name for scale in self.scales)

    @property
    def inputs(self) -> dict[str, tuple[str, tuple[int, ...]]]:
        """Arrays given to the network: name → (dtype, shape of one row)."""
        width = sum(scale.table().shape[1] for scale in self.scales)
        arrays: dict[str, tuple[str, tuple[int, ...]]] = {"ordinal": ("float32", (width,))}
        if self.indicators:
            arrays["ordinal_missing"] = ("float32", (len(self.indicators),))
        return arrays

    @property
    def n_features(self) -> int:
        """How many numbers a row gives."""
        return n_numbers(self.inputs)

    def to_json(self) -> Json:
        return {"columns": [asdict(scale) for scale in self.scales], "indicators": list(self.indicators)}

    def arrays(self) -> dict[str, np.ndarray]:
        return {}


def load(saved: Json, arrays: Mapping[str, np.ndarray]) -> OrdinalState:
    """The state that `to_json` wrote."""
    scales = (Scale(**(column | {"order": tuple(column["order"])})) for column in saved["columns"])
    return OrdinalState(tuple(scales), tuple(saved["indicators"]))


def array_shapes(saved: Json) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Ordinal columns keep no arrays."""
    return {}


def recognise(frame: Frame, name: str) -> Recognised | None:
    """Whether all labels belong to one well-known scale. Numbers never do."""
    if frame.n_unique(name) > MOST_LABELS:
        return None
    order = order_of(pc.unique(frame.labels(name).drop_null()).to_pylist())
    return Recognised(OrdinalOptions(order=order), " < ".join(order)) if order else None


def check(frame: Frame, options: Mapping[str, OrdinalOptions]) -> None:
    """Every label has a place; which ones may be unknown depends on the row: see `check_training`."""


def check_training(frame: Frame, options: Mapping[str, OrdinalOptions]) -> None:
    """Raise DataError for labels that are not in the order, and for columns without any value."""
    problems = []
    for name, chosen in options.items():
        places, positions = _places(_scale(name, chosen, frame), frame)
        others = (places < 0) & (positions >= 0)
        if others.any():
            problems.append(_problem(frame, name, others, chosen))
        elif not frame.n_present(name):
            problems.append(refusal.empty(name, "ordinal"))
    if problems:
        raise DataError(*problems)


def learn(frame: Frame, options: Mapping[str, OrdinalOptions]) -> OrdinalState:
    """The order of each column, and whether training rows had missing cells.

    Raises DataError when a label is not in the order, or a column has no value at all.
    """
    check_training(frame, options)
    missing = (name for name, chosen in options.items() if chosen.indicator and frame.is_missing(name).any())
    return OrdinalState(tuple(_scale(name, chosen, frame) for name, chosen in options.items()), tuple(missing))


def transform(state: OrdinalState, frame: Frame) -> Transformed:
    """The arrays of `frame`'s rows; a label that is not in the order is `unknown` and counts as missing."""
    places, unknown = {}, {}
    for scale in state.scales:
        places[scale.name], positions = _places(scale, frame)
        unknown[scale.name] = int(np.count_nonzero((places[scale.name] < 0) & (positions >= 0)))
    features = [scale.table()[places[scale.name]] for scale in state.scales]
    arrays = {"ordinal": np.concatenate(features, axis=1)}
    if state.indicators:
        absent = [places[name] < 0 for name in state.indicators]
        arrays["ordinal_missing"] = np.stack(absent, axis=1).astype(np.float32)
    return Transformed(arrays, unknown={name: count for name, count in unknown.items() if count})


def _scale(name: str, options: OrdinalOptions, frame: Frame) -> Scale:
    order = pa.chunked_array([text_array([str(label) for label in options.order])])
    return Scale(name, tuple(frame.normalize(order).to_pylist()), options.encoding)


def _places(scale: Scale, frame: Frame) -> tuple[np.ndarray, np.ndarray]:
    """The place of each cell (n_rows,), -1 if it has none, and which of the different labels it is, -1 for missing."""
    labels, positions = distinct(frame.labels(scale.name))
    return np.append(scale.places(labels.to_pylist()), -1)[positions], positions


def _problem(frame: Frame, name: str, mask: np.ndarray, options: OrdinalOptions) -> Problem:
    order = [str(label) for label in options.order]
    odd = pc.unique(frame.take(np.flatnonzero(mask)).labels(name)).to_pylist()
    near = [f"`{escape(found[0])}` for `{escape(label)}`" for label in odd[:N_NEAR] if (found := nearest(label, order))]
    place = f"put them where they belong in `order` of `columns: {{{yaml_name(name)}: {{kind: ordinal, order: […]}}}}`"
    remedies = (f"did you mean {', '.join(near)}?", place) if near else (place,)
    return refusal.unreadable(frame, name, mask, f"is ordinal, but {{}} are {UNUSABLE}", *remedies)
