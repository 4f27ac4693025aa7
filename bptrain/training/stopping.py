"""When training stops and which epoch is kept. Plain Python, so that a checkpoint can hold all of its state.

Unlike Keras' EarlyStopping, a loss that is not a number is worse than every other loss.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from bptrain.training.options import ResolvedTraining


@dataclass
class Progress:
    """What stopping remembers between epochs (counted from 1; 0 means none yet)."""

    best_epoch: int = 0
    best_loss: float = math.inf
    epochs_without_gain: int = 0


def observe(progress: Progress, *, epoch: int, loss: float) -> bool:
    """Note the loss of an epoch and say whether it is the best so far."""
    better = loss < progress.best_loss
    if better:
        progress.best_epoch, progress.best_loss, progress.epochs_without_gain = epoch, loss, 0
    else:
        progress.epochs_without_gain += 1
    return better


def reason_to_stop(
    progress: Progress,
    options: ResolvedTraining,
    *,
    epoch: int,
    training_loss: float,
    time_is_up: bool,
    validated: bool,
) -> str | None:
    """Why training ends after this epoch, or None."""
    if options.stop_at_loss is not None and training_loss <= options.stop_at_loss:
        return "loss"
    if validated and options.patience is not None and progress.epochs_without_gain >= options.patience:
        return "patience"
    if time_is_up:
        return "minutes"
    if epoch >= options.epochs:
        return "epochs"
    return None
