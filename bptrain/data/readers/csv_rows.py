"""The rows of a CSV seen from outside: where each ends and how many cells it has, without reading the cells."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from bptrain.data.readers.quotes import CR, LF, Positions, Quotes, QuoteState, find_quotes


@dataclass(frozen=True)
class RowBlock:
    """The rows that end in one block: position of each row's end, and its number of cells (0: an empty line)."""

    block: bytes
    quotes: Quotes
    ends: Positions
    cells: Positions
    n_crlf: int

    def row_of(self, position: int) -> int:
        """How many rows of this block end before a position."""
        return int(np.searchsorted(self.ends, position))


def row_blocks(blocks: Iterable[bytes], *, delimiter: bytes) -> Iterator[RowBlock]:
    """Rows block by block; a row without line end at the end of the file counts as ended there."""
    state = QuoteState()
    begun, cells = 0, 1  # of the row that is not ended yet: its bytes and its cells
    for block in blocks:
        after_cr = state.last == CR and not state.inside
        quotes = find_quotes(block, state, delimiter=delimiter)
        rows, begun, cells = _rows(block, quotes, delimiter, begun=begun, cells=cells, after_cr=after_cr)
        yield rows
    if begun:
        yield RowBlock(b"", Quotes(), np.array([0]), np.array([cells]), 0)


def first_row(blocks: Iterable[bytes], *, delimiter: bytes, limit: int) -> list[str] | None:
    """The cells of the first row that is not empty, or None. ValueError: it does not end within `limit` bytes."""
    head = b""
    for block in blocks:
        head += block
        row = _first_ended(head, delimiter)
        if row is not None:
            return row
        if len(head) > limit:
            break
    row = _first_ended(head + b"\n", delimiter)
    if row is None and head.strip(b"\r\n"):
        raise ValueError(f"the first row does not end within {limit:,} bytes")
    return row


def _first_ended(head: bytes, delimiter: bytes) -> list[str] | None:
    rows = next(row_blocks([head], delimiter=delimiter))
    if not rows.cells.any():
        return None
    text = head[: int(rows.ends[np.flatnonzero(rows.cells)[0]])].decode(errors="replace").lstrip("\r\n")
    try:
        return next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter.decode()))
    except csv.Error as err:
        raise ValueError(f"the first row: {err}") from err


def _rows(
    block: bytes, quotes: Quotes, delimiter: bytes, *, begun: int, cells: int, after_cr: bool
) -> tuple[RowBlock, int, int]:
    data = np.frombuffer(block, np.uint8)
    breaks = quotes.outside(np.flatnonzero((data == LF) | (data == CR)).astype(np.int64))
    preceded = np.where(breaks > 0, data[breaks - 1], CR if after_cr else LF) == CR
    second = (data[breaks] == LF) & preceded  # the \n of \r\n ends no row of its own
    ends = breaks[~second]
    marks = quotes.outside(np.flatnonzero(data == delimiter[0]).astype(np.int64))
    counts = np.searchsorted(marks, ends)
    n_cells = np.diff(counts, prepend=0) + 1
    starts = _starts(ends, breaks[second], first=1 if after_cr and block[:1] == b"\n" else 0)
    lengths = ends - starts[:-1]
    if len(ends):
        n_cells[0] += cells - 1
        lengths[0] += begun
        begun, cells = 0, 1
    n_cells[lengths == 0] = 0
    begun += len(block) - int(starts[-1])
    cells += len(marks) - int(counts[-1] if len(ends) else 0)
    return RowBlock(block, quotes, ends, n_cells, int(second.sum())), begun, cells


def _starts(ends: Positions, seconds: Positions, *, first: int) -> Positions:
    """Where each row starts, one more than there are ends: after the line end before it, which may be two bytes."""
    starts = np.concatenate([np.array([first], np.int64), ends + 1])
    starts[1:] += np.isin(ends + 1, seconds)
    return starts
