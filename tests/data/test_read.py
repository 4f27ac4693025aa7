"""Tables from CSV, TSV, JSON lines and Parquet."""

from __future__ import annotations

import csv
import gzip
import json
import pickle
import re
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import csv as arrow_csv
from tables import read_table

from bptrain.data.files import DataFile
from bptrain.data.frame import Frame
from bptrain.data.load import FileSource
from bptrain.data.options import DataOptions
from bptrain.data.readers import csv as table_csv
from bptrain.data.readers import format as table_format
from bptrain.data.readers.csv_scan import examine, first_cells, row_blocks
from bptrain.data.readers.formats import FORMATS, format_by_name, format_of
from bptrain.data.values import numbers, texts
from bptrain.errors import BptrainError, DataError, Problem, UsageError
from bptrain.messages import CODES

Write = Callable[..., DataFile]


def options(**settings: Any) -> DataOptions:
    return DataOptions(train=("x",), **settings)


def stream_table(file: DataFile, options: DataOptions, **settings: Any) -> Iterator[pa.Table]:
    return FileSource(file, options).stream(**settings)


def column_names(file: DataFile, options: DataOptions) -> list[str]:
    return FileSource(file, options).column_names()


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


def problems(file: DataFile, **settings: Any) -> tuple[Problem, ...]:
    """The problems of reading, which must also come up when streaming, and be explained."""
    with pytest.raises(BptrainError, match="BP2") as caught:
        read_table([file], options(**settings))
    with pytest.raises(BptrainError, match=caught.value.problems[0].code):
        list(stream_table(file, options(**settings), chunk_rows=3))
    assert all(problem.code in CODES and problem.hints for problem in caught.value.problems)
    return caught.value.problems


def cells(content: bytes | str, write: Write, name: str = "t.csv", **settings: Any) -> dict[str, list[Any]]:
    """What reading gives, which streaming must give too."""
    file = write(content, name)
    table = read_table([file], options(**settings))
    assert pa.concat_tables(stream_table(file, options(**settings), chunk_rows=2)).equals(table)
    assert column_names(file, options(**settings)) == table.column_names
    return table.to_pydict()  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("a,b\n1,2\n3,4", {"a": ["1", "3"], "b": ["2", "4"]}),
        ("a,b\r\n1,2\r\n3,4\r\n", {"a": ["1", "3"], "b": ["2", "4"]}),
        ("a,b\r1,2\r3,4\r", {"a": ["1", "3"], "b": ["2", "4"]}),
        ("\ufeffa,b\n1,2\n", {"a": ["1"], "b": ["2"]}),
        ('\ufeff"a",b\n1,2\n', {"a": ["1"], "b": ["2"]}),
        ("\n\na,b\n\n1,2\n\n", {"a": ["1"], "b": ["2"]}),
        ('a,b\n"x\ny","p,q"\n"""",""\n', {"a": ["x\ny", '"'], "b": ["p,q", None]}),
        ('a,b\n6"5,x"y"\n1,2\n', {"a": ['6"5', "1"], "b": ['x"y"', "2"]}),
        ("a,b\n 1 ,\t\n", {"a": [" 1 "], "b": ["\t"]}),
        ("a,b\n00123,NA\nnull,1e400\n", {"a": ["00123", "null"], "b": ["NA", "1e400"]}),
        ('"x, y","d ""e"""\n1,2\n', {"x, y": ["1"], 'd "e"': ["2"]}),
        ("a\n1\n2\n", {"a": ["1", "2"]}),
        ("a,b\na,c\n", {"a": ["a"], "b": ["c"]}),
        (" a ,b\n1,2\n", {" a ": ["1"], "b": ["2"]}),
        ("é,😀\nü,2\n", {"é": ["ü"], "😀": ["2"]}),
        ("f0,f1\n1,\n", {"f0": ["1"], "f1": [None]}),
    ],
)
def test_csv_cells_are_text_as_written(write: Write, content: str, expected: dict[str, list[str]]) -> None:
    assert cells(content, write) == expected


