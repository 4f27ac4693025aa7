"""The knots of piecewise-linear embeddings: quantiles of the training rows, with own knots for values that many share.

Gorishniy, Rubachev & Babenko, On Embeddings for Numerical Features in Tabular Deep Learning (NeurIPS 2022), section
3.2, take plain quantiles. These leave hardly a bin to the rest of a column in which most cells hold one value, so such
values are knots of their own here, and quantiles are those of the other rows.
"""

from __future__ import annotations

import numpy as np

from bptrain.features.numeric.options import NumericOptions

ALL_VALUES = 8 / 3  # so many times the bins: with no more different values, each is a knot
FEWEST = 4  # bins for the rows beside the values that many share
MANY_VALUES = 49  # different values from which periodic features are given


def learn_knots(values: np.ndarray, options: NumericOptions) -> np.ndarray:
    """Rising knots (k,) float64 of the scaled training rows (n_rows,); none for two values or without `bins`."""
    if options.bins == "auto" or not options.bins:
        return np.empty(0)
    n_bins = options.bins
    different, counts = np.unique(values, return_counts=True)
    if len(different) <= 2:
        return np.empty(0)
    if len(different) <= ALL_VALUES * n_bins:
        return different
    heavy = different[counts > len(values) / n_bins]
    others = values[~np.isin(values, heavy)]
    shares = np.linspace(0, 1, max(n_bins - len(heavy), FEWEST) + 1)
    return np.unique(np.concatenate([heavy, different[[0, -1]], np.quantile(others, shares, method="nearest")]))


def is_periodic(values: np.ndarray, options: NumericOptions) -> bool:
    """Whether a column with these scaled training rows (n_rows,) is given periodic features."""
    return options.periodic is True and len(np.unique(values)) >= MANY_VALUES
