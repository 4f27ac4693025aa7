"""Optimizers by name; the arithmetic is Keras'."""

from __future__ import annotations

from typing import Any

import keras

from bptrain.training.options import AdamOptions, OptimizerOptions, RmspropOptions, SgdOptions


def optimizer(options: OptimizerOptions) -> Any:
    """The Keras optimizer that the config describes.

    SGD with momentum: Polyak 1964; RMSprop: Tieleman & Hinton 2012; Adam: Kingma & Ba 2015, algorithm 1.
    """
    settings = options.model_dump(exclude={"kind"})
    match options:
        case SgdOptions():
            return keras.optimizers.SGD(**settings)
        case RmspropOptions():
            return keras.optimizers.RMSprop(**settings)
        case AdamOptions():
            return keras.optimizers.Adam(**settings)
