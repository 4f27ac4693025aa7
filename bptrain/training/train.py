"""Training by backpropagation: `keras.Model.fit()` with our order of rows, our stopping and the best epoch kept."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from bptrain.network.predict import predict
from bptrain.training.batches import Examples, blocks, n_blocks, n_steps
from bptrain.training.descent import Descent, Losses
from bptrain.training.engine import compiling_pays, most_steps, n_activations
from bptrain.training.optimizers import optimizer
from bptrain.training.options import TrainingOptions
from bptrain.training.schedules import Plateau, Schedule, observe_plateau
from bptrain.training.signals import postponed
from bptrain.training.stopping import Progress, observe, reason_to_stop

Score = Callable[[Mapping[str, np.ndarray]], dict[str, float]]
History = list[dict[str, float]]


@dataclass(frozen=True)
class Trained:
    """How training went. `stopped_by` is `loss`, `patience`, `minutes`, `epochs` or `diverged`.

    `history` has one row per epoch; `best_epoch` is the epoch whose weights the network now has, counted from 1
    (0: the first weights, when no epoch was finite). `seconds` is the time of each epoch, `plateaus` what the plateau
    schedule had left of the learning rate in it.
    """

    history: History
    best_epoch: int
    stopped_by: str
    seconds: list[float]
    plateaus: list[float]


def train(
    network: keras.Model,
    training: Examples,
    validation: Examples | None,
    losses: Losses,
    options: TrainingOptions,
    *,
    seed: int,
    score: Score = lambda outputs: {},
    on_epoch: Callable[[dict[str, float]], None] = lambda row: None,
    after: Trained | None = None,
) -> Trained:
    """Train `network` in place; it ends with the weights of the best epoch, or the last one (`restore_best: false`).

    While no epoch has a validation loss that is a number, the last one counts as the best.
    `losses` has one function (truth, output) → (batch,) per output. The loss in the history is their sum, each the mean
    over rows by weight, without penalties. `score` turns validation outputs into further columns of the history.
    `on_epoch` sees each row of it.

    A refit gives `after`, the training that chose the epoch: then exactly so many epochs are made, with the learning
    rates of that training, whatever the losses.
    """
    batch_size = training.n_rows if options.batch_size == "all" else min(options.batch_size, training.n_rows)
    steps = n_steps(training.n_rows, batch_size)
    schedule = Schedule(
        options.optimizer.learning_rate,
        options.schedule,
        warmup=options.warmup,
        steps_per_epoch=steps,
        n_steps=options.epochs * steps,
    )
    keeper = _Keeper(_stopping(options, after), network, validation, losses, score, on_epoch, schedule, after)
    engine = _engine()(network.input, network.output)
    chosen = optimizer(options, schedule)
    engine.bind(training, Descent(network, losses, chosen, schedule.plateau))
    engine.compile(
        optimizer=chosen,
        jit_compile=_is_compiled(network, options, n_rows=training.n_rows, batch_size=batch_size),
    )
    most = training.most_steps(batch_size, most_steps(network, batch_size))
    rows = blocks(training.n_rows, batch_size=batch_size, seed=seed, most_steps=most, window_rows=training.window_rows)
    with postponed() as safe_point:
        engine.fit(
            engine.stream(rows),
            steps_per_epoch=n_blocks(training.n_rows, batch_size, most),
            epochs=keeper.options.epochs,
            callbacks=[keeper, keras.callbacks.LambdaCallback(on_train_batch_end=lambda block, logs: safe_point())],
            shuffle=False,  # the order is made in `blocks`
            verbose=0,
        )
    if keeper.kept is not None:
        network.set_weights(keeper.kept)
    return Trained(keeper.history, keeper.kept_epoch, keeper.stopped_by, keeper.seconds, keeper.plateaus)


def _engine() -> Any:
    """The class whose `fit()` makes blocks of steps, for Keras' backend."""
    match keras.config.backend():
        case "jax":
            from bptrain.training import jax_loop

            return jax_loop.Engine
        case "tensorflow":
            from bptrain.training import tensorflow_loop

            return tensorflow_loop.Engine


