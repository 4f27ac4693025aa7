"""The loop over the steps of a block in TensorFlow: one program, compiled by XLA or not.

All trainable weights are one vector for the optimizer (two, where only some decay): its arithmetic goes element by
element, and one long vector costs a few operations where many small ones cost that for each.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from bptrain.training.batches import Examples
from bptrain.training.engine import Losses, Sums, objective
from bptrain.training.optimizers import UNDECAYED, decays


class Engine(keras.Model):  # type: ignore[misc]
    """A network whose `fit()` takes blocks of row numbers (steps, batch), and how many of the steps to make.

    Made by `Engine(network.input, network.output)`, it shares the layers of the network, whose weights are up to date
    between blocks.
    """

    def bind(self, examples: Examples, losses: Losses, *, some_decay: bool) -> None:
        """The rows that the numbers mean, kept in memory as tensors, each output's loss, and whether weights decay."""
        parts = (examples.inputs, examples.truths, examples.weights)
        self._rows = [{name: tf.constant(array) for name, array in (part or {}).items()} for part in parts]
        self._losses_by_output = dict(losses)
        self._means = {name: keras.metrics.Mean(name=f"{name}_data_loss") for name in losses}
        in_decayed = [decays(variable) or not some_decay for variable in self.trainable_variables]
        self._order = sorted(range(len(in_decayed)), key=lambda position: not in_decayed[position])
        groups = {
            name: [each for each, its in zip(self.trainable_variables, in_decayed, strict=True) if its == wanted]
            for name, wanted in (("decayed", True), (UNDECAYED, False))
        }
        self._vectors = [Vector(group, name) for name, group in groups.items() if group]

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
        for vector in self._vectors:
            vector.read()
        others = [variable.value for variable in self.non_trainable_variables]
        zero = tf.zeros((), keras.config.floatx())
        totals = dict.fromkeys(self._losses_by_output, (zero, zero))

        def step(number: Any, others: list[Any], totals: Sums) -> tuple[Any, list[Any], Sums]:
            others, sums = self._step(others, rows[number])
            return number + 1, others, {name: (a + sums[name][0], b + sums[name][1]) for name, (a, b) in totals.items()}

        _, others, totals = tf.while_loop(lambda number, *_: number < n_steps[0], step, (0, others, totals))
        for vector in self._vectors:
            vector.write()
        for variable, value in zip(self.non_trainable_variables, others, strict=True):
            variable.assign(value)
        for name, (total, weight) in totals.items():
            self._means[name].update_state(total / weight, sample_weight=weight)
        return {mean.name: mean.result() for mean in self._means.values()}

    def _step(self, others: list[Any], rows: Any) -> tuple[list[Any], Sums]:
        """One step of gradient descent on a batch of rows (batch,)."""
        batch = [{name: tf.gather(tensor, rows) for name, tensor in part.items()} for part in self._rows]
        values = [vector.variable.value for vector in self._vectors]
        with tf.GradientTape() as tape:
            pieces = [piece for vector in self._vectors for piece in vector.pieces()]
            weights = [pieces[self._order.index(position)] for position in range(len(pieces))]
            loss, others, sums = objective(self, weights, others, self._losses_by_output, *batch)
        gradients = tape.gradient(loss, values)
        self.optimizer.apply(gradients, [vector.variable for vector in self._vectors])
        return others, sums


class Vector:
    """Some variables as one variable (n_weights,), one after the other."""

    def __init__(self, variables: Sequence[Any], name: str) -> None:
        self._variables = variables
        self._sizes = [int(np.prod(variable.shape)) for variable in variables]
        self.variable = keras.Variable(np.zeros(sum(self._sizes)), dtype=variables[0].dtype, name=name)

    def read(self) -> None:
        """Take the values of the variables."""
        self.variable.assign(tf.concat([tf.reshape(variable.value, (-1,)) for variable in self._variables], 0))

    def pieces(self) -> list[Any]:
        """The values in the shapes of the variables."""
        pieces = tf.split(self.variable.value, self._sizes)
        return [tf.reshape(piece, variable.shape) for piece, variable in zip(pieces, self._variables, strict=True)]

    def write(self) -> None:
        """Give the variables their values."""
        for variable, piece in zip(self._variables, self.pieces(), strict=True):
            variable.assign(piece)
