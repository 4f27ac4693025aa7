"""`training.final: refit` and TensorBoard's event files, end to end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tables

import bptrain
from bptrain import Run
from bptrain.errors import UsageError
from bptrain.reports.run import inspect_tables
from bptrain.reports.text import report_text

pytestmark = pytest.mark.usefixtures("unexported")


def fit(folder: Path, name: str, *, final: str = "refit", **sections: Any) -> Run:
    path = folder / "t.csv"
    if not path.exists():
        tables.write(tables.make_table(300), path)
    training = {"epochs": 12, "batch_size": 32, "patience": 3, "final": final}
    content = tables.config("t.csv", "label", training=training, evaluation={"primary": "f1"})
    return bptrain.fit({**content, **sections}, run=folder / name, root=folder)


@pytest.fixture(scope="module")
def refit(backend: None, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return fit(tmp_path_factory.mktemp("refit"), "refit")


@pytest.fixture(scope="module")
def best(refit: Run) -> Run:
    return fit(refit.path.parent, "best", final="best")


def test_inspect_tells_how_it_was_made(refit: Run) -> None:
    later = fit(refit.path.parent, "later", model={"kind": "mlp", "from": "refit"}, split={"folds": 2})
    text = report_text(inspect_tables(later))
    assert "target: label, binary, loss {kind: cross_entropy, label_smoothing: 0.0}, threshold 0." in text
    assert "split: stratified, " in text
    assert " rows, 2 folds" in text
    assert ", then refitted with the validation rows; from the weights of refit (sha256 " in text


def test_refit_trains_on_training_and_validation_rows(refit: Run, best: Run) -> None:
    sizes = {
        name: {split: part["n"] for split, part in run.metrics["targets"]["label"]["splits"].items()}
        for name, run in (("refit", refit), ("best", best))
    }
    assert sizes == {"refit": {"train": 240, "test": 60}, "best": {"train": 192, "validation": 48, "test": 60}}
    assert refit.lock["results"] != best.lock["results"]
    assert refit.metrics["training"] == {**best.metrics["training"], "final": "refit"}
    assert refit.files.read_bytes("history.csv") == best.files.read_bytes("history.csv")


def test_columns_are_learned_again_and_the_threshold_is_kept(refit: Run, best: Run) -> None:
    medians = [run.files.read_arrays("model/preparer.npz")["numeric/center"] for run in (refit, best)]
    assert not np.allclose(*medians)
    assert refit.metrics["targets"]["label"]["threshold"] == best.metrics["targets"]["label"]["threshold"]
    assert refit.metrics["selection"]["label"]["n"] == 48
    assert (
        refit.metrics["selection"]["label"]["metrics"]
        == best.metrics["targets"]["label"]["splits"]["validation"]["metrics"]
    )


def test_refitted_run_is_judged_again_the_same(refit: Run) -> None:
    result = refit.evaluate(root=refit.path.parent)
    assert result.targets == refit.metrics["targets"]


def test_its_config_gives_the_same_run(refit: Run, tmp_path: Path) -> None:
    again = bptrain.fit(str(refit.path / "config.yaml"), run=tmp_path / "again", root=refit.path.parent)
    assert again.lock["results"] == refit.lock["results"]


def test_gate_on_validation_rows_is_refused_as_they_train(refit: Run) -> None:
    with pytest.raises(UsageError, match="BP302"):
        fit(refit.path.parent, "gated", evaluation={"gates": ["validation.auc > 0"]})


def test_refit_without_validation_rows_is_no_refit(refit: Run) -> None:
    run = fit(refit.path.parent, "whole", split={"validation": 0})
    assert run.metrics["training"]["final"] == "best"
    assert "selection" not in run.metrics


def test_event_files_hold_the_history(backend: None, tmp_path: Path) -> None:
    import tensorflow as tf

    training = {"epochs": 3, "batch_size": 32, "tensorboard": True}
    run = fit(tmp_path, "logged", training=training)
    (path,) = (run.path / "tensorboard/network_1").iterdir()
    assert path.name == "events.out.tfevents.0.bptrain"
    found: dict[str, dict[int, float]] = {}
    for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
        event = tf.compat.v1.Event.FromString(record)
        for value in event.summary.value:
            found.setdefault(value.tag, {})[event.step] = float(tf.make_ndarray(value.tensor))
    lines = run.files.read_bytes("history.csv").decode().splitlines()
    names = lines[0].split(",")[2:]
    assert set(found) == set(names) >= {"loss", "validation_loss", "validation_f1", "learning_rate"}
    for line in lines[1:]:
        _, epoch, *values = map(float, line.split(","))
        for name, value in zip(names, values, strict=True):
            assert found[name][int(epoch)] == pytest.approx(value, rel=1e-6)
    assert not (fit(tmp_path, "plain", training={**training, "tensorboard": False}).path / "tensorboard").exists()
    assert Run.open(run.path).lock["results"]
