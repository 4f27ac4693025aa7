"""Binary target: 0 for the negative label, 1 for the positive one."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
import pyarrow as pa

from bptrain.data.frame import Frame
from bptrain.errors import DataError, Problem, UsageError
from bptrain.targets.binary.options import BinaryOptions
from bptrain.targets.binary.threshold import DEFAULT
from bptrain.targets.labels import (
    class_weights,
    frame_codes,
    known_codes,
    learn_labels,
    shares,
    take_labels,
    written_codes,
)
from bptrain.targets.state import Json
from bptrain.targets.temperature import untuned_temperature
from bptrain.utils.text import escape, quote_list

CLASSES = True


@dataclass(frozen=True)
class BinaryState:
    """The two labels (negative, positive), the weight of each in training, and the positive share of training rows.

    A row is predicted positive when its probability is at least `threshold`. Its logit is divided by `temperature`
    before; `loss` is the section of the config.
    """

    labels: tuple[str, str]
    share: float
    loss: Json
    class_weights: tuple[float, ...]
    loss_weight: float
    threshold: float
    temperature: float
    task: str = "binary"

    @property
    def n_outputs(self) -> int:
        return 1

    @property
    def positive(self) -> str:
        return self.labels[1]

    def to_json(self) -> Json:
        return asdict(self)


def learn(frame: Frame, name: str, options: BinaryOptions, weight: np.ndarray) -> BinaryState:
    """Labels of the training rows in `frame`, and their shares by weight (n_rows,).

    Raises DataError when there are not exactly two, UsageError when the declared positive label is neither of them.
    """
    found = learn_labels(frame, name)
    if len(found) != 2:
        hint = "for more labels write `task: multiclass`" if found[1:] else "check that this is the right column"
        raise DataError(
            Problem(
                "BP262",
                f"target `{escape(name)}` is binary, but its training rows hold {len(found)} label(s): "
                f"{quote_list(found, last='and', limit=10)}",
                hints=("a binary target needs exactly two labels", hint),
                key=("targets", name),
            )
        )
    positive = _position(frame, found, name, options.positive)
    labels = (found[1 - positive], found[positive])
    codes = frame_codes(frame, name, labels)
    return BinaryState(
        labels,
        shares(codes, 2, weight)[1],
        options.loss.model_dump(),
        class_weights(frame, codes, labels, options.class_weights, name),
        options.loss_weight,
        DEFAULT if options.threshold == "auto" else options.threshold,
        untuned_temperature(options.temperature),
    )


def encode(state: BinaryState, frame: Frame, name: str) -> np.ndarray:
    """Zeros and ones (n_rows, 1) float32. Raises DataError for any other label."""
    return known_codes(frame, name, state.labels).astype(np.float32)[:, None]


def truth(state: BinaryState, frame: Frame, name: str) -> pa.Array:
    """The labels (n_rows,) as they were learned. Raises DataError for any other label."""
    return take_labels(state.labels, known_codes(frame, name, state.labels))


def written_back(options: BinaryOptions, state: BinaryState) -> BinaryOptions:
    """The options with the positive label."""
    return options.model_copy(update={"positive": state.positive})


def load(saved: Json) -> BinaryState:
    """The state that `to_json` wrote."""
    return BinaryState(**(saved | {name: tuple(saved[name]) for name in ("labels", "class_weights")}))


def _position(frame: Frame, labels: tuple[str, ...], name: str, positive: str | int | float | bool | None) -> int:
    if positive is None:
        return 1
    code = written_codes(frame, [str(positive)], labels)[0]
    if code >= 0:
        return code
    raise UsageError(
        Problem(
            "BP150",
            f"`targets.{name}.positive` is `{escape(str(positive))}`, but the labels are "
            + " and ".join(f"`{escape(label)}`" for label in labels),
            hints=("write one of these labels, quoted as text if it looks like a number",),
            key=("targets", name, "positive"),
        )
    )
