"""The cells of a column as numbers or as text, whichever type the file gave them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from bptrain.data.hashes import cell_hashes

PART_ROWS = 2**20  # cells that are looked at together: what a look takes beside its result does not grow with the table

_NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"
_WORD = r"^[+-]?(?i:nan|inf|infinity)$"
_ODD_NAN = r"^[+-]?(?i:nan)\("
_WHOLE = r"\A([+-]?(?:0|[1-9][0-9]*))\.0*\z"  # a number with leading zeros is a code and stays as it is
_LONG_WHOLE = r"\A-?[0-9](?:\.[0-9]+)?e\+[0-9]+\z"  # as Python spells floats from 1e16
_WORDS = ((r"\A-0\z", "0"), (r"\A(?:true|TRUE)\z", "True"), (r"\A(?:false|FALSE)\z", "False"))


def numbers(column: pa.ChunkedArray | pa.Array, *, decimal: str = ".") -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Values float64 (n,) and whether a cell is present but no number, bool (n,).

    Missing cells, `nan` and those that are no numbers are NaN. Text is trimmed and parsed to the nearest float64;
    `inf` and numbers beyond float64 are ±inf. Booleans, dates and times are no numbers.
    """
    column = _chunked(column)
    numbers, bad = np.empty(len(column)), np.empty(len(column), bool)
    for start, part in _parts(column):
        rows = slice(start, start + len(part))
        numbers[rows], bad[rows] = _numbers(part, decimal)
    return numbers, bad


def _numbers(column: pa.ChunkedArray, decimal: str) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    if pa.types.is_null(column.type):
        return np.full(len(column), np.nan), np.zeros(len(column), bool)
    if pa.types.is_decimal(column.type):
        column = column.cast(pa.string())  # by way of text, which is rounded correctly
    elif pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
        return _float64(column.cast(pa.float64(), safe=False)), np.zeros(len(column), bool)
    if _is_text(column.type):
        return _parse(column.cast(pa.string()), decimal)
    return np.full(len(column), np.nan), _mask(column.is_valid())


def is_parsed(kind: pa.DataType) -> bool:
    """Whether numbers of this type are parsed from text, which takes long, or just converted."""
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return _is_text(kind) or bool(pa.types.is_decimal(kind))


def missing(column: pa.ChunkedArray | pa.Array) -> NDArray[np.bool_]:
    """Whether a cell has no value, bool (n,); NaN is none."""
    column = _chunked(column)
    return np.concatenate(
        [np.empty(0, bool), *(_mask(pc.is_null(part, nan_is_null=True)) for _, part in _parts(column))]
    )


def take(column: pa.ChunkedArray, positions: NDArray[np.int64]) -> pa.ChunkedArray:
    """The cells (k,) at `positions`; where these rise, from one chunk after the other, which Arrow would join first."""
    if column.num_chunks < 2 or not (positions[1:] >= positions[:-1]).all():
        return column.take(positions_array(positions))
    starts = np.cumsum([0, *(len(chunk) for chunk in column.chunks)])
    ends = np.searchsorted(positions, starts)
    chunks = [
        chunk.take(positions_array(positions[ends[i] : ends[i + 1]] - starts[i]))
        for i, chunk in enumerate(column.chunks)
        if ends[i] < ends[i + 1]
    ]
    return pa.chunked_array(chunks, column.type)


def text_array(texts: Sequence[str]) -> pa.StringArray:
    """Text as an Arrow array. `pa.array` would do, but imports pandas, which takes longer than reading most files."""
    encoded = [text.encode() for text in texts]
    offsets = np.cumsum([0, *map(len, encoded)], dtype=np.int32)
    return pa.StringArray.from_buffers(len(encoded), pa.py_buffer(offsets), pa.py_buffer(b"".join(encoded)))


def positions_array(positions: NDArray[np.int64]) -> pa.Array:
    """Positions (k,) as Arrow's `take` wants them; not by `pa.array`, which imports pandas."""
    return pa.Array.from_buffers(pa.int64(), len(positions), [None, pa.py_buffer(positions.astype(np.int64))])


