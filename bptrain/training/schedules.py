"""The learning rate as a function of the step, and of what a plateau has left of it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import keras

from bptrain.training.options import (
    CosineSchedule,
    CyclicSchedule,
    ExponentialSchedule,
    OneCycleSchedule,
    PlateauSchedule,
    ScheduleOptions,
    StepSchedule,
)


class Schedule(keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]
    """learning_rate · warmup(step) · shape(step) · plateau, computed inside the training step.

    Steps count from 0. `plateau` is a variable, as only the end of an epoch knows it.
    """

    def __init__(
        self, learning_rate: float, options: ScheduleOptions, *, warmup: float, steps_per_epoch: int, n_steps: int
    ) -> None:
        super().__init__()
        self.learning_rate, self.options = learning_rate, options
        self.warmup_steps = warmup * steps_per_epoch
        self.steps_per_epoch, self.n_steps = steps_per_epoch, n_steps
        self.plateau = keras.Variable(1.0, trainable=False, dtype=keras.config.floatx(), name="plateau")

    def __call__(self, step: Any) -> Any:
        step = keras.ops.cast(step, keras.config.floatx())
        rate = self.learning_rate * self._shape(step) * self.plateau
        if self.warmup_steps:
            rate = rate * keras.ops.minimum(1.0, (step + 1.0) / self.warmup_steps)
        return rate

    def _shape(self, step: Any) -> Any:
        match self.options:
            case StepSchedule(every=every, factor=factor):
                return keras.ops.power(factor, keras.ops.floor(step / (every * self.steps_per_epoch)))
            case ExponentialSchedule(factor=factor):
                return keras.ops.power(factor, step / self.steps_per_epoch)
            case CosineSchedule(final=final):  # Loshchilov & Hutter 2017, eq. 5 without restarts
                return _cosine(step / self.n_steps, 1.0, final)
            case CyclicSchedule(cycles=cycles):  # Holzmüller, Grinsztajn & Steinwart 2024, section 3: coslog
                turns = keras.ops.log2(1.0 + (2.0**cycles - 1.0) * step / self.n_steps)
                return keras.ops.square(keras.ops.sin(math.pi * turns))  # (1 - cos(2 pi turns)) / 2
            case OneCycleSchedule() as cycle:
                return self._one_cycle(step, cycle)
        return keras.ops.ones_like(step)

    def _one_cycle(self, step: Any, cycle: OneCycleSchedule) -> Any:
        """Half a cosine up in the first share of the steps, half a cosine down in the rest."""
        top = max(1.0, cycle.rise * self.n_steps)
        rising = _cosine(step / top, cycle.start, 1.0)
        falling = _cosine((step - top) / max(1.0, self.n_steps - 1 - top), 1.0, cycle.final)
        return keras.ops.where(step < top, rising, falling)

    def get_config(self) -> dict[str, Any]:
        return {
            "learning_rate": self.learning_rate,
            "options": self.options.model_dump(),
            "warmup_steps": self.warmup_steps,
            "steps_per_epoch": self.steps_per_epoch,
            "n_steps": self.n_steps,
        }


def _cosine(progress: Any, first: float, last: float) -> Any:
    """Half a cosine from `first` at progress 0 to `last` at 1 and beyond."""
    progress = keras.ops.clip(progress, 0.0, 1.0)
    return last + (first - last) * 0.5 * (1.0 + keras.ops.cos(math.pi * progress))


@dataclass
class Plateau:
    """What the plateau schedule remembers between epochs; a loss that is no number is worse than every other."""

    factor: float = 1.0
    best_loss: float = math.inf
    epochs_without_gain: int = 0


def observe_plateau(state: Plateau, options: ScheduleOptions, *, loss: float) -> None:
    """Note the loss of an epoch, and let the factor fall after `patience` epochs without a better one."""
    if not isinstance(options, PlateauSchedule):
        return
    if loss < state.best_loss:
        state.best_loss, state.epochs_without_gain = loss, 0
        return
    state.epochs_without_gain += 1
    if state.epochs_without_gain >= options.patience:
        state.factor, state.epochs_without_gain = max(state.factor * options.factor, options.minimum), 0
