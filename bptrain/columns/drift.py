"""How rows differ from the rows that a model was trained on, column by column."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

import numpy as np

from bptrain.columns.state import Transformed
from bptrain.table.frame import Frame

NOTABLE_SHARE = 0.001  # of new labels and of numbers outside the training range
NOTABLE_MISSING = 0.01  # change of the share of missing cells
STANDARD_ERRORS = 3.0


@dataclass(frozen=True)
class Drift:
    """Shares of a column's cells (0 … 1) among the rows that are judged; `missing_before` among training rows.

    `unknown` are labels that training rows never showed, `outside` numbers and dates beyond the smallest and largest
    of the training rows. `notable` says whether the column is worth a look.
    """

    column: str
    missing_before: float
    missing: float
    unknown: float
    outside: float
    notable: bool

    def to_json(self) -> dict[str, object]:
        return asdict(self)


@dataclass(frozen=True)
class Profile:
    """What training rows were like: their number, and the share of missing cells of each column that the model sees."""

    n_rows: int
    missing: Mapping[str, float]

    def to_json(self) -> dict[str, object]:
        return {"n_rows": self.n_rows, "missing": dict(self.missing)}


def profile(frame: Frame, columns: Iterable[str]) -> Profile:
    """The profile of the training rows in `frame`."""
    return Profile(frame.n_rows, {name: float(np.mean(frame.is_missing(name))) for name in columns})


def drift(before: Profile, frame: Frame, prepared: Transformed) -> list[Drift]:
    """One entry per column of `before` for the rows of `frame`; `prepared` is what they were transformed to."""
    if not frame.n_rows:
        return []
    now = profile(frame, before.missing)
    return [_of_column(name, before, now, prepared) for name in before.missing]


def _of_column(name: str, before: Profile, now: Profile, prepared: Transformed) -> Drift:
    """A change of the missing share is notable when it is both large and more than chance."""
    unknown, outside = prepared.unknown.get(name, 0) / now.n_rows, prepared.outside.get(name, 0) / now.n_rows
    change = abs(now.missing[name] - before.missing[name])
    gaps = change > max(NOTABLE_MISSING, STANDARD_ERRORS * _standard_error(name, before, now))
    notable = gaps or max(unknown, outside) > NOTABLE_SHARE
    return Drift(name, before.missing[name], now.missing[name], unknown, outside, notable)


def _standard_error(name: str, before: Profile, now: Profile) -> float:
    """Of the difference of two shares, if both samples were of one kind."""
    n_rows = before.n_rows + now.n_rows
    share = (before.missing[name] * before.n_rows + now.missing[name] * now.n_rows) / n_rows
    return float(np.sqrt(share * (1 - share) * (1 / before.n_rows + 1 / now.n_rows)))
