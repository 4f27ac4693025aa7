"""Training by backpropagation: `keras.Model.fit()` with our order of rows, our stopping and the best epoch kept."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import keras
import numpy as np

from bptrain.errors import Problem
from bptrain.models.build import Network
from bptrain.models.compat import KerasModel, running_means
from bptrain.models.predict import PredictFunction
from bptrain.training.callbacks import (
    Checkpoint,
    EarlyStopping,
    EpochMetrics,
    Monitor,
    ReduceLROnPlateau,
    Row,
    Saving,
    Score,
    TimeLimit,
    deferred_signals,
    validation_loss,
)
from bptrain.training.dataset import ArrayDataset, EpochPlan, blocks
from bptrain.training.optimizers import Schedule, make_optimizer
from bptrain.training.options import ResolvedTraining
from bptrain.training.state import History, TrainResult, TrainState
from bptrain.training.train_step import Losses, TrainingLoop, TrainStep

# The cost model of a step: how many steps go together, and whether it pays to compile them. `fit()` hands the loop a
# block of steps at a time, so one call of Keras' `train_step` makes many, and no time goes to Python between them. A
# step of a network with W weights on a batch of B rows takes about 6 W B FLOP: 2 per weight and row forward, 4 backward
# (the gradients of inputs and of weights). Embeddings and products with few columns are overrated by it, and
# convolutions, which use a weight many times per row, underrated.
# Measured on 2 cores (benchmarks/engine.md): compiling costs about so long, and saves so much of a step.
COMPILE_SECONDS = 1.5
SAVED_PER_STEP = 70e-6  # what calling operations one by one costs
SAVED_PER_ACTIVATION = 1.2e-9  # what memory traffic between them costs, per hidden activation of a row
BLOCK_SECONDS = 1.0  # at most about so long is a block, as nothing else happens meanwhile, neither stop nor message
STEP_SECONDS = 1e-4  # of a plain step on few rows; of a compiled one it is a fourth
FLOPS_PER_SECOND = 1e11
EXPECTED_EPOCHS = 50  # until patience ends a usual training


@dataclass(frozen=True)
class Hooks:
    """Who is told what, and what the caller decides.

    Args:
        score: further columns of the history, from outputs on validation rows.
        monitor: what is to be small, from a row of the history.
        on_epoch: is told each row of the history.
        on_resume: is told the history of a training that goes on.
        warn: is told of checkpoints that cannot be used.
    """

    score: Score = lambda outputs: {}
    monitor: Monitor = validation_loss
    on_epoch: Callable[[Row], None] = lambda row: None
    on_resume: Callable[[History], None] = lambda history: None
    warn: Callable[[Problem], None] = lambda problem: None


class Trainer:
    """Trains a network as often as one likes on the same arrays, by one program.

    The loss in the history is the sum of those of all outputs, each the mean over rows by weight, without penalties.

    Args:
        losses: one function (truth, output) → (batch,) per output of `network.members`, which are trained.
        validation_losses: the same of `network.model`, which predicts.
        n_rows: the most rows of a training.
        n_trainings: so many are to come.
    """

    def __init__(
        self,
        network: Network,
        dataset: ArrayDataset,
        losses: Losses,
        validation_losses: Losses,
        options: ResolvedTraining,
        *,
        n_rows: int,
        n_trainings: int = 1,
    ) -> None:
        self.network, self.dataset, self.options = network, dataset, options
        self.validation_losses = validation_losses
        batch_size = n_rows if options.batch_size == "all" else min(options.batch_size, n_rows)
        most = dataset.most_steps(batch_size, most_steps(network.members, batch_size))
        self.plan = EpochPlan.of(n_rows, batch_size, most_steps=most, keep_last=options.last_batch == "keep")
        self.schedule = Schedule(
            options.optimizer.learning_rate,
            options.schedule,
            warmup=options.warmup,
            steps_per_epoch=self.plan.n_steps,
            n_steps=options.epochs * self.plan.n_steps,
        )
        self.optimizer = make_optimizer(options, self.schedule)
        self._losses = losses
        self._compiled = options.engine == "compiled" or (
            options.engine == "by_cost"
            and compiling_pays(
                n_rows=n_rows,
                batch_size=batch_size,
                n_activations=n_activations(network.members),
                epochs=options.epochs,
                n_trainings=n_trainings,
            )
        )
        self._predict_function = PredictFunction(network.model, compiled=self._compiled)
        self._loop: TrainingLoop | None = None

    def train(
        self,
        rows: np.ndarray | None,
        validation: ArrayDataset | None,
        *,
        seed: int,
        minutes: float | None = None,
        sharing: int = 1,
        hooks: Hooks = Hooks(),
        after: TrainResult | None = None,
        saving: Saving | None = None,
        until_step: int | None = None,
    ) -> TrainResult:
        """Train from the weights that the network has; it ends with those of the best epoch, or the last one.

        Args:
            rows: the positions (n_rows,) of the rows to train on; None: all.
            validation: rows that choose the best epoch; without them it is the last.
            seed: what the order of the rows follows from.
            minutes, sharing, until_step: as of `TimeLimit`.
            after: in a refit, the training that chose the epoch: then exactly so many epochs are made, with the
                learning rates of that training, whatever losses and clock say.
            saving: the training goes on from the newest checkpoint there, and saves its own.

        Raises:
            StorageError: a checkpoint could not be written.
        """
        loop = self._restarted_loop()
        first_weights = [np.asarray(weight) for weight in self.network.model.get_weights()]  # some are scalars
        state = TrainState(weights=first_weights, finite_weights=first_weights, best_weights=first_weights)
        plan = replace(self.plan, n_rows=self.dataset.n_rows if rows is None else len(rows))
        epochs, minutes = (self.options.epochs, minutes) if after is None else (after.best_epoch, None)
        time_limit = TimeLimit(state, epochs=epochs, minutes=minutes, sharing=sharing, until_step=until_step)
        saved = saving.checkpoints.newest(hooks.warn) if saving else None
        if saved is not None and saved.state["stopped_by"]:
            state = TrainState.from_json(saved.state)
            hooks.on_resume(state.history)
            self.network.model.set_weights(list(saved.groups["best"].values()))
            return state.result()
        with deferred_signals() as signals:
            checkpoint = Checkpoint(
                state,
                {"weights": self.network.model.weights, "optimizer": self.optimizer.variables},
                plan,
                self.options.checkpoints,
                saving=saving,
                signals=signals,
                time_limit=time_limit,
            )
            if saved is not None:
                checkpoint.restore(saved)
                hooks.on_resume(state.history)
            done, buffer_rows = (len(state.history), state.block), self.dataset.shuffle_buffer_rows
            loop.fit(
                loop.stream(blocks(plan, seed=seed, shuffle_buffer_rows=buffer_rows, after=done, rows=rows)),
                steps_per_epoch=plan.n_blocks,
                initial_epoch=len(state.history),
                epochs=epochs,
                callbacks=[*self._judges(state, validation, hooks, after, time_limit), checkpoint],
                shuffle=False,  # the order is made in `blocks`
                verbose=0,
            )
        self.network.model.set_weights(state.best_weights)
        return state.result()

    def _restarted_loop(self) -> TrainingLoop:
        """The loop with an optimizer that remembers nothing; made and compiled when first asked for."""
        if self._loop is None:
            network = self.network.members
            if keras.config.backend() == "jax":
                from bptrain.training.loops.jax import JaxLoop as Loop
            else:
                from bptrain.training.loops.tensorflow import TensorFlowLoop as Loop
            self._loop = Loop(network.input, network.output)
            self._loop.bind(self.dataset, TrainStep(network, self._losses, self.optimizer, self.schedule.plateau))
            self._loop.compile(optimizer=self.optimizer, jit_compile=self._compiled)
            self._first_state = [np.asarray(variable) for variable in self.optimizer.variables]
        for variable, value in zip(self.optimizer.variables, self._first_state, strict=True):
            variable.assign(value)
        return self._loop

    def _judges(
        self,
        state: TrainState,
        validation: ArrayDataset | None,
        hooks: Hooks,
        after: TrainResult | None,
        time_limit: TimeLimit,
    ) -> list[keras.callbacks.Callback]:
        """The callbacks that judge an epoch: in a refit they change neither its rates nor its end."""
        means = running_means(self.optimizer, self.network.members.trainable_variables)
        options, choosing = self.options, validation is not None and after is None
        return [
            EpochMetrics(
                state, self._predict_function, validation, self.validation_losses, hooks.score, self.schedule, means
            ),
            ReduceLROnPlateau(state, self.schedule, hooks.monitor, after.plateaus if after else None),
            EarlyStopping(
                state,
                hooks.monitor,
                patience=options.patience if choosing else None,
                stop_at_loss=options.stop_at_loss if after is None else None,
                restore_best_weights=options.restore_best and validation is not None,
            ),
            time_limit,
            keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: hooks.on_epoch(state.history[-1])),
        ]


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
