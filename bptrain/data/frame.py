"""A table in memory as the stages pass it on: columns to be read as numbers or as text, and where each row stood.

The functions below `Frame` read the cells of one column, whichever type the file gave them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from bptrain.data.files import NO_PATHS, AllowedPaths
from bptrain.data.hashes import cell_hashes
from bptrain.errors import DataError, Problem
from bptrain.messages import data as messages
from bptrain.utils.text import escape, shorten, yaml_name

N_EXAMPLES = 5
PARSED_BYTES = 2**27  # of parsed columns that are kept: less than what training takes beside the rows
PART_ROWS = 2**20  # cells that are looked at together: what a look takes beside its result does not grow with the table

_NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"
_WORD = r"^[+-]?(?i:nan|inf|infinity)$"
_ODD_NAN = r"^[+-]?(?i:nan)\("
_WHOLE = r"\A([+-]?(?:0|[1-9][0-9]*))\.0*\z"  # a number with leading zeros is a code and stays as it is
_LONG_WHOLE = r"\A-?[0-9](?:\.[0-9]+)?e\+[0-9]+\z"  # as Python spells floats from 1e16
_WORDS = ((r"\A-0\z", "0"), (r"\A(?:true|TRUE)\z", "True"), (r"\A(?:false|FALSE)\z", "False"))


Numbers = tuple[np.ndarray, np.ndarray]  # values (n,) float64, and a mask (n,) of cells that are present but no number


@dataclass(frozen=True)
class RowProvenance:
    """Which row of which file a row number means: files in the given order with the number of their first row."""

    files: tuple[str, ...] = ()
    starts: tuple[int, ...] = ()
    first_rows: tuple[int, ...] = ()


@dataclass(frozen=True)
class Frame:
    """Rows of a table.

    `table` holds the cells as their file gave them (text from CSV, typed from Parquet and JSON lines), and `positions`
    (n_rows,) where in it these rows stand; None: they are all of it, in its order. So rows that are set apart share
    the cells of the table, and a column of them is made when it is asked for. `rows` (n_rows,) int64 are their numbers
    over all input files before any row was removed. Columns of types that are not read keep their place and name;
    using the cells of one is a DataError (BP225). With `ignore_case`, labels that differ only in upper and lower case
    are one. Files that cells refer to may be opened through `paths`.
    """

    table: pa.Table
    rows: np.ndarray
    provenance: RowProvenance = RowProvenance()
    decimal: str = "."
    ignore_case: bool = False
    positions: np.ndarray | None = None
    paths: AllowedPaths = NO_PATHS
    _parsed: dict[str, Numbers] = field(repr=False, compare=False, default_factory=dict)  # of all rows of the table
    _last_numbers: dict[str, Numbers] = field(init=False, repr=False, compare=False, default_factory=dict)
    _last: dict[str, pa.ChunkedArray] = field(init=False, repr=False, compare=False, default_factory=dict)
    _distinct: dict[str, int] = field(init=False, repr=False, compare=False, default_factory=dict)

    @property
    def n_rows(self) -> int:
        return len(self.rows)

    @cached_property
    def names(self) -> tuple[str, ...]:
        return tuple(self.table.column_names)

    def take(self, positions: np.ndarray) -> Frame:
        """The rows at `positions` (k,), in that order."""
        positions = np.asarray(positions, np.int64)
        of_table = positions if self.positions is None else self.positions[positions]
        rows = self.rows[positions]
        return replace(self, rows=of_table if np.array_equal(rows, of_table) else rows, positions=of_table)

    def column(self, name: str) -> pa.ChunkedArray:
        """The cells (n_rows,) of a column as the file gave them. The last one is kept, as it is often asked for again.

        Keeps none of a table without `positions`, whose columns cost nothing.
        """
        if self.positions is None:
            return self.table[name]
        kept = self._last.get(name)
        if kept is None:
            kept = take(self.table[name], self.positions)
            self._last.clear()
            self._last[name] = kept
        return kept

    def with_column(self, name: str, cells: pa.ChunkedArray) -> Frame:
        """The same rows with other cells (n_rows,) in a column."""
        if self.positions is not None:
            places = np.full(self.table.num_rows, -1, np.int64)
            places[self.positions] = np.arange(self.n_rows)
            cells = cells.take(pc.if_else(pa.array(places >= 0), pa.array(places), None))
        table = self.table.set_column(self.table.column_names.index(name), name, cells)
        return replace(self, table=table, _parsed={})

    def type_of(self, name: str) -> pa.DataType:
        """The type that the file gave a column."""
        return self.table.schema.field(name).type

    def numbers(self, name: str) -> Numbers:
        """Values (n_rows,) float64, NaN for missing, and a mask (n_rows,) of cells that are present but no number.

        Text is parsed once: whichever frame of a table asks first, for half of the rows at least, parses the column,
        and all frames share its numbers, until PARSED_BYTES are kept or `forget_numbers` is called. In larger tables a
        frame keeps the numbers of its last column. The arrays may be shared, so nobody writes to them.
        """
        kind = self.type_of(name)
        kind = kind.value_type if pa.types.is_dictionary(kind) else kind
        if not (_is_text(kind) or pa.types.is_decimal(kind)):  # which are not parsed, just converted
            return parse_numbers(self._read(name), decimal=self.decimal)
        whole = name in self._parsed
        if not whole and 2 * self.n_rows >= self.table.num_rows:
            kept_bytes = sum(array.strides[0] * len(array) for pair in self._parsed.values() for array in pair)
            whole = kept_bytes + 9 * self.table.num_rows <= PARSED_BYTES
        kept = self._parsed if whole else self._last_numbers
        if name not in kept:
            if not whole:
                kept.clear()
            cells = self.table[name] if whole else self.column(name)
            numbers, bad = parse_numbers(cells, decimal=self.decimal)
            if bad.all():  # the values of a column of labels, all NaN, take no memory
                numbers = np.broadcast_to(np.float64(np.nan), len(numbers))
            numbers.flags.writeable = bad.flags.writeable = False
            kept[name] = numbers, bad
        numbers, bad = kept[name]
        return (
            (numbers[self.positions], bad[self.positions]) if whole and self.positions is not None else (numbers, bad)
        )

    def forget_numbers(self) -> None:
        """Give back the memory of all numbers that were parsed from this table."""
        self._parsed.clear()
        self._last_numbers.clear()

    def texts(self, name: str) -> pa.ChunkedArray:
        """Canonical text of each cell, null for missing; the same whichever file format held the value."""
        return texts(self._read(name))

    def labels(self, name: str) -> pa.ChunkedArray:
        """The label of each cell, null for missing; the same whichever type spelled it."""
        return self.normalize(self.texts(name))

    def encode_labels(self, name: str) -> tuple[list[str], np.ndarray]:
        """Different labels (k,) of a column, and for each cell the position (n_rows,) of its own, -1 for missing."""
        different, positions = dictionary_encode(self.labels(name))
        return different.to_pylist(), positions

    def normalize(self, texts: pa.ChunkedArray) -> pa.ChunkedArray:
        """The label that each text stands for here (`normalize_labels`)."""
        labels = normalize_labels(texts)
        return pc.utf8_lower(labels) if self.ignore_case else labels

    def normalize_values(self, written: Iterable[object]) -> list[str]:
        """The label that each value of a config stands for here: `1.0` is `1`, `true` is `True`."""
        texts = pa.chunked_array([text_array([str(value) for value in written])])
        return list(self.normalize(texts).to_pylist())

    def unread_problem(self, name: str) -> Problem | None:
        """Why a column cannot be used at all, if its type is one that is not read."""
        kind = unread_kind(self.type_of(name))
        if kind is None:
            return None
        return messages.COLUMN_NOT_READ(name=name, type=shorten(escape(kind), 200), written=yaml_name(name))

    def is_missing(self, name: str) -> np.ndarray:
        """Mask (n_rows,) of cells without a value; NaN is missing."""
        return missing(self.column(name))

    def n_present(self, name: str) -> int:
        """Cells that are not missing."""
        return self.n_rows - int(self.is_missing(name).sum())

    def n_unique(self, name: str) -> int:
        """Distinct present values; NaN is missing. The last count is kept, as it is often asked for again."""
        if name not in self._distinct:
            count = n_distinct(self.column(name))
            self._distinct.clear()
            self._distinct[name] = count
            return count
        return self._distinct[name]

    def where(self, position: int) -> str:
        """`data/x.csv: row 17` of the row at `position`, counted as an editor shows the table (a header is row 1)."""
        row, files = int(self.rows[position]), self.provenance
        if not files.files:
            return f"row {row + 1}"
        number = int(np.searchsorted(files.starts, row, side="right")) - 1
        return f"{files.files[number]}: row {row - files.starts[number] + files.first_rows[number]}"

    def examples(self, name: str, mask: np.ndarray) -> str:
        """The first few cells under `mask` (n_rows,), each with its row: `'abc' (row 17), …`."""
        positions = np.flatnonzero(mask)[:N_EXAMPLES]
        texts = self.texts(name)
        return ", ".join(
            f"'{escape(str(texts[int(p)].as_py()))}' ({self.where(p).rsplit(': ')[-1]})" for p in positions
        )

    def not_a_number(self, name: str, mask: np.ndarray) -> Problem:
        """The problem of cells that a numeric column cannot use."""
        return messages.NOT_A_NUMBER(
            name=name,
            n=int(mask.sum()),
            n_rows=self.n_rows,
            examples=self.examples(name, mask),
            written=yaml_name(name),
            where=self.where(int(np.flatnonzero(mask)[0])),
        )

    def almost_numbers(self, name: str, bad: np.ndarray, n_present: int, *, what: str, hint: str) -> Problem:
        """The problem of a column or target that holds numbers except for the cells under `bad` (n_rows,)."""
        return messages.ALMOST_NUMBERS(
            what=what,
            name=name,
            n=int(bad.sum()),
            n_present=n_present,
            examples=self.examples(name, bad),
            declare=hint,
            where=self.where(int(np.flatnonzero(bad)[0])),
        )

    def _read(self, name: str) -> pa.ChunkedArray:
        problem = self.unread_problem(name)
        if problem is not None:
            raise DataError(problem)
        return self.column(name)


# Cells


def parse_numbers(
    column: pa.ChunkedArray | pa.Array, *, decimal: str = "."
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Values float64 (n,) and whether a cell is present but no number, bool (n,).

    Missing cells, `nan` and those that are no numbers are NaN. Text is trimmed and parsed to the nearest float64;
    `inf` and numbers beyond float64 are ±inf. Booleans, dates and times are no numbers.
    """
    column = _chunked(column)
    kind, n_cells = column.type, len(column)
    are_numbers = pa.types.is_integer(kind) or pa.types.is_floating(kind)
    numbers, bad = np.full(n_cells, np.nan), np.zeros(n_cells, bool)
    are_texts = _is_text(kind) or pa.types.is_decimal(kind)  # decimals by way of text, which is rounded correctly
    for start, part in _parts(column):
        rows = slice(start, start + len(part))
        if are_numbers:
            numbers[rows] = _float64(part.cast(pa.float64(), safe=False))
        elif are_texts:
            numbers[rows], bad[rows] = _parse(part.cast(pa.string()), decimal)
        elif not pa.types.is_null(kind):
            bad[rows] = _mask(part.is_valid())
    return numbers, bad


