"""Multiclass target: from outputs to labels and probabilities, and how good they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa

from bptrain.targets import metrics
from bptrain.targets.labels import codes_of, take_labels
from bptrain.targets.multiclass.options import MulticlassOptions
from bptrain.targets.multiclass.prepare import MulticlassState
from bptrain.targets.state import Decoded
from bptrain.targets.temperature import choose_temperature, untuned_temperature

METRICS = ("accuracy", "balanced_accuracy", "auc", "log_loss", "brier", "f1")


def decode(state: MulticlassState, outputs: np.ndarray) -> Decoded:
    """Labels and probabilities of logits (n_rows, n_labels): softmax of them by temperature, in float64."""
    logits = outputs.astype(np.float64) / state.temperature
    with np.errstate(invalid="ignore"):  # NaN stays NaN, after training that diverged
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        return _decoded(state, powers / powers.sum(axis=1, keepdims=True))


def tune(
    state: MulticlassState,
    options: MulticlassOptions,
    truth: np.ndarray,
    outputs: np.ndarray,
    weight: np.ndarray,
    **_: object,
) -> MulticlassState:
    """With `temperature: auto`, the state with the temperature that is best here.

    Not with class weights: the best temperature would take back what they say.
    """
    state = untuned(state, options)
    if options.temperature != "auto" or options.class_weights != "none":
        return state
    return replace(state, temperature=choose_temperature(truth[:, 0].astype(np.int64), outputs, weight))


def untuned(state: MulticlassState, options: MulticlassOptions) -> MulticlassState:
    """The state with the temperature of the options, 1 where it is to be chosen."""
    return replace(state, temperature=untuned_temperature(options.temperature))


def tune_as(state: MulticlassState, before: MulticlassState) -> MulticlassState:
    """The state with the temperature of `before`."""
    return replace(state, temperature=before.temperature)


def baseline(state: MulticlassState, n_rows: int) -> Decoded:
    """The shares of the labels among training rows, for every row."""
    return _decoded(state, np.tile(np.array(state.shares), (n_rows, 1)))


def measure(
    state: MulticlassState, truth: pa.Array, predicted: Decoded, weight: np.ndarray, names: Sequence[str]
) -> dict[str, float]:
    """The metrics of these names; AUC leaves out labels that `truth` (n_rows,) does not show."""
    from sklearn.metrics import f1_score

    codes = codes_of(pa.chunked_array([truth]), state.labels)
    probabilities = np.stack([predicted.probabilities[label] for label in state.labels], axis=1)
    chosen = codes_of(pa.chunked_array([predicted.prediction]), state.labels)
    truths = np.eye(len(state.labels))[codes]
    computed: dict[str, metrics.Computed] = {
        **metrics.classification(codes, chosen, probabilities, weight=weight),
        "auc": lambda: _one_vs_rest_auc(codes, probabilities, weight),
        "brier": lambda: np.average(((probabilities - truths) ** 2).sum(axis=1), weights=weight),
        "f1": lambda: f1_score(codes, chosen, average="macro", sample_weight=weight, zero_division=0),
    }
    return metrics.values(computed, names)


def confusion(state: MulticlassState, truth: pa.Array, predicted: Decoded) -> list[list[int]]:
    """Counts of rows: true label down, predicted label across, in the order of `state.labels`."""
    codes = codes_of(pa.chunked_array([truth]), state.labels)
    chosen = codes_of(pa.chunked_array([predicted.prediction]), state.labels)
    return metrics.confusion(codes, chosen, len(state.labels))


def _one_vs_rest_auc(codes: np.ndarray, probabilities: np.ndarray, weight: np.ndarray) -> float:
    from sklearn.metrics import roc_auc_score

    present = np.unique(codes)
    if len(present) < 2:
        return float("nan")
    areas = [roc_auc_score(codes == code, probabilities[:, code], sample_weight=weight) for code in present]
    return float(np.mean(areas))


def _decoded(state: MulticlassState, probabilities: np.ndarray) -> Decoded:
    labels = take_labels(state.labels, probabilities.argmax(axis=1))
    return Decoded(labels, {label: probabilities[:, code] for code, label in enumerate(state.labels)})
