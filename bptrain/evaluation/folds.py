"""What k folds tell about a metric: its mean, and an interval that knows that the folds share their training rows."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from bptrain.targets.metrics import METRICS

LEVEL = 0.95
Report = Mapping[str, Any]
BOUNDS = {"rmse": (0.0, math.inf), "mae": (0.0, math.inf), "median_absolute_error": (0.0, math.inf)} | {
    "log_loss": (0.0, math.inf),
    "brier": (0.0, 2.0),  # summed over labels
    "r2": (-math.inf, 1.0),
}


def summarise(reports: Sequence[Report], *, trained: Sequence[int], judged: Sequence[int]) -> dict[str, Any]:
    """Per target and metric: `value` (the mean over folds), `low`, `high`, and `folds`, the value of each.

    `reports` are the `targets` parts of metrics.json, one per fold, whose test rows are the fold; `trained` and
    `judged` count the rows that trained and judged each.
    """
    share = float(np.mean(np.asarray(judged) / np.asarray(trained)))
    return {
        "folds": len(reports),
        "level": LEVEL,
        "targets": {
            name: {
                metric: _summary(
                    metric, [report[name]["splits"]["test"]["metrics"][metric]["value"] for report in reports], share
                )
                for metric in METRICS
                if metric in first["splits"]["test"]["metrics"]
            }
            for name, first in reports[0].items()
        },
    }


def corrected_interval(values: Sequence[float], share: float, *, level: float = LEVEL) -> tuple[float, float]:
    """The interval of a metric's expected value from its values on k folds.

    Training rows that folds share make the folds' values dependent, so the variance of their mean is taken as
    (1/k + n_judged/n_trained) s^2 instead of s^2/k, with Student's t of k - 1 degrees of freedom: Nadeau & Bengio,
    Inference for the Generalization Error, Machine Learning 52 (2003), eq. 9. `share` is n_judged/n_trained.
    """
    from scipy.stats import t

    k = len(values)
    spread = float(np.std(values, ddof=1)) * math.sqrt(1 / k + share)
    margin = float(t.ppf((1 + level) / 2, k - 1)) * spread
    return float(np.mean(values)) - margin, float(np.mean(values)) + margin


def _summary(metric: str, values: Sequence[float | None], share: float) -> dict[str, Any]:
    """None where a fold has no value of the metric, as an AUC of one label."""
    known = [value for value in values if value is not None]
    if len(known) < len(values):
        return {"value": None, "low": None, "high": None, "folds": list(values)}
    low, high = corrected_interval(known, share)
    lowest, highest = BOUNDS.get(metric, (0.0, 1.0))
    return {"value": float(np.mean(known)), "low": max(low, lowest), "high": min(high, highest), "folds": list(values)}
