"""The role `weight`: rows count by it in training and in every metric."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics

import bptrain
from bptrain import Run
from bptrain.errors import DataError, UsageError
from bptrain.reports.run import inspect_tables, metrics_tables
from bptrain.reports.text import report_text


def table(n_rows: int = 160) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    size = rng.normal(size=n_rows)
    label = np.where(size + rng.normal(0, 1.0, n_rows) > 0, "yes", "no")
    return pd.DataFrame({"size": size, "label": label, "amount": 3 * size + 1, "w": rng.integers(0, 5, n_rows)})


def fit(folder: Path, frame: pd.DataFrame, name: str = "run", **sections: Any) -> Run:
    frame.to_csv(folder / "t.csv", index=False)
    content = {
        "data": "t.csv",
        "target": "label",
        "columns": {"w": "weight", "amount": "ignore"},
        "model": {"kind": "mlp", "hidden": [4]},
        "training": {"epochs": 3, "batch_size": 32},
    }
    return bptrain.fit({**content, **sections}, run=folder / name, root=folder)


@pytest.fixture(scope="module")
def weighted(backend: None, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return fit(tmp_path_factory.mktemp("weights"), table())


def test_metrics_are_scikit_learns_weighted_ones(weighted: Run) -> None:
    rows = weighted.evaluate(root=weighted.path.parent).predictions.to_pandas().query("split == 'test'")
    report = weighted.metrics["targets"]["label"]["splits"]["test"]
    assert report["weight"] == rows["weight"].sum() == table()["w"][rows["row"]].sum()
    assert report["n"] == len(rows) == 32
    truth, weight = rows["label.target"] == "yes", rows["weight"]
    found = {name: metric["value"] for name, metric in report["metrics"].items()}
    assert found["accuracy"] == pytest.approx(
        metrics.accuracy_score(rows["label.target"], rows["label.prediction"], sample_weight=weight)
    )
    assert found["auc"] == pytest.approx(
        metrics.roc_auc_score(truth, rows["label.probability.yes"], sample_weight=weight)
    )
    assert found["auc"] != pytest.approx(metrics.roc_auc_score(truth, rows["label.probability.yes"]))


def test_terminal_says_that_metrics_are_weighted(weighted: Run) -> None:
    assert "\nweight (metrics are weighted)  " in report_text(metrics_tables(weighted.metrics["targets"]))
    assert ", metrics weighted by " in report_text(inspect_tables(weighted))


def test_weight_is_no_feature(weighted: Run) -> None:
    assert weighted.features == ("size",)


def test_rows_without_weight_change_no_weight_of_the_network(weighted: Run, tmp_path: Path) -> None:
    """Full batches, so that a row of weight 0 has no part in any step."""
    whole = {"epochs": 3, "batch_size": "all", "optimizer": "sgd"}
    frame = table()
    frame.loc[frame["w"] == 0, "label"] = np.where(frame.loc[frame["w"] == 0, "label"] == "yes", "no", "yes")
    runs = [
        fit(
            tmp_path,
            each,
            f"run{number}",
            training=whole,
            split="random",
            target={"column": "label", "threshold": 0.5, "task": "binary"},
        )
        for number, each in enumerate((table(), frame))
    ]
    assert runs[0].lock["results"]["weights"] == runs[1].lock["results"]["weights"]
    assert (
        runs[0].metrics["targets"]["label"]["splits"]["train"]["metrics"]
        == runs[1].metrics["targets"]["label"]["splits"]["train"]["metrics"]
    )


def test_weights_change_what_is_trained(weighted: Run, tmp_path: Path) -> None:
    plain = fit(tmp_path, table(), columns={"w": "ignore", "amount": "ignore"})
    assert plain.lock["results"]["weights"] != weighted.lock["results"]["weights"]
    doubled = table()
    doubled["w"] *= 8  # only ratios count
    again = fit(tmp_path, doubled, "doubled")
    assert again.lock["results"]["weights"] == weighted.lock["results"]["weights"]


def test_rows_to_be_judged_may_lack_the_column(weighted: Run) -> None:
    frame = table().drop(columns="w")
    result = weighted.evaluate(frame)
    assert [warning.code for warning in result.warnings] == ["BP308"]
    assert result.targets["label"]["splits"]["test"]["weight"] == 160
    assert weighted.evaluate(table()).targets["label"]["splits"]["test"]["weight"] == table()["w"].sum()


@pytest.mark.parametrize(("cell", "said"), [(-1, "'-1'"), (None, "1 of them missing"), ("much", "'much'")])
def test_unusable_weight_is_refused(backend: None, tmp_path: Path, cell: object, said: str) -> None:
    frame = table().astype({"w": object})
    frame.loc[7, "w"] = cell
    with pytest.raises(DataError, match=f"BP305.*{said}"):
        fit(tmp_path, frame)


def test_part_without_any_weight_is_refused(backend: None, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="BP306"):
        fit(tmp_path, table().assign(w=0))


def test_two_weights_are_refused(backend: None, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="BP180.*`amount` and `w`|BP180.*`w` and `amount`"):
        fit(tmp_path, table().assign(amount=1), columns={"w": "weight", "amount": "weight"})


def test_baseline_is_weighted_as_the_metrics_are(weighted: Run) -> None:
    rows = weighted.evaluate(root=weighted.path.parent).predictions.to_pandas()
    train, test = (rows.query(f"split == '{split}'") for split in ("train", "test"))
    share = np.average(train["label.target"] == "yes", weights=train["weight"])
    loss = -np.average(np.log(np.where(test["label.target"] == "yes", share, 1 - share)), weights=test["weight"])
    found = weighted.metrics["targets"]["label"]["splits"]["test"]["baselines"]["trivial"]["log_loss"]
    assert found == pytest.approx(loss)
    assert (train["weight"] > 0).all()


def test_label_without_weight_counts_for_nothing(weighted: Run) -> None:
    frame = table().assign(w=lambda each: (each["label"] == "yes") * 1)
    metrics_ = weighted.evaluate(frame).targets["label"]["splits"]["test"]["metrics"]
    assert metrics_["balanced_accuracy"]["value"] == metrics_["accuracy"]["value"]
    assert metrics_["auc"]["value"] is None
    assert metrics_["pr_auc"]["value"] is None
