"""The temperature of probabilities, chosen on validation rows.

Guo, Pleiss, Sun & Weinberger, On Calibration of Modern Neural Networks, ICML 2017, section 4.2.
"""

from __future__ import annotations

import numpy as np

from bptrain.targets.options import Temperature

DEFAULT = 1.0
LOWEST, HIGHEST = 0.25, 4.0
DECIMALS = 3


def untuned_temperature(given: Temperature) -> float:
    """The temperature of the options, 1 where it is to be chosen."""
    return DEFAULT if given == "auto" else given


def choose_temperature(codes: np.ndarray, logits: np.ndarray, weight: np.ndarray) -> float:
    """The temperature with the least log loss on these rows; 1 unless the gain is more than chance.

    `codes` (n_rows,) int64 is the truth, `logits` (n_rows, n_labels) what the network gives, `weight` (n_rows,) how
    much each row counts. The gain over 1 has to exceed its standard error: that of the differences on these rows, and
    the one they would have if the probabilities at 1 were right, as few rows may show none of the rare mistakes.
    """
    from scipy.optimize import minimize_scalar

    rows, logits = np.arange(len(codes)), logits.astype(np.float64)

    def loss(log_temperature: float) -> float:
        return -float(weight @ log_softmax(logits / np.exp(log_temperature))[rows, codes])

    found = minimize_scalar(loss, bounds=(np.log(LOWEST), np.log(HIGHEST)), method="bounded")
    temperature = round(float(np.exp(found.x)), DECIMALS)
    before = log_softmax(logits)
    gains = log_softmax(logits / temperature) - before
    gain = gains[rows, codes]
    seen = (gain - np.average(gain, weights=weight)) ** 2
    probability = np.exp(before)
    mean = (probability * gains).sum(axis=1, keepdims=True)
    expected = (probability * (gains - mean) ** 2).sum(axis=1)
    error = np.sqrt(max(weight**2 @ seen, weight**2 @ expected))
    return temperature if weight @ gain > error else DEFAULT


def log_softmax(logits: np.ndarray) -> np.ndarray:
    """Logarithms of the probabilities (n_rows, n_labels) of logits (n_rows, n_labels)."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    result: np.ndarray = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return result
