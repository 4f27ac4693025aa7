"""All targets together: learned on training rows, applied to any rows, saved as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa

from bptrain.data.frame import Frame
from bptrain.errors import DataError, Problem
from bptrain.targets.target_options import TargetOptions, TaskOptions, with_tasks
from bptrain.targets.task import Json, TargetState
from bptrain.targets.tasks import TASKS

Targets = Mapping[str, TargetState]  # by column, in the order of the config


def learn(frame: Frame, options: Mapping[str, TargetOptions], weight: np.ndarray | None = None) -> Targets:
    """What the training rows in `frame` teach about each target; `weight` (n_rows,) is how much each counts.

    Raises DataError with all problems at once.
    """
    weight = np.ones(frame.n_rows) if weight is None else weight
    states: dict[str, TargetState] = {}
    problems: list[Problem] = []
    for name, chosen in with_tasks(options).items():
        try:
            states[name] = TASKS[chosen.task].learn(frame, name, chosen, weight)
        except DataError as error:
            problems.extend(error.problems)
    if problems:
        raise DataError(*problems)
    return states


def resolve(options: Mapping[str, TargetOptions], frame: Frame) -> dict[str, TaskOptions]:
    """The options with what the training rows in `frame` settle before anything is learned: transforms.

    Raises DataError when a cell is no number.
    """
    return {name: TASKS[chosen.task].resolve(chosen, frame, name) for name, chosen in with_tasks(options).items()}


def learned_options(options: Mapping[str, TargetOptions], targets: Targets) -> dict[str, TaskOptions]:
    """The options with all that they left open as it was learned."""
    return {
        name: TASKS[chosen.task].learned_options(chosen, targets[name]) for name, chosen in with_tasks(options).items()
    }


def written_options(options: Mapping[str, TargetOptions], targets: Targets) -> dict[str, TaskOptions]:
    """The options for config.yaml: as learned, but open where each training is to settle it anew."""
    return {
        name: TASKS[chosen.task].written_options(chosen, targets[name]) for name, chosen in with_tasks(options).items()
    }


def extend_range(targets: Targets, frame: Frame) -> Targets:
    """The targets of a run to start from, with bounds of predictions that hold the values of `frame`, too."""
    return {name: TASKS[state.task].extend_range(state, frame, name) for name, state in targets.items()}


def encode(targets: Targets, frame: Frame) -> list[np.ndarray]:
    """What the network is to give for the rows of `frame`: one array (n_rows, width) per target."""
    return [TASKS[state.task].encode(state, frame, name) for name, state in targets.items()]


def y_true(targets: Targets, frame: Frame) -> dict[str, pa.Array]:
    """The target columns (n_rows,) as predictions.parquet holds them: labels as they were learned, numbers as float64.

    Raises DataError for a label that training rows never showed, whatever its spelling.
    """
    return {name: TASKS[state.task].y_true(state, frame, name) for name, state in targets.items()}


def row_bytes(targets: Targets) -> int:
    """Bytes of a row of what `encode` gives."""
    return 4 * sum(1 if state.labels else state.n_outputs for state in targets.values())


def row_weights(targets: Targets, encoded: Sequence[np.ndarray], weight: np.ndarray) -> list[np.ndarray]:
    """How much each row counts in training, one array (n_rows,) float32 per target: its weight times its class's.

    Divided by their mean, so that weights do not act as a larger learning rate.
    """
    weights = []
    for state, codes in zip(targets.values(), encoded, strict=True):
        of_class = np.asarray(state.class_weights)[codes[:, 0].astype(np.int64)] if state.class_weights else 1.0
        product = of_class * weight
        weights.append(np.asarray(product / product.mean(), np.float32))
    return weights


def calibrate(
    targets: Targets,
    encoded: Sequence[np.ndarray],
    outputs: Sequence[np.ndarray],
    weight: np.ndarray,
    *,
    metric: str,
    seed: int,
) -> Targets:
    """The targets with what is best for `metric` on validation rows; see `Task.calibrate`.

    `encoded` and `outputs` (n_rows, width) hold an array per target, what the network is to give and what it gives.
    """
    if not all(np.isfinite(output).all() for output in outputs):  # training diverged
        return targets
    return {
        name: TASKS[state.task].calibrate(state, codes, output, weight, metric=metric, seed=seed)
        for (name, state), codes, output in zip(targets.items(), encoded, outputs, strict=True)
    }


def reset_calibration(targets: Targets) -> Targets:
    """The targets as before validation rows chose anything."""
    return {name: TASKS[state.task].reset_calibration(state) for name, state in targets.items()}


def copy_calibration(targets: Targets, source: Targets) -> Targets:
    """The targets with what was chosen for other states of them."""
    return {name: TASKS[state.task].copy_calibration(state, source[name]) for name, state in targets.items()}


def save(targets: Targets) -> list[Json]:
    """A JSON value from which `load` makes the same targets in the same order."""
    return [{"name": name, "state": state.to_json()} for name, state in targets.items()]


def load(saved: list[Json]) -> Targets:
    """The targets that `save` wrote."""
    return {item["name"]: TASKS[item["state"]["task"]].load(item["state"]) for item in saved}
