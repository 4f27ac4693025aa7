"""Scaling: scikit-learn learns, saved numbers and numpy apply, and both must agree on the training rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

EDGE = 1e-7  # scikit-learn's BOUNDS_THRESHOLD: ranks nearer to 0 or 1 are cut off, at about ±5.2


@dataclass(frozen=True)
class Scaling:
    """One column's scaling: (f(x) - center) / scale, with f the signed logarithm for `log1p`.

    With `quantile`, `quantiles` (k,) are the training values at k even ranks from 0 to 1, and center and scale unused.
    """

    how: str
    center: float = 0.0
    scale: float = 1.0
    quantiles: np.ndarray = field(default_factory=lambda: np.empty(0))

    def apply(self, values: np.ndarray) -> np.ndarray:
        """Scaled values (n_rows,) float64."""
        if self.how == "quantile":
            return _normal(values, self.quantiles)
        if self.how == "log1p":
            values = signed_log(values)
        return np.asarray((values - self.center) / self.scale)


def learn_scaling(values: np.ndarray, how: str) -> Scaling:
    """What the training values (n_rows,), none missing, teach. Raises RuntimeError where we and scikit-learn differ."""
    if how == "none":
        return Scaling(how)
    column = (signed_log(values) if how == "log1p" else values)[:, None]
    scaler = _scaler(how, len(values)).fit(column)
    made = _of(how, scaler, values)
    expected = scaler.transform(column)[:, 0]
    if how == "robust" and made.scale != float(scaler.scale_[0]):  # our own scale, where scikit-learn has none
        return made
    if not np.allclose(made.apply(values), expected, rtol=1e-10, atol=1e-10):
        raise RuntimeError(f"our {how} scaling differs from scikit-learn's")
    return made


def signed_log(values: np.ndarray) -> np.ndarray:
    """sign(x) log(1 + |x|): near zero like x, far away like the logarithm."""
    return np.asarray(np.sign(values) * np.log1p(np.abs(values)))


def _scaler(how: str, n_rows: int) -> Any:
    from sklearn import preprocessing as sk

    if how == "quantile":
        n_quantiles = min(n_rows, max(min(n_rows // 30, 1000), 10))
        return sk.QuantileTransformer(n_quantiles=n_quantiles, output_distribution="normal", subsample=None)
    return {"minmax": sk.MinMaxScaler, "robust": sk.RobustScaler}.get(how, sk.StandardScaler)()


def _of(how: str, scaler: Any, values: np.ndarray) -> Scaling:
    if how == "quantile":
        return Scaling(how, quantiles=np.asarray(scaler.quantiles_[:, 0], np.float64))
    if how == "minmax":
        return Scaling(how, float(scaler.data_min_[0]), float(1 / scaler.scale_[0]))
    if how == "robust":
        return Scaling(how, float(scaler.center_[0]), _robust_scale(values, float(scaler.scale_[0])))
    return Scaling(how, float(scaler.mean_[0]), float(scaler.scale_[0]))


def _robust_scale(values: np.ndarray, found: float) -> float:
    """The interquartile range; where half of the values are equal, half the whole range (Holzmüller et al. 2024)."""
    first, third = np.quantile(values, [0.25, 0.75])
    spread = float(np.ptp(values)) / 2
    return found if third > first or not spread else spread


def _normal(values: np.ndarray, quantiles: np.ndarray) -> np.ndarray:
    """Ranks among the quantiles as numbers of a normal distribution, as scikit-learn's QuantileTransformer.

    Where several quantiles are equal, the rank lies in the middle of theirs.
    """
    from scipy.special import ndtri

    ranks = np.linspace(0, 1, len(quantiles))
    below = np.interp(values, quantiles, ranks)
    above = -np.interp(-values, -quantiles[::-1], -ranks[::-1])
    rank = 0.5 * (below + above)
    rank[values + EDGE > quantiles[-1]] = 1.0
    rank[values - EDGE < quantiles[0]] = 0.0
    edge = EDGE - np.spacing(1)
    with np.errstate(divide="ignore"):
        return np.asarray(np.clip(ndtri(rank), ndtri(edge), ndtri(1 - edge)))
