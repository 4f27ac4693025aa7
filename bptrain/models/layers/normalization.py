"""Normalisation that divides by a root, which every processor rounds alike.

Keras multiplies by `rsqrt`, which x86 processors approximate each in their own way before XLA and Eigen refine it: last
bits differ between makers. Weights, names and results to rounding are those of Keras' layers.
"""

from __future__ import annotations

from typing import Any

import keras

ops = keras.ops


class BatchNormalization(keras.layers.BatchNormalization):  # type: ignore[misc]  # Keras has no types
    """Each feature of (batch, …, features) with mean 0 and variance 1 over all others, then scaled and shifted.

    Outside training by moving averages of mean and variance. Ioffe & Szegedy 2015.
    """

    def call(self, inputs: Any, training: bool = False) -> Any:
        if not training:
            return _normalized(inputs, self.moving_mean, self.moving_variance, self)
        mean, variance = ops.moments(inputs, axes=list(range(len(inputs.shape) - 1)))
        self.moving_mean.assign(self.moving_mean * self.momentum + mean * (1.0 - self.momentum))
        self.moving_variance.assign(self.moving_variance * self.momentum + variance * (1.0 - self.momentum))
        return _normalized(inputs, mean, variance, self)


class LayerNormalization(keras.layers.LayerNormalization):  # type: ignore[misc]  # Keras has no types
    """Each row of (batch, …, features) with mean 0 and variance 1, then scaled and shifted. Ba et al. 2016."""

    def call(self, inputs: Any) -> Any:
        mean, variance = ops.moments(inputs, axes=[-1], keepdims=True)
        return _normalized(inputs, mean, variance, self)


def _normalized(inputs: Any, mean: Any, variance: Any, layer: Any) -> Any:
    return (inputs - mean) / ops.sqrt(variance + layer.epsilon) * layer.gamma + layer.beta
