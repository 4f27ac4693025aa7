"""The probability from which a row is called positive, chosen on validation rows for metrics that depend on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bptrain.utils import seeds

DEFAULT = 0.5
RESAMPLES = 100


def _accuracy(tp: np.ndarray, fp: np.ndarray, fn: np.ndarray, tn: np.ndarray) -> np.ndarray:
    return _share(tp + tn, tp + fp + fn + tn)


def _balanced_accuracy(tp: np.ndarray, fp: np.ndarray, fn: np.ndarray, tn: np.ndarray) -> np.ndarray:
    n_labels = ((tp + fn) > 0).astype(np.float64) + ((tn + fp) > 0)
    return _share(_share(tp, tp + fn) + _share(tn, tn + fp), n_labels)


def _f1(tp: np.ndarray, fp: np.ndarray, fn: np.ndarray, tn: np.ndarray) -> np.ndarray:
    return _share(2 * tp, 2 * tp + fp + fn)


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    quotient: np.ndarray = np.divide(part, whole, out=np.zeros_like(whole, np.float64), where=whole > 0)
    return quotient


METRICS: dict[str, Callable[[np.ndarray, np.ndarray, np.ndarray, np.ndarray], np.ndarray]] = {
    "accuracy": _accuracy,
    "balanced_accuracy": _balanced_accuracy,
    "f1": _f1,
}


def choose_threshold(
    positive: np.ndarray, probability: np.ndarray, weight: np.ndarray, *, metric: str, seed: int
) -> float:
    """The threshold with the best `metric` on these rows; 0.5 unless the gain is more than chance.

    `positive` (n_rows,) bool is the truth, `probability` (n_rows,) that of the positive label, `weight` (n_rows,) how
    much each row counts; their order does not matter. On few rows the best threshold is mostly luck, so it is chosen
    in many bootstrap samples and judged on the rows that each left out (Efron & Tibshirani 1993, ch. 17): the result
    is the median of those choices, if their mean gain over 0.5 exceeds its standard error.
    """
    order = np.lexsort((weight, positive, -probability))
    rows = Rows(positive[order], probability[order], weight[order])
    random = seeds.stream(seed, "threshold")
    draws = [_draw(rows, metric, random) for _ in range(RESAMPLES)]
    gains = np.array([gain for _, gain in draws])
    error = gains.std() * np.exp(-0.5)  # a sample leaves out a share 1/e of the rows; all of them err less
    return float(np.median([threshold for threshold, _ in draws])) if gains.mean() > error else DEFAULT


@dataclass(frozen=True)
class Rows:
    """Truth, probability and weight (n_rows,) of rows in the order of falling probability."""

    positive: np.ndarray
    probability: np.ndarray
    weight: np.ndarray


def curve(rows: Rows, metric: str) -> tuple[np.ndarray, np.ndarray]:
    """Thresholds halfway between neighbouring probabilities (k,), and the metric at each (k,)."""
    last = np.append(np.flatnonzero(np.diff(rows.probability)), len(rows.probability) - 1)  # of each probability
    tp = np.cumsum(rows.weight * rows.positive)[last]
    fp = np.cumsum(rows.weight * ~rows.positive)[last]
    above = rows.probability[last]
    thresholds = (above + np.append(above[1:], 0.0)) / 2
    return thresholds, METRICS[metric](tp, fp, tp[-1] - tp, fp[-1] - fp)


def _draw(rows: Rows, metric: str, random: np.random.Generator) -> tuple[float, float]:
    """The best threshold of a bootstrap sample, the one nearest to 0.5 of equals, and its gain on the rows left out."""
    n_rows = len(rows.positive)
    times = np.bincount(random.integers(n_rows, size=n_rows), minlength=n_rows)
    thresholds, values = curve(Rows(rows.positive, rows.probability, rows.weight * times), metric)
    best = float(thresholds[np.lexsort((np.abs(thresholds - DEFAULT), -values))[0]])
    left_out = Rows(rows.positive, rows.probability, rows.weight * (times == 0))
    return best, _measured(left_out, best, metric) - _measured(left_out, DEFAULT, metric)


def _measured(rows: Rows, threshold: float, metric: str) -> float:
    called = rows.probability >= threshold
    cells = [(rows.positive, called), (~rows.positive, called), (rows.positive, ~called), (~rows.positive, ~called)]
    return float(METRICS[metric](*(np.array(rows.weight[a & b].sum()) for a, b in cells)))
