"""Where quoted cells of a CSV begin and end, block by block, exactly as pyarrow's reader sees them.

A quote opens a cell only at the cell's beginning; inside a quoted cell two quotes stand for one. The usual file needs a
few vector operations per block; only a block with irregular quotes (`6"5` inside a cell) is walked quote by quote.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

QUOTE, CR, LF, OTHER = ord('"'), ord("\r"), ord("\n"), ord("x")
Positions = NDArray[np.int64]


@dataclass
class QuoteState:
    """What one block must know of the blocks before it: `inside` a quoted cell, and the `last` byte."""

    inside: bool = False
    last: int = LF

    @property
    def just_closed(self) -> bool:
        """The last byte closed a quoted cell, unless a second quote follows."""
        return self.last == QUOTE and not self.inside


@dataclass(frozen=True)
class Quotes:
    """The quotes of one block: where `inside` changes, and the closing quotes after which the cell goes on."""

    starts_inside: bool = False
    toggles: Positions = field(default_factory=lambda: np.empty(0, np.int64))
    unfinished: tuple[int, ...] = ()

    def outside(self, positions: Positions) -> Positions:
        """Those of the positions that are not inside a quoted cell."""
        if not len(self.toggles):
            return positions[:0] if self.starts_inside else positions
        inside = (np.searchsorted(self.toggles, positions) + self.starts_inside) % 2
        kept: Positions = positions[inside == 0]
        return kept


def find_quotes(block: bytes, state: QuoteState, *, delimiter: bytes) -> Quotes:
    """The quotes of the next block of a file; `state` is brought to the end of the block."""
    starts_inside = state.inside
    if b'"' not in block and not (state.just_closed and block[0] not in (delimiter[0], CR, LF)):
        state.last = block[-1]
        return Quotes(starts_inside)
    data = np.frombuffer(block, np.uint8)
    positions = np.flatnonzero(data == QUOTE).astype(np.int64)
    if not _all_regular(data, positions, state, delimiter):
        return _walk(block, positions, state, delimiter)
    state.inside ^= len(positions) % 2 == 1
    state.last = block[-1]
    return Quotes(starts_inside, positions)


def _all_regular(data: NDArray[np.uint8], positions: Positions, state: QuoteState, delimiter: bytes) -> bool:
    """Whether every other quote opens a cell after a separator and the rest close one before a separator.

    Two quotes for one count as closing and opening again, so quotes may also be neighbours.
    """
    boundary = np.zeros(256, bool)
    boundary[[delimiter[0], CR, LF, QUOTE]] = True
    if state.just_closed and not boundary[data[0]]:
        return False
    opening, closing = positions[state.inside :: 2], positions[not state.inside :: 2]
    before = np.where(opening > 0, data[opening - 1], state.last)
    after = data[closing[closing + 1 < len(data)] + 1]
    return bool(boundary[before].all() and boundary[after].all())


def _walk(block: bytes, positions: Positions, state: QuoteState, delimiter: bytes) -> Quotes:
    starts_inside, inside, skip_to = state.inside, state.inside, 0
    separators = (delimiter[0], CR, LF)
    toggles: list[int] = []
    unfinished: list[int] = []
    if state.just_closed and block[0] == QUOTE:
        inside, skip_to = True, 1
        toggles.append(0)
    elif state.just_closed and block[0] not in separators:
        unfinished.append(0)
    for position in positions.tolist():
        if position < skip_to:
            continue
        following = block[position + 1] if position + 1 < len(block) else CR
        if not inside:
            inside = (block[position - 1] if position else state.last) in separators
            toggles += [position] if inside else []
        elif following == QUOTE:
            skip_to = position + 2
        else:
            inside = False
            toggles.append(position)
            unfinished += [] if following in separators else [position]
    ends_literal = block[-1] == QUOTE and not inside and toggles[-1:] != [len(block) - 1]
    state.inside, state.last = inside, OTHER if ends_literal else block[-1]
    return Quotes(starts_inside, np.array(toggles, np.int64), tuple(unfinished))
