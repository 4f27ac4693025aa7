"""Words for messages."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bptrain.errors import Problem
from bptrain.reports.text import problem_text
from bptrain.utils.text import escape, first_sentences, nearest, quote_list, shorten, yaml_name


def test_nearest_puts_the_most_alike_first() -> None:
    assert nearest("learning_rat", ["momentum", "learning_rate", "rate"])[0] == "learning_rate"


def test_nearest_sees_no_difference_in_letter_case() -> None:
    assert nearest("AGE", ["income", "age"]) == ["age"]


def test_nearest_finds_nothing_where_nothing_is_alike() -> None:
    assert nearest("zzz", ["age", "income"]) == []


@pytest.mark.parametrize(
    ("names", "prose"), [([], ""), (["a"], "`a`"), (["a", "b"], "`a` or `b`"), (["a", "b", "c"], "`a`, `b` or `c`")]
)
def test_quote_list_reads_as_prose(names: list[str], prose: str) -> None:
    assert quote_list(names) == prose


def test_quote_list_counts_what_it_leaves_out() -> None:
    assert quote_list(["a", "b", "c", "d"], limit=2, last="and") == "`a`, `b` and 2 more"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\nb", r"a\nb"),
        ("\x1b[31m", r"\x1b[31m"),
        ("a\u202eb", r"a\u202eb"),
        ("\udcff", r"\udcff"),
        ("größe 😀", "größe 😀"),
    ],
)
def test_escape_shows_what_would_be_invisible(text: str, shown: str) -> None:
    assert escape(text) == shown


@given(st.text(st.characters(exclude_categories=())))
def test_escape_leaves_only_printable_text(text: str) -> None:
    assert escape(text).isprintable()


def test_shorten_marks_what_it_cut() -> None:
    assert shorten("abcdef", 4) == "abc…"
    assert shorten("abcd", 4) == "abcd"


def test_first_sentences_end_where_a_sentence_does() -> None:
    text = "One is short. Two is not much longer. Three."
    assert first_sentences(text, 100) == text
    assert first_sentences(text, 40) == "One is short. Two is not much longer. …"
    assert first_sentences(text, 3) == "One is short. …"


def test_escape_takes_a_path() -> None:
    assert escape(Path("a\nb") / "c") == "a\\nb/c"


@pytest.mark.parametrize("name", ["size", "größe", "a.b-c_1"])
def test_yaml_name_leaves_plain_names(name: str) -> None:
    assert yaml_name(name) == name


@given(
    st.text(max_size=8) | st.sampled_from(["a: b", "null", "no", "7", "1e3", "{a", '"', "\\", "a,b", "\x1b\u202e", "é"])
)
def test_yaml_name_is_that_name_in_yaml(name: str) -> None:
    written = yaml_name(name)
    assert written.isprintable()
    assert yaml.safe_load(f"columns: {{{written}: categorical}}") == {"columns": {name: "categorical"}}
    assert yaml.safe_load(f"target: {{column: {written}}}") == {"target": {"column": name}}


def test_problem_text_shows_nothing_raw() -> None:
    raw, shown = "a\x1b[31m\u202eb", r"a\x1b[31m\u202eb"
    text = problem_text(Problem("BP240", raw, f"{raw}: row 1", hints=(raw, escape(raw))))
    assert all(line.isprintable() for line in text.splitlines())
    assert text.count(shown) == 4
    assert problem_text(Problem("BP240", "x", excerpt="1 | a\n  | ^")).endswith("1 | a\n  | ^")
