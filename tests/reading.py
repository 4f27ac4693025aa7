"""Files read as training would read them, whole and in chunks, which must agree."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa
import pytest
from tables import read_table

from bptrain.data.files import DataFile
from bptrain.data.load import FileSource
from bptrain.data.options import DataOptions
from bptrain.errors import BptrainError, Problem
from bptrain.messages.catalogue import CATALOGUE

Write = Callable[..., DataFile]


def options(**settings: Any) -> DataOptions:
    return DataOptions(train=("x",), **settings)


def stream_table(file: DataFile, options: DataOptions, **settings: Any) -> Iterator[pa.Table]:
    return FileSource(file, options).stream(**settings)


def column_names(file: DataFile, options: DataOptions) -> list[str]:
    return FileSource(file, options).column_names()


def problems(file: DataFile, **settings: Any) -> tuple[Problem, ...]:
    """The problems of reading, which must also come up when streaming, and be explained."""
    with pytest.raises(BptrainError, match="BP2") as caught:
        read_table([file], options(**settings))
    with pytest.raises(BptrainError, match=caught.value.problems[0].code):
        list(stream_table(file, options(**settings), chunk_rows=3))
    assert all(problem.code in CATALOGUE and problem.hints for problem in caught.value.problems)
    return caught.value.problems


def cells(content: bytes | str, write: Write, name: str = "t.csv", **settings: Any) -> dict[str, list[Any]]:
    """What reading gives, which streaming must give too."""
    file = write(content, name)
    table = read_table([file], options(**settings))
    assert pa.concat_tables(stream_table(file, options(**settings), chunk_rows=2)).equals(table)
    assert column_names(file, options(**settings)) == table.column_names
    return table.to_pydict()  # type: ignore[no-any-return]
