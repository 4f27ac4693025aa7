"""JSON lines: one flat object per line, read twice, first for the columns and their types, then for the values.

pyarrow's JSON reader crashes on some lines that are no flat objects, so it is given a block only when a scan of
the structure has found one flat object on every line. Strings stay text, also those that look like dates.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import numpy as np
import pyarrow as pa
from pyarrow import json as arrow_json

from bptrain.data.files import DataFile, open_data
from bptrain.data.options import DataOptions
from bptrain.data.readers.format import Format, Sink, check_names, set_missing, utf8_blocks
from bptrain.errors import DataError, Problem, Warn
from bptrain.messages import data as messages
from bptrain.utils.text import escape, quote_list, shorten

LONGEST_LINE = 64 * 2**20
EXAMPLES = 5
_FLAT = re.compile(rb"(?:\n|\{x*\}(?:\n|\Z))*")
_STRUCTURE = bytes(byte if byte in b"\n{}[]" else ord("x") for byte in range(256))


class JsonLinesFormat(Format):
    """A flat JSON object per line; keys that a line does not have are missing cells."""

    name = "jsonl"
    suffixes = (".jsonl", ".ndjson")
    output_suffix = ".jsonl"

    @contextmanager
    def open(
        self, file: DataFile, options: DataOptions, warn: Warn
    ) -> Iterator[tuple[pa.Schema, Iterable[pa.RecordBatch]]]:
        """Columns in the order of their first appearance, with the type that holds all their values."""
        schema = pa.schema([])
        for line, block in _whole_lines(file, options):
            inferred = pa.schema(
                pa.field(field.name, pa.string() if pa.types.is_timestamp(field.type) else field.type)
                for field in _parse(block, file, line, schema=None).schema
            )
            try:
                schema = pa.unify_schemas([schema, inferred], promote_options="permissive")
            except (pa.ArrowTypeError, pa.ArrowInvalid) as err:
                _parse(block, file, line, schema=schema)  # names the line
                raise DataError(messages.TYPES_CHANGE(reason=err, where=file.name)) from err
        empty = () if schema.names else (messages.NO_VALUES(where=file.name),)
        check_names(schema.names, file.name, warn, problems=empty)
        yield schema, self._batches(file, options, schema)

    def sink(self, path: str, schema: pa.Schema) -> Sink:
        return JsonLinesSink(path)

    def _batches(self, file: DataFile, options: DataOptions, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        for line, block in _whole_lines(file, options):
            for batch in _parse(block, file, line, schema=schema).to_batches():
                yield set_missing(batch, options.na_values, where=file.name)


class JsonLinesSink:
    """A file with a line for each row."""

    def __init__(self, path: str) -> None:
        self._file = open(path, "w", encoding="utf-8")  # noqa: SIM115, PTH123 — closed by close()

    def write_table(self, table: pa.Table) -> None:
        """Append the rows of a table."""
        self._file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in table.to_pylist())

    def close(self) -> None:
        """Finish the file."""
        self._file.close()


def _whole_lines(file: DataFile, options: DataOptions) -> Iterator[tuple[int, bytes]]:
    """The file in blocks of whole lines, each with the number of its first line; those without text are left out."""
    line, rest = 1, b""
    with open_data(file) as stream:
        for block in utf8_blocks(stream, file, encoding=options.encoding):
            whole, newline, tail = block.rpartition(b"\n")
            if newline:
                ready, rest = rest + whole + newline, tail
                if ready.strip():
                    yield line, ready
                line += ready.count(b"\n")
            elif len(rest) > LONGEST_LINE:
                limit, where = LONGEST_LINE // 2**20, f"{file.name}: line {line}"
                raise DataError(messages.LONG_LINE(limit=limit, where=where))
            else:
                rest += block
        if rest.strip():
            yield line, rest


def _parse(block: bytes, file: DataFile, line: int, *, schema: pa.Schema | None) -> pa.Table:
    """The rows of a block that begins with `line`, with types of their own unless a schema says them."""
    # outside of strings every line must be empty or hold one pair of braces and no brackets
    plain = block.replace(b"\\\\", b"").replace(b'\\"', b"")
    data = np.frombuffer(plain, np.uint8)
    outside = np.cumsum(data == ord('"'), dtype=np.uint8) % 2 == 0  # wraps at 256, which keeps it odd or even
    if _FLAT.fullmatch(data[outside].tobytes().translate(_STRUCTURE, b" \t\r")) is None:
        raise DataError(*_line_problems(block, file, line))
    reading = arrow_json.ReadOptions(use_threads=False, block_size=len(block) + 1)
    behaviour = "infer" if schema is None or not schema.names else "ignore"
    parsing = arrow_json.ParseOptions(explicit_schema=schema, unexpected_field_behavior=behaviour)
    try:
        return arrow_json.read_json(io.BytesIO(block), reading, parsing)
    except pa.ArrowInvalid as err:
        raise DataError(_arrow_problem(str(err), block, file, line)) from err


def _line_problems(block: bytes, file: DataFile, first: int) -> list[Problem]:
    """What is wrong with the first few lines that are no flat object."""
    problems: list[Problem] = []
    for number, text in enumerate(block.split(b"\n"), start=first):
        if not text.strip() or len(problems) == EXAMPLES:
            continue
        beginning = shorten(escape(text.decode(errors="replace").strip()), 60)
        where = f"{file.name}: line {number}"
        try:
            value = json.loads(text)
        except (ValueError, RecursionError) as err:
            problems.append(messages.NOT_JSON(reason=err, line=beginning, where=where))
            continue
        if not isinstance(value, dict):
            problems.append(messages.NOT_AN_OBJECT(line=beginning, where=where))
        elif nested := [name for name, cell in value.items() if isinstance(cell, (dict, list))]:
            problems.append(messages.NESTED(names=quote_list(nested, last="and"), where=where))
    return problems or [messages.NOT_FLAT(where=file.name)]


def _arrow_problem(reason: str, block: bytes, file: DataFile, first: int) -> Problem:
    """What pyarrow says of a block, with the line that it is about."""
    row = re.search(r" in row (\d+)$", reason)
    where = file.name
    if row:
        filled = [number for number, text in enumerate(block.split(b"\n"), start=first) if text.strip()]
        where += f": line {filled[int(row[1])]}" if int(row[1]) < len(filled) else ""
        reason = reason[: row.start()]
    changed = re.search(r"Column\(/(.*)\) changed from (\w+) to (\w+)", reason, re.DOTALL)
    if changed:
        name = quote_list([changed[1]])
        return messages.TYPES_IN_FILE(name=name, first=changed[2], second=changed[3], where=where)
    return messages.INVALID_JSON(reason=reason.removeprefix("JSON parse error: "), where=where)
