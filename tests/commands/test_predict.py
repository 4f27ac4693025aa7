"""`predict`: the same answer for a row however it comes, and a clear word about rows it cannot use."""

from __future__ import annotations

import csv
import json
import os
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest
from builders import frame_of
from hypothesis import given, settings
from hypothesis import strategies as st
from tables import LABELS, NUMBERS, TASKS, make_table, replaced, write

from bptrain import Run
from bptrain.api import RowsWarning
from bptrain.data.files import AllowedPaths
from bptrain.data.options import CleanOptions
from bptrain.errors import DataError
from bptrain.features import preparer
from bptrain.features.numeric.options import NumericOptions
from bptrain.fitting.artifacts import evaluation_json, write_evaluation
from bptrain.messages.catalogue import CATALOGUE
from bptrain.models.predictor import Predictor
from bptrain.workflows.evaluate import file_options
from bptrain.workflows.predict import Summary, _frames, predict_file

Predict = Callable[..., tuple[pa.Table, Summary]]
TARGETS = [("label",), ("sort",), ("amount",), tuple(TASKS)]
FEATURES = (*NUMBERS, *LABELS)
JUDGED_ONLY = {"split", "weight"}


@pytest.fixture
def predict(tmp_path: Path) -> Predict:
    """Write a table (or take a path), predict it, and read the predictions as they were written."""

    def predict(
        run: Run, data: pa.Table | Path, *, ending: str = ".parquet", source: str = ".csv", **options: int
    ) -> tuple[pa.Table, Summary]:
        path = data if isinstance(data, Path) else write(data, tmp_path / f"rows{source}")
        out = tmp_path / f"out{ending}"
        roots = AllowedPaths.create(tmp_path, extras=[path])
        summary = predict_file(run, str(path), out, roots=roots, overwrite=True, **options)
        assert [name for name in os.listdir(tmp_path) if name.startswith(".")] == []
        return pq.read_table(out) if ending == ".parquet" else pa.table({}), summary

    return predict


def as_predicted(judged: pa.Table, names: list[str]) -> pa.Table:
    """An evaluation's table in the columns of `predict`'s output, less `status`."""
    assert set(judged.column_names) - set(names) == JUDGED_ONLY | {
        name for name in judged.column_names if name.endswith(".target")
    }
    return judged.select([name for name in names if name != "status"])


@pytest.mark.parametrize("names", TARGETS, ids=" ".join)
@pytest.mark.parametrize("chunk_rows", [7, 64, 65_536])
def test_predictions_are_those_of_the_run(
    fitted: Callable[..., Run], predict: Predict, names: tuple[str, ...], chunk_rows: int
) -> None:
    run = fitted(*names)
    made, summary = predict(run, run.path.parent / "t.csv", chunk_rows=chunk_rows)
    kept = pq.read_table(run.path / "predictions.parquet")
    assert made.drop_columns("status").equals(as_predicted(kept, made.column_names))
    assert made["status"].to_pylist() == ["ok"] * 200
    assert (summary.n_rows, summary.bad) == (200, {})
    assert set(kept["split"].to_pylist()) == {"train", "validation", "test"}


@pytest.mark.parametrize("names", TARGETS, ids=" ".join)
def test_evaluating_again_gives_the_predictions_of_the_run(
    fitted: Callable[..., Run], tmp_path: Path, names: tuple[str, ...]
) -> None:
    run = fitted(*names)
    judged = run.evaluate(root=run.path.parent)
    assert judged.targets == run.metrics["targets"]
    write_evaluation(tmp_path, evaluation_json(run, judged), judged.predictions)
    assert (tmp_path / "predictions.parquet").read_bytes() == run.files.read_bytes("predictions.parquet")


