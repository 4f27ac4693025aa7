"""Digests of a table: cells and their order count, how files write them and how many are read at once do not."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from builders import frame_of
from hypothesis import given
from hypothesis import strategies as st

from bptrain.data import hashes
from bptrain.data.hashes import cell_hashes, parts_digest, row_hashes, table_digests

N_ROWS = 500
COLUMNS = {"x": True, "code": False}


def table() -> pa.Table:
    """Numbers as text, one of which is none and one is missing, and labels that look like numbers."""
    rng = np.random.default_rng(0)
    numbers = [repr(float(value)) for value in rng.normal(size=N_ROWS)]
    numbers[7] = "seven"
    cells: list[str | None] = [*numbers[:9], None, *numbers[10:]]
    return pa.table({"x": pa.array(cells), "code": rng.choice(["7", "07"], N_ROWS), "other": rng.normal(size=N_ROWS)})


def replaced(name: str, row: int, cell: str) -> pa.Table:
    cells = table()[name].to_pylist()
    cells[row] = cell
    return table().set_column(table().column_names.index(name), name, pa.array(cells))


@pytest.mark.parametrize("chunk_rows", [1, 7, 499])
def test_rows_are_hashed_in_parts(chunk_rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = table_digests(frame_of(table()), COLUMNS), parts_digest(np.arange(N_ROWS), {"train": np.arange(3, N_ROWS)})
    monkeypatch.setattr(hashes, "CHUNK_ROWS", chunk_rows)
    assert table_digests(frame_of(table()), COLUMNS) == whole[0]
    assert parts_digest(np.arange(N_ROWS), {"train": np.arange(3, N_ROWS)}) == whole[1]


@pytest.mark.parametrize("chunk_rows", [13, 2**16])
def test_other_order_has_the_same_digest_in_any_order(chunk_rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also of the cell that is no number, wherever it comes to stand."""
    monkeypatch.setattr(hashes, "CHUNK_ROWS", chunk_rows)
    found = table_digests(frame_of(table()), COLUMNS)
    other = table_digests(frame_of(table()).take(np.random.default_rng(1).permutation(N_ROWS)), COLUMNS)
    assert other["cells"] != found["cells"]
    assert other["cells_in_any_order"] == found["cells_in_any_order"]


@pytest.mark.parametrize(
    ("name", "row", "cell"),
    [("x", 0, "1.5"), ("x", 7, "eight"), ("x", 9, "0"), ("code", 3, "0007"), ("code", 499, "8")],
)
def test_every_cell_counts(name: str, row: int, cell: str) -> None:
    found, other = (
        table_digests(frame_of(table()), COLUMNS),
        table_digests(frame_of(replaced(name, row, cell)), COLUMNS),
    )
    assert other["cells"] != found["cells"]
    assert other["cells_in_any_order"] != found["cells_in_any_order"]


def test_columns_that_are_not_used_do_not_count() -> None:
    assert table_digests(frame_of(table().drop_columns("other")), COLUMNS) == table_digests(frame_of(table()), COLUMNS)


def test_numbers_as_text_and_as_numbers_are_one() -> None:
    text = table().slice(20)
    typed = text.set_column(0, "x", text["x"].cast(pa.float64()))
    assert table_digests(frame_of(typed), COLUMNS) == table_digests(frame_of(text), COLUMNS)


def test_parts_count() -> None:
    rows = np.arange(10) * 2
    digests = {
        parts_digest(rows, {"train": np.arange(8), "test": np.array([8, 9])}),
        parts_digest(rows, {"train": np.arange(7), "test": np.array([7, 8, 9])}),
        parts_digest(rows, {"train": np.arange(8), "validation": np.array([8, 9])}),
        parts_digest(rows + 1, {"train": np.arange(8), "test": np.array([8, 9])}),
    }
    assert len(digests) == 4


# Cells and rows

TEXTS = st.lists(st.none() | st.text(max_size=30), max_size=40)


@given(TEXTS)
def test_equal_texts_have_equal_hashes_and_others_have_not(cells: list[str | None]) -> None:
    column = pa.chunked_array([pa.array(cells[:7], pa.string()), pa.array(cells[7:], pa.string()).slice(0)])
    found = cell_hashes(column)
    assert len(set(found.tolist())) == len(set(cells))
    by_cell = dict(zip(cells, found.tolist(), strict=True))
    assert [by_cell[cell] for cell in cells] == found.tolist()
    assert cell_hashes(pa.chunked_array([column.combine_chunks().slice(2)])).tolist() == found[2:].tolist()


@pytest.mark.parametrize(
    "cells",
    [
        pa.array([0.0, -0.0, np.nan, float("nan"), None, 1.5], pa.float64()),
        pa.array([2**63, 2**63 + 1, None, 2**63], pa.uint64()),
        pa.array([-1, 0, 1, None], pa.int8()),
        pa.array([True, False, None, True]),
        pa.array(["a", "b", "a", None]).dictionary_encode(),
        pa.nulls(3),
        pa.array([1, 2, None], pa.date32()),
    ],
)
def test_cells_of_every_type_are_hashed_as_they_compare(cells: pa.Array) -> None:
    found = cell_hashes(pa.chunked_array([cells]))
    texts = [str(value).replace("-0.0", "0.0") for value in cells.to_pylist()]
    by_text = dict(zip(texts, found.tolist(), strict=True))
    assert [by_text[text] for text in texts] == found.tolist()
    assert len(set(found.tolist())) == len(by_text)


def test_hashes_of_rows_see_the_place_of_each_cell() -> None:
    table = pa.table({"a": ["x", "y", "x"], "b": ["y", "x", "y"]})
    first, second, third = row_hashes(table.columns, 3).tolist()
    assert first == third != second
