"""The section `data` of a table that nobody has described: how its files are read, and which cells mean missing.

Files are read by the defaults, else with what makes them readable. A word such as `?` or `NA` means missing wherever it
stands, unless the other cells make it a label; `unknown` or a dash only where what is left is more than labels
(numbers, dates, grades), as labels lose nothing by one more. The same goes for odd cells in a column of numbers.
Whatever is decided is counted, so that the user can disagree.
"""

from __future__ import annotations

import codecs
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bptrain.data.files import AllowedPaths, DataFile, open_data
from bptrain.data.frame import Frame, positions_array, text_array
from bptrain.data.limits import LARGEST_NUMBER, NEARLY_ALL
from bptrain.data.load import FileSource, Loaded, load
from bptrain.data.options import CleanOptions, DataOptions
from bptrain.data.readers.formats import FORMATS, format_by_name
from bptrain.errors import DataError
from bptrain.features.kinds import KINDS, AnyKind
from bptrain.messages import data as messages
from bptrain.utils.text import quote_list

BYTE_ORDER_MARKS = (  # the longer one first: UTF-32's begins like UTF-16's
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
DELIMITERS = {";": "semicolons", "\t": "tabs", "|": "vertical bars"}
BY_MARK, BY_NAME = "by its first bytes", "the name does not tell the format; it reads as CSV"
UNOPENABLE = {  # what no other way of reading mends
    message.code
    for message in (
        messages.OUTSIDE_ROOT,
        messages.NOT_LOCAL,
        messages.NO_SUCH_FILE,
        messages.IS_FOLDER,
        messages.UNREADABLE,
        messages.DAMAGED_GZIP,
        messages.TOO_LARGE,
    )
}
MOST_CELLS = 0.9  # share of a column's cells from which their form is the column's
DECIMAL_COMMA = r"^[+-]?[0-9]*,[0-9]+$"
GROUPED = r"^[+-]?[1-9][0-9]{0,2}(,[0-9]{3})+$"  # 1,200 is rather twelve hundred, 0,200 is not
DECIMAL_POINT = r"^[+-]?[0-9]*\.[0-9]+$"
WHOLE = r"^[+-]?[0-9]+$"

# Compared without letter case and the white space around them; "" is a cell of white space.
CERTAIN = ("", "?", "na", "n/a", "n.a.", "#n/a", "#na", "<na>", "nan", "nat", "null")
LIKELY = ("-", "--", "---", ".", "..", "unknown", "unk", "missing", "not available", "not_available", "#value!")
ONLY_AMONG_NUMBERS = ("none", "nil", "not applicable", "not_applicable")  # else they may be an answer
NO_CODES = ("nan", "null")  # words that are missing among labels of as many letters, too
MOST_OF_TARGET = 0.05  # share of a target's rows that may go with a word; above that it is rather a label
MOST_ODD = 5  # distinct odd cells among numbers that are worth naming one by one

Counts = dict[str, dict[str, int]]  # by cell, then by column


@dataclass(frozen=True)
class Reading:
    """Options with which the files can be read, why each that is no default was chosen, and the rows."""

    options: DataOptions
    reasons: dict[str, str]
    loaded: Loaded


@dataclass
class Missing:
    """What means missing: words with the number of cells by column; odd cells among numbers likewise.

    `labels` are words that stay labels; `spoilt` are cells that may be labels but are missing with the others, as one
    list holds for all columns; `broken` are columns of numbers with more odd cells than can be named.
    """

    words: Counts = field(default_factory=dict)
    odd: Counts = field(default_factory=dict)
    labels: Counts = field(default_factory=dict)
    spoilt: Counts = field(default_factory=dict)
    broken: dict[str, str] = field(default_factory=dict)

    @property
    def na_values(self) -> tuple[str, ...]:
        """What `data.na_values` should list."""
        return ("", *self.words, *(text for text in self.odd if text not in self.words))


def read_table(train: Sequence[str], test: Sequence[str], paths: AllowedPaths) -> Reading:
    """Read the files. Raises the DataError of the defaults when no other way of reading helps."""
    options = DataOptions(train=tuple(train), test=tuple(test))
    reasons: dict[str, str] = {}
    first_error: DataError | None = None
    while True:
        try:
            loaded = load(options, CleanOptions(), paths)
            break
        except DataError as error:
            first_error = first_error or error
            changed = _other_options(error, options, reasons, paths)
            if changed is None:
                raise first_error from None
            options = changed
    marked = _decimal_comma_columns(loaded.frame)
    if marked:
        reasons["decimal"] = f"a comma, as in {quote_list(marked, last='and', limit=3)}"
        options = options.model_copy(update={"decimal": ","})
        loaded = load(options, CleanOptions(), paths)
    return Reading(options, reasons, loaded)


def _other_options(
    error: DataError, options: DataOptions, reasons: dict[str, str], paths: AllowedPaths
) -> DataOptions | None:
    """The options with the next thing to try, whose reason is noted; None when there is none."""
    codes = {problem.code for problem in error.problems}
    file = paths.expand(options.train)[0]
    if messages.FORMAT_UNCLEAR.code in codes and "format" not in reasons:
        is_named = format_by_name(file) is not None
        reasons["format"] = BY_MARK if is_named else BY_NAME
        other = next(name for name, format in FORMATS.items() if bool(format.mark) == is_named)
        return options.model_copy(update={"format": other})
    if messages.UNDECODABLE.code in codes and "encoding" not in reasons:
        encoding = _encoding(file)
        reasons["encoding"] = f"the bytes are not UTF-8; with {encoding} they are text"
        return options.model_copy(update={"encoding": encoding})
    if "delimiter" in reasons or not codes.isdisjoint(UNOPENABLE):
        return None
    n_columns: dict[str, int] = {}
    for delimiter in DELIMITERS:
        try:
            source = FileSource(file, options.model_copy(update={"delimiter": delimiter}))
            n_columns[delimiter] = len(source.column_names())
        except DataError:
            continue
    best = max(n_columns, key=lambda delimiter: n_columns[delimiter], default=None)
    if best is None or n_columns[best] < 2:
        return None
    reasons["delimiter"] = f"cells are separated by {DELIMITERS[best]}"
    return options.model_copy(update={"delimiter": best})


def _encoding(file: DataFile) -> str:
    """utf-16 or utf-32 with their mark; cp1252 if bytes stand where latin-1 has no letters; else latin-1."""
    with open_data(file) as stream:
        block = stream.read(2**20)
        marked = next((name for mark, name in BYTE_ORDER_MARKS if block.startswith(mark)), None)
        if marked is not None:
            return marked
        while block:
            if any(0x80 <= byte <= 0x9F for byte in set(block)):
                return "cp1252"
            block = stream.read(2**20)
    return "latin-1"


def _decimal_comma_columns(frame: Frame) -> list[str]:
    """Columns of numbers with a decimal comma; none when others have a decimal point."""
    columns, has_points = [], False
    for name in text_columns(frame):
        texts = frame.texts(name).drop_null()
        n_comma, n_grouped, n_point, n_whole = (
            pc.sum(pc.match_substring_regex(texts, pattern)).as_py() or 0
            for pattern in (DECIMAL_COMMA, GROUPED, DECIMAL_POINT, WHOLE)
        )
        if n_comma > n_grouped and n_comma + n_whole >= MOST_CELLS * len(texts):
            columns.append(name)
        has_points |= n_point > 0 and n_point + n_whole >= MOST_CELLS * len(texts)
    return [] if has_points else columns


def text_columns(frame: Frame) -> list[str]:
    """Columns whose cells are text, which is every one of CSV."""
    return [name for name in frame.names if pa.types.is_string(frame.type_of(name))]


def find_missing(frame: Frame, target: str) -> Missing:
    """Look at every text column of `frame`."""
    missing = Missing()
    kept_labels: set[str] = set()  # of the target: a list that holds for all columns cannot spare one
    columns = text_columns(frame)
    for name in columns:
        folded = pc.utf8_lower(pc.utf8_trim_whitespace(frame.texts(name)))
        counts, rest = _set_aside(frame, name, folded, [*CERTAIN, *LIKELY, *ONLY_AMONG_NUMBERS])
        kind = _kind_of(rest, name) if counts else None
        for word, count in counts.items():
            if word and name == target and count > MOST_OF_TARGET * frame.n_rows:
                kept_labels.add(word)
                continue
            is_missing = _means_missing(word, kind, rest, name)
            (missing.words if is_missing else missing.labels).setdefault(word, {})[name] = count
    for word in sorted(kept_labels & set(missing.words)):
        missing.labels.setdefault(word, {}).update(missing.words.pop(word))
    for name in columns:
        _find_odd_cells(frame, name, missing, kept_labels)
    for word in sorted(set(missing.labels) & set(missing.words)):
        missing.spoilt[word] = missing.labels.pop(word)
    for text, by_column in missing.odd.items():
        for name in columns:
            count = 0 if name in by_column else _counts(frame.texts(name)).get(text, 0)
            if count:
                missing.spoilt.setdefault(text, {})[name] = count
    return missing


def _means_missing(word: str, kind: AnyKind | None, rest: Frame, name: str) -> bool:
    """Whether the word means missing in a column whose other cells, in `rest`, look like `kind`."""
    plain = word.strip().lower()
    if plain in ONLY_AMONG_NUMBERS:
        n_bad = np.count_nonzero(rest.numbers(name)[1])
        return kind is not None and bool(n_bad <= (1 - NEARLY_ALL) * rest.n_present(name))
    if plain not in CERTAIN:
        return kind is not None and not kind.takes_any_text
    if not word.isalpha() or word.casefold() in NO_CODES:
        return True
    # Where all other labels are written like the word, it is one of them: NA among EU and AS is North America.
    pattern = rf"^[A-Z]{{{len(word)}}}$" if word.isupper() else rf"^[a-z]{{{len(word)}}}$"
    labels = pc.unique(rest.texts(name).drop_null())
    return len(labels) <= 2 or not pc.all(pc.match_substring_regex(labels, pattern)).as_py()


def _kind_of(frame: Frame, name: str) -> AnyKind | None:
    """The kind that the cells look like; a column of numbers with some odd cells is one of numbers."""
    if not frame.n_rows or not frame.n_present(name):
        return None
    for kind in KINDS.values():
        try:
            if kind.infer(frame, name) is not None:
                return kind
        except DataError:  # nearly all cells are of this kind
            return kind
    return None


def _find_odd_cells(frame: Frame, name: str, missing: Missing, kept_labels: set[str]) -> None:
    """Numbers with a few cells that are none, after those that mean missing are set aside."""
    _, rest = _set_aside(frame, name, frame.texts(name), list(missing.words))
    values, bad = rest.numbers(name)
    bad = bad | (np.abs(values) > LARGEST_NUMBER)
    n_bad = int(np.count_nonzero(bad))
    n_present = rest.n_present(name)
    if not n_bad or n_bad > (1 - NEARLY_ALL) * n_present or len(np.unique(values[~np.isnan(values)])) < 2:
        return
    counts = _counts(rest.texts(name).take(positions_array(np.flatnonzero(bad))))
    if len(counts) > MOST_ODD or not kept_labels.isdisjoint(counts):
        missing.broken[name] = f"{n_bad} of {n_present} cells are not: {rest.examples(name, bad)}"
        return
    for text, count in counts.items():
        missing.odd.setdefault(text, {})[name] = count


def _set_aside(frame: Frame, name: str, texts: pa.ChunkedArray, words: list[str]) -> tuple[dict[str, int], Frame]:
    """How often each cell of a column occurs whose entry in `texts` (n_rows,) is one of `words`; the other rows."""
    indices = pc.indices_nonzero(pc.is_in(texts, value_set=text_array(words), skip_nulls=True))
    positions = np.from_dlpack(indices).astype(np.int64) if len(indices) else np.empty(0, np.int64)
    counts = _counts(frame.texts(name).take(positions_array(positions)))
    return counts, frame.take(np.delete(np.arange(frame.n_rows), positions))


def _counts(texts: pa.ChunkedArray) -> dict[str, int]:
    """How often each text occurs, in order; null is none."""
    counted = pc.value_counts(texts.drop_null())
    return dict(sorted((str(item["values"]), int(item["counts"])) for item in counted.to_pylist()))
