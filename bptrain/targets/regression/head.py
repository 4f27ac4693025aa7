"""Regression target: one number, standardised or the logarithm of a rate, and its losses."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import keras

if TYPE_CHECKING:
    from bptrain.models.compat import Loss, Tensor
    from bptrain.targets.regression.task import RegressionState


def loss(state: RegressionState) -> Loss:
    """Loss (batch,) of y_true (batch, 1) and outputs (batch, 1), both as the network sees them."""
    options = dict(state.loss)
    function = LOSSES[options.pop("kind")]
    return lambda y_true, outputs: keras.ops.mean(function(y_true, outputs, **options), axis=-1)


def squared_error(y_true: Tensor, outputs: Tensor) -> Tensor:
    """(t - y)^2."""
    return keras.ops.square(y_true - outputs)


def absolute_error(y_true: Tensor, outputs: Tensor) -> Tensor:
    """|t - y|."""
    return keras.ops.abs(y_true - outputs)


def huber(y_true: Tensor, outputs: Tensor, *, delta: float) -> Tensor:
    """r^2 / 2 up to |r| = delta, then delta (|r| - delta / 2), with r = t - y: Huber 1964, section 2."""
    error = keras.ops.abs(y_true - outputs)
    inside = keras.ops.minimum(error, delta)
    return inside * (error - 0.5 * inside)


def log_cosh(y_true: Tensor, outputs: Tensor) -> Tensor:
    """log cosh r = |r| + log(1 + exp(-2 |r|)) - log 2, with r = t - y, which does not overflow."""
    error = y_true - outputs
    return error + keras.ops.softplus(-2.0 * error) - keras.ops.log(keras.ops.cast(2.0, error.dtype))


def pinball(y_true: Tensor, outputs: Tensor, *, quantile: float) -> Tensor:
    """q r for r = t - y >= 0, else (q - 1) r: Koenker & Bassett 1978, Regression Quantiles, eq. 2.1."""
    error = y_true - outputs
    return keras.ops.maximum(quantile * error, (quantile - 1.0) * error)


def poisson(y_true: Tensor, outputs: Tensor) -> Tensor:
    """exp(z) - t z: the negative log likelihood of a Poisson count with rate exp(z), less what does not depend on z.

    McCullagh & Nelder, Generalized Linear Models (1989), section 2.2.
    """
    return keras.ops.exp(outputs) - y_true * outputs


LOSSES: dict[str, Callable[..., Tensor]] = {
    "mse": squared_error,
    "mae": absolute_error,
    "huber": huber,
    "log_cosh": log_cosh,
    "quantile": pinball,
    "poisson": poisson,
}


def combine(state: RegressionState, outputs: Tensor) -> Tensor:
    """The mean (batch, 1) of several outputs (batch, members, 1); of rates the logarithm of their mean."""
    if state.link == "log":
        return keras.ops.logsumexp(outputs, axis=1) - math.log(outputs.shape[1])
    return keras.ops.mean(outputs, axis=1)


def export(state: RegressionState, outputs: Tensor, name: str) -> Tensor:
    """Values (batch, 1) in the target's own units."""
    if state.link == "log":
        outputs = keras.layers.Activation("exponential", name=f"{name}_rate")(outputs)
    numbers = keras.layers.Rescaling(state.scale, offset=state.mean, name=name)(outputs)
    if state.transform == "log":
        numbers = keras.ops.exp(numbers)
        numbers = keras.ops.maximum(numbers - state.offset, 0.0) if state.offset else numbers
    if state.lowest is None or state.highest is None:
        return numbers
    return keras.ops.clip(numbers, state.lowest, state.highest)
