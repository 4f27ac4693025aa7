"""A training of one network on all rows, without folds or members."""

from __future__ import annotations

from typing import Any

import keras

from bptrain.models.build import Network
from bptrain.training.dataset import ArrayDataset
from bptrain.training.options import TrainingOptions
from bptrain.fitting.training_defaults import settled
from bptrain.training.state import TrainResult
from bptrain.training.train_step import Losses
from bptrain.training.trainer import Trainer


def train(
    network: keras.Model,
    training: ArrayDataset,
    validation: ArrayDataset | None,
    losses: Losses,
    options: TrainingOptions,
    **others: Any,
) -> TrainResult:
    """Train in place; what `options` leave open is as for `model: mlp`."""
    known = settled(options, textbook=True, n_rows=training.n_rows, labels=False, wide=False)
    chosen = ResolvedTraining.model_validate(dict(known))
    trainer = Trainer(Network(network, network), training, losses, losses, chosen, n_rows=training.n_rows)
    return trainer.train(Rows(None, validation), minutes=options.minutes, **others)
