"""Boolean columns enter the network as they were prepared."""

from __future__ import annotations

from typing import Any

from bptrain.columns.boolean.prepare import BooleanState


def encode(state: BooleanState, inputs: dict[str, Any], seed: int) -> list[Any]:
    """Features (batch, width) of this kind's inputs: the signs and the indicators of missing cells."""
    return [inputs[name] for name in state.inputs]