def n_distinct(column: pa.ChunkedArray | pa.Array) -> int:
    """How many different values the cells have; missing ones, NaN among them, have none."""
    column = _chunked(column)
    if len(column) <= PART_ROWS:
        present = column.take(positions_array(np.flatnonzero(~missing(column))))
        return int(pc.count_distinct(present, mode="only_valid").as_py()) if len(present) else 0
    hashes = np.sort(cell_hashes(column)[~missing(column)])
    return int(np.count_nonzero(hashes[1:] != hashes[:-1])) + bool(len(hashes))


def texts(column: pa.ChunkedArray | pa.Array) -> pa.ChunkedArray:
    """The cells as text (n,), spelled as in a CSV that pandas writes of the same values; null and NaN are null.

    39 · 0.5 · 1.0 · 1e-07 · True · 2024-05-01 · 2024-05-01 12:30:00 · 2024-05-01 12:30:00.250 · 12:30:00. Each cell is
    spelled by itself: a timestamp at midnight is a date, and one with a time zone is in UTC with +00:00.
    """
    column = _chunked(column)
    kind = column.type
    if _is_text(kind) or pa.types.is_null(kind) or pa.types.is_integer(kind) or pa.types.is_decimal(kind):
        return column.cast(pa.string())
    if pa.types.is_boolean(kind):
        return _chunked(pc.if_else(column, "True", "False"))
    if pa.types.is_floating(kind):
        return _map_distinct(column, _float_texts)
    if pa.types.is_date(kind):
        return column.cast(pa.date32()).cast(pa.string())
    return _map_distinct(column, _time_texts)


