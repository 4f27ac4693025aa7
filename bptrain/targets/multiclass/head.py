"""Multiclass target: one logit per label, and its losses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras

from bptrain.targets.multiclass.prepare import MulticlassState


def loss(state: MulticlassState) -> Callable[[Any, Any], Any]:
    """Loss (batch,) of class numbers (batch, 1) and logits (batch, n_labels).

    Cross-entropy: Bishop, Pattern Recognition and Machine Learning (2006), eq. 4.108; mse: squared error of the
    probabilities, summed over labels (Brier 1950).
    """
    return cross_entropy if state.loss == "cross_entropy" else squared_error


def cross_entropy(truth: Any, logits: Any) -> Any:
    """-log p of the true label, with p the softmax of the logits."""
    return keras.ops.sparse_categorical_crossentropy(truth[:, 0], logits, from_logits=True)


def squared_error(truth: Any, logits: Any) -> Any:
    """Sum over labels of (1 if true - p)^2, with p the softmax of the logits."""
    wanted = keras.ops.one_hot(truth[:, 0], logits.shape[-1], dtype=logits.dtype)
    return keras.ops.sum(keras.ops.square(wanted - keras.ops.softmax(logits)), axis=-1)


def decode(state: MulticlassState, logits: Any, name: str) -> Any:
    """Probabilities (batch, n_labels), for the exported network."""
    return keras.layers.Activation("softmax", name=name)(logits)
