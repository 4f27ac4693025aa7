"""The optimizer by its name, and its learning rate as a function of the step; the arithmetic is Keras'."""

from __future__ import annotations

import math

import keras

from bptrain.models.compat import Optimizer, Tensor, functional_optimizer
from bptrain.runs.storage import Json
from bptrain.training.options import (
    CosineSchedule,
    CyclicSchedule,
    ExponentialSchedule,
    OneCycleSchedule,
    ResolvedTraining,
    ScheduleOptions,
    StepSchedule,
)

ops = keras.ops
# Sources: the docstrings of the options. SGD with momentum: Polyak 1964; RMSprop: Tieleman & Hinton 2012; Adam in the
# form at the end of section 2 of Kingma & Ba 2015.
OPTIMIZERS: dict[str, type[Optimizer]] = {
    "sgd": keras.optimizers.SGD,
    "rmsprop": keras.optimizers.RMSprop,
    "adam": keras.optimizers.Adam,
    "adamw": keras.optimizers.AdamW,
    "nadam": keras.optimizers.Nadam,
    "adagrad": keras.optimizers.Adagrad,
    "lion": keras.optimizers.Lion,
}
NOT_DECAYED = ["bias", "gamma", "beta"]  # pulling these to zero would not make the function simpler


class Schedule(keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]  # Keras has no types
    """learning_rate · warmup(step) · shape(step) · plateau, computed inside the training step.

    Steps count from 0. `plateau` is a variable, as only the end of an epoch knows it: `ReduceLROnPlateau` sets it.
    """

    def __init__(
        self, learning_rate: float, options: ScheduleOptions, *, warmup: float, steps_per_epoch: int, n_steps: int
    ) -> None:
        super().__init__()
        self.learning_rate, self.options = learning_rate, options
        self.warmup_steps = warmup * steps_per_epoch
        self.steps_per_epoch, self.n_steps = steps_per_epoch, n_steps
        self.plateau = keras.Variable(1.0, trainable=False, dtype=keras.config.floatx(), name="plateau")

    def __call__(self, step: Tensor) -> Tensor:
        step = ops.cast(step, keras.config.floatx())
        rate = self.learning_rate * self._shape(step) * self.plateau
        if self.warmup_steps:
            rate = rate * ops.minimum(1.0, (step + 1.0) / self.warmup_steps)
        return rate

    def _shape(self, step: Tensor) -> Tensor:
        match self.options:
            case StepSchedule(every=every, factor=factor):
                return ops.power(factor, ops.floor(step / (every * self.steps_per_epoch)))
            case ExponentialSchedule(factor=factor):
                return ops.power(factor, step / self.steps_per_epoch)
            case CosineSchedule(final=final):  # Loshchilov & Hutter 2017, eq. 5 without restarts
                return _half_cosine(step / self.n_steps, 1.0, final)
            case CyclicSchedule(cycles=cycles):  # Holzmüller, Grinsztajn & Steinwart 2024, section 3: coslog
                turns = ops.log2(1.0 + (2.0**cycles - 1.0) * step / self.n_steps)
                return ops.square(ops.sin(math.pi * turns))  # (1 - cos(2 pi turns)) / 2
            case OneCycleSchedule(rise=rise, start=start, final=final):  # half a cosine up, half a cosine down
                top = max(1.0, rise * self.n_steps)
                rising = _half_cosine(step / top, start, 1.0)
                falling = _half_cosine((step - top) / max(1.0, self.n_steps - 1 - top), 1.0, final)
                return ops.where(step < top, rising, falling)
        return ops.ones_like(step)

    def get_config(self) -> dict[str, Json]:
        return {
            "learning_rate": self.learning_rate,
            "options": self.options.model_dump(),
            "warmup_steps": self.warmup_steps,
            "steps_per_epoch": self.steps_per_epoch,
            "n_steps": self.n_steps,
        }


def _half_cosine(progress: Tensor, first: float, last: float) -> Tensor:
    """Half a cosine from `first` at progress 0 to `last` at 1 and beyond."""
    progress = ops.clip(progress, 0.0, 1.0)
    return last + (first - last) * 0.5 * (1.0 + ops.cos(math.pi * progress))


def make_optimizer(options: ResolvedTraining, schedule: Schedule) -> Optimizer:
    """The Keras optimizer that the config describes, with its learning rate from `schedule`."""
    settings = options.optimizer.model_dump(exclude={"kind"}) | {"learning_rate": schedule}
    limits = {
        "global_clipnorm": options.clip_norm,
        "clipvalue": options.clip_value,
        "weight_decay": options.weight_decay,
    }
    settings |= {name: value for name, value in limits.items() if value is not None}
    if options.ema_momentum is not None:
        settings |= {"use_ema": True, "ema_momentum": options.ema_momentum}
    optimizer = functional_optimizer(OPTIMIZERS[options.optimizer.kind])(**settings)
    if settings.get("weight_decay"):
        optimizer.exclude_from_weight_decay(var_names=NOT_DECAYED)
    return optimizer
