"""Layers of ours: each does what Keras' own does, in a way that trains faster or rounds alike on every machine.

`Dense` has a gradient that XLA is fast at, `BatchNormalization` and `LayerNormalization` divide as processors do,
`Dropout` needs no generator, and `LinearBatchEnsemble` is the first layer of a batch ensemble.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

import keras
import numpy as np

from bptrain.models.compat import KerasModel, Layer, Shape, Tensor, Variable, optimization_barrier
from bptrain.utils import seeds

ops = keras.ops
STEP = "dropout_step"  # the name of the variable that counts steps
WORD = 2**32
GOLDEN_RATIO = 0x9E3779B9  # of 2^32: steps are spread over all words
MULTIPLIERS = 0x7FEB352D, 0x846CA68B  # of Chris Wellons' `lowbias32`, found by search for the least bias (2018)
_in_xla: ContextVar[bool] = ContextVar("in_xla", default=False)


# Products (decision T5). The gradient of x W for W is the transpose of x times what comes back. Where its left operand
# is to be read transposed, XLA on a CPU leaves a product to a general routine, which takes up to twice as long as its
# own kernels. So x is transposed on its own, behind a barrier, or XLA would put the two together again.


@contextmanager
def compiled_by_xla(compiled: bool) -> Iterator[None]:
    """Within: whether TensorFlow's operations become part of a program that XLA compiles."""
    token = _in_xla.set(compiled)
    try:
        yield
    finally:
        _in_xla.reset(token)


def matmul(inputs: Tensor, kernel: Tensor) -> Tensor:
    """(…, width) times (width, units)."""
    if not _in_xla.get():
        return ops.matmul(inputs, kernel)

    @ops.custom_gradient  # type: ignore[untyped-decorator]
    def product(rows: Tensor, kernel: Tensor) -> tuple[Tensor, Tensor]:
        def gradient(*results: Tensor, upstream: Tensor = None) -> tuple[Tensor, Tensor]:
            upstream = results[0] if upstream is None else upstream
            transposed = optimization_barrier(ops.transpose(rows))
            return ops.matmul(upstream, ops.transpose(kernel)), ops.matmul(transposed, upstream)

        return ops.matmul(rows, kernel), gradient

    rows = ops.reshape(inputs, (-1, inputs.shape[-1]))
    return ops.reshape(product(rows, ops.convert_to_tensor(kernel)), (-1, *inputs.shape[1:-1], kernel.shape[-1]))


class Dense(keras.layers.Dense):  # type: ignore[misc]  # Keras has no types
    """(batch, …, width) → (batch, …, units): x W + b, as Keras' own layer, which trains more slowly."""

    def call(self, inputs: Tensor) -> Tensor:
        return self.activation(matmul(inputs, self.kernel) + self.bias)