@pytest.mark.parametrize(
    ("content", "name", "settings"),
    [
        ("a\tb,c\n1\t2\n", "t.tsv", {}),
        ("a;b,c\n1;2\n", "t.csv", {"delimiter": ";"}),
        ('a,"b,c"\n1,2\n', "t.csv.gz", {}),
        ('a,"b,c"\n1,2\n', "t.data", {"format": "csv"}),
        ("1,2\n", "t.csv", {"header": False, "names": ("a", "b,c")}),
        ('\n"1","2"\n', "t.csv", {"header": False, "names": ("a", "b,c")}),
        ('a,"b,c"\n1,2\n'.encode("utf-16"), "t.csv", {"encoding": "utf-16"}),
        ('\ufeffa,"b,c"\n1,2\n'.encode("utf-16-le"), "t.csv", {"encoding": "utf-16-le"}),
        ('a,"b,c"\n1,2\n'.encode("utf-32"), "t.csv", {"encoding": "utf-32"}),
        ('\ufeffa,"b,c"\n1,2\n', "t.csv", {"encoding": "utf-8-sig"}),
        ('a,"b,c"\n1,2\n', "t.csv", {"encoding": "latin-1"}),
        ('{"a":"1","b,c":"2"}\n', "t.jsonl", {}),
        ('{"a":"1","b,c":"2"}', "t.ndjson.gz", {}),
    ],
)
def test_formats_give_the_same_table(write: Write, content: str | bytes, name: str, settings: dict[str, Any]) -> None:
    assert cells(content, write, name, **settings) == {"a": ["1"], "b,c": ["2"]}


def test_csv_decodes_latin_1(write: Write) -> None:
    assert cells("caf\xe9\n\xfc\n".encode("latin-1"), write, encoding="latin-1") == {"café": ["ü"]}


@pytest.mark.parametrize("quote", ["", '"'])
def test_na_values_are_compared_exactly(write: Write, quote: str) -> None:
    content = "a,b\n" + "\n".join(f"{quote}{cell}{quote},x" for cell in ("NA", "na", " NA", "", "?"))
    assert cells(content, write, na_values=("NA", "?"))["a"] == [None, "na", " NA", "", None]
    assert cells(content, write, na_values=())["a"] == ["NA", "na", " NA", "", "?"]


def test_na_values_hold_for_the_text_of_every_format(write: Write, write_parquet: Callable[..., DataFile]) -> None:
    assert cells('{"a":"?"}\n{"a":"x"}\n{}\n', write, "t.jsonl", na_values=("?",))["a"] == [None, "x", None]
    table = read_table([write_parquet({"a": ["", "x"], "n": [0, 1]})], options())
    assert table.to_pydict() == {"a": [None, "x"], "n": [0, 1]}