def total_loss(
    losses: Losses,
    truths: Mapping[str, np.ndarray],
    outputs: Mapping[str, np.ndarray],
    weights: Mapping[str, np.ndarray] | None = None,
) -> float:
    """The summed losses of all outputs, each the mean over rows by weight (n_rows,), without penalties."""
    return sum(
        float(
            np.average(
                np.asarray(loss(keras.ops.convert_to_tensor(truths[name]), outputs[name]), np.float64),
                weights=None if weights is None else weights[name],
            )
        )
        for name, loss in losses.items()
    )


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


class _Keeper(keras.callbacks.Callback):  # type: ignore[misc]
    """Once per epoch: validate, keep the history and the best weights, decide whether to go on."""

    def __init__(
        self,
        options: TrainingOptions,
        network: keras.Model,
        validation: Examples | None,
        losses: Losses,
        score: Score,
        on_epoch: Callable[[dict[str, float]], None],
        schedule: Schedule,
        after: Trained | None,
    ) -> None:
        super().__init__()
        self.options, self.network, self.validation, self.losses = options, network, validation, losses
        self.score, self.on_epoch = score, on_epoch
        self.schedule, self.after = schedule, after
        self.progress, self.plateau = Progress(), Plateau()
        self.history: History = []
        self.seconds: list[float] = []
        self.plateaus: list[float] = []
        self.kept: list[np.ndarray] | None = None
        self.kept_epoch = 0
        self.stopped_by = "epochs"

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        self.last_finite = self.kept = self.network.get_weights()
        self._started = self._epoch_started = time.monotonic()

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self._epoch_started = time.monotonic()
        self.plateaus.append(self.after.plateaus[epoch] if self.after else self.plateau.factor)
        self.schedule.plateau.assign(self.plateaus[-1])

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        row = {"epoch": epoch + 1, "loss": sum(value for name, value in (logs or {}).items() if "data_loss" in name)}
        if self.validation is not None:
            outputs = predict(self.network, self.validation.inputs)
            truths, weights = self.validation.truths, self.validation.weights
            row["validation_loss"] = total_loss(self.losses, truths, outputs, weights)
            if all(np.isfinite(output).all() for output in outputs.values()):
                row |= {f"validation_{name}": value for name, value in self.score(outputs).items()}
        row["learning_rate"] = float(self.schedule((epoch + 1) * self.schedule.steps_per_epoch - 1))
        self._judge(row)
        self.history.append(row)
        self.seconds.append(time.monotonic() - self._epoch_started)
        self.on_epoch(row)

    def _judge(self, row: dict[str, float]) -> None:
        """Keep this epoch's weights if they are to be kept, and stop if it is time."""
        epoch = int(row["epoch"])
        weights = self.network.get_weights()
        if not np.isfinite(row["loss"]) or not all(np.isfinite(weight).all() for weight in weights):
            self._stop("diverged")
            self.kept, self.kept_epoch = self.last_finite, epoch - 1
            return
        self.last_finite = weights
        watched = row.get("validation_loss", row["loss"])
        better = observe(self.progress, epoch=epoch, loss=watched)
        observe_plateau(self.plateau, self.options.schedule, loss=watched)
        if better or not self.options.restore_best or self.validation is None or not self.progress.best_epoch:
            self.kept, self.kept_epoch = weights, epoch
        reason = reason_to_stop(
            self.progress,
            self.options,
            epoch=epoch,
            training_loss=row["loss"],
            minutes=(time.monotonic() - self._started) / 60,
            validated=self.validation is not None,
        )
        if reason:
            self._stop(reason)

    def _stop(self, reason: str) -> None:
        self.stopped_by = reason
        self.model.stop_training = True
