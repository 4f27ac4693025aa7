"""A training of one network on all rows, without folds or members."""

from __future__ import annotations

from typing import Any

import keras

from bptrain.models.build import Network
from bptrain.training.dataset import ArrayDataset
from bptrain.training.options import AdamOptions, ResolvedTraining, TrainingOptions, UsualOptimizer
from bptrain.training.state import TrainResult
from bptrain.training.train_step import Losses
from bptrain.training.trainer import Trainer

DEFAULTS = {  # those of `mlp`
    "optimizer": AdamOptions(),
    "batch_size": 256,
    "last_batch": "keep",
    "epochs": 200,
    "patience": 16,
    "ema_momentum": None,
    "monitor": "loss",
    "engine": "by_cost",
}


def resolved(options: TrainingOptions) -> ResolvedTraining:
    """The options with what is left open as for `model: mlp`."""
    values = options.values_by_key()
    is_open = {name for name, value in values.items() if value == "auto" or isinstance(value, UsualOptimizer)}
    return ResolvedTraining.model_validate(values | {name: DEFAULTS[name] for name in is_open})


def train(
    network: keras.Model,
    training: ArrayDataset,
    validation: ArrayDataset | None,
    losses: Losses,
    options: TrainingOptions,
    **others: Any,
) -> TrainResult:
    """Train in place; what `options` leave open is as for `model: mlp`."""
    n_rows = training.n_rows
    trainer = Trainer(Network(network, network), training, losses, losses, resolved(options), n_rows=n_rows)
    return trainer.train(None, validation, minutes=options.minutes, **others)
