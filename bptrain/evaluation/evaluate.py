"""How good the predictions are, per target and split, beside the trivial baseline. Needs no network."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bptrain.evaluation.predictions import OUT_OF_FOLD, decoded_of, prefix
from bptrain.targets import tasks
from bptrain.targets.labels import codes_of
from bptrain.targets.metrics import per_label
from bptrain.targets.state import Decoded, TargetState

SPLITS = ("train", OUT_OF_FOLD, "validation", "test")
Report = dict[str, Any]


def judge(table: pa.Table, targets: Mapping[str, TargetState]) -> Report:
    """The `targets` part of metrics.json for a table of predictions."""
    present = set(pc.unique(table["split"]).to_pylist())
    return {
        name: {
            "task": state.task,
            "labels": list(state.labels),
            "positive": state.positive,
            "threshold": getattr(state, "threshold", None),
            "temperature": getattr(state, "temperature", None),
            "transform": getattr(state, "transform", None),
            "splits": {split: _judge_split(table, targets, name, split) for split in SPLITS if split in present},
        }
        for name, state in targets.items()
    }


def score(state: TargetState, truth: pa.Array, outputs: np.ndarray, metric: str, *, weight: np.ndarray) -> float:
    """One metric of one target's outputs (n_rows, n_outputs), rows counted by `weight` (n_rows,)."""
    predicted = tasks.measures(state.task).decode(state, outputs)
    return _measure(state, truth, predicted, weight, [metric])[metric]


def _judge_split(table: pa.Table, targets: Mapping[str, TargetState], name: str, split: str) -> Report:
    state, chosen = targets[name], pc.equal(table["split"], split)

    def column(name: str) -> pa.Array:
        return table[name].filter(chosen).combine_chunks()

    truth = column(f"{prefix(targets, name)}target")
    weight = column("weight").to_numpy()
    measures = tasks.measures(state.task)
    predicted = decoded_of(column, targets, name)
    baseline = measures.baseline(state, len(truth))
    return {
        "n": len(truth),
        "weight": float(weight.sum()),
        "metrics": {metric: {"value": value} for metric, value in _measured(state, truth, predicted, weight).items()},
        "baselines": {"trivial": _measured(state, truth, baseline, weight)},
        "confusion": measures.confusion(state, truth, predicted),
        "per_label": _per_label(state, truth, predicted, weight),
    }


def _per_label(state: TargetState, truth: pa.Array, predicted: Decoded, weight: np.ndarray) -> Report | None:
    """Precision, recall and F1 of each label; None for numbers."""
    if not state.labels:
        return None
    codes = codes_of(pa.chunked_array([truth]), state.labels)
    chosen = codes_of(pa.chunked_array([predicted.prediction]), state.labels)
    return per_label(codes, chosen, state.labels, weight=weight)


def _measured(state: TargetState, truth: pa.Array, predicted: Decoded, weight: np.ndarray) -> dict[str, float | None]:
    """The metrics, null where one is not defined for these rows (an AUC of one label)."""
    values = _measure(state, truth, predicted, weight, tasks.measures(state.task).METRICS)
    return {metric: value if math.isfinite(value) else None for metric, value in values.items()}


def _measure(
    state: TargetState, truth: pa.Array, predicted: Decoded, weight: np.ndarray, names: Sequence[str]
) -> dict[str, float]:
    """The metrics of these names; all NaN when a prediction is no finite number, as after training that diverged."""
    measures = tasks.measures(state.task)
    numbers = [*predicted.probabilities.values()]
    if pa.types.is_floating(predicted.prediction.type):
        numbers.append(predicted.prediction.to_numpy(zero_copy_only=False))
    if not all(np.isfinite(values).all() for values in numbers):
        return dict.fromkeys(names, math.nan)
    return measures.measure(state, *_counting(truth, predicted, weight), names)


def _counting(truth: pa.Array, predicted: Decoded, weight: np.ndarray) -> tuple[pa.Array, Decoded, np.ndarray]:
    """The rows that have a weight: without one, a label counts for nothing, also where labels are averaged."""
    if weight.all():
        return truth, predicted, weight
    rows = np.flatnonzero(weight)
    probabilities = {label: values[rows] for label, values in predicted.probabilities.items()}
    chosen = pa.array(rows)
    return truth.take(chosen), Decoded(predicted.prediction.take(chosen), probabilities), weight[rows]
