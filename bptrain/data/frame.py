"""A table in memory as the stages pass it on: columns to be read as numbers or as text, and where each row stood."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bptrain.data import values
from bptrain.data.files import NO_PATHS, AllowedPaths
from bptrain.errors import DataError, Problem
from bptrain.messages import data as messages
from bptrain.utils.text import escape, shorten, yaml_name

N_EXAMPLES = 5
PARSED_BYTES = 2**27  # of parsed columns that are kept: less than what training takes beside the rows


Numbers = tuple[np.ndarray, np.ndarray]  # values (n,) float64, and a mask (n,) of cells that are present but no number


@dataclass(frozen=True)
class RowProvenance:
    """Which row of which file a row number means: files in the given order with the number of their first row."""

    files: tuple[str, ...] = ()
    starts: tuple[int, ...] = ()
    first_rows: tuple[int, ...] = ()

    def where(self, row: int) -> str:
        """`data/x.csv: row 17`, counted as an editor shows the table (a header is row 1)."""
        if not self.files:
            return f"row {row + 1}"
        position = int(np.searchsorted(self.starts, row, side="right")) - 1
        return f"{self.files[position]}: row {row - self.starts[position] + self.first_rows[position]}"


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
            kept = values.take(self.table[name], self.positions)
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
        if not values.is_parsed(self.type_of(name)):
            return values.numbers(self._read(name), decimal=self.decimal)
        if name not in self._parsed and 2 * self.n_rows >= self.table.num_rows:
            kept_bytes = sum(array.strides[0] * len(array) for pair in self._parsed.values() for array in pair)
            if kept_bytes + 9 * self.table.num_rows <= PARSED_BYTES:
                self._parsed[name] = _compact(*values.numbers(self.table[name], decimal=self.decimal))
        if name in self._parsed:
            numbers, bad = self._parsed[name]
            return (numbers, bad) if self.positions is None else (numbers[self.positions], bad[self.positions])
        if name not in self._last_numbers:
            self._last_numbers.clear()
            self._last_numbers[name] = _compact(*values.numbers(self._read(name), decimal=self.decimal))
        return self._last_numbers[name]

    def forget_numbers(self) -> None:
        """Give back the memory of all numbers that were parsed from this table."""
        self._parsed.clear()
        self._last_numbers.clear()

    def texts(self, name: str) -> pa.ChunkedArray:
        """Canonical text of each cell, null for missing; the same whichever file format held the value."""
        return values.texts(self._read(name))

    def labels(self, name: str) -> pa.ChunkedArray:
        """The label of each cell, null for missing; the same whichever type spelled it."""
        return self.normalize(self.texts(name))

    def encode_labels(self, name: str) -> tuple[list[str], np.ndarray]:
        """Different labels (k,) of a column, and for each cell the position (n_rows,) of its own, -1 for missing."""
        different, positions = values.dictionary_encode(self.labels(name))
        return different.to_pylist(), positions

    def normalize(self, texts: pa.ChunkedArray) -> pa.ChunkedArray:
        """The label that each text stands for here (`values.normalize_labels`)."""
        labels = values.normalize_labels(texts)
        return pc.utf8_lower(labels) if self.ignore_case else labels

    def normalize_values(self, written: Iterable[object]) -> list[str]:
        """The label that each value of a config stands for here: `1.0` is `1`, `true` is `True`."""
        texts = pa.chunked_array([values.text_array([str(value) for value in written])])
        return list(self.normalize(texts).to_pylist())

    def unread_problem(self, name: str) -> Problem | None:
        """Why a column cannot be used at all, if its type is one that is not read."""
        kind = values.unread_kind(self.type_of(name))
        if kind is None:
            return None
        return messages.COLUMN_NOT_READ(name=name, type=shorten(escape(kind), 200), written=yaml_name(name))

    def is_missing(self, name: str) -> np.ndarray:
        """Mask (n_rows,) of cells without a value; NaN is missing."""
        return values.missing(self.column(name))

    def n_present(self, name: str) -> int:
        """Cells that are not missing."""
        return self.n_rows - int(self.is_missing(name).sum())

    def n_unique(self, name: str) -> int:
        """Distinct present values; NaN is missing. The last count is kept, as it is often asked for again."""
        if name not in self._distinct:
            count = values.n_distinct(self.column(name))
            self._distinct.clear()
            self._distinct[name] = count
            return count
        return self._distinct[name]

    def where(self, position: int) -> str:
        """File and row of the row at `position`."""
        return self.provenance.where(int(self.rows[position]))

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


def _compact(numbers: np.ndarray, bad: np.ndarray) -> Numbers:
    """The same arrays, not to be written to; the values of a column of labels, all NaN, take no memory."""
    if bad.all():
        numbers = np.broadcast_to(np.float64(np.nan), len(numbers))
    numbers.flags.writeable = bad.flags.writeable = False
    return numbers, bad
