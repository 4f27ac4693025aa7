"""The order of the rows: one permutation per epoch, a function of the seed and the epoch alone.

Keras' own `shuffle=True` repeats one permutation in every epoch once a seed is set, so the order is made here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import ceil

import numpy as np

from bptrain import seeds

Arrays = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Examples:
    """Prepared rows: `inputs` and `truths` map names to arrays with n_rows rows each.

    `weights` maps the names of `truths` to how much each row counts (n_rows,); None: all alike.
    """

    inputs: Arrays
    truths: Arrays
    weights: Arrays | None = None

    @property
    def n_rows(self) -> int:
        return len(next(iter(self.truths.values())))


def permutation(seed: int, epoch: int, n_rows: int) -> np.ndarray:
    """The order (n_rows,) of the training rows in `epoch`, counted from 0: PCG64 seeded by (seed, "order", epoch)."""
    return seeds.stream(seed, "order", epoch).permutation(n_rows)


def n_steps(n_rows: int, batch_size: int) -> int:
    """Steps of one epoch; the last batch may be smaller."""
    return ceil(n_rows / batch_size)


def batches(examples: Examples, *, batch_size: int, seed: int) -> Iterator[tuple[dict[str, np.ndarray], ...]]:
    """Batches (inputs, truths), with weights (inputs, truths, weights), of epoch after epoch, without end."""
    epoch = 0
    while True:
        order = permutation(seed, epoch, examples.n_rows)
        for start in range(0, examples.n_rows, batch_size):
            chosen = order[start : start + batch_size]
            parts = (examples.inputs, examples.truths, examples.weights)
            yield tuple(_take(arrays, chosen) for arrays in parts if arrays is not None)
        epoch += 1


def _take(arrays: Arrays, rows: np.ndarray) -> dict[str, np.ndarray]:
    return {name: array[rows] for name, array in arrays.items()}
