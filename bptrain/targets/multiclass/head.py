"""Multiclass target: one logit per label, and its losses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras

from bptrain.targets.multiclass.prepare import MulticlassState

NOWHERE = 1e9  # subtracted from a logit to leave its label out of a sum of exponentials


def loss(state: MulticlassState) -> Callable[[Any, Any], Any]:
    """Loss (batch,) of class numbers (batch, 1) and logits (batch, n_labels)."""
    options = dict(state.loss)
    function = LOSSES[options.pop("kind")]
    return lambda truth, logits: function(truth, logits, **options)


def cross_entropy(truth: Any, logits: Any, *, label_smoothing: float = 0.0) -> Any:
    """-log p of the true label, with p the softmax of the logits.

    Bishop, Pattern Recognition and Machine Learning (2006), eq. 4.108. With smoothing s, the truth is (1 - s) for the
    true label plus s / n_labels for each: Szegedy et al. 2016, section 7.
    """
    likelihood = keras.ops.sparse_categorical_crossentropy(truth[:, 0], logits, from_logits=True)
    if not label_smoothing:
        return likelihood
    even = -keras.ops.mean(keras.ops.log_softmax(logits), axis=-1)
    return (1.0 - label_smoothing) * likelihood + label_smoothing * even


def squared_error(truth: Any, logits: Any) -> Any:
    """Sum over labels of (1 if true - p)^2, with p the softmax of the logits (Brier 1950)."""
    return keras.ops.sum(keras.ops.square(_one_hot(truth, logits) - keras.ops.softmax(logits)), axis=-1)


def focal(truth: Any, logits: Any, *, gamma: float) -> Any:
    """-(1 - p)^gamma log p of the true label's probability p: Lin et al. 2017, Focal Loss, eq. 4.

    1 - p is the share of the other labels' exponentials, taken in logarithms so that it never rounds to zero.
    """
    wanted = _one_hot(truth, logits)
    whole = keras.ops.logsumexp(logits, axis=-1)
    others = keras.ops.logsumexp(logits - NOWHERE * wanted, axis=-1)
    own = keras.ops.sum(wanted * logits, axis=-1)
    return -keras.ops.exp(gamma * (others - whole)) * (own - whole)


LOSSES: dict[str, Callable[..., Any]] = {"cross_entropy": cross_entropy, "mse": squared_error, "focal": focal}


def combine(state: MulticlassState, logits: Any) -> Any:
    """Logits (batch, n_labels) whose softmax is the mean of those of several (batch, members, n_labels)."""
    return keras.ops.logsumexp(keras.ops.log_softmax(logits, axis=-1), axis=1)


def decode(state: MulticlassState, logits: Any, name: str) -> Any:
    """Probabilities (batch, n_labels), for the exported network."""
    if state.temperature != 1:
        logits = keras.layers.Rescaling(1 / state.temperature, name=f"{name}_temperature")(logits)
    return keras.layers.Activation("softmax", name=name)(logits)


def _one_hot(truth: Any, logits: Any) -> Any:
    return keras.ops.one_hot(keras.ops.cast(truth[:, 0], "int32"), logits.shape[-1], dtype=logits.dtype)