@pytest.mark.parametrize(
    ("content", "code", "said"),
    [
        ("", "BP210", "empty"),
        ("\n\r\n\n", "BP210", "empty"),
        ("a,b\n1,\xe92\n".encode("latin-1"), "BP211", "0xe9 at offset 6"),
        ("a,\xe9\n1,2\n".encode("latin-1"), "BP211", "0xe9 at offset 2"),
        ("ü,b\n1,ü\n".encode() + "ü,2\n".encode("latin-1"), "BP211", "0xfc at offset 10"),
        ("a,b\n1,2\n".encode("utf-16"), "BP211", "UTF-16"),
        ("a,b\n1,2\n".encode("utf-32"), "BP211", "UTF-32"),
        ("a,b\n1,2\n".encode("utf-16-le"), "BP212", "NUL"),
        ("a,b\n1,2\n3,4\0\n", "BP212", "row 3"),
        ("a,b\n1,2,3\n", "BP213", "row 2 has 3"),
        ("a,b\n1,2\n\n3\n", "BP213", "row 4 has 1"),
        ('a,b\n"1\n2",2\n1,2,3\n4,5\n6\n', "BP213", "2 of 4 rows do not have 2 cells: row 3 has 3, row 5 has 1"),
        ('a,b\n1,2\n3,"4\n5,6\n', "BP214", "opens in row 3 is never closed"),
        ('a,"b\n1,2\n', "BP214", "opens in row 1"),
        ('a,b\n6"5,2\n3,"4\n5,6\n', "BP214", "opens in row 3"),
        ('a,b\n"1,2\n3,"4\n5,6\n', "BP214", "row 2 near"),
        ('a,b\n1,"5" nails"\n', "BP214", "row 2 near"),
        ("a,b,a\n1,2,3\n", "BP215", "`a`"),
        ("a,b,\n1,2,3\n", "BP216", "column 3"),
        (",a\n0,1\n", "BP216", "column 1"),
        (" \n1\n", "BP216", "column 1"),
        ("a,A\n1,2\n", "BP217", "`a` and `A`"),
        ("a,a \n1,2\n", "BP217", "`a` and `a `"),
        ("a b,a  b\n1,2\n", "BP217", "`a b`"),
        ("caf\u00e9,cafe\u0301\n1,2\n", "BP217", "caf"),
        ("a;b\n1,5;2\n", "BP218", "'a;b'"),
        ("a\tb\n1\t2\n", "BP218", "one column"),
        ("a|b\n1|2\n", "BP218", "one column"),
        ("a,b\n1,2\na,b\n3,4\n", "BP219", "row 3"),
        (b"PAR1" + b"\0" * 20, "BP208", "Parquet"),
        (b"PK\x03\x04\0\0", "BP208", "xlsx"),
        (pickle.dumps([1]), "BP208", "pickle"),
        (gzip.compress(b"a,b\n", mtime=0), "BP208", "gzip"),
        (b"<!DOCTYPE html><html>", "BP208", "HTML"),
        (",".join(f"c{i}" for i in range(10_001)) + "\n", "BP220", "10,001"),
    ],
)
def test_csv_refuses_with_code_and_place(write: Write, content: bytes | str, code: str, said: str) -> None:
    found = problems(write(content))
    assert [problem.code for problem in found] == [code]
    assert said in found[0].message + found[0].where
    assert found[0].where.startswith("t.csv")


@pytest.mark.parametrize(
    ("content", "settings", "code", "error"),
    [
        ("1,2,3\n", {"header": False, "names": ("a", "b")}, "BP221", DataError),
        ("1;2\n", {"header": False, "names": ("a", "b")}, "BP218", DataError),
        ("a,b\n1,2\n", {"header": False, "names": ("a", "b")}, "BP219", DataError),
        ("1,2\n", {"header": False, "names": ("a", "a")}, "BP215", DataError),
        ("1,2\n3\n", {"header": False, "names": ("a", "b")}, "BP213", DataError),
        ("a,b\n1,2\n", {"encoding": "latin-42"}, "BP222", UsageError),
        ("a,b\n1,2\n", {"encoding": "zip"}, "BP222", UsageError),
        ("a,b\n1,2\n", {"delimiter": '"'}, "BP222", UsageError),
        ("a,b\n1,2\n", {"delimiter": "§"}, "BP222", UsageError),
        ("a,b\n1,\xe9\n", {"encoding": "ascii"}, "BP211", DataError),
        (b"\xef\xbb\xbfa,b\n1,2\n", {"encoding": "latin-1"}, "BP211", DataError),
        ("a,b\n1,2\n".encode("utf-16")[:-1], {"encoding": "utf-16"}, "BP211", DataError),
    ],
)
def test_csv_refuses_options_that_do_not_fit(
    write: Write, content: bytes | str, settings: dict[str, Any], code: str, error: type[BptrainError]
) -> None:
    assert [problem.code for problem in problems(write(content), **settings)] == [code]
    with pytest.raises(error, match=code):
        read_table([write(content)], options(**settings))


def test_csv_header_problems_come_together(write: Write) -> None:
    assert [problem.code for problem in problems(write("a,A,b,b,\n1,2,3,4,5\n"))] == ["BP216", "BP215", "BP217"]


