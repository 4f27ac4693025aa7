"""Binary target: from outputs to labels and probabilities, and how good they are."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa

from bptrain.targets import metrics
from bptrain.targets.binary import threshold
from bptrain.targets.binary.options import BinaryOptions
from bptrain.targets.binary.prepare import BinaryState
from bptrain.targets.labels import codes_of, take_labels
from bptrain.targets.state import Decoded
from bptrain.targets.temperature import choose_temperature, untuned_temperature

METRICS = ("accuracy", "balanced_accuracy", "auc", "pr_auc", "log_loss", "brier", "f1")


def decode(state: BinaryState, outputs: np.ndarray) -> Decoded:
    """Labels and probabilities of logits (n_rows, 1): the logistic function of them by temperature, in float64."""
    logits = outputs[:, 0].astype(np.float64) / state.temperature
    with np.errstate(invalid="ignore"):  # NaN stays NaN, after training that diverged
        return _decoded(state, np.exp(-np.logaddexp(0.0, -logits)))


def tune(
    state: BinaryState,
    options: BinaryOptions,
    truth: np.ndarray,
    outputs: np.ndarray,
    weight: np.ndarray,
    *,
    metric: str,
    seed: int,
) -> BinaryState:
    """The state with the temperature that is best here, if it is `auto`, and so the threshold that `metric` depends on.

    With class weights no temperature, and no threshold for accuracy: the best would take back what they say.
    """
    state = untuned(state, options)
    if options.temperature == "auto" and options.class_weights == "none":
        codes, logits = truth[:, 0].astype(np.int64), np.pad(outputs, ((0, 0), (1, 0)))
        state = replace(state, temperature=choose_temperature(codes, logits, weight))
    taken_back = metric == "accuracy" and options.class_weights != "none"
    if options.threshold != "auto" or metric not in threshold.METRICS or taken_back:
        return state
    probability = decode(state, outputs).probabilities[state.positive]
    chosen = threshold.choose_threshold(truth[:, 0] > 0, probability, weight, metric=metric, seed=seed)
    return replace(state, threshold=chosen)


def untuned(state: BinaryState, options: BinaryOptions) -> BinaryState:
    """The state with the temperature and the threshold of the options, 1 and 0.5 where they are to be chosen."""
    return replace(
        state,
        threshold=threshold.DEFAULT if options.threshold == "auto" else options.threshold,
        temperature=untuned_temperature(options.temperature),
    )


def tune_as(state: BinaryState, before: BinaryState) -> BinaryState:
    """The state with the temperature and the threshold of `before`."""
    return replace(state, threshold=before.threshold, temperature=before.temperature)


def baseline(state: BinaryState, n_rows: int) -> Decoded:
    """The positive share of the training rows, for every row."""
    return _decoded(state, np.full(n_rows, state.share))


def measure(
    state: BinaryState, truth: pa.Array, predicted: Decoded, weight: np.ndarray, names: Sequence[str]
) -> dict[str, float]:
    """The metrics of these names; those that need both labels are NaN when `truth` (n_rows,) has only one."""
    from sklearn.metrics import average_precision_score, f1_score, roc_auc_score

    codes = codes_of(pa.chunked_array([truth]), state.labels)
    positive = predicted.probabilities[state.labels[1]]
    chosen = codes_of(pa.chunked_array([predicted.prediction]), state.labels)
    both = len(np.unique(codes)) == 2
    computed: dict[str, metrics.Computed] = {
        **metrics.classification(codes, chosen, np.stack([1 - positive, positive], axis=1), weight=weight),
        "auc": lambda: roc_auc_score(codes, positive, sample_weight=weight) if both else math.nan,
        "pr_auc": lambda: average_precision_score(codes, positive, sample_weight=weight) if both else math.nan,
        "brier": lambda: np.average((positive - codes) ** 2, weights=weight),
        "f1": lambda: f1_score(codes, chosen, sample_weight=weight, zero_division=0),
    }
    return metrics.values(computed, names)


def confusion(state: BinaryState, truth: pa.Array, predicted: Decoded) -> list[list[int]]:
    """Counts of rows: true label down, predicted label across, in the order of `state.labels`."""
    codes = codes_of(pa.chunked_array([truth]), state.labels)
    chosen = codes_of(pa.chunked_array([predicted.prediction]), state.labels)
    return metrics.confusion(codes, chosen, 2)


def _decoded(state: BinaryState, positive: np.ndarray) -> Decoded:
    labels = take_labels(state.labels, (positive >= state.threshold).astype(np.int64))
    return Decoded(labels, {state.labels[0]: 1.0 - positive, state.labels[1]: positive})
