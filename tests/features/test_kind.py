"""Kinds as objects: cells that cannot be used are refused in the words of their column's kind."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import chdir
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from builders import frame_of
from tables import write

from bptrain.cli.main import run
from bptrain.data.frame import Frame
from bptrain.errors import DataError, Problem
from bptrain.features import kinds
from bptrain.features import preparer as prepare
from bptrain.features.categorical.options import CategoricalOptions
from bptrain.features.kind import unreadable_cells
from bptrain.features.numeric.kind import NUMERIC, NumericKind
from bptrain.features.numeric.options import NumericOptions
from bptrain.workflows.predict import _status


class PickyKind(NumericKind):
    """A numeric kind that has words of its own and wants training rows to be more than 1."""

    unusable = "no odd"

    def bad_cells(self, frame: Frame, name: str, mask: np.ndarray) -> Problem:
        return Problem("BP999", f"{name} has {int(mask.sum())} odd cells")

    def check(self, frame: Frame, options: Mapping[str, NumericOptions], *, training: bool) -> list[Problem]:
        if not training:
            return super().check(frame, options, training=False)
        return [Problem("BP998", f"{name} is small") for name in options if (frame.numbers(name)[0] <= 1).any()]


@pytest.fixture
def picky(monkeypatch: pytest.MonkeyPatch) -> PickyKind:
    kind = PickyKind()
    monkeypatch.setitem(kinds.KINDS, "numeric", kind)
    return kind


def learnt() -> prepare.Columns:
    return prepare.learn(frame_of(n=["1", "2"], c=["a", "b"]), {"n": NumericOptions(), "c": CategoricalOptions()})


def test_a_kind_without_words_has_those_of_numbers() -> None:
    assert (NUMERIC.name, NUMERIC.unusable) == ("numeric", "no finite number")
    assert prepare.kinds_of_columns(learnt())["n"] is NUMERIC
    with pytest.raises(DataError, match="BP242: column `n` is numeric"):
        prepare.transform_or_raise(learnt(), frame_of(n=["1", "x"], c=["a", "b"]))
    assert set(prepare.transform_or_raise(learnt(), frame_of(n=["1"], c=["a"])).arrays) == {"numeric", "categorical"}


def test_a_kind_speaks_its_own_words(picky: PickyKind) -> None:
    assert prepare.kinds_of_columns(learnt())["n"] is picky
    with pytest.raises(DataError, match="BP999: n has 1 odd cells"):
        prepare.transform_or_raise(learnt(), frame_of(n=["1", "x"], c=["a", "b"]))


@pytest.mark.usefixtures("picky")
def test_a_kind_may_refuse_cells_of_training_rows_only() -> None:
    options = {"n": NumericOptions(), "c": CategoricalOptions()}
    prepare.check(frame_of(n=[2.0, 3.0], c=["a", "b"]), options, training=True)
    with pytest.raises(DataError, match="BP998: n is small"):
        prepare.check(frame_of(n=[1.0, 3.0], c=["a", "b"]), options, training=True)
    prepare.check(frame_of(n=[1.0, 3.0], c=["a", "b"]), options, training=False)
    prepare.check(frame_of(n=[1.0, 3.0]), {"c": CategoricalOptions()}, training=True)


def test_status_names_each_word_once_per_run_of_columns() -> None:
    columns = {"a": kinds.KINDS["numeric"], "b": kinds.KINDS["numeric"], "d": kinds.KINDS["date"]}
    bad = {"a": np.array([1, 0, 1, 0], bool), "b": np.array([1, 0, 0, 0], bool), "d": np.array([1, 1, 0, 0], bool)}
    status = _status(np.array([0, 0, 1, 1], bool), bad, columns).to_pylist()
    assert status == [
        "no finite number: a; b; no date: d",
        "no date: d",
        "no finite number: a",
        "no finite prediction",
    ]


def test_unreadable_cells_are_counted_shown_and_explained() -> None:
    frame = frame_of(**{"a b": ["x", "y", "z\n", None]})
    problem = unreadable_cells(frame, "a b", np.array([0, 1, 1, 0], bool), "is odd, but {} are even", "write them odd")
    assert problem.code == "BP255"
    assert problem.message == "column `a b` is odd, but 2 of 4 cells are even: 'y' (row 2), 'z\\n' (row 3)"
    assert problem.where == "row 2"
    assert (problem.hints[0], problem.hints[2]) == (
        "write them odd",
        'if they are labels, write `columns: {"a b": categorical}`',
    )
    assert "data.na_values" in problem.hints[1]


WRONG = [
    ("{kind: boolean}", ["yes", "no", "perhaps"], "is boolean, but 20 of 60 cells are neither true nor false"),
    ("{kind: date}", ["2024-05-01", "2024-05-02", "5/3/2024"], "is a date, but 20 of 60 cells are no date"),
    (
        "{kind: ordinal, order: [low, high]}",
        ["low", "high", "hgih"],
        "is ordinal, but 20 of 60 cells are not in the order",
    ),
]


@pytest.mark.parametrize(("options", "cells", "said"), WRONG)
@pytest.mark.parametrize("command", ["check", "fit"])
def test_the_command_line_shows_file_row_and_remedy(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str, options: str, cells: list[str], said: str
) -> None:
    write(pa.table({"c": cells * 20, "y": ["a", "b"] * 30}), tmp_path / "t.csv")
    (tmp_path / "c.yaml").write_text(f"data: t.csv\ntarget: y\ncolumns: {{c: {options}}}\n", encoding="utf-8")
    with chdir(tmp_path):
        assert run([command, "c.yaml"]) == 4
    printed = capsys.readouterr().err
    whole = said if command == "check" else said.partition(", but")[0]  # fit sees the training rows only
    assert f"error[BP255]: column `c` {whole}" in printed
    assert "t.csv: row " in printed
    assert f"'{cells[2]}'" in printed
    assert "data.na_values" in printed
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "runs") == ["c.yaml", "t.csv"]


def test_rows_are_transformed_in_parts_as_they_are_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = frame_of(a=[1.0, None, 5.0, 9.0, 2.0], b=["x", "y", "z", None, "x"])
    columns = prepare.learn(frame.take(np.arange(3)), {"a": NumericOptions(), "b": CategoricalOptions()})
    whole = prepare.transform_or_raise(columns, frame)
    monkeypatch.setattr(prepare, "PART_ROWS", 2)
    parts = prepare.transform_or_raise(columns, frame)
    for name, array in whole.arrays.items():
        np.testing.assert_array_equal(parts.arrays[name], array)
    assert (parts.unknown, parts.outside, parts.changed) == (whole.unknown, whole.outside, whole.changed)
    with pytest.raises(DataError, match=r"1 of 3 cells.*\(row 3\)"):
        prepare.transform_or_raise(columns, frame_of(a=["1", "2", "inf"], b=["x", "x", "x"]))
