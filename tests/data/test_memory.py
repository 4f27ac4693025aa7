"""Large tables: cells kept in files, rows compared by hashes, columns made when asked for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bptrain.data import load as loading
from bptrain.data import values
from bptrain.data.files import AllowedPaths
from bptrain.data.frame import Frame
from bptrain.data.hashes import cell_hashes, row_hashes
from bptrain.data.load import load
from bptrain.data.memory import memory_map_table
from bptrain.data.options import CleanOptions, DataOptions
from bptrain.errors import StorageError
from bptrain.runs import platform

TEXTS = st.lists(st.none() | st.text(max_size=30), max_size=40)


@given(TEXTS)
def test_equal_texts_have_equal_hashes_and_others_have_not(cells: list[str | None]) -> None:
    column = pa.chunked_array([pa.array(cells[:7], pa.string()), pa.array(cells[7:], pa.string()).slice(0)])
    found = cell_hashes(column)
    assert len(set(found.tolist())) == len(set(cells))
    by_cell = dict(zip(cells, found.tolist(), strict=True))
    assert [by_cell[cell] for cell in cells] == found.tolist()
    assert cell_hashes(pa.chunked_array([column.combine_chunks().slice(2)])).tolist() == found[2:].tolist()


@pytest.mark.parametrize(
    "cells",
    [
        pa.array([0.0, -0.0, np.nan, float("nan"), None, 1.5], pa.float64()),
        pa.array([2**63, 2**63 + 1, None, 2**63], pa.uint64()),
        pa.array([-1, 0, 1, None], pa.int8()),
        pa.array([True, False, None, True]),
        pa.array(["a", "b", "a", None]).dictionary_encode(),
        pa.nulls(3),
        pa.array([1, 2, None], pa.date32()),
    ],
)
def test_cells_of_every_type_are_hashed_as_they_compare(cells: pa.Array) -> None:
    found = cell_hashes(pa.chunked_array([cells]))
    texts = [str(value).replace("-0.0", "0.0") for value in cells.to_pylist()]
    by_text = dict(zip(texts, found.tolist(), strict=True))
    assert [by_text[text] for text in texts] == found.tolist()
    assert len(set(found.tolist())) == len(by_text)


def test_hashes_of_rows_see_the_place_of_each_cell() -> None:
    table = pa.table({"a": ["x", "y", "x"], "b": ["y", "x", "y"]})
    first, second, third = row_hashes(table.columns, 3).tolist()
    assert first == third != second


@given(TEXTS, st.lists(st.integers(0, 39), max_size=60))
def test_taken_cells_are_those_at_the_positions(cells: list[str | None], positions: list[int]) -> None:
    chosen = np.array([p for p in positions if p < len(cells)], np.int64)
    column = pa.chunked_array([pa.array(cells[:5], pa.string()), pa.array(cells[5:], pa.string())])
    for rows in (chosen, np.sort(chosen)):
        assert values.take(column, rows).to_pylist() == [cells[p] for p in rows]


def test_distinct_values_of_a_long_column_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    column = pa.chunked_array([["a", "b", None, "a"], ["c", "b", ""]])
    assert values.n_distinct(column) == 4
    monkeypatch.setattr(values, "PART_ROWS", 2)
    assert values.n_distinct(column) == 4
    assert values.n_distinct(pa.chunked_array([pa.array([np.nan, 1.0, None, 1.0])])) == 1
    numbers, bad = values.numbers(column)
    assert np.isnan(numbers).all()
    assert bad.tolist() == [True, True, False, True, True, True, True]


def test_rows_of_rows_share_the_cells_of_the_table() -> None:
    frame = Frame(pa.table({"a": ["p", "q", "r", "s"]}), np.arange(4) + 10)
    part = frame.take(np.array([3, 1, 0])).take(np.array([0, 2]))
    assert part.table is frame.table
    assert part.column("a").to_pylist() == ["s", "p"]
    assert part.rows.tolist() == [13, 10]
    changed = part.with_column("a", pa.chunked_array([["new", "old"]]))
    assert changed.column("a").to_pylist() == ["new", "old"]
    assert frame.column("a").to_pylist() == ["p", "q", "r", "s"]


def test_a_large_file_is_read_into_a_file_without_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "partial"
    folder.mkdir()
    lines = ["a,b", *(f" {i} ,{'x' if i % 3 else '-'}" for i in range(1000))]
    (tmp_path / "t.csv").write_text("\n".join(lines))
    options, clean = DataOptions(train=("t.csv",), na_values=("-",)), CleanOptions(strip=True)
    whole = load(options, clean, AllowedPaths.create(tmp_path))
    monkeypatch.setattr(loading, "MAPPED_BYTES", 100)
    monkeypatch.setattr(loading, "CHUNK_ROWS", 300)
    kept = load(options, clean, AllowedPaths.create(tmp_path), folder=folder)
    assert kept.frame.table.column("a").num_chunks == 4
    assert kept.frame.table.equals(whole.frame.table)
    assert kept.cleaned == whole.cleaned
    assert kept.source_split.tolist() == whole.source_split.tolist()
    assert not list(folder.iterdir())


def test_the_rows_of_a_memory_map_take_no_memory(tmp_path: Path) -> None:
    before = pa.total_allocated_bytes()
    table = memory_map_table((pa.table({"a": np.full(2**17, float(i))}) for i in range(8)), tmp_path)
    assert table.num_rows == 2**20
    assert table["a"][-1].as_py() == 7.0
    assert pa.total_allocated_bytes() - before < 2**16
    assert memory_map_table(iter(()), tmp_path).num_rows == 0


def test_a_disk_without_room_is_told_before_anything_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "t.csv").write_text("a\n" + "1\n" * 100)
    monkeypatch.setattr(loading, "MAPPED_BYTES", 100)
    monkeypatch.setattr(platform, "free_bytes", lambda folder: 201)
    options = DataOptions(train=("t.csv",))
    with pytest.raises(StorageError, match="BP740"):
        load(options, CleanOptions(), AllowedPaths.create(tmp_path), folder=tmp_path)
    assert load(options, CleanOptions(), AllowedPaths.create(tmp_path)).frame.n_rows == 100
