"""The loop over the steps of a block in TensorFlow: one program, compiled by XLA or not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from bptrain.training.batches import Examples
from bptrain.training.descent import Batch, Descent, State, Sums, added


class Engine(keras.Model):  # type: ignore[misc]
    """A network whose `fit()` takes blocks of row numbers (steps, batch), and how many of the steps to make.

    Made by `Engine(network.input, network.output)`, it shares the layers of the network, whose weights are up to date
    between blocks.
    """

    def bind(self, examples: Examples, descent: Descent) -> None:
        """The rows that the numbers mean, kept in memory as tensors, and the steps to make."""
        parts = (examples.inputs, examples.truths, examples.weights)
        self._rows = [{name: tf.constant(array) for name, array in (part or {}).items()} for part in parts]
        self._descent = descent
        self._means = {name: keras.metrics.Mean(name=f"{name}_data_loss") for name in descent.nothing()}

    @staticmethod
    def stream(blocks: Iterator[tuple[np.ndarray, np.ndarray]]) -> tf.data.Dataset:
        """Blocks as `fit()` takes them: Keras itself would fix the size of a batch by the first two it sees."""
        signature = (tf.TensorSpec((None, None), tf.int32), tf.TensorSpec((1,), tf.int32))
        return tf.data.Dataset.from_generator(lambda: blocks, output_signature=signature)

    @property
    def metrics(self) -> list[Any]:
        """What Keras resets at the start of an epoch."""
        return list(self._means.values())

    def train_step(self, data: Any) -> dict[str, Any]:
        """Make all steps of a block; the losses in the result are means over the epoch's rows so far, by weight."""
        rows, n_steps = data
        parts = (self.trainable_variables, self.non_trainable_variables, self.optimizer.variables)
        state = State(*([tf.convert_to_tensor(variable.value) for variable in part] for part in parts))
        state, sums = self._loop(state, rows, n_steps[0])
        for part, its_values in zip(parts, state, strict=True):
            for variable, value in zip(part, its_values, strict=True):
                variable.assign(value)
        for name, (total, weight) in sums.items():
            self._means[name].update_state(total / weight, sample_weight=weight)
        return {mean.name: mean.result() for mean in self._means.values()}

    def _loop(self, state: State, rows: Any, n_steps: Any) -> tuple[State, Sums]:
        """The first `n_steps` steps on batches of `rows` (steps, batch)."""
        plateau = tf.convert_to_tensor(self._descent.plateau.value)

        def step(number: Any, state: State, sums: Sums) -> tuple[Any, State, Sums]:
            batch = Batch(*({name: tf.gather(tensor, rows[number]) for name, tensor in p.items()} for p in self._rows))
            with tf.GradientTape() as tape:
                tape.watch(state.weights)
                loss, (others, its_sums) = self._descent.loss(state.weights, state.others, batch)
            gradients = [tf.convert_to_tensor(gradient) for gradient in tape.gradient(loss, state.weights)]
            return number + 1, self._descent.moved(state, gradients, others, plateau), added(sums, its_sums)

        start = (0, state, self._descent.nothing())
        _, state, sums = tf.while_loop(lambda number, *_: number < n_steps, step, start)
        return state, sums