@pytest.mark.parametrize("names", TARGETS, ids=" ".join)
@pytest.mark.parametrize("n_rows", [1, 7, 1000])
def test_predict_and_evaluate_agree_on_other_data(
    fitted: Callable[..., Run], predict: Predict, tmp_path: Path, names: tuple[str, ...], n_rows: int
) -> None:
    run = fitted(*names)
    table = make_table(1000, seed=9).slice(0, n_rows)
    judged = run.evaluate(write(table, tmp_path / "rows.csv"))
    made = [predict(run, table, chunk_rows=chunk_rows)[0] for chunk_rows in (1, 7, 333, 65_536)[n_rows > 7 :]]
    for one in made:
        assert one.drop_columns("status").equals(as_predicted(judged.predictions, one.column_names))
    assert made[0]["row"].to_pylist() == list(range(n_rows))
    for name in names:
        (report,) = judged.targets[name]["splits"].values()
        assert report["n"] == n_rows


def test_blocks_of_the_network_leave_no_seam(fitted: Callable[..., Run], predict: Predict) -> None:
    """More rows than the network takes at once, whose neighbours change from one call to the next."""
    run, table = fitted(*TASKS), make_table(4500, seed=2)
    whole = predict(run, table, source=".parquet")[0]
    tail = predict(run, table.slice(4000), source=".parquet")[0]
    assert same_cells(whole.slice(4000), tail)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 199), min_size=1, max_size=40))
def test_a_prediction_depends_on_nothing_but_its_row(fitted: Callable[..., Run], order: list[int]) -> None:
    run = fitted(*TASKS)
    frame = make_table(200, seed=4).to_pandas()
    whole = run.predict(frame)
    some = run.predict(frame.iloc[order])
    pd.testing.assert_frame_equal(
        some.drop(columns="row"), whole.iloc[order].drop(columns="row"), check_exact=True, obj="predictions"
    )
    assert some["row"].tolist() == list(range(len(order)))


@pytest.mark.parametrize("source", [".csv", ".jsonl", ".parquet"])
def test_formats_of_input_and_output_agree(
    fitted: Callable[..., Run], predict: Predict, tmp_path: Path, source: str
) -> None:
    run, table = fitted(*TASKS), replaced(make_table(30, seed=3), "colour", 4, 'never, "seen"\n')
    expected, _ = predict(run, table, chunk_rows=11)
    assert predict(run, table, source=source, chunk_rows=11)[0].equals(expected)
    for ending in (".csv", ".jsonl"):
        predict(run, table, source=source, ending=ending, chunk_rows=11)
    read = pacsv.read_csv(tmp_path / "out.csv", convert_options=pacsv.ConvertOptions(column_types=expected.schema))
    assert read.equals(expected)
    lines = (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines] == expected.to_pylist()


def test_rows_with_unusable_cells_keep_their_place_without_a_prediction(
    fitted: Callable[..., Run], predict: Predict, tmp_path: Path
) -> None:
    run, table = fitted(*TASKS), as_text(make_table(20, seed=3))
    clean, _ = predict(run, table)
    for column, row, cell in [("size", 3, "12 kg"), ("size", 17, "inf"), ("height", 17, "1e400"), ("count", 5, "True")]:
        table = replaced(table, column, row, cell)
    made, summary = predict(run, table, chunk_rows=4)
    status = made["status"].to_pylist()
    assert {row: text for row, text in enumerate(status) if text != "ok"} == {
        3: "no finite number: size",
        5: "no finite number: count",
        17: "no finite number: size; height",
    }
    predicted = made.drop_columns(["row", "status"])
    for row, text in enumerate(status):
        if text == "ok":
            assert same_cells(made.slice(row, 1), clean.slice(row, 1))
        else:
            assert set(predicted.slice(row, 1).to_pylist()[0].values()) == {None}
    assert made["row"].to_pylist() == list(range(20))
    assert summary.bad == {"size": 2, "height": 1, "count": 1}
    warnings = summary.warnings()
    assert [warning.code for warning in warnings] == ["BP234"] * 3
    assert "column `size`: 2 of 20 cells" in warnings[0].message
    for ending in (".csv", ".jsonl"):
        predict(run, table, ending=ending)
    assert json.loads((tmp_path / "out.jsonl").read_text().splitlines()[3])["label.prediction"] is None
    with (tmp_path / "out.csv").open(newline="") as file:
        assert list(csv.DictReader(file))[3]["amount.prediction"] == ""


