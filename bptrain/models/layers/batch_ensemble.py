"""Members of a batch ensemble: networks that share all hidden weights but how each sees the features, and their heads.

Gorishniy, Kotelnikov & Babenko, TabM (ICLR 2025), the form called mini; Wen, Tran & Ba, BatchEnsemble (ICLR 2020).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from bptrain.models.layers.dense import product
from bptrain.utils import seeds

ops = keras.ops


class Adapted(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """The first hidden layer of every member: features times the member's own scales, then one shared affine map.

    (batch, width) → (batch, members, units): y_m = (x * a_m) W + b. The scales are multiplied into W before x is, which
    gives the same and moves less through memory. `chunks` are the widths of features that come from one column: their
    first scales are equal, drawn from N(0, 1).
    """

    def __init__(
        self,
        units: int,
        members: int,
        chunks: Sequence[int],
        *,
        kernel: Any,
        bias: Any,
        penalty: Any,
        seed: int,
        name: str,
    ) -> None:
        super().__init__(name=name)
        self.units, self.members, self._chunks, self._seed = units, members, list(chunks), seed
        self._first_kernel, self._first_bias, self._penalty = kernel, bias, penalty

    def build(self, shape: Any) -> None:
        width = int(shape[-1])
        self.adapter = self.add_weight((self.members, width), name="adapter", initializer="zeros")
        self.kernel = self.add_weight(
            (width, self.units), name="kernel", initializer=self._first_kernel, regularizer=self._penalty
        )
        self.bias = self.add_weight((self.units,), name="bias", initializer=self._first_bias)
        draws = seeds.stream(self._seed, "init", self.name, "adapter").normal(size=(self.members, len(self._chunks)))
        self.adapter.assign(np.repeat(draws, self._chunks, axis=1))

    def call(self, inputs: Any) -> Any:
        together = ops.reshape(self._kernels(), (-1, self.members * self.units))
        return ops.reshape(product(inputs, together), (-1, self.members, self.units)) + self.bias

    def compute_output_shape(self, shape: Any) -> Any:
        return shape[0], self.members, self.units

    def plain(self, name: str) -> keras.layers.Layer:
        """A layer of Keras that does the same, once it has `plain_weights`."""
        return keras.layers.EinsumDense("bd,dmh->bmh", (self.members, self.units), bias_axes="h", name=name)

    def plain_weights(self) -> list[np.ndarray]:
        """Its weights."""
        return [np.asarray(self._kernels()), np.asarray(self.bias)]

    def _kernels(self) -> Any:
        """Each member's own kernel: (width, members, units)."""
        return ops.transpose(self.adapter)[:, :, None] * self.kernel[:, None, :]
