"""Dropout whose mask is a function of the seed, the layer's name and the training step, and cheap to make.

Keras' own layer draws from a generator whose state is not saved, whose numbers differ between compiled and plain
programs, and which costs more than the rest of a step inside XLA on a CPU. Here each mask element is a hash of where it
stands: integer arithmetic that every backend and every compiler does alike.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from bptrain.utils import seeds

ops = keras.ops
STEP = "dropout_step"
GOLDEN_RATIO = 0x9E3779B9  # of 2^32: steps are spread over all words
_WORD = 2**32


def new_step() -> Any:
    """The variable that counts training steps, for all dropout layers of a network."""
    return keras.Variable(0, trainable=False, dtype="int32", name=STEP)


def start_at(network: keras.Model, step: int) -> None:
    """Let masks be those of training steps from `step` on, so that networks of the same program have others."""
    for variable in network.weights:
        if variable.name == STEP:
            variable.assign(step)


class Dropout(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """Sets a share `rate` of its input (batch, …) to zero in training and scales the rest by 1 / (1 - rate).

    Srivastava et al. 2014, scaled in training as usual today. The mask is a function of the seed, the layer's name and
    `step`, which the layer that `counts` increments: the last of a network.
    """

    def __init__(self, rate: float, *, seed: int, name: str, step: Any, counts: bool) -> None:
        super().__init__(name=name)
        self.rate, self.step, self.counts = rate, step, counts
        self._key = seeds.stream(seed, "dropout", name).integers(0, _WORD, dtype=np.uint32)

    def call(self, inputs: Any, training: bool = False) -> Any:
        if not training or not self.rate:
            return inputs
        kept = self.mask(ops.shape(inputs))
        if self.counts:
            self.step.assign(self.step + 1)
        return ops.where(kept, inputs * (1.0 / (1.0 - self.rate)), ops.zeros_like(inputs))

    def mask(self, shape: Any) -> Any:
        """Which elements are kept at this step, bool of this shape: mixed(hash(place) xor hash(c · step + key)) ≥ rate.

        The hash of places is the same in every step, so a compiler computes it once. Mixing is the second half of
        the hash: what it takes in is spread over all bits already.
        """
        places = hashed(ops.cast(ops.reshape(ops.arange(_product(shape), dtype="int32"), shape), "uint32"))
        step = hashed(ops.cast(self.step, "uint32") * _word(GOLDEN_RATIO) + _word(self._key))
        words = ops.bitwise_xor(places, step) * _word(0x7FEB352D)
        words = _folded(words, 15) * _word(0x846CA68B)
        return words >= _word(min(round(self.rate * _WORD), _WORD - 1))


def hashed(words: Any) -> Any:
    """Bijective mixing of 32-bit words: Chris Wellons' `lowbias32`, found by search for the least bias (2018)."""
    words = _folded(words, 16) * _word(0x7FEB352D)
    words = _folded(words, 15) * _word(0x846CA68B)
    return _folded(words, 16)


def _folded(words: Any, n_bits: int) -> Any:
    return ops.bitwise_xor(words, ops.right_shift(words, _word(n_bits)))


def _word(value: Any) -> Any:
    return ops.convert_to_tensor(np.uint32(value))


def _product(shape: Any) -> Any:
    size = 1
    for length in shape:
        size = size * length
    return size