@pytest.mark.parametrize("cell", ["1e39", "-1e308", "3e38", "-3.4e38"])
@pytest.mark.parametrize("names", TARGETS, ids=" ".join)
def test_numbers_too_large_for_the_network_are_no_silent_prediction(
    fitted: Callable[..., Run], predict: Predict, names: tuple[str, ...], cell: str
) -> None:
    """Either a finite prediction or a status; never NaN that claims to be fine."""
    table = as_text(make_table(20, seed=3))
    for column in NUMBERS:
        table = replaced(table, column, 3, cell)
    made, _ = predict(fitted(*names), table)
    (row,) = made.slice(3, 1).to_pylist()
    values = [value for name, value in row.items() if name not in ("row", "status")]
    if row["status"] == "ok":
        assert all(isinstance(value, str) or np.isfinite(value) for value in values)
    else:
        assert row["status"].startswith("no finite ")
        assert set(values) == {None}


@pytest.mark.parametrize("cell", [1e36, -3e38])
def test_numbers_too_large_once_scaled_are_bad_cells(cell: float) -> None:
    narrow = frame_of({"x": [0.0, 0.001, 0.002]})
    state = preparer.learn(narrow, {"x": NumericOptions()})
    made = preparer.transform(state, frame_of({"x": [cell, 0.001]}))
    assert made.bad["x"].tolist() == [True, False]
    assert made.arrays["numeric"].tolist() == [[0.0], [0.0]]


