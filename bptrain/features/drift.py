"""How rows differ from the rows that a model was trained on, column by column."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bptrain.data.frame import Frame
from bptrain.features.kind import Transformed
from bptrain.runs.storage import Json

MOST_LABELS = 50  # labels, or different numbers, that are counted one by one
N_BINS = 10
FIRST_ROWS = 2**17  # are looked at before all

NOTABLE_SHARE = 0.001  # of new labels and of numbers outside the training range
NOTABLE_MISSING = 0.01  # change of the share of missing cells
NOTABLE_SHIFT = 0.1  # of a tenth of the cells, in another bin
STANDARD_ERRORS = 3.0
CHANCES = 4.0  # times the shift that chance alone gives


@dataclass(frozen=True)
class Histogram:
    """Shares (0 … 1) of a column's present cells, by label or by bin of numbers; the last is that of any other label.

    Bins lie between the `edges`, deciles of the training rows; the outer ones are open.
    """

    labels: list[str]
    edges: list[float]
    shares: list[float]

    @classmethod
    def learn(cls, frame: Frame, name: str) -> Histogram | None:
        """That of a column of `frame`; None for a column without cells, and for text with very many labels.

        More than MOST_LABELS are often seen in the first rows.
        """
        keys = frame.labels(name)
        some = frame.take(np.arange(FIRST_ROWS)).labels(name) if frame.n_rows > FIRST_ROWS else keys
        labels: list[str] = []
        edges: list[float] = []
        if pc.count_distinct(some).as_py() <= MOST_LABELS and len(found := pc.unique(keys.drop_null())) <= MOST_LABELS:
            labels = sorted(pc.cast(found, pa.string()).to_pylist())
            if not labels:
                return None
        else:
            numbers, bad = frame.numbers(name)
            if bad.any() or np.isinf(numbers).any():
                return None
            edges = np.unique(np.nanquantile(numbers, np.linspace(0, 1, N_BINS + 1)[1:-1])).tolist()
        return cls(labels, edges, cls(labels, edges, []).shares_of(frame, name))

    def distance(self, n_cells: int, frame: Frame, name: str) -> tuple[float, float]:
        """Total variation distance (0 … 1) from the cells of `frame`, and what chance alone gives.

        The distance is half the sum of the absolute differences of shares. For two samples of one kind, its expectation
        is about half the sum of sqrt(2 / π) standard errors of these differences. `n_cells` were counted here.
        """
        n_now = frame.n_present(name)
        if not n_now:
            return 0.0, 0.0
        then, now = np.array(self.shares), np.array(self.shares_of(frame, name))
        pooled = (then * n_cells + now * n_now) / (n_cells + n_now)
        errors = np.sqrt(pooled * (1 - pooled) * (1 / max(n_cells, 1) + 1 / n_now))
        return float(np.abs(now - then).sum() / 2), float(np.sqrt(2 / np.pi) * errors.sum() / 2)

    def shares_of(self, frame: Frame, name: str) -> list[float]:
        """The shares of these labels or bins in a column."""
        if self.labels:
            keys = frame.labels(name).drop_null()
            places = pc.fill_null(pc.index_in(keys, value_set=pa.array(self.labels, keys.type)), len(self.labels))
            counts = np.bincount(places.to_numpy(), minlength=len(self.labels) + 1)
        else:
            numbers = frame.numbers(name)[0]
            bins = np.searchsorted(self.edges, numbers[~np.isnan(numbers)], side="right")
            counts = np.bincount(bins, minlength=len(self.edges) + 1)
        return list((counts / max(counts.sum(), 1)).tolist())


@dataclass(frozen=True)
class Profile:
    """What training rows were like: their number, and of each column that the model sees and each target the share of
    missing cells and how the others are spread, where that is told in few numbers."""

    n_rows: int
    missing: Mapping[str, float]
    histograms: Mapping[str, Histogram]

    @classmethod
    def learn(cls, frame: Frame, columns: Iterable[str]) -> Profile:
        """The profile of the training rows in `frame`."""
        missing = {name: float(np.mean(frame.is_missing(name))) for name in columns}
        histograms = {name: histogram for name in missing if (histogram := Histogram.learn(frame, name)) is not None}
        return cls(frame.n_rows, missing, histograms)

    @classmethod
    def load(cls, saved: Json) -> Profile:
        """The profile that `to_json` wrote."""
        histograms = {name: Histogram(**shares) for name, shares in saved["shares"].items()}
        return cls(saved["n_rows"], saved["missing"], histograms)

    def to_json(self) -> Json:
        shares = {name: asdict(histogram) for name, histogram in self.histograms.items()}
        return {"n_rows": self.n_rows, "missing": dict(self.missing), "shares": shares}


@dataclass(frozen=True)
class Drift:
    """Shares of a column's cells (0 … 1) among the rows that are judged; `missing_before` among training rows.

    `unknown` are labels that training rows never showed, `outside` numbers and dates beyond the smallest and largest
    of the training rows. `shift` is the share of present cells that would have to take other values for the column to
    be spread as in training (0 … 1, total variation distance over labels or deciles). `notable` says whether the column
    is worth a look.
    """

    column: str
    missing_before: float
    missing: float
    unknown: float
    outside: float
    shift: float
    notable: bool

    def to_json(self) -> Json:
        return asdict(self)


def measure_drift(before: Profile, frame: Frame, prepared: Transformed) -> list[Drift]:
    """One entry per column of `before` for the rows of `frame`; `prepared` is what they were transformed to.

    A change of the missing share, or of the spread, is notable when it is both large and more than chance.
    """
    result = []
    for name, then in before.missing.items() if frame.n_rows else ():
        now = float(np.mean(frame.is_missing(name)))
        unknown, outside = prepared.unknown.get(name, 0) / frame.n_rows, prepared.outside.get(name, 0) / frame.n_rows
        # The standard error of the difference of two shares, if both samples were of one kind.
        pooled = (then * before.n_rows + now * frame.n_rows) / (before.n_rows + frame.n_rows)
        error = float(np.sqrt(pooled * (1 - pooled) * (1 / before.n_rows + 1 / frame.n_rows)))
        more_missing = abs(now - then) > max(NOTABLE_MISSING, STANDARD_ERRORS * error)
        shift, chance = 0.0, 0.0
        if name in before.histograms:
            n_cells = round(before.n_rows * (1 - then))
            shift, chance = before.histograms[name].distance(n_cells, frame, name)
        is_shifted = shift > max(NOTABLE_SHIFT, CHANCES * chance)
        notable = more_missing or is_shifted or max(unknown, outside) > NOTABLE_SHARE
        result.append(Drift(name, then, now, unknown, outside, shift, notable))
    return result
