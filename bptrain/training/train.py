"""Training by backpropagation: `keras.Model.fit()` with our order of rows, our stopping and the best epoch kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import keras
import numpy as np

from bptrain.errors import Problem
from bptrain.models.build import Network
from bptrain.models.predict import Program
from bptrain.runs.checkpoints import Generation
from bptrain.training.batches import Examples, Sizes, blocks
from bptrain.training.checkpointing import Saver, Saving
from bptrain.training.early_stopping import Keeper, OnEpoch, Score, Watched
from bptrain.training.optimizers import averages, optimizer
from bptrain.training.options import ResolvedTraining
from bptrain.training.schedules import Schedule
from bptrain.training.signals import postponed
from bptrain.training.state import Course, History, TrainResult
from bptrain.training.step import Descent, Losses
from bptrain.training.step_cost import compiling_pays, most_steps, n_activations


@dataclass(frozen=True)
class Hooks:
    """Who is told what: of each row of the history, of those of a training that goes on, and of warnings.

    `score` turns outputs on validation rows into further columns of the history. `watched` takes from a row what
    is to be small, where that is not the loss.
    """

    score: Score = lambda outputs: {}
    watched: Watched | None = None
    on_epoch: OnEpoch = lambda row: None
    on_resume: Callable[[History], None] = lambda history: None
    warn: Callable[[Problem], None] = lambda problem: None


@dataclass(frozen=True)
class Rows:
    """The rows of one training: positions in the examples (n_rows,), None for all, and those that validate."""

    training: np.ndarray | None
    validation: Examples | None


class Trainer:
    """Trains a network as often as one likes on the same arrays, by one program.

    `losses` has one function (truth, output) → (batch,) per output of `network.members`, `judged` one per output of
    `network.model`. The loss in the history is their sum, each the mean over rows by weight, without penalties.
    A training is of at most `n_rows` rows; `n_trainings` are to come.
    """

    def __init__(
        self,
        network: Network,
        examples: Examples,
        losses: Losses,
        judged: Losses,
        options: ResolvedTraining,
        *,
        n_rows: int,
        n_trainings: int = 1,
    ) -> None:
        self.network, self.examples, self.judged, self.options = network, examples, judged, options
        self.sizes = _sizes(network.members, examples, options, n_rows)
        self.schedule = Schedule(
            options.optimizer.learning_rate,
            options.schedule,
            warmup=options.warmup,
            steps_per_epoch=self.sizes.n_steps,
            n_steps=options.epochs * self.sizes.n_steps,
        )
        self.optimizer = optimizer(options, self.schedule)
        self._losses = losses
        self._compiled = _is_compiled(network.members, options, self.sizes, n_trainings)
        self._validating = Program(network.model, compiled=self._compiled)
        self._engine: Any = None

    def train(
        self,
        rows: Rows,
        *,
        seed: int,
        minutes: float | None = None,
        sharing: int = 1,
        hooks: Hooks = Hooks(),
        after: TrainResult | None = None,
        saving: Saving | None = None,
        until_step: int | None = None,
    ) -> TrainResult:
        """Train from the weights that the network has; it ends with those of the best epoch, or the last one
        (`restore_best: false`). While no epoch has a validation loss that is a number, the last one counts as the best.

        After so many `minutes` it is stopped, or after its part of them, where as many trainings are `sharing` them.

        A refit gives `after`, the training that chose the epoch: then exactly so many epochs are made, with the
        learning rates of that training, whatever the losses. With `until_step`, a training that the clock stopped is
        repeated: time is up after so many steps.

        With `saving`, the training goes on from the newest checkpoint there and saves its own. Raises StorageError
        when that fails.
        """
        engine = self._restarted()
        keeper = Keeper(
            _stopping(self.options.model_copy(update={"minutes": minutes}), after),
            self._validating,
            rows.validation,
            self.judged,
            self.schedule,
            hooks.score,
            hooks.on_epoch,
            watched=hooks.watched,
            averages=averages(self.optimizer, self.network.members.trainable_variables),
            after=after,
            until_step=until_step,
            sharing=sharing,
        )
        saved = saving.checkpoints.newest(hooks.warn) if saving else None
        if saved is not None and saved.state["stopped_by"]:
            keeper.course, keeper.kept = Course.from_json(saved.state), list(saved.groups["kept"].values())
            hooks.on_resume(keeper.course.history)
        else:
            self._fit(engine, keeper, rows, seed=seed, saving=saving, saved=saved, on_resume=hooks.on_resume)
        self.network.model.set_weights(keeper.kept)
        return keeper.course.trained()

    def _restarted(self) -> Any:
        """The engine with an optimizer that remembers nothing; made when first asked for."""
        if self._engine is None:
            members = self.network.members
            self._engine = _engine()(members.input, members.output)
            self._engine.bind(self.examples, Descent(members, self._losses, self.optimizer, self.schedule.plateau))
            self._engine.compile(optimizer=self.optimizer, jit_compile=self._compiled)
            self._first = [np.asarray(variable) for variable in self.optimizer.variables]
        for variable, value in zip(self.optimizer.variables, self._first, strict=True):
            variable.assign(value)
        return self._engine

    def _fit(
        self,
        engine: Any,
        keeper: Keeper,
        rows: Rows,
        *,
        seed: int,
        saving: Saving | None,
        saved: Generation | None,
        on_resume: Callable[[History], None],
    ) -> None:
        """Make the epochs, those that `saved` leaves to be made."""
        n_rows = self.examples.n_rows if rows.training is None else len(rows.training)
        sizes = replace(self.sizes, n_rows=n_rows)
        with postponed() as signals:
            saver = Saver(keeper, saving, signals, sizes=sizes)
            saver.set_model(engine)
            if saved is not None:
                saver.restore(saved)
                on_resume(keeper.course.history)
            made = keeper.course.epoch, keeper.course.block
            order = blocks(sizes, seed=seed, window_rows=self.examples.window_rows, after=made, rows=rows.training)
            engine.fit(
                engine.stream(order),
                steps_per_epoch=sizes.n_blocks,
                initial_epoch=keeper.course.epoch,
                epochs=keeper.options.epochs,
                callbacks=[keeper, saver],
                shuffle=False,  # the order is made in `blocks`
                verbose=0,
            )


def _sizes(network: keras.Model, training: Examples, options: ResolvedTraining, n_rows: int) -> Sizes:
    batch_size = n_rows if options.batch_size == "all" else min(options.batch_size, n_rows)
    most = training.most_steps(batch_size, most_steps(network, batch_size))
    return Sizes.of(n_rows, batch_size, most_steps=most, keep_last=options.last_batch == "keep")


def _engine() -> Any:
    """The class whose `fit()` makes blocks of steps, for Keras' backend."""
    match keras.config.backend():
        case "jax":
            from bptrain.training.loops import jax as jax_loop

            return jax_loop.Engine
        case "tensorflow":
            from bptrain.training.loops import tensorflow as tensorflow_loop

            return tensorflow_loop.Engine


def _is_compiled(network: keras.Model, options: ResolvedTraining, sizes: Sizes, n_trainings: int) -> bool:
    if options.engine != "by_cost":
        return options.engine == "compiled"
    return compiling_pays(
        n_rows=sizes.n_rows,
        batch_size=sizes.batch_size,
        n_activations=n_activations(network),
        epochs=options.epochs,
        n_trainings=n_trainings,
    )


def _stopping(options: ResolvedTraining, after: TrainResult | None) -> ResolvedTraining:
    """The options that decide when to stop: in a refit only the number of epochs does."""
    if after is None:
        return options
    fixed = {"epochs": after.best_epoch, "patience": None, "minutes": None, "stop_at_loss": None}
    return options.model_copy(update=fixed)
