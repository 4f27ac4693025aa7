"""Training by backpropagation: `keras.Model.fit()` with our order of rows, our stopping and the best epoch kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras

from bptrain.errors import Problem
from bptrain.runs.checkpoints import Generation
from bptrain.training.batches import Examples, blocks, n_blocks, n_steps, steps_of
from bptrain.training.course import Course, History, Trained
from bptrain.training.descent import Descent, Losses
from bptrain.training.engine import compiling_pays, most_steps, n_activations
from bptrain.training.keeper import Keeper, OnEpoch, Score
from bptrain.training.optimizers import optimizer
from bptrain.training.options import TrainingOptions
from bptrain.training.saver import Saver, Saving
from bptrain.training.schedules import Schedule
from bptrain.training.signals import postponed


@dataclass(frozen=True)
class Hooks:
    """Who is told what: of each row of the history, of those of a training that goes on, and of warnings.

    `score` turns outputs on validation rows into further columns of the history.
    """

    score: Score = lambda outputs: {}
    on_epoch: OnEpoch = lambda row: None
    on_resume: Callable[[History], None] = lambda history: None
    warn: Callable[[Problem], None] = lambda problem: None


def train(
    network: keras.Model,
    training: Examples,
    validation: Examples | None,
    losses: Losses,
    options: TrainingOptions,
    *,
    seed: int,
    hooks: Hooks = Hooks(),
    after: Trained | None = None,
    saving: Saving | None = None,
    until_step: int | None = None,
) -> Trained:
    """Train `network` in place; it ends with the weights of the best epoch, or the last one (`restore_best: false`).

    While no epoch has a validation loss that is a number, the last one counts as the best.
    `losses` has one function (truth, output) → (batch,) per output. The loss in the history is their sum, each the mean
    over rows by weight, without penalties.

    A refit gives `after`, the training that chose the epoch: then exactly so many epochs are made, with the learning
    rates of that training, whatever the losses. With `until_step`, a training that the clock stopped is repeated: time
    is up after so many steps.

    With `saving`, the training goes on from the newest checkpoint there and saves its own. Raises StorageError when
    that fails.
    """
    sizes = _sizes(network, training, options)
    steps = n_steps(training.n_rows, sizes["batch_size"])
    schedule = Schedule(
        options.optimizer.learning_rate,
        options.schedule,
        warmup=options.warmup,
        steps_per_epoch=steps,
        n_steps=options.epochs * steps,
    )
    decisive = _stopping(options, after)
    keeper = Keeper(
        decisive, network, validation, losses, schedule, hooks.score, hooks.on_epoch, after=after, until_step=until_step
    )
    saved = saving.checkpoints.newest(hooks.warn) if saving else None
    if saved is not None and saved.state["stopped_by"]:
        keeper.course, keeper.kept = Course.from_json(saved.state), list(saved.groups["kept"].values())
        hooks.on_resume(keeper.course.history)
    else:
        chosen = optimizer(options, schedule)
        engine = _engine()(network.input, network.output)
        engine.bind(training, Descent(network, losses, chosen, schedule.plateau))
        compiled = _is_compiled(network, options, n_rows=training.n_rows, batch_size=sizes["batch_size"])
        engine.compile(optimizer=chosen, jit_compile=compiled)
        _fit(engine, keeper, training, sizes, seed=seed, saving=saving, saved=saved, on_resume=hooks.on_resume)
    network.set_weights(keeper.kept)
    return keeper.course.trained()


def _fit(
    engine: Any,
    keeper: Keeper,
    training: Examples,
    sizes: dict[str, int],
    *,
    seed: int,
    saving: Saving | None,
    saved: Generation | None,
    on_resume: Callable[[History], None],
) -> None:
    """Make the epochs, those that `saved` leaves to be made."""
    in_epoch = n_blocks(training.n_rows, **sizes)
    with postponed() as signals:
        saver = Saver(
            keeper, saving, signals, n_blocks=in_epoch, steps_of=lambda made: steps_of(made, training.n_rows, **sizes)
        )
        saver.set_model(engine)
        if saved is not None:
            saver.restore(saved)
            on_resume(keeper.course.history)
        made = keeper.course.epoch, keeper.course.block
        rows = blocks(training.n_rows, **sizes, seed=seed, window_rows=training.window_rows, after=made)
        engine.fit(
            engine.stream(rows),
            steps_per_epoch=in_epoch,
            initial_epoch=keeper.course.epoch,
            epochs=keeper.options.epochs,
            callbacks=[keeper, saver],
            shuffle=False,  # the order is made in `blocks`
            verbose=0,
        )


def _sizes(network: keras.Model, training: Examples, options: TrainingOptions) -> dict[str, int]:
    """The rows of a step, and the steps of a block at most."""
    batch_size = training.n_rows if options.batch_size == "all" else min(options.batch_size, training.n_rows)
    return {"batch_size": batch_size, "most_steps": training.most_steps(batch_size, most_steps(network, batch_size))}


def _engine() -> Any:
    """The class whose `fit()` makes blocks of steps, for Keras' backend."""
    match keras.config.backend():
        case "jax":
            from bptrain.training import jax_loop

            return jax_loop.Engine
        case "tensorflow":
            from bptrain.training import tensorflow_loop

            return tensorflow_loop.Engine


def _is_compiled(network: keras.Model, options: TrainingOptions, *, n_rows: int, batch_size: int) -> bool:
    if options.engine != "auto":
        return options.engine == "compiled"
    return compiling_pays(
        n_rows=n_rows, batch_size=batch_size, n_activations=n_activations(network), epochs=options.epochs
    )


def _stopping(options: TrainingOptions, after: Trained | None) -> TrainingOptions:
    """The options that decide when to stop: in a refit only the number of epochs does."""
    if after is None:
        return options
    fixed = {"epochs": after.best_epoch, "patience": None, "minutes": None, "stop_at_loss": None}
    return options.model_copy(update=fixed)
