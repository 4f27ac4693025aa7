"""From the `data` section to rows in memory: every file of every part, in the given order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pyarrow as pa

from bptrain.data.chunks import Warn, ignore
from bptrain.data.cleaning import strip_cells, stripped_report
from bptrain.data.files import AllowedPaths, DataFile, digest, size
from bptrain.data.frame import Frame, Origin
from bptrain.data.options import CleanOptions, DataOptions
from bptrain.data.readers.read import concatenated, first_row, read_tables
from bptrain.data.report import Cleaned
from bptrain.data.spool import SPOOLED_BYTES, spooled
from bptrain.errors import DataError
from bptrain.runs.storage import require_space

PARTS = ("train", "validation", "test")
NOWHERE = Origin()


@dataclass(frozen=True)
class Loaded:
    """All rows, the part of each (n_rows,) "train", "validation" or "test" by its file, and each file's sha256.

    `cleaned` counts the cells that were respelled.
    """

    frame: Frame
    given: np.ndarray
    digests: dict[str, str]
    cleaned: list[Cleaned]


def load(
    options: DataOptions, clean: CleanOptions, roots: AllowedPaths, *, warn: Warn = ignore, folder: Path | None = None
) -> Loaded:
    """Read every file of the `data` section, cells as `clean` says. Raises DataError as `read_table` does.

    The cells of large files are kept in files without names on the disk of `folder`, if one is given.
    """
    by_part = {part: _expanded(roots, options, part) for part in PARTS}
    files = [file for part in by_part.values() for file in part]
    if folder is not None:
        require_space(folder, sum(n for file in files if (n := size(file)) >= SPOOLED_BYTES))
    changed: Counter[str] = Counter()

    def strip(chunk: pa.Table) -> pa.Table:
        chunk, counts = strip_cells(chunk, options.na_values, clean)
        changed.update(counts)
        return chunk

    store = None if folder is None else lambda chunks: spooled(map(strip, chunks), folder)
    tables = read_tables(files, options, warn=warn, store=store)
    counts = [table.num_rows for table in tables]
    starts = tuple(int(start) for start in np.cumsum([0, *counts[:-1]]))
    firsts = tuple(first_row(file, options) for file in files)
    table = concatenated(files, tables)
    rows = np.arange(table.num_rows, dtype=np.int64)
    origin = Origin(tuple(file.name for file in files), starts, firsts)
    frame, cleaned = frame_of(table, rows, options, clean, origin, changed)
    parts = [part for part, its_files in by_part.items() for _ in its_files]
    return Loaded(frame, _given(parts, counts), {file.name: digest(file) for file in files}, cleaned)


def frame_of(
    table: pa.Table,
    rows: np.ndarray,
    options: DataOptions,
    clean: CleanOptions,
    origin: Origin = NOWHERE,
    changed: Mapping[str, int] = MappingProxyType({}),
) -> tuple[Frame, list[Cleaned]]:
    """The rows of a table by the rules of a config, and how many cells of each column were respelled.

    `changed` counts those that were so before.
    """
    table, more = strip_cells(table, options.na_values, clean)
    total = {name: n for name in table.column_names if (n := changed.get(name, 0) + more.get(name, 0))}
    frame = Frame(table, rows, origin, options.decimal, clean.case == "ignore")
    return frame, stripped_report(total, len(rows))


def digests_of(options: DataOptions, roots: AllowedPaths) -> dict[str, str]:
    """sha256 of every file of the `data` section, as `load` names them; nothing in a file is interpreted."""
    return {file.name: digest(file) for part in PARTS for file in _expanded(roots, options, part)}


def _given(parts: list[str], counts: list[int]) -> np.ndarray:
    """The part of each row (n_rows,), references to few texts."""
    if len(set(parts)) == 1:
        return np.broadcast_to(np.array(parts[0], object), sum(counts))
    return np.repeat(np.array(parts, object), counts)


def _expanded(roots: AllowedPaths, options: DataOptions, part: str) -> list[DataFile]:
    try:
        return roots.expand(getattr(options, part))
    except DataError as error:
        raise DataError(*(replace(problem, key=("data", part)) for problem in error.problems)) from error
