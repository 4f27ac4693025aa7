"""What validation rows choose once the network is trained: the temperature and the threshold of labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from bptrain.targets import tasks
from bptrain.targets.prepare import Targets
from bptrain.targets.tasks import TargetOptions


def tuned(
    targets: Targets,
    options: Mapping[str, TargetOptions],
    truths: Sequence[np.ndarray],
    outputs: Sequence[np.ndarray],
    weight: np.ndarray,
    *,
    metric: str,
    seed: int,
) -> Targets:
    """The targets with what is best for `metric` on validation rows.

    `truths` and `outputs` (n_rows, width) hold an array per target, what the network is to give and what it gives.
    """
    if not all(np.isfinite(output).all() for output in outputs):
        return targets
    return {
        name: tasks.measures(state.task).tune(state, options[name], truth, output, weight, metric=metric, seed=seed)
        for (name, state), truth, output in zip(targets.items(), truths, outputs, strict=True)
    }


def untuned(targets: Targets, options: Mapping[str, TargetOptions]) -> Targets:
    """The targets as before validation rows chose anything."""
    return {name: tasks.measures(state.task).untuned(state, options[name]) for name, state in targets.items()}


def tuned_as(targets: Targets, before: Targets) -> Targets:
    """The targets with what was chosen for other states of them."""
    return {name: tasks.measures(state.task).tune_as(state, before[name]) for name, state in targets.items()}
