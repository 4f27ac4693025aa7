"""What a file format must be able to do, and what several of them share: text as UTF-8, column names, chunks.

A format is one module with one object of `Format`, a line in `bptrain.data.readers.formats`, a name in `data.format`.
"""

from __future__ import annotations

import codecs
import unicodedata
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import ClassVar, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from bptrain.data.files import ByteStream, DataFile
from bptrain.data.frame import text_array
from bptrain.data.options import DataOptions
from bptrain.errors import DataError, Problem, UsageError, Warn, ignore, raise_problems
from bptrain.messages import data as messages
from bptrain.utils.text import quote_list

BLOCK = 2**20
MAX_COLUMNS = 10_000
_MARKS = (  # the longer one first: UTF-32's begins like UTF-16's
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (codecs.BOM_UTF8, "utf-8"),
)
_FOREIGN = {
    b"PAR1": "a Parquet file",
    b"ARROW1": "an Arrow file",
    b"\x1f\x8b": "a gzip file",
    b"PK\x03\x04": "a zip archive or an Excel workbook (.xlsx)",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook (.xls)",
    b"\x28\xb5\x2f\xfd": "a zstd file",
    b"BZh": "a bzip2 file",
    b"\xfd7zXZ": "an xz file",
    b"7z\xbc\xaf": "a 7-Zip archive",
    b"\x89HDF": "an HDF5 file",
    b"\x93NUMPY": "a NumPy file",
    b"SQLite format 3\0": "an SQLite database",
    b"%PDF-": "a PDF document",
    b"\x80\x02": "a Python pickle",
    b"\x80\x03": "a Python pickle",
    b"\x80\x04": "a Python pickle",
    b"\x80\x05": "a Python pickle",
    b"<!DOCTYPE": "an HTML page",
    b"<!doctype": "an HTML page",
    b"<html": "an HTML page",
}
_HINTS = {
    "a Parquet file": "name it .parquet or set `data.format: parquet`",
    "a gzip file": "add .gz to its name",
    "an HTML page": "the download may have returned an error page; download it again",
}


class Sink(Protocol):
    """Tables of one schema go in after each other; `close` finishes the file."""

    def write_table(self, table: pa.Table) -> None: ...

    def close(self) -> None: ...


class Format(ABC):
    """A way to write tables into files: how its files are recognised, read and written.

    Every `warn` is called with each warning. Reading raises DataError for a file that cannot be used.
    """

    name: str  # the value of `data.format`
    suffixes: tuple[str, ...]  # with which names of its files end, lower case; `.gz` may follow
    output_suffix: str | None = None  # with which an output file asks for it
    may_have_header: ClassVar[bool] = False  # a first row of names, where `data.header` says so
    mark: ClassVar[bytes] = b""  # the first bytes of every file, where they tell the format

    @abstractmethod
    def open(
        self, file: DataFile, options: DataOptions, warn: Warn
    ) -> AbstractContextManager[tuple[pa.Schema, Iterable[pa.RecordBatch]]]:
        """Columns and types, and the rows in their order; cells that equal one of `data.na_values` are null."""

    @abstractmethod
    def sink(self, path: str, schema: pa.Schema) -> Sink:
        """A new file to write tables to."""

    def column_names(self, file: DataFile, options: DataOptions, warn: Warn = ignore) -> list[str]:
        """The names of the columns, from as little of the file as tells them."""
        with self.open(file, options, warn) as (schema, _):
            return list(schema.names)

    def read(self, file: DataFile, options: DataOptions, warn: Warn) -> pa.Table:
        """The whole table."""
        with self.open(file, options, warn) as (schema, batches):
            return pa.Table.from_batches(batches, schema)

    def stream(self, file: DataFile, options: DataOptions, warn: Warn, *, chunk_rows: int) -> Iterator[pa.Table]:
        """The same table in chunks of `chunk_rows` rows, the last one shorter; a table without rows has none.

        Memory is bounded by the chunk and a few blocks of the file. Problems are raised where they are met, so chunks
        before them may have been given out.
        """
        with self.open(file, options, warn) as (_, batches):
            yield from exact_chunks(batches, n_rows=chunk_rows)


def exact_chunks(batches: Iterable[pa.RecordBatch], *, n_rows: int) -> Iterator[pa.Table]:
    """The same rows as tables of exactly `n_rows` rows; the last one may be shorter, none is empty."""
    parts: list[pa.RecordBatch] = []
    n_ready = 0
    for batch in batches:
        rest = batch
        while n_ready + rest.num_rows >= n_rows:
            n_taken = n_rows - n_ready
            yield pa.Table.from_batches([*parts, rest.slice(0, n_taken)])
            parts, n_ready, rest = [], 0, rest.slice(n_taken)
        if rest.num_rows:
            parts.append(rest)
            n_ready += rest.num_rows
    if parts:
        yield pa.Table.from_batches(parts)


def set_missing(batch: pa.RecordBatch, na_values: Sequence[str], *, where: str) -> pa.RecordBatch:
    """Cells of text columns that equal one of `na_values` become null. DataError (BP212): a cell holds NUL."""
    columns = []
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        if pa.types.is_string(column.type):
            if pc.any(pc.match_substring(column, "\0")).as_py():
                raise DataError(messages.NUL_IN_CELLS(name=quote_list([name]), where=where))
            missing = pc.is_in(column, value_set=text_array(na_values), skip_nulls=True)
            if pc.any(missing).as_py():
                column = pc.if_else(missing, pa.nulls(len(column), pa.string()), column)
        columns.append(column)
    return pa.RecordBatch.from_arrays(columns, schema=batch.schema)


