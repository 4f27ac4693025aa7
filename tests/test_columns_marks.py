"""Text that looks like numbers or dates is pointed out; labels are not."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from bptrain.columns import infer
from bptrain.table.frame import Frame


def warnings_of(cells: list[str]) -> list[str]:
    """The messages about a column of these cells, beside a plain numeric one."""
    table = pa.table({"cell": pa.array(cells, pa.string()), "size": pa.array([f"{i}.5" for i in range(len(cells))])})
    found = infer.resolve(Frame(table, np.arange(len(cells))), {}, ["target"])
    return [warning.message for warning in found.warnings if warning.code == "BP249"]


@pytest.mark.parametrize(
    ("form", "looks"),
    [
        ("€0.{}", "a currency sign"),
        ("{} $", "a currency sign"),
        ("{}%", "a percent sign"),
        ("1,{}0", "thousands separators"),
        ("0,{}", "a decimal comma"),
        ("{}.03.24", "dates"),
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
