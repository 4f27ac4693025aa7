"""One step of gradient descent as a function of values, whatever the backend: Keras' network, losses and optimizer.

Variables of the network and the optimizer go through a loop of steps as values (decision T1). So a compiler can keep
them where it likes, and each backend needs to add but two things: how gradients are taken, and the loop, which is a
`TrainingLoop` in a file of its own in `loops/`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple, Protocol

import keras
import numpy as np

from bptrain.models.compat import KerasModel, Loss, Optimizer, Tensor, Variable
from bptrain.training.dataset import ArrayDataset, Block

DATA_LOSS = "data_loss"  # in the names of the means of losses, which Keras' own `loss` is not: it has penalties, too
Losses = Mapping[str, Loss]  # by output
Tensors = Mapping[str, Tensor]
Values = list[Tensor]  # of variables, in their order
Sums = dict[str, tuple[Tensor, Tensor]]  # by output: over rows, of weight · loss and of weight


class Batch(NamedTuple):
    """The rows of a step, (batch, …) each; without `weights` all count alike."""

    inputs: Tensors
    truths: Tensors
    weights: Tensors


class StepState(NamedTuple):
    """What a step changes, by the names that Keras has for it."""

    trainable_variables: Values
    non_trainable_variables: Values
    optimizer_state: Values


class TrainingLoop(Protocol):
    """The network as the trainer sees it: a `keras.Model` of the backend whose `fit()` takes blocks of steps.

    Made by `Loop(network.input, network.output)`, it shares the layers of the network. A block holds the numbers of
    rows in memory (steps, batch), or those rows of a file themselves, and how many of its steps to make.
    """

    optimizer: Optimizer

    def __init__(self, inputs: Tensors, outputs: Tensors) -> None: ...

    def bind(self, dataset: ArrayDataset, step: TrainStep) -> None:
        """Take the rows to train on, and the steps to make, before `compile`."""

    def compile(self, *, optimizer: Optimizer, jit_compile: bool) -> None:
        """As `keras.Model.compile`; blocks are compiled by XLA if asked to, and always by JAX."""

    def stream(self, blocks: Iterator[Block]) -> Iterable[object]:
        """Blocks of row numbers in the form that `fit` takes."""

    def fit(self, blocks: Iterable[object], **options: object) -> object:
        """As `keras.Model.fit`: a block is what Keras calls a batch."""

    def synchronise(self) -> None:
        """Between blocks: let all variables have their values."""


class TrainStep:
    """The steps of an optimizer on the losses of a network; `plateau` is the variable that scales its rate."""

    def __init__(self, network: KerasModel, losses: Losses, optimizer: Optimizer, plateau: Variable) -> None:
        self.network, self.losses, self.optimizer, self.plateau = network, losses, optimizer, plateau
        optimizer.build(network.trainable_variables)

    def zero_sums(self) -> Sums:
        """Sums over no rows."""
        zero = keras.ops.zeros((), keras.config.floatx())
        return dict.fromkeys(self.losses, (zero, zero))

    def compute_loss(
        self, trainable_variables: Values, non_trainable_variables: Values, batch: Batch
    ) -> tuple[Tensor, tuple[Values, Sums]]:
        """What the gradient is taken of: `objective` on a batch."""
        return objective(self.network, self.losses, trainable_variables, non_trainable_variables, batch)

    def apply_gradients(
        self, state: StepState, gradients: Values, non_trainable_variables: Values, plateau: Tensor
    ) -> StepState:
        """The state after the optimizer's step along the gradients.

        Args:
            non_trainable_variables: as `compute_loss` gave them.
            plateau: the value of `self.plateau`.
        """
        variables = [*self.network.trainable_variables, *self.optimizer.variables, self.plateau]
        values = [*state.trainable_variables, *state.optimizer_state, plateau]
        with keras.StatelessScope(list(zip(variables, values, strict=True))) as scope:
            self.optimizer.apply(gradients)
        changed = [scope.get_current_value(variable) for variable in variables]
        n_weights = len(state.trainable_variables)
        return StepState(changed[:n_weights], non_trainable_variables, changed[n_weights:-1])


def objective(
    network: KerasModel, losses: Losses, trainable_variables: Values, non_trainable_variables: Values, batch: Batch
) -> tuple[Tensor, tuple[Values, Sums]]:
    """What a step minimises on a batch: the mean over rows of weight · loss, summed over outputs, and the penalties.

    A pure function of the values of the network's variables.

    Returns:
        The number; the values of the variables that are not trained, after the step; and, per output, the sums over
        rows of weight · loss and of weight, which make the means of the history.
    """
    outputs, non_trainable_variables, penalties = network.stateless_call(
        trainable_variables, non_trainable_variables, batch.inputs, training=True, return_losses=True
    )
    total, sums = sum(penalties), {}
    for name, loss in losses.items():
        values = loss(batch.truths[name], outputs[name])
        n_rows = keras.ops.cast(keras.ops.shape(values)[0], values.dtype)
        if batch.weights:
            values = values * keras.ops.cast(batch.weights[name], values.dtype)
        summed = keras.ops.sum(values)
        sums[name] = summed, keras.ops.sum(batch.weights[name]) if batch.weights else n_rows
        total = total + summed / n_rows
    return total, (non_trainable_variables, sums)


def added(sums: Sums, more: Sums) -> Sums:
    """The sums over the rows of both."""
    return {name: (total + more[name][0], weight + more[name][1]) for name, (total, weight) in sums.items()}


def mean_loss(losses: Losses, dataset: ArrayDataset, outputs: Mapping[str, np.ndarray]) -> float:
    """The losses of all outputs (n_rows, …) on a dataset, summed, each the mean over rows by weight; no penalties."""
    return sum(
        float(
            np.average(
                np.asarray(loss(keras.ops.convert_to_tensor(dataset.truths[name]), outputs[name]), np.float64),
                weights=None if dataset.weights is None else dataset.weights[name],
            )
        )
        for name, loss in losses.items()
    )
