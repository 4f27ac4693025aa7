"""Gates: their grammar, and what they are held against."""

from __future__ import annotations

from typing import Any

import pytest

from bptrain.errors import UsageError
from bptrain.evaluation.gates import apply_gates, check_gate_splits, check_gates, parse_gates

METRICS = {"label": ("accuracy", "auc"), "a.b": ("rmse",)}


def report(value: float | None, *parts: str) -> dict[str, Any]:
    return {"y": {"splits": {part: {"metrics": {"auc": {"value": value}}} for part in parts}}}


@pytest.mark.parametrize(
    ("text", "target", "split", "metric"),
    [
        ("auc >= 0.9", "", "test", "auc"),
        ("out_of_fold.auc>=.9", "", "out_of_fold", "auc"),
        ("validation.auc < 1", "", "validation", "auc"),
        ("y.train.auc > 0", "y", "train", "auc"),
        ("a.b.rmse < 3", "a.b", "test", "rmse"),
        ("a.b.out_of_fold.rmse < 3e0", "a.b", "out_of_fold", "rmse"),
    ],
)
def test_gate_names_target_part_and_metric(text: str, target: str, split: str, metric: str) -> None:
    (gate,) = parse_gates([text])
    assert (gate.target, gate.split, gate.metric) == (target, split, metric)


def test_every_text_that_is_no_gate_is_named_at_once() -> None:
    with pytest.raises(UsageError) as error:
        parse_gates(["auc => 1", "auc > 0", "auc", "auc > inf", "auc > 1e999"])
    assert [problem.code for problem in error.value.problems] == ["BP300"] * 4
    assert [problem.key[-1] for problem in error.value.problems] == ["0", "2", "3", "4"]
    assert error.value.problems[0].hints[0] == "write `>=` or `<=`, not `=>` or `=<`"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("other.auc > 0", "names no target of this run.*targets are `label` and `a.b`"),
        ("auc > 0", "does not say which target.*write `label.auc > 0`"),
        ("label.acuracy > 0", "names no metric of target `label`.*did you mean `accuracy`"),
    ],
)
def test_gate_on_something_unknown_is_refused(text: str, told: str) -> None:
    with pytest.raises(UsageError, match=f"BP301.*{told}"):
        check_gates(parse_gates([text]), METRICS)
    check_gates(parse_gates(["label.auc > 0", "a.b.rmse < 1"]), METRICS)


def test_validation_rows_are_not_those_out_of_fold() -> None:
    gates = parse_gates(["validation.auc > 0"])
    with pytest.raises(UsageError, match="BP302.*validation rows.*`out_of_fold` and `test`"):
        check_gate_splits(gates, ["out_of_fold", "test"])
    with pytest.raises(UsageError, match="BP302"):
        apply_gates(gates, report(0.5, "out_of_fold", "test"))


@pytest.mark.parametrize(("value", "passed"), [(0.9, True), (0.89, False), (None, False)])
def test_verdict_holds_what_was_measured(value: float | None, passed: bool) -> None:
    (verdict,) = apply_gates(parse_gates(["out_of_fold.auc >= 0.9"]), report(value, "out_of_fold"))
    assert (verdict.value, verdict.passed) == (value, passed)
    assert verdict.gate.split == "out_of_fold"
