"""Small seeded tables, the files they are written to, and configs that train on them within a second or two."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bptrain.data.files import DataFile
from bptrain.data.load import FileSource, concatenate, read_tables
from bptrain.data.options import DataOptions
from bptrain.errors import Warn, ignore

TASKS = {"label": "binary", "sort": "multiclass", "amount": "regression"}
NUMBERS = ("size", "height", "count")
LABELS = ("code", "colour", "town", "flag")
COLUMNS: Mapping[str, object] = {
    "code": "categorical",  # all digits, so it would be inferred as numeric
    "town": {"kind": "categorical", "encoding": "embedding", "dimension": 3, "min_count": 1},
}


def make_table(n_rows: int = 200, *, seed: int = 0) -> pa.Table:
    """Three numeric columns, three of labels, a flag and the targets of `TASKS`; some cells missing or rare.

    The same number of rows and seed give the same table. Targets have no missing cell and every label often.
    """
    random = np.random.default_rng(seed)
    size = random.normal(0.0, 2.0, n_rows)
    colour = random.choice(["blue", "green", "red, light", 'the "best"'], n_rows).astype(object)
    colour[random.permutation(n_rows)[:3]] = ["grün", "rare", "rare"]
    signal = size + (colour == "blue") + random.normal(0.0, 0.5, n_rows)
    columns: dict[str, tuple[np.ndarray, pa.DataType]] = {
        "size": (_with_gaps(size, random), pa.float64()),
        "height": (random.normal(1e6, 10.0, n_rows), pa.float64()),
        "count": (_with_gaps(random.integers(-5, 400, n_rows), random), pa.int64()),
        "code": (random.choice(["7", "07", "007", "10"], n_rows), pa.string()),
        "colour": (_with_gaps(colour, random), pa.string()),
        "town": (random.choice([f"town {number}" for number in range(12)], n_rows), pa.string()),
        "flag": (_with_gaps(random.random(n_rows) < 0.5, random), pa.bool_()),
        "label": (np.where(signal > np.median(signal), "yes", "no"), pa.string()),
        "sort": (np.array(["a", "b", "c"])[np.argsort(np.argsort(signal)) * 3 // n_rows], pa.string()),
        "amount": (signal * 12.5 + 100.0, pa.float64()),
    }
    return pa.table({name: pa.array(cells.tolist(), kind) for name, (cells, kind) in columns.items()})


def write(table: pa.Table, path: Path) -> Path:
    """Write the table in the format that the name ends with: .csv, .jsonl or .parquet."""
    WRITERS[path.suffix](table, path)
    return path


def read_table(files: Sequence[DataFile], options: DataOptions, *, warn: Warn = ignore) -> pa.Table:
    """The rows of all files in the given order, as training would read them."""
    sources = [FileSource(file, options) for file in files]
    return concatenate(sources, read_tables(sources, warn=warn))


def config(data: object, *targets: str, **sections: Any) -> dict[str, Any]:
    """A config for a tiny network on columns of `make_table`; the other targets are no features."""
    ignored = {name: "ignore" for name in TASKS if name not in targets}
    return {
        "data": data,
        "targets": {name: {"task": TASKS[name]} for name in targets},
        "columns": {**COLUMNS, **ignored},
        "model": {"kind": "mlp", "hidden": [8]},
        "training": {"epochs": 2, "batch_size": 32},
        **sections,
    }


def replaced(table: pa.Table, column: str, row: int, value: object) -> pa.Table:
    """The table with one other cell."""
    cells = table[column].to_pylist()
    cells[row] = value
    return table.set_column(table.column_names.index(column), column, pa.array(cells, table.schema.field(column).type))


def _with_gaps(cells: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """About a tenth of the cells missing."""
    return np.where(random.random(len(cells)) < 0.1, np.array(None, object), cells.astype(object))


def _write_csv(table: pa.Table, path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(table.column_names)
        writer.writerows(["" if cell is None else str(cell) for cell in row.values()] for row in table.to_pylist())


def _write_jsonl(table: pa.Table, path: Path) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in table.to_pylist()), encoding="utf-8")


WRITERS: dict[str, Callable[[pa.Table, Path], None]] = {
    ".csv": _write_csv,
    ".jsonl": _write_jsonl,
    ".parquet": pq.write_table,
}
