"""What holds for every format: one table, exact chunks, several files, missing values."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reading import Write, cells, column_names, options, stream_table
from tables import read_table

from bptrain.data.files import DataFile
from bptrain.data.frame import parse_numbers as numbers
from bptrain.data.frame import texts
from bptrain.data.options import DataOptions
from bptrain.data.readers import csv as table_csv
from bptrain.data.readers import format as table_format
from bptrain.data.readers.formats import FORMATS, format_by_name, format_of
from bptrain.errors import DataError, Problem
from bptrain.messages.catalogue import CATALOGUE


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


@pytest.mark.parametrize("quote", ["", '"'])
def test_na_values_are_compared_exactly(write: Write, quote: str) -> None:
    content = "a,b\n" + "\n".join(f"{quote}{cell}{quote},x" for cell in ("NA", "na", " NA", "", "?"))
    assert cells(content, write, na_values=("NA", "?"))["a"] == [None, "na", " NA", "", None]
    assert cells(content, write, na_values=())["a"] == ["NA", "na", " NA", "", "?"]


def test_na_values_hold_for_the_text_of_every_format(write: Write, write_parquet: Callable[..., DataFile]) -> None:
    assert cells('{"a":"?"}\n{"a":"x"}\n{}\n', write, "t.jsonl", na_values=("?",))["a"] == [None, "x", None]
    table = read_table([write_parquet({"a": ["", "x"], "n": [0, 1]})], options())
    assert table.to_pydict() == {"a": [None, "x"], "n": [0, 1]}


@pytest.mark.parametrize("content", ["a,b", "a,b\n", "a,b\n\n", "\ufeffa,b\r\n"])
def test_a_table_without_rows_is_refused_but_streams_no_chunks(write: Write, content: str) -> None:
    file = write(content)
    with pytest.raises(DataError, match="BP210.*no rows"):
        read_table([file], options())
    assert list(stream_table(file, options(), chunk_rows=5)) == []
    assert column_names(file, options()) == ["a", "b"]


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
    assert all(problem.code in CATALOGUE for problem in caught)
    for column in columns:
        assert len(texts(column)) == len(numbers(column)[0]) == len(column) > 0


def test_stream_holds_a_small_part_of_a_large_file(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_csv, "LONGEST_ROW", 2**16)
    file = write("a,b\n" + "".join(f"{i},some text\n" for i in range(400_000)))
    before = pa.total_allocated_bytes()
    most = max(pa.total_allocated_bytes() - before for _ in stream_table(file, options(), chunk_rows=1000))
    assert most < file.path.stat().st_size / 4
