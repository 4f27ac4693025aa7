"""Ordinal columns: which scales are recognised, the places, missing and unknown labels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from builders import frame_of
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from tables import read_table, write

from bptrain import fit
from bptrain.api import RowsWarning
from bptrain.config.load import config_from_mapping
from bptrain.data.files import AllowedPaths, DataFile
from bptrain.data.frame import Frame
from bptrain.data.options import DataOptions
from bptrain.errors import DataError, UsageError
from bptrain.features import preparer as prepare
from bptrain.features.inference import resolve
from bptrain.features.ordinal.kind import SCALES, OrdinalState, order_of
from bptrain.features.ordinal.options import OrdinalOptions
from bptrain.workflows.check import check

LEVELS = ("low", "mid", "high")


def learn(cells: Any, order: tuple[Any, ...] = LEVELS, **options: Any) -> OrdinalState:
    state = prepare.learn(frame_of(c=cells), {"c": OrdinalOptions(order=order, **options)})["ordinal"]
    assert isinstance(state, OrdinalState)
    return state


def made(state: OrdinalState, cells: Any) -> dict[str, list[list[float]]]:
    arrays = prepare.transform({"ordinal": state}, frame_of(c=cells)).arrays
    return {name: array.tolist() for name, array in arrays.items()}


# Places


def test_thermometer_raises_an_input_for_each_step() -> None:
    assert made(learn(["mid", "low", "high"]), ["low", "mid", "high"]) == {"ordinal": [[0, 0], [1, 0], [1, 1]]}


def test_linear_is_one_input_in_equal_steps() -> None:
    assert made(learn(["mid", "low"], encoding="linear"), ["low", "mid", "high"]) == {"ordinal": [[-1], [0], [1]]}
    assert made(learn([1, 2], (1, 2, 3, 4, 5), encoding="linear"), [2, 4]) == {"ordinal": [[-0.5], [0.5]]}


def test_columns_stand_beside_each_other() -> None:
    frame = frame_of(a=["low", "high"], b=["x", "y"])
    options = {"a": OrdinalOptions(order=LEVELS), "b": OrdinalOptions(order=("y", "x"), encoding="linear")}
    learnt = prepare.learn(frame, options)
    assert prepare.transform(learnt, frame).arrays["ordinal"].tolist() == [[0, 0, 1], [1, 1, -1]]
    assert learnt["ordinal"].inputs == {"ordinal": ("float32", (3,))}
    assert learnt["ordinal"].columns == ("a", "b")


def test_missing_is_zero_with_an_indicator_where_training_rows_had_missing_cells() -> None:
    cells = ["low", None, "high"]
    expected = {"ordinal": [[0, 0], [0, 0], [1, 1]]}
    assert made(learn(cells), cells) == expected | {"ordinal_missing": [[0], [1], [0]]}
    assert made(learn(cells, indicator=False), cells) == expected
    assert made(learn(["low", "high"]), cells) == expected


def test_labels_are_compared_whichever_type_spells_them() -> None:
    state = learn([1.0, 2.0, None], (1, 2.0, "3"), indicator=False)
    for cells in ([1, 3, 2], [1.0, 3.0, 2.0], ["1", "3", "2"], ["1.0", "3.0", "2.0"]):
        assert made(state, cells) == {"ordinal": [[0, 0], [1, 1], [1, 0]]}
    assert made(learn([True, False], (False, True)), ["true", "FALSE"]) == {"ordinal": [[1], [0]]}


@pytest.mark.parametrize(
    ("order", "said"), [((), "at least 2"), (("a",), "at least 2"), (("a", "b", "a"), "holds `a` twice")]
)
def test_an_order_needs_two_labels_each_once(order: tuple[str, ...], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        OrdinalOptions(order=order)


def test_a_declared_column_needs_its_order() -> None:
    with pytest.raises(UsageError, match="BP106: `columns.c` needs `order`"):
        config_from_mapping({"data": "t.csv", "target": "y", "columns": {"c": "ordinal"}})


# What is recognised


@pytest.mark.parametrize(
    "order",
    [
        ("low", "medium", "high"),
        ("Low", "Moderate", "High", "Very High"),
        ("S", "M", "L", "XL"),
        ("small", "medium", "large"),
        ("Fair", "Good", "Very Good", "Premium", "Ideal"),
        ("Poor", "Fair", "Typical", "Good", "Excellent"),
        ("poor", "fair", "good", "very_good", "excellent"),
        ("Very_Poor", "Poor", "Fair", "Below_Average", "Average", "Above_Average", "Good", "Very_Good", "Excellent"),
        ("never", "Rarely", "SOMETIMES", "often", "always"),
        ("Strongly disagree", "Disagree", "Neutral", "Agree", "Strongly agree"),
        ("mild", "moderate", "severe"),
    ],
    ids=" ".join,
)
def test_well_known_scales_are_recognised_in_their_order(order: tuple[str, ...]) -> None:
    cells = [*order[::-1], None, *order] * 3
    found = resolve(frame_of(c=cells, other=[0.5] * len(cells)), {}, [])
    assert found.options["c"] == OrdinalOptions(order=order)
    assert found.reasons["c"] == " < ".join(order)
    assert made(learn(cells, order), [order[-1]])["ordinal"] == [[1] * (len(order) - 1)]


@pytest.mark.parametrize(
    ("labels", "kind"),
    [
        (["low", "high"], "categorical"),  # two only
        (["Poor", "Fair", "Typical", "Good", "Excellent", "No_Basement"], "categorical"),
        (["low", "Low", "medium", "high"], "categorical"),  # two at one place
        (["average", "typical", "good"], "categorical"),
        (["small", "medium", "high"], "categorical"),  # of two scales
        (["blue", "red", "green"], "categorical"),
        (["1", "2", "3"], "numeric"),
        (["Gd", "No", "Mn", "Av"], "categorical"),
        (["VS1", "SI1", "IF"], "categorical"),
        (["yes", "no"], "boolean"),
    ],
    ids=str,
)
def test_other_labels_are_not(labels: list[str], kind: str) -> None:
    cells = labels * 9
    assert resolve(frame_of(c=cells, other=[0.5] * len(cells)), {}, []).options["c"].kind == kind


def test_every_word_of_the_scales_is_compared_by_its_letters() -> None:
    for scale in SCALES:
        words = [word.replace(" ", "") for place in scale for word in place.split("|")]
        assert len(words) == len(set(words)) >= 3
        first = [place.partition("|")[0] for place in scale]
        assert order_of([word.title().replace(" ", "_") for word in reversed(first)]) is not None
        assert order_of([word.upper().replace(" ", "-") for word in first]) is not None


# Cells that cannot be used


def test_training_labels_must_be_in_the_order() -> None:
    with pytest.raises(
        DataError, match="BP255: column `c` is ordinal, but 2 of 4 cells are not in the order"
    ) as caught:
        learn(["low", "hihg", "Mid", None])
    (problem,) = caught.value.problems
    assert "'hihg' (row 2), 'Mid' (row 3)" in problem.message
    assert problem.where == "row 2"
    assert "did you mean `high` for `hihg`, `mid` for `Mid`?" in problem.hints
    with pytest.raises(DataError, match="BP241: column `c` is declared ordinal"):
        learn(pa.nulls(3))


def test_in_other_rows_a_label_that_is_not_in_the_order_is_unknown() -> None:
    state = learn(["low", None, "high"])
    result = prepare.transform({"ordinal": state}, frame_of(c=["huge", "high", None, "huge"]))
    assert result.arrays["ordinal"].tolist() == [[0, 0], [1, 1], [0, 0], [0, 0]]
    assert result.arrays["ordinal_missing"].tolist() == [[1], [0], [1], [1]]
    assert result.unknown == {"c": 2}
    assert not result.bad
    assert prepare.transform_or_raise({"ordinal": state}, frame_of(c=["huge"])).arrays["ordinal"].tolist() == [[0, 0]]


def test_check_and_fit_refuse_labels_of_training_rows_alone(tmp_path: Path) -> None:
    def checked(train: str, test: str) -> list[str]:
        for part, label in (("train", train), ("test", test)):
            cells = pa.array(["low", "high", label] * 20)
            write(pa.table({"c": cells, "y": ["a", "b"] * 30}), tmp_path / f"{part}.csv")
        columns = {"c": {"kind": "ordinal", "order": ["low", "high"]}}
        content = {"data": {"train": "train.csv", "test": "test.csv"}, "target": "y", "columns": columns}
        try:
            check(config_from_mapping(content), AllowedPaths.create(tmp_path))
        except DataError as error:
            return [problem.code for problem in error.problems]
        return []

    assert checked("low", "mid") == []
    assert checked("mid", "low") == ["BP255"]


# Files, saved states and whole runs


@pytest.mark.parametrize("ending", [".csv", ".jsonl", ".parquet"])
def test_formats_agree_and_a_saved_state_transforms_alike(tmp_path: Path, ending: str) -> None:
    cells = {"c": ["low", None, "high", "mid"] * 5, "n": pa.array([1.0, 2.0, None, 3.0] * 5)}
    path = write(pa.table(cells), tmp_path / f"t{ending}")
    frame = Frame(read_table([DataFile(path, path.name)], DataOptions(train=(path.name,))), np.arange(20))
    options = {"c": OrdinalOptions(order=LEVELS), "n": OrdinalOptions(order=(1, 2, 3), encoding="linear")}
    learnt = prepare.learn(frame, options)
    saved, arrays = prepare.save(learnt)
    assert (arrays, prepare.array_shapes(saved)) == ({}, {})
    loaded = prepare.load(saved, arrays)
    assert loaded == learnt
    for columns in (learnt, loaded):
        result = prepare.transform(columns, frame).arrays
        assert result["ordinal"][:4].tolist() == [[0, 0, -1], [0, 0, 0], [1, 1, 0], [1, 0, 1]]
        assert result["ordinal_missing"][:4].tolist() == [[0, 0], [1, 0], [0, 1], [0, 0]]
        assert {name: (str(array.dtype), array.shape[1:]) for name, array in result.items()} == learnt["ordinal"].inputs


@given(st.lists(st.sampled_from([*LEVELS, "other"]) | st.none(), min_size=1, max_size=20))
@settings(max_examples=50, deadline=None)
def test_rows_that_are_not_for_training_teach_nothing(cells: list[str | None]) -> None:
    frame = frame_of(c=pa.array(["low", "high", *cells], pa.string()))
    state = prepare.learn(frame.take(np.arange(2)), {"c": OrdinalOptions(order=LEVELS)})
    assert state == {"ordinal": learn(["low", "high"])}


def test_fit_predict_and_the_exported_network_agree(backend: None, tmp_path: Path) -> None:
    import keras

    grades = ["poor", "fair", "good"] * 40
    write(pa.table({"grade": grades, "size": np.arange(120) / 7, "y": [1.0, 2.0, 4.0] * 40}), tmp_path / "t.csv")
    target = {"column": "y", "task": "regression"}
    content = {"data": "t.csv", "target": target, "model": "mlp", "training": {"epochs": 2}}
    run = fit(content, run=tmp_path / "run", root=tmp_path)
    assert run.config.columns["grade"] == OrdinalOptions(order=("poor", "fair", "good"))
    described = run.files.read_json("inputs.json")
    (column,) = described["columns"]["ordinal"]["columns"]
    rows = pd.DataFrame({"grade": ["good", "poor", "fair"], "size": [1.5, 2.5, 3.5]})
    numbers = described["numbers"]
    inputs = {
        "ordinal": np.array([[column["order"].index(g) > j for j in range(2)] for g in rows["grade"]], np.float32),
        "numeric": ((rows[["size"]] - numbers["numeric/center"]) / numbers["numeric/scale"]).to_numpy(np.float32),
    }
    network = keras.models.load_model(run.path / "model.keras", compile=False)
    found = network.predict(inputs, verbose=0)["target_0"][:, 0]
    np.testing.assert_allclose(found, run.predict(rows)["y.prediction"], rtol=1e-5)
    with pytest.warns(RowsWarning, match="BP235: column `grade`: 1 of 3 cells"):
        assert run.predict(rows.replace("good", "great"))["status"].tolist() == ["ok"] * 3
