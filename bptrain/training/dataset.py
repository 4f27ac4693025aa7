"""Prepared rows, and the order in which an epoch takes them: a permutation that the seed and the epoch alone decide.

Keras' own `shuffle=True` repeats one permutation in every epoch once a seed is set, so the order is made here. Rows in
memory stand in any order. Those in a file are shuffled on two levels (decision T3), so that each part of it is read
once per epoch: chunks of `CHUNK_ROWS` rows first, then the rows of as many chunks as fill a shuffle buffer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain, count, islice, repeat
from math import ceil

import numpy as np

from bptrain.utils import seeds

Arrays = Mapping[str, np.ndarray]
Block = tuple[np.ndarray, np.ndarray]  # numbers of rows (steps, batch) int32, and how many steps to make (1,) int32

CHUNK_ROWS = 2**13
BUFFER_BYTES = 2**26


@dataclass(frozen=True)
class ArrayDataset:
    """Prepared rows: `inputs` and `truths` map names to arrays with n_rows rows each.

    Args:
        weights: by the names of `truths`, how much each row counts (n_rows,); None: all alike.
        streamed: whether the rows lie in a file and are read from it in every epoch.
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
    def shuffle_buffer_rows(self) -> int | None:
        """Rows that are shuffled among each other, a multiple of `CHUNK_ROWS`; None: all."""
        if not self.streamed:
            return None
        return max(1, BUFFER_BYTES // (self.row_bytes * CHUNK_ROWS)) * CHUNK_ROWS

    def most_steps(self, batch_size: int, most_steps: int) -> int:
        """Steps of a block: of rows from a file no more than fill a shuffle buffer."""
        if not self.streamed:
            return most_steps
        return max(1, min(most_steps, BUFFER_BYTES // (self.row_bytes * batch_size)))

    def gather(self, rows: np.ndarray) -> tuple[Arrays, Arrays, Arrays]:
        """The `parts` at `rows` (steps, batch): arrays (steps, batch, …)."""
        inputs, truths, weights = ({name: array[rows] for name, array in part.items()} for part in self.parts)
        return inputs, truths, weights


@dataclass
class EpochPlan:
    """How the `n_rows` rows of an epoch are cut: batches of `batch_size`, `steps_per_execution` of which are a block.

    Attributes:
        keep_last: rows at the end that fill no batch are one of their own; else they are left out, unless there are no
            others.
        n_full, n_rest: full batches of an epoch, and the rows of the last batch, if it is smaller.
        n_steps: of one epoch.
        n_blocks: of one epoch: those of full batches, and one of the last batch if it is smaller.
    """

    n_rows: int
    batch_size: int
    steps_per_execution: int
    keep_last: bool = True
    n_full: int = field(init=False)
    n_rest: int = field(init=False)
    n_steps: int = field(init=False)
    n_blocks: int = field(init=False)

    def __post_init__(self) -> None:
        self.n_full, rest = divmod(self.n_rows, self.batch_size)
        self.n_rest = rest if self.keep_last or not self.n_full else 0
        self.n_steps = self.n_full + (self.n_rest > 0)
        self.n_blocks = ceil(self.n_full / self.steps_per_execution) + (self.n_rest > 0)

    @classmethod
    def of(cls, n_rows: int, batch_size: int, *, most_steps: int, keep_last: bool = True) -> EpochPlan:
        """Full batches in as few blocks of at most `most_steps` as may be, all of one size."""
        n_full = n_rows // batch_size
        steps_per_execution = max(1, ceil(n_full / max(1, ceil(n_full / most_steps))))
        return cls(n_rows, batch_size, steps_per_execution, keep_last)

    def steps_of(self, n_blocks: int) -> int:
        """Steps of so many first blocks of an epoch."""
        last = n_blocks == self.n_blocks and self.n_rest > 0
        return min(n_blocks * self.steps_per_execution, self.n_full) + last


def permutation(seed: int, epoch: int, n_rows: int) -> np.ndarray:
    """The order (n_rows,) of the training rows in `epoch`, counted from 0: PCG64 seeded by (seed, "order", epoch)."""
    return seeds.stream(seed, "order", epoch).permutation(n_rows)


def shuffle_buffers(seed: int, epoch: int, n_rows: int, buffer_rows: int) -> Iterator[np.ndarray]:
    """The order of rows in a file in `epoch`, shuffle buffer after shuffle buffer.

    Chunks of `CHUNK_ROWS` rows, of which the last may be smaller, are put in the order of (seed, "chunks", epoch); so
    many of them as make `buffer_rows` fill a buffer. The rows of buffer k, chunk after chunk, are put in the order of
    (seed, "order", epoch, k).
    """
    n_chunks, chunks_per_buffer = ceil(n_rows / CHUNK_ROWS), max(1, buffer_rows // CHUNK_ROWS)
    chunks = seeds.stream(seed, "chunks", epoch).permutation(n_chunks)
    for number, first in enumerate(range(0, n_chunks, chunks_per_buffer)):
        starts = chunks[first : first + chunks_per_buffer] * CHUNK_ROWS
        rows = np.concatenate([np.arange(start, min(start + CHUNK_ROWS, n_rows)) for start in starts])
        yield rows[seeds.stream(seed, "order", epoch, number).permutation(len(rows))]


def blocks(
    plan: EpochPlan,
    *,
    seed: int,
    shuffle_buffer_rows: int | None = None,
    after: tuple[int, int] = (0, 0),
    rows: np.ndarray | None = None,
) -> Iterator[Block]:
    """The rows of epoch after epoch, without end, in blocks.

    All blocks of full batches have one shape, so that one compiled program serves them; what lies behind the steps to
    make means nothing. The order is that of `shuffle_buffers`, without `shuffle_buffer_rows` that of `permutation`.

    Args:
        after: so many epochs, and blocks of the next, training goes on: these blocks have no steps to make.
        rows: the positions (n_rows,) of the rows, where they are not all.
    """
    n_epochs, n_done = after
    idle = np.zeros((plan.steps_per_execution, plan.batch_size), np.int32), np.zeros(1, np.int32)
    for epoch in count(n_epochs):
        if shuffle_buffer_rows is None:
            order: Iterable[np.ndarray] = [permutation(seed, epoch, plan.n_rows)]
        else:
            order = shuffle_buffers(seed, epoch, plan.n_rows, shuffle_buffer_rows)
        order = ((numbers if rows is None else rows[numbers]).astype(np.int32) for numbers in order)
        yield from chain(repeat(idle, n_done), islice(_blocks_of(order, plan), n_done, None))
        n_done = 0


def _blocks_of(order: Iterable[np.ndarray], plan: EpochPlan) -> Iterator[Block]:
    """The blocks of one epoch, from its row numbers in pieces of any size."""
    most_steps, waiting = plan.steps_per_execution, np.empty(0, np.int32)
    size = most_steps * plan.batch_size
    for piece in order:
        waiting = np.concatenate([waiting, piece]) if len(waiting) else piece
        while len(waiting) >= size:
            block, waiting = waiting[:size], waiting[size:]
            yield (
                block.reshape(plan.steps_per_execution, plan.batch_size),
                np.array([plan.steps_per_execution], np.int32),
            )
    n_steps, n_rest = divmod(len(waiting), plan.batch_size)
    if n_steps:
        block = waiting[: n_steps * plan.batch_size].reshape(n_steps, plan.batch_size)
        yield np.pad(block, ((0, most_steps - n_steps), (0, 0))), np.array([n_steps], np.int32)
    if n_rest and plan.n_rest:
        yield waiting[None, n_steps * plan.batch_size :], np.ones(1, np.int32)
