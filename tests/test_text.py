"""Words for messages."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bptrain.text import escape, nearest, quote_list, shorten


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


def test_escape_takes_a_path() -> None:
    assert escape(Path("a\nb") / "c") == "a\\nb/c"
