"""CSV and TSV: cells as text, and what is refused with its place."""

from __future__ import annotations

import gzip
import pickle
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import csv as arrow_csv
from reading import Write, cells, options, problems, stream_table
from tables import read_table

from bptrain.data.readers import csv as table_csv
from bptrain.data.readers.csv import examine, first_cells, row_blocks
from bptrain.errors import BptrainError, DataError, Problem, UsageError
from bptrain.messages.catalogue import CATALOGUE


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


def test_csv_decodes_latin_1(write: Write) -> None:
    assert cells("caf\xe9\n\xfc\n".encode("latin-1"), write, encoding="latin-1") == {"café": ["ü"]}


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
    assert all(problem.code in CATALOGUE for problem in warnings)


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
