"""Numeric columns enter the network as they were prepared."""

from __future__ import annotations

from typing import Any

from bptrain.columns.numeric.prepare import NumericState


def encode(state: NumericState, inputs: dict[str, Any], seed: int) -> list[Any]:
    """Features (batch, width) of this kind's inputs: the scaled numbers and the indicators of missing cells."""
    return [inputs[name] for name in state.inputs]
