"""Cells as numbers and as text."""

from __future__ import annotations

import datetime
import decimal
import math

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bptrain.data import frame as frame_module
from bptrain.data.frame import n_distinct, normalize_labels, parse_numbers, take, texts
from bptrain.data.frame import parse_numbers as numbers


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("1", 1.0),
        (" 1.5\t", 1.5),
        ("\u00a07", 7.0),
        ("+2", 2.0),
        ("-.5", -0.5),
        ("3.", 3.0),
        ("1e5", 1e5),
        ("1E-7", 1e-7),
        ("0.1", 0.1),
        ("9007199254740993", 9007199254740992.0),
        ("2.2250738585072011e-308", 2.2250738585072011e-308),
        ("1e400", math.inf),
        ("-1e400", -math.inf),
        ("1e-400", 0.0),
        ("inf", math.inf),
        ("-Infinity", -math.inf),
    ],
)
@pytest.mark.parametrize("neighbour", ["1", "n/a"])  # the whole column is cast at once, or cells are judged first
def test_numbers_parses_text(cell: str, value: float, neighbour: str) -> None:
    values, bad = numbers(pa.array([cell, neighbour]))
    assert values[0] == value
    assert bad.tolist() == [False, neighbour == "n/a"]


@pytest.mark.parametrize("n_before", [0, 99, 100, 5000])  # labels that come late, after cells that are all numbers
def test_each_cell_is_judged_where_some_are_no_numbers(n_before: int) -> None:
    before = [str(number) for number in range(n_before)]
    values, bad = numbers(pa.array([*before, "high", None, " 7 ", "high", "1e400", None, "7"]))
    np.testing.assert_array_equal(values[n_before:], [np.nan, np.nan, 7.0, np.nan, np.inf, np.nan, 7.0])
    np.testing.assert_array_equal(values[:n_before], np.arange(n_before))
    assert bad.tolist() == [False] * n_before + [True, False, False, True, False, False, False]


@pytest.mark.parametrize("neighbour", ["1", "n/a"])
@pytest.mark.parametrize("cell", ["nan", "NaN", " NAN ", "-nan", None])
def test_numbers_counts_nan_as_missing(cell: str | None, neighbour: str) -> None:
    values, bad = numbers(pa.array([cell, neighbour]))
    assert np.isnan(values[0])
    assert not bad[0]


@pytest.mark.parametrize(
    "cell",
    ["abc", "", " ", "1_000", "1,5", "1 000", "0x10", "--1", "1e", "$5", "5%", "nan(1)", "１２", "1d", "True", "a\n1"],
)
def test_numbers_marks_other_text_as_bad(cell: str) -> None:
    values, bad = numbers(pa.chunked_array([["1", cell], [None, "2"]]))
    assert bad.tolist() == [False, True, False, False]
    np.testing.assert_array_equal(values, [1, np.nan, np.nan, 2])


def test_numbers_with_decimal_comma() -> None:
    values, bad = numbers(pa.array(["1,5", " -2,25 ", "3", "1.5", "1.000,5", "1,0,0", None]), decimal=",")
    np.testing.assert_array_equal(values, [1.5, -2.25, 3, np.nan, np.nan, np.nan, np.nan])
    assert bad.tolist() == [False, False, False, True, True, True, False]


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (pa.array([1, None, -3], pa.int64()), [1, np.nan, -3]),
        (pa.array([2**64 - 1], pa.uint64()), [float(2**64 - 1)]),
        (pa.array([0.5, None, math.nan, math.inf]), [0.5, np.nan, np.nan, np.inf]),
        (pa.array([0.5], pa.float32()), [0.5]),
        (pa.array([0.5], pa.float16()), [0.5]),
        (pa.array([decimal.Decimal("0.10"), None]), [0.1, np.nan]),
        (pa.nulls(2), [np.nan, np.nan]),
        (pa.array([], pa.string()), []),
        (pa.array(["1", "2", "1"]).dictionary_encode(), [1, 2, 1]),
    ],
)
def test_numbers_converts_typed_columns(column: pa.Array, expected: list[float]) -> None:
    values, bad = numbers(column)
    assert values.dtype == np.float64
    assert bad.dtype == np.bool_
    np.testing.assert_array_equal(values, expected)
    assert not bad.any()


@pytest.mark.parametrize(
    "column",
    [
        pa.array([True, None]),
        pa.array([datetime.date(2024, 5, 1), None]),
        pa.array([datetime.datetime(2024, 5, 1), None]),
        pa.array([datetime.time(1), None]),
    ],
)
def test_numbers_finds_no_numbers_in_booleans_and_dates(column: pa.Array) -> None:
    values, bad = numbers(column)
    assert np.isnan(values).all()
    assert bad.tolist() == [True, False]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.floats() | st.none(), max_size=20))
def test_numbers_reads_every_float_back_from_its_repr(cells: list[float | None]) -> None:
    values, bad = numbers(pa.array([None if cell is None else repr(cell) for cell in cells], pa.string()))
    np.testing.assert_array_equal(values, np.array(cells, float))
    assert not bad.any()


def test_numbers_rounds_decimal_text_as_python_does() -> None:
    generator = np.random.default_rng(0)
    cells = [
        f"{generator.integers(10**17)}{generator.integers(10**6)}e{generator.integers(-330, 290)}" for _ in range(2000)
    ]
    values, _ = numbers(pa.array(cells))
    assert values.tolist() == [float(cell) for cell in cells]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.floats(allow_nan=False) | st.none(), max_size=20))
