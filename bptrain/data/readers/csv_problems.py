"""Why a CSV could not be read: a second, slower pass that finds the rows to name."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np

from bptrain.data.readers.csv_rows import RowBlock, row_blocks
from bptrain.errors import Problem
from bptrain.utils.text import escape, shorten

EXAMPLES = 5


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
class Findings:
    """What is wrong with the rows of a CSV; rows are numbered as in a spreadsheet, empty lines included."""

    n_rows: int = 0
    n_longer_by_one: int = 0
    line_ends: set[str] = field(default_factory=set)
    nul: Tally = field(default_factory=Tally)
    unfinished: Tally = field(default_factory=Tally)
    ragged: Tally = field(default_factory=Tally)
    quote_open_at: int | None = None


def examine(blocks: Iterable[bytes], *, delimiter: bytes, n_columns: int, header: bool) -> Findings:
    """Walk through all rows of a file; `n_rows` counts the rows below the header that are not empty."""
    found = Findings()
    before, header_row, quote_open_at = 0, 0 if header else -1, None
    for rows in row_blocks(blocks, delimiter=delimiter):
        cells = rows.cells
        if header_row == 0 and cells.any():
            header_row = before + int(np.flatnonzero(cells)[0]) + 1
        present = cells > 0
        if header_row > before:
            present[header_row - before - 1] = False
        _note(found, rows, present & (cells != n_columns), before)
        found.n_rows += int(present.sum())
        found.n_longer_by_one += int((present & (cells == n_columns + 1)).sum())
        if len(rows.quotes.toggles):
            quote_open_at = before + rows.row_of(int(rows.quotes.toggles[-1])) + 1
        inside = (len(rows.quotes.toggles) + rows.quotes.starts_inside) % 2 == 1
        if rows.block:  # the row that the end of the file ends has none
            found.quote_open_at = quote_open_at if inside else None
        before += len(cells)
    return found


def row_problem(found: Findings, *, where: str, n_columns: int) -> Problem | None:
    """The first cause, as what follows from it would only confuse: NUL bytes, quotes, then rows of another length."""
    if found.nul.count:
        hints = ("if the file is UTF-16, set `data.encoding: utf-16`", "otherwise export it again; it may be damaged")
        return Problem("BP212", f"{found.nul.count:,} rows hold a NUL byte: {found.nul}", where, hints=hints)
    if found.quote_open_at is not None or found.unfinished.count:
        return _quote_problem(found, where)
    if found.ragged.count and n_columns:  # 0: the header itself could not be read
        return _ragged_problem(found, where, n_columns)
    return None


def _note(found: Findings, rows: RowBlock, ragged: np.ndarray, before: int) -> None:
    ends = np.frombuffer(rows.block, np.uint8)[rows.ends] if rows.block else np.empty(0, np.uint8)
    n_cr = int((ends == 13).sum())
    found.line_ends |= {"CRLF"} if rows.n_crlf else set()
    found.line_ends |= {"LF"} if n_cr < len(ends) else set()
    found.line_ends |= {"CR"} if n_cr > rows.n_crlf + (rows.block[-1:] == b"\r") else set()
    numbers = np.flatnonzero(ragged)
    found.ragged.add((f"row {before + n + 1} has {rows.cells[n]}" for n in numbers.tolist()), len(numbers))
    if b"\0" in rows.block:
        nul = np.unique(np.searchsorted(rows.ends, np.flatnonzero(np.frombuffer(rows.block, np.uint8) == 0)))
        found.nul.add((f"row {before + n + 1}" for n in nul.tolist()), len(nul))
    remark = _quote_remark(rows, before)
    found.unfinished.add(map(remark, rows.quotes.unfinished), len(rows.quotes.unfinished))


def _quote_remark(rows: RowBlock, before: int) -> Callable[[int], str]:
    def remark(position: int) -> str:
        near = rows.block[max(0, position - 15) : position + 15].decode(errors="replace")
        return f"row {before + rows.row_of(position) + 1} near '{escape(near)}'"

    return remark


def _quote_problem(found: Findings, where: str) -> Problem:
    parts = []
    if found.unfinished.count:
        parts.append(f"text follows the closing quote of a cell: {found.unfinished}")
    if found.quote_open_at is not None:
        parts.append(f"the quote that opens in row {found.quote_open_at} is never closed")
    hints = ('close every quoted cell with a quote, and write a quote inside it twice: "5"" pipe"',)
    return Problem("BP214", "; ".join(parts), where, hints=hints)


def _ragged_problem(found: Findings, where: str, n_columns: int) -> Problem:
    hints = ["quote cells that hold the separator, and give every row one cell per column"]
    if found.n_longer_by_one == found.n_rows:
        hints = ["every row has one cell more than the header: name the first column, or remove a separator at the end"]
    shown = shorten(str(found.ragged), 200)
    message = f"{found.ragged.count:,} of {found.n_rows:,} rows do not have {n_columns} cells: {shown}"
    return Problem("BP213", message, where, hints=tuple(hints))
