"""Scaling and clipping of numeric columns: scikit-learn learns, saved numbers and numpy apply.

A scaled value is (f(x) - center) / scale, where f is sign(x) log(1 + |x|) for `log1p`, the normal score of x among the
training quantiles for `quantile` (as scikit-learn's QuantileTransformer), and else x. `robust` falls back, where the
interquartile range is 0, to half the width, and where this is 0 too, to a scale so large that every value becomes 0, as
RealMLP does (Holzmüller et al. 2024, "Better by Default"). Clipping follows: `hard` to ±limit (`minmax`: to [0, 1]),
`smooth` x / sqrt(1 + (x / limit)^2), of the same paper.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from bptrain.features.numeric.options import ResolvedNumericOptions

N_COMPARED = 2**16  # rows that are compared with scikit-learn's at a time
VANISHING = float(np.finfo(np.float64).max)  # divided by this, every number is 0 in float32
_CONSTANT = 10 * float(np.finfo(np.float64).eps)  # scikit-learn takes spreads below this for 0
_TRACE = 1e-290  # between quantiles closer to 0 the slope of the interpolation overflows
_EDGE = 1e-7  # scikit-learn's QuantileTransformer takes values this close to its ends for the ends


@dataclass(frozen=True)
class ColumnScaling:
    """What the training rows of one column taught."""

    center: float
    scale: float
    quantiles: np.ndarray | None = None


@dataclass(frozen=True)
class Scaling:
    """What training rows taught: `center` and `scale` (n_columns,) float64, and quantiles by the column's position."""

    center: np.ndarray
    scale: np.ndarray
    quantiles: dict[int, np.ndarray]

    @classmethod
    def concat(cls, columns: Sequence[ColumnScaling]) -> Scaling:
        """That of all columns together."""
        return cls(
            np.array([column.center for column in columns], float),
            np.array([column.scale for column in columns], float),
            {place: column.quantiles for place, column in enumerate(columns) if column.quantiles is not None},
        )

    def apply(self, options: Sequence[ResolvedNumericOptions], filled: np.ndarray) -> np.ndarray:
        """Scaled values (n_rows, n_columns) float64, not clipped, of cells `filled` (n_rows, n_columns)."""
        values = filled.copy()
        for position, column in enumerate(options):
            if column.scaling == "log1p":
                values[:, position] = signed_log1p(values[:, position])
        for position, quantiles in self.quantiles.items():
            values[:, position] = normal_scores(values[:, position], quantiles)
        return np.asarray((values - self.center) / self.scale)


def learn_scaling(options: ResolvedNumericOptions, filled: np.ndarray) -> ColumnScaling:
    """Learn from the training rows `filled` (n_rows,) float64 of a column, without missing cells.

    Raises RuntimeError where our numbers are not scikit-learn's: exactly, but it computes `minmax` as x * scale + min,
    which loses digits far from 0.
    """
    learned, apply = _fit(options.scaling, filled[:, None])
    ours = Scaling.concat([learned])
    lost = 1e-12 * (1 + abs(learned.center / learned.scale)) if options.scaling == "minmax" else 0.0
    for start in range(0, len(filled), N_COMPARED):
        some = filled[start : start + N_COMPARED, None]
        if not (np.abs(ours.apply([options], some) - apply(some)) <= lost).all():
            raise RuntimeError(f"our {options.scaling} scaling differs from scikit-learn's")
    return learned


def _fit(scaling: str, filled: np.ndarray) -> tuple[ColumnScaling, Callable[[np.ndarray], np.ndarray]]:
    """What scikit-learn learns from the column `filled` (n_rows, 1), and a function for what it makes of rows."""
    from sklearn.preprocessing import MinMaxScaler, QuantileTransformer, RobustScaler, StandardScaler

    if scaling == "none":
        return ColumnScaling(0.0, 1.0), np.asarray
    if scaling == "minmax":
        minmax = MinMaxScaler().fit(filled)
        width = minmax.data_range_[0]
        return ColumnScaling(minmax.data_min_[0], 1.0 if width < _CONSTANT else width), minmax.transform
    if scaling == "robust":
        robust = RobustScaler().fit(filled)
        low, high = np.percentile(filled, (25, 75))
        if high - low >= _CONSTANT:
            return ColumnScaling(robust.center_[0], robust.scale_[0]), robust.transform
        half = np.ptp(filled) / 2
        learned = ColumnScaling(robust.center_[0], VANISHING if half < _CONSTANT else half)
        return learned, lambda rows: (rows - learned.center) / learned.scale
    if scaling == "quantile":
        transformer = QuantileTransformer(
            n_quantiles=n_quantiles(len(filled)), output_distribution="normal", subsample=None
        ).fit(_without_traces(filled))
        learned = ColumnScaling(0.0, 1.0, transformer.quantiles_[:, 0].copy())
        return learned, lambda rows: transformer.transform(_without_traces(rows))
    if scaling == "log1p":
        standard = StandardScaler().fit(signed_log1p(filled))
        return ColumnScaling(standard.mean_[0], standard.scale_[0]), lambda rows: standard.transform(signed_log1p(rows))
    standard = StandardScaler().fit(filled)
    return ColumnScaling(standard.mean_[0], standard.scale_[0]), standard.transform


def clip(options: Sequence[ResolvedNumericOptions], values: np.ndarray) -> np.ndarray:
    """Scaled values (n_rows, n_columns), clipped where the options say so."""
    result = values.copy()
    for position, column in enumerate(options):
        limit = column.clip_limit
        if column.clip == "smooth":
            result[:, position] = values[:, position] / np.hypot(1.0, values[:, position] / limit)
        elif column.clip == "hard":
            low, high = (0.0, 1.0) if column.scaling == "minmax" else (-limit, limit)
            result[:, position] = np.clip(values[:, position], low, high)
    return result


def signed_log1p(x: np.ndarray) -> np.ndarray:
    """sign(x) log(1 + |x|)."""
    return np.asarray(np.sign(x) * np.log1p(np.abs(x)))


def normal_scores(x: np.ndarray, quantiles: np.ndarray) -> np.ndarray:
    """The standard normal quantile of the rank of each x (n,) among `quantiles` (k,), at most about ±5.2.

    The rank is interpolated from both sides, so that among equal quantiles it is the middle one.
    """
    from scipy.special import ndtri

    x = _without_traces(x)
    ranks = np.linspace(0, 1, len(quantiles))
    rising = np.interp(x, quantiles, ranks)
    falling = np.interp(-x, -quantiles[::-1], -ranks[::-1])
    rank = 0.5 * (rising - falling)
    rank[x + _EDGE > quantiles[-1]] = 1
    rank[x - _EDGE < quantiles[0]] = 0
    edge = _EDGE - np.spacing(1)
    return np.asarray(np.clip(ndtri(rank), ndtri(edge), ndtri(1 - edge)))


def n_quantiles(n_rows: int) -> int:
    """One quantile per 30 rows, from 10 to 1000, but no more than rows."""
    return min(max(min(n_rows // 30, 1000), 10), n_rows)


def _without_traces(x: np.ndarray) -> np.ndarray:
    """Numbers so close to 0 that the slope between two of them would be infinite are 0."""
    return np.where(np.abs(x) < _TRACE, 0.0, x)
