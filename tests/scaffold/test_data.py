"""How a table that nobody has described is read, and which of its cells mean missing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import tables
from first_configs import COLOURS, LABELS, SIZES, N, proposed, with_cells, write

from bptrain.config.load import config_from_text
from bptrain.data.files import AllowedPaths
from bptrain.workflows.check import check
from bptrain.workflows.init import init

# How the file is read


def test_semicolons_and_decimal_commas_are_found() -> None:
    columns = {"größe": [s.replace(".", ",") for s in SIZES], "farbe": COLOURS, "y": LABELS}
    text, config = proposed(columns, delimiter=";")
    assert (config.data.delimiter, config.data.decimal) == (";", ",")
    assert 'decimal: ","   # a comma, as in `größe`' in text
    assert "numeric (1): größe" in text


def test_thousands_are_no_decimal_commas() -> None:
    columns = {"a": [f"{1 + i % 9},{100 + i}" for i in range(N)], "b": COLOURS, "y": LABELS}
    assert proposed(columns, delimiter=";")[1].data.decimal == "."


def test_decimal_points_beside_commas_are_left_alone() -> None:
    columns = {"a": [s.replace(".", ",") for s in SIZES], "b": SIZES, "y": LABELS}
    assert proposed(columns, delimiter=";")[1].data.decimal == "."


@pytest.mark.parametrize("delimiter", ["\t", "|", ";"])
def test_delimiter_is_found(delimiter: str) -> None:
    columns = {"size, in m": SIZES, "colour": COLOURS, "y": LABELS}
    assert proposed(columns, delimiter=delimiter)[1].data.delimiter == delimiter


@pytest.mark.parametrize(("encoding", "letter"), [("latin-1", "ü"), ("cp1252", "€"), ("utf-16", "ü")])
def test_encoding_is_found(encoding: str, letter: str) -> None:
    columns = {"size": SIZES, "colour": [letter, "b"] * (N // 2), "y": LABELS}
    text, config = proposed(columns, encoding=encoding)
    assert config.data.encoding == encoding
    assert f"encoding: {encoding}   # the bytes are not UTF-8" in text


def test_format_is_found_where_the_name_does_not_tell() -> None:
    assert proposed({"size": SIZES, "y": LABELS}, name="t.dat")[1].data.format == "csv"
    tables.write(tables.make_table(), Path("t.parquet"))
    os.rename("t.parquet", "p.csv")
    assert config_from_text(init(("p.csv",), target="label").text).data.format == "parquet"


@pytest.mark.parametrize("name", ["t.csv", "t.jsonl", "t.parquet"])
def test_every_format_gives_the_same_kinds(name: str) -> None:
    tables.write(tables.make_table(), Path(name))
    config = config_from_text(init((name,), target="label").text)
    found = check(config, AllowedPaths.create())[1].options
    expected = {"size", "height", "count", "code", "amount"}
    assert {column for column, options in found.items() if options.kind == "numeric"} == expected


def test_several_files_and_a_test_file() -> None:
    for name in ("a.csv", "b.csv", "c.csv"):
        write({"size": SIZES, "y": LABELS}, name)
    config = config_from_text(init(("a.csv", "b.csv"), test=("c.csv",), target="y").text)
    assert (config.data.train, config.data.test) == (("a.csv", "b.csv"), ("c.csv",))


# What means missing


@pytest.mark.parametrize("word", ["?", "NA", "n/a", " ", "null", "-", ".", "unknown", "None", "not_applicable"])
def test_a_word_among_numbers_means_missing(word: str) -> None:
    text, config = proposed({"size": with_cells(SIZES, {3: word, 40: word}), "colour": COLOURS, "y": LABELS})
    assert config.data.na_values == ("", word)
    shown = "a cell of white space" if word == " " else f"`{word}`"
    assert f"# {shown} means missing in size (2)" in text
    assert "numeric (1): size" in text


@pytest.mark.parametrize("word", ["?", "NA", "n/a", "null"])
def test_a_plain_word_means_missing_among_labels(word: str) -> None:
    config = proposed({"size": SIZES, "colour": with_cells(COLOURS, {3: word}), "y": LABELS})[1]
    assert config.data.na_values == ("", word)


@pytest.mark.parametrize("word", ["-", "unknown", "none", "not applicable"])
def test_a_word_that_may_be_an_answer_stays_a_label(word: str) -> None:
    text, config = proposed({"size": SIZES, "colour": with_cells(COLOURS, {3: word}), "y": LABELS})
    assert config.data.na_values == ("",)
    assert f"# `{word}` stays a label in colour (1)" in text


def test_two_letters_among_codes_of_two_letters_stay_a_label() -> None:
    columns = {"continent": ["EU", "NA", "AS", "AF"] * (N // 4), "y": LABELS, "size": SIZES}
    assert proposed(columns)[1].data.na_values == ("",)


def test_a_label_that_a_word_elsewhere_spoils_is_said() -> None:
    columns = {"continent": ["EU", "NA", "AS", "AF"] * (N // 4), "y": LABELS, "size": with_cells(SIZES, {5: "NA"})}
    text, config = proposed(columns)
    assert config.data.na_values == ("", "NA")
    assert "# CHECK: `NA` is then missing in continent (30), too" in text


def test_a_frequent_label_of_the_target_is_never_missing() -> None:
    answers = ["NA" if i % 4 == 0 else "in" if i % 2 else "out" for i in range(N)]
    text, config = proposed({"size": with_cells(SIZES, {5: "NA"}), "kind": COLOURS, "y": answers}, "y")
    assert "NA" not in config.data.na_values
    assert config.targets["y"].task == "multiclass"
    assert "`NA` stays a label" in text


def test_odd_cells_among_numbers_are_named() -> None:
    text, config = proposed({"size": with_cells(SIZES, {7: "abc", 9: "12,5"}), "colour": COLOURS, "y": LABELS})
    assert set(config.data.na_values) == {"", "abc", "12,5"}
    assert "# CHECK: `abc` among the numbers of size (1) is taken for missing" in text


def test_many_odd_cells_make_the_column_ignored_with_the_reason() -> None:
    long = [f"{i / 7:.3f}" for i in range(400)]
    cells = with_cells(long, {i: f"x{i}" for i in range(0, 400, 40)})
    text, config = proposed({"size": cells, "other": long, "y": ["a", "b"] * 200})
    assert config.columns["size"].kind == "ignore"
    assert "numbers, but 10 of 400 cells are not: 'x0' (row 2)" in text


def test_cells_that_are_missing_with_others_stand_in_order() -> None:
    columns = {"colour": with_cells(COLOURS, {3: "unknown", 4: "-"}), "size": with_cells(SIZES, {5: "unknown", 6: "-"})}
    text = proposed({**columns, "y": LABELS})[0]
    places = [text.index(f"# CHECK: `{word}` is then missing in colour (1), too") for word in ("-", "unknown")]
    assert places == sorted(places)  # sets of words have no order that two processes share
