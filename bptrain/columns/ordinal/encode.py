"""Ordinal columns enter the network as they were prepared."""

from __future__ import annotations

from typing import Any

from bptrain.columns.ordinal.prepare import OrdinalState


def encode(state: OrdinalState, inputs: dict[str, Any], seed: int) -> list[Any]:
    """Features (batch, width) of this kind's inputs: places on the scales and the indicators of missing cells."""
    return [inputs[name] for name in state.inputs]
