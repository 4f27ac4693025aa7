"""Numeric columns enter the network as they were prepared, or as learned functions of the scaled number.

A piecewise-linear embedding is x w + b + P(x) V, where P(x) says how much of each bin lies below x: Gorishniy,
Rubachev & Babenko, On Embeddings for Numerical Features in Tabular Deep Learning (NeurIPS 2022), eq. 1; with V = 0 it
starts as a line (version B of TabM, ICLR 2025). A periodic embedding is cos(2 pi f x + c) A + d beside x itself:
Holzmüller, Grinsztajn & Steinwart, Better by Default (NeurIPS 2024), section 3. Both are learned for each column.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import keras
import numpy as np

from bptrain.features.kind import Features
from bptrain.features.options import EmbeddingOptions
from bptrain.utils import seeds

if TYPE_CHECKING:
    from bptrain.features.numeric.kind import NumericState
    from bptrain.models.compat import Tensor

ops = keras.ops
THINNEST = 1e-4  # width of a bin, in units of the scaled number, that a thinner one is taken to have
BELOW, BEYOND = -1.0, 2.0  # how far the first and the last bin go on, in widths of theirs
ALONE = 3.0  # the same to both sides where there is only one
N_TERMS = 6  # of a cosine: an error of (pi / 2)^13 / 13! = 6e-8, half the distance between two float32 below 1
SLOWED = 0.1  # frequencies and phases learn so much slower than other weights

# What y^(2 k + 1) has in Taylor's series of sin(2 pi y).
SINE = [(-1) ** k * (2 * math.pi) ** (2 * k + 1) / math.factorial(2 * k + 1) for k in range(N_TERMS)]

Draw = Callable[[np.random.Generator], np.ndarray]


def encode(state: NumericState, inputs: dict[str, Tensor], seed: int, options: EmbeddingOptions) -> Features:
    """The numbers, their embeddings and the indicators of missing cells."""
    numbers, indicators = inputs["numeric"], [inputs[name] for name in state.inputs if name != "numeric"]
    binned = [place for place, column in enumerate(state.learned) if column.n_bin_edges]
    periodic = [place for place, column in enumerate(state.learned) if column.periodic]
    if not binned and not periodic:
        return Features.of_numbers([numbers, *indicators])
    bare = sorted(set(range(len(state.columns))) - {*binned, *periodic})
    parts = [Features([], [], [numbers])]
    if bare:
        parts.append(Features([_take(numbers, bare)], [1] * len(bare), []))
    if binned:
        parts.append(piecewise_linear(state, _take(numbers, binned), binned, seed, options))
    if periodic:
        parts.append(periodic_embedding(state, _take(numbers, periodic), periodic, seed, options))
    if indicators:
        parts.append(Features.of_numbers(indicators))
    return Features.concat(parts)


def piecewise_linear(
    state: NumericState, numbers: Tensor, places: list[int], seed: int, options: EmbeddingOptions
) -> Features:
    """Piecewise-linear embeddings (batch, columns * d_embedding) of the columns at `places`.

    They are made of how much of each bin lies below the number: (columns, batch, most bins), 0 where a column has none.
    Columns come first there, as the products with each column's own weights need it.
    """
    every_edges = state.of_each("bin_edges")
    bin_edges, names = [every_edges[place] for place in places], [state.columns[place] for place in places]
    left, steepness, low, high = np.zeros((4, len(places), 1, max(map(len, bin_edges)) - 1), np.float32)
    for place, edges in enumerate(bin_edges):
        n_bins = len(edges) - 1
        left[place, 0, :n_bins] = edges[:-1]
        steepness[place, 0, :n_bins] = 1 / np.maximum(np.diff(edges), THINNEST)
        high[place, 0, :n_bins] = 1.0
        low[place, 0, 0], high[place, 0, n_bins - 1] = (BELOW, BEYOND) if n_bins > 1 else (-ALONE, ALONE)
    below = ops.minimum(ops.maximum((ops.transpose(numbers)[:, :, None] - left) * steepness, low), high)
    shape, bound = (len(places), options.d_embedding), options.d_embedding**-0.5
    line = keras.layers.EinsumDense("bc,ce->bce", shape, bias_axes="ce", name="numeric_line")
    bends = keras.layers.EinsumDense(
        "cbm,cme->cbe", (None, options.d_embedding), kernel_initializer="zeros", name="numeric_bends"
    )
    embedded = line(numbers) + ops.transpose(bends(below), (1, 0, 2))
    line.kernel.assign(_drawn(seed, names, "line", lambda random: random.uniform(-bound, bound, options.d_embedding)))
    line.bias.assign(_drawn(seed, names, "height", lambda random: random.uniform(-bound, bound, options.d_embedding)))
    flat = ops.reshape(embedded, (-1, len(places) * options.d_embedding))
    return Features([flat], [options.d_embedding] * len(places), [], [below])


def periodic_embedding(
    state: NumericState, numbers: Tensor, places: list[int], seed: int, options: EmbeddingOptions
) -> Features:
    """Periodic embeddings and the numbers themselves (batch, columns * (d_periodic + 1))."""
    names, n, width = [state.columns[place] for place in places], options.n_frequencies, options.d_periodic
    angles = keras.layers.EinsumDense("bc,cf->bcf", (len(places), n), bias_axes="cf", name="numeric_frequencies")
    mixed = keras.layers.EinsumDense("bcf,cfo->bco", (len(places), width), bias_axes="co", name="numeric_waves")
    waves = mixed(Cosine(name="numeric_cosines")(angles(numbers) * SLOWED))
    spread, bound = options.frequency_init_scale / SLOWED, n**-0.5
    angles.kernel.assign(_drawn(seed, names, "frequency", lambda random: random.normal(0.0, spread, n)))
    angles.bias.assign(_drawn(seed, names, "phase", lambda random: random.uniform(-0.5, 0.5, n) / SLOWED))
    mixed.kernel.assign(_drawn(seed, names, "waves", lambda random: random.uniform(-bound, bound, (n, width))))
    mixed.bias.assign(_drawn(seed, names, "middle", lambda random: random.uniform(-bound, bound, width)))
    both = ops.concatenate([waves, numbers[:, :, None]], axis=2)
    return Features([ops.reshape(both, (-1, len(places) * (width + 1)))], [width + 1] * len(places), [])


def _take(numbers: Tensor, places: list[int]) -> Tensor:
    return numbers if len(places) == numbers.shape[-1] else ops.take(numbers, np.array(places, np.int32), axis=1)


def _drawn(seed: int, columns: list[str], what: str, draw: Draw) -> np.ndarray:
    """First weights of all columns, each a function of the seed and of the column's name."""
    return np.stack([draw(seeds.stream(seed, "init", "numeric", what, name)) for name in columns]).astype(np.float32)


class Cosine(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """cos(2 pi x) of numbers x of any shape, by a polynomial, to 1e-6: for programs that XLA compiles.

    On a CPU XLA calls the C library's cosine for one number at a time. With y = 1/4 - |x - round(x)| it is sin(2 pi y),
    where |y| is 1/4 at most, so that a few terms of Taylor's series are enough; rounding takes whole turns off exactly.
    """

    def call(self, turns: Tensor) -> Tensor:
        rest = 0.25 - ops.abs(turns - ops.round(turns))
        squared, total = rest * rest, SINE[-1]
        for factor in reversed(SINE[:-1]):
            total = total * squared + factor
        return rest * total

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return shape

    def plain(self, name: str) -> Callable[[Tensor], Tensor]:
        """The same by the backend's own cosine, which is faster where XLA does not compile it."""
        return lambda turns: ops.cos(turns * (2 * math.pi))
