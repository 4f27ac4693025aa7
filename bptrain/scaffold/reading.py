"""How to read a table that nobody has described: by the defaults, else with what makes it readable, and why."""

from __future__ import annotations

import codecs
from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from bptrain.data.files import AllowedPaths, DataFile, open_data
from bptrain.data.frame import Frame
from bptrain.data.load import FileSource, Loaded, load
from bptrain.data.options import CleanOptions, DataOptions
from bptrain.data.readers.formats import FORMATS, format_by_name
from bptrain.errors import DataError
from bptrain.utils.text import quote_list

MARKS = (  # the longer one first: UTF-32's begins like UTF-16's
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
DELIMITERS = {";": "semicolons", "\t": "tabs", "|": "vertical bars"}
BY_MARK, BY_NAME = "by its first bytes", "the name does not tell the format; it reads as CSV"
MOST = 0.9  # share of a column's cells from which their form is the column's
DECIMAL_COMMA = r"^[+-]?[0-9]*,[0-9]+$"
GROUPED = r"^[+-]?[1-9][0-9]{0,2}(,[0-9]{3})+$"  # 1,200 is rather twelve hundred, 0,200 is not
DECIMAL_POINT = r"^[+-]?[0-9]*\.[0-9]+$"
WHOLE = r"^[+-]?[0-9]+$"


@dataclass(frozen=True)
class Readable:
    """Options with which the files can be read, why each that is no default was chosen, and the rows."""

    options: DataOptions
    why: dict[str, str]
    loaded: Loaded


def read(train: Sequence[str], test: Sequence[str], roots: AllowedPaths) -> Readable:
    """Read the files. Raises the DataError of the defaults when no other way of reading helps."""
    options = DataOptions(train=tuple(train), test=tuple(test))
    why: dict[str, str] = {}
    first: DataError | None = None
    while True:
        try:
            loaded = load(options, CleanOptions(), roots)
            break
        except DataError as error:
            first = first or error
            changed = _other_way(error, options, why, roots)
            if changed is None:
                raise first from None
            options = changed
    marked = _commas(loaded.frame)
    if marked:
        why["decimal"] = f"a comma, as in {quote_list(marked, last='and', limit=3)}"
        options = options.model_copy(update={"decimal": ","})
        loaded = load(options, CleanOptions(), roots)
    return Readable(options, why, loaded)


def _other_way(error: DataError, options: DataOptions, why: dict[str, str], roots: AllowedPaths) -> DataOptions | None:
    """The options with the next thing to try, which is noted in `why`; None when there is none."""
    codes = {problem.code for problem in error.problems}
    files = roots.expand(options.train)
    if "BP208" in codes and "format" not in why:
        is_named = format_by_name(files[0]) is not None
        why["format"] = BY_MARK if is_named else BY_NAME
        other = next(name for name, format in FORMATS.items() if bool(format.mark) == is_named)
        return options.model_copy(update={"format": other})
    if "BP211" in codes and "encoding" not in why:
        encoding = _encoding(files[0])
        why["encoding"] = f"the bytes are not UTF-8; with {encoding} they are text"
        return options.model_copy(update={"encoding": encoding})
    if "delimiter" in why or not codes.isdisjoint({"BP200", "BP201", "BP202", "BP203", "BP204", "BP206", "BP207"}):
        return None
    delimiter = _delimiter(files[0], options)
    if delimiter is None:
        return None
    why["delimiter"] = f"cells are separated by {DELIMITERS[delimiter]}"
    return options.model_copy(update={"delimiter": delimiter})


def _encoding(file: DataFile) -> str:
    """utf-16 or utf-32 with their mark; cp1252 if bytes stand where latin-1 has no letters; else latin-1."""
    with open_data(file) as stream:
        block = stream.read(2**20)
        marked = next((name for mark, name in MARKS if block.startswith(mark)), None)
        if marked is not None:
            return marked
        while block:
            if any(0x80 <= byte <= 0x9F for byte in set(block)):
                return "cp1252"
            block = stream.read(2**20)
    return "latin-1"


def _delimiter(file: DataFile, options: DataOptions) -> str | None:
    """The separator that gives the header most columns, if it gives more than one."""
    counts: dict[str, int] = {}
    for delimiter in DELIMITERS:
        try:
            source = FileSource(file, options.model_copy(update={"delimiter": delimiter}))
            counts[delimiter] = len(source.column_names())
        except DataError:
            continue
    best = max(counts, key=lambda delimiter: counts[delimiter], default=None)
    return best if best is not None and counts[best] > 1 else None


def _commas(frame: Frame) -> list[str]:
    """Columns of numbers with a decimal comma; none when others have a decimal point."""
    commas, points = [], False
    for name in text_columns(frame):
        texts = frame.texts(name).drop_null()
        n_comma = _count(texts, DECIMAL_COMMA)
        if n_comma > _count(texts, GROUPED) and n_comma + _count(texts, WHOLE) >= MOST * len(texts):
            commas.append(name)
        n_point = _count(texts, DECIMAL_POINT)
        points |= n_point > 0 and n_point + _count(texts, WHOLE) >= MOST * len(texts)
    return [] if points else commas


def text_columns(frame: Frame) -> list[str]:
    """Columns whose cells are text, which is every one of CSV."""
    return [name for name in frame.names if pa.types.is_string(frame.type_of(name))]


def _count(texts: pa.ChunkedArray, pattern: str) -> int:
    return int(pc.sum(pc.match_substring_regex(texts, pattern)).as_py() or 0)
