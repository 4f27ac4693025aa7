"""model.keras and inputs.json are all that another program needs: Keras, numpy, and no bptrain."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from tables import TASKS, make_table, replaced, write

from bptrain import Run
from bptrain.api import RowsWarning
from bptrain.utils import runtime

TARGETS = [("label",), ("sort",), ("amount",), tuple(TASKS)]

FOREIGN = '''
"""Predict rows of a CSV with model.keras, prepared from inputs.json alone: run.py RUN TABLE OUT [RUN TABLE OUT …]"""

import csv, json, sys


class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("bptrain", "sklearn", "pandas", "pyarrow"):
            raise ImportError(f"{name} is not to be used here")


sys.meta_path.insert(0, Refuse())

import keras
import numpy as np


def prepare(described, rows):
    columns, numbers = described["columns"], described["numbers"]
    arrays = {}
    if "numeric" in columns:
        names = [column["name"] for column in columns["numeric"]["columns"]]
        cells = np.array([[float(row[name]) if row[name] else np.nan for name in names] for row in rows])
        filled = np.where(np.isnan(cells), numbers["numeric/fill"], cells)
        arrays["numeric"] = (filled - np.array(numbers["numeric/center"])) / np.array(numbers["numeric/scale"])
        indicators = [names.index(name) for name in columns["numeric"]["indicators"]]
        arrays["numeric_missing"] = np.isnan(cells[:, indicators])
    if "boolean" in columns:
        chosen = columns["boolean"]["columns"]
        arrays["boolean"] = np.array([[sign(column, row[column["name"]]) for column in chosen] for row in rows])
        indicators = columns["boolean"]["indicators"]
        arrays["boolean_missing"] = np.array([[row[name] == "" for name in indicators] for row in rows])
    if "categorical" in columns:
        coders = [coder(column) for column in columns["categorical"]["columns"]]
        arrays["categorical"] = np.array([[code(row) for code in coders] for row in rows])
    return {name: arrays[name].astype(form["dtype"]) for name, form in described["inputs"].items()}


def sign(column, cell):
    return (cell.lower() in column["true"]) - (cell.lower() in column["false"])


def coder(column):
    first = 1 + max(column["missing"], column["rare"])
    codes = {level: number for number, level in enumerate(column["levels"], start=first)}
    return lambda row: codes.get(row[column["name"]], column["rare"]) if row[column["name"]] else column["missing"]


arguments = sys.argv[1:]
for run, table, out in zip(arguments[0::3], arguments[1::3], arguments[2::3]):
    with open(f"{run}/inputs.json", encoding="utf-8") as file:
        described = json.load(file)
    with open(table, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    model = keras.models.load_model(f"{run}/model.keras", compile=False)
    inputs = prepare(described, rows)
    assert {one.name: tuple(one.shape) for one in model.inputs} == {
        name: (None, *form["shape"]) for name, form in described["inputs"].items()
    }
    outputs = model.predict(inputs, verbose=0)
    assert set(outputs) == {output["name"] for output in described["outputs"]}
    np.savez(out, **outputs)
assert "bptrain" not in sys.modules
'''


@pytest.fixture(scope="module")
def foreign(fitted: Callable[..., Run], tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, ...], Path]:
    """What another program made of each run: outputs for the run's own rows and for new ones."""
    folder = tmp_path_factory.mktemp("foreign")
    (folder / "run.py").write_text(FOREIGN, encoding="utf-8")
    new = write(new_rows(), folder / "new.csv")
    arguments = []
    for names in TARGETS:
        run = fitted(*names)
        for table in (run.path.parent / "t.csv", new):
            arguments += [run.path, table, folder / f"{'-'.join(names)}-{table.stem}.npz"]
    variables = {name: text for name, text in os.environ.items() if name not in runtime.SETTINGS}
    subprocess.run(
        [sys.executable, "-I", "-B", folder / "run.py", *arguments],
        cwd=folder,
        env=variables | {"KERAS_BACKEND": "tensorflow", "KERAS_HOME": str(folder), "CUDA_VISIBLE_DEVICES": "-1"},
        check=True,
        timeout=300,
    )
    return {names: folder / f"{'-'.join(names)}" for names in TARGETS}


def new_rows():  # type: ignore[no-untyped-def]
    """Rows with a label that training never showed, in columns with and without rare labels."""
    table = make_table(40, seed=12)
    for column, row in [("colour", 0), ("town", 1), ("code", 2), ("colour", 3)]:
        table = replaced(table, column, row, "never seen")
    return table


@pytest.mark.parametrize("names", TARGETS, ids=" ".join)
@pytest.mark.parametrize("rows", ["t", "new"])
def test_exported_network_gives_the_predictions_of_the_run(
    fitted: Callable[..., Run], foreign: dict[tuple[str, ...], Path], names: tuple[str, ...], rows: str
) -> None:
    run = fitted(*names)
    expected = pq.read_table(run.path / "predictions.parquet") if rows == "t" else None
    if expected is not None:
        frame = expected.to_pandas()
    else:
        with pytest.warns(RowsWarning, match="BP235"):
            frame = run.predict(new_rows().to_pandas())
    with np.load(f"{foreign[names]}-{rows}.npz") as made:
        for output in run.files.read_json("inputs.json")["outputs"]:
            target = output["target"]
            values = made[output["name"]]
            assert len(values) == len(frame)
            if output["task"] == "regression":
                np.testing.assert_allclose(values[:, 0], frame[f"{target}.prediction"], rtol=1e-6)
                continue
            labels = output["labels"] if output["task"] == "multiclass" else output["labels"][1:]
            columns = [f"{target}.probability.{label}" for label in labels]
            np.testing.assert_allclose(values, frame[columns], rtol=0, atol=1e-6)
            assert values.std(axis=0).min() > 1e-3  # the rows differ, so that a wrong order would show


def test_inputs_json_names_every_column_that_the_model_sees(fitted: Callable[..., Run]) -> None:
    described = fitted(*TASKS).files.read_json("inputs.json")
    numeric, categorical = described["columns"]["numeric"], described["columns"]["categorical"]
    assert [column["name"] for column in numeric["columns"]] == ["size", "height", "count"]
    assert numeric["indicators"] == ["size", "count"]
    assert described["columns"]["boolean"]["indicators"] == ["flag"]
    assert {column["name"] for column in categorical["columns"]} == {"code", "colour", "town"}
    assert {name: form["shape"] for name, form in described["inputs"].items()} == {
        "boolean": [1],
        "boolean_missing": [1],
        "numeric": [3],
        "numeric_missing": [2],
        "categorical": [3],
    }
    assert [output["target"] for output in described["outputs"]] == list(TASKS)
