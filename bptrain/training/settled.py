"""What the section `training` leaves open, settled by the model and the table."""

from __future__ import annotations

import math
from typing import Literal

from bptrain.training.options import AdamOptions, Count, Decay, KnownOptimizer, TrainingOptions, UsualOptimizer

ABSOLUTE = ("mae", "median_absolute_error")  # metrics that the squared loss does not go with
FEW_ROWS, MORE_ROWS, MANY_ROWS = 4500, 6400, 24_000
BATCH_SIZES = ((32_000, 256), (200_000, 512), (math.inf, 1024))  # each below so many rows
SMALL_BATCHES = {"numbers": ((FEW_ROWS, 64), (27_000, 128)), "labels": ((FEW_ROWS, 64), (MORE_ROWS, 128))}


class SettledOptions(TrainingOptions):
    """The same with nothing left open."""

    optimizer: KnownOptimizer
    batch_size: Count | Literal["all"]
    last_batch: Literal["keep", "drop"]
    epochs: Count
    patience: Count | None
    ema_momentum: Decay | None
    monitor: Literal["loss", "primary"]


def settled(
    options: TrainingOptions, *, textbook: bool, n_rows: int, labels: bool, wide: bool, primary: str = ""
) -> TrainingOptions:
    """The options with what suits the model and the table where they were left open.

    `textbook` says that the model is `mlp`, `n_rows` counts the training rows of a network, `labels` says that the
    targets are labels, `wide` that hidden layers are, `primary` is the metric that counts. Small batches for small
    tables as in TabM (ICLR 2025); benchmarks/attempts.md has what each choice gave.
    """
    if textbook:
        usual: dict[str, object] = {
            "optimizer": AdamOptions(),
            "batch_size": 256,
            "last_batch": "keep",
            "epochs": 200,
            "patience": 16,
            "ema_momentum": None,
        }
    else:
        usual = {
            "optimizer": AdamOptions(learning_rate=_rate(n_rows, labels=labels, wide=wide)),
            "batch_size": _batch_size(n_rows, labels=labels),
            "last_batch": "drop",
            "epochs": 100,
            "patience": 8,
            "ema_momentum": 0.998,
        }
    usual["monitor"] = "primary" if primary in ABSOLUTE else "loss"
    open_ones = {name: value for name, value in usual.items() if _is_open(getattr(options, name))}
    return options.model_copy(update=open_ones)


def _batch_size(n_rows: int, *, labels: bool) -> int:
    sizes = (*SMALL_BATCHES["labels" if labels else "numbers"], *BATCH_SIZES)
    return next(size for most, size in sizes if n_rows < most)


def _rate(n_rows: int, *, labels: bool, wide: bool) -> float:
    """Adam's rate: less for few rows and for many, and for wide layers (Yang et al., Tensor Programs V, 2022)."""
    if n_rows < FEW_ROWS:
        return 0.001
    rate = 0.004 if labels else 0.006
    return rate if MORE_ROWS <= n_rows < MANY_ROWS and not wide else rate / 2


def _is_open(value: object) -> bool:
    return value == "auto" or isinstance(value, UsualOptimizer)
