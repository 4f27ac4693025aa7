"""The order of the rows: one permutation per epoch, a function of the seed and the epoch alone.

Keras' own `shuffle=True` repeats one permutation in every epoch once a seed is set, so the order is made here. Rows in
memory stand in any order. Those in a file are shuffled on two levels, so that each part of it is read once per epoch:
chunks of `CHUNK_ROWS` rows first, then the rows of as many chunks as fit a window.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, count, islice, repeat
from math import ceil

import numpy as np

from bptrain.utils import seeds

Arrays = Mapping[str, np.ndarray]
Block = tuple[np.ndarray, np.ndarray]


CHUNK_ROWS = 2**13
WINDOW_BYTES = 2**26


@dataclass(frozen=True)
class Examples:
    """Prepared rows: `inputs` and `truths` map names to arrays with n_rows rows each.

    `weights` maps the names of `truths` to how much each row counts (n_rows,); None: all alike. `streamed` rows lie in
    a file and are read from it in every epoch.
    """

    inputs: Arrays
    truths: Arrays
    weights: Arrays | None = None
    streamed: bool = False

    @property
    def n_rows(self) -> int:
        return len(next(iter(self.truths.values())))

    @property
    def parts(self) -> tuple[Arrays, Arrays, Arrays]:
        """What a step needs of its rows: inputs, truths and weights, by name."""
        return self.inputs, self.truths, self.weights or {}

    @property
    def row_bytes(self) -> int:
        """Bytes of a row."""
        return sum(array.nbytes for part in self.parts for array in part.values()) // max(1, self.n_rows)

    @property
    def window_rows(self) -> int | None:
        """Rows that are shuffled among each other, a multiple of `CHUNK_ROWS`; None: all."""
        if not self.streamed:
            return None
        return max(1, WINDOW_BYTES // (self.row_bytes * CHUNK_ROWS)) * CHUNK_ROWS

    def most_steps(self, batch_size: int, most_steps: int) -> int:
        """Steps of a block: of rows from a file no more than fill a window."""
        if not self.streamed:
            return most_steps
        return max(1, min(most_steps, WINDOW_BYTES // (self.row_bytes * batch_size)))

    def taken(self, rows: np.ndarray) -> tuple[Arrays, Arrays, Arrays]:
        """The `parts` at `rows` (steps, batch): arrays (steps, batch, …)."""
        inputs, truths, weights = ({name: array[rows] for name, array in part.items()} for part in self.parts)
        return inputs, truths, weights


def permutation(seed: int, epoch: int, n_rows: int) -> np.ndarray:
    """The order (n_rows,) of the training rows in `epoch`, counted from 0: PCG64 seeded by (seed, "order", epoch)."""
    return seeds.stream(seed, "order", epoch).permutation(n_rows)


def windows(seed: int, epoch: int, n_rows: int, window_rows: int) -> Iterator[np.ndarray]:
    """The order of rows in a file in `epoch`, window after window.

    Chunks of `CHUNK_ROWS` rows, of which the last may be smaller, are put in the order of (seed, "chunks", epoch); so
    many of them as make `window_rows` are a window. The rows of window k, chunk after chunk, are put in the order of
    (seed, "order", epoch, k).
    """
    n_chunks, together = ceil(n_rows / CHUNK_ROWS), max(1, window_rows // CHUNK_ROWS)
    chunks = seeds.stream(seed, "chunks", epoch).permutation(n_chunks)
    for window, first in enumerate(range(0, n_chunks, together)):
        starts = chunks[first : first + together] * CHUNK_ROWS
        rows = np.concatenate([np.arange(start, min(start + CHUNK_ROWS, n_rows)) for start in starts])
        yield rows[seeds.stream(seed, "order", epoch, window).permutation(len(rows))]


@dataclass(frozen=True)
class Sizes:
    """How the `n_rows` rows of an epoch are cut: batches of `batch_size`, and `together` of them as a block at most.

    Rows at the end that fill no batch are one of their own if `keep_last`, or if there are no others; else they are
    left out.
    """

    n_rows: int
    batch_size: int
    together: int
    keep_last: bool = True

    @classmethod
    def of(cls, n_rows: int, batch_size: int, *, most_steps: int, keep_last: bool = True) -> Sizes:
        """Full batches in as few blocks of at most `most_steps` as may be, all of one size."""
        n_full = n_rows // batch_size
        together = max(1, ceil(n_full / max(1, ceil(n_full / most_steps))))
        return cls(n_rows, batch_size, together, keep_last)

    @property
    def n_full(self) -> int:
        """The full batches of an epoch."""
        return self.n_rows // self.batch_size

    @property
    def n_rest(self) -> int:
        """The rows of the last batch, if it is smaller."""
        return self.n_rows % self.batch_size if self.keep_last or not self.n_full else 0

    @property
    def n_steps(self) -> int:
        """Steps of one epoch."""
        return self.n_full + (self.n_rest > 0)

    @property
    def n_blocks(self) -> int:
        """Blocks of one epoch: of full batches, and one of the last batch if it is smaller."""
        return ceil(self.n_full / self.together) + (self.n_rest > 0)

    def steps_of(self, made: int) -> int:
        """Steps of so many first blocks of an epoch."""
        last = made == self.n_blocks and self.n_rest > 0
        return min(made * self.together, self.n_full) + last


def blocks(
    sizes: Sizes,
    *,
    seed: int,
    window_rows: int | None = None,
    after: tuple[int, int] = (0, 0),
    rows: np.ndarray | None = None,
) -> Iterator[Block]:
    """The rows of epoch after epoch, without end: blocks (steps, batch) int32, and how many steps to make (1,) int32.

    All blocks of full batches have one shape, so that one compiled program serves them; what lies behind the steps to
    make means nothing. The order is that of `windows`, without `window_rows` that of `permutation`. `after` so many
    epochs, and blocks of the next, training goes on: these blocks have no steps to make. `rows` (n_rows,) are the
    positions of the rows, where they are not all.
    """
    n_epochs, n_done = after
    idle = np.zeros((sizes.together, sizes.batch_size), np.int32), np.zeros(1, np.int32)
    for epoch in count(n_epochs):
        order = _order(seed, epoch, sizes.n_rows, window_rows)
        if rows is not None:
            order = (rows[numbers].astype(np.int32) for numbers in order)
        yield from chain(repeat(idle, n_done), islice(_blocks_of(order, sizes), n_done, None))
        n_done = 0


def _blocks_of(order: Iterable[np.ndarray], sizes: Sizes) -> Iterator[Block]:
    """The blocks of one epoch."""
    n_together, batch_size = sizes.together, sizes.batch_size
    for rows in _regrouped(order, n_together * batch_size):
        steps, rest = divmod(len(rows), batch_size)
        if steps:
            block = rows[: steps * batch_size].reshape(steps, batch_size)
            missing = ((0, n_together - steps), (0, 0))
            yield (np.pad(block, missing) if steps < n_together else block), np.array([steps], np.int32)
        if rest and sizes.n_rest:
            yield rows[None, steps * batch_size :], np.ones(1, np.int32)


def _order(seed: int, epoch: int, n_rows: int, window_rows: int | None) -> Iterator[np.ndarray]:
    """Row numbers as int32, which is enough for a table."""
    if window_rows is None:
        yield permutation(seed, epoch, n_rows).astype(np.int32)
    else:
        yield from (rows.astype(np.int32) for rows in windows(seed, epoch, n_rows, window_rows))


def _regrouped(pieces: Iterable[np.ndarray], size: int) -> Iterator[np.ndarray]:
    """The same numbers in pieces of `size`; the last may be smaller."""
    ready = np.empty(0, np.int32)
    for piece in pieces:
        ready = np.concatenate([ready, piece]) if len(ready) else piece
        while len(ready) >= size:
            yield ready[:size]
            ready = ready[size:]
    if len(ready):
        yield ready
