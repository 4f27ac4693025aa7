"""Optimizers by name; the arithmetic is Keras'."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from bptrain.training.options import ResolvedTraining
from bptrain.training.schedules import Schedule

ops = keras.ops

# Sources: the docstrings of the options. SGD with momentum: Polyak 1964; RMSprop: Tieleman & Hinton 2012; Adam in the
# form at the end of section 2 of Kingma & Ba 2015.
OPTIMIZERS: dict[str, Any] = {
    "sgd": keras.optimizers.SGD,
    "rmsprop": keras.optimizers.RMSprop,
    "adam": keras.optimizers.Adam,
    "adamw": keras.optimizers.AdamW,
    "nadam": keras.optimizers.Nadam,
    "adagrad": keras.optimizers.Adagrad,
    "lion": keras.optimizers.Lion,
}
NOT_DECAYED = ["bias", "gamma", "beta"]  # pulling these to zero would not make the function simpler
FIRST_STEPS = 10.0  # the running mean of weights remembers no more than about a tenth of the steps, so many at least


def optimizer(options: ResolvedTraining, schedule: Schedule) -> Any:
    """The Keras optimizer that the config describes, with its learning rate from `schedule`."""
    settings = options.optimizer.model_dump(exclude={"kind"}) | {"learning_rate": schedule}
    given = {
        "global_clipnorm": options.clip_norm,
        "clipvalue": options.clip_value,
        "weight_decay": options.weight_decay,
    }
    settings |= {name: value for name, value in given.items() if value is not None}
    if options.ema_momentum is not None:
        settings |= {"use_ema": True, "ema_momentum": options.ema_momentum}
    made = _functional(OPTIMIZERS[options.optimizer.kind])(**settings)
    if settings.get("weight_decay"):
        made.exclude_from_weight_decay(var_names=NOT_DECAYED)
    return made


def averages(made: Any, weights: Sequence[Any]) -> dict[int, Any]:
    """The variables that hold the running means, by the `id` of the weight; none without `ema_momentum`.

    `weights` are those that the optimizer was built for, in their order.
    """
    means = made._model_variables_moving_average if made.use_ema else []
    return {id(weight): mean for weight, mean in zip(weights, means, strict=False)}


def _functional(kind: Any) -> Any:
    """The optimizer with the arithmetic that all backends share, which `keras.StatelessScope` can make a function.

    On TensorFlow, Keras overrides some of it for distribution over devices, by assigning to TensorFlow's variables.
    """
    bases = {base.__name__: vars(base) for base in kind.__mro__}
    common, special = bases["BaseOptimizer"], bases.get("TFOptimizer", {})
    names = {name for name in special if callable(common.get(name))} - {"__init__"}
    own = {name: common[name] for name in names} | {"_update_model_variables_moving_average": _update_averages}
    shared = type("Shared", (keras.optimizers.Optimizer,), own)
    return type(kind.__name__, (kind, shared), {})


def _update_averages(self: Any, weights: list[Any]) -> None:
    """After step t, mean = d mean + (1 - d) weight with d = min(momentum, t / (t + 10)), so that first weights fade.

    Keras' own keeps a constant d, which remembers first weights for long; the formula is TensorFlow 1's
    ExponentialMovingAverage with `num_updates`.
    """
    step = ops.cast(self.iterations, "float32")
    kept = ops.minimum(self.ema_momentum, step / (step + FIRST_STEPS))
    for weight, average in zip(weights, self._model_variables_moving_average, strict=True):
        average.assign(average + (weight - average) * (1.0 - kept))