def check_names(names: Sequence[str], where: str, warn: Warn = ignore, *, problems: Iterable[Problem] = ()) -> None:
    """Raise DataError with `problems` and why these column names cannot be used; warn of those easily mistyped.

    Too many (BP220), empty (BP216), repeated (BP215), alike but for case, spaces or Unicode form (BP217); spaces at
    the ends are a warning (BP209).
    """
    problems = list(problems)
    if len(names) > MAX_COLUMNS:
        too_many = messages.TOO_MANY_COLUMNS(n=f"{len(names):,}", limit=f"{MAX_COLUMNS:,}", where=where)
        raise DataError(*problems, too_many)
    empty = [number for number, name in enumerate(names, start=1) if not name.strip()]
    if empty:
        hints = []
        if empty[0] == 1:
            hints.append("if this is the index that pandas writes, save the table with `to_csv(..., index=False)`")
        if empty[-1] == len(names):
            hints.append("remove the separator at the end of the rows")
        numbers = ", ".join(map(str, empty[:5])) + (" …" if len(empty) > 5 else "")
        n, n_columns = len(empty), len(names)
        problems.append(messages.EMPTY_NAMES(n=n, n_columns=n_columns, numbers=numbers, where=where, hints=hints))
    repeated = [name for name, count in Counter(names).items() if count > 1 and name.strip()]
    if repeated:
        problems.append(messages.REPEATED_NAMES(names=quote_list(repeated, last="and"), where=where))
    groups: dict[str, list[str]] = {}
    for name in dict.fromkeys(names):
        folded = unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
        groups.setdefault(" ".join(folded.split()), []).append(name)
    problems += [
        messages.ALIKE_NAMES(names=quote_list(alike, last="and"), where=where)
        for folded, alike in groups.items()
        if folded and len(alike) > 1
    ]
    raise_problems(problems)
    if spaced := [name for name in names if name != name.strip()]:
        examples = ", ".join(f"'{name}'" for name in spaced[:5])
        warn(messages.SPACES_IN_NAMES(n=len(spaced), names=examples, where=where))


def foreign_format(block: bytes) -> str | None:
    """What a file that begins with these bytes is, when it is no text: "a Parquet file"."""
    if block[257:262] == b"ustar":
        return "a tar archive"
    return next((name for magic, name in _FOREIGN.items() if block.startswith(magic)), None)


def utf8_blocks(stream: ByteStream, file: DataFile, *, encoding: str, validate: bool = True) -> Iterator[bytes]:
    """The text of an open file as UTF-8 without byte order mark, in blocks of about 1 MiB.

    `validate=False` leaves it to the caller to find bytes that are no UTF-8, when that is the encoding.
    DataError: another format (BP208), bytes that do not fit the encoding (BP211). UsageError: no such encoding (BP222).
    """
    try:
        codec = codecs.lookup(encoding).name
        "a".encode(codec)
    except (LookupError, UnicodeError, ValueError) as err:
        raise UsageError(messages.NO_SUCH_ENCODING(encoding=encoding)) from err
    codec = "utf-8" if codec == "utf-8-sig" else codec
    block = stream.read(BLOCK)
    if name := foreign_format(block):
        hint = _HINTS.get(name, "convert it to CSV or Parquet first")
        raise DataError(messages.NOT_TEXT(format=name, where=file.name, hints=(hint,)))
    marked = next((marked for mark, marked in _MARKS if block.startswith(mark)), codec)
    if not codec.startswith(marked):
        problem = messages.OTHER_BYTE_ORDER_MARK(marked=marked.upper(), codec=codec, encoding=marked, where=file.name)
        raise DataError(problem)
    if codec != "utf-8" or validate:
        yield from _transcode(block, stream, file, codec)
        return
    block = block.removeprefix(codecs.BOM_UTF8)
    while block:
        yield block
        block = stream.read(BLOCK)


def _transcode(block: bytes, stream: ByteStream, file: DataFile, codec: str) -> Iterator[bytes]:
    """`block` and the others of the stream, decoded by `codec` and encoded as UTF-8."""
    decoder = codecs.getincrementaldecoder(codec)()
    consumed, lines = 0, 1
    while True:
        pending = len(decoder.getstate()[0])
        try:
            encoded = decoder.decode(block, final=not block).encode()
        except UnicodeDecodeError as err:
            lines += err.object[: err.start].count(b"\n")
            others = "latin-1`, or cp1252 for a file from Windows"
            problem = messages.UNDECODABLE(
                byte=err.object[err.start : err.start + 1].hex(),
                offset=f"{consumed - pending + err.start:,}",
                codec=codec,
                near=err.object[max(0, err.start - 20) : err.start + 20].decode("latin-1"),
                where=f"{file.name}: line {lines}",
                hints=("set `data.encoding`" if codec != "utf-8" else f"set `data.encoding: {others}",),
            )
            raise DataError(problem) from err
        except UnicodeError as err:
            raise DataError(messages.NO_SUCH_TEXT(codec=codec, reason=err, where=file.name)) from err
        if encoded:
            yield encoded if consumed else encoded.removeprefix(codecs.BOM_UTF8)
        if not block:
            return
        consumed += len(block)
        lines += encoded.count(b"\n")
        block = stream.read(BLOCK)
