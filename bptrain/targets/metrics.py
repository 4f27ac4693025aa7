"""The metrics: one table knows each one's direction and meaning; scikit-learn computes them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

PROBABILITY_FLOOR = float(np.finfo(np.float64).eps)  # log loss only: a certain and wrong answer costs 36, not infinity

Computed = Callable[[], Any]  # a metric, once it is called


@dataclass(frozen=True)
class Metric:
    """`higher_is_better` decides gates, comparisons and which epoch is best."""

    higher_is_better: bool
    meaning: str


METRICS: dict[str, Metric] = {
    "accuracy": Metric(True, "share of rows whose predicted label is right"),
    "balanced_accuracy": Metric(True, "mean over labels of the share of that label's rows predicted right"),
    "auc": Metric(True, "area under the ROC curve; multiclass: one-vs-rest, mean over labels"),
    "pr_auc": Metric(True, "average precision of the positive label"),
    "log_loss": Metric(False, "mean negative log of the probability given to the true label"),
    "brier": Metric(False, "mean squared error of the positive label's probability; multiclass: summed over labels"),
    "f1": Metric(True, "harmonic mean of precision and recall of the positive label; multiclass: mean over labels"),
    "rmse": Metric(False, "root mean squared error, in the target's units"),
    "mae": Metric(False, "mean absolute error, in the target's units"),
    "r2": Metric(True, "share of the target's variance that is explained (1 - MSE / variance)"),
    "median_absolute_error": Metric(False, "median of the absolute errors, in the target's units"),
}


def classification(
    truth: np.ndarray, predicted: np.ndarray, probabilities: np.ndarray, *, weight: np.ndarray
) -> dict[str, Computed]:
    """Accuracy, balanced accuracy and log loss of class codes.

    `truth` and `predicted` (n_rows,) hold codes, `probabilities` (n_rows, n_labels) one column per code.
    """
    from sklearn import metrics

    def balanced_accuracy() -> Any:
        return np.mean(
            metrics.recall_score(
                truth, predicted, labels=np.unique(truth), average=None, sample_weight=weight, zero_division=0
            )
        )

    def log_loss() -> Any:
        own = np.clip(probabilities[np.arange(len(truth)), truth], PROBABILITY_FLOOR, 1.0)
        return np.average(-np.log(own), weights=weight)

    return {
        "accuracy": lambda: metrics.accuracy_score(truth, predicted, sample_weight=weight),
        "balanced_accuracy": balanced_accuracy,
        "log_loss": log_loss,
    }


def per_label(
    truth: np.ndarray, predicted: np.ndarray, labels: Sequence[str], *, weight: np.ndarray
) -> dict[str, dict[str, float | int]]:
    """Rows, precision, recall and F1 of each label; 0 where a label was never predicted or never true."""
    from sklearn.metrics import precision_recall_fscore_support

    codes = np.arange(len(labels))
    measured = precision_recall_fscore_support(
        truth, predicted, labels=codes, sample_weight=weight, average=None, zero_division=0
    )
    counts = np.bincount(truth, minlength=len(labels))
    return {
        label: {
            "n": int(counts[code]),
            "precision": float(measured[0][code]),
            "recall": float(measured[1][code]),
            "f1": float(measured[2][code]),
        }
        for code, label in enumerate(labels)
    }


def regression(truth: np.ndarray, predicted: np.ndarray, *, weight: np.ndarray) -> dict[str, Computed]:
    """Errors of numbers (n_rows,), in their own units."""
    from sklearn import metrics

    weights = weight if np.ptp(weight) else None  # a weighted median sorts several arrays of this length
    return {
        "rmse": lambda: metrics.root_mean_squared_error(truth, predicted, sample_weight=weights),
        "mae": lambda: metrics.mean_absolute_error(truth, predicted, sample_weight=weights),
        "r2": lambda: metrics.r2_score(truth, predicted, sample_weight=weights) if len(truth) > 1 else math.nan,
        "median_absolute_error": lambda: metrics.median_absolute_error(truth, predicted, sample_weight=weights),
    }


def values(computed: Mapping[str, Computed], names: Sequence[str]) -> dict[str, float]:
    """Those of the `names`, in their order; no other is computed."""
    return {name: float(computed[name]()) for name in names}


def confusion(truth: np.ndarray, predicted: np.ndarray, n_labels: int) -> list[list[int]]:
    """Counts of rows: true code down, predicted code across."""
    counts = np.zeros((n_labels, n_labels), np.int64)
    np.add.at(counts, (truth, predicted), 1)
    table: list[list[int]] = counts.tolist()
    return table
