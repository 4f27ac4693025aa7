"""Regression target: from outputs to the target's own units, and how good they are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from bptrain.targets import metrics
from bptrain.targets.regression.prepare import RegressionState
from bptrain.targets.state import Decoded

METRICS = ("rmse", "mae", "r2", "median_absolute_error")


def decode(state: RegressionState, outputs: np.ndarray) -> Decoded:
    """Values in the target's own units of outputs (n_rows, 1)."""
    numbers = outputs[:, 0].astype(np.float64)
    with np.errstate(over="ignore"):  # infinite after training that diverged
        numbers = np.exp(numbers) if state.link == "log" else numbers
        numbers = numbers * state.scale + state.mean
        if state.transform == "log":
            numbers = np.maximum(np.exp(numbers) - state.offset, 0.0)
    if state.lowest is not None:
        numbers = np.clip(numbers, state.lowest, state.highest)
    return Decoded(pa.array(numbers))


def tune(state: RegressionState, *_: object, **__: object) -> RegressionState:
    """Nothing is left to choose."""
    return state


def untuned(state: RegressionState, options: object) -> RegressionState:
    """Nothing was chosen."""
    return state


def tune_as(state: RegressionState, before: RegressionState) -> RegressionState:
    """Nothing was left to choose."""
    return state


def baseline(state: RegressionState, n_rows: int) -> Decoded:
    """The best constant of the training rows for the loss: the median for `mae`, the quantile, else the mean."""
    return Decoded(pa.array(np.full(n_rows, state.constant)))


def measure(
    state: RegressionState, truth: pa.Array, predicted: Decoded, weight: np.ndarray, names: Sequence[str]
) -> dict[str, float]:
    """The metrics of these names; `truth` (n_rows,) holds numbers."""
    return metrics.values(metrics.regression(truth.to_numpy(), predicted.prediction.to_numpy(), weight=weight), names)


def confusion(state: RegressionState, truth: pa.Array, predicted: Decoded) -> None:
    """Numbers have no confusion table."""
