"""Files to read, made in `tmp_path`."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from reading import Write

from bptrain.data.files import DataFile


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(content: bytes | str, name: str = "t.csv") -> DataFile:
        content = content.encode() if isinstance(content, str) else content
        (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
        return DataFile(tmp_path / name, name)

    return write


@pytest.fixture
def write_parquet(tmp_path: Path) -> Callable[..., DataFile]:
    def write(columns: dict[str, Any] | pa.Table, name: str = "t.parquet", **settings: Any) -> DataFile:
        pq.write_table(columns if isinstance(columns, pa.Table) else pa.table(columns), tmp_path / name, **settings)
        return DataFile(tmp_path / name, name)

    return write