def test_csv_wrong_delimiter_is_suggested(write: Write) -> None:
    assert '`data.delimiter: ";"`' in problems(write("a;b\n1;2\n"))[0].hints[0]


def test_csv_says_when_every_row_is_longer(write: Write) -> None:
    assert "every row has one cell more" in problems(write("a,b\n0,1,2\n1,3,4\n"))[0].hints[0]


def test_csv_names_five_ragged_rows_and_the_count(write: Write) -> None:
    (problem,) = problems(write("a,b\n" + "1\n" * 20 + "1,2\n"))
    assert "20 of 21 rows" in problem.message
    assert "row 6 has 1 and 15 more" in problem.message


def test_csv_refuses_a_row_longer_than_the_limit(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_csv, "LONGEST_ROW", 2**20)
    assert problems(write("a,b\n1," + "x" * 2**22 + "\n"))[0].code == "BP223"
    assert problems(write("x" * 2**22))[0].code == "BP223"


@pytest.mark.parametrize("content", ["a,b", "a,b\n", "a,b\n\n", "\ufeffa,b\r\n"])
def test_a_table_without_rows_is_refused_but_streams_no_chunks(write: Write, content: str) -> None:
    file = write(content)
    with pytest.raises(DataError, match="BP210.*no rows"):
        read_table([file], options())
    assert list(stream_table(file, options(), chunk_rows=5)) == []
    assert column_names(file, options()) == ["a", "b"]


@pytest.mark.parametrize(
    ("content", "codes"),
    [
        ("a,b\r\n1,2\n3,4\n", ["BP229"]),
        ("a,b\r1,2\n", ["BP229"]),
        ('a,b\r\n"1\n2",2\r\n', []),
        ('a,b\n"1\r2\r\n",2\n', []),
        ("a,b\r\n1,2", []),
        (" a,b\n1,2\n", ["BP209"]),
        ("a,b\n1,2\n", []),
    ],
)
def test_csv_warns(write: Write, content: str, codes: list[str]) -> None:
    warnings: list[Problem] = []
    read_table([write(content)], options(), warn=warnings.append)
    list(stream_table(write(content), options(), chunk_rows=1, warn=warnings.append))
    assert [problem.code for problem in warnings] == codes * 2
    assert all(problem.code in CODES for problem in warnings)


@pytest.mark.parametrize(
    ("content", "code", "said"),
    [
        ("", "BP210", "no values"),
        ("{}\n", "BP210", "no values"),
        ("null\n", "BP224", "line 1"),
        ('{"a":1}\nnull\n', "BP224", "line 2"),
        ('{"a":1} null\n', "BP224", "line 1"),
        ('{"a":1} {"a":2}\n', "BP224", "line 1"),
        ('{"a":\n1}\n', "BP224", "line 1"),
        ('{"a":1}\n\n{"a":\n', "BP224", "line 3"),
        ('{"a":1}\n{"a":1,}\n', "BP224", "line 2"),
        ('{"a":1}\n{"a":"x}\n', "BP224", "line 2"),
        ('{"a":1,"a":2}\n', "BP224", "line 1"),
        ("[1]\n", "BP224", "line 1"),
        ("a,b\n1,2\n", "BP224", "line 1"),
        ('{"a":{"b":1}}\n', "BP225", "`a`"),
        ('{"b":1,"a":[1]}\n', "BP225", "`a`"),
        ('{"a":' + "[" * 100_000 + "]" * 100_000 + "}\n", "BP224", "line 1"),
        ('{"a":1}\n\n{"a":"x"}\n', "BP226", "line 3"),
        ('{"a":true}\n{"a":1}\n', "BP226", "boolean and number"),
        ('{"a":"\xe9"}\n'.encode("latin-1"), "BP211", "0xe9"),
        ('{"a":"x\\u0000"}\n', "BP212", "`a`"),
        ('{"a":1,"A":2}\n', "BP217", "`a`"),
        ('{"":1}\n', "BP216", "column 1"),
        (b"PAR1" + b"\0" * 20, "BP208", "Parquet"),
    ],
)
def test_jsonl_refuses_with_code_and_place(write: Write, content: bytes | str, code: str, said: str) -> None:
    found = problems(write(content, "t.jsonl"))
    assert found[0].code == code
    assert said in found[0].message + found[0].where


