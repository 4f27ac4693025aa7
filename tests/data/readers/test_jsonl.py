"""JSON lines: types, text, and what is refused with its line."""

from __future__ import annotations

import json

import pytest
from reading import Write, cells, options, problems
from tables import read_table

from bptrain.data.readers import format as table_format


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
