"""What k folds tell about a metric: its mean, and an interval that knows that the folds share their training rows."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from bptrain.runs.storage import Json
from bptrain.targets.metrics import METRICS

LEVEL = 0.95
Report = Mapping[str, Json]


def summarize(reports: Sequence[Report], *, n_trained: Sequence[int], n_judged: Sequence[int]) -> dict[str, Json]:
    """The `cross_validation` part of metrics.json.

    Args:
        reports: the `targets` part of metrics.json of each fold, whose test rows are the fold.
        n_trained: the rows that trained each.
        n_judged: the rows that judged each.

    Returns:
        Per target and metric `value` (the mean over folds), `low`, `high`, and `folds`, the value of each; the first
        three are null where a fold has no value of the metric, as an AUC of one label.
    """
    share = float(np.mean(np.asarray(n_judged) / np.asarray(n_trained)))
    targets: dict[str, dict[str, Json]] = {name: {} for name in reports[0]}
    for name, metrics in targets.items():
        of_folds = [report[name]["splits"]["test"]["metrics"] for report in reports]
        for metric in (metric for metric in METRICS if metric in of_folds[0]):
            values = [of_fold[metric]["value"] for of_fold in of_folds]
            metrics[metric] = {"value": None, "low": None, "high": None, "folds": values}
            if None not in values:
                low, high = corrected_interval(values, share)
                low, high = max(low, METRICS[metric].lowest), min(high, METRICS[metric].highest)
                metrics[metric] |= {"value": float(np.mean(values)), "low": low, "high": high}
    return {"folds": len(reports), "level": LEVEL, "targets": targets}


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
