"""Optimizers by name; the arithmetic is Keras'."""

from __future__ import annotations

from typing import Any

import keras

from bptrain.training.options import TrainingOptions
from bptrain.training.schedules import Schedule

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


def optimizer(options: TrainingOptions, schedule: Schedule) -> Any:
    """The Keras optimizer that the config describes, with its learning rate from `schedule`."""
    settings = options.optimizer.model_dump(exclude={"kind"}) | {"learning_rate": schedule}
    given = {
        "global_clipnorm": options.clip_norm,
        "clipvalue": options.clip_value,
        "weight_decay": options.weight_decay,
    }
    settings |= {name: value for name, value in given.items() if value is not None}
    made = _functional(OPTIMIZERS[options.optimizer.kind])(**settings)
    if settings.get("weight_decay"):
        made.exclude_from_weight_decay(var_names=NOT_DECAYED)
    return made


def _functional(kind: Any) -> Any:
    """The optimizer with the arithmetic that all backends share, which `keras.StatelessScope` can make a function.

    On TensorFlow, Keras overrides some of it for distribution over devices, by assigning to TensorFlow's variables.
    """
    bases = {base.__name__: vars(base) for base in kind.__mro__}
    common, special = bases["BaseOptimizer"], bases.get("TFOptimizer", {})
    names = {name for name in special if callable(common.get(name))} - {"__init__"}
    shared = type("Shared", (keras.optimizers.Optimizer,), {name: common[name] for name in names})
    return type(kind.__name__, (kind, shared), {})
