"""The engine makes the steps of a plain Keras loop: the same weights with every optimizer, compiled and plain."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from gradients import double_precision
from plain_loop import BY_KERAS, KINDS, Weights, by_keras, by_the_engine, difference

pytestmark = pytest.mark.usefixtures("backend")
FURTHER: dict[str, dict[str, Any]] = {
    "clip_norm": {"clip_norm": 0.5},
    "clip_value": {"clip_value": 0.05},
    "weight_decay": {"weight_decay": 0.1},
}
TO_KERAS = {"clip_norm": "global_clipnorm", "clip_value": "clipvalue", "weight_decay": "weight_decay"}


@pytest.fixture(params=["float32", "float64"])
def bound(request: pytest.FixtureRequest) -> Iterator[float]:
    """Computes in a float type; the value is how far weights may differ, by norm."""
    if request.param == "float32":
        yield 1e-5
        return
    with double_precision():
        yield 1e-10


@cache
def expected(kind: str, bound: float, further: str = "") -> Weights:
    """Made once for each float type, which `bound` tells apart."""
    return by_keras(kind, **{TO_KERAS[name]: value for name, value in FURTHER.get(further, {}).items()})


def test_every_optimizer_is_compared() -> None:
    assert set(KINDS) == set(BY_KERAS)


@pytest.mark.parametrize("engine", ["plain", "compiled"])
@pytest.mark.parametrize("kind", KINDS)
def test_weights_are_those_of_a_plain_keras_loop(kind: str, engine: str, bound: float) -> None:
    """After 3 epochs with weighted rows, a smaller last batch and two outputs; the activation is smooth."""
    assert difference(by_the_engine(kind, engine=engine), expected(kind, bound)) < bound


@pytest.mark.parametrize("engine", ["plain", "compiled"])
def test_streamed_rows_are_those_of_the_documented_order(engine: str) -> None:
    found = by_the_engine("adam", engine=engine, streamed=True)
    assert difference(found, by_keras("adam", streamed=True)) < 1e-5
    assert difference(found, by_keras("adam")) > 1e-3


@pytest.mark.parametrize("further", FURTHER)
def test_clipping_and_decay_are_those_of_keras(further: str, bound: float) -> None:
    found = by_the_engine("adam", engine="plain", **FURTHER[further])
    assert difference(found, expected("adam", bound, further)) < bound
    assert difference(found, expected("adam", bound)) > 1e-3