def test_jsonl_keeps_types_and_text(write: Write) -> None:
    lines = [
        {"i": 1, "f": 1, "t": "2024-05-01", "b": True, "s": 'a"}{\\"[\\\\'},
        {"i": None, "f": 2.5, "t": "x", "n": None, "s": "\n"},
    ]
    table = read_table([write("\r\n".join(map(json.dumps, lines)), "t.jsonl")], options())
    assert [str(kind) for kind in table.schema.types] == ["int64", "double", "string", "bool", "string", "null"]
    assert table.to_pylist() == [{"n": None, **lines[0]}, {"b": None, **lines[1]}]


def test_jsonl_types_do_not_depend_on_blocks(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    content = "".join(f'{{"a":{i},"d":"2024-05-01"}}\n' for i in range(50)) + '{"a":0.5,"d":"x","late":true}\n'
    whole = cells(content, write, "t.jsonl")
    monkeypatch.setattr(table_format, "BLOCK", 64)
    assert cells(content, write, "t.jsonl") == whole
    assert whole["a"][:2] + whole["a"][-1:] == [0.0, 1.0, 0.5]
    found = problems(write(content + '{"a":"x"}\n', "t.jsonl"))
    assert (found[0].code, found[0].where) == ("BP226", "t.jsonl: line 52")


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


def test_files_are_joined_in_order_with_the_columns_of_the_first(write: Write) -> None:
    files = [write("a,b\n1,2\n", "1.csv"), write("b;a\n4;3\n".replace(";", ","), "2.csv")]
    assert read_table(files, options()).to_pydict() == {"a": ["1", "3"], "b": ["2", "4"]}
    assert read_table(files[::-1], options()).to_pydict() == {"b": ["4", "2"], "a": ["3", "1"]}


def test_files_with_other_columns_are_refused_with_the_differences(write: Write) -> None:
    files = [write("age,b\n1,2\n", "1.csv"), write("agee,b\n1,2\n", "2.csv"), write("age,b,c\n1,2,3\n", "3.csv")]
    with pytest.raises(DataError, match="BP228") as caught:
        read_table(files, options())
    first, second = caught.value.problems
    assert (first.where, second.where) == ("2.csv", "3.csv")
    assert "lacks `age` and has also `agee`" in first.message
    assert "has also `c`" in second.message
    assert "`age`" in first.hints[0]


def test_problems_of_several_files_come_together(write: Write) -> None:
    files = [write("a,b\n1\n", "1.csv"), write("a,b\n1,2\n", "2.csv"), write('a,b\n1,"2\n', "3.csv")]
    with pytest.raises(DataError, match="1 of 1 rows") as caught:
        read_table(files, options())
    assert [problem.code for problem in caught.value.problems] == ["BP213", "BP214"]


def test_files_may_differ_in_the_width_of_numbers_only(write_parquet: Callable[..., DataFile]) -> None:
    files = [write_parquet({"a": [1]}, "1.parquet"), write_parquet({"a": [0.5]}, "2.parquet")]
    assert read_table(files, options())["a"].to_pylist() == [1.0, 0.5]
    with pytest.raises(DataError, match="BP226.*int64 in 1.parquet, string in 3.parquet"):
        read_table([files[0], write_parquet({"a": ["x"]}, "3.parquet")], options())


def test_format_of_an_unknown_name_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="BP208") as caught:
        format_of(DataFile(tmp_path / "x.dat", "x.dat"), options())
    assert "data.format" in caught.value.problems[0].hints[0]


def test_every_format_is_a_line_of_the_table() -> None:
    named = {name for name in get_args(DataOptions.model_fields["format"].annotation) if name != "auto"}
    assert set(FORMATS) == named
    for name, format in FORMATS.items():
        assert format.name == name
        for suffix in format.suffixes:
            assert format_by_name(DataFile(Path("x"), f"x{suffix}")) is format
            assert format_by_name(DataFile(Path("x"), f"X{suffix.upper()}.gz")) is format


