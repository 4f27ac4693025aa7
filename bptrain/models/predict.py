"""Outputs of a network, in blocks of one fixed shape: a row's output does not depend on how many rows come with it.

Its last bits may depend on its place in the block.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import keras
import numpy as np

from bptrain.models import backend

BLOCK_ROWS = 4096
SMALLEST = 64  # the fewest rows of a block

Arrays = Mapping[str, np.ndarray]


def predict(network: keras.Model, inputs: Arrays, *, block_rows: int = BLOCK_ROWS) -> dict[str, np.ndarray]:
    """Outputs (n_rows, n_outputs) float32 by output name, for prepared arrays (n_rows, width)."""
    return _in_blocks(network, network.predict_on_batch, inputs, block_rows)


class Program:
    """The outputs of all networks of one architecture, as a function of weights and rows: one program for all of them.

    It is traced from `network`, whose weights it leaves alone, and compiled by XLA if asked to.
    """

    def __init__(self, network: keras.Model, *, compiled: bool = False) -> None:
        self.network = network
        self._function = backend.program(self._outputs, compiled=compiled)

    def predict(
        self, weights: Sequence[np.ndarray], inputs: Arrays, *, block_rows: int = BLOCK_ROWS
    ) -> dict[str, np.ndarray]:
        """Outputs as of `predict`, with these `weights`, in the order of `network.weights`."""
        values = [keras.ops.convert_to_tensor(weight) for weight in weights]
        return _in_blocks(self.network, lambda block: self._function(values, block), inputs, block_rows)

    def _outputs(self, values: Sequence[Any], block: Mapping[str, Any]) -> dict[str, Any]:
        network = self.network
        given = {id(variable): value for variable, value in zip(network.weights, values, strict=True)}
        trainable = [given[id(variable)] for variable in network.trainable_variables]
        others = [given.get(id(variable), variable.value) for variable in network.non_trainable_variables]
        outputs, _ = network.stateless_call(trainable, others, block, training=False)
        return dict(outputs)


def fitting_block(n_rows: int) -> int:
    """Rows of a block where always the same rows are predicted, so that few rows need not fill a large one."""
    return min(BLOCK_ROWS, -(-n_rows // SMALLEST) * SMALLEST)


def _in_blocks(
    network: keras.Model, outputs_of: Callable[[dict[str, np.ndarray]], Mapping[str, Any]], inputs: Arrays, n_block: int
) -> dict[str, np.ndarray]:
    """What `outputs_of` blocks of `n_block` rows gives for all rows; the last block is filled up."""
    n_rows = len(next(iter(inputs.values())))

    def part(start: int) -> dict[str, np.ndarray]:
        block = {name: _padded(array[start : start + n_block], n_block) for name, array in inputs.items()}
        n_here = min(n_block, n_rows - start)
        return {name: np.asarray(output)[:n_here] for name, output in outputs_of(block).items()}

    starts = range(0, n_rows, n_block)
    if not starts:
        return {name: np.empty((0, output.shape[-1]), np.float32) for name, output in network.output.items()}
    parts = [part(0)]  # by itself: the program is made meanwhile
    with ThreadPoolExecutor(backend.blocks_at_once()) as threads:
        parts += threads.map(part, starts[1:])
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _padded(block: np.ndarray, n_rows: int) -> np.ndarray:
    missing = n_rows - len(block)
    return np.pad(block, ((0, missing), *((0, 0),) * (block.ndim - 1))) if missing else block
