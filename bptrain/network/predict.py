"""Outputs of a network, in blocks of one fixed shape: a row's output does not depend on how many rows come with it."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np

from bptrain.network import backend

BLOCK_ROWS = 4096
SMALLEST = 64  # the fewest rows of a block


def predict(
    network: keras.Model, inputs: Mapping[str, np.ndarray], *, block_rows: int = BLOCK_ROWS
) -> dict[str, np.ndarray]:
    """Outputs (n_rows, n_outputs) float32 by output name, for prepared arrays (n_rows, width)."""
    n_rows = len(next(iter(inputs.values())))

    def part(start: int) -> dict[str, np.ndarray]:
        block = {name: _padded(array[start : start + block_rows], block_rows) for name, array in inputs.items()}
        outputs = network.predict_on_batch(block)
        n_here = min(block_rows, n_rows - start)
        return {name: np.asarray(output)[:n_here] for name, output in outputs.items()}

    starts = range(0, n_rows, block_rows)
    if not starts:
        return {name: np.empty((0, output.shape[-1]), np.float32) for name, output in network.output.items()}
    parts = [part(0)]  # by itself: Keras compiles its function meanwhile
    with ThreadPoolExecutor(backend.blocks_at_once()) as threads:
        parts += threads.map(part, starts[1:])
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def fitting_block(n_rows: int) -> int:
    """Rows of a block where always the same rows are predicted, so that few rows need not fill a large one."""
    return min(BLOCK_ROWS, -(-n_rows // SMALLEST) * SMALLEST)


def _padded(block: np.ndarray, n_rows: int) -> np.ndarray:
    missing = n_rows - len(block)
    return np.pad(block, ((0, missing), *((0, 0),) * (block.ndim - 1))) if missing else block