def missing(column: pa.ChunkedArray | pa.Array) -> NDArray[np.bool_]:
    """Whether a cell has no value, bool (n,); NaN is none."""
    column = _chunked(column)
    return np.concatenate(
        [np.empty(0, bool), *(_mask(pc.is_null(part, nan_is_null=True)) for _, part in _parts(column))]
    )


def take(column: pa.ChunkedArray, positions: NDArray[np.int64]) -> pa.ChunkedArray:
    """The cells (k,) at `positions`; where these rise, from one chunk after the other, which Arrow would join first."""
    if column.num_chunks < 2 or not (positions[1:] >= positions[:-1]).all():
        return column.take(positions_array(positions))
    starts = np.cumsum([0, *(len(chunk) for chunk in column.chunks)])
    ends = np.searchsorted(positions, starts)
    chunks = [
        chunk.take(positions_array(positions[ends[i] : ends[i + 1]] - starts[i]))
        for i, chunk in enumerate(column.chunks)
        if ends[i] < ends[i + 1]
    ]
    return pa.chunked_array(chunks, column.type)


def text_array(texts: Sequence[str]) -> pa.StringArray:
    """Text as an Arrow array. `pa.array` would do, but imports pandas, which takes longer than reading most files."""
    encoded = [text.encode() for text in texts]
    offsets = np.cumsum([0, *map(len, encoded)], dtype=np.int32)
    return pa.StringArray.from_buffers(len(encoded), pa.py_buffer(offsets), pa.py_buffer(b"".join(encoded)))


