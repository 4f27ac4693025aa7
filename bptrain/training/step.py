"""One step of gradient descent as a function of values, whatever the backend: Keras' network, losses and optimizer.

Weights, other variables and the optimizer's memory go through a loop of steps as values. So a compiler can keep them
where it likes, and each backend needs to add but two things: how gradients are taken, and the loop.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import keras

Losses = Mapping[str, Callable[[Any, Any], Any]]
Tensors = Mapping[str, Any]
Values = list[Any]  # of variables, in their order
Sums = dict[str, tuple[Any, Any]]  # by output: of weight · loss, and of weight


class Batch(NamedTuple):
    """The rows of a step, (batch, …) each; without `weights` all count alike."""

    inputs: Tensors
    truths: Tensors
    weights: Tensors


class State(NamedTuple):
    """What a step changes: the values of the network's weights, of its other variables, and of the optimizer's."""

    weights: Values
    others: Values
    memory: Values


def objective(
    network: keras.Model, weights: Values, others: Values, losses: Losses, batch: Batch
) -> tuple[Any, Values, Sums]:
    """What a step minimises on a batch: the mean over rows of weight · loss, summed over outputs, and the penalties.

    A pure function of the values of the network's trainable variables, `weights`, and of its `others`, which it returns
    as they are after the step. Also returns, per output, the sums over rows of weight · loss and of weight, which make
    the means of the history.
    """
    outputs, others, penalties = network.stateless_call(
        weights, others, batch.inputs, training=True, return_losses=True
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
    return total, others, sums


class Descent:
    """The steps of an optimizer on the losses of a network; `plateau` is the variable that scales its rate."""

    def __init__(self, network: keras.Model, losses: Losses, optimizer: Any, plateau: Any) -> None:
        self._network, self._losses, self._optimizer, self.plateau = network, losses, optimizer, plateau
        optimizer.build(network.trainable_variables)

    def nothing(self) -> Sums:
        """Sums over no rows."""
        zero = keras.ops.zeros((), keras.config.floatx())
        return dict.fromkeys(self._losses, (zero, zero))

    def loss(self, weights: Values, others: Values, batch: Batch) -> tuple[Any, tuple[Values, Sums]]:
        """The objective: the number to take gradients of, and what else a step finds."""
        total, others, sums = objective(self._network, weights, others, self._losses, batch)
        return total, (others, sums)

    def moved(self, state: State, gradients: Values, others: Values, plateau: Any) -> State:
        """The state after the optimizer's step along the gradients; `others` are the values that `loss` gave."""
        variables = [*self._network.trainable_variables, *self._optimizer.variables, self.plateau]
        values = [*state.weights, *state.memory, plateau]
        with keras.StatelessScope(list(zip(variables, values, strict=True))) as scope:
            self._optimizer.apply(gradients)
        changed = [scope.get_current_value(variable) for variable in variables]
        n_weights = len(state.weights)
        return State(changed[:n_weights], others, changed[n_weights:-1])


def added(sums: Sums, more: Sums) -> Sums:
    """The sums over the rows of both."""
    return {name: (total + more[name][0], weight + more[name][1]) for name, (total, weight) in sums.items()}
