"""Binary target: one logit, and its losses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras

from bptrain.targets.binary.prepare import BinaryState


def loss(state: BinaryState) -> Callable[[Any, Any], Any]:
    """Loss (batch,) of truth (batch, 1) in {0, 1} and logits (batch, 1)."""
    options = dict(state.loss)
    function = LOSSES[options.pop("kind")]
    return lambda truth, logits: function(truth, logits, **options)


def cross_entropy(truth: Any, logits: Any, *, label_smoothing: float = 0.0) -> Any:
    """-t log p - (1 - t) log(1 - p) with p = 1 / (1 + exp(-z)), written so that no z overflows.

    Bishop, Pattern Recognition and Machine Learning (2006), eq. 4.90. With smoothing s, t is replaced by
    (1 - s) t + s / 2: Szegedy et al. 2016, section 7.
    """
    smoothed = truth * (1.0 - label_smoothing) + 0.5 * label_smoothing
    return keras.ops.mean(keras.ops.binary_crossentropy(smoothed, logits, from_logits=True), axis=-1)


def squared_error(truth: Any, logits: Any) -> Any:
    """(t - p)^2 with p = 1 / (1 + exp(-z))."""
    return keras.ops.mean(keras.ops.square(truth - keras.ops.sigmoid(logits)), axis=-1)


def focal(truth: Any, logits: Any, *, gamma: float) -> Any:
    """-(1 - p)^gamma log p of the true label's probability p: Lin et al. 2017, Focal Loss, eq. 4.

    1 - p is the logistic function of the other sign, so its power is taken as the exponential of a logarithm.
    """
    towards = logits * (2.0 * truth - 1.0)
    played_down = keras.ops.exp(gamma * keras.ops.log_sigmoid(-towards))
    return keras.ops.mean(-played_down * keras.ops.log_sigmoid(towards), axis=-1)


LOSSES: dict[str, Callable[..., Any]] = {"cross_entropy": cross_entropy, "mse": squared_error, "focal": focal}


def combine(state: BinaryState, logits: Any) -> Any:
    """The logit (batch, 1) of the mean probability of several logits (batch, members, 1), which no logit overflows."""
    yes = keras.ops.logsumexp(keras.ops.log_sigmoid(logits), axis=1)
    return yes - keras.ops.logsumexp(keras.ops.log_sigmoid(-logits), axis=1)


def decode(state: BinaryState, logits: Any, name: str) -> Any:
    """Probability (batch, 1) of the positive label, for the exported network."""
    if state.temperature != 1:
        logits = keras.layers.Rescaling(1 / state.temperature, name=f"{name}_temperature")(logits)
    return keras.layers.Activation("sigmoid", name=name)(logits)
