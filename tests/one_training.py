"""A training of one network on all rows, without folds or members."""

from __future__ import annotations

from typing import Any

import keras

from bptrain.models.build import Network
from bptrain.training.batches import Examples
from bptrain.training.options import ResolvedTraining, TrainingOptions, settled
from bptrain.training.state import TrainResult
from bptrain.training.step import Losses
from bptrain.training.train import Rows, Trainer


def train(
    network: keras.Model,
    training: Examples,
    validation: Examples | None,
    losses: Losses,
    options: TrainingOptions,
    **others: Any,
) -> TrainResult:
    """Train in place; what `options` leave open is as for `model: mlp`."""
    known = settled(options, textbook=True, n_rows=training.n_rows, labels=False, wide=False)
    chosen = ResolvedTraining.model_validate(dict(known))
    trainer = Trainer(Network(network, network), training, losses, losses, chosen, n_rows=training.n_rows)
    return trainer.train(Rows(None, validation), minutes=options.minutes, **others)