class LinearBatchEnsemble(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """The first hidden layer of every member: features times the member's own scales, then one shared affine map.

    (batch, width) → (batch, members, units): y_m = (x * a_m) W + b. The scales are multiplied into W before x is, which
    gives the same and moves less through memory (decision M8). Members share all hidden weights but these scales, and
    have heads of their own: Gorishniy, Kotelnikov & Babenko, TabM (ICLR 2025), the form called mini; Wen, Tran & Ba,
    BatchEnsemble (ICLR 2020).

    Args:
        group_widths: of neighbouring features that come from one column; their first scales are equal, from N(0, 1).
        kernel, bias: initializers.
        penalty: regularizer of the kernel.
    """

    def __init__(
        self,
        units: int,
        members: int,
        group_widths: Sequence[int],
        *,
        kernel: keras.Initializer | str,
        bias: keras.Initializer | str,
        penalty: keras.Regularizer | None,
        seed: int,
        name: str,
    ) -> None:
        super().__init__(name=name)
        self.units, self.members, self._group_widths, self._seed = units, members, list(group_widths), seed
        self._first_kernel, self._first_bias, self._penalty = kernel, bias, penalty

    def build(self, shape: Shape) -> None:
        width, n_groups = int(shape[-1]), len(self._group_widths)
        self.adapter = self.add_weight((self.members, width), name="adapter", initializer="zeros")
        self.kernel = self.add_weight(
            (width, self.units), name="kernel", initializer=self._first_kernel, regularizer=self._penalty
        )
        self.bias = self.add_weight((self.units,), name="bias", initializer=self._first_bias)
        scales = seeds.stream(self._seed, "init", self.name, "adapter").normal(size=(self.members, n_groups))
        self.adapter.assign(np.repeat(scales, self._group_widths, axis=1))

    def call(self, inputs: Tensor) -> Tensor:
        kernels = ops.reshape(self._kernels(), (-1, self.members * self.units))
        return ops.reshape(matmul(inputs, kernels), (-1, self.members, self.units)) + self.bias

    def compute_output_shape(self, shape: Shape) -> Shape:
        return shape[0], self.members, self.units

    def plain(self, name: str) -> Layer:
        """A layer of Keras that does the same, once it has `plain_weights`."""
        return keras.layers.EinsumDense("bd,dmh->bmh", (self.members, self.units), bias_axes="h", name=name)

    def plain_weights(self) -> list[np.ndarray]:
        """The weights of `plain`: each member's own kernel (width, members, units), and the bias (units,)."""
        return [np.asarray(self._kernels()), np.asarray(self.bias)]

    def _kernels(self) -> Tensor:
        """Each member's own kernel: (width, members, units)."""
        return ops.transpose(self.adapter)[:, :, None] * self.kernel[:, None, :]


# Normalisation that divides by a root, which every processor rounds alike (decision P2). Keras multiplies by `rsqrt`,
# which x86 processors approximate each in their own way before XLA and Eigen refine it: last bits differ between
# makers. Weights, names and results to rounding are those of Keras' layers.


class BatchNormalization(keras.layers.BatchNormalization):  # type: ignore[misc]  # Keras has no types
    """Each feature of (batch, …, features) with mean 0 and variance 1 over all others, then scaled and shifted.

    Outside training by moving averages of mean and variance. Ioffe & Szegedy 2015.
    """

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        if not training:
            return _normalized(inputs, self.moving_mean, self.moving_variance, self)
        mean, variance = ops.moments(inputs, axes=list(range(len(inputs.shape) - 1)))
        self.moving_mean.assign(self.moving_mean * self.momentum + mean * (1.0 - self.momentum))
        self.moving_variance.assign(self.moving_variance * self.momentum + variance * (1.0 - self.momentum))
        return _normalized(inputs, mean, variance, self)


class LayerNormalization(keras.layers.LayerNormalization):  # type: ignore[misc]  # Keras has no types
    """Each row of (batch, …, features) with mean 0 and variance 1, then scaled and shifted. Ba et al. 2016."""

    def call(self, inputs: Tensor) -> Tensor:
        mean, variance = ops.moments(inputs, axes=[-1], keepdims=True)
        return _normalized(inputs, mean, variance, self)


def _normalized(inputs: Tensor, mean: Tensor, variance: Tensor, layer: Layer) -> Tensor:
    return (inputs - mean) / ops.sqrt(variance + layer.epsilon) * layer.gamma + layer.beta


# Dropout (decision T2). Keras' own layer draws from a generator whose state is not saved, whose numbers differ between
# compiled and plain programs, and which costs more than the rest of a step inside XLA on a CPU. Here each element of a
# mask is a hash of its place: integer arithmetic that every backend and every compiler does alike.


class Dropout(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """Sets a share `rate` of its input (batch, …) to zero in training and scales the rest by 1 / (1 - rate).

    Srivastava et al. 2014, scaled in training as usual today. The mask is a function of the seed, the layer's name and
    `step`, a variable that all dropout layers of a network share and that the one that `counts` increments: the last.

    Of several networks (decision M2) only the first one's layers are ever trained, with the weights of each network in
    turn: so the key of all masks is that of the first network's seed, and a network has other masks than the first by
    its first step alone, which `start_dropout_at` sets.
    """

    def __init__(self, rate: float, *, seed: int, name: str, step: Variable, counts: bool) -> None:
        super().__init__(name=name)
        self.rate, self.step, self.counts = rate, step, counts
        self._key = seeds.stream(seed, "dropout", name).integers(0, WORD, dtype=np.uint32)

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        if not training or not self.rate:
            return inputs
        mask = self.mask(ops.shape(inputs))
        if self.counts:
            self.step.assign(self.step + 1)
        return ops.where(mask, inputs * (1.0 / (1.0 - self.rate)), ops.zeros_like(inputs))

    def mask(self, shape: Shape) -> Tensor:
        """Which elements stay at this step, bool of this shape: mixed(hash(place) xor hash(c · step + key)) ≥ rate.

        The hash of places is the same in every step, so a compiler computes it once. Mixing is the second half of
        the hash: what it takes in is spread over all bits already.
        """
        places = hashed(ops.cast(ops.reshape(ops.arange(math.prod(shape), dtype="int32"), shape), "uint32"))
        step = hashed(ops.cast(self.step, "uint32") * _word(GOLDEN_RATIO) + _word(self._key))
        words = ops.bitwise_xor(places, step) * _word(MULTIPLIERS[0])
        words = _xor_shifted(words, 15) * _word(MULTIPLIERS[1])
        return words >= _word(min(round(self.rate * WORD), WORD - 1))


def start_dropout_at(network: KerasModel, step: int) -> None:
    """Let masks be those of training steps from `step` on: networks that one program trains differ by it."""
    for variable in network.weights:
        if variable.name == STEP:
            variable.assign(step)


def hashed(words: Tensor) -> Tensor:
    """Bijective mixing of 32-bit words: `lowbias32`."""
    for n_bits, multiplier in zip((16, 15), MULTIPLIERS, strict=True):
        words = _xor_shifted(words, n_bits) * _word(multiplier)
    return _xor_shifted(words, 16)


def _xor_shifted(words: Tensor, n_bits: int) -> Tensor:
    return ops.bitwise_xor(words, ops.right_shift(words, _word(n_bits)))


def _word(value: int | np.uint32) -> Tensor:
    return ops.convert_to_tensor(np.uint32(value))
