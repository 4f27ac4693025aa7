"""The cost model of a step: how many steps go together, and whether it pays to compile them.

`fit()` hands the loop a block of steps at a time, as row numbers (steps, batch); the rows themselves lie in memory
beside the program. So one call of Keras' `train_step` makes many steps, and no time goes to Python between them.
A step of a network with W weights on a batch of B rows takes about 6 W B FLOP: 2 per weight and row forward, 4
backward (the gradients of inputs and of weights). Embeddings and products with few columns are overrated by it, and
convolutions, which use a weight many times per row, underrated.
"""

from __future__ import annotations

import math

import keras
import numpy as np

from bptrain.models.compat import KerasModel

# Measured on 2 cores (benchmarks/engine.md): compiling costs about so long, and saves so much of a step.
COMPILE_SECONDS = 1.5
SAVED_PER_STEP = 70e-6  # what calling operations one by one costs
SAVED_PER_ACTIVATION = 1.2e-9  # what memory traffic between them costs, per hidden activation of a row
BLOCK_SECONDS = 1.0  # at most about so long is a block, as nothing else happens meanwhile, neither stop nor message
STEP_SECONDS = 1e-4  # of a plain step on few rows; of a compiled one it is a fourth
FLOPS_PER_SECOND = 1e11
EXPECTED_EPOCHS = 50  # until patience ends a usual training


def most_steps(network: KerasModel, batch_size: int) -> int:
    """Steps of a block, by what they cost; members of a batch ensemble each use the weights that they share."""
    weights = sum(int(np.prod(variable.shape)) for variable in network.trainable_variables) * n_members(network)
    return max(1, int(BLOCK_SECONDS / (STEP_SECONDS + 6 * weights * batch_size / FLOPS_PER_SECOND)))


def compiling_pays(*, n_rows: int, batch_size: int, n_activations: int, epochs: int, n_trainings: int = 1) -> bool:
    """Whether compiled steps save more than their compilation costs: a function of the config and the table alone.

    So many trainings, of so many epochs each at most, share what is compiled.
    """
    epochs = n_trainings * min(epochs, EXPECTED_EPOCHS)
    n_steps = epochs * -(-n_rows // batch_size)
    return n_steps * SAVED_PER_STEP + epochs * n_rows * n_activations * SAVED_PER_ACTIVATION > COMPILE_SECONDS


def n_members(network: KerasModel) -> int:
    """How many outputs of a target a network has, (batch, members, n_outputs); 1 without an axis for them."""
    shapes = [output.shape for output in network.output.values()]
    return max(int(shape[1]) if len(shape) == 3 else 1 for shape in shapes)


def n_activations(network: KerasModel) -> int:
    """Numbers that the layers of a network make of one row: what moves through memory between plain operations.

    A layer counts by the size of its output without the axis of the batch; layers with several outputs do not count.
    """
    outputs = [layer.output for layer in network.layers if isinstance(layer.output, keras.KerasTensor)]
    return sum(math.prod(length for length in output.shape if length is not None) for output in outputs)
