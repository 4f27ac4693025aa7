"""What a table says, as digests that do not depend on how its files are written: CSV and Parquet of one table agree."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping

import numpy as np
import pyarrow as pa

from bptrain.table.frame import Frame
from bptrain.table.hashes import row_hashes


def table_digests(frame: Frame, columns: Mapping[str, bool]) -> dict[str, int | str]:
    """The number of rows and digests of their cells in the columns named, in order and in any order.

    `columns` maps names to whether cells are read as numbers, as far as they are some; others are labels.
    """
    rows = row_hashes(_cells(frame, columns), frame.n_rows)
    header = "\0".join(columns).encode()
    in_order = hashlib.sha256(header + np.ascontiguousarray(rows, "<u8").tobytes())
    rows.sort()
    in_any_order = hashlib.sha256(header + np.ascontiguousarray(rows, "<u8").tobytes())
    return {"rows": frame.n_rows, "cells": in_order.hexdigest(), "cells_in_any_order": in_any_order.hexdigest()}


def rows_digest(parts: Iterable[tuple[str, np.ndarray]]) -> str:
    """The sha256 of which row numbers (k,) belong to which part."""
    digest = hashlib.sha256()
    for name, rows in parts:
        digest.update(f"{name}\0{len(rows)}\0".encode() + np.ascontiguousarray(rows, "<i8").tobytes())
    return digest.hexdigest()


def _cells(frame: Frame, columns: Mapping[str, bool]) -> Iterator[pa.ChunkedArray]:
    for name, are_numbers in columns.items():
        if not are_numbers:
            yield frame.keys(name)
            continue
        numbers, bad = frame.numbers(name)
        yield pa.chunked_array([pa.array(numbers)])
        if bad.any():
            yield pa.chunked_array([pa.array(np.where(bad, frame.texts(name).to_numpy(), ""), pa.string())])
