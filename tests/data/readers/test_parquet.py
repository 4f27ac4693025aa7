"""Parquet: types, columns that are not read, damaged files."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest
from reading import Write, column_names, options, problems, stream_table
from tables import read_table

from bptrain.data.files import DataFile
from bptrain.data.frame import Frame
from bptrain.errors import DataError


def test_parquet_keeps_types_and_decodes_dictionaries(write_parquet: Callable[..., DataFile]) -> None:
    columns = {
        "i": pa.array([1, None], pa.int32()),
        "s": pa.array(["a", "b"], pa.large_string()),
        "c": pa.array(["x", "y"]).dictionary_encode(),
        "t": pa.array([0, 1], pa.timestamp("ms", "UTC")),
    }
    table = read_table([write_parquet(columns)], options())
    assert [str(kind) for kind in table.schema.types] == ["int32", "string", "string", "timestamp[ms, tz=UTC]"]
    assert table["c"].to_pylist() == ["x", "y"]


@pytest.mark.parametrize(
    "column",
    [
        pa.array([[1], [2]]),
        pa.array([{"x": 1}, {"x": 2}]),
        pa.array([[("k", 1)], []], pa.map_(pa.string(), pa.int64())),
        pa.array([b"x", None]),
        pa.array([[1.0, 2.0], None], pa.list_(pa.float32(), 2)),
    ],
)
def test_parquet_keeps_only_the_name_of_columns_that_are_not_read(
    write_parquet: Callable[..., DataFile], column: pa.Array
) -> None:
    kind = re.escape(str(column.type).partition("<")[0])
    file = write_parquet({"fine": [1, 2], "odd": column})
    whole = read_table([file, write_parquet({"fine": [3, 4], "odd": column}, "u.parquet")], options())
    streamed = pa.concat_tables(stream_table(file, options(), chunk_rows=1))
    for table, n_rows in ((whole, 4), (streamed, 2)):
        frame = Frame(table, np.arange(n_rows))
        assert frame.names == ("fine", "odd")
        assert frame.texts("fine").to_pylist() == [str(number + 1) for number in range(n_rows)]
        assert frame.take(np.array([1, 0])).n_present("odd") == 2
        for read in (frame.numbers, frame.texts, frame.labels):
            with pytest.raises(DataError, match=f"BP225: .*`odd`.*: {kind}"):
                read("odd")
        assert frame.unread_problem("fine") is None


def test_parquet_of_columns_that_are_not_read_has_its_rows(write_parquet: Callable[..., DataFile]) -> None:
    assert read_table([write_parquet({"odd": [[1], [2]]})], options()).num_rows == 2


def test_parquet_column_that_is_read_in_one_file_only_is_refused(write_parquet: Callable[..., DataFile]) -> None:
    files = [write_parquet({"a": [[1]]}), write_parquet({"a": ["x"]}, "u.parquet")]
    with pytest.raises(DataError, match="BP226"):
        read_table(files, options())


def test_parquet_refuses_damaged_files(write: Write, write_parquet: Callable[..., DataFile]) -> None:
    file = write_parquet({"a": list(range(1000)), "s": [str(i) for i in range(1000)]})
    content = file.path.read_bytes()
    assert problems(write(content[:-20], "t.parquet"))[0].code == "BP227"
    middle = len(content) // 3
    broken = content[:middle] + bytes(b ^ 0xFF for b in content[middle : middle + 50]) + content[middle + 50 :]
    assert problems(write(broken, "t.parquet"))[0].code == "BP227"
    assert problems(write(b"", "t.parquet"))[0].code == "BP210"
    assert problems(write(b"a,b\n1,2\n", "t.parquet"))[0].code == "BP208"
    assert problems(write(content, "t.parquet.gz"))[0].code == "BP208"


def test_parquet_refuses_text_that_is_not_utf8(write_parquet: Callable[..., DataFile]) -> None:
    column = pa.Array.from_buffers(pa.string(), 1, pa.array([b"\xe9"]).buffers())
    assert problems(write_parquet({"a": column}))[0].code == "BP227"


def test_parquet_without_rows_is_refused_but_streams_no_chunks(write_parquet: Callable[..., DataFile]) -> None:
    file = write_parquet({"a": pa.array([], pa.int64())})
    with pytest.raises(DataError, match="BP210.*no rows"):
        read_table([file], options())
    assert list(stream_table(file, options(), chunk_rows=5)) == []
    assert column_names(file, options()) == ["a"]
