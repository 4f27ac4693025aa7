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

from bptrain.features.numeric.options import NumericOptions

N_COMPARED = 2**16  # rows that are compared with scikit-learn's at a time
VANISHING = float(np.finfo(np.float64).max)  # divided by this, every number is 0 in float32
_CONSTANT = 10 * float(np.finfo(np.float64).eps)  # scikit-learn takes spreads below this for 0
_TRACE = 1e-290  # between quantiles closer to 0 the slope of the interpolation overflows
_EDGE = 1e-7  # scikit-learn's QuantileTransformer takes values this close to its ends for the ends


@dataclass(frozen=True)
class Scaling:
    """What training rows taught: `center` and `scale` (n_columns,) float64, and quantiles by the column's position."""

    center: np.ndarray
    scale: np.ndarray
    quantiles: dict[int, np.ndarray]


@dataclass(frozen=True)
class ColumnScaling:
    """What the training rows of one column taught."""

    center: float
    scale: float
    quantiles: np.ndarray | None = None


def learn_scaling(options: NumericOptions, filled: np.ndarray) -> ColumnScaling:
    """Learn from the training rows `filled` (n_rows,) float64 of a column, without missing cells."""
    learned, apply = _LEARNERS[options.scaling](filled[:, None])
    ours = joined([learned])
    for start in range(0, len(filled), N_COMPARED):
        some = filled[start : start + N_COMPARED, None]
        _compare(options.scaling, scaled(ours, [options], some), apply(some), learned)
    return learned


def joined(columns: Sequence[ColumnScaling]) -> Scaling:
    """That of all columns together."""
    quantiles = {place: each.quantiles for place, each in enumerate(columns) if each.quantiles is not None}
    return Scaling(
        np.array([each.center for each in columns], float), np.array([each.scale for each in columns], float), quantiles
    )


def scaled(scaling: Scaling, options: Sequence[NumericOptions], filled: np.ndarray) -> np.ndarray:
    """Scaled values (n_rows, n_columns) float64, not clipped."""
    bent = filled.copy()
    for position, each in enumerate(options):
        if each.scaling == "log1p":
            bent[:, position] = signed_log1p(bent[:, position])
    for position, quantiles in scaling.quantiles.items():
        bent[:, position] = normal_scores(bent[:, position], quantiles)
    return np.asarray((bent - scaling.center) / scaling.scale)


def clipped(options: Sequence[NumericOptions], values: np.ndarray) -> np.ndarray:
    """Scaled values (n_rows, n_columns), clipped where the options say so."""
    result = values.copy()
    for position, each in enumerate(options):
        if each.clip == "smooth":
            result[:, position] = values[:, position] / np.hypot(1.0, values[:, position] / each.clip_limit)
        elif each.clip == "hard":
            result[:, position] = np.clip(values[:, position], *_hard_bounds(each))
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


def _without_traces(x: np.ndarray) -> np.ndarray:
    """Numbers so close to 0 that the slope between two of them would be infinite are 0."""
    return np.where(np.abs(x) < _TRACE, 0.0, x)


def n_quantiles(n_rows: int) -> int:
    """One quantile per 30 rows, from 10 to 1000, but no more than rows."""
    return min(max(min(n_rows // 30, 1000), 10), n_rows)


def _hard_bounds(options: NumericOptions) -> tuple[float, float]:
    return (0.0, 1.0) if options.scaling == "minmax" else (-options.clip_limit, options.clip_limit)


# Each learns from the column `filled` (n_rows, 1), and says what scikit-learn makes of rows.
_Apply = Callable[[np.ndarray], np.ndarray]


def _standard(filled: np.ndarray) -> tuple[ColumnScaling, _Apply]:
    from sklearn.preprocessing import StandardScaler

    scaler = StandardScaler().fit(filled)
    return ColumnScaling(scaler.mean_[0], scaler.scale_[0]), scaler.transform


def _log1p(filled: np.ndarray) -> tuple[ColumnScaling, _Apply]:
    learned, apply = _standard(signed_log1p(filled))
    return learned, lambda rows: apply(signed_log1p(rows))


def _minmax(filled: np.ndarray) -> tuple[ColumnScaling, _Apply]:
    from sklearn.preprocessing import MinMaxScaler

    scaler = MinMaxScaler().fit(filled)
    width = scaler.data_range_[0]
    return ColumnScaling(scaler.data_min_[0], 1.0 if width < _CONSTANT else width), scaler.transform


def _robust(filled: np.ndarray) -> tuple[ColumnScaling, _Apply]:
    from sklearn.preprocessing import RobustScaler

    scaler = RobustScaler().fit(filled)
    low, high = np.percentile(filled, (25, 75))
    if high - low >= _CONSTANT:
        return ColumnScaling(scaler.center_[0], scaler.scale_[0]), scaler.transform
    half = np.ptp(filled) / 2
    learned = ColumnScaling(scaler.center_[0], VANISHING if half < _CONSTANT else half)
    return learned, lambda rows: (rows - learned.center) / learned.scale


def _quantile(filled: np.ndarray) -> tuple[ColumnScaling, _Apply]:
    from sklearn.preprocessing import QuantileTransformer

    transformer = QuantileTransformer(
        n_quantiles=n_quantiles(len(filled)), output_distribution="normal", subsample=None
    ).fit(_without_traces(filled))
    learned = ColumnScaling(0.0, 1.0, transformer.quantiles_[:, 0].copy())
    return learned, lambda rows: transformer.transform(_without_traces(rows))


def _none(filled: np.ndarray) -> tuple[ColumnScaling, _Apply]:
    return ColumnScaling(0.0, 1.0), lambda rows: rows


_LEARNERS: dict[str, Callable[[np.ndarray], tuple[ColumnScaling, _Apply]]] = {
    "auto": _standard,
    "standard": _standard,
    "minmax": _minmax,
    "robust": _robust,
    "quantile": _quantile,
    "log1p": _log1p,
    "none": _none,
}


def _compare(kind: str, ours: np.ndarray, expected: np.ndarray, learned: ColumnScaling) -> None:
    """Exactly; but scikit-learn computes `minmax` as x * scale + min, which loses digits far from 0."""
    lost = 1e-12 * (1 + abs(learned.center / learned.scale)) if kind == "minmax" else 0.0
    if not (np.abs(ours - expected) <= lost).all():
        raise RuntimeError(f"our {kind} scaling differs from scikit-learn's")
