"""Text that looks like numbers or dates is pointed out; labels are not."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from builders import frame_of

from bptrain.config.load import config_from_text
from bptrain.data.frame import Frame
from bptrain.errors import DataError, Problem
from bptrain.features import inference as infer
from bptrain.features import preparer as prepare
from bptrain.features.numeric.kind import infer_format
from bptrain.features.numeric.options import NumericOptions


def problems_of(cells: list[str]) -> list[Problem]:
    """The warnings about a column of these cells, beside a plain numeric one."""
    table = pa.table({"cell": pa.array(cells, pa.string()), "size": pa.array([f"{i}.5" for i in range(len(cells))])})
    found = infer.resolve(Frame(table, np.arange(len(cells))), {}, ["target"])
    return [warning for warning in found.warnings if warning.code == "BP249"]


def warnings_of(cells: list[str]) -> list[str]:
    return [problem.message for problem in problems_of(cells)]


@pytest.mark.parametrize(
    ("form", "looks"),
    [
        ("€0.{}", "a currency sign"),
        ("{} $", "a currency sign"),
        ("{}%", "a percent sign"),
        ("1,{}0", "thousands separators"),
        ("0,{}", "a decimal comma"),
        ("{}.03.24", "dates"),
        ("0,{} %", "a decimal comma"),
        ("{} kg", "a unit"),
        ("-$1,{}0.5", "a currency sign and thousands separators"),
        ("1 2{}", "thousands separators"),
    ],
)
@pytest.mark.parametrize("n_different", [10, 20])
def test_marked_numbers_are_pointed_out(form: str, looks: str, n_different: int) -> None:
    (message,) = warnings_of([form.format(10 + i % n_different) for i in range(100)])
    assert looks in message
    assert form.format(10) in message


@pytest.mark.parametrize("form", ["A{}", "{} rooms", "x,{}", "v1.5.{}", "$", "1,2,{}"])
def test_other_cells_are_not(form: str) -> None:
    assert warnings_of([form.format(10 + i % 10) for i in range(99)] + ["b"]) == []


@pytest.mark.parametrize("form", ["${}", "{}%", "1,2{}", "-$1,0{}.5", "1'0{} CHF", "{} °C"])
def test_the_line_of_the_hint_makes_the_column_numeric(form: str) -> None:
    cells = [form.format(10 + i % 20) for i in range(100)]
    (problem,) = problems_of(cells)
    written = problem.hints[0].partition("`columns: ")[2].partition("}}`")[0] + "}}"
    declared = config_from_text(f"data: t.csv\ntarget: y\ncolumns: {written}\n").columns
    frame = frame_of(cell=cells)
    found = infer.resolve(frame, declared, [])
    assert found.warnings == []
    values = prepare.transform(prepare.learn(frame, found.options), frame).arrays["numeric"]
    assert len(np.unique(values)) == 20


@pytest.mark.parametrize(
    ("cells", "decimal", "expected"),
    [
        (["950", "1,200", "3,400.5"], ".", NumericOptions(thousands=",")),
        (["950", "1.200", "3.400,5"], ",", NumericOptions(thousands=".")),
        (["$5", "7"], ".", NumericOptions(unit="$")),
        (["$5,000", "7"], ".", NumericOptions(unit="$", thousands=",")),
        (["5", "7"], ".", None),
        (["5", "7 rooms"], ".", None),
        (["12%", "x"], ".", None),
        ([], ".", None),
    ],
)
def test_options_are_those_that_read_the_column(
    cells: list[str], decimal: str, expected: NumericOptions | None
) -> None:
    assert infer_format(frame_of(cell=pa.array(cells, pa.string()), decimal=decimal), "cell") == expected


def test_a_few_marked_cells_among_numbers_are_shown_with_what_to_write() -> None:
    cells = [str(i) for i in range(99)] + ["1,200"]
    with pytest.raises(DataError, match="BP240") as caught:
        infer.resolve(frame_of(cell=pa.array(cells, pa.string())), {}, [])
    assert caught.value.problems[0].hints[0] == 'write `columns: {cell: {kind: numeric, thousands: ","}}`'
