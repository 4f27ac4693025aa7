"""From the `data` section to rows in memory: every source of every part, in the given order."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from bptrain.data.cleaning import Cleaned, strip_cells
from bptrain.data.files import AllowedPaths, DataFile, digest
from bptrain.data.frame import Frame, RowProvenance, unread
from bptrain.data.memory import memory_map_table
from bptrain.data.options import CleanOptions, DataOptions
from bptrain.data.readers.format import check_names, set_missing
from bptrain.data.readers.formats import format_of
from bptrain.data.readers.parquet import cells_as_read, schema_as_read
from bptrain.data.splits import PARTS
from bptrain.errors import DataError, Problem, Warn, collect_problems, ignore, raise_problems
from bptrain.messages import data as messages
from bptrain.runs.storage import require_space
from bptrain.utils.text import nearest, quote_list

if TYPE_CHECKING:
    import pandas as pd

MAPPED_BYTES = 32 * 2**20  # sources from this size on are kept in memory maps
CHUNK_ROWS = 2**17
PANDAS_NAME = "the data frame"
Store = Callable[[Iterator[pa.Table]], pa.Table]


class TableSource(ABC):
    """Rows from one place, in an order that never changes: a file is one, a database could be.

    `name` is shown in messages and stands beside `digest` in the lock; `n_bytes` says about how much there is to read.
    Reading raises DataError for what cannot be used; `warn` is called with each warning.
    """

    name: str
    n_bytes: int

    @abstractmethod
    def first_row(self) -> int:
        """The number that a user sees beside the first row."""

    @abstractmethod
    def column_names(self) -> list[str]:
        """The names of the columns, from as little as tells them."""

    @abstractmethod
    def read(self, warn: Warn = ignore) -> pa.Table:
        """All rows."""

    @abstractmethod
    def stream(self, *, chunk_rows: int, warn: Warn = ignore) -> Iterator[pa.Table]:
        """The same rows in tables of exactly `chunk_rows` rows, the last one shorter; none where there are no rows."""

    @abstractmethod
    def digest(self) -> str:
        """What changes when the rows may have changed, for the lock of a run."""


class FileSource(TableSource):
    """A file, read as the `data` section says; it is known by its sha256.

    Its format goes by `data.format`, else by its name; reading raises DataError (BP208) when that says nothing.
    """

    def __init__(self, file: DataFile, options: DataOptions) -> None:
        self.file, self.options = file, options
        self.name, self.n_bytes = file.name, file.path.stat().st_size

    def first_row(self) -> int:
        """The number of the first row of cells as an editor shows it."""
        return format_of(self.file, self.options).first_row(self.options)

    def column_names(self) -> list[str]:
        """From the head of the file (JSON lines: from all of it)."""
        return format_of(self.file, self.options).column_names(self.file, self.options)

    def read(self, warn: Warn = ignore) -> pa.Table:
        """All rows; columns of CSV are all text, other formats keep their types. DataError: BP205-BP229."""
        return format_of(self.file, self.options).read(self.file, self.options, warn)

    def stream(self, *, chunk_rows: int, warn: Warn = ignore) -> Iterator[pa.Table]:
        """The same rows in chunks; memory is bounded by the chunk and a few blocks of the file."""
        return format_of(self.file, self.options).stream(self.file, self.options, warn, chunk_rows=chunk_rows)

    def digest(self) -> str:
        """sha256 of the file's bytes; nothing in it is interpreted."""
        return digest(self.file)


@dataclass(frozen=True)
class Loaded:
    """All rows, the part of each (n_rows,) "train", "validation" or "test" by its source, and digests of the sources.

    `cleaned` counts the cells that were respelled.
    """

    frame: Frame
    source_split: np.ndarray
    digests: dict[str, str]
    cleaned: list[Cleaned]


def load(
    options: DataOptions, clean: CleanOptions, roots: AllowedPaths, *, warn: Warn = ignore, folder: Path | None = None
) -> Loaded:
    """Read all that the `data` section names, cells as `clean` says. Raises DataError as `read_tables` does.

    The cells of large files are kept in files without names on the disk of `folder`, if one is given.
    """
    by_part = table_sources(options, roots)
    sources = [source for part in by_part.values() for source in part]
    if folder is not None:
        require_space(folder, sum(n for source in sources if (n := source.n_bytes) >= MAPPED_BYTES))
    n_stripped: Counter[str] = Counter()

    def strip(chunk: pa.Table) -> pa.Table:
        chunk, counts = strip_cells(chunk, options.na_values, clean)
        n_stripped.update(counts)
        return chunk

    store = None if folder is None else lambda chunks: memory_map_table(map(strip, chunks), folder)
    tables = read_tables(sources, warn=warn, store=store)
    counts = [table.num_rows for table in tables]
    starts = tuple(int(start) for start in np.cumsum([0, *counts[:-1]]))
    provenance = RowProvenance(
        tuple(source.name for source in sources), starts, tuple(source.first_row() for source in sources)
    )
    table = concatenate(sources, tables)
    rows = np.arange(table.num_rows, dtype=np.int64)
    frame, cleaned = make_frame(table, rows, options, clean, provenance, n_stripped)
    parts = np.array([part for part, its_sources in by_part.items() for _ in its_sources], object)
    one_part = len(set(parts)) == 1  # references to few texts
    source_split = np.broadcast_to(parts[0], len(rows)) if one_part else np.repeat(parts, counts)
    frame = replace(frame, paths=roots)
    return Loaded(frame, source_split, {source.name: source.digest() for source in sources}, cleaned)


