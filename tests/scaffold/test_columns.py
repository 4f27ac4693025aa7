"""Columns that deserve a line in the first config, and by which rows could be set apart."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import tables
from first_configs import COLOURS, LABELS, SIZES, N, proposed

from bptrain.data.files import AllowedPaths
from bptrain.workflows.check import check
from bptrain.workflows.init import init


def test_only_columns_that_matter_have_a_line() -> None:
    columns = {
        "id": [f"id{i:05d}" for i in range(N)],
        "size": SIZES,
        "same": ["x"] * N,
        "words": [f"a long text about number {i} and more" for i in range(N)],
        "colour": COLOURS,
        "y": LABELS,
    }
    text, config = proposed(columns)
    assert {name: options.kind for name, options in config.columns.items()} == dict.fromkeys(
        ["id", "same", "words"], "ignore"
    )
    for reason in ("looks like an identifier", "one value only", "free text"):
        assert reason in text
    assert "# numeric (1): size" in text
    assert "# categorical (1): colour" in text


def test_names_that_yaml_or_patterns_would_misread_are_escaped() -> None:
    names = ["a:b", "c#d", "it's", 'say "hi"', "🙂", "null", "- x", "* z", "k[1]", "k1", "yes", "a\tb", "1e3", "~"]
    columns: dict[str, Sequence[object]] = {name: [f"{i:05d}x" for i in range(N)] for name in names}
    config = proposed({**columns, "size": SIZES, "y: #": LABELS}, "y: #")[1]
    settled = check(config, AllowedPaths.create())[0]
    assert {name: options.kind for name, options in settled.columns.items()} == {
        **dict.fromkeys(names, "ignore"),
        "size": "numeric",
    }
    assert list(config.targets) == ["y: #"]


def test_a_name_with_a_wildcard_is_not_taken_for_a_pattern() -> None:
    config = proposed({"a*": [f"{i:05d}x" for i in range(N)], "ab": SIZES, "y": LABELS})[1]
    settled = check(config, AllowedPaths.create())[0]
    assert {name: options.kind for name, options in settled.columns.items()} == {"a*": "ignore", "ab": "numeric"}


def test_a_repeated_id_is_offered_as_a_group() -> None:
    text = proposed({"user_id": [1000 + i % 20 for i in range(N)], "size": SIZES, "y": LABELS})[0]
    assert "# split: {kind: group, column: user_id}" in text
    assert "if its numbers name something, write `user_id: categorical`" in " ".join(text.replace("\n# ", " ").split())


def test_an_id_of_which_one_holds_most_rows_is_not_offered_as_a_group() -> None:
    users = [1000 + max(0, i - N // 2) // 3 for i in range(N)]
    assert "kind: group" not in proposed({"user_id": users, "size": SIZES, "y": LABELS})[0]


def test_a_date_is_offered_for_a_split_by_time() -> None:
    days = [f"2024-{1 + i % 12:02d}-{1 + i % 28:02d}" for i in range(N)]
    text = proposed({"day sold": days, "size": SIZES, "y": LABELS})[0]
    assert '# split: {kind: time, column: "day sold"}' in text
    assert '"day sold": date' in text


def test_grades_show_their_order() -> None:
    text, config = proposed({"care": ["Good", "Poor", "Fair"] * (N // 3), "size": SIZES, "y": LABELS})
    assert "care: {kind: ordinal, order: [Poor, Fair, Good]}" in text
    assert config.columns["care"].order == ("Poor", "Fair", "Good")  # type: ignore[union-attr]


def test_marked_numbers_are_read_as_numbers() -> None:
    prices = [f"${1 + i % 9},{100 + i}.50" for i in range(N)]
    config = proposed({"price": prices, "size": SIZES, "y": LABELS})[1]
    assert config.columns["price"].unit == "$"  # type: ignore[union-attr]
    assert config.columns["price"].thousands == ","  # type: ignore[union-attr]


def test_parquet_dates_are_named(tmp_path: Path) -> None:
    import datetime

    days = pa.array([(datetime.date(2020, 1, 1) + datetime.timedelta(days=i)) for i in range(N)], pa.date32())
    table = pa.table({"day": days, "size": [float(s) for s in SIZES], "y": LABELS})
    tables.write(table, tmp_path / "t.parquet")
    assert "day: date" in init(("t.parquet",), target="y").text
