"""YAML text as a tree of nodes with positions."""

from __future__ import annotations

import math

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from bptrain.config import nodes
from bptrain.config.nodes import (
    MAX_BYTES,
    MappingNode,
    ScalarNode,
    SequenceNode,
    parse_config,
    parse_yaml,
    resolve_scalar,
    to_python,
)
from bptrain.errors import Problem, UsageError


@pytest.fixture(params=["CSafeLoader", "SafeLoader"])
def loader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both readers of PyYAML, since a machine may lack the C one."""
    name = str(request.param)
    if not hasattr(yaml, name):
        pytest.skip(f"PyYAML was built without {name}")
    monkeypatch.setattr(nodes, "_Loader", getattr(yaml, name))
    return name


def problems_of(text: str) -> tuple[Problem, ...]:
    with pytest.raises(UsageError, match="BP1") as caught:
        parse_config(text, source="c.yaml")
    assert caught.value.exit_code == 2
    return caught.value.problems


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("~", None),
        ("null", None),
        ("true", True),
        ("True", True),
        ("TRUE", True),
        ("false", False),
        ("False", False),
        ("FALSE", False),
        ("0", 0),
        ("-0", 0),
        ("12", 12),
        ("+7", 7),
        ("-7", -7),
        ("0x1F", 31),
        ("0o17", 15),
        ("1e-3", 0.001),
        (".5", 0.5),
        ("1.", 1.0),
        ("-2.5E+3", -2500.0),
        ("1e5", 100000.0),
        (".inf", math.inf),
        ("-.INF", -math.inf),
        ("010", "010"),
        ("00123", "00123"),
        ("-012", "-012"),
        ("0x", "0x"),
        ("-0x1F", "-0x1F"),
        ("0o8", "0o8"),
        ("1_000", "1_000"),
        ("no", "no"),
        ("yes", "yes"),
        ("on", "on"),
        ("off", "off"),
        ("y", "y"),
        ("tRUE", "tRUE"),
        ("12:30:00", "12:30:00"),
        ("2020-01-01", "2020-01-01"),
        (".", "."),
        ("e5", "e5"),
        ("1e", "1e"),
        ("inf", "inf"),
        ("nan", "nan"),
        ("１２", "１２"),
        ("9" * 1001, "9" * 1001),
    ],
)
def test_resolve_follows_the_core_rules_of_yaml_1_2(text: str, value: object) -> None:
    resolved = resolve_scalar(text)
    assert resolved == value
    assert type(resolved) is type(value)


@pytest.mark.parametrize("text", [".nan", ".NaN", ".NAN"])
def test_resolve_knows_nan(text: str) -> None:
    assert math.isnan(float(resolve_scalar(text) or 0))


@pytest.mark.usefixtures("loader")
@pytest.mark.parametrize("text", ["'1'", '"true"', "'null'", '""', "'~'", "'1e-3'"])
def test_parse_yaml_keeps_quoted_scalars_as_text(text: str) -> None:
    node = parse_yaml(text, source="c.yaml")
    assert isinstance(node, ScalarNode)
    assert node.value == text[1:-1]


@pytest.mark.usefixtures("loader")
def test_parse_config_makes_every_key_text() -> None:
    root = parse_config('on: 1\n1: 2\n0x10: 3\nnull: 4\n~: 5\n1.50: 6\n"": 7\n', source="c.yaml")
    assert to_python(root) == {"on": 1, "1": 2, "0x10": 3, "null": 4, "~": 5, "1.50": 6, "": 7}


@pytest.mark.usefixtures("loader")
def test_parse_config_marks_keys_and_values() -> None:
    root = parse_config('# first\nä: "😀" \nb:\n  - x\n  - {c: yes}\n', source="c.yaml")
    a, b = root.entries
    assert (str(a.mark), a.mark.length) == ("c.yaml:2:1", 1)
    assert (str(a.value.mark), a.value.mark.length) == ("c.yaml:2:4", 3)
    assert str(b.value.mark) == "c.yaml:4:3"
    assert isinstance(b.value, SequenceNode)
    inner = b.value.items[1]
    assert isinstance(inner, MappingNode)
    entry = inner.get("c")
    assert entry is not None
    assert (str(entry.mark), str(entry.value.mark)) == ("c.yaml:5:6", "c.yaml:5:9")
    assert inner.get("d") is None


@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\r"])
def test_parse_config_counts_lines_with_every_line_break(line_break: str) -> None:
    root = parse_config(line_break.join(["\ufeffa: 1", "", "b: 2", ""]), source="c.yaml")
    assert [str(entry.mark) for entry in root.entries] == ["c.yaml:1:1", "c.yaml:3:1"]


@pytest.mark.usefixtures("loader")
@pytest.mark.parametrize(
    ("text", "code", "where", "words"),
    [
        ("a:\n\tb: 1\n", "BP101", "2:1", "indented with a tab"),
        ("a:\n  b: 1\n\tc: 2\n", "BP101", "3:1", "indented with a tab"),
        ("a:\n  b: 1\n  \tc: 2\n", "BP101", "3:3", "indented with a tab"),
        ("a: b: c\n", "BP101", "1:5", "cannot stand here"),
        ("a: 1\n  b: 2\n", "BP101", "2:4", "cannot stand here"),
        ("a: [1, 2\nb: 3\n", "BP101", "2:2", "`,` or `]` is missing"),
        ("a: {b: 1\n", "BP101", "1:4", "`,` or `}` is missing"),
        ('a: "abc\n', "BP101", "1:4", "never closed"),
        ("a:\n  b: 1\n c: 2\n", "BP101", "3:2", "does not continue"),
        ("a: @x\n", "BP101", "1:4", "cannot begin a value"),
        ("a: 1\nfoo\n", "BP101", "2:1", "no `: `"),
        ('a: "C:\\data"\n', "BP101", "1:", "backslash"),
        ("a: >50K\n", "BP101", "1:4", "begins a block of text"),
        ("*: ignore\n", "BP101", "1:1", "YAML alias"),
        ("a: !x!y 1\n", "BP101", "1:4", "YAML tag"),
        ("a: - b\n", "BP101", "1:4", "list item"),
        ("a: 1\n\x07b: 2\n", "BP101", "2:1", r"`\\x07` cannot be used"),
        ("a: \ud800\n", "BP101", "1:4", r"`\\ud800` cannot be used"),
        ("columns:\n  *_id: ignore\n", "BP102", "2:3", "`\\*_id` is a YAML alias"),
        ("a: &x 1\n", "BP102", "1:4", "`&x` is a YAML anchor"),
        ("a: &x [1]\n", "BP102", "1:4", "`&x` is a YAML anchor"),
        ("a: !!python/object:os.system 1\n", "BP102", "1:4", "`!!python/object:os.system` is a YAML tag"),
        ("a: !foo {b: 1}\n", "BP102", "1:4", "`!foo` is a YAML tag"),
        ("a: !!str 1\n", "BP102", "1:4", "`!!str` is a YAML tag"),
        ("a: ! b\n", "BP102", "1:4", "`!` is a YAML tag"),
        ("a: {<<: {b: 1}}\n", "BP102", "1:5", "merge key"),
        ("? [a]\n: 1\n", "BP102", "1:3", "a key must be text"),
        ("a: {~: 1, '': 2, ? : 3}\n", "BP102", "1:", "the key before `:` is missing"),
        ("a: 1\n---\nb: 2\n", "BP102", "2:1", "second document"),
        ("a: 1\nb: 2\na: 3\n", "BP107", "3:1", "`a` is given twice"),
        ("a: 1\n'a': 3\n", "BP107", "2:1", "`a` is given twice"),
        ("1: 1\n'1': 3\n", "BP107", "2:1", "`1` is given twice"),
        ("[1]\n", "BP110", "1:1", "must be a mapping"),
        ("text\n", "BP110", "1:1", "must be a mapping"),
        ("a: " + "[" * 40 + "\n", "BP111", "1:35", "deeper than 32"),
        ("a: [" + "1," * 998 + "]\n", "BP111", "1:", "more than 1000 values"),
    ],
)
def test_parse_config_refuses(text: str, code: str, where: str, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nodes, "MAX_NODES", 1000)
    with pytest.raises(UsageError, match=words) as caught:
        parse_config(text, source="c.yaml")
    problem = caught.value.problems[0]
    assert problem.code == code
    assert problem.where.startswith(f"c.yaml:{where}")
    assert problem.where.count(":") == 2
    assert "^" in problem.excerpt


@pytest.mark.usefixtures("loader")
@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n", "---\n...\n", "null\n", "\ufeff"])
def test_parse_config_says_that_the_config_is_empty(text: str) -> None:
    (problem,) = problems_of(text)
    assert (problem.code, problem.where) == ("BP110", "c.yaml")
    assert "`target: COLUMN`" in problem.hints[0]


def test_parse_config_refuses_more_than_eight_mebibytes() -> None:
    (problem,) = problems_of("# " + "x" * MAX_BYTES)
    assert (problem.code, problem.message) == ("BP111", "the config is larger than 8 MiB")


def test_parse_config_allows_32_levels() -> None:
    root = parse_config("a: " + "[" * 31 + "]" * 31, source="c.yaml")
    assert root.get("a") is not None


def test_parse_config_tells_all_problems_in_the_order_of_the_text() -> None:
    found = problems_of("a: &x 1\nb: !foo 2\nc: {d: 1, d: 2}\n<<: 3\ne: [\n")
    assert [(problem.code, problem.where) for problem in found] == [
        ("BP102", "c.yaml:1:4"),
        ("BP102", "c.yaml:2:4"),
        ("BP107", "c.yaml:3:11"),
        ("BP101", "c.yaml:5:4"),
    ]
    assert "line 3" in found[2].hints[0]


def test_excerpt_escapes_the_source_and_marks_the_shown_columns() -> None:
    (problem,) = problems_of('"ä\u202e語": 1\n"ä\u202e語": 2\n')
    assert problem.excerpt == '2 | "ä\\u202e語": 2\n  | ^^^^^^^^^^^'


def test_excerpt_shows_the_part_of_a_long_line_around_the_mark() -> None:
    (problem,) = problems_of("a: {" + "".join(f"k{i}: 1, " for i in range(500)) + "k7: 2}")
    shown, carets = problem.excerpt.splitlines()
    assert len(shown) < 120
    assert shown[carets.index("^") :][: carets.count("^")] == "k7"


@given(st.text(max_size=200) | st.text(list("ab: -[]{}#&*!|>'\"%@`,?\n\t<~.1e")))
@settings(max_examples=200, deadline=None)
def test_parse_config_reads_or_refuses_any_text(text: str) -> None:
    root = parsed_or_refused(text)
    if isinstance(root, UsageError):
        assert all(problem.message and problem.where.startswith("c.yaml") for problem in root.problems)
    else:
        assert isinstance(to_python(root), dict)


def parsed_or_refused(text: str) -> MappingNode | UsageError:
    try:
        return parse_config(text, source="c.yaml")
    except UsageError as err:
        return err


def test_carets_stand_below_what_follows_a_byte_order_mark() -> None:
    with pytest.raises(UsageError) as caught:
        parse_config("\ufeffjust text", source="c.yaml")
    assert caught.value.problems[0].excerpt == "1 | just text\n  | ^^^^^^^^^"
