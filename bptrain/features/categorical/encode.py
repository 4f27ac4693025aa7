"""Categorical columns enter the network as one-hot inputs or as learned vectors."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from bptrain.features.categorical.prepare import CategoricalState, Levels
from bptrain.features.encoding import Features, plain, together
from bptrain.features.numeric.options import EmbeddingOptions
from bptrain.utils import seeds


def encode(state: CategoricalState, inputs: dict[str, Any], seed: int, options: EmbeddingOptions) -> Features:
    """All one-hot columns of this kind's codes (batch, n_columns), then embeddings."""
    codes = inputs["categorical"]
    one_hot = [(position, column) for position, column in enumerate(state.levels) if not column.dimension]
    parts = [plain([_one_hot(codes, one_hot)])] if one_hot else []
    for position, column in enumerate(state.levels):
        if column.dimension:
            vectors = _embedding(codes[:, position], position, column, seed)
            parts.append(Features([vectors], [column.dimension], [vectors]))
    return together(parts)


def _one_hot(codes: Any, columns: list[tuple[int, Levels]]) -> Any:
    """One input per code of each column, 1 where the row has it. Code 0, unknown, raises none."""
    owner = np.concatenate([np.full(column.n_codes, position, np.int32) for position, column in columns])
    own_code = np.concatenate([np.arange(1, column.n_codes + 1, dtype=np.int32) for _, column in columns])
    spread = keras.ops.take(codes, owner, axis=1)
    return keras.ops.cast(keras.ops.equal(spread, own_code), keras.config.floatx())


def _embedding(codes: Any, position: int, column: Levels, seed: int) -> Any:
    """A learned vector (batch, dimension) per code; the vector of code 0, unknown, is zero and never trained."""
    layer = keras.layers.Embedding(column.n_codes + 1, column.dimension, name=f"embedding_{position}")
    vectors = layer(codes)
    start = seeds.stream(seed, "init", "embedding", column.name).uniform(-0.05, 0.05, layer.embeddings.shape)
    start[0] = 0.0
    layer.embeddings.assign(start)
    return vectors
