"""Outputs of a network, in blocks of one fixed shape: a row's output does not depend on how many rows come with it.

Its last bits may depend on its place in the block.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np

from bptrain.models import backend
from bptrain.models.compat import KerasModel, Tensor

BLOCK_ROWS = 4096
SMALLEST = 64  # the fewest rows of a block

Arrays = Mapping[str, np.ndarray]


def predict(network: KerasModel, inputs: Arrays, *, block_rows: int = BLOCK_ROWS) -> dict[str, np.ndarray]:
    """Outputs (n_rows, n_outputs) float32 by output name, for prepared arrays (n_rows, …)."""
    return _in_blocks(network, network.predict_on_batch, inputs, block_rows)


class PredictFunction:
    """The outputs of all networks of one architecture, as a function of weights and rows: one program for all of them.

    It is traced from `network`, whose weights it leaves alone, and compiled by XLA if asked to.
    """

    def __init__(self, network: KerasModel, *, compiled: bool = False) -> None:
        self.network = network
        self._function = backend.compiled_function(self._outputs, jit_compile=compiled)

    def predict(
        self, weights: Sequence[np.ndarray], inputs: Arrays, *, block_rows: int = BLOCK_ROWS
    ) -> dict[str, np.ndarray]:
        """Outputs as of `predict`, with these `weights`, in the order of `network.weights`."""
        values = [keras.ops.convert_to_tensor(weight) for weight in weights]
        return _in_blocks(self.network, lambda block: self._function(values, block), inputs, block_rows)

    def _outputs(self, values: Sequence[Tensor], block: Mapping[str, Tensor]) -> dict[str, Tensor]:
        network = self.network
        by_variable = {id(variable): value for variable, value in zip(network.weights, values, strict=True)}
        trainable = [by_variable[id(variable)] for variable in network.trainable_variables]
        others = [by_variable.get(id(variable), variable.value) for variable in network.non_trainable_variables]
        outputs, _ = network.stateless_call(trainable, others, block, training=False)
        return dict(outputs)


def validation_block(n_rows: int) -> int:
    """Rows of a block where always the same rows are predicted, so that few rows need not fill a large one."""
    return min(BLOCK_ROWS, -(-n_rows // SMALLEST) * SMALLEST)


def _in_blocks(
    network: KerasModel,
    outputs_of: Callable[[dict[str, np.ndarray]], Mapping[str, Tensor]],
    inputs: Arrays,
    block_rows: int,
) -> dict[str, np.ndarray]:
    """What `outputs_of` blocks of `block_rows` rows gives for all rows; the last block is filled up with zeros."""
    n_rows = len(next(iter(inputs.values())))

    def block_outputs(start: int) -> dict[str, np.ndarray]:
        block = {name: array[start : start + block_rows] for name, array in inputs.items()}
        n_here = min(block_rows, n_rows - start)
        if n_here < block_rows:
            padding = (0, block_rows - n_here)
            block = {name: np.pad(array, (padding, *((0, 0),) * (array.ndim - 1))) for name, array in block.items()}
        return {name: np.asarray(output)[:n_here] for name, output in outputs_of(block).items()}

    starts = range(0, n_rows, block_rows)
    if not starts:
        return {name: np.empty((0, output.shape[-1]), np.float32) for name, output in network.output.items()}
    blocks = [block_outputs(0)]  # by itself: the program is made meanwhile
    with ThreadPoolExecutor(backend.blocks_at_once()) as threads:
        blocks += threads.map(block_outputs, starts[1:])
    return {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}
