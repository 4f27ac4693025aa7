"""The metrics: one table, and below it where each is computed. A new metric is a line there and a `case` below.

scikit-learn computes nearly all; it is imported when a metric is asked for, as it takes a second.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

PROBABILITY_FLOOR = float(np.finfo(np.float64).eps)  # log loss only: a certain and wrong answer costs 36, not infinity
LABELS, NUMBERS = ("binary", "multiclass"), ("regression",)


@dataclass(frozen=True)
class Metric:
    """What is known of a metric.

    Args:
        higher_is_better: decides gates, comparisons and which epoch is best.
        meaning: for docs/reference.md.
        tasks: the tasks that have it.
        lowest: its bounds, which an interval does not leave.
        highest: as `lowest`.
    """

    higher_is_better: bool
    meaning: str
    tasks: tuple[str, ...]
    lowest: float = 0.0
    highest: float = 1.0


METRICS: dict[str, Metric] = {
    "accuracy": Metric(True, "share of rows whose predicted label is right", LABELS),
    "balanced_accuracy": Metric(True, "mean over labels of the share of that label's rows predicted right", LABELS),
    "auc": Metric(True, "area under the ROC curve; multiclass: one-vs-rest, mean over labels", LABELS),
    "pr_auc": Metric(True, "average precision of the positive label", ("binary",)),
    "log_loss": Metric(False, "mean negative log of the probability given to the true label", LABELS, highest=math.inf),
    "brier": Metric(
        False,
        "mean squared error of the positive label's probability; multiclass: summed over labels",
        LABELS,
        highest=2.0,
    ),
    "f1": Metric(
        True, "harmonic mean of precision and recall of the positive label; multiclass: mean over labels", LABELS
    ),
    "rmse": Metric(False, "root mean squared error, in the target's units", NUMBERS, highest=math.inf),
    "mae": Metric(False, "mean absolute error, in the target's units", NUMBERS, highest=math.inf),
    "r2": Metric(
        True, "share of the target's variance that is explained (1 - MSE / variance)", NUMBERS, lowest=-math.inf
    ),
    "median_absolute_error": Metric(
        False, "median of the absolute errors, in the target's units", NUMBERS, highest=math.inf
    ),
}


def label_metric(
    name: str, y_true: np.ndarray, y_pred: np.ndarray, probabilities: np.ndarray, weight: np.ndarray, *, binary: bool
) -> float:
    """A metric of predicted labels; NaN where the rows do not show the labels that it needs.

    Args:
        name: a key of `METRICS` that LABELS have.
        y_true: codes (n_rows,) of the true labels.
        y_pred: codes (n_rows,) of the predicted ones.
        probabilities: (n_rows, n_labels), a column per code.
        weight: (n_rows,), how much each row counts.
        binary: whether label 1 is the positive one, instead of all being alike.
    """
    from sklearn import metrics

    present, positive = np.unique(y_true), probabilities[:, 1]
    if len(present) < 2 and name in ("auc", "pr_auc"):
        return math.nan
    match name:
        case "accuracy":
            value = metrics.accuracy_score(y_true, y_pred, sample_weight=weight)
        case "balanced_accuracy":
            value = np.mean(
                metrics.recall_score(
                    y_true, y_pred, labels=present, average=None, sample_weight=weight, zero_division=0
                )
            )
        case "auc" if binary:
            value = metrics.roc_auc_score(y_true, positive, sample_weight=weight)
        case "auc":
            value = np.mean(
                [
                    metrics.roc_auc_score(y_true == code, probabilities[:, code], sample_weight=weight)
                    for code in present
                ]
            )
        case "pr_auc":
            value = metrics.average_precision_score(y_true, positive, sample_weight=weight)
        case "log_loss":
            of_true_label = probabilities[np.arange(len(y_true)), y_true]
            value = np.average(-np.log(np.clip(of_true_label, PROBABILITY_FLOOR, 1.0)), weights=weight)
        case "brier" if binary:
            value = np.average((positive - y_true) ** 2, weights=weight)
        case "brier":
            one_hot = np.eye(probabilities.shape[1])[y_true]
            value = np.average(((probabilities - one_hot) ** 2).sum(axis=1), weights=weight)
        case "f1":
            average = "binary" if binary else "macro"
            value = metrics.f1_score(y_true, y_pred, average=average, sample_weight=weight, zero_division=0)
        case _:
            raise KeyError(name)
    return float(value)


def number_metric(name: str, y_true: np.ndarray, y_pred: np.ndarray, weight: np.ndarray) -> float:
    """A metric of predicted numbers (n_rows,), in their own units; NaN where one row is too few."""
    from sklearn import metrics

    weights = weight if np.ptp(weight) else None  # a weighted median sorts several arrays of this length
    match name:
        case "rmse":
            value = metrics.root_mean_squared_error(y_true, y_pred, sample_weight=weights)
        case "mae":
            value = metrics.mean_absolute_error(y_true, y_pred, sample_weight=weights)
        case "r2":
            value = metrics.r2_score(y_true, y_pred, sample_weight=weights) if len(y_true) > 1 else math.nan
        case "median_absolute_error":
            value = metrics.median_absolute_error(y_true, y_pred, sample_weight=weights)
        case _:
            raise KeyError(name)
    return float(value)
