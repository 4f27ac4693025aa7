"""Large tables: cells kept in files, rows compared by hashes, columns made when asked for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from bptrain.data import load as loading
from bptrain.data.files import AllowedPaths
from bptrain.data.load import load
from bptrain.data.memory import memory_map_table
from bptrain.data.options import CleanOptions, DataOptions
from bptrain.errors import StorageError
from bptrain.runs import platform


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
