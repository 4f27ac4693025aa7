"""Moments to features: sine and cosine of what begins anew, standardised numbers of the rest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from bptrain.features.date.formats import DAY
from bptrain.features.date.parts import PARTS, read_part

ELAPSED = "elapsed"


@dataclass(frozen=True)
class DateColumn:
    """How one column is read and what is made of it."""

    name: str
    format: str
    parts: tuple[str, ...]
    cyclic: bool
    elapsed: bool

    def pieces(self) -> Iterator[tuple[str, bool]]:
        """The parts in order, `elapsed` last: its name, and whether it becomes sine and cosine."""
        yield from ((part, self.cyclic and PARTS[part].period > 0) for part in self.parts)
        if self.elapsed:
            yield ELAPSED, False

    def names(self) -> Iterator[str]:
        """The names of its features, in order."""
        for piece, circular in self.pieces():
            yield from (f"{self.name}: {piece}{end}" for end in ((" sine", " cosine") if circular else ("",)))


def n_scaled(columns: Iterable[DateColumn]) -> int:
    """How many features are no sine or cosine."""
    return sum(not circular for column in columns for _, circular in column.pieces())


def numbers(column: DateColumn, moments: np.ndarray, origin: float) -> np.ndarray:
    """What is to be standardised of moments (k,): (k, n_scaled) float64, NaN for missing."""
    read = [_number(piece, moments, origin) for piece, circular in column.pieces() if not circular]
    return np.stack(read, axis=1) if read else np.empty((len(moments), 0))


def features(column: DateColumn, moments: np.ndarray, origin: float, mean: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Features (k, n_features) float32 of moments (k,) in seconds since 1970-01-01; 0 for missing."""
    made = np.zeros((len(moments), len(list(column.names()))), np.float32)
    scaled = iter(((numbers(column, moments, origin) - mean) / scale).T)
    present, place = ~np.isnan(moments), 0
    for piece, circular in column.pieces():
        own = _circle(piece, moments[present]) if circular else next(scaled)[present, None]
        made[present, place : place + own.shape[1]] = own
        place += own.shape[1]
    return made


def _number(piece: str, moments: np.ndarray, origin: float) -> np.ndarray:
    return moments / DAY - origin if piece == ELAPSED else read_part(piece, moments)


def _circle(piece: str, moments: np.ndarray) -> np.ndarray:
    """Sine and cosine (k, 2), computed once for each value of the part."""
    part = PARTS[piece]
    angles = 2 * np.pi * np.arange(part.period) / part.period
    table = np.stack([np.sin(angles), np.cos(angles)], axis=1).astype(np.float32)
    return table[read_part(piece, moments).astype(np.int64) - part.first]
