"""k folds: the summary, its interval, and that nothing of a fold is known to the model that it judges."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import tables
from scipy import stats

import bptrain
from bptrain import Run
from bptrain.evaluation.folds import corrected_interval, summarize

pytestmark = pytest.mark.usefixtures("unexported")

ROOT = Path(__file__).parents[2]


def report(value: float | None) -> dict[str, Any]:
    return {"y": {"splits": {"test": {"metrics": {"rmse": {"value": value}}}}}}


def test_interval_is_that_of_nadeau_and_bengio() -> None:
    values = [1.0, 1.2, 0.9, 1.1, 1.3]
    low, high = corrected_interval(values, 0.25)
    margin = stats.t.ppf(0.975, 4) * np.sqrt((1 / 5 + 0.25) * np.var(values, ddof=1))
    assert (low, high) == pytest.approx((1.1 - margin, 1.1 + margin))


def test_summary_has_mean_interval_and_folds_within_what_is_possible() -> None:
    found = summarize([report(0.1), report(0.5), report(0.01)], n_trained=[80] * 3, n_judged=[20] * 3)
    metric = found["targets"]["y"]["rmse"]
    assert (found["folds"], metric["folds"], metric["value"]) == (3, [0.1, 0.5, 0.01], pytest.approx(0.61 / 3))
    assert metric["low"] == 0
    undefined = summarize([report(0.1), report(None)], n_trained=[8, 8], n_judged=[2, 2])["targets"]["y"]["rmse"]
    assert undefined == {"value": None, "low": None, "high": None, "folds": [0.1, None]}


@pytest.fixture(scope="module")
def crossed(backend: None, tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("folds")
    tables.write(tables.make_table(150), folder / "t.csv")
    return bptrain.fit(tables.config("t.csv", "label", split={"folds": 3}), run=folder / "run", root=folder)


def out_of_fold(run: Run) -> Any:
    return pq.read_table(run.path / "out_of_fold.parquet").to_pandas()


def test_every_row_but_the_tests_is_judged_by_the_fold_that_left_it_out(crossed: Run) -> None:
    folds = out_of_fold(crossed)
    test = {
        row["row"]
        for row in crossed.evaluate(root=crossed.path.parent).predictions.to_pylist()
        if row["split"] == "test"
    }
    assert sorted(folds["row"]) == sorted(set(range(150)) - test)
    assert sorted(folds["fold"].unique()) == [1, 2, 3]


def test_metrics_of_folds_are_those_of_their_predictions(crossed: Run) -> None:
    found = crossed.metrics["cross_validation"]["targets"]["label"]["accuracy"]
    folds = out_of_fold(crossed)
    expected = [(part["label.target"] == part["label.prediction"]).mean() for _, part in folds.groupby("fold")]
    assert found["folds"] == pytest.approx(expected)
    assert found["value"] == pytest.approx(np.mean(expected))
    assert found["low"] <= found["value"] <= found["high"]


def test_model_that_is_published_is_the_same_without_folds(crossed: Run, tmp_path: Path) -> None:
    plain = bptrain.fit(tables.config("t.csv", "label"), run=tmp_path / "run", root=crossed.path.parent)
    assert plain.lock["results"]["weights"] == crossed.lock["results"]["weights"]
    assert "cross_validation" not in plain.metrics


def test_what_a_fold_holds_changes_no_prediction_of_it_but_its_own(crossed: Run, tmp_path: Path) -> None:
    """Cells of a row of fold 1 change nothing that fold 1's model says of the other rows of fold 1."""
    row = int(out_of_fold(crossed).query("fold == 1")["row"].iloc[0])
    tables.write(tables.replaced(tables.make_table(150), "size", row, 1e6), tmp_path / "t.csv")
    other = bptrain.fit(tables.config("t.csv", "label", split={"folds": 3}), run=tmp_path / "run", root=tmp_path)
    before, after = (out_of_fold(run).query(f"fold == 1 and row != {row}") for run in (crossed, other))
    np.testing.assert_array_equal(before["label.probability.yes"], after["label.probability.yes"])
    rest = [out_of_fold(run).query("fold == 2")["label.probability.yes"].to_numpy() for run in (crossed, other)]
    assert not np.array_equal(*rest)


def test_refit_of_a_fold_settles_kinds_by_its_own_rows(backend: None, tmp_path: Path) -> None:
    """Early rows of the count are 0 and 1 only; the validation rows, which train in the refit, hold more."""
    lines = [f"{i},{i % 2 if i < 70 else i % 5},{i * 7 % 11}" for i in range(150)]
    (tmp_path / "t.csv").write_text("\n".join(["when,count,y", *lines]) + "\n", encoding="utf-8")
    content = {
        "data": "t.csv",
        "target": {"column": "y", "task": "regression"},
        "columns": {"when": "time"},
        "split": {"folds": 3},
        "model": {"kind": "mlp", "hidden": [2]},
        "training": {"epochs": 1, "final": "refit"},
    }
    run = bptrain.fit(content, run=tmp_path / "run", root=tmp_path)
    assert run.config.columns["count"].kind == "numeric"
    assert len(run.metrics["cross_validation"]["targets"]["y"]["rmse"]["folds"]) == 3


def test_folds_have_the_batches_of_the_published_model(backend: None, tmp_path: Path) -> None:
    """It has 4800 rows to train on and a fold half of them, which alone would have smaller batches."""
    numbers = np.arange(7500)
    pd.DataFrame({"x": numbers % 97, "y": numbers % 89}).to_csv(tmp_path / "t.csv", index=False)
    content = {
        "data": "t.csv",
        "target": {"column": "y", "task": "regression"},
        "split": {"folds": 2, "validation": 0.2},
        "model": {"kind": "fast", "hidden": [8]},
        "training": {"epochs": 1},
    }
    run = bptrain.fit(content, run=tmp_path / "run", root=tmp_path)
    assert run.config.training.batch_size == 128
    again = bptrain.fit(run.path / "config.yaml", run=tmp_path / "again", root=tmp_path)
    assert again.lock["results"] == run.lock["results"]


@pytest.mark.slow
def test_interval_covers_the_held_out_score_of_simulated_tables(backend: None) -> None:
    """A few of the tables of `make proof-folds`."""
    sys.path.insert(0, str(ROOT / "benchmarks"))
    from folds_proof import covered

    found = [covered(seed) for seed in (3, 4, 5)]
    assert sum(inside for inside, _ in found) >= 2, found
