"""Optimizers by name; the arithmetic is Keras'."""

from __future__ import annotations

from typing import Any

import keras

from bptrain.training.options import (
    AdamOptions,
    CosineSchedule,
    OptimizerOptions,
    RmspropOptions,
    ScheduleOptions,
    SgdOptions,
)


def optimizer(options: OptimizerOptions, schedule: ScheduleOptions, *, n_steps: int) -> Any:
    """The Keras optimizer that the config describes, its learning rate scheduled over `n_steps` steps.

    SGD with momentum: Polyak 1964; RMSprop: Tieleman & Hinton 2012; Adam: Kingma & Ba 2015,
    in the form at the end of their section 2.
    """
    settings = options.model_dump(exclude={"kind"}) | {"learning_rate": learning_rate(options, schedule, n_steps)}
    match options:
        case SgdOptions():
            return keras.optimizers.SGD(**settings)
        case RmspropOptions():
            return keras.optimizers.RMSprop(**settings)
        case AdamOptions():
            return keras.optimizers.Adam(**settings)


def learning_rate(options: OptimizerOptions, schedule: ScheduleOptions, n_steps: int) -> Any:
    """A number, or a Keras schedule of it. Cosine: Loshchilov & Hutter 2017, eq. 5 without restarts."""
    if isinstance(schedule, CosineSchedule):
        return keras.optimizers.schedules.CosineDecay(options.learning_rate, n_steps, alpha=schedule.final)
    return options.learning_rate
