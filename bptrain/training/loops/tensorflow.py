"""The loop over the steps of a block in TensorFlow: one program, compiled by XLA or not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from tensorflow.compiler.tf2xla.python.xla import optimization_barrier

from bptrain.data.memory import ALIGNMENT
from bptrain.models.layers.dense import compiled_with
from bptrain.training.batches import Examples
from bptrain.training.step import Batch, Descent, State, Sums, added


class Engine(keras.Model):  # type: ignore[misc]  # Keras has no types
    """A network whose `fit()` takes blocks of rows (steps, batch), and how many of the steps to make.

    A block holds the numbers of rows in memory, or rows of a file themselves. Made by `Engine(network.input,
    network.output)`, it shares the layers of the network, whose weights are up to date between blocks.
    """

    def bind(self, examples: Examples, descent: Descent) -> None:
        """The rows to train on, and the steps to make; rows in memory become tensors."""
        self._examples, self._descent = examples, descent
        if not examples.streamed:
            self._rows = [{name: _shared(array) for name, array in part.items()} for part in examples.parts]
        self._means = {name: keras.metrics.Mean(name=f"{name}_data_loss") for name in descent.nothing()}

    def stream(self, blocks: Iterator[tuple[np.ndarray, np.ndarray]]) -> tf.data.Dataset:
        """Blocks of row numbers as `fit()` takes them: Keras itself would fix the size of a batch by the first two.

        Rows of a file are read here, those of the next block while one is trained on.
        """
        n_steps = tf.TensorSpec((1,), tf.int32)
        if self._examples.streamed:
            rows = tuple({name: _block_of(array) for name, array in part.items()} for part in self._examples.parts)
            return _dataset(((self._examples.taken(numbers), steps) for numbers, steps in blocks), (rows, n_steps))
        return _dataset(blocks, (tf.TensorSpec((None, None), tf.int32), n_steps))

    @property
    def metrics(self) -> list[Any]:
        """What Keras resets at the start of an epoch."""
        return list(self._means.values())

    def synchronise(self) -> None:
        """Between blocks: let all variables have their values, which they always have here."""

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
            self._means[name].update_state(tf.math.divide_no_nan(total, weight), sample_weight=weight)
        return {mean.name: mean.result() for mean in self._means.values()}

    def _loop(self, state: State, rows: Any, n_steps: Any) -> tuple[State, Sums]:
        """The first `n_steps` steps on the batches of a block."""
        plateau = tf.convert_to_tensor(self._descent.plateau.value)

        def step(number: Any, state: State, sums: Sums) -> tuple[Any, State, Sums]:
            batch = self._batch(rows, number)
            with compiled_with(fence if self.jit_compile else None), tf.GradientTape() as tape:
                tape.watch(state.weights)
                loss, (others, its_sums) = self._descent.loss(state.weights, state.others, batch)
            gradients = [tf.convert_to_tensor(gradient) for gradient in tape.gradient(loss, state.weights)]
            return number + 1, self._descent.moved(state, gradients, others, plateau), added(sums, its_sums)

        start = (0, state, self._descent.nothing())
        _, state, sums = tf.while_loop(lambda number, *_: number < n_steps, step, start)
        return state, sums

    def _batch(self, rows: Any, number: Any) -> Batch:
        """The rows of a step of a block."""
        parts, chosen = (rows, number) if self._examples.streamed else (self._rows, rows[number])
        return Batch(*({name: tf.gather(tensor, chosen) for name, tensor in part.items()} for part in parts))


def fence(tensor: Any) -> Any:
    """The same tensor, which XLA has to make as it stands there."""
    return optimization_barrier(tensor)[0]


def _dataset(blocks: Iterator[Any], specs: Any) -> tf.data.Dataset:
    """Blocks without end, the next one made while one is trained on; `Dataset.from_generator` takes twice the time."""

    def following(_: Any) -> Any:
        flat = tf.nest.flatten(specs)
        made = tf.numpy_function(lambda: tf.nest.flatten(next(blocks)), [], [spec.dtype for spec in flat])
        return tf.nest.pack_sequence_as(
            specs, [tf.ensure_shape(array, spec.shape) for array, spec in zip(made, flat, strict=True)]
        )

    options = tf.data.Options()
    options.autotune.enabled = False  # there is nothing to tune, and its thread may let `fit()` wait seconds to return
    return tf.data.Dataset.counter().map(following).prefetch(1).with_options(options)


def _block_of(array: np.ndarray) -> tf.TensorSpec:
    """What a block has of an array (n_rows, …): (steps, batch, …)."""
    return tf.TensorSpec((None, None, *array.shape[1:]), array.dtype)


def _shared(array: np.ndarray) -> tf.Tensor:
    """The array as a tensor, without a copy where it lies as TensorFlow wants it; nothing may write to it any more."""
    if array.flags.c_contiguous and array.flags.writeable and array.ctypes.data % ALIGNMENT == 0 and array.size:
        return tf.experimental.dlpack.from_dlpack(array.__dlpack__())
    return tf.constant(array)
