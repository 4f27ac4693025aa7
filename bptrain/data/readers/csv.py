"""CSV and TSV: every cell as text, strictly; a file that pyarrow would read with a shrug is a DataError here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from bptrain.data.chunks import Warn, exact_chunks, ignore, text_array
from bptrain.data.files import DataFile, open_data
from bptrain.data.options import DataOptions
from bptrain.data.readers.csv_problems import examine, row_problem
from bptrain.data.readers.csv_rows import first_row
from bptrain.data.readers.encoding import utf8_blocks
from bptrain.data.readers.header import name_problems, name_warnings
from bptrain.data.readers.quotes import CR, LF, QuoteState, find_quotes
from bptrain.errors import DataError, Problem, UsageError
from bptrain.utils.text import escape

LONGEST_ROW = 2 * 2**20  # also the size of the blocks that pyarrow works on, so it decides the memory of streaming
_DELIMITERS = {";": "`;`", "\t": "a tab", "|": "`|`", ",": "`,`"}


class Malformed(Exception):
    """The bytes need the slower look of `examine`; never leaves this file."""


def csv_names(file: DataFile, options: DataOptions, *, delimiter: str, warn: Warn = ignore) -> list[str]:
    """The column names, from the first row or from `data.names`. DataError when they cannot be used (BP210-BP221)."""
    separator = _separator(delimiter)
    with open_data(file) as stream:
        blocks = utf8_blocks(stream, file, encoding=options.encoding)
        try:
            row = first_row(blocks, delimiter=separator, limit=LONGEST_ROW)
        except ValueError as err:
            raise _explanation(file, options, [], separator, str(err)) from err
    if row is None:
        problem = Problem("BP210", "the file is empty", escape(file.name), hints=("name a file that holds a table",))
        raise DataError(problem)
    names = row if options.header else list(options.names or ())
    where = f"{escape(file.name)}: row 1" if options.header else "data.names"
    problems = [*_delimiter_problems(row, delimiter, file), *name_problems(names, where=where)]
    if not options.header and len(row) != len(names) and not problems:
        problems.append(_other_count(row, names, file))
    if problems:
        raise DataError(*problems)
    for warning in name_warnings(names, where=where):
        warn(warning)
    return names


def read_csv(file: DataFile, options: DataOptions, *, delimiter: str, warn: Warn = ignore) -> pa.Table:
    """The whole table, every column text, cells of `data.na_values` null."""
    names = csv_names(file, options, delimiter=delimiter, warn=warn)
    watch = _Watch(_separator(delimiter))
    with open_data(file) as stream, _explained(file, options, names, watch.delimiter):
        blocks = utf8_blocks(stream, file, encoding=options.encoding, validate=False)
        reader = BlockReader(watch.passing(blocks))
        table = csv.read_csv(reader, **_arrow_options(names, options, delimiter))
    _require_no_header(table, file, options, before=0)
    _warn_of_line_ends(file, options, names, watch, warn)
    return table


def stream_csv(
    file: DataFile, options: DataOptions, *, delimiter: str, n_rows: int, warn: Warn = ignore
) -> Iterator[pa.Table]:
    """The same table in chunks of `n_rows` rows; holds a few blocks of the file and one chunk at a time."""
    names = csv_names(file, options, delimiter=delimiter, warn=warn)
    watch = _Watch(_separator(delimiter))
    before = 0
    with open_data(file) as stream, _explained(file, options, names, watch.delimiter):
        blocks = utf8_blocks(stream, file, encoding=options.encoding, validate=False)
        reader = BlockReader(watch.passing(blocks))
        with csv.open_csv(reader, **_arrow_options(names, options, delimiter)) as batches:
            for table in exact_chunks(batches, n_rows=n_rows):
                _require_no_header(table, file, options, before=before)
                before += table.num_rows
                yield table
    _warn_of_line_ends(file, options, names, watch, warn)


class BlockReader:
    """Blocks of bytes as the file that pyarrow reads from."""

    closed = False

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks = blocks
        self._ready = b""

    def read(self, size: int, /) -> bytes:
        parts, n_ready = [self._ready], len(self._ready)
        while n_ready < size and (block := next(self._blocks, b"")):
            parts.append(block)
            n_ready += len(block)
        ready = b"".join(parts)
        self._ready = ready[size:]
        return ready[:size]

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        self.closed = True


class _Watch:
    """Looks at the bytes on their way to pyarrow for what it would not report."""

    def __init__(self, delimiter: bytes) -> None:
        self.delimiter = delimiter
        self.line_ends: set[str] = set()

    def passing(self, blocks: Iterable[bytes]) -> Iterator[bytes]:
        """The same blocks, with a line end at the end. Malformed: NUL, text after a closing quote, an open quote."""
        state = QuoteState()
        for block in blocks:
            self._note_line_ends(block, after_cr=state.last == CR)
            if b"\0" in block or find_quotes(block, state, delimiter=self.delimiter).unfinished:
                raise Malformed
            yield block
        if state.inside:
            raise Malformed
        if state.last not in (CR, LF):
            yield b"\n"

    def _note_line_ends(self, block: bytes, *, after_cr: bool) -> None:
        """Also sees line ends inside quotes; `examine` decides when there is more than one sort."""
        if len(self.line_ends) > 1:
            return
        if b"\r" not in block and not after_cr:
            self.line_ends |= {"LF"} if b"\n" in block else set()
            return
        n_crlf = block.count(b"\r\n") + (after_cr and block[:1] == b"\n")
        self.line_ends |= {"CRLF"} if n_crlf else set()
        self.line_ends |= {"LF"} if block.count(b"\n") > n_crlf else set()
        self.line_ends |= {"CR"} if block.count(b"\r") + after_cr > n_crlf + block.endswith(b"\r") else set()


@contextmanager
def _explained(file: DataFile, options: DataOptions, names: list[str], delimiter: bytes) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowInvalid, Malformed) as err:
        raise _explanation(file, options, names, delimiter, str(err)) from err


def _explanation(file: DataFile, options: DataOptions, names: list[str], delimiter: bytes, reason: str) -> DataError:
    with open_data(file) as stream:
        blocks = utf8_blocks(stream, file, encoding=options.encoding)
        found = examine(blocks, delimiter=delimiter, n_columns=len(names), header=options.header)
    problem = row_problem(found, where=escape(file.name), n_columns=len(names))
    return DataError(problem) if problem else _unparsable(file, reason)


def _warn_of_line_ends(file: DataFile, options: DataOptions, names: list[str], watch: _Watch, warn: Warn) -> None:
    if warn is ignore or len(watch.line_ends) < 2:
        return
    with open_data(file) as stream:
        blocks = utf8_blocks(stream, file, encoding=options.encoding)
        found = examine(blocks, delimiter=watch.delimiter, n_columns=len(names), header=options.header)
    if len(found.line_ends) > 1:
        ends = " and ".join(sorted(found.line_ends))
        hint = "all were read as row ends; if rows were glued together from several files, check them"
        warn(Problem("BP229", f"rows end in different ways: {ends}", escape(file.name), hints=(hint,)))


def _arrow_options(names: list[str], options: DataOptions, delimiter: str) -> dict[str, object]:
    return {
        "read_options": csv.ReadOptions(block_size=LONGEST_ROW, column_names=None if options.header else names),
        "parse_options": csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
        "convert_options": csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()),
            null_values=list(options.na_values),
            strings_can_be_null=True,
            quoted_strings_can_be_null=True,
        ),
    }


def _separator(delimiter: str) -> bytes:
    if not delimiter.isascii() or delimiter in '"\r\n\0':
        message = f"`data.delimiter` is '{escape(delimiter)}'; expected one ASCII character, not a quote or a line end"
        raise UsageError(Problem("BP222", message, hints=("usual ones are `,`, `;`, `|` and `\\t`",)))
    return delimiter.encode()


def _delimiter_problems(row: list[str], delimiter: str, file: DataFile) -> list[Problem]:
    others = [shown for mark, shown in _DELIMITERS.items() if len(row) == 1 and mark != delimiter and mark in row[0]]
    if not others:
        return []
    used = _DELIMITERS.get(delimiter, f"`{escape(delimiter)}`")
    message = f"with {used} as separator the file has one column, '{escape(row[0][:60])}'"
    mark = next(mark for mark in _DELIMITERS if mark != delimiter and mark in row[0])
    hint = f'its cells look separated by {others[0]}: set `data.delimiter: "{escape(mark)}"`'
    return [Problem("BP218", message, f"{escape(file.name)}: row 1", hints=(hint,))]


def _other_count(row: list[str], names: list[str], file: DataFile) -> Problem:
    message = f"`data.names` lists {len(names)} columns, but the first row has {len(row)} cells"
    hints = ("list one name per column, in the order of the file",)
    return Problem("BP221", message, f"{escape(file.name)}: row 1", hints=hints)


def _require_no_header(table: pa.Table, file: DataFile, options: DataOptions, *, before: int) -> None:
    """Refuse rows that repeat the names of all columns; with one column that may be an honest value."""
    if table.num_columns < 2 or not table.num_rows:
        return
    names = text_array(table.column_names)
    repeats = pc.equal(table.column(0), names[0])
    for column, name in zip(table.columns[1:], names[1:], strict=True):
        if not pc.any(repeats).as_py():
            return
        repeats = pc.and_kleene(repeats, pc.equal(column, name))
    positions = pc.indices_nonzero(repeats).to_pylist()
    if positions:
        shown = ", ".join(str(before + position + 1 + options.header) for position in positions[:5])
        message = f"the header is repeated in row {shown}" + (" …" if len(positions) > 5 else "")
        hint = "remove these rows" if options.header else "set `data.header: true` and remove `data.names`"
        raise DataError(Problem("BP219", message, escape(file.name), hints=(hint,)))


def _unparsable(file: DataFile, reason: str) -> DataError:
    if "straddling" in reason:
        reason = f"a row is longer than {LONGEST_ROW // 2**20} MiB"
    hints = ("check the quotes and the separator; long texts or binary data belong in files of their own",)
    return DataError(Problem("BP223", f"the rows cannot be read: {escape(reason)}", escape(file.name), hints=hints))
