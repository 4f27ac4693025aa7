"""How rows differ from the rows that a model was trained on, column by column."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from bptrain.data.frame import Frame
from bptrain.features.histogram import Shares, distance, learn_shares
from bptrain.features.kind import Transformed

NOTABLE_SHARE = 0.001  # of new labels and of numbers outside the training range
NOTABLE_MISSING = 0.01  # change of the share of missing cells
NOTABLE_SHIFT = 0.1  # of a tenth of the cells, in another bin
STANDARD_ERRORS = 3.0
CHANCES = 4.0  # times the shift that chance alone gives


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

    def to_json(self) -> dict[str, object]:
        return asdict(self)


@dataclass(frozen=True)
class Profile:
    """What training rows were like: their number, and of each column that the model sees and each target the share of
    missing cells and how the others are spread, where that is told in few numbers."""

    n_rows: int
    missing: Mapping[str, float]
    shares: Mapping[str, Shares]

    @classmethod
    def load(cls, saved: Mapping[str, Any]) -> Profile:
        """The profile that `to_json` wrote."""
        shares = {name: Shares.load(each) for name, each in saved["shares"].items()}
        return cls(saved["n_rows"], saved["missing"], shares)

    def to_json(self) -> dict[str, object]:
        shares = {name: each.to_json() for name, each in self.shares.items()}
        return {"n_rows": self.n_rows, "missing": dict(self.missing), "shares": shares}


def profile(frame: Frame, columns: Iterable[str]) -> Profile:
    """The profile of the training rows in `frame`."""
    missing = {name: _missing_share(frame, name) for name in columns}
    shares = {name: learn_shares(frame, name) for name in missing}
    return Profile(frame.n_rows, missing, {name: each for name, each in shares.items() if each is not None})


def _missing_share(frame: Frame, name: str) -> float:
    return float(np.mean(frame.is_missing(name)))


def drift(before: Profile, frame: Frame, prepared: Transformed) -> list[Drift]:
    """One entry per column of `before` for the rows of `frame`; `prepared` is what they were transformed to."""
    if not frame.n_rows:
        return []
    return [_of_column(name, before, frame, prepared) for name in before.missing]


def _of_column(name: str, before: Profile, frame: Frame, prepared: Transformed) -> Drift:
    """A change of the missing share, or of the spread, is notable when it is both large and more than chance."""
    then, now = before.missing[name], _missing_share(frame, name)
    unknown, outside = prepared.unknown.get(name, 0) / frame.n_rows, prepared.outside.get(name, 0) / frame.n_rows
    gaps = abs(now - then) > max(NOTABLE_MISSING, STANDARD_ERRORS * _standard_error(then, now, before, frame))
    shift, chance = 0.0, 0.0
    if name in before.shares:
        shift, chance = distance(before.shares[name], round(before.n_rows * (1 - then)), frame, name)
    notable = gaps or max(unknown, outside) > NOTABLE_SHARE or shift > max(NOTABLE_SHIFT, CHANCES * chance)
    return Drift(name, then, now, unknown, outside, shift, notable)


def _standard_error(then: float, now: float, before: Profile, frame: Frame) -> float:
    """Of the difference of two shares, if both samples were of one kind."""
    share = (then * before.n_rows + now * frame.n_rows) / (before.n_rows + frame.n_rows)
    return float(np.sqrt(share * (1 - share) * (1 / before.n_rows + 1 / frame.n_rows)))
