"""Binary target: one logit, and its losses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras

from bptrain.targets.binary.prepare import BinaryState


def loss(state: BinaryState) -> Callable[[Any, Any], Any]:
    """Loss (batch,) of truth (batch, 1) in {0, 1} and logits (batch, 1).

    Cross-entropy: Bishop, Pattern Recognition and Machine Learning (2006), eq. 4.90; mse: squared error of the
    probability.
    """
    return cross_entropy if state.loss == "cross_entropy" else squared_error


def cross_entropy(truth: Any, logits: Any) -> Any:
    """-t log p - (1 - t) log(1 - p) with p = 1 / (1 + exp(-z)), written so that no z overflows."""
    return keras.ops.mean(keras.ops.binary_crossentropy(truth, logits, from_logits=True), axis=-1)


def squared_error(truth: Any, logits: Any) -> Any:
    """(t - p)^2 with p = 1 / (1 + exp(-z))."""
    return keras.ops.mean(keras.ops.square(truth - keras.ops.sigmoid(logits)), axis=-1)


def decode(state: BinaryState, logits: Any, name: str) -> Any:
    """Probability (batch, 1) of the positive label, for the exported network."""
    return keras.layers.Activation("sigmoid", name=name)(logits)
