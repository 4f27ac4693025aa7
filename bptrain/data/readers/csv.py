"""CSV and TSV: every cell as text, strictly; a file that pyarrow would read with a shrug is a DataError here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from bptrain.data.files import DataFile, open_data
from bptrain.data.frame import text_array
from bptrain.data.options import DataOptions
from bptrain.data.readers.csv_scan import CR, LF, Examination, QuoteState, examine, find_quotes, first_cells
from bptrain.data.readers.format import Format, Sink, check_names, utf8_blocks
from bptrain.errors import DataError, UsageError, Warn, ignore
from bptrain.messages import data as messages

LONGEST_ROW = 2 * 2**20  # also the size of the blocks that pyarrow works on, so it decides the memory of streaming
EXAMPLES = 5
_SEPARATORS = {";": "`;`", "\t": "a tab", "|": "`|`", ",": "`,`"}


class Malformed(Exception):
    """The bytes need the slower look of `examine`; never leaves this file."""


class CsvFormat(Format):
    """Rows of text cells between separators; `separator` is the one unless `data.delimiter` names another."""

    def __init__(self, name: str, separator: str, *, output_suffix: str | None = None) -> None:
        self.name, self.suffixes, self.output_suffix = name, (f".{name}",), output_suffix
        self.separator = separator

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
            table = csv.read_csv(content, **self._arrow_options(names, options))
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
            csv.open_csv(content, **self._arrow_options(names, options)) as batches,
        ):
            yield batches.schema, _without_header(batches, file, options)

    def sink(self, path: str, schema: pa.Schema) -> Sink:
        writer: Sink = csv.CSVWriter(path, schema)
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

    def _arrow_options(self, names: list[str], options: DataOptions) -> dict[str, Any]:
        delimiter = self._delimiter(options).decode()
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
