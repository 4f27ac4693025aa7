"""The learning curves as series, and their picture."""

from __future__ import annotations

import pytest

from bptrain.reports.run import curves_svg, learning_curves

HISTORY = [{"epoch": epoch, "loss": 1 / epoch, "validation_loss": 2 / epoch} for epoch in (1, 2, 3)]
WITHOUT = [{"epoch": 1, "loss": 0.5}]


def test_every_network_has_its_series_and_the_last_marks_the_kept_epoch() -> None:
    series = learning_curves([(HISTORY, 2), (WITHOUT, 1), ([], 0)])
    assert [(curve.name, list(curve.x), curve.marked) for curve in series] == [
        ("training", [1, 2, 3], None),
        ("validation", [1, 2, 3], 2),
        ("training", [1], 1),
        ("training", [], None),
    ]
    assert series[1].y == [2, 1, pytest.approx(2 / 3)]


def test_the_picture_is_the_same_text_and_names_each_curve_once() -> None:
    series = learning_curves([(HISTORY, 2), (HISTORY, 3)])
    text = curves_svg(series)
    assert text == curves_svg(series)
    assert [text.count(f">{name}<") for name in ("training", "validation", "kept: epoch 2", "epoch")] == [1, 1, 1, 1]
