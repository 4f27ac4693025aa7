"""What the first config says of the target."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from first_configs import AMOUNTS, COLOURS, LABELS, SIZES, N, proposed, with_cells

from bptrain.errors import BptrainError
from bptrain.scaffold.target import guess_target


@pytest.mark.parametrize(
    ("cells", "positive"),
    [
        (["no", "yes", "yes"] * 40, "yes"),
        (["1", "0", "1"] * 40, "1"),
        (["true", "false", "true"] * 40, "true"),
        (["stayed", "stayed", "churned"] * 40, "churned"),
        (["alive", "dead", "alive"] * 40, "dead"),
    ],
)
def test_positive_is_the_label_that_says_yes_or_the_rarer_one(cells: list[str], positive: str) -> None:
    config = proposed({"size": SIZES, "y": cells})[1]
    assert (config.targets["y"].task, config.targets["y"].positive) == ("binary", positive)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("number", "task", "other", "because"),
    [
        (lambda i: i % 5 + 1, "multiclass", "regression", "each in at least 24 rows, are taken for labels"),
        (lambda i: i % 15, "regression", "multiclass", "there are more than 10"),
        (lambda i: (i % 5) / 2, "regression", "multiclass", "not all are whole"),
        (lambda i: i % 5 if i > 4 else 9, "regression", "multiclass", "one has 5 row(s) only"),
    ],
)
def test_few_numbers_are_labels_or_amounts_and_the_other_is_named(
    number: Callable[[int], float], task: str, other: str, because: str
) -> None:
    text, config = proposed({"size": SIZES, "y": [number(i) for i in range(N)]})
    assert config.targets["y"].task == task
    assert f"write `task: {other}`" in text
    assert because in " ".join(text.replace("# ", "").split())


def test_rows_without_target_are_dropped_and_counted() -> None:
    text, config = proposed({"size": SIZES, "y": with_cells(LABELS, {0: "", 5: "", 9: "NA"})})
    assert config.clean.missing_target == "drop"
    assert "clean: {missing_target: drop}   # 3 of 120 rows have no target and are left out" in text


def test_a_rare_label_is_pointed_out() -> None:
    text = proposed({"size": SIZES, "y": ["1" if i % 40 == 0 else "0" for i in range(N)]})[0]
    assert "`1` is rare (2.5 % of the rows)" in text
    assert "class_weights: balanced" in text


def test_labels_with_too_few_rows_are_left_out() -> None:
    text, config = proposed({"size": SIZES, "y": with_cells(COLOURS, {3: "once", 5: "twice", 8: "twice"})})
    assert config.clean.rare_class == "drop"  # type: ignore[attr-defined]
    assert "labels with fewer than 3 rows" in text


def test_numbers_are_summed_up() -> None:
    assert (
        "task: regression   # 60 different numbers from 0 to 14.75, median 7.375"
        in proposed({"a": SIZES, "y": AMOUNTS})[0]
    )


@pytest.mark.parametrize(
    ("names", "guess"),
    [
        (["a", "Target", "b"], "Target"),
        (["SalePrice", "class", "x"], "class"),
        (["y", "x"], "y"),
        (["a", "b"], "b"),
        (["is_default", "target_flag", "z"], "target_flag"),
    ],
)
def test_guess(names: list[str], guess: str) -> None:
    assert guess_target(names) == guess


def test_nothing_is_proposed_for_text_without_end() -> None:
    with pytest.raises(BptrainError, match="BP151.*free text"):
        proposed({"size": SIZES, "y": [f"text {i}" for i in range(N)]})
