"""How the cells of a column are spread, in few numbers: to tell whether other rows are spread otherwise."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bptrain.data.frame import Frame

MOST_LABELS = 50  # labels, or different numbers, that are counted one by one
N_BINS = 10
FIRST_ROWS = 2**17  # are looked at before all


@dataclass(frozen=True)
class Shares:
    """Shares (0 … 1) of a column's present cells, by label or by bin of numbers; the last is that of any other label.

    Bins lie between the `edges`, deciles of the training rows; the outer ones are open.
    """

    labels: list[str]
    edges: list[float]
    shares: list[float]

    @classmethod
    def load(cls, saved: dict[str, Any]) -> Shares:
        return cls(**saved)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def learn_shares(frame: Frame, name: str) -> Shares | None:
    """The shares of a column of `frame`; None for a column without cells, and for text with very many labels."""
    labels = _labels(frame, name)
    if labels is not None:
        return _with_shares(Shares(labels, [], []), frame, name) if labels else None
    numbers, bad = frame.numbers(name)
    if bad.any() or np.isinf(numbers).any():
        return None
    edges = np.unique(np.nanquantile(numbers, np.linspace(0, 1, N_BINS + 1)[1:-1]))
    return _with_shares(Shares([], edges.tolist(), []), frame, name)


def _labels(frame: Frame, name: str) -> list[str] | None:
    """The labels of a column in order, or None where there are more than MOST_LABELS, as often the first rows show."""
    if frame.n_rows > FIRST_ROWS and _labels(frame.take(np.arange(FIRST_ROWS)), name) is None:
        return None
    found = pc.unique(frame.labels(name).drop_null())
    return sorted(pc.cast(found, pa.string()).to_pylist()) if len(found) <= MOST_LABELS else None


def distance(before: Shares, n_before: int, frame: Frame, name: str) -> tuple[float, float]:
    """Total variation distance (0 … 1) between `before` and the cells of `frame`, and what chance alone gives.

    The distance is half the sum of the absolute differences of shares. For two samples of one kind, its expectation is
    about half the sum of sqrt(2 / π) standard errors of these differences.
    """
    now = np.array(_with_shares(before, frame, name).shares)
    n_now = frame.n_present(name)
    if not n_now:
        return 0.0, 0.0
    then = np.array(before.shares)
    pooled = (then * n_before + now * n_now) / (n_before + n_now)
    errors = np.sqrt(pooled * (1 - pooled) * (1 / max(n_before, 1) + 1 / n_now))
    return float(np.abs(now - then).sum() / 2), float(np.sqrt(2 / np.pi) * errors.sum() / 2)


def _with_shares(bins: Shares, frame: Frame, name: str) -> Shares:
    if bins.edges:
        numbers, _ = frame.numbers(name)
        places = np.searchsorted(bins.edges, numbers[~np.isnan(numbers)], side="right")
        counts = np.bincount(places, minlength=len(bins.edges) + 1)
    else:
        keys = frame.labels(name).drop_null()
        positions = pc.fill_null(pc.index_in(keys, value_set=pa.array(bins.labels, keys.type)), len(bins.labels))
        counts = np.bincount(positions.to_numpy(), minlength=len(bins.labels) + 1)
    return Shares(bins.labels, bins.edges, (counts / max(counts.sum(), 1)).tolist())
