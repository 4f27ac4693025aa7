"""Different texts of a column, so that each is looked at once, and texts of the config as the keys of cells."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bptrain.data import values
from bptrain.data.values import text_array

Cell = str | int | float | bool  # as it may be written in the config


def distinct(cells: pa.ChunkedArray) -> tuple[pa.Array, np.ndarray]:
    """The different texts (k,) of `cells`, and for each cell the position (n_rows,) of its own; -1 for missing."""
    whole = cells.combine_chunks()
    parts = whole.chunks if isinstance(whole, pa.ChunkedArray) else [whole]
    if len(parts) == 1:
        encoded = parts[0].dictionary_encode()
        return encoded.dictionary, _positions(encoded.indices)
    texts = pc.unique(cells).drop_null()
    return texts, _positions(pc.index_in(cells, value_set=texts, skip_nulls=True))


def keys_of(cells: Iterable[Cell]) -> list[str]:
    """The keys (`Frame.keys`) of values written in the config: `1.0` is `1`, `true` is `True`."""
    return list(values.normalize_labels(pa.chunked_array([text_array([str(cell) for cell in cells])])).to_pylist())


def _positions(found: pa.Array) -> np.ndarray:
    numbers, _ = values.numbers(found)
    return np.where(np.isnan(numbers), -1, numbers).astype(np.int64)
