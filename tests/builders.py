"""What tests build again and again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from bptrain.data.frame import Frame


def frame_of(cells: pa.Table | Mapping[str, Any] | None = None, *, decimal: str = ".", **columns: Any) -> Frame:
    """The frame of a table, of columns by name, or of columns as arguments; their rows are numbered from 0.

    >>> frame_of(a=[1, 2]).names
    ('a',)
    """
    table = cells if isinstance(cells, pa.Table) else pa.table({**(cells or {}), **columns})
    return Frame(table, np.arange(table.num_rows), decimal=decimal)
