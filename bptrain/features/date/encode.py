"""Date columns enter the network as they were prepared."""

from __future__ import annotations

from typing import Any

from bptrain.features.date.prepare import DateState
from bptrain.features.encoding import Features, plain
from bptrain.features.numeric.options import EmbeddingOptions


def encode(state: DateState, inputs: dict[str, Any], seed: int, options: EmbeddingOptions) -> Features:
    """Features (batch, width) of this kind's inputs: parts, elapsed days and the indicators of missing cells."""
    return plain(inputs[name] for name in state.inputs)
