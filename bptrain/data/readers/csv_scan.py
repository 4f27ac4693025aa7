"""A CSV seen from outside: where quoted cells and rows end and how many cells a row has, without reading the cells.

pyarrow reads the cells. What it does not report is found here, block by block, exactly as its reader sees the bytes:
quotes that are never closed, text after a closing quote, NUL bytes, and rows by the numbers that an editor shows. (Its
`invalid_row_handler` tells of ragged rows only, without numbers when it reads in parallel or in a stream, and does not
count empty lines.)
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bptrain.errors import Problem
from bptrain.messages import data as messages
from bptrain.utils.text import escape, shorten

QUOTE, CR, LF, OTHER = ord('"'), ord("\r"), ord("\n"), ord("x")
EXAMPLES = 5
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
        return np.asarray(positions[inside == 0])


def find_quotes(block: bytes, state: QuoteState, *, delimiter: bytes) -> Quotes:
    """The quotes of the next block of a file; `state` is brought to the end of the block.

    A quote opens a cell only at the cell's beginning; inside a quoted cell two quotes stand for one. The usual file
    needs a few vector operations per block; only a block with irregular quotes (`6"5` inside a cell) is walked quote by
    quote.
    """
    starts_inside = state.inside
    if b'"' not in block and not (state.just_closed and block[0] not in (delimiter[0], CR, LF)):
        state.last = block[-1]
        return Quotes(starts_inside)
    data = np.frombuffer(block, np.uint8)
    positions = np.flatnonzero(data == QUOTE).astype(np.int64)
    # Regular: every other quote opens a cell after a separator, the rest close one before a separator. Two quotes for
    # one count as closing and opening again, so quotes may also be neighbours.
    boundary = np.zeros(256, bool)
    boundary[[delimiter[0], CR, LF, QUOTE]] = True
    opening, closing = positions[state.inside :: 2], positions[not state.inside :: 2]
    before = np.where(opening > 0, data[opening - 1], state.last)
    after = data[closing[closing + 1 < len(data)] + 1]
    if (state.just_closed and not boundary[data[0]]) or not (boundary[before].all() and boundary[after].all()):
        return _walk(block, positions, state, delimiter)
    state.inside ^= len(positions) % 2 == 1
    state.last = block[-1]
    return Quotes(starts_inside, positions)


def _walk(block: bytes, positions: Positions, state: QuoteState, delimiter: bytes) -> Quotes:
    """`find_quotes` one quote after the other."""
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
        data = np.frombuffer(block, np.uint8)
        breaks = quotes.outside(np.flatnonzero((data == LF) | (data == CR)).astype(np.int64))
        preceded = np.where(breaks > 0, data[breaks - 1], CR if after_cr else LF) == CR
        second = (data[breaks] == LF) & preceded  # the \n of \r\n ends no row of its own
        ends = breaks[~second]
        # each row starts behind the line end before it, which may be two bytes
        starts = np.concatenate([np.array([after_cr and block[:1] == b"\n"], np.int64), ends + 1])
        starts[1:] += np.isin(ends + 1, breaks[second])
        separators = quotes.outside(np.flatnonzero(data == delimiter[0]).astype(np.int64))
        counts = np.searchsorted(separators, ends)
        n_cells, lengths = np.diff(counts, prepend=0) + 1, ends - starts[:-1]
        if len(ends):
            n_cells[0] += cells - 1
            lengths[0] += begun
            begun, cells = 0, 1
        n_cells[lengths == 0] = 0
        begun += len(block) - int(starts[-1])
        cells += len(separators) - int(counts[-1] if len(ends) else 0)
        yield RowBlock(block, quotes, ends, n_cells, int(second.sum()))
    if begun:
        yield RowBlock(b"", Quotes(), np.array([0]), np.array([cells]), 0)


def first_cells(blocks: Iterable[bytes], *, delimiter: bytes, limit: int) -> list[str] | None:
    """The cells of the first row that is not empty, or None. ValueError: it does not end within `limit` bytes."""
    head, is_all = b"", False
    blocks = iter(blocks)
    while not is_all:
        block = next(blocks, b"") if len(head) <= limit else b""
        is_all = not block
        head += block or b"\n"  # a row may end without a line end
        rows = next(row_blocks([head], delimiter=delimiter))
        if rows.cells.any():
            text = head[: int(rows.ends[np.flatnonzero(rows.cells)[0]])].decode(errors="replace").lstrip("\r\n")
            try:
                return next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter.decode()))
            except csv.Error as err:
                raise ValueError(f"the first row: {err}") from err
    if head.strip(b"\r\n"):
        raise ValueError(f"the first row does not end within {limit:,} bytes")
    return None


@dataclass
class Tally:
    """Rows of one sort: how many, and the first few with a remark."""

    count: int = 0
    examples: list[str] = field(default_factory=list)

    def add(self, remarks: Iterable[str], count: int) -> None:
        """Count more rows; remarks beyond the first few are not even made."""
        self.count += count
        if count:
            self.examples += [remark for remark, _ in zip(remarks, range(EXAMPLES - len(self.examples)), strict=False)]

    def __str__(self) -> str:
        more = f" and {self.count - len(self.examples):,} more" if self.count > len(self.examples) else ""
        return ", ".join(self.examples) + more


@dataclass
class Examination:
    """What is wrong with the rows of a CSV; rows are numbered as in a spreadsheet, empty lines included."""

    n_columns: int
    n_rows: int = 0
    n_longer_by_one: int = 0
    line_ends: set[str] = field(default_factory=set)
    nul: Tally = field(default_factory=Tally)
    unfinished: Tally = field(default_factory=Tally)
    ragged: Tally = field(default_factory=Tally)
    quote_open_at: int | None = None

    def add(self, rows: RowBlock, present: NDArray[np.bool_], before: int) -> None:
        """Look at the rows of one block, of which `present` are neither empty nor the header, after `before` rows."""
        ends = np.frombuffer(rows.block, np.uint8)[rows.ends] if rows.block else np.empty(0, np.uint8)
        n_cr = int((ends == CR).sum())
        self.line_ends |= {"CRLF"} if rows.n_crlf else set()
        self.line_ends |= {"LF"} if n_cr < len(ends) else set()
        self.line_ends |= {"CR"} if n_cr > rows.n_crlf + (rows.block[-1:] == b"\r") else set()
        ragged = np.flatnonzero(present & (rows.cells != self.n_columns))
        self.ragged.add((f"row {before + n + 1} has {rows.cells[n]}" for n in ragged.tolist()), len(ragged))
        self.n_rows += int(present.sum())
        self.n_longer_by_one += int((present & (rows.cells == self.n_columns + 1)).sum())
        if b"\0" in rows.block:
            nul = np.unique(np.searchsorted(rows.ends, np.flatnonzero(np.frombuffer(rows.block, np.uint8) == 0)))
            self.nul.add((f"row {before + n + 1}" for n in nul.tolist()), len(nul))
        near = (
            (rows.row_of(position), rows.block[max(0, position - 15) : position + 15].decode(errors="replace"))
            for position in rows.quotes.unfinished
        )
        remarks = (f"row {before + n + 1} near '{escape(text)}'" for n, text in near)
        self.unfinished.add(remarks, len(rows.quotes.unfinished))

    def problem(self, where: str) -> Problem | None:
        """The first cause, as what follows from it would only confuse: NUL bytes, quotes, rows of another length."""
        if self.nul.count:
            return messages.NUL_IN_ROWS(n=f"{self.nul.count:,}", rows=self.nul, where=where)
        quotes = [f"text follows the closing quote of a cell: {self.unfinished}"] if self.unfinished.count else []
        if self.quote_open_at is not None:
            quotes.append(f"the quote that opens in row {self.quote_open_at} is never closed")
        if quotes:
            return messages.QUOTES(problems="; ".join(quotes), where=where)
        if self.ragged.count and self.n_columns:  # 0: the header itself could not be read
            all_longer = self.n_longer_by_one == self.n_rows
            message = messages.ROWS_LONGER_BY_ONE if all_longer else messages.RAGGED_ROWS
            return message(
                n=f"{self.ragged.count:,}",
                n_rows=f"{self.n_rows:,}",
                n_columns=self.n_columns,
                rows=shorten(str(self.ragged), 200),
                where=where,
            )
        return None


def examine(blocks: Iterable[bytes], *, delimiter: bytes, n_columns: int, header: bool) -> Examination:
    """Walk through all rows of a file: a second, slower pass that finds the rows to name."""
    examination = Examination(n_columns)
    before, header_row, quote_open_at = 0, 0 if header else -1, None
    for rows in row_blocks(blocks, delimiter=delimiter):
        present = rows.cells > 0
        if header_row == 0 and present.any():
            header_row = before + int(np.flatnonzero(present)[0]) + 1
        if header_row > before:
            present[header_row - before - 1] = False
        examination.add(rows, present, before)
        if len(rows.quotes.toggles):
            quote_open_at = before + rows.row_of(int(rows.quotes.toggles[-1])) + 1
        inside = (len(rows.quotes.toggles) + rows.quotes.starts_inside) % 2 == 1
        if rows.block:  # the row that the end of the file ends has none
            examination.quote_open_at = quote_open_at if inside else None
        before += len(rows.cells)
    return examination
