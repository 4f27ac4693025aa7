"""Boolean columns enter the network as they were prepared."""

from __future__ import annotations

from typing import Any

from bptrain.features.boolean.prepare import BooleanState
from bptrain.features.encoding import Features, plain
from bptrain.features.numeric.options import EmbeddingOptions


def encode(state: BooleanState, inputs: dict[str, Any], seed: int, options: EmbeddingOptions) -> Features:
    """The signs and the indicators of missing cells."""
    return plain(inputs[name] for name in state.inputs)
