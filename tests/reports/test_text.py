"""Tables as text: aligned columns or sentences, numbers by their format, names made safe to show."""

from __future__ import annotations

import pytest

from bptrain.reports.tables import Cell, Table
from bptrain.reports.text import report_text


def test_columns_are_aligned_and_names_escaped() -> None:
    table = Table(("name\n", "n", "share"), [("a", 7, 0.5), ("long\x1bname", 12345, None)])
    assert report_text([table]) == "\n".join(
        [
            r"name\n            n   share",
            r"a                 7  0.5000",
            r"long\x1bname  12345       -",
        ]
    )


def test_alignment_can_be_said_and_headings_left_out() -> None:
    rows = [("a", "numeric", "why"), ("bc", "date", "so it is")]
    table = Table(("column", "kind", "reason"), rows, alignment=("left", "left", "left"), headed=False)
    assert report_text([table]).splitlines() == ["a   numeric  why", "bc  date     so it is"]


@pytest.mark.parametrize(
    ("cells", "formats", "shown"),
    [
        ((0.25, 1.5, 0.0), {}, ["0.2500", "1.5000", "0.0000"]),
        ((1234.5, 0.25, 3), {}, ["1234.5", "0.2", "3"]),
        ((0.25, 0.5, None), {"b": ".1%"}, ["0.2500", "50.0 %", "-"]),
        ((123456.789, 1e-9, 2.0), {"a": ".5g", "b": ".2g"}, ["1.2346e+05", "1e-09", "2"]),
    ],
)
def test_numbers_follow_the_format_of_their_column(
    cells: tuple[Cell, ...], formats: dict[str, str], shown: list[str]
) -> None:
    table = Table(("a", "b", "c"), [cells], formats=formats, sentence="{a}|{b}|{c}")
    assert report_text([table]).split("|") == shown


def test_sentences_follow_directly_and_tables_stand_apart() -> None:
    table = Table(("x", "y"), [("a", 1)], note="… and 3 more")
    said = Table(("gate", "value"), [("auc > {0}", 0.5)], formats={"value": ".5g"}, sentence="gate {gate}: {value}")
    none = Table(("gate",), [], sentence="{gate}")
    assert report_text([table, said, none, table]).splitlines() == [
        "x  y",
        "a  1",
        "… and 3 more",
        "gate auc > {0}: 0.5",
        "",
        "x  y",
        "a  1",
        "… and 3 more",
    ]
    assert report_text([none]) == ""
