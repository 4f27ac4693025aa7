"""Regression target: one standardised number, and its loss."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras

from bptrain.targets.regression.prepare import RegressionState


def loss(state: RegressionState) -> Callable[[Any, Any], Any]:
    """Loss (batch,) of standardised truth (batch, 1) and outputs (batch, 1)."""
    return squared_error


def squared_error(truth: Any, outputs: Any) -> Any:
    """(t - y)^2."""
    return keras.ops.mean(keras.ops.square(truth - outputs), axis=-1)


def decode(state: RegressionState, outputs: Any, name: str) -> Any:
    """Values (batch, 1) in the target's own units, for the exported network."""
    return keras.layers.Rescaling(state.scale, offset=state.mean, name=name)(outputs)
