"""The table of metrics as people read it."""

from __future__ import annotations

from typing import Any

import pytest

from bptrain.reports.text import metrics_text


def report(values: list[float | None], baseline: float | None) -> dict[str, Any]:
    """A report of one metric on three splits."""
    splits = {
        split: {"n": 10, "metrics": {"rmse": {"value": value}}, "baselines": {"trivial": {"rmse": baseline}}}
        for split, value in zip(("train", "validation", "test"), values, strict=True)
    }
    return {"price": {"task": "regression", "positive": None, "splits": splits}}


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
