"""Date columns enter the network as they were prepared."""

from __future__ import annotations

from typing import Any

from bptrain.columns.date.prepare import DateState


def encode(state: DateState, inputs: dict[str, Any], seed: int) -> list[Any]:
    """Features (batch, width) of this kind's inputs: parts, elapsed days and the indicators of missing cells."""
    return [inputs[name] for name in state.inputs]