def test_texts_spells_floats_as_python(cells: list[float | None]) -> None:
    expected = [None if cell is None else repr(cell) for cell in cells]
    assert texts(pa.array(cells, pa.float64())).to_pylist() == expected


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (pa.array([39, None, -1]), ["39", None, "-1"]),
        (pa.array([math.nan, None, 1.0]), [None, None, "1.0"]),
        (pa.array([True, False, None]), ["True", "False", None]),
        (pa.array([datetime.date(2024, 5, 1), None]), ["2024-05-01", None]),
        (pa.array([0], pa.date64()), ["1970-01-01"]),
        (pa.array([datetime.time(12, 30), datetime.time(1, 2, 3, 4)]), ["12:30:00", "01:02:03.000004"]),
        (pa.array([decimal.Decimal("1.10")]), ["1.10"]),
        (pa.array(["a", None, " b "], pa.large_string()), ["a", None, " b "]),
        (pa.array(["a", "b", "a"]).dictionary_encode(), ["a", "b", "a"]),
        (pa.nulls(2), [None, None]),
        (pa.array([], pa.float64()), []),
    ],
)
def test_texts_spells_typed_columns(column: pa.Array, expected: list[str | None]) -> None:
    result = texts(column)
    assert result.type == pa.string()
    assert result.to_pylist() == expected


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC"])
@pytest.mark.parametrize("moment", ["2024-05-01", "2024-05-01 12:30:00", "1969-12-31 23:59:59"])
def test_texts_spells_timestamps_as_pandas_writes_them(moment: str, zone: str | None, unit: str) -> None:
    series = pd.Series(pd.to_datetime([moment]).tz_localize(zone).as_unit(unit))
    written = series.to_csv(index=False, header=False).strip()
    assert texts(pa.array(series)).to_pylist() == [written]


@pytest.mark.parametrize("fraction", ["250", "250001", "250001002", "000001", "000000001"])
def test_texts_spells_fractions_of_seconds_as_pandas_writes_them(fraction: str) -> None:
    series = pd.Series(pd.to_datetime([f"2024-05-01 12:30:00.{fraction}"]).as_unit("ns"))
    written = series.to_csv(index=False, header=False).strip()
    assert texts(pa.array(series)).to_pylist() == [written]


@pytest.mark.parametrize("kind", ["float16", "float32", "float64"])
def test_texts_spells_floats_as_pandas_writes_them(kind: str) -> None:
    generator = np.random.default_rng(0)
    values = np.concatenate([generator.normal(size=50), generator.normal(size=50) * 1e-4, [0.0, 1.0, 60000.0]])
    series = pd.Series(values.astype(kind))
    written = series.to_csv(index=False, header=False).split()
    assert texts(pa.array(series.to_numpy())).to_pylist() == written


@pytest.mark.parametrize(
    ("cell", "key"),
    [
        ("3", "3"),
        ("3.0", "3"),
        ("-12.00", "-12"),
        ("3.", "3"),
        ("0.0", "0"),
        ("-0.0", "0"),
        ("1e+16", "10000000000000000"),
        ("1.152921504606847e+18", str(2**60)),
        ("true", "True"),
        ("TRUE", "True"),
        ("False", "False"),
        ("false", "False"),
        ("007", "007"),
        ("007.0", "007.0"),
        ("1.50", "1.50"),
        ("1e5", "1e5"),
        ("1.5e+00", "1.5e+00"),
        ("9e+999", "9e+999"),
        ("3.0.0", "3.0.0"),
        ("a\n3.0", "a\n3.0"),
        ("tRue", "tRue"),
        ("", ""),
        (None, None),
    ],
)
@pytest.mark.parametrize("neighbour", ["x", "1e+17"])  # the second way is slower, and taken only where it is needed
def test_keys_are_equal_where_only_the_type_spells_otherwise(cell: str | None, key: str | None, neighbour: str) -> None:
    column = pa.chunked_array([[cell, neighbour], pa.array([cell], pa.string())], pa.string())
    assert normalize_labels(column).to_pylist()[::2] == [key, key]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(-(2**53), 2**53) | st.none(), min_size=1, max_size=10))
def test_keys_of_whole_numbers_are_the_same_for_every_type(cells: list[int | None]) -> None:
    expected = [None if cell is None else str(cell) for cell in cells]
    for kind in (pa.int64(), pa.float64()):
        assert normalize_labels(texts(pa.array(cells, kind))).to_pylist() == expected


TEXTS = st.lists(st.none() | st.text(max_size=30), max_size=40)


@given(TEXTS, st.lists(st.integers(0, 39), max_size=60))
def test_taken_cells_are_those_at_the_positions(cells: list[str | None], positions: list[int]) -> None:
    chosen = np.array([p for p in positions if p < len(cells)], np.int64)
    column = pa.chunked_array([pa.array(cells[:5], pa.string()), pa.array(cells[5:], pa.string())])
    for rows in (chosen, np.sort(chosen)):
        assert take(column, rows).to_pylist() == [cells[p] for p in rows]


def test_distinct_values_of_a_long_column_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    column = pa.chunked_array([["a", "b", None, "a"], ["c", "b", ""]])
    assert n_distinct(column) == 4
    monkeypatch.setattr(frame_module, "PART_ROWS", 2)
    assert n_distinct(column) == 4
    assert n_distinct(pa.chunked_array([pa.array([np.nan, 1.0, None, 1.0])])) == 1
    numbers, bad = parse_numbers(column)
    assert np.isnan(numbers).all()
    assert bad.tolist() == [True, True, False, True, True, True, True]
