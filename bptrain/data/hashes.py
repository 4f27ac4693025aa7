"""A 64-bit number per cell and per row, equal for equal cells, and digests of what a whole table says.

Numbers serve to count and find copies without holding the cells. Two different cells have one number with a chance of
2^-64 for each pair: among 20 million rows, of 1 in 100,000. Digests do not depend on how files are written: CSV and
Parquet of one table agree.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

if TYPE_CHECKING:
    from bptrain.data.frame import Frame

CHUNK_ROWS = 2**16  # rows of a digest that are hashed together, in memory
Hashes = NDArray[np.uint64]
_MISSING = np.uint64(0x9E3779B97F4A7C15)
_A, _B = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


def cell_hashes(column: pa.ChunkedArray) -> Hashes:
    """Of each cell (n,); missing cells have one of their own, and so has NaN."""
    hashes = np.empty(len(column), np.uint64)
    start = 0
    for chunk in column.chunks:
        hashes[start : start + len(chunk)] = _hash_chunk(chunk)
        start += len(chunk)
    return hashes


def row_hashes(columns: Iterable[pa.ChunkedArray], n_rows: int) -> Hashes:
    """Of each row (n_rows,), by all its cells in their order."""
    hashes = np.zeros(n_rows, np.uint64)
    for column in columns:
        start = 0
        for chunk in column.chunks:
            rows = hashes[start : start + len(chunk)]
            rows[:] = mix_bits(rows * _B + _hash_chunk(chunk))
            start += len(chunk)
    return hashes


def mix_bits(words: Hashes) -> Hashes:
    """Bijective: Steele, Lea & Flood 2014, the finalizer of SplitMix64 (variant 13 of Stafford's)."""
    words = (words ^ (words >> np.uint64(30))) * _A
    words = (words ^ (words >> np.uint64(27))) * _B
    return np.asarray(words ^ (words >> np.uint64(31)))


def table_digests(frame: Frame, columns: Mapping[str, bool]) -> dict[str, int | str]:
    """The number of rows and digests of their cells in the columns named, in order and in any order.

    `columns` maps names to whether cells are read as numbers, as far as they are some; others are labels. In any order:
    two sums of a number per row, modulo 2^64, which catch mistakes, not forgeries.
    """
    in_order, sums = hashlib.sha256("\0".join(columns).encode()), np.zeros(2, np.uint64)
    for start in range(0, frame.n_rows, CHUNK_ROWS):
        part = frame.take(np.arange(start, min(start + CHUNK_ROWS, frame.n_rows)))
        rows = np.zeros(part.n_rows, np.uint64)
        for name, are_numbers in columns.items():
            if are_numbers:  # of a cell that is none, its text counts
                numbers, bad = part.numbers(name)
                cells = cell_hashes(pa.chunked_array([pa.array(numbers)]))
                if bad.any():
                    cells[bad] = cell_hashes(part.texts(name).filter(pa.array(bad)))
            else:
                cells = cell_hashes(part.labels(name))
            rows = mix_bits(rows * _B + cells)
        in_order.update(np.ascontiguousarray(rows, "<u8").tobytes())
        sums += np.array([rows.sum(), mix_bits(rows).sum()], np.uint64)
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


def _hash_chunk(chunk: pa.Array) -> Hashes:
    if pa.types.is_dictionary(chunk.type):
        chunk = chunk.dictionary_decode()
    if pa.types.is_null(chunk.type):
        return np.full(len(chunk), _MISSING)
    if pa.types.is_integer(chunk.type):  # numbers by their bits in 64
        kind = pa.uint64() if pa.types.is_unsigned_integer(chunk.type) else pa.int64()
        hashes = mix_bits(np.from_dlpack(chunk.fill_null(0).cast(kind)).view(np.uint64) + _A)
    elif pa.types.is_floating(chunk.type):  # all zeros are one, and all NaN
        numbers = np.add(np.from_dlpack(chunk.fill_null(0).cast(pa.float64())), 0.0)
        hashes = mix_bits(np.where(np.isnan(numbers), np.nan, numbers).view(np.uint64) + _A)
    else:
        hashes = _hash_texts(chunk.cast(pa.large_string()))
    if chunk.null_count:
        missing = pc.indices_nonzero(chunk.is_null())
        hashes[np.from_dlpack(missing)] = _MISSING
    return hashes


def _hash_texts(chunk: pa.LargeStringArray) -> Hashes:
    """Of texts, eight bytes at a time; the last word is filled up with zeros, and the length tells where it ends."""
    _, offsets_buffer, bytes_buffer = chunk.buffers()
    offsets = np.frombuffer(offsets_buffer, np.int64)[chunk.offset : chunk.offset + len(chunk) + 1]
    lengths = np.diff(offsets)
    hashes = mix_bits(lengths.astype(np.uint64) + _B)
    if not lengths.any():
        return hashes
    text = np.zeros(int(offsets[-1] - offsets[0]) + 8, np.uint8)
    text[:-8] = np.frombuffer(bytes_buffer, np.uint8)[offsets[0] : offsets[-1]]
    words = np.ndarray((len(text) - 7,), "<u8", text, strides=(1,))  # one begins at every byte
    active = np.flatnonzero(lengths)
    places, rest = offsets[active] - offsets[0], lengths[active]
    while len(active):
        shift = (8 * (8 - np.minimum(rest, 8))).astype(np.uint64)
        hashes[active] = mix_bits(hashes[active] * _A + (words[places] << shift))
        longer = np.flatnonzero(rest > 8)
        active, places, rest = active[longer], places[longer] + 8, rest[longer] - 8
    return hashes