def normalize_labels(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    """The label that each text stands for (n,): equal for cells that only their file's type spells differently.

    `3.0` is `3` (integers beside a missing cell are floats in pandas), 1e+16 is 10000000000000000, and `true` and
    `TRUE` are `True`. Any other text is its own label, also `007` and `1.50`.
    """
    return _map_distinct(texts, _normalized)


def dictionary_encode(texts: pa.ChunkedArray) -> tuple[pa.Array, NDArray[np.int64]]:
    """The different texts (k,) of cells, and for each cell the position (n_rows,) of its own; -1 for missing."""
    whole = texts.combine_chunks()
    parts = whole.chunks if isinstance(whole, pa.ChunkedArray) else [whole]
    if len(parts) == 1:
        encoded = parts[0].dictionary_encode()
        different, indices = encoded.dictionary, encoded.indices
    else:
        different = pc.unique(texts).drop_null()
        indices = pc.index_in(texts, value_set=different, skip_nulls=True)
    positions, _ = numbers(indices)
    return different, np.where(np.isnan(positions), -1, positions).astype(np.int64)


def unread(kind: pa.DataType, n_rows: int) -> pa.Array:
    """The stand-in (n_rows,) for a column whose type is not read; its cells count as present."""
    stand_in = unread_type(kind)
    return pa.StructArray.from_buffers(stand_in, n_rows, [None], children=[pa.nulls(n_rows)])


def unread_type(kind: pa.DataType | str) -> pa.DataType:
    """The type of `unread`: it names `kind`, and joins no column that is read, as none has a type like it."""
    return pa.struct([(str(kind), pa.null())])


def unread_kind(kind: pa.DataType) -> str | None:
    """The type of a column that was not read, by that of its stand-in; None for one that was."""
    return " or ".join(field.name for field in kind) if pa.types.is_struct(kind) else None


def _chunked(column: pa.ChunkedArray | pa.Array) -> pa.ChunkedArray:
    column = column if isinstance(column, pa.ChunkedArray) else pa.chunked_array([column])
    return column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column


def _parts(column: pa.ChunkedArray) -> Iterator[tuple[int, pa.ChunkedArray]]:
    """The cells in parts of at most `PART_ROWS`, each with the number of its first cell."""
    start = 0
    for chunk in column.chunks:
        for first in range(0, len(chunk), PART_ROWS):
            part = chunk.slice(first, PART_ROWS)
            yield start, pa.chunked_array([part])
            start += len(part)


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _float64(column: pa.ChunkedArray) -> NDArray[np.float64]:
    """float64 (n,) with NaN for null; not by `to_numpy`, which imports pandas."""
    nan = pa.Array.from_buffers(pa.float64(), 1, [None, pa.py_buffer(np.array([np.nan]))])[0]
    filled = _chunked(pc.if_else(column.is_null(), nan, column))
    return np.concatenate([np.empty(0), *(np.from_dlpack(chunk) for chunk in filled.chunks if len(chunk))])


def _mask(column: pa.ChunkedArray) -> NDArray[np.bool_]:
    """bool (n,) with False for null."""
    mask = np.zeros(len(column), bool)
    positions = pc.indices_nonzero(column)
    if len(positions):
        mask[np.from_dlpack(positions)] = True
    return mask


def _parse(column: pa.ChunkedArray, decimal: str) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Text as numbers: by one cast where every cell is one, which is usual; else each is judged before the cast."""
    if decimal == ",":
        pointed = pc.match_substring(column, ".")  # 1.5 is no number where the mark is a comma
        column = pc.replace_substring(pc.if_else(pointed, "1.5 with a point", column), ",", ".")
    try:
        values = _float64(column.cast(pa.float64()))
    except pa.ArrowInvalid:
        trimmed = pc.utf8_trim_whitespace(column)
        fits = pc.or_(pc.match_substring_regex(trimmed, _NUMBER), pc.match_substring_regex(trimmed, _WORD))
        kept = pc.if_else(fits, trimmed, pa.nulls(len(trimmed), pa.string()))
        return _float64(kept.cast(pa.float64())), _mask(pc.invert(fits))
    if int(np.isnan(values).sum()) == column.null_count:
        return values, np.zeros(len(values), bool)
    return values, _mask(pc.match_substring_regex(column, _ODD_NAN))  # like `nan(1)`, which the cast accepts


def _map_distinct(column: pa.ChunkedArray, spell: Callable[[pa.Array], pa.Array]) -> pa.ChunkedArray:
    """`spell` of each cell, called with the distinct values once."""
    encoded = (
        column.combine_chunks().dictionary_encode() if column.num_chunks != 1 else column.chunk(0).dictionary_encode()
    )
    parts = encoded.chunks if isinstance(encoded, pa.ChunkedArray) else [encoded]
    return pa.chunked_array([spell(part.dictionary).take(part.indices) for part in parts], pa.string())


def _float_texts(values: pa.Array) -> pa.Array:
    # NumPy's scalars are spelled with the digits their own precision needs, float64 as Python's repr
    return pa.array((None if np.isnan(value) else str(value) for value in values.to_numpy()), pa.string())


def _time_texts(values: pa.Array) -> pa.Array:
    zone = ""
    if pa.types.is_timestamp(values.type) and values.type.tz:
        values, zone = values.view(pa.timestamp(values.type.unit)), "+00:00"
    text = pc.replace_substring_regex(values.cast(pa.string()), r"\.0+$", "")
    text = pc.replace_substring_regex(text, r"(\.[0-9]{3}|\.[0-9]{6})(000)+$", r"\1")
    return pc.binary_join_element_wise(text, zone, "") if zone else pc.replace_substring(text, " 00:00:00", "")


def _normalized(texts: pa.Array) -> pa.Array:
    spelled = pc.replace_substring_regex(texts, _WHOLE, r"\1")
    for pattern, word in _WORDS:
        spelled = pc.replace_substring_regex(spelled, pattern, word)
    if pc.any(pc.match_substring_regex(spelled, _LONG_WHOLE)).as_py():
        spelled = pa.array((_whole(text) for text in spelled.to_pylist()), pa.string())
    return spelled


def _whole(text: str | None) -> str | None:
    if text is None or re.fullmatch(_LONG_WHOLE.removesuffix(r"\z"), text) is None:
        return text
    value = float(text)
    return str(int(value)) if value.is_integer() else text
