"""Boolean columns: what is recognised, the signs, missing and odd cells, and words of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from builders import frame_of
from pydantic import ValidationError
from tables import config, make_table, read_table, write

from bptrain.config.load import config_from_mapping
from bptrain.data.files import AllowedPaths, DataFile
from bptrain.data.frame import Frame
from bptrain.data.options import DataOptions
from bptrain.errors import DataError
from bptrain.features import preparer as prepare
from bptrain.features.boolean.kind import BOOLEAN, BooleanState
from bptrain.features.boolean.options import BooleanOptions
from bptrain.features.inference import resolve
from bptrain.fitting import dataset
from bptrain.workflows.check import check


def learn(cells: Any, **options: Any) -> prepare.Columns:
    return prepare.learn(frame_of(c=cells), {"c": BooleanOptions(**options)})


def made(learnt: prepare.Columns, cells: Any) -> dict[str, list[list[float]]]:
    return {name: array.tolist() for name, array in prepare.transform(learnt, frame_of(c=cells)).arrays.items()}


@pytest.mark.parametrize(
    "cells",
    [
        ["true", "False", "TRUE"],
        ["Yes", "no", "YES"],
        ["y", "N", "Y"],
        ["T", "f", "t"],
        ["on", "OFF", "On"],
        ["1", "0", "1.0"],
        [1, 0, 1],
        [1.0, 0.0, 1.0],
        [True, False, True],
    ],
    ids=str,
)
def test_two_words_of_one_pair_are_recognised(cells: Any) -> None:
    found = resolve(frame_of(c=cells, other=["a", "b", "a"]), {}, [])
    assert found.options["c"] == BooleanOptions()
    assert " or " in found.reasons["c"]
    assert made(learn(cells), cells) == {"boolean": [[1.0], [-1.0], [1.0]]}


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (["yes", "false"] * 9, "categorical"),  # of two pairs
        (["yes", "no", "maybe"] * 9, "categorical"),
        (["yes", None] * 9, "categorical"),  # one of them never occurs
        ([0, 1, 2] * 9, "numeric"),
        ([0.0, 0.5, 1.0] * 9, "numeric"),
        (["m", "f"] * 9, "categorical"),
        (["01", "00"] * 9, "numeric"),
        ([f"{number}" for number in [0, 1] * 9 + list(range(40))], "numeric"),
    ],
    ids=str,
)
def test_other_columns_are_not(cells: Any, kind: str) -> None:
    assert BOOLEAN.infer(frame_of(c=cells), "c") is None
    assert resolve(frame_of(c=cells, other=[0.5] * len(cells)), {}, []).options["c"].kind == kind


def test_missing_is_zero_with_an_indicator_where_training_rows_had_missing_cells() -> None:
    cells = ["yes", None, "no"]
    assert made(learn(cells), cells) == {"boolean": [[1.0], [0.0], [-1.0]], "boolean_missing": [[0.0], [1.0], [0.0]]}
    assert made(learn(cells, indicator=False), cells) == {"boolean": [[1.0], [0.0], [-1.0]]}
    assert made(learn(["yes", "no"]), cells) == {"boolean": [[1.0], [0.0], [-1.0]]}


def test_words_of_ones_own_come_before_the_usual_ones() -> None:
    assert made(learn(["Ja", "nein", "yes"], true_values=("ja",), false_values=("Nein",)), ["JA", "NEIN", "no"]) == {
        "boolean": [[1.0], [-1.0], [-1.0]]
    }
    coded = learn([1.0, 2.0, None], true_values=(2,), false_values=(1,))
    assert made(coded, ["1", "2.0", None]) == {
        "boolean": [[-1.0], [1.0], [0.0]],
        "boolean_missing": [[0.0], [0.0], [1.0]],
    }
    with pytest.raises(DataError, match="BP255"):
        learn(["Ja", "nein"], true_values=("ja",))


def test_a_word_cannot_mean_both() -> None:
    with pytest.raises(ValidationError, match="`ja` cannot be in both"):
        BooleanOptions(true_values=("Ja",), false_values=("ja",))


@pytest.mark.parametrize("odd", ["maybe", "2", "nan"])
def test_training_cells_must_be_words(odd: str) -> None:
    with pytest.raises(DataError, match="BP255: column `c` is boolean, but 1 of 3 cells .* \\(row 2\\)") as caught:
        learn(["yes", odd, "no"])
    (problem,) = caught.value.problems
    assert problem.where == "row 2"
    for remedy in ("data.na_values", "true_values", "categorical", "numeric"):
        assert remedy in " ".join(problem.hints)


def test_a_column_without_values_is_refused() -> None:
    with pytest.raises(DataError, match="BP241: column `c` is declared boolean"):
        learn(pa.array([None, None], pa.string()))


def test_in_other_rows_numbers_are_unknown_and_text_is_bad() -> None:
    learnt = learn([0, 1, None])
    result = prepare.transform(learnt, frame_of(c=["1", "2", "x", None, "-1.5"]))
    assert result.arrays["boolean"].tolist() == [[1.0], [0.0], [0.0], [0.0], [0.0]]
    assert result.arrays["boolean_missing"].tolist() == [[0.0], [1.0], [1.0], [1.0], [1.0]]
    assert result.unknown == {"c": 2}
    assert result.bad["c"].tolist() == [False, False, True, False, False]
    with pytest.raises(DataError, match="BP255: column `c`"):
        prepare.transform_or_raise(learnt, frame_of(c=["1", "x"]))
    assert prepare.kinds_of_columns(learnt) == {"c": BOOLEAN}
    assert BOOLEAN.unusable == "neither true nor false"


def test_check_and_fit_refuse_the_same_cells(tmp_path: Path) -> None:
    table = make_table(60)
    columns = {"flag": "boolean"}

    def checked(test: pa.Table) -> list[str]:
        write(test, tmp_path / "test.csv")
        content = config({"train": "t.csv", "test": "test.csv"}, "label")
        content["columns"] |= columns
        try:
            check(config_from_mapping(content), AllowedPaths.create(tmp_path))
        except DataError as error:
            return [problem.code for problem in error.problems]
        return []

    write(table, tmp_path / "t.csv")
    position = table.column_names.index("flag")
    assert checked(table) == []
    assert checked(table.set_column(position, "flag", pa.array(["2"] * 60))) == []
    assert checked(table.set_column(position, "flag", pa.array(["x"] * 60))) == ["BP255"]
    write(table.set_column(position, "flag", pa.array(["2", "1"] * 30)), tmp_path / "t.csv")
    assert checked(table) == ["BP255"]


@pytest.mark.parametrize("ending", [".csv", ".jsonl", ".parquet"])
def test_formats_agree_and_a_saved_state_transforms_alike(tmp_path: Path, ending: str) -> None:
    cells = [True, False, None, True] * 5
    table = pa.table({"c": cells, "d": pa.array([1.0, 0.0, None, 0.0] * 5)})
    path = write(table, tmp_path / f"t{ending}")
    read = read_table([DataFile(path, path.name)], DataOptions(train=(path.name,)))
    frame = Frame(read, np.arange(20))
    found = resolve(frame, {}, [])
    assert {name: options.kind for name, options in found.options.items()} == {"c": "boolean", "d": "boolean"}
    learnt = prepare.learn(frame, found.options)
    saved, arrays = prepare.save(learnt)
    assert prepare.array_shapes(saved) == {}
    loaded = prepare.load(saved, arrays)
    assert loaded == learnt
    for columns in (learnt, loaded):
        result = prepare.transform(columns, frame).arrays
        assert result["boolean"][:4].tolist() == [[1, 1], [-1, -1], [0, 0], [1, -1]]
        assert result["boolean_missing"][:4].tolist() == [[0, 0], [0, 0], [1, 1], [0, 0]]
        assert {name: (str(array.dtype), array.shape[1:]) for name, array in result.items()} == learnt["boolean"].inputs


def test_only_training_rows_tell_whether_cells_are_missing(tmp_path: Path) -> None:
    write(make_table(60).set_column(0, "size", pa.array(["yes", "no"] * 30)), tmp_path / "t.csv")
    found = dataset.load_dataset(config_from_mapping(config("t.csv", "label")), AllowedPaths.create(tmp_path))
    rows = dataset.split_rows(found).train
    held_out = np.setdiff1d(np.arange(60), rows)
    cells = np.array(found.frame.texts("size").to_pylist(), object)
    cells[held_out[0]] = None
    frame = frame_of(size=pa.array(cells.tolist(), pa.string()))
    state = prepare.learn(frame.take(rows), {"size": BooleanOptions()})["boolean"]
    assert isinstance(state, BooleanState)
    assert state.indicators == ()
    cells[rows[0]] = None
    frame = frame_of(size=pa.array(cells.tolist(), pa.string()))
    assert BOOLEAN.load(
        prepare.learn(frame.take(rows), {"size": BooleanOptions()})["boolean"].to_json(), {}
    ).indicators == ("size",)


def test_a_column_of_many_rows_is_read_once_per_word() -> None:
    """In several chunks, as files are read."""
    cells = pa.chunked_array([pa.array(["yes", "no", None] * 1000), pa.array(["no", "Yes", "x"] * 1000)])
    frame = frame_of({"c": cells})
    result = prepare.transform(learn(["yes", "no", None]), frame)
    assert result.arrays["boolean"][:, 0].tolist() == [1.0, -1.0, 0.0] * 1000 + [-1.0, 1.0, 0.0] * 1000
    assert pc.sum(pa.array(result.bad["c"].tolist())).as_py() == 1000
