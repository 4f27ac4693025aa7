"""Categorical columns enter the network as one-hot inputs or as learned vectors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import keras
import numpy as np

from bptrain.features.kind import Features
from bptrain.utils import seeds

if TYPE_CHECKING:
    from bptrain.features.categorical.kind import CategoricalState
    from bptrain.models.compat import Tensor


def encode(state: CategoricalState, codes: Tensor, seed: int) -> Features:
    """All one-hot columns of the codes (batch, n_columns), then embeddings, one tensor (batch, dimension) each.

    A one-hot column has an input for each code, 1 where the row has it; code 0, unknown, raises none, and its vector in
    an embedding is zero and never trained.
    """
    one_hot = [(position, column.n_codes) for position, column in enumerate(state.learned) if not column.dimension]
    parts = []
    if one_hot:
        owner = np.concatenate([np.full(n_codes, position, np.int32) for position, n_codes in one_hot])
        code = np.concatenate([np.arange(1, n_codes + 1, dtype=np.int32) for _, n_codes in one_hot])
        raised = keras.ops.equal(keras.ops.take(codes, owner, axis=1), code)
        parts.append(Features.of_numbers([keras.ops.cast(raised, keras.config.floatx())]))
    for position, column in enumerate(state.learned):
        if column.dimension:
            layer = keras.layers.Embedding(column.n_codes + 1, column.dimension, name=f"embedding_{position}")
            vectors = layer(codes[:, position])
            start = seeds.stream(seed, "init", "embedding", column.name).uniform(-0.05, 0.05, layer.embeddings.shape)
            start[0] = 0.0
            layer.embeddings.assign(start)
            parts.append(Features([vectors], [column.dimension], [vectors]))
    return Features.concat(parts)
