"""The loop over the steps of a block in TensorFlow: one program, compiled by XLA or not."""

from __future__ import annotations

from collections.abc import Iterator

import keras
import numpy as np
import tensorflow as tf

from bptrain.data.memory import ALIGNMENT
from bptrain.models.compat import Tensor
from bptrain.models.layers import compiled_by_xla
from bptrain.training.dataset import ArrayDataset, Block
from bptrain.training.train_step import DATA_LOSS, Batch, StepState, Sums, TrainStep, added


class TensorFlowLoop(keras.Model):  # type: ignore[misc]  # Keras has no types
    """A `TrainingLoop` whose network has its weights up to date between blocks."""

    def bind(self, dataset: ArrayDataset, step: TrainStep) -> None:
        """The rows to train on, and the steps to make; rows in memory become tensors."""
        self._dataset, self._step = dataset, step
        if not dataset.streamed:
            self._rows = [{name: _shared(array) for name, array in part.items()} for part in dataset.parts]
        self._means = {name: keras.metrics.Mean(name=f"{name}_{DATA_LOSS}") for name in step.losses}

    def stream(self, blocks: Iterator[Block]) -> tf.data.Dataset:
        """Blocks of row numbers as `fit()` takes them: Keras itself would fix the size of a batch by the first two.

        Rows of a file are read here, those of the next block while one is trained on.
        """
        specs = tf.TensorSpec((None, None), tf.int32), tf.TensorSpec((1,), tf.int32)
        arrays: Iterator[object] = blocks
        if self._dataset.streamed:
            rows = tuple(
                {name: tf.TensorSpec((None, None, *array.shape[1:]), array.dtype) for name, array in part.items()}
                for part in self._dataset.parts
            )
            arrays = ((self._dataset.gather(numbers), steps) for numbers, steps in blocks)
            specs = rows, specs[1]
        flat = tf.nest.flatten(specs)

        def next_block(_: Tensor) -> Tensor:
            tensors = tf.numpy_function(lambda: tf.nest.flatten(next(arrays)), [], [spec.dtype for spec in flat])
            return tf.nest.pack_sequence_as(
                specs, [tf.ensure_shape(tensor, spec.shape) for tensor, spec in zip(tensors, flat, strict=True)]
            )

        # The next block is made while one is trained on; `Dataset.from_generator` takes twice the time.
        options = tf.data.Options()
        options.autotune.enabled = (
            False  # there is nothing to tune, and its thread may let `fit()` wait seconds to return
        )
        return tf.data.Dataset.counter().map(next_block).prefetch(1).with_options(options)

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        """What Keras resets at the start of an epoch."""
        return list(self._means.values())

    def synchronise(self) -> None:
        """Between blocks: let all variables have their values, which they always have here."""

    def train_step(self, data: tuple[Tensor, ...]) -> dict[str, Tensor]:
        """Make all steps of a block; the losses in the result are means over the epoch's rows so far, by weight."""
        rows, n_steps = data
        parts = (self.trainable_variables, self.non_trainable_variables, self.optimizer.variables)
        state = StepState(*([tf.convert_to_tensor(variable.value) for variable in part] for part in parts))
        plateau = tf.convert_to_tensor(self._step.plateau.value)

        def one_step(number: Tensor, state: StepState, sums: Sums) -> tuple[Tensor, StepState, Sums]:
            parts, chosen = (rows, number) if self._dataset.streamed else (self._rows, rows[number])
            batch = Batch(*({name: tf.gather(tensor, chosen) for name, tensor in part.items()} for part in parts))
            with compiled_by_xla(self.jit_compile), tf.GradientTape() as tape:
                tape.watch(state.trainable_variables)
                loss, (others, batch_sums) = self._step.compute_loss(
                    state.trainable_variables, state.non_trainable_variables, batch
                )
            gradients = tape.gradient(loss, state.trainable_variables)
            gradients = [tf.convert_to_tensor(gradient) for gradient in gradients]
            return number + 1, self._step.apply_gradients(state, gradients, others, plateau), added(sums, batch_sums)

        start = (0, state, self._step.zero_sums())
        _, state, sums = tf.while_loop(lambda number, *_: number < n_steps[0], one_step, start)
        for part, values in zip(parts, state, strict=True):
            for variable, value in zip(part, values, strict=True):
                variable.assign(value)
        for name, (total, weight) in sums.items():
            self._means[name].update_state(tf.math.divide_no_nan(total, weight), sample_weight=weight)
        return {mean.name: mean.result() for mean in self._means.values()}


def _shared(array: np.ndarray) -> tf.Tensor:
    """The array as a tensor, without a copy where it lies as TensorFlow wants it; nothing may write to it any more."""
    if array.flags.c_contiguous and array.flags.writeable and array.ctypes.data % ALIGNMENT == 0 and array.size:
        return tf.experimental.dlpack.from_dlpack(array.__dlpack__())
    return tf.constant(array)
