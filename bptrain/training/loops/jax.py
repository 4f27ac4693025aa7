"""The loop over the steps of a block in JAX: one program, always compiled by XLA."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import jax
import keras

from bptrain.models.compat import Optimizer, Tensor
from bptrain.training.dataset import ArrayDataset, Block
from bptrain.training.train_step import DATA_LOSS, Batch, StepState, Sums, TrainStep, added


class JaxLoop(keras.Model):  # type: ignore[misc]  # Keras has no types
    """A `TrainingLoop` whose network has its weights up to date at the end of an epoch, and after `synchronise`."""

    train_function: Callable[
        [Tensor, Iterator[tuple[Tensor, ...]]], tuple[Tensor, ...]
    ]  # (state, blocks) → (logs, state)

    def bind(self, dataset: ArrayDataset, step: TrainStep) -> None:
        """The rows to train on, and the steps to make; rows in memory become arrays of JAX."""
        self._dataset, self._step = dataset, step
        rows = None if dataset.streamed else jax.device_put(dataset.parts)
        # What a compiled program would take for constants, so each block brings it along.
        self._arguments: Callable[[], tuple[Tensor, Tensor]] = lambda: (rows, step.plateau.value)
        self._means = {name: keras.metrics.Mean(name=f"{name}_{DATA_LOSS}") for name in step.losses}

    def stream(self, blocks: Iterator[Block]) -> Iterable[object]:
        """Blocks of row numbers as `fit()` takes them; rows of a file are read here."""
        if not self._dataset.streamed:
            return blocks
        return ((self._dataset.gather(numbers), steps) for numbers, steps in blocks)

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        """What Keras resets at the start of an epoch."""
        return list(self._means.values())

    def compile(self, *, optimizer: Optimizer, jit_compile: bool) -> None:
        """For `fit()`; JAX has no program that is not compiled."""
        super().compile(optimizer=optimizer, jit_compile=True)

    def make_train_function(self, force: bool = False) -> None:
        """Let each block bring along the rows in memory, and what the plateau has left of the learning rate."""
        if self.train_function is not None and not force:  # made by an earlier `fit()`
            return
        super().make_train_function(force)
        make_steps = self.train_function

        def with_arguments(state: Tensor, blocks: Iterator[tuple[Tensor, ...]]) -> tuple[Tensor, ...]:
            return make_steps(state, iter([(*next(blocks), *self._arguments())]))

        self.train_function = with_arguments

    def synchronise(self) -> None:
        """Between blocks: let all variables have their values, which Keras hands from block to block beside them."""
        self.jax_state_sync()

    def train_step(
        self, state: tuple[list[Tensor], ...], data: tuple[Tensor, ...]
    ) -> tuple[dict[str, Tensor], tuple[list[Tensor], ...]]:
        """Make all steps of a block; the losses in the result are means over the epoch's rows so far, by weight."""
        *values, means = state
        rows, n_steps, resident, plateau = data

        def one_step(number: Tensor, carried: tuple[StepState, Sums]) -> tuple[StepState, Sums]:
            state, sums = carried
            parts, chosen = (rows, number) if resident is None else (resident, rows[number])
            batch = Batch(*({name: array[chosen] for name, array in part.items()} for part in parts))
            gradient_of = jax.value_and_grad(self._step.compute_loss, has_aux=True)
            (_, (others, batch_sums)), gradients = gradient_of(
                state.trainable_variables, state.non_trainable_variables, batch
            )
            return self._step.apply_gradients(state, gradients, others, plateau), added(sums, batch_sums)

        start = (StepState(*values), self._step.zero_sums())
        values, sums = jax.lax.fori_loop(0, n_steps[0], one_step, start)
        with keras.StatelessScope(list(zip(self.metrics_variables, means, strict=True))) as scope:
            for name, (total, weight) in sums.items():
                mean = keras.ops.divide_no_nan(total, weight)  # a block may have no step to make
                self._means[name].update_state(mean, sample_weight=weight)
            logs = {mean.name: mean.result() for mean in self._means.values()}
        return logs, (*values, [scope.get_current_value(variable) for variable in self.metrics_variables])
