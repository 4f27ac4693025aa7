"""What validation rows choose of a target with labels: the temperature of probabilities, and the threshold of two.

Temperature: Guo, Pleiss, Sun & Weinberger, On Calibration of Modern Neural Networks, ICML 2017, section 4.2.
Both stay at their defaults where the gain is not more than chance (decisions Y1 and Y2).
"""

from __future__ import annotations

import numpy as np

from bptrain.utils import seeds

THRESHOLD = 0.5
THRESHOLD_METRICS = ("accuracy", "balanced_accuracy", "f1")  # those that depend on it
RESAMPLES = 100

TEMPERATURE = 1.0
LOWEST, HIGHEST = 0.25, 4.0
DECIMALS = 3


def choose_temperature(codes: np.ndarray, logits: np.ndarray, weight: np.ndarray) -> float:
    """The temperature with the least log loss on these rows; 1 unless the gain is more than chance.

    `codes` (n_rows,) int64 is y_true, `logits` (n_rows, n_labels) what the network gives, `weight` (n_rows,) how
    much each row counts. The gain over 1 has to exceed its standard error: that of the differences on these rows, and
    the one they would have if the probabilities at 1 were right, as few rows may show none of the rare mistakes.
    """
    from scipy.optimize import minimize_scalar
    from scipy.special import log_softmax

    rows, logits = np.arange(len(codes)), logits.astype(np.float64)

    def loss(log_temperature: float) -> float:
        return -float(weight @ log_softmax(logits / np.exp(log_temperature), axis=1)[rows, codes])

    best = minimize_scalar(loss, bounds=(np.log(LOWEST), np.log(HIGHEST)), method="bounded")
    temperature = round(float(np.exp(best.x)), DECIMALS)
    before = log_softmax(logits, axis=1)
    gains = log_softmax(logits / temperature, axis=1) - before
    gain = gains[rows, codes]
    observed = (gain - np.average(gain, weights=weight)) ** 2
    probability = np.exp(before)
    mean = (probability * gains).sum(axis=1, keepdims=True)
    expected = (probability * (gains - mean) ** 2).sum(axis=1)
    error = np.sqrt(max(weight**2 @ observed, weight**2 @ expected))
    return temperature if weight @ gain > error else TEMPERATURE


def choose_threshold(
    positive: np.ndarray, probability: np.ndarray, weight: np.ndarray, *, metric: str, seed: int
) -> float:
    """The threshold with the best `metric` on these rows; 0.5 unless the gain is more than chance.

    `positive` (n_rows,) bool is y_true, `probability` (n_rows,) that of the positive label, `weight` (n_rows,) how
    much each row counts; their order does not matter. On few rows the best threshold is mostly luck, so it is chosen
    in many bootstrap samples and judged on the rows that each left out (Efron & Tibshirani 1993, ch. 17): the result
    is the median of those choices, if their mean gain over 0.5 exceeds its standard error.
    """
    order = np.lexsort((weight, positive, -probability))
    positive, probability, weight = positive[order], probability[order], weight[order]
    random, n_rows = seeds.stream(seed, "threshold"), len(positive)
    chosen, gains = [], []
    for _ in range(RESAMPLES):
        times = np.bincount(random.integers(n_rows, size=n_rows), minlength=n_rows)
        thresholds, values = threshold_curve(positive, probability, weight * times, metric)
        best = float(thresholds[np.lexsort((np.abs(thresholds - THRESHOLD), -values))[0]])  # of equals, nearest to 0.5
        left_out = weight * (times == 0)
        scores = []
        for threshold in (best, THRESHOLD):
            called = probability >= threshold
            cells = [(positive, called), (~positive, called), (positive, ~called), (~positive, ~called)]
            scores.append(float(_score(metric, *(np.array(left_out[truth & call].sum()) for truth, call in cells))))
        chosen.append(best)
        gains.append(scores[0] - scores[1])
    error = np.std(gains) * np.exp(-0.5)  # a sample leaves out a share 1/e of the rows; all of them err less
    return float(np.median(chosen)) if np.mean(gains) > error else THRESHOLD


def threshold_curve(
    positive: np.ndarray, probability: np.ndarray, weight: np.ndarray, metric: str
) -> tuple[np.ndarray, np.ndarray]:
    """Thresholds halfway between neighbouring probabilities (k,), and the metric at each (k,).

    Of rows in the order of falling `probability`.
    """
    last = np.append(np.flatnonzero(np.diff(probability)), len(probability) - 1)  # of each probability
    tp = np.cumsum(weight * positive)[last]
    fp = np.cumsum(weight * ~positive)[last]
    above = probability[last]
    thresholds = (above + np.append(above[1:], 0.0)) / 2
    return thresholds, _score(metric, tp, fp, tp[-1] - tp, fp[-1] - fp)


def _score(metric: str, tp: np.ndarray, fp: np.ndarray, fn: np.ndarray, tn: np.ndarray) -> np.ndarray:
    """One of THRESHOLD_METRICS from weights of rows; 0 where it is not defined."""
    if metric == "accuracy":
        return _ratio(tp + tn, tp + fp + fn + tn)
    if metric == "f1":
        return _ratio(2 * tp, 2 * tp + fp + fn)
    n_labels = ((tp + fn) > 0).astype(np.float64) + ((tn + fp) > 0)
    return _ratio(_ratio(tp, tp + fn) + _ratio(tn, tn + fp), n_labels)


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    quotient: np.ndarray = np.divide(part, whole, out=np.zeros_like(whole, np.float64), where=whole > 0)
    return quotient
