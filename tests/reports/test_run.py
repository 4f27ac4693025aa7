"""The table of metrics as people read it."""

from __future__ import annotations

from typing import Any

import pytest

from bptrain.reports.run import metrics_tables
from bptrain.reports.text import report_text


def metrics_text(targets: dict[str, Any], primary: str = "") -> str:
    return report_text(metrics_tables(targets, primary))


def report(values: list[float | None], baseline: float | None) -> dict[str, Any]:
    """A report of one metric on three splits."""
    splits = {
        split: {
            "n": 10,
            "weight": 10.0,
            "metrics": {"rmse": {"value": value}},
            "baselines": {"trivial": {"rmse": baseline}},
        }
        for split, value in zip(("train", "validation", "test"), values, strict=True)
    }
    return {"price": {"task": "regression", "positive": None, "labels": [], "splits": splits}}


@pytest.mark.parametrize(
    ("values", "baseline", "shown"),
    [
        ([0.858, 0.85015, 0.8548], 0.5, ["0.8580", "0.8501", "0.8548", "0.5000"]),
        ([1246.74, 705.0, 702.123], 3989.0, ["1246.7", "705.0", "702.1", "3989.0"]),
        ([123456.7, 99.5, 1.0], 5e6, ["123457", "100", "1", "5000000"]),
        ([-5.4e-7, None, 0.25], None, ["-0.0000", "-", "0.2500", "-"]),
    ],
)
def test_numbers_of_a_row_have_equal_decimals(values: list[float | None], baseline: float, shown: list[str]) -> None:
    line = next(line for line in metrics_text(report(values, baseline)).splitlines() if line.startswith("rmse"))
    assert line.split()[1:] == shown


def labelled(n_labels: int) -> dict[str, Any]:
    """A report of a target with labels l0, l1 …, of which later ones are rarer."""
    labels = [f"l{number}" for number in range(n_labels)]
    values = {label: {"n": 100 - i, "precision": 0.5, "recall": 0.25, "f1": i / 100} for i, label in enumerate(labels)}
    split = {
        "n": 50,
        "weight": 50.0,
        "metrics": {"accuracy": {"value": 0.5}, "auc": {"value": 0.75}},
        "baselines": {"trivial": {"accuracy": 0.25, "auc": 0.5}},
        "per_label": values,
    }
    return {"sort": {"task": "multiclass", "positive": None, "labels": labels, "splits": {"test": split}}}


def test_labels_have_a_table_when_there_are_more_than_two() -> None:
    lines = metrics_text(labelled(3)).splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("sort: labels on test rows"))
    assert [line.split() for line in lines[start + 1 :]] == [
        ["l0", "100", "0.5000", "0.2500", "0.0000"],
        ["l1", "99", "0.5000", "0.2500", "0.0100"],
        ["l2", "98", "0.5000", "0.2500", "0.0200"],
    ]
    assert "labels on" not in metrics_text(labelled(2))


def test_of_very_many_labels_only_the_frequent_ones_are_shown() -> None:
    text = metrics_text(labelled(23))
    assert "l19 " in text
    assert "l20 " not in text
    assert text.endswith("… and 3 rarer labels")


def test_the_primary_metric_comes_first() -> None:
    for primary, expected in (("", ["accuracy", "auc"]), ("auc", ["auc", "accuracy"])):
        lines = metrics_text(labelled(2), primary).splitlines()
        assert [line.split()[0] for line in lines[2:4]] == expected
        both = metrics_text(report([2.0, 3.0, 4.0], 8.0) | labelled(2), primary).splitlines()
        assert [line.split()[2] for line in both[1:3]] == ["rmse", expected[0]]


def test_several_targets_are_shown_side_by_side() -> None:
    lines = metrics_text(report([2.0, 3.0, 4.0], 8.0) | labelled(3)).splitlines()
    assert [line.split() for line in lines[:3]] == [
        ["target", "task", "metric", "test", "trivial"],
        ["price", "regression", "rmse", "4.0000", "8.0000"],
        ["sort", "multiclass", "accuracy", "0.5000", "0.2500"],
    ]
    assert not metrics_text(labelled(3)).startswith("target ")
