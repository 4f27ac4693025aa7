"""What a table says, as digests that do not depend on how its files are written: CSV and Parquet of one table agree."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping

import numpy as np
import pyarrow as pa

from bptrain.data.frame import Frame
from bptrain.data.hashes import Hashes, cell_hashes, mixed, mixed_in

CHUNK_ROWS = 2**16  # rows that are hashed together, in memory


def table_digests(frame: Frame, columns: Mapping[str, bool]) -> dict[str, int | str]:
    """The number of rows and digests of their cells in the columns named, in order and in any order.

    `columns` maps names to whether cells are read as numbers, as far as they are some; others are labels. In any order:
    two sums of a number per row, modulo 2^64, which catch mistakes, not forgeries.
    """
    in_order, sums = hashlib.sha256("\0".join(columns).encode()), np.zeros(2, np.uint64)
    for part in _parts(frame):
        rows = np.zeros(part.n_rows, np.uint64)
        for name, are_numbers in columns.items():
            rows = mixed_in(rows, _numbers(part, name) if are_numbers else cell_hashes(part.keys(name)))
        in_order.update(np.ascontiguousarray(rows, "<u8").tobytes())
        sums += np.array([rows.sum(), mixed(rows).sum()], np.uint64)
    in_any_order = hashlib.sha256("\0".join((*columns, *map(str, sums.tolist()))).encode())
    return {"rows": frame.n_rows, "cells": in_order.hexdigest(), "cells_in_any_order": in_any_order.hexdigest()}


def parts_digest(rows: np.ndarray, parts: Mapping[str, np.ndarray]) -> str:
    """The sha256 of which row numbers belong to which part; `parts` are positions (k,) in `rows`."""
    digest = hashlib.sha256()
    for name, positions in parts.items():
        digest.update(f"{name}\0{len(positions)}\0".encode())
        for start in range(0, len(positions), CHUNK_ROWS):
            digest.update(np.ascontiguousarray(rows[positions[start : start + CHUNK_ROWS]], "<i8").tobytes())
    return digest.hexdigest()


def _parts(frame: Frame) -> Iterator[Frame]:
    for start in range(0, frame.n_rows, CHUNK_ROWS):
        yield frame.take(np.arange(start, min(start + CHUNK_ROWS, frame.n_rows)))


def _numbers(frame: Frame, name: str) -> Hashes:
    """Of the cells as numbers; of one that is none, of its text."""
    numbers, bad = frame.numbers(name)
    found = cell_hashes(pa.chunked_array([pa.array(numbers)]))
    if bad.any():
        found[bad] = cell_hashes(frame.texts(name).filter(pa.array(bad)))
    return found
