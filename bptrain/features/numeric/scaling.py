"""What a numeric column teaches: bounds, filling, scaling, bins; scikit-learn learns, saved numbers and numpy apply.

A scaled value is (f(x) - center) / scale, where f is sign(x) log(1 + |x|) for `log1p`, the normal score of x among the
training quantiles for `quantile` (as scikit-learn's QuantileTransformer), and else x. `robust` falls back, where the
interquartile range is 0, to half the width, and where this is 0 too, to a scale so large that every value becomes 0, as
RealMLP does (Holzmüller et al. 2024, "Better by Default"). Clipping follows: `hard` to ±limit (`minmax`: to [0, 1]),
`smooth` x / sqrt(1 + (x / limit)^2), of the same paper.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from bptrain.data.limits import LARGEST_NUMBER
from bptrain.features.numeric.options import NumericOptions, ResolvedNumericOptions

N_COMPARED = 2**16  # rows that are compared with scikit-learn's at a time
VANISHING = float(np.finfo(np.float64).max)  # divided by this, every number is 0 in float32
_CONSTANT = 10 * float(np.finfo(np.float64).eps)  # scikit-learn takes spreads below this for 0
_TRACE = 1e-290  # between quantiles closer to 0 the slope of the interpolation overflows
_EDGE = 1e-7  # scikit-learn's QuantileTransformer takes values this close to its ends for the ends

DEFAULT_LIMITS = {"quantile": 0.005, "zscore": 4.0}  # of outliers
ALL_VALUES = 8 / 3  # so many times the bins: with no more different values, each is a bin edge
FEWEST_BINS = 4  # for the rows beside the values that many share
MANY_VALUES = 49  # different values from which periodic features are given


@dataclass(frozen=True)
class Scaling:
    """What the training rows of one column taught; `quantiles` (k,) for `quantile`, else none."""

    center: float
    scale: float
    quantiles: np.ndarray = field(default_factory=lambda: np.empty(0))


@dataclass(frozen=True)
class Taught:
    """What one column taught.

    `bounds` are the least and greatest number that is no outlier, ±LARGEST_NUMBER where outliers are not clipped, and
    `extremes` those of the training rows; `bin_edges` (k,) may be none.
    """

    bounds: tuple[float, float]
    extremes: tuple[float, float]
    fill: float
    some_missing: bool
    scaling: Scaling
    bin_edges: np.ndarray
    periodic: bool


def learn_column(values: np.ndarray, options: ResolvedNumericOptions) -> Taught:
    """Learn from the cells (n_rows,) of a column, NaN for missing; they are changed in place."""
    from sklearn.impute import SimpleImputer

    bounds = learn_bounds(values, options) if options.outliers == "clip" else (-LARGEST_NUMBER, LARGEST_NUMBER)
    extremes = float(np.nanmin(values)), float(np.nanmax(values))
    np.clip(values, *bounds, out=values)
    missing = np.isnan(values)
    if options.missing == "constant":
        fill = options.fill
    elif options.missing == "median":  # SimpleImputer's number without its sorting, which takes most of the time
        fill = float(np.nanmedian(values))
    else:
        fill = float(SimpleImputer(strategy=options.missing).fit(values[:, None]).statistics_[0])
    values[missing] = fill
    scaling = learn_scaling(options, values)
    bin_edges, periodic = np.empty(0), False
    if options.bins or options.periodic:  # of the numbers that the network will see
        seen = scaled([options], [scaling], values[:, None]).astype(np.float32).astype(np.float64)[:, 0]
        bin_edges = learn_bin_edges(seen, options.bins)
        periodic = options.periodic and len(np.unique(seen)) >= MANY_VALUES
    return Taught(bounds, extremes, fill, bool(missing.any()), scaling, bin_edges, periodic)


def learn_bin_edges(values: np.ndarray, n_bins: int) -> np.ndarray:
    """Rising bin edges (k,) float64 of the scaled training rows (n_rows,); none for two values or without bins.

    Gorishniy, Rubachev & Babenko, On Embeddings for Numerical Features in Tabular Deep Learning (NeurIPS 2022), section
    3.2, take plain quantiles. These leave hardly a bin to the rest of a column in which most cells hold one value, so
    such values are edges of their own here, and quantiles are those of the other rows.
    """
    different, counts = np.unique(values, return_counts=True)
    if not n_bins or len(different) <= 2:
        return np.empty(0)
    if len(different) <= ALL_VALUES * n_bins:
        return different
    heavy = different[counts > len(values) / n_bins]
    others = values[~np.isin(values, heavy)]
    shares = np.linspace(0, 1, max(n_bins - len(heavy), FEWEST_BINS) + 1)
    return np.unique(np.concatenate([heavy, different[[0, -1]], np.quantile(others, shares, method="nearest")]))


def learn_bounds(values: np.ndarray, options: NumericOptions) -> tuple[float, float]:
    """The least and greatest value (n_rows,; NaN is missing) that is no outlier."""
    present = values[~np.isnan(values)]
    if not len(present):
        return -np.inf, np.inf
    limit = options.outlier_limit or DEFAULT_LIMITS[options.outlier_rule]
    if options.outlier_rule == "quantile":
        low, high = np.quantile(present, (limit, 1 - limit))
    else:
        mean, deviation = present.mean(), present.std()
        low, high = mean - limit * deviation, mean + limit * deviation
    if present.min() == present.max():  # the mean of equal numbers may be another one
        low = high = present[0]
    return float(low), float(high)


def learn_scaling(options: ResolvedNumericOptions, filled: np.ndarray) -> Scaling:
    """Learn from the training rows `filled` (n_rows,) float64 of a column, without missing cells.

    Raises RuntimeError where our numbers are not scikit-learn's: exactly, but it computes `minmax` as x * scale + min,
    which loses digits far from 0.
    """
    learned, apply = _fit(options.scaling, filled[:, None])
    lost = 1e-12 * (1 + abs(learned.center / learned.scale)) if options.scaling == "minmax" else 0.0
    for start in range(0, len(filled), N_COMPARED):
        some = filled[start : start + N_COMPARED, None]
        if not (np.abs(scaled([options], [learned], some, clips=False) - apply(some)) <= lost).all():
            raise RuntimeError(f"our {options.scaling} scaling differs from scikit-learn's")
    return learned


def _fit(scaling: str, filled: np.ndarray) -> tuple[Scaling, Callable[[np.ndarray], np.ndarray]]:
    """What scikit-learn learns from the column `filled` (n_rows, 1), and a function for what it makes of rows."""
    from sklearn.preprocessing import MinMaxScaler, QuantileTransformer, RobustScaler, StandardScaler

    if scaling == "none":
        return Scaling(0.0, 1.0), np.asarray
    if scaling == "minmax":
        minmax = MinMaxScaler().fit(filled)
        width = minmax.data_range_[0]
        return Scaling(minmax.data_min_[0], 1.0 if width < _CONSTANT else width), minmax.transform
    if scaling == "robust":
        robust = RobustScaler().fit(filled)
        low, high = np.percentile(filled, (25, 75))
        if high - low >= _CONSTANT:
            return Scaling(robust.center_[0], robust.scale_[0]), robust.transform
        half = np.ptp(filled) / 2
        learned = Scaling(robust.center_[0], VANISHING if half < _CONSTANT else half)
        return learned, lambda rows: (rows - learned.center) / learned.scale
    if scaling == "quantile":
        transformer = QuantileTransformer(
            n_quantiles=n_quantiles(len(filled)), output_distribution="normal", subsample=None
        ).fit(_without_traces(filled))
        learned = Scaling(0.0, 1.0, transformer.quantiles_[:, 0].copy())
        return learned, lambda rows: transformer.transform(_without_traces(rows))
    if scaling == "log1p":
        standard = StandardScaler().fit(signed_log1p(filled))
        return Scaling(standard.mean_[0], standard.scale_[0]), lambda rows: standard.transform(signed_log1p(rows))
    standard = StandardScaler().fit(filled)
    return Scaling(standard.mean_[0], standard.scale_[0]), standard.transform


def scaled(
    options: Sequence[ResolvedNumericOptions], learned: Sequence[Scaling], filled: np.ndarray, *, clips: bool = True
) -> np.ndarray:
    """Cells `filled` (n_rows, n_columns) scaled, and clipped where the options say so: (n_rows, n_columns) float64."""
    values = filled.copy()
    for place, column in enumerate(options):
        if column.scaling == "log1p":
            values[:, place] = signed_log1p(values[:, place])
        elif column.scaling == "quantile":
            values[:, place] = normal_scores(values[:, place], learned[place].quantiles)
    center, scale = (np.array([getattr(column, name) for column in learned]) for name in ("center", "scale"))
    values = np.asarray((values - center) / scale)
    for place, column in enumerate(options if clips else ()):
        limit = column.clip_limit
        if column.clip == "smooth":
            values[:, place] = values[:, place] / np.hypot(1.0, values[:, place] / limit)
        elif column.clip == "hard":
            low, high = (0.0, 1.0) if column.scaling == "minmax" else (-limit, limit)
            values[:, place] = np.clip(values[:, place], low, high)
    return values


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
