"""Targets with labels in Keras: losses of one logit (two labels) and of a logit per label, and what they mean.

The logit z of two labels is that of the positive one; its probability is p = 1 / (1 + exp(-z)). Of several labels p is
the softmax of the logits.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import keras

if TYPE_CHECKING:
    from bptrain.models.compat import Loss, Tensor
    from bptrain.targets.classification.task import ClassificationState

NOWHERE = 1e9  # subtracted from a logit to leave its label out of a sum of exponentials


def loss(state: ClassificationState) -> Loss:
    """Loss (batch,) of y_true (batch, 1), numbers of labels, and logits (batch, n_outputs)."""
    options = dict(state.loss)
    function = LOSSES[state.task, options.pop("kind")]
    return lambda y_true, logits: function(y_true, logits, **options)


def binary_cross_entropy(y_true: Tensor, logits: Tensor, *, label_smoothing: float = 0.0) -> Tensor:
    """-t log p - (1 - t) log(1 - p) for t in {0, 1}, written so that no z overflows.

    Bishop, Pattern Recognition and Machine Learning (2006), eq. 4.90. With smoothing s, t is replaced by
    (1 - s) t + s / 2: Szegedy et al. 2016, section 7.
    """
    smoothed = y_true * (1.0 - label_smoothing) + 0.5 * label_smoothing
    return keras.ops.mean(keras.ops.binary_crossentropy(smoothed, logits, from_logits=True), axis=-1)


def cross_entropy(y_true: Tensor, logits: Tensor, *, label_smoothing: float = 0.0) -> Tensor:
    """-log p of the true label.

    Bishop, Pattern Recognition and Machine Learning (2006), eq. 4.108. With smoothing s, the truth is (1 - s) for the
    true label plus s / n_labels for each: Szegedy et al. 2016, section 7.
    """
    likelihood = keras.ops.sparse_categorical_crossentropy(y_true[:, 0], logits, from_logits=True)
    if not label_smoothing:
        return likelihood
    even = -keras.ops.mean(keras.ops.log_softmax(logits), axis=-1)
    return (1.0 - label_smoothing) * likelihood + label_smoothing * even


def binary_squared_error(y_true: Tensor, logits: Tensor) -> Tensor:
    """(t - p)^2 for t in {0, 1}."""
    return keras.ops.mean(keras.ops.square(y_true - keras.ops.sigmoid(logits)), axis=-1)


def squared_error(y_true: Tensor, logits: Tensor) -> Tensor:
    """Sum over labels of (1 if true - p)^2 (Brier 1950)."""
    return keras.ops.sum(keras.ops.square(_one_hot(y_true, logits) - keras.ops.softmax(logits)), axis=-1)


def binary_focal(y_true: Tensor, logits: Tensor, *, gamma: float) -> Tensor:
    """-(1 - p)^gamma log p of the true label's probability p: Lin et al. 2017, Focal Loss, eq. 4.

    1 - p is the logistic function of the other sign, so its power is taken as the exponential of a logarithm.
    """
    towards = logits * (2.0 * y_true - 1.0)
    played_down = keras.ops.exp(gamma * keras.ops.log_sigmoid(-towards))
    return keras.ops.mean(-played_down * keras.ops.log_sigmoid(towards), axis=-1)


def focal(y_true: Tensor, logits: Tensor, *, gamma: float) -> Tensor:
    """As `binary_focal` for several labels.

    1 - p is the share of the other labels' exponentials, taken in logarithms so that it never rounds to zero.
    """
    is_true = _one_hot(y_true, logits)
    whole = keras.ops.logsumexp(logits, axis=-1)
    others = keras.ops.logsumexp(logits - NOWHERE * is_true, axis=-1)
    own = keras.ops.sum(is_true * logits, axis=-1)
    return -keras.ops.exp(gamma * (others - whole)) * (own - whole)


def _one_hot(y_true: Tensor, logits: Tensor) -> Tensor:
    return keras.ops.one_hot(keras.ops.cast(y_true[:, 0], "int32"), logits.shape[-1], dtype=logits.dtype)


LOSSES: dict[tuple[str, str], Callable[..., Tensor]] = {
    ("binary", "cross_entropy"): binary_cross_entropy,
    ("binary", "mse"): binary_squared_error,
    ("binary", "focal"): binary_focal,
    ("multiclass", "cross_entropy"): cross_entropy,
    ("multiclass", "mse"): squared_error,
    ("multiclass", "focal"): focal,
}


def combine(state: ClassificationState, outputs: Tensor) -> Tensor:
    """Logits (batch, n_outputs) whose probabilities are the mean of several (batch, several, n_outputs).

    Written in logarithms, which no logit overflows.
    """
    if state.n_outputs > 1:
        return keras.ops.logsumexp(keras.ops.log_softmax(outputs, axis=-1), axis=1)
    yes = keras.ops.logsumexp(keras.ops.log_sigmoid(outputs), axis=1)
    return yes - keras.ops.logsumexp(keras.ops.log_sigmoid(-outputs), axis=1)


def export(state: ClassificationState, outputs: Tensor, name: str) -> Tensor:
    """Probabilities (batch, n_outputs): of the positive label, or of each."""
    if state.temperature != 1:
        outputs = keras.layers.Rescaling(1 / state.temperature, name=f"{name}_temperature")(outputs)
    return keras.layers.Activation("softmax" if state.n_outputs > 1 else "sigmoid", name=name)(outputs)
