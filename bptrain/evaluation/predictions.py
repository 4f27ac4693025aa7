"""Predictions as a table: what predictions.parquet holds and what judging reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from bptrain.targets import tasks
from bptrain.targets.state import Decoded, TargetState

Truths = Mapping[str, pa.Array]
OUT_OF_FOLD = "out_of_fold"  # the part of rows that trained, each predicted by the network that left it out


def judging_part(splits: Mapping[str, Any]) -> Any:
    """What is said of the rows that judge: test rows, else those that chose the epoch, else training rows."""
    return next(splits[part] for part in ("test", "validation", OUT_OF_FOLD, "train") if part in splits)


def prefix(targets: Mapping[str, TargetState], name: str) -> str:
    """What stands before a target's columns: nothing for the only target, else `name.`."""
    return "" if len(targets) == 1 else f"{name}."


def predicted_columns(targets: Mapping[str, TargetState], outputs: list[np.ndarray]) -> dict[str, pa.Array]:
    """Columns `prediction` and `probability_<label>` of each target, from its outputs (n_rows, n_outputs)."""
    columns: dict[str, pa.Array] = {}
    for (name, state), output in zip(targets.items(), outputs, strict=True):
        decoded = tasks.measures(state.task).decode(state, output)
        columns |= _decoded_columns(prefix(targets, name), decoded)
    return columns


def predictions_table(
    targets: Mapping[str, TargetState],
    outputs: list[np.ndarray],
    truths: Truths,
    rows: np.ndarray,
    weight: np.ndarray,
    split: list[str],
) -> pa.Table:
    """All judged rows: `row`, `split`, `target`, `weight`, `prediction`, `probability_<label>`.

    `rows` (n_rows,) are row numbers over the input files, `weight` (n_rows,) how much each counts, `split` its part.
    """
    columns: dict[str, pa.Array] = {"row": pa.array(rows, pa.int64()), "split": pa.array(split, pa.string())}
    for name in targets:
        columns[f"{prefix(targets, name)}target"] = truths[name]
    columns["weight"] = pa.array(weight, pa.float64())
    columns |= predicted_columns(targets, outputs)
    return pa.table(columns)


def decoded_of(column: Callable[[str], pa.Array], targets: Mapping[str, TargetState], name: str) -> Decoded:
    """The predictions of one target, read back from the columns of the table."""
    start = prefix(targets, name)
    return Decoded(
        column(f"{start}prediction"),
        {label: column(f"{start}probability_{label}").to_numpy() for label in targets[name].labels},
    )


def _decoded_columns(start: str, decoded: Decoded) -> dict[str, pa.Array]:
    columns = {f"{start}prediction": decoded.prediction}
    for label, probability in decoded.probabilities.items():
        columns[f"{start}probability_{label}"] = pa.array(probability)
    return columns