@pytest.mark.parametrize("chunk_rows", [1, 2, 3, 7, 100, 333, 999, 1000, 1001, 5000])
@pytest.mark.parametrize("name", ["t.csv", "t.tsv.gz", "t.jsonl", "t.parquet"])
def test_stream_gives_the_rows_of_read_in_exact_chunks(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, chunk_rows: int
) -> None:
    monkeypatch.setattr(table_format, "BLOCK", 500)
    monkeypatch.setattr(table_csv, "LONGEST_ROW", 1500)
    generator = np.random.default_rng(0)
    table = {"x": generator.normal(size=1000).tolist(), "s": [f'"{i},\n' for i in range(1000)]}
    if name == "t.parquet":
        pq.write_table(pa.table(table), tmp_path / name, row_group_size=130)
        file = DataFile(tmp_path / name, name)
    elif name == "t.jsonl":
        rows = (dict(zip(table, row, strict=True)) for row in zip(*table.values(), strict=True))
        file = write("\n".join(map(json.dumps, rows)), name)
    else:
        mark = "\t" if "tsv" in name else ","
        quoted = (f'{x}{mark}"{s.replace(chr(34), chr(34) * 2)}"\n' for x, s in zip(*table.values(), strict=True))
        file = write(f"x{mark}s\n" + "".join(quoted), name)
    chunks = list(stream_table(file, options(), chunk_rows=chunk_rows))
    assert [chunk.num_rows for chunk in chunks[:-1]] == [chunk_rows] * (len(chunks) - 1)
    assert 0 < chunks[-1].num_rows <= chunk_rows
    whole = read_table([file], options())
    assert pa.concat_tables(chunks).equals(whole)
    assert numbers(whole["x"])[0].tolist() == table["x"]
    assert whole["s"].to_pylist() == table["s"]


TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=8)
TABLES = st.integers(1, 12).flatmap(
    lambda n: st.fixed_dictionaries(
        {
            "text": st.lists(TEXT | st.sampled_from(['"', '6"5', "a,b", "\r\n", " ", "NA"]), min_size=n, max_size=n),
            "float": st.lists(st.floats(allow_nan=False, width=64) | st.none(), min_size=n, max_size=n),
            "int": st.lists(st.integers(-(2**63), 2**63 - 1), min_size=n, max_size=n),
            "flag": st.lists(st.booleans(), min_size=n, max_size=n),
        }
    )
)