def test_an_overflow_inside_the_network_has_a_status(
    fitted: Callable[..., Run], predict: Predict, monkeypatch: pytest.MonkeyPatch
) -> None:
    outputs = Predictor.outputs

    def overflowing(self: Predictor, inputs: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        made = outputs(self, inputs)
        made[0][[0, 2], 0] = np.inf, np.nan
        return made

    monkeypatch.setattr(Predictor, "outputs", overflowing)
    made, summary = predict(fitted("amount"), replaced(as_text(make_table(4, seed=3)), "size", 2, "?"))
    assert [warning.code for warning in summary.warnings()] == ["BP234", "BP237"]
    assert made["status"].to_pylist() == ["no finite prediction", "ok", "no finite number: size", "ok"]
    assert made["amount.prediction"].is_null().to_pylist() == [True, False, True, False]


def test_a_column_without_any_usable_cell_is_refused(
    fitted: Callable[..., Run], predict: Predict, tmp_path: Path
) -> None:
    table = as_text(make_table(20, seed=3))
    for name in ("size", "count"):
        table = table.set_column(table.column_names.index(name), name, pa.array(["a", "b"] * 10))
    with pytest.raises(DataError, match="BP236: column `size` .*BP236: column `count`") as caught:
        predict(fitted("label"), table, chunk_rows=6)
    assert all(problem.hints and problem.where == str(tmp_path / "rows.csv") for problem in caught.value.problems)
    assert sorted(os.listdir(tmp_path)) == ["rows.csv"]


def test_missing_cells_beside_wrong_ones_do_not_make_a_column_usable(
    fitted: Callable[..., Run], predict: Predict
) -> None:
    table = as_text(make_table(20, seed=3))
    cells = pa.array([None, "a"] * 10)
    with pytest.raises(DataError, match="BP236: column `size`"):
        predict(fitted("label"), table.set_column(table.column_names.index("size"), "size", cells))


def test_a_single_row_with_a_bad_cell_keeps_its_place(fitted: Callable[..., Run], predict: Predict) -> None:
    made, _ = predict(fitted("label"), replaced(as_text(make_table(3, seed=3)).slice(0, 1), "size", 0, "?"))
    assert made["status"].to_pylist() == ["no finite number: size"]


@pytest.mark.parametrize("source", [".csv", ".jsonl", ".parquet"])
def test_missing_feature_columns_are_named(fitted: Callable[..., Run], predict: Predict, source: str) -> None:
    table = make_table(20).drop_columns(["size", "town"]).rename_columns({"height": "Height"})
    with pytest.raises(DataError, match="BP268: the table lacks 3 .*`size`, `height` and `town`") as caught:
        predict(fitted("label"), table, source=source)
    assert "`Height` for `height`" in caught.value.problems[0].hints[0]
    with pytest.raises(DataError, match="BP268"):
        fitted("label").predict(table.to_pandas())


def test_order_of_columns_other_columns_and_targets_do_not_matter(fitted: Callable[..., Run], predict: Predict) -> None:
    run, table = fitted(*TASKS), make_table(30, seed=6)
    expected, _ = predict(run, table)
    bare = table.select(FEATURES)
    shuffled = bare.select([FEATURES[place] for place in (4, 0, 6, 2, 5, 1, 3)])
    extended = shuffled.append_column("row", pa.array(["x"] * 30)).append_column(
        "label.prediction", pa.array([[1.5]] * 30)
    )
    for other in (
        bare,
        shuffled,
        extended.drop_columns("label.prediction"),
        extended.set_column(8, "status", pa.nulls(30)),
    ):
        assert predict(run, other)[0].equals(expected)


def test_new_labels_are_counted_and_predicted(fitted: Callable[..., Run], predict: Predict) -> None:
    run, table = fitted("label"), make_table(20, seed=3)
    for column, row, label in [
        ("town", 2, "Ur"),
        ("town", 9, "Uruk"),
        ("colour", 2, "infrared"),
        ("colour", 3, "rare"),
    ]:
        table = replaced(table, column, row, label)
    made, summary = predict(run, table, chunk_rows=3)
    assert summary.unknown == {"town": 2, "colour": 1}  # `rare` was among the rare labels of training
    assert [warning.code for warning in summary.warnings()] == ["BP235", "BP235"]
    assert made["label.prediction"].null_count == 0
    assert set(made["status"].to_pylist()) == {"ok"}


@pytest.mark.parametrize("ending", [".csv", ".jsonl", ".parquet"])
@pytest.mark.parametrize("source", [".csv", ".parquet"])
def test_a_table_without_rows_gives_the_columns_and_no_rows(
    fitted: Callable[..., Run], predict: Predict, tmp_path: Path, source: str, ending: str
) -> None:
    run = fitted(*TASKS)
    full, _ = predict(run, make_table(3))
    made, summary = predict(run, make_table().slice(0, 0), source=source, ending=ending)
    assert (summary.n_rows, [warning.code for warning in summary.warnings()]) == (0, ["BP233"])
    if ending == ".parquet":
        assert made.equals(full.slice(0, 0))
    else:
        header = ",".join(f'"{name}"' for name in full.column_names) + "\n" if ending == ".csv" else ""
        assert (tmp_path / f"out{ending}").read_text() == header


def test_every_warning_and_error_of_prediction_has_its_code() -> None:
    assert {"BP157", "BP158", "BP233", "BP234", "BP235", "BP236", "BP268"} <= set(CATALOGUE)


@pytest.mark.parametrize("names", TARGETS, ids=" ".join)
def test_predicting_a_frame_is_predicting_its_file_and_keeps_the_index(
    fitted: Callable[..., Run], predict: Predict, names: tuple[str, ...]
) -> None:
    run, table = fitted(*names), make_table(50, seed=8)
    expected = predict(run, table)[0].to_pandas()
    index = pd.Index([f"row {number % 7}" for number in range(50)], name="key")
    frame = table.to_pandas().set_index(index)
    before = frame.copy()
    with warnings.catch_warnings():  # of new labels
        warnings.simplefilter("ignore", RowsWarning)
        made = run.predict(frame)
    pd.testing.assert_frame_equal(made, expected.set_index(index), check_exact=True)
    pd.testing.assert_frame_equal(frame, before)


@pytest.mark.parametrize("kind", ["object", "string", "category", "nullable"])
def test_every_way_pandas_holds_a_cell_is_read(fitted: Callable[..., Run], predict: Predict, kind: str) -> None:
    run, table = fitted("label"), make_table(50, seed=8)
    frame = table.to_pandas()
    if kind == "nullable":
        frame = frame.convert_dtypes()
    else:
        frame = frame.astype(dict.fromkeys(("code", "colour", "town"), kind))
    expected = predict(run, table)[0].to_pandas()
    pd.testing.assert_frame_equal(run.predict(frame), expected, check_exact=True)


def test_a_frame_without_rows_has_predictions_without_rows(fitted: Callable[..., Run]) -> None:
    with pytest.warns(RowsWarning, match="BP233: the table has no rows"):
        made = fitted(*TASKS).predict(make_table(3).to_pandas().iloc[:0])
    assert len(made) == 0
    assert {"row", "label.prediction", "amount.prediction", "status"} <= set(made.columns)


def test_bad_cells_of_a_frame_have_their_status(fitted: Callable[..., Run]) -> None:
    frame = make_table(5).to_pandas()
    frame["size"] = np.array([1.0, np.inf, 2.0, -np.inf, np.nan])
    with pytest.warns(RowsWarning, match="BP234: column `size`: 2 of 5 cells") as caught:
        made = fitted("label").predict(frame)
    assert [Path(warning.filename).name for warning in caught] == ["test_predict.py"]
    assert made["status"].tolist() == ["ok", "no finite number: size", "ok", "no finite number: size", "ok"]
    assert made["label.prediction"].isna().tolist() == [False, True, False, True, False]


def test_text_among_the_numbers_of_a_frame_has_its_status(fitted: Callable[..., Run]) -> None:
    frame = make_table(5).to_pandas()
    frame["size"] = np.array([1.0, "12 kg", 2, "3.5", None], dtype=object)
    with pytest.warns(RowsWarning, match="BP234: column `size`: 1 of 5 cells"):
        made = fitted("label").predict(frame)
    assert made["status"].tolist() == ["ok", "no finite number: size", "ok", "ok", "ok"]


def test_new_labels_of_a_frame_are_a_warning(fitted: Callable[..., Run]) -> None:
    with pytest.warns(RowsWarning, match="BP235: column `town`: 1 of 5 cells"):
        fitted("label").predict(replaced(make_table(5), "town", 2, "Ur").to_pandas())


def test_a_column_of_a_frame_without_any_usable_cell_is_refused(fitted: Callable[..., Run]) -> None:
    with pytest.raises(DataError, match="BP236: column `size`") as caught:
        fitted("label").predict(make_table(5).to_pandas().assign(size="a"))
    assert caught.value.problems[0].where == "the data frame"


def parts(table: pa.Table, folder: Path, *, endings: tuple[str, str] = (".csv", ".csv")) -> str:
    """The table in two files of 12 and 8 rows, the second with other order of columns; the pattern of their names."""
    second = table.slice(12).select(table.column_names[::-1])
    for name, ending, part in zip(("part-1", "part-2"), endings, (table.slice(0, 12), second), strict=True):
        write(part, folder / f"{name}{ending}")
    return str(folder / "part-*")


@pytest.mark.parametrize("endings", [(".csv", ".csv"), (".csv", ".parquet"), (".jsonl", ".csv")])
@pytest.mark.parametrize("chunk_rows", [5, 65_536])
def test_a_pattern_predicts_its_files_as_one_table(
    fitted: Callable[..., Run], predict: Predict, tmp_path: Path, endings: tuple[str, str], chunk_rows: int
) -> None:
    run, table = fitted(*TASKS), replaced(as_text(make_table(20, seed=3)), "size", 15, "?")
    expected, _ = predict(run, table)
    made, summary = predict(run, Path(parts(table, tmp_path, endings=endings)), chunk_rows=chunk_rows)
    assert made.equals(expected)
    assert made["status"].to_pylist()[15] == "no finite number: size"
    assert (summary.n_rows, summary.bad) == (20, {"size": 1})


def test_files_of_a_pattern_need_the_same_columns(fitted: Callable[..., Run], predict: Predict, tmp_path: Path) -> None:
    pattern = parts(make_table(20), tmp_path)
    write(make_table(3).drop_columns("town"), tmp_path / "part-3.csv")
    with pytest.raises(DataError, match="BP228: its columns are not those of .*lacks `town`"):
        predict(fitted("label"), Path(pattern))
    assert not (tmp_path / "out.parquet").exists()


def test_the_place_of_a_row_is_that_in_its_own_file(fitted: Callable[..., Run], tmp_path: Path) -> None:
    pattern = parts(make_table(20), tmp_path)
    roots = AllowedPaths.create(tmp_path)
    options = file_options(fitted("label"), pattern, roots)
    frames = _frames(roots.expand(pattern), options, CleanOptions(), roots, chunk_rows=10)
    places = [frame.where(0) for frame in frames]
    assert places == [
        f"{tmp_path}/part-1.csv: row 2",
        f"{tmp_path}/part-1.csv: row 12",
        f"{tmp_path}/part-2.csv: row 2",
    ]


@pytest.mark.parametrize(("name", "expected"), [("rows.test", "csv"), ("rows.csv", "auto"), ("rows.parquet", "auto")])
def test_the_format_goes_by_the_name_and_else_is_that_of_the_run(
    fitted: Callable[..., Run], tmp_path: Path, name: str, expected: str
) -> None:
    run = fitted("label")
    data = run.config.data.model_copy(update={"format": "csv"})
    vars(run)["config"] = run.config.model_copy(update={"data": data})
    try:
        (tmp_path / name).touch()
        assert file_options(run, name, AllowedPaths.create(tmp_path)).format == expected
    finally:
        del vars(run)["config"]


def test_missing_values_of_a_frame_are_those_of_its_file(fitted: Callable[..., Run], predict: Predict) -> None:
    run, table = fitted("label"), replaced(make_table(5), "colour", 2, "")
    expected = predict(run, table)[0].to_pandas()
    pd.testing.assert_frame_equal(run.predict(table.to_pandas()), expected, check_exact=True)


@pytest.mark.parametrize(
    ("name", "cells", "code"),
    [
        ("size", None, "BP215"),
        ("colour", [[1], [2], [3], [4], [5]], "BP225"),
        ("size", [1j, 2j, 3j, 4j, 5j], "BP225"),
        ("colour", ["a", "b\0", "c", "d", "e"], "BP212"),
    ],
)
def test_a_frame_that_is_no_table_is_a_data_error(
    fitted: Callable[..., Run], name: str, cells: list[object] | None, code: str
) -> None:
    frame = make_table(5).to_pandas()
    if code == "BP215":
        frame = pd.concat([frame, frame[["size"]]], axis=1)
    else:
        frame[name] = cells
    with pytest.raises(DataError, match=f"{code}: .*`{name}`"):
        fitted("label").predict(frame)


def as_text(table: pa.Table) -> pa.Table:
    """All cells as text, so that any cell can be replaced."""
    cells = {
        name: [None if cell is None else str(cell) for cell in table[name].to_pylist()] for name in table.column_names
    }
    return pa.table({name: pa.array(column, pa.string()) for name, column in cells.items()})


def same_cells(left: pa.Table, right: pa.Table) -> bool:
    """Whether two tables of predictions hold the same, leaving aside where their rows stood."""
    return left.drop_columns("row").equals(right.drop_columns("row"))
