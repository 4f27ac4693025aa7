"""Ordinal columns enter the network as they were prepared."""

from __future__ import annotations

from typing import Any

from bptrain.features.encoding import Features, plain
from bptrain.features.numeric.options import EmbeddingOptions
from bptrain.features.ordinal.prepare import OrdinalState


def encode(state: OrdinalState, inputs: dict[str, Any], seed: int, options: EmbeddingOptions) -> Features:
    """Features (batch, width) of this kind's inputs: places on the scales and the indicators of missing cells."""
    return plain(inputs[name] for name in state.inputs)
