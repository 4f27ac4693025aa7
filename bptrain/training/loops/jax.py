"""The loop over the steps of a block in JAX: one program, always compiled by XLA."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import jax
import keras
import numpy as np

from bptrain.training.batches import Examples
from bptrain.training.step import Batch, Descent, State, added


class Engine(keras.Model):  # type: ignore[misc]  # Keras has no types
    """A network whose `fit()` takes blocks of rows (steps, batch), and how many of the steps to make.

    A block holds the numbers of rows in memory, or rows of a file themselves. Made by `Engine(network.input,
    network.output)`, it shares the layers of the network, whose weights are up to date at the end of an epoch.
    """

    train_function: Any  # (state, iterator of blocks) → (logs, state)

    def bind(self, examples: Examples, descent: Descent) -> None:
        """The rows to train on, and the steps to make; rows in memory become arrays of JAX."""
        self._examples, self._descent = examples, descent
        rows = None if examples.streamed else jax.device_put(examples.parts)
        # What a compiled program would take for constants, so each block brings it along.
        self._arguments: Callable[[], tuple[Any, Any]] = lambda: (rows, descent.plateau.value)
        self._means = {name: keras.metrics.Mean(name=f"{name}_data_loss") for name in descent.nothing()}

    def stream(self, blocks: Iterator[tuple[np.ndarray, np.ndarray]]) -> Iterator[tuple[Any, np.ndarray]]:
        """Blocks of row numbers as `fit()` takes them; rows of a file are read here."""
        if not self._examples.streamed:
            return blocks
        return ((self._examples.taken(numbers), steps) for numbers, steps in blocks)

    @property
    def metrics(self) -> list[Any]:
        """What Keras resets at the start of an epoch."""
        return list(self._means.values())

    def compile(self, *, optimizer: Any, jit_compile: bool) -> None:
        """For `fit()`; JAX has no program that is not compiled."""
        super().compile(optimizer=optimizer, jit_compile=True)

    def make_train_function(self, force: bool = False) -> None:
        """Let each block bring along the rows in memory, and what the plateau has left of the learning rate."""
        if self.train_function is not None and not force:  # made by an earlier `fit()`
            return
        super().make_train_function(force)
        steps = self.train_function

        def with_arguments(state: Any, blocks: Iterator[Any]) -> Any:
            return steps(state, iter([(*next(blocks), *self._arguments())]))

        self.train_function = with_arguments

    def synchronise(self) -> None:
        """Between blocks: let all variables have their values, which Keras hands from block to block beside them."""
        self.jax_state_sync()

    def train_step(self, state: Any, data: Any) -> tuple[dict[str, Any], Any]:
        """Make all steps of a block; the losses in the result are means over the epoch's rows so far, by weight."""
        *values, means = state
        rows, n_steps, resident, plateau = data

        def step(number: Any, carried: Any) -> Any:
            state, sums = carried
            parts, chosen = (rows, number) if resident is None else (resident, rows[number])
            batch = Batch(*({name: array[chosen] for name, array in part.items()} for part in parts))
            find = jax.value_and_grad(self._descent.loss, has_aux=True)
            (_, (others, its_sums)), gradients = find(state.weights, state.others, batch)
            return self._descent.moved(state, gradients, others, plateau), added(sums, its_sums)

        start = (State(*values), self._descent.nothing())
        values, sums = jax.lax.fori_loop(0, n_steps[0], step, start)
        with keras.StatelessScope(list(zip(self.metrics_variables, means, strict=True))) as scope:
            for name, (total, weight) in sums.items():
                mean = keras.ops.divide_no_nan(total, weight)  # a block may have no step to make
                self._means[name].update_state(mean, sample_weight=weight)
            logs = {mean.name: mean.result() for mean in self._means.values()}
        return logs, (*values, [scope.get_current_value(variable) for variable in self.metrics_variables])
