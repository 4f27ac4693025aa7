"""`bptrain check`: what can be found out about a config and its table without training."""

from __future__ import annotations

from bptrain.config.schema import Config
from bptrain.data.files import AllowedPaths
from bptrain.errors import Problem
from bptrain.features.inference import Kinds
from bptrain.fitting.dataset import check_dataset, load_dataset
from bptrain.fitting.warm_start import open_base_run


def check(config: Config, roots: AllowedPaths) -> tuple[Config, Kinds, list[Problem]]:
    """Find problems of a config and its data, without TensorFlow.

    Kinds are inferred from all rows of the training files, as no split is made.

    Returns:
        The config as far as it is settled then, the kind of each column and why, and warnings.

    Raises:
        UsageError, DataError, RunError: as `fit` would before it trains.
    """
    base_run = open_base_run(config.model.from_run, roots) if config.model.from_run else None
    return check_dataset(load_dataset(config, roots, base_run=base_run))
