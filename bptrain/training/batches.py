"""The order of the rows: one permutation per epoch, a function of the seed and the epoch alone.

Keras' own `shuffle=True` repeats one permutation in every epoch once a seed is set, so the order is made here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import count
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


def n_blocks(n_rows: int, batch_size: int, most_steps: int) -> int:
    """Blocks of one epoch: the full batches, at most so many together, and the last batch if it is smaller."""
    return ceil(n_rows // batch_size / most_steps) + (n_rows % batch_size > 0)


def blocks(n_rows: int, *, batch_size: int, seed: int, most_steps: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The rows of epoch after epoch, without end: blocks (steps, batch) int32, and how many steps to make (1,) int32.

    All blocks of full batches have one shape, so that one compiled program serves them; what lies behind the steps to
    make means nothing.
    """
    n_full = n_rows // batch_size
    n_together = ceil(n_full / max(1, ceil(n_full / most_steps)))
    for epoch in count():
        order = permutation(seed, epoch, n_rows).astype(np.int32)
        for start in range(0, n_full, n_together or 1):
            steps = min(n_together, n_full - start)
            block = np.zeros((n_together, batch_size), np.int32)
            block[:steps] = order[start * batch_size : (start + steps) * batch_size].reshape(steps, batch_size)
            yield block, np.array([steps], np.int32)
        if n_rows % batch_size:
            yield order[None, n_full * batch_size :], np.ones(1, np.int32)
