"""Once per epoch: validate, keep the history and the best weights, decide whether to go on."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import keras
import numpy as np

from bptrain.models.predict import Program, fitting_block
from bptrain.training.batches import Examples
from bptrain.training.options import ResolvedTraining
from bptrain.training.schedules import Schedule, observe_plateau
from bptrain.training.state import Course, TrainResult, weights_digest
from bptrain.training.step import Losses
from bptrain.training.stopping import observe, reason_to_stop

Score = Callable[[Mapping[str, np.ndarray]], dict[str, float]]
Watched = Callable[[Mapping[str, float]], float]
OnEpoch = Callable[[dict[str, float]], None]


class Keeper(keras.callbacks.Callback):  # type: ignore[misc]  # Keras has no types
    """Holds the course of a training, its best weights, `kept`, and those after the last epoch that was finite.

    `averages` maps the `id` of a weight to the variable with its running mean, if there is one: it is validated and
    kept instead of the weight. `watched` as of `Hooks`.

    So many trainings are `sharing` the minutes that `options` give: this one has its part of what is left once the
    first block of its process is made, which may have waited for a program to be compiled for all of them.

    With `until_step`, time is up after so many steps, whatever the clock says.
    """

    def __init__(
        self,
        options: ResolvedTraining,
        program: Program,
        validation: Examples | None,
        losses: Losses,
        schedule: Schedule,
        score: Score,
        on_epoch: OnEpoch,
        *,
        watched: Watched | None = None,
        averages: Mapping[int, Any],
        after: TrainResult | None,
        until_step: int | None,
        sharing: int = 1,
    ) -> None:
        super().__init__()
        self.options, self.validation, self.losses = options, validation, losses
        self.program, self.network = program, program.network
        self.schedule, self.score, self.on_epoch, self.after = schedule, score, on_epoch, after
        self.watched = watched
        self.averages, self.until_step = averages, until_step
        self.sharing = sharing
        self.course = Course()
        self.kept = self.last_finite = values_of(self.network)

    def time_is_up(self) -> bool:
        """Whether the training has had its time, interruptions not counted."""
        self.course.seconds_spent = time.monotonic() - self._started
        if self.until_step is not None:
            return self.course.n_steps >= self.until_step
        if self.options.minutes is None:
            return False
        before = self._before
        if self.course.epoch == before.epoch and self.course.block <= before.block + 1:  # and its epoch's validation
            starting = self.course.seconds_spent - before.seconds_spent
            self.course.seconds_started = before.seconds_started + starting
        started = self.course.seconds_started
        return self.course.seconds_spent >= started + (60 * self.options.minutes - started) / self.sharing

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        self._started = time.monotonic() - self.course.seconds_spent
        self._before = replace(self.course, history=list(self.course.history))

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        if len(self.course.plateaus) == epoch:  # else the epoch goes on
            self.course.plateaus.append(self.after.plateaus[epoch] if self.after else self.course.plateau.factor)
        self.schedule.plateau.assign(self.course.plateaus[-1])

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        row = {"epoch": epoch + 1, "loss": sum(value for name, value in (logs or {}).items() if "data_loss" in name)}
        weights = self._weights()
        self._validate(row, weights)
        row["learning_rate"] = float(self.schedule((epoch + 1) * self.schedule.steps_per_epoch - 1))
        self._judge(row, weights)
        self.course.history.append(row)
        self.course.seconds.append(time.monotonic() - self._started - sum(self.course.seconds))
        self.course.block = 0
        self.on_epoch(row)

    def _weights(self) -> list[np.ndarray]:
        """What counts after an epoch: the network's weights, or their running means."""
        return [np.asarray(self.averages.get(id(weight), weight)) for weight in self.network.weights]

    def _validate(self, row: dict[str, float], weights: list[np.ndarray]) -> None:
        """Add what the network gives on validation rows with these weights."""
        if self.validation is not None:
            n_block = fitting_block(self.validation.n_rows)
            outputs = self.program.predict(weights, self.validation.inputs, block_rows=n_block)
            row["validation_loss"] = total_loss(self.losses, self.validation.truths, outputs, self.validation.weights)
            if all(np.isfinite(output).all() for output in outputs.values()):
                row |= {f"validation_{name}": value for name, value in self.score(outputs).items()}

    def _judge(self, row: dict[str, float], weights: list[np.ndarray]) -> None:
        """Keep this epoch's weights if they are to be kept, and stop if it is time."""
        course, epoch = self.course, int(row["epoch"])
        course.digests.append(weights_digest(course.digests[-1] if course.digests else "", weights))
        if not np.isfinite(row["loss"]) or not all(np.isfinite(weight).all() for weight in weights):
            self._stop("diverged")
            self.kept, course.kept_epoch = self.last_finite, epoch - 1
            return
        self.last_finite = weights
        watched = self.watched(row) if self.watched else row.get("validation_loss", row["loss"])
        better = observe(course.progress, epoch=epoch, loss=watched)
        observe_plateau(course.plateau, self.options.schedule, loss=watched)
        if better or not self.options.restore_best or self.validation is None or not course.progress.best_epoch:
            self.kept, course.kept_epoch = weights, epoch
        reason = reason_to_stop(
            course.progress,
            self.options,
            epoch=epoch,
            training_loss=row["loss"],
            time_is_up=self.time_is_up(),
            validated=self.validation is not None,
        )
        if reason:
            self._stop(reason)

    def _stop(self, reason: str) -> None:
        self.course.stopped_by = reason
        self.model.stop_training = True


def values_of(network: keras.Model) -> list[np.ndarray]:
    """Arrays of all weights in their order, for `set_weights`."""
    return [np.asarray(value) for value in network.get_weights()]


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
