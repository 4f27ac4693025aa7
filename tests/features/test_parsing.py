"""A cell is parsed once per fit, whoever asks for its number."""

from __future__ import annotations

from collections import Counter
from contextlib import chdir
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from builders import frame_of
from tables import write

from bptrain import fit
from bptrain.data import frame as frame_module
from bptrain.data.frame import parse_numbers

N_ROWS = 80


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How many cells of text were parsed, by the first letter or digit of their column."""
    cells: Counter[str] = Counter()
    parse = parse_numbers

    def numbers(column: Any, *, decimal: str = ".") -> Any:
        if pa.types.is_string(column.type) and len(column):
            cells[str(column.drop_null()[0].as_py())[0]] += len(column)
        return parse(column, decimal=decimal)

    monkeypatch.setattr(frame_module, "parse_numbers", numbers)
    return cells


@pytest.mark.parametrize("networks", [1, 3])
def test_text_is_parsed_once_per_fit(tmp_path: Path, parsed: Counter[str], networks: int) -> None:
    random = np.random.default_rng(0)
    table = {
        "a": [None, *(f"1{value:.4f}" for value in random.uniform(0, 9, N_ROWS - 1))],
        "b": [f"2{value:.4f}" for value in random.uniform(0, 9, N_ROWS)],
        "c": [f"x{value}" for value in random.integers(0, 60, N_ROWS)],
        "y": [f"3{value:.4f}" for value in random.uniform(0, 9, N_ROWS)],
    }
    write(pa.table(table), tmp_path / "t.csv")
    model = {"kind": "mlp", "hidden": [4], "networks": networks}
    columns = {"b": {"kind": "numeric", "outliers": "drop", "range": [0, 100]}}
    config = {"data": "t.csv", "target": "y", "columns": columns, "model": model, "training": {"epochs": 1}}
    with chdir(tmp_path):
        fit(config)
    assert parsed == {"1": N_ROWS, "2": N_ROWS, "3": N_ROWS, "x": N_ROWS}


def test_frames_of_one_table_share_numbers_until_they_are_forgotten(parsed: Counter[str]) -> None:
    whole = frame_of({"a": ["1", "2", None, "x", "5"]})
    some = whole.take(np.array([3, 0, 4]))
    numbers, bad = some.numbers("a")
    np.testing.assert_array_equal(numbers, [np.nan, 1.0, 5.0])
    assert bad.tolist() == [True, False, False]
    np.testing.assert_array_equal(whole.numbers("a")[0], [1.0, 2.0, np.nan, np.nan, 5.0])
    assert parsed["1"] == 5
    with pytest.raises(ValueError, match="read-only"):
        whole.numbers("a")[0][0] = 7.0
    assert whole.with_column("a", pa.chunked_array([["6"] * 5])).numbers("a")[0].tolist() == [6.0] * 5
    some.forget_numbers()
    whole.numbers("a")
    assert parsed["1"] == 10


def test_few_rows_of_a_table_do_not_parse_it_all(parsed: Counter[str]) -> None:
    whole = frame_of({"a": ["1"] * 10})
    for _ in range(2):
        assert whole.take(np.arange(4)).numbers("a")[0].tolist() == [1.0] * 4
    assert parsed["1"] == 8


def test_a_large_table_keeps_one_column_of_a_frame(parsed: Counter[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """So that one look at a column after the other parses each once, and memory does not grow with the columns."""
    monkeypatch.setattr(frame_module, "PARSED_BYTES", 100)
    whole = frame_of({"a": ["1"] * 20, "b": ["2"] * 20})
    for name in ("a", "a", "b", "b", "a"):
        whole.numbers(name)
    assert (parsed["1"], parsed["2"]) == (40, 20)
