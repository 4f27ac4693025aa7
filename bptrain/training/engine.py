"""What happens in a training step, and whether it pays to compile it; the loop over steps is a file per backend.

`fit()` hands the engine a block of steps at a time, as row numbers (steps, batch); the rows themselves lie in memory
beside the program. So one call of Keras' `train_step` makes many steps, and no time goes to Python between them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np

Losses = Mapping[str, Callable[[Any, Any], Any]]
Tensors = Mapping[str, Any]
Values = list[Any]  # of variables, in their order
Sums = dict[str, tuple[Any, Any]]  # by output: of weight · loss, and of weight

# Measured on 2 cores (benchmarks/engine.md): compiling costs about so long, and saves so much of a step.
COMPILE_SECONDS = 1.5
SAVED_PER_STEP = 70e-6  # what calling operations one by one costs
SAVED_PER_ACTIVATION = 1.2e-9  # what memory traffic between them costs, per hidden activation of a row
BLOCK_FLOPS = 1e11  # 6 per weight and row: forward and backward pass
EXPECTED_EPOCHS = 50  # until patience ends a usual training


def most_steps(network: keras.Model, batch_size: int) -> int:
    """Steps of a block: of the order of a second, as nothing else happens meanwhile, neither a stop nor a message."""
    weights = sum(int(np.prod(variable.shape)) for variable in network.trainable_variables)
    return max(1, int(BLOCK_FLOPS / (6 * weights * batch_size)))


def compiling_pays(*, n_rows: int, batch_size: int, n_activations: int, epochs: int) -> bool:
    """Whether a compiled step saves more than its compilation costs: a function of the config and the table alone."""
    epochs = min(epochs, EXPECTED_EPOCHS)
    n_steps = epochs * -(-n_rows // batch_size)
    return n_steps * SAVED_PER_STEP + epochs * n_rows * n_activations * SAVED_PER_ACTIVATION > COMPILE_SECONDS


def n_activations(network: keras.Model) -> int:
    """Numbers that the layers of a network make of one row."""
    outputs = [layer.output for layer in network.layers if isinstance(layer.output, keras.KerasTensor)]
    return sum(int(output.shape[-1]) for output in outputs if len(output.shape) == 2)


def objective(
    network: keras.Model,
    weights: Values,
    others: Values,
    losses: Losses,
    inputs: Tensors,
    truths: Tensors,
    row_weights: Tensors,
) -> tuple[Any, Values, Sums]:
    """What a step minimises on a batch: the mean over rows of weight · loss, summed over outputs, and the penalties.

    A pure function of the values of the network's trainable variables, `weights`, and of its `others`, which it returns
    as they are after the step. Without `row_weights` all rows count alike. Also returns, per output, the sums over rows
    of weight · loss and of weight, which make the means of the history.
    """
    outputs, others, penalties = network.stateless_call(weights, others, inputs, training=True, return_losses=True)
    total, sums = sum(penalties), {}
    for name, loss in losses.items():
        values = loss(truths[name], outputs[name])
        n_rows = keras.ops.cast(keras.ops.shape(values)[0], values.dtype)
        if row_weights:
            values = values * keras.ops.cast(row_weights[name], values.dtype)
        summed = keras.ops.sum(values)
        sums[name] = summed, keras.ops.sum(row_weights[name]) if row_weights else n_rows
        total = total + summed / n_rows
    return total, others, sums
