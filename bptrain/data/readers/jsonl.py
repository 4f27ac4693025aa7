"""JSON lines: one flat object per line, read twice, first for the columns and their types, then for the values.

pyarrow's JSON reader crashes on some lines that are no flat objects, so it is given a block only when a scan of
the structure has found one flat object on every line. Strings stay text, also those that look like dates.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa
from pyarrow import json as arrow_json

from bptrain.data.chunks import Warn, exact_chunks, ignore, with_missing
from bptrain.data.files import DataFile, open_data
from bptrain.data.options import DataOptions
from bptrain.data.readers.encoding import utf8_blocks
from bptrain.data.readers.header import name_problems, name_warnings
from bptrain.errors import DataError, Problem
from bptrain.utils.text import escape, quote_list, shorten

LONGEST_LINE = 64 * 2**20
_FLAT = re.compile(rb"(?:\n|\{x*\}(?:\n|\Z))*")
_STRUCTURE = bytes(byte if byte in b"\n{}[]" else ord("x") for byte in range(256))


def jsonl_schema(file: DataFile, options: DataOptions, *, warn: Warn = ignore) -> pa.Schema:
    """Columns in the order of their first appearance, with the type that holds all their values.

    DataError: not one object per line (BP224), nested values (BP225), values of several types in a column (BP226).
    """
    schema = pa.schema([])
    with open_data(file) as stream:
        for line, block in _whole_lines(utf8_blocks(stream, file, encoding=options.encoding), file):
            schema = _unified(schema, _inferred(block, file, line), block, file, line)
    where = escape(file.name)
    problems = name_problems(schema.names, where=where)
    if not schema.names:
        problems.append(Problem("BP210", "the file holds no values", where, hints=("name a file that holds a table",)))
    if problems:
        raise DataError(*problems)
    for warning in name_warnings(schema.names, where=where):
        warn(warning)
    return schema


def read_jsonl(file: DataFile, options: DataOptions, *, warn: Warn = ignore) -> pa.Table:
    """The whole table; keys that a line does not have are null."""
    schema = jsonl_schema(file, options, warn=warn)
    return pa.Table.from_batches(_batches(file, options, schema), schema)


def stream_jsonl(file: DataFile, options: DataOptions, *, n_rows: int, warn: Warn = ignore) -> Iterator[pa.Table]:
    """The same table in chunks of `n_rows` rows."""
    schema = jsonl_schema(file, options, warn=warn)
    return exact_chunks(_batches(file, options, schema), n_rows=n_rows)


def _batches(file: DataFile, options: DataOptions, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    with open_data(file) as stream:
        for line, block in _whole_lines(utf8_blocks(stream, file, encoding=options.encoding), file):
            for batch in _parsed(block, file, line, schema=schema).to_batches():
                yield with_missing(batch, options.na_values, where=file.name)


def _whole_lines(blocks: Iterable[bytes], file: DataFile) -> Iterator[tuple[int, bytes]]:
    """Blocks of whole lines, each with the number of its first line; blocks without any text are left out."""
    line, rest = 1, b""
    for block in blocks:
        whole, newline, tail = block.rpartition(b"\n")
        if newline:
            ready, rest = rest + whole + newline, tail
            if ready.strip():
                yield line, ready
            line += ready.count(b"\n")
        elif len(rest) > LONGEST_LINE:
            message = f"a line is longer than {LONGEST_LINE // 2**20} MiB"
            hints = ("write one object per line, or convert the file to Parquet",)
            raise DataError(Problem("BP223", message, f"{escape(file.name)}: line {line}", hints=hints))
        else:
            rest += block
    if rest.strip():
        yield line, rest


def _inferred(block: bytes, file: DataFile, line: int) -> pa.Schema:
    schema = _parsed(block, file, line, schema=None).schema
    kept = [pa.field(f.name, pa.string() if pa.types.is_timestamp(f.type) else f.type) for f in schema]
    return pa.schema(kept)


def _unified(known: pa.Schema, new: pa.Schema, block: bytes, file: DataFile, line: int) -> pa.Schema:
    try:
        return pa.unify_schemas([known, new], promote_options="permissive")
    except (pa.ArrowTypeError, pa.ArrowInvalid) as err:
        _parsed(block, file, line, schema=known)  # names the line
        raise DataError(Problem("BP226", f"columns change their type: {escape(str(err))}", escape(file.name))) from err


def _parsed(block: bytes, file: DataFile, line: int, *, schema: pa.Schema | None) -> pa.Table:
    if not _is_flat(block):
        raise DataError(*_line_problems(block, file, line))
    options = arrow_json.ReadOptions(use_threads=False, block_size=len(block) + 1)
    behaviour = "infer" if schema is None or not schema.names else "ignore"
    parsing = arrow_json.ParseOptions(explicit_schema=schema, unexpected_field_behavior=behaviour)
    try:
        return arrow_json.read_json(io.BytesIO(block), options, parsing)
    except pa.ArrowInvalid as err:
        raise DataError(_arrow_problem(str(err), block, file, line)) from err


def _is_flat(block: bytes) -> bool:
    """Whether outside of strings every line is empty or holds one pair of braces and no brackets."""
    plain = block.replace(b"\\\\", b"").replace(b'\\"', b"")
    data = np.frombuffer(plain, np.uint8)
    outside = np.cumsum(data == ord('"'), dtype=np.uint8) % 2 == 0  # wraps at 256, which keeps it odd or even
    return _FLAT.fullmatch(data[outside].tobytes().translate(_STRUCTURE, b" \t\r")) is not None


def _line_problems(block: bytes, file: DataFile, first: int) -> list[Problem]:
    problems: list[Problem] = []
    for number, text in enumerate(block.split(b"\n"), start=first):
        where = f"{escape(file.name)}: line {number}"
        problem = _line_problem(text, where) if text.strip() else None
        problems += [problem] if problem else []
        if len(problems) == 5:
            break
    return problems or [Problem("BP224", "the lines are not one flat JSON object each", escape(file.name))]


def _line_problem(text: bytes, where: str) -> Problem | None:
    shown = shorten(escape(text.decode(errors="replace").strip()), 60)
    hints = ('write one object per line: {"age": 39, "income": "low"}',)
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as err:
        return Problem("BP224", f"not a JSON object: {escape(str(err))}: {shown}", where, hints=hints)
    if not isinstance(value, dict):
        return Problem("BP224", f"expected a JSON object, got {shown}", where, hints=hints)
    nested = [name for name, cell in value.items() if isinstance(cell, (dict, list))]
    if nested:
        message = f"columns hold lists or objects: {quote_list(nested, last='and')}"
        return Problem("BP225", message, where, hints=("write each part as a column of its own",))
    return None


def _arrow_problem(reason: str, block: bytes, file: DataFile, first: int) -> Problem:
    row = re.search(r" in row (\d+)$", reason)
    where = escape(file.name)
    if row:
        filled = [number for number, text in enumerate(block.split(b"\n"), start=first) if text.strip()]
        where += f": line {filled[int(row[1])]}" if int(row[1]) < len(filled) else ""
        reason = reason[: row.start()]
    changed = re.search(r"Column\(/(.*)\) changed from (\w+) to (\w+)", reason, re.DOTALL)
    if changed:
        message = f"column {quote_list([changed[1]])} holds values of several types: {changed[2]} and {changed[3]}"
        return Problem(
            "BP226", message, where, hints=("write all values of a column alike, for instance all in quotes",)
        )
    hints = ("write one object per line, each key once",)
    return Problem("BP224", f"not valid JSON: {escape(reason.removeprefix('JSON parse error: '))}", where, hints=hints)
