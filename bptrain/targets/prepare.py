"""All targets together: learned on training rows, applied to any rows, saved as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa

from bptrain.data.frame import Frame
from bptrain.errors import DataError, Problem
from bptrain.targets import tasks
from bptrain.targets.regression import prepare as regression
from bptrain.targets.regression.options import RegressionOptions
from bptrain.targets.state import Json, TargetState
from bptrain.targets.tasks import TargetOptions

Targets = Mapping[str, TargetState]  # by column, in the order of the config


def learn(frame: Frame, options: Mapping[str, TargetOptions], weight: np.ndarray | None = None) -> Targets:
    """What the training rows in `frame` teach about each target; `weight` (n_rows,) is how much each counts.

    Raises DataError with all problems at once.
    """
    weight = np.ones(frame.n_rows) if weight is None else weight
    states: dict[str, TargetState] = {}
    problems: list[Problem] = []
    for name, chosen in options.items():
        try:
            states[name] = tasks.prepare(chosen.task).learn(frame, name, chosen, weight)
        except DataError as error:
            problems.extend(error.problems)
    if problems:
        raise DataError(*problems)
    return states


def widened(targets: Targets, frame: Frame) -> Targets:
    """The targets with bounds of predictions that hold the values of `frame`, too."""
    return {
        name: regression.widened(state, frame, name) if isinstance(state, regression.RegressionState) else state
        for name, state in targets.items()
    }


def with_transforms(options: Mapping[str, TargetOptions], frame: Frame) -> dict[str, TargetOptions]:
    """The options with the transforms settled by the rows in `frame`. Raises DataError when a cell is no number."""
    return {
        name: regression.with_transform(frame, name, chosen) if isinstance(chosen, RegressionOptions) else chosen
        for name, chosen in options.items()
    }


def with_learned_transforms(options: Mapping[str, TargetOptions], targets: Targets) -> dict[str, TargetOptions]:
    """The options with the transforms that were taken."""
    return {
        name: chosen.model_copy(update={"transform": getattr(targets[name], "transform", "none")})
        if isinstance(chosen, RegressionOptions)
        else chosen
        for name, chosen in options.items()
    }


def written_back(options: Mapping[str, TargetOptions], targets: Targets) -> dict[str, TargetOptions]:
    """The options with what they left open as it was learned."""
    return {name: tasks.prepare(chosen.task).written_back(chosen, targets[name]) for name, chosen in options.items()}


def encode(targets: Targets, frame: Frame) -> list[np.ndarray]:
    """What the network is to give for the rows of `frame`: one array (n_rows, width) per target."""
    return [tasks.prepare(state.task).encode(state, frame, name) for name, state in targets.items()]


def row_bytes(targets: Targets) -> int:
    """Bytes of a row of what `encode` gives."""
    return 4 * sum(1 if state.labels else state.n_outputs for state in targets.values())


def row_weights(targets: Targets, encoded: Sequence[np.ndarray], weight: np.ndarray) -> list[np.ndarray]:
    """How much each row counts in training, one array (n_rows,) float32 per target: its weight times its class's.

    Divided by their mean, so that weights do not act as a larger learning rate.
    """
    return [_scaled(_of_class(state, truth) * weight) for state, truth in zip(targets.values(), encoded, strict=True)]


def _of_class(state: TargetState, truth: np.ndarray) -> np.ndarray:
    """The weight of each row's class (n_rows,); ones for numbers."""
    if not state.class_weights:
        return np.ones(len(truth))
    return np.asarray(state.class_weights)[truth[:, 0].astype(np.int64)]


def _scaled(weights: np.ndarray) -> np.ndarray:
    return np.asarray(weights / weights.mean(), np.float32)


def truths(targets: Targets, frame: Frame) -> dict[str, pa.Array]:
    """The target columns (n_rows,) as predictions.parquet holds them: labels as they were learned, numbers as float64.

    Raises DataError for a label that training rows never showed, whatever its spelling.
    """
    return {name: tasks.prepare(state.task).truth(state, frame, name) for name, state in targets.items()}


def save(targets: Targets) -> list[Json]:
    """A JSON value from which `load` makes the same targets in the same order."""
    return [{"name": name, "state": state.to_json()} for name, state in targets.items()]


def load(saved: list[Json]) -> Targets:
    """The targets that `save` wrote."""
    return {item["name"]: tasks.prepare(item["state"]["task"]).load(item["state"]) for item in saved}
