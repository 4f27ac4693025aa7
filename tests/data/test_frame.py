"""Frames: rows that are set apart share the cells of their table."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from builders import frame_of

from bptrain.data.frame import Frame, RowProvenance


def test_rows_of_rows_share_the_cells_of_the_table() -> None:
    frame = Frame(pa.table({"a": ["p", "q", "r", "s"]}), np.arange(4) + 10)
    part = frame.take(np.array([3, 1, 0])).take(np.array([0, 2]))
    assert part.table is frame.table
    assert part.column("a").to_pylist() == ["s", "p"]
    assert part.rows.tolist() == [13, 10]
    changed = part.with_column("a", pa.chunked_array([["new", "old"]]))
    assert changed.column("a").to_pylist() == ["new", "old"]
    assert frame.column("a").to_pylist() == ["p", "q", "r", "s"]


def test_a_row_is_named_by_its_file_as_an_editor_counts() -> None:
    provenance = RowProvenance(("a.csv", "b.jsonl"), (0, 3), (2, 1))
    frame = Frame(pa.table({"a": list("pqrst")}), np.arange(5), provenance)
    assert [frame.where(row) for row in (0, 2, 3)] == ["a.csv: row 2", "a.csv: row 4", "b.jsonl: row 1"]
    assert frame.take(np.array([4])).where(0) == "b.jsonl: row 2"
    assert frame_of({"a": ["x"]}).where(0) == "row 1"
