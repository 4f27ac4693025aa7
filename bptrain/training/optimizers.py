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
UNDECAYED = "undecayed"  # the name of the vector of such weights
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
    made = OPTIMIZERS[options.optimizer.kind](**settings)
    if settings.get("weight_decay"):
        made.exclude_from_weight_decay(var_names=[UNDECAYED])
    return made


def decays(variable: Any) -> bool:
    """Whether weight decay is for a variable of the network."""
    return not any(word in variable.name for word in NOT_DECAYED)