def table_sources(options: DataOptions, roots: AllowedPaths) -> dict[str, list[FileSource]]:
    """What the `data` section names, by part. Raises DataError for paths that lead to no file that may be read."""
    sources = {}
    for part in PARTS:
        try:
            files = roots.expand(getattr(options, part))
        except DataError as error:
            raise DataError(*(replace(problem, key=("data", part)) for problem in error.problems)) from error
        sources[part] = [FileSource(file, options) for file in files]
    return sources


def source_digests(options: DataOptions, roots: AllowedPaths) -> dict[str, str]:
    """The digest of all that the `data` section names, as `load` gives them; nothing is interpreted."""
    return {source.name: source.digest() for part in table_sources(options, roots).values() for source in part}


def read_tables(sources: Sequence[TableSource], *, warn: Warn = ignore, store: Store | None = None) -> list[pa.Table]:
    """The rows of each source, columns in the order of the first. Raises DataError with the problems of all.

    Large sources are read in chunks, of which `store` makes a table; without it they are read whole as others are.
    """
    if len(sources) > 1:
        common_names(sources)
    tables: list[pa.Table] = []
    problems: list[Problem] = []
    for source in sources:
        with collect_problems(problems):
            if store is None or source.n_bytes < MAPPED_BYTES:
                tables.append(source.read(warn))
            else:
                tables.append(store(source.stream(chunk_rows=CHUNK_ROWS, warn=warn)))
    raise_problems(problems)
    raise_problems(
        messages.NO_ROWS(where=source.name) for source, table in zip(sources, tables, strict=True) if not table.num_rows
    )
    return [table.select(tables[0].column_names) for table in tables]


def common_names(sources: Sequence[TableSource]) -> list[str]:
    """The names of the columns, ordered as in the first source. DataError (BP228) for sources that have others."""
    names: list[list[str]] = []
    problems: list[Problem] = []
    for source in sources:
        with collect_problems(problems):
            names.append(source.column_names())
    raise_problems(problems)
    for source, others in zip(sources[1:], names[1:], strict=True):
        lacking = [name for name in names[0] if name not in set(others)]
        added = [name for name in others if name not in set(names[0])]
        parts = [f"lacks {quote_list(lacking, last='and', limit=5)}"] if lacking else []
        parts += [f"has also {quote_list(added, last='and', limit=5)}"] if added else []
        if parts:
            near = {name: quote_list(alike) for name in added[:3] if (alike := nearest(name, lacking))}
            hints = [f"is {quote_list([name])} meant to be {alike}?" for name, alike in near.items()]
            differences = " and ".join(parts)
            problem = messages.OTHER_NAMES(
                first=sources[0].name, differences=differences, where=source.name, hints=hints
            )
            problems.append(problem)
    raise_problems(problems)
    return names[0]


def concatenate(sources: Sequence[TableSource], tables: Sequence[pa.Table]) -> pa.Table:
    """One table of what `read_tables` gave; numbers are widened where sources differ.

    Raises DataError (BP226) for columns whose types do not go together.
    """
    try:
        return pa.concat_tables(tables, promote_options="permissive")
    except (pa.ArrowTypeError, pa.ArrowInvalid) as err:
        problems = []
        for name in tables[0].column_names:
            types = {str(table.schema.field(name).type): source for source, table in zip(sources, tables, strict=True)}
            if len(types) > 1:
                by_type = ", ".join(f"{kind} in {source.name}" for kind, source in types.items())
                problems.append(messages.SEVERAL_TYPES(name=quote_list([name]), types=by_type))
        raise DataError(*problems) from err


def make_frame(
    table: pa.Table,
    rows: np.ndarray,
    options: DataOptions,
    clean: CleanOptions,
    provenance: RowProvenance = RowProvenance(),  # noqa: B008 — frozen
    n_stripped: Mapping[str, int] = MappingProxyType({}),
) -> tuple[Frame, list[Cleaned]]:
    """The rows of a table by the rules of a config, and how many cells of each column were respelled.

    `rows` (n_rows,) are their numbers; `n_stripped` counts the cells that were stripped before.
    """
    table, counts = strip_cells(table, options.na_values, clean)
    total = {name: n for name in table.column_names if (n := n_stripped.get(name, 0) + counts.get(name, 0))}
    frame = Frame(table, rows, provenance, options.decimal, clean.case == "ignore")
    return frame, [Cleaned("white space removed", n, len(rows), "cells", name) for name, n in total.items()]


def from_pandas(frame: pd.DataFrame, *, na_values: Sequence[str]) -> pa.Table:
    """The columns of a pandas frame without its index, read as they would be from a Parquet file of it.

    Text that equals one of `na_values` is missing. A column that mixes text with other values becomes text; of one
    whose values are no cells only the name is kept. DataError: names (BP215-BP220), a NUL character (BP212).
    """
    arrays = []
    for position in range(frame.shape[1]):
        column = frame.iloc[:, position]
        try:
            cells = pa.array(column, from_pandas=True)
        except (pa.ArrowInvalid, pa.ArrowTypeError):  # an object column of several types
            cells = pa.array(column.map(str, na_action="ignore"), pa.string(), from_pandas=True)
        except pa.ArrowNotImplementedError:  # a type that Arrow does not have, such as complex numbers
            cells = unread(str(column.dtype), len(column))
        arrays.append(cells.combine_chunks() if isinstance(cells, pa.ChunkedArray) else cells)
    batch = pa.RecordBatch.from_arrays(arrays, names=[str(name) for name in frame.columns])
    schema = schema_as_read(batch.schema)
    check_names(schema.names, PANDAS_NAME)
    return pa.Table.from_batches([set_missing(cells_as_read(batch, schema), na_values, where=PANDAS_NAME)])
