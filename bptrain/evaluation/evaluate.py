"""How good the predictions are, per target and part, beside the trivial baseline. Needs no network."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bptrain.evaluation.predictions import PARTS, read_target
from bptrain.targets.preparer import Targets
from bptrain.targets.task import Decoded, TargetState
from bptrain.targets.tasks import TASKS

Report = dict[str, Any]  # JSON


def evaluate_predictions(table: pa.Table, targets: Targets) -> Report:
    """The `targets` part of metrics.json for a table of predictions."""
    present = set(pc.unique(table["split"]).to_pylist())
    report: Report = {
        name: {"task": state.task, "labels": list(state.labels), **state.report(), "splits": {}}
        for name, state in targets.items()
    }
    for part in (part for part in PARTS if part in present):
        rows = pc.equal(table["split"], part)
        for name, state in targets.items():
            task = TASKS[state.task]
            y_true, predicted, weight = read_target(table, targets, name, rows)
            metrics, baseline = (
                {
                    metric: value if math.isfinite(value) else None  # not defined for these rows: an AUC of one label
                    for metric, value in measure(state, y_true, decoded, weight, task.metrics).items()
                }
                for decoded in (predicted, task.baseline(state, len(y_true)))
            )
            report[name]["splits"][part] = {
                "n": len(y_true),
                "weight": float(weight.sum()),
                "metrics": {metric: {"value": value} for metric, value in metrics.items()},
                "baselines": {"trivial": baseline},
                **task.label_tables(state, y_true, predicted, weight),
            }
    return report


def score(state: TargetState, y_true: pa.Array, outputs: np.ndarray, metric: str, *, weight: np.ndarray) -> float:
    """One metric of one target's outputs (n_rows, n_outputs), rows counted by `weight` (n_rows,)."""
    predicted = TASKS[state.task].decode(state, outputs)
    return measure(state, y_true, predicted, weight, [metric])[metric]


def measure(
    state: TargetState, y_true: pa.Array, predicted: Decoded, weight: np.ndarray, names: Sequence[str]
) -> dict[str, float]:
    """The metrics of these names; all NaN when a prediction is no finite number, as after training that diverged.

    Rows without weight are left out: their labels count for nothing, also where labels are averaged.
    """
    numbers = [*predicted.probabilities.values()]
    if pa.types.is_floating(predicted.prediction.type):
        numbers.append(predicted.prediction.to_numpy(zero_copy_only=False))
    if not all(np.isfinite(values).all() for values in numbers):
        return dict.fromkeys(names, math.nan)
    if not weight.all():
        rows = np.flatnonzero(weight)
        probabilities = {label: values[rows] for label, values in predicted.probabilities.items()}
        predicted = Decoded(predicted.prediction.take(pa.array(rows)), probabilities)
        y_true, weight = y_true.take(pa.array(rows)), weight[rows]
    return TASKS[state.task].measure(state, y_true, predicted, weight, names)
