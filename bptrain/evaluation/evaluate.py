"""Predictions as a table, and how good they are, per target and part, beside the trivial baseline.

A target's columns are `<target>.target`, `<target>.prediction` and, for labels, `<target>.probability.<label>`. In a
target's name `%` and `.` are written `%25` and `%2E`, so the first dot ends the name; a label stands last, as it is. So
no two columns have one name, whatever targets and labels are called, and none that belongs to a target is `row`,
`split`, `fold`, `weight` or `status`, which have no dot.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bptrain.evaluation.options import PARTS
from bptrain.runs.storage import Json
from bptrain.targets.preparer import Targets
from bptrain.targets.task import Decoded, TargetState
from bptrain.targets.tasks import TASKS

Report = dict[str, Json]
Part = TypeVar("Part")


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


# The table


def judging_part(splits: Mapping[str, Part]) -> Part:
    """What is said of the rows that judge: test rows, else those that chose the epoch, else training rows."""
    return splits[max(splits, key=PARTS.index)]


def column_name(target: str, what: str, label: str | None = None) -> str:
    """The column of a target that holds its `target`, its `prediction`, or the `probability` of a label."""
    name = f"{target.replace('%', '%25').replace('.', '%2E')}.{what}"
    return name if label is None else f"{name}.{label}"


def predicted_columns(targets: Targets, outputs: list[np.ndarray]) -> dict[str, pa.Array]:
    """The predictions and probabilities of each target, from its outputs (n_rows, n_outputs)."""
    columns: dict[str, pa.Array] = {}
    for (name, state), output in zip(targets.items(), outputs, strict=True):
        decoded = TASKS[state.task].decode(state, output)
        columns[column_name(name, "prediction")] = decoded.prediction
        for label, probability in decoded.probabilities.items():
            columns[column_name(name, "probability", label)] = pa.array(probability)
    return columns


def predictions_table(
    targets: Targets,
    outputs: list[np.ndarray],
    y_true: Mapping[str, pa.Array],
    rows: np.ndarray,
    weight: np.ndarray,
    split: list[str],
) -> pa.Table:
    """All rows that are evaluated: `row`, `split`, what each target is, `weight`, and what is predicted of it.

    Args:
        targets: by name.
        outputs: one array (n_rows, n_outputs) per target.
        y_true: by target, (n_rows,).
        rows: their numbers (n_rows,) over the input files.
        weight: how much each counts (n_rows,).
        split: the part of each, one of `PARTS`.
    """
    columns: dict[str, pa.Array] = {"row": pa.array(rows, pa.int64()), "split": pa.array(split, pa.string())}
    columns |= {column_name(name, "target"): y_true[name] for name in targets}
    columns["weight"] = pa.array(weight, pa.float64())
    return pa.table(columns | predicted_columns(targets, outputs))


def read_target(
    table: pa.Table, targets: Targets, name: str, rows: pa.ChunkedArray
) -> tuple[pa.Array, Decoded, np.ndarray]:
    """Of one target and the `rows` of a mask (n_rows,): y_true, what was predicted, and how much each row counts."""

    def cells(column: str) -> pa.Array:
        return table[column].filter(rows).combine_chunks()

    probabilities = {label: cells(column_name(name, "probability", label)).to_numpy() for label in targets[name].labels}
    predicted = Decoded(cells(column_name(name, "prediction")), probabilities)
    return cells(column_name(name, "target")), predicted, cells("weight").to_numpy()
