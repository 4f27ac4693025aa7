"""CSV and TSV: every cell as text, strictly; a file that pyarrow would read with a shrug is a DataError here.

pyarrow reads the cells. What it does not report is found by looking at the bytes, block by block, exactly as its reader
sees them: quotes that are never closed, text after a closing quote, NUL bytes, and rows by the numbers that an editor
shows (decision A5).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyarrow import csv as arrow_csv

from bptrain.data.files import DataFile, open_data
from bptrain.data.frame import text_array
from bptrain.data.options import DataOptions
from bptrain.data.readers.format import Format, Sink, check_names, utf8_blocks
from bptrain.errors import DataError, Problem, UsageError, Warn, ignore
from bptrain.messages import data as messages
from bptrain.utils.text import escape, shorten

LONGEST_ROW = 2 * 2**20  # also the size of the blocks that pyarrow works on, so it decides the memory of streaming
EXAMPLES = 5
QUOTE, CR, LF, OTHER = ord('"'), ord("\r"), ord("\n"), ord("x")
Positions = NDArray[np.int64]
_SEPARATORS = {";": "`;`", "\t": "a tab", "|": "`|`", ",": "`,`"}


class Malformed(Exception):
    """The bytes need the slower look of `examine`; never leaves this file."""


@dataclass(frozen=True)
class CsvFormat(Format):
    """Rows of text cells between separators; `separator` is the one unless `data.delimiter` names another."""

    name: str
    separator: str
    suffixes: tuple[str, ...]
    output_suffix: str | None = None

    def column_names(self, file: DataFile, options: DataOptions, warn: Warn = ignore) -> list[str]:
        """From the first row or from `data.names`. DataError when they cannot be used (BP210-BP221)."""
        delimiter = self._delimiter(options)
        with open_data(file) as stream:
            blocks = utf8_blocks(stream, file, encoding=options.encoding)
            try:
                row = first_cells(blocks, delimiter=delimiter, limit=LONGEST_ROW)
            except ValueError as err:
                raise self._explanation(file, options, [], str(err)) from err
        if row is None:
            raise DataError(messages.EMPTY_FILE(where=file.name))
        names, first_row = row if options.header else list(options.names or ()), f"{file.name}: row 1"
        separator = delimiter.decode()
        others = [
            character for character in _SEPARATORS if character != separator and len(row) == 1 and character in row[0]
        ]
        problems = []
        if others:
            problem = messages.OTHER_SEPARATOR(
                separator=_SEPARATORS.get(separator, f"`{separator}`"),
                name=row[0][:60],
                other=_SEPARATORS[others[0]],
                character=others[0],
                where=first_row,
            )
            problems.append(problem)
        check_names(names, first_row if options.header else "data.names", warn, problems=problems)
        if len(row) != len(names):
            raise DataError(messages.NAMES_DO_NOT_FIT(n_names=len(names), n_cells=len(row), where=first_row))
        return names

    def first_row(self, options: DataOptions) -> int:
        """2 below a header, else 1."""
        return 2 if options.header else 1

    def read(self, file: DataFile, options: DataOptions, warn: Warn) -> pa.Table:
        """The whole table, by several threads."""
        names = self.column_names(file, options, warn)
        with self._checked_bytes(file, options, names, warn) as content:
            table = arrow_csv.read_csv(content, *self._arrow_options(names, options))
        _require_no_header(table, file, options, before=0)
        return table

    @contextmanager
    def open(
        self, file: DataFile, options: DataOptions, warn: Warn
    ) -> Iterator[tuple[pa.Schema, Iterable[pa.RecordBatch]]]:
        """Every column is text; holds a few blocks of the file at a time."""
        names = self.column_names(file, options, warn)
        with (
            self._checked_bytes(file, options, names, warn) as content,
            arrow_csv.open_csv(content, *self._arrow_options(names, options)) as batches,
        ):
            yield batches.schema, _without_header(batches, file, options)

    def sink(self, path: str, schema: pa.Schema) -> Sink:
        writer: Sink = arrow_csv.CSVWriter(path, schema)
        return writer

    def _delimiter(self, options: DataOptions) -> bytes:
        """The separator of cells. UsageError (BP222) for one that cannot be used."""
        delimiter = options.delimiter or self.separator
        if not delimiter.isascii() or delimiter in '"\r\n\0':
            raise UsageError(messages.NO_SUCH_SEPARATOR(delimiter=delimiter))
        return delimiter.encode()

    @contextmanager
    def _checked_bytes(
        self, file: DataFile, options: DataOptions, names: list[str], warn: Warn
    ) -> Iterator[_CheckedBytes]:
        """The file as pyarrow reads it; what goes wrong inside is explained, line ends are looked at in the end."""
        with open_data(file) as stream:
            blocks = utf8_blocks(stream, file, encoding=options.encoding, validate=False)
            content = _CheckedBytes(blocks, self._delimiter(options))
            try:
                yield content
            except (pa.ArrowInvalid, Malformed) as err:
                raise self._explanation(file, options, names, str(err)) from err
        if warn is not ignore and len(content.line_ends) > 1:
            ends = self._examine(file, options, names).line_ends
            if len(ends) > 1:
                warn(messages.LINE_ENDS(ends=" and ".join(sorted(ends)), where=file.name))

    def _examine(self, file: DataFile, options: DataOptions, names: list[str]) -> Examination:
        with open_data(file) as stream:
            blocks = utf8_blocks(stream, file, encoding=options.encoding)
            return examine(blocks, delimiter=self._delimiter(options), n_columns=len(names), header=options.header)

    def _explanation(self, file: DataFile, options: DataOptions, names: list[str], reason: str) -> DataError:
        """Why the rows cannot be read: what the slower look finds, else what pyarrow says."""
        problem = self._examine(file, options, names).problem(file.name)
        if problem is None:
            if "straddling" in reason:  # pyarrow has no code for it
                reason = f"a row is longer than {LONGEST_ROW // 2**20} MiB"
            problem = messages.UNPARSABLE(reason=reason, where=file.name)
        return DataError(problem)

    def _arrow_options(
        self, names: list[str], options: DataOptions
    ) -> tuple[arrow_csv.ReadOptions, arrow_csv.ParseOptions, arrow_csv.ConvertOptions]:
        read = arrow_csv.ReadOptions(block_size=LONGEST_ROW, column_names=None if options.header else names)
        parse = arrow_csv.ParseOptions(delimiter=self._delimiter(options).decode(), newlines_in_values=True)
        convert = arrow_csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()),
            null_values=list(options.na_values),
            strings_can_be_null=True,
            quoted_strings_can_be_null=True,
        )
        return read, parse, convert


class _CheckedBytes:
    """Blocks of bytes as the file that pyarrow reads from, looked at for what it would not report.

    Raises Malformed for NUL bytes, text after a closing quote, and an open quote at the end. `line_ends` are the sorts
    that were seen, also inside quotes: `examine` decides when there is more than one.
    """

    closed = False

    def __init__(self, blocks: Iterable[bytes], delimiter: bytes) -> None:
        self.line_ends: set[str] = set()
        self._delimiter = delimiter
        self._blocks = self._passing(blocks)
        self._ready = b""

    def read(self, size: int, /) -> bytes:
        """The next bytes: exactly `size`, fewer only at the end."""
        parts, n_ready = [self._ready], len(self._ready)
        while n_ready < size and (block := next(self._blocks, b"")):
            parts.append(block)
            n_ready += len(block)
        ready = b"".join(parts)
        self._ready = ready[size:]
        return ready[:size]

    def close(self) -> None:
        self.closed = True

    def _passing(self, blocks: Iterable[bytes]) -> Iterator[bytes]:
        """The same blocks, with a line end at the end."""
        state = QuoteState()
        for block in blocks:
            after_cr = state.last == CR
            if b"\r" not in block and not after_cr:
                self.line_ends |= {"LF"} if b"\n" in block else set()
            elif len(self.line_ends) < 2:
                n_crlf = block.count(b"\r\n") + (after_cr and block[:1] == b"\n")
                self.line_ends |= {"CRLF"} if n_crlf else set()
                self.line_ends |= {"LF"} if block.count(b"\n") > n_crlf else set()
                self.line_ends |= {"CR"} if block.count(b"\r") + after_cr > n_crlf + block.endswith(b"\r") else set()
            if b"\0" in block or find_quotes(block, state, delimiter=self._delimiter).unfinished:
                raise Malformed
            yield block
        if state.inside:
            raise Malformed
        if state.last not in (CR, LF):
            yield b"\n"


def _without_header(
    batches: Iterable[pa.RecordBatch], file: DataFile, options: DataOptions
) -> Iterator[pa.RecordBatch]:
    """The same batches, of which none may hold the header again."""
    before = 0
    for batch in batches:
        _require_no_header(batch, file, options, before=before)
        before += batch.num_rows
        yield batch


def _require_no_header(rows: pa.Table | pa.RecordBatch, file: DataFile, options: DataOptions, *, before: int) -> None:
    """Refuse rows that repeat the names of all columns; with one column that may be an honest value."""
    if rows.num_columns < 2 or not rows.num_rows:
        return
    names = text_array(rows.schema.names)
    repeats = pc.equal(rows.column(0), names[0])
    for column, name in zip(rows.columns[1:], names[1:], strict=True):
        if not pc.any(repeats).as_py():
            return
        repeats = pc.and_kleene(repeats, pc.equal(column, name))
    positions = pc.indices_nonzero(repeats).to_pylist()
    if positions:
        rows_shown = ", ".join(str(before + position + 1 + options.header) for position in positions[:EXAMPLES])
        rows_shown += " …" if len(positions) > EXAMPLES else ""
        message = messages.HEADER_REPEATED if options.header else messages.NAMES_IN_ROWS
        raise DataError(message(rows=rows_shown, where=file.name))


# The bytes of a file


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