def positions_array(positions: NDArray[np.int64]) -> pa.Array:
    """Positions (k,) as Arrow's `take` wants them; not by `pa.array`, which imports pandas."""
    return pa.Array.from_buffers(pa.int64(), len(positions), [None, pa.py_buffer(positions.astype(np.int64))])


def n_distinct(column: pa.ChunkedArray | pa.Array) -> int:
    """How many different values the cells have; missing ones, NaN among them, have none."""
    column = _chunked(column)
    if len(column) <= PART_ROWS:
        present = column.take(positions_array(np.flatnonzero(~missing(column))))
        return int(pc.count_distinct(present, mode="only_valid").as_py()) if len(present) else 0
    hashes = np.sort(cell_hashes(column)[~missing(column)])
    return int(np.count_nonzero(hashes[1:] != hashes[:-1])) + bool(len(hashes))


def texts(column: pa.ChunkedArray | pa.Array) -> pa.ChunkedArray:
    """The cells as text (n,), spelled as in a CSV that pandas writes of the same values; null and NaN are null.

    39 · 0.5 · 1.0 · 1e-07 · True · 2024-05-01 · 2024-05-01 12:30:00 · 2024-05-01 12:30:00.250 · 12:30:00. Each cell is
    spelled by itself: a timestamp at midnight is a date, and one with a time zone is in UTC with +00:00.
    """
    column = _chunked(column)
    kind = column.type
    if _is_text(kind) or pa.types.is_null(kind) or pa.types.is_integer(kind) or pa.types.is_decimal(kind):
        return column.cast(pa.string())
    if pa.types.is_boolean(kind):
        return _chunked(pc.if_else(column, "True", "False"))
    if pa.types.is_floating(kind):
        return _map_distinct(column, _float_texts)
    if pa.types.is_date(kind):
        return column.cast(pa.date32()).cast(pa.string())
    return _map_distinct(column, _time_texts)


