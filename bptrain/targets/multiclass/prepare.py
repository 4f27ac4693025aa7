"""Multiclass target: each label is its number in the order of the labels."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
import pyarrow as pa

from bptrain.data.frame import Frame
from bptrain.errors import DataError, Problem
from bptrain.targets.labels import class_weights, frame_codes, known_codes, learn_labels, shares, take_labels
from bptrain.targets.multiclass.options import MulticlassOptions
from bptrain.targets.state import Json
from bptrain.targets.temperature import untuned_temperature

CLASSES = True


@dataclass(frozen=True)
class MulticlassState:
    """The labels in order, the share of each among the training rows, and its weight in training.

    Logits are divided by `temperature` before the softmax; `loss` is the section of the config.
    """

    labels: tuple[str, ...]
    shares: tuple[float, ...]
    loss: Json
    class_weights: tuple[float, ...]
    loss_weight: float
    temperature: float
    task: str = "multiclass"

    @property
    def n_outputs(self) -> int:
        return len(self.labels)

    @property
    def positive(self) -> None:
        return None

    def to_json(self) -> Json:
        return asdict(self)


def learn(frame: Frame, name: str, options: MulticlassOptions, weight: np.ndarray) -> MulticlassState:
    """Labels of the training rows in `frame`, and their shares by weight (n_rows,).

    Raises DataError when there are fewer than two.
    """
    labels = learn_labels(frame, name)
    if len(labels) < 2:
        raise DataError(
            Problem(
                "BP261",
                f"target `{name}` has one single label in the training rows: there is nothing to tell apart",
                hints=("check the column and `split`; a classification target needs at least two labels",),
                key=("targets", name),
            )
        )
    codes = frame_codes(frame, name, labels)
    return MulticlassState(
        labels,
        shares(codes, len(labels), weight),
        options.loss.model_dump(),
        class_weights(frame, codes, labels, options.class_weights, name),
        options.loss_weight,
        untuned_temperature(options.temperature),
    )


def encode(state: MulticlassState, frame: Frame, name: str) -> np.ndarray:
    """Class numbers (n_rows, 1) int32. Raises DataError for a label that training rows never showed."""
    return known_codes(frame, name, state.labels).astype(np.int32)[:, None]


def truth(state: MulticlassState, frame: Frame, name: str) -> pa.Array:
    """The labels (n_rows,) as they were learned. Raises DataError for a label that training rows never showed."""
    return take_labels(state.labels, known_codes(frame, name, state.labels))


def written_back(options: MulticlassOptions, state: MulticlassState) -> MulticlassOptions:
    """Nothing was left open."""
    return options


def load(saved: Json) -> MulticlassState:
    """The state that `to_json` wrote."""
    return MulticlassState(**(saved | {name: tuple(saved[name]) for name in ("labels", "shares", "class_weights")}))