@settings(max_examples=60, deadline=None)
@given(TABLES, st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]), st.sampled_from(["\n", "\r\n"]), st.integers(1, 5))
def test_csv_and_parquet_of_one_table_agree(
    tmp_path_factory: pytest.TempPathFactory, table: dict[str, list[Any]], quoting: Any, line_end: str, n: int
) -> None:
    folder = tmp_path_factory.mktemp("agree")
    with (folder / "t.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, quoting=quoting, lineterminator=line_end)
        writer.writerow(table)
        writer.writerows(zip(*table.values(), strict=True))
    typed = {"text": pa.string(), "float": pa.float64(), "int": pa.int64(), "flag": pa.bool_()}
    pq.write_table(pa.table({name: pa.array(table[name], typed[name]) for name in table}), folder / "t.parquet")
    files = [DataFile(folder / name, name) for name in ("t.csv", "t.parquet")]
    from_csv, from_parquet = (read_table([file], options()) for file in files)
    for name in table:
        assert texts(from_csv[name]).to_pylist() == texts(from_parquet[name]).to_pylist()
    for name in ("float", "int"):
        (values, bad), (others, _) = numbers(from_csv[name]), numbers(from_parquet[name])
        np.testing.assert_array_equal(values, others)
        assert not bad.any()
    assert from_csv["text"].to_pylist() == [cell or None for cell in table["text"]]
    for file, whole in zip(files, (from_csv, from_parquet), strict=True):
        assert pa.concat_tables(stream_table(file, options(), chunk_rows=n)).equals(whole)


def reference_rows(text: str) -> tuple[list[int], bool]:
    """Cells of each row (0: an empty line), and whether a quote stays open, one character after another."""
    rows, cells, begun, inside, at_start, i = [], 1, False, False, True, 0
    while i < len(text):
        c = text[i]
        if inside:
            if text[i : i + 2] == '""':
                i += 1
            elif c == '"':
                inside = False
        elif c in "\r\n":
            rows.append(cells if begun else 0)
            i += text[i : i + 2] == "\r\n"
            cells, begun, at_start = 1, False, True
            i += 1
            continue
        elif c == '"' and at_start:
            inside = True
        cells += not inside and c == ","
        at_start = not inside and c == ","
        begun = True
        i += 1
    return rows + [cells] * begun, inside


@settings(max_examples=400, deadline=None)
@given(st.text(st.sampled_from('",\r\nx'), max_size=30), st.integers(1, 6))
def test_rows_are_found_as_one_character_after_another(text: str, size: int) -> None:
    blocks = [text[i : i + size].encode() for i in range(0, len(text), size)]
    rows, inside = reference_rows(text)
    assert [int(n) for block in row_blocks(blocks, delimiter=b",") for n in block.cells] == rows
    found = examine(blocks, delimiter=b",", n_columns=2, header=False)
    assert (found.quote_open_at is not None) == inside
    assert found.n_rows == sum(n > 0 for n in rows)
    assert found.ragged.count == sum(n not in (0, 2) for n in rows)


@settings(max_examples=200, deadline=None)
@given(st.text(st.sampled_from('",\r\nx'), max_size=30))
def test_first_row_is_what_pyarrow_reads(text: str) -> None:
    lines = text + "\n"
    rows, inside = reference_rows(lines)
    if inside or not any(rows):
        return
    row = first_cells([lines.encode()], delimiter=b",", limit=1000)
    parsing = arrow_csv.ParseOptions(newlines_in_values=True, invalid_row_handler=lambda _: "skip")
    assert row == arrow_csv.read_csv(BytesIO(lines.encode()), parse_options=parsing).column_names


VALID = b'age,name,income\n39,"Smith, J",low\n50,"a ""b"" c",high\n28,\xc3\xa9,low\n'


@settings(max_examples=300, deadline=None)
@given(st.data())
@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz", "t.jsonl", "t.parquet"])
def test_mutated_files_are_read_or_refused(tmp_path_factory: pytest.TempPathFactory, name: str, data: Any) -> None:
    folder = tmp_path_factory.mktemp("mutated")
    path = folder / name
    if name == "t.parquet":
        pq.write_table(pa.table({"age": [39, 50], "name": ["a", "é"]}), path)
        content = bytearray(path.read_bytes())
    elif name == "t.jsonl":
        content = bytearray(b'{"age":39,"name":"a","x":0.5}\n{"age":50,"name":"\\u00e9\\n","x":null}\n')
    else:
        content = bytearray(gzip.compress(VALID, mtime=0) if name.endswith(".gz") else VALID)
    for _ in range(data.draw(st.integers(1, 4))):
        position = data.draw(st.integers(0, len(content) - 1))
        content[position : position + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    path.write_bytes(content)
    caught: tuple[Problem, ...] = ()
    columns: list[pa.ChunkedArray] = []
    try:
        columns = read_table([DataFile(path, name)], options()).columns
    except DataError as err:
        caught = err.problems
    assert bool(columns) != bool(caught)
    assert all(problem.code in CODES for problem in caught)
    for column in columns:
        assert len(texts(column)) == len(numbers(column)[0]) == len(column) > 0


def test_stream_holds_a_small_part_of_a_large_file(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_csv, "LONGEST_ROW", 2**16)
    file = write("a,b\n" + "".join(f"{i},some text\n" for i in range(400_000)))
    before = pa.total_allocated_bytes()
    most = max(pa.total_allocated_bytes() - before for _ in stream_table(file, options(), chunk_rows=1000))
    assert most < file.path.stat().st_size / 4