def normalize_labels(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    """The label that each text stands for (n,): equal for cells that only their file's type spells differently.

    `3.0` is `3` (integers beside a missing cell are floats in pandas), 1e+16 is 10000000000000000, and `true` and
    `TRUE` are `True`. Any other text is its own label, also `007` and `1.50`.
    """
    return _map_distinct(texts, _normalized)


def dictionary_encode(texts: pa.ChunkedArray) -> tuple[pa.Array, NDArray[np.int64]]:
    """The different texts (k,) of cells, and for each cell the position (n_rows,) of its own; -1 for missing."""
    whole = texts.combine_chunks()
    parts = whole.chunks if isinstance(whole, pa.ChunkedArray) else [whole]
    if len(parts) == 1:
        encoded = parts[0].dictionary_encode()
        different, indices = encoded.dictionary, encoded.indices
    else:
        different = pc.unique(texts).drop_null()
        indices = pc.index_in(texts, value_set=different, skip_nulls=True)
    positions, _ = parse_numbers(indices)
    return different, np.where(np.isnan(positions), -1, positions).astype(np.int64)


def unread(kind: pa.DataType, n_rows: int) -> pa.Array:
    """The stand-in (n_rows,) for a column whose type is not read; its cells count as present."""
    stand_in = unread_type(kind)
    return pa.StructArray.from_buffers(stand_in, n_rows, [None], children=[pa.nulls(n_rows)])


def unread_type(kind: pa.DataType | str) -> pa.DataType:
    """The type of `unread`: it names `kind`, and joins no column that is read, as none has a type like it."""
    return pa.struct([(str(kind), pa.null())])


def unread_kind(kind: pa.DataType) -> str | None:
    """The type of a column that was not read, by that of its stand-in; None for one that was."""
    return " or ".join(field.name for field in kind) if pa.types.is_struct(kind) else None


def _chunked(column: pa.ChunkedArray | pa.Array) -> pa.ChunkedArray:
    column = column if isinstance(column, pa.ChunkedArray) else pa.chunked_array([column])
    return column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column


def _parts(column: pa.ChunkedArray) -> Iterator[tuple[int, pa.ChunkedArray]]:
    """The cells in parts of at most `PART_ROWS`, each with the number of its first cell."""
    start = 0
    for chunk in column.chunks:
        for first in range(0, len(chunk), PART_ROWS):
            part = chunk.slice(first, PART_ROWS)
            yield start, pa.chunked_array([part])
            start += len(part)


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _float64(column: pa.ChunkedArray) -> NDArray[np.float64]:
    """float64 (n,) with NaN for null; not by `to_numpy`, which imports pandas."""
    nan = pa.Array.from_buffers(pa.float64(), 1, [None, pa.py_buffer(np.array([np.nan]))])[0]
    filled = _chunked(pc.if_else(column.is_null(), nan, column))
    return np.concatenate([np.empty(0), *(np.from_dlpack(chunk) for chunk in filled.chunks if len(chunk))])


def _mask(column: pa.ChunkedArray) -> NDArray[np.bool_]:
    """bool (n,) with False for null."""
    mask = np.zeros(len(column), bool)
    positions = pc.indices_nonzero(column)
    if len(positions):
        mask[np.from_dlpack(positions)] = True
    return mask


def _parse(column: pa.ChunkedArray, decimal: str) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Text as numbers: by one cast where every cell is one, which is usual; else by judging each text first."""
    if decimal == ",":
        pointed = pc.match_substring(column, ".")  # 1.5 is no number where the mark is a comma
        column = pc.replace_substring(pc.if_else(pointed, "1.5 with a point", column), ",", ".")
    try:
        column.slice(0, 100).cast(pa.float64())  # Arrow casts on after a failure, which costs much where all are labels
        values = _float64(column.cast(pa.float64()))
    except pa.ArrowInvalid:
        distinct, positions = dictionary_encode(column)
        trimmed = pc.utf8_trim_whitespace(distinct)
        fits = pc.or_(pc.match_substring_regex(trimmed, _NUMBER), pc.match_substring_regex(trimmed, _WORD))
        kept = pc.if_else(fits, trimmed, pa.nulls(len(trimmed), pa.string()))
        numbers, bad = _float64(_chunked(kept.cast(pa.float64()))), _mask(pc.invert(fits))
        numbers, bad = np.append(numbers, np.nan), np.append(bad, False)  # -1, a missing cell, takes the last
        return numbers[positions], bad[positions]
    if int(np.isnan(values).sum()) == column.null_count:
        return values, np.zeros(len(values), bool)
    return values, _mask(pc.match_substring_regex(column, _ODD_NAN))  # like `nan(1)`, which the cast accepts


def _map_distinct(column: pa.ChunkedArray, spell: Callable[[pa.Array], pa.Array]) -> pa.ChunkedArray:
    """`spell` of each cell, called with the distinct values once."""
    encoded = (
        column.combine_chunks().dictionary_encode() if column.num_chunks != 1 else column.chunk(0).dictionary_encode()
    )
    parts = encoded.chunks if isinstance(encoded, pa.ChunkedArray) else [encoded]
    return pa.chunked_array([spell(part.dictionary).take(part.indices) for part in parts], pa.string())


def _float_texts(values: pa.Array) -> pa.Array:
    # NumPy's scalars are spelled with the digits their own precision needs, float64 as Python's repr
    return pa.array((None if np.isnan(value) else str(value) for value in values.to_numpy()), pa.string())


def _time_texts(values: pa.Array) -> pa.Array:
    zone = ""
    if pa.types.is_timestamp(values.type) and values.type.tz:
        values, zone = values.view(pa.timestamp(values.type.unit)), "+00:00"
    text = pc.replace_substring_regex(values.cast(pa.string()), r"\.0+$", "")
    text = pc.replace_substring_regex(text, r"(\.[0-9]{3}|\.[0-9]{6})(000)+$", r"\1")
    return pc.binary_join_element_wise(text, zone, "") if zone else pc.replace_substring(text, " 00:00:00", "")


def _normalized(texts: pa.Array) -> pa.Array:
    spelled = pc.replace_substring_regex(texts, _WHOLE, r"\1")
    for pattern, word in _WORDS:
        spelled = pc.replace_substring_regex(spelled, pattern, word)
    if pc.any(pc.match_substring_regex(spelled, _LONG_WHOLE)).as_py():
        spelled = pa.array((_whole(text) for text in spelled.to_pylist()), pa.string())
    return spelled


def _whole(text: str | None) -> str | None:
    if text is None or re.fullmatch(_LONG_WHOLE.removesuffix(r"\z"), text) is None:
        return text
    value = float(text)
    return str(int(value)) if value.is_integer() else text
