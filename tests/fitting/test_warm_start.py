"""`model.from`: training goes on from an earlier run, with its preparation, and only where the two fit together."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pytest
import tables

import bptrain
from bptrain import Run
from bptrain.cli.main import run as command
from bptrain.errors import DataError, RunError, UsageError

pytestmark = pytest.mark.usefixtures("unexported")


@pytest.fixture
def earlier(fitted: Callable[..., Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A run on t.csv; the working directory holds new rows, new.csv, and is a root that the run lies in."""
    run = fitted("label")
    monkeypatch.chdir(run.path.parent)
    tables.write(tables.make_table(150, seed=7), run.path.parent / "new.csv")
    return run


def config(**model: Any) -> dict[str, Any]:
    """Two lines, the earlier run and one epoch."""
    return {
        "data": "new.csv",
        "target": "label",
        "model": {"from": "run", **model},
        "training": {"epochs": 1},
    }


def weights(run: Run) -> dict[str, np.ndarray]:
    from bptrain.models.build import weights_of

    return weights_of(run.predictor.model)


def test_training_begins_with_the_weights_of_the_earlier_run(earlier: Run, tmp_path: Path) -> None:
    tiny = {"optimizer": {"kind": "sgd", "learning_rate": 1e-9}, "epochs": 1}
    warm = bptrain.fit({**config(), "training": tiny}, run=tmp_path / "warm")
    for name, array in weights(earlier).items():
        np.testing.assert_allclose(weights(warm)[name], array, atol=1e-6, err_msg=name)
    cold = bptrain.fit(
        {"data": "new.csv", "target": "label", "columns": tables.config("", "label")["columns"], "training": tiny,
         "model": {"kind": "mlp", "hidden": [8]}},
        run=tmp_path / "cold",
    )  # fmt: skip
    assert any(not np.allclose(weights(cold)[name], array, atol=1e-3) for name, array in weights(earlier).items())


def test_what_the_config_leaves_open_comes_from_the_earlier_run(earlier: Run, tmp_path: Path) -> None:
    by_loss = {"primary": "log_loss"}  # chooses no threshold
    warm = bptrain.fit({**config(dropout=0.25), "evaluation": by_loss}, run=tmp_path / "warm")
    assert warm.config.model.hidden == earlier.config.model.hidden == (8,)
    assert warm.config.model.dropout == 0.25
    assert warm.config.columns == earlier.config.columns
    assert warm.config.targets == earlier.config.targets
    assert warm.lock["warm_start"] == {"weights": earlier.lock["results"]["weights"]}
    kept, before = (run.files.read_json("model/preparer.json") for run in (warm, earlier))
    assert (kept["columns"], kept["targets"]) == (before["columns"], before["targets"])
    assert warm.files.read_bytes("model/preparer.npz") == earlier.files.read_bytes("model/preparer.npz")


def test_run_judges_and_predicts_without_the_earlier_run(
    earlier: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    warm = bptrain.fit(config(), run=tmp_path / "warm")
    tables.write(tables.make_table(150, seed=7), tmp_path / "new.csv")
    monkeypatch.chdir(tmp_path)
    assert Run.open("warm").evaluate().targets == warm.metrics["targets"]


OTHER: dict[str, tuple[dict[str, Any], str]] = {
    "hidden": ({"model": {"from": "run", "hidden": [9]}}, r"`model.hidden` is \[9\], but \[8\]"),
    "activation": ({"model": {"from": "run", "activation": "tanh"}}, "`model.activation` is tanh, but relu"),
    "kind of a column": ({"columns": {"size": "categorical"}}, "`size` is declared `categorical`, but is `numeric`"),
    "ignored column": ({"columns": {"size": "ignore"}}, "`size` is declared `ignore`, but is `numeric`"),
    "option of a column": ({"columns": {"town": {"kind": "categorical", "dimension": 4}}}, "dimension` is 4, but 3"),
    "target": ({"target": "sort"}, "the run to start from predicts `label`, the config `sort`"),
    "positive": ({"target": {"column": "label", "positive": "no"}}, '`targets.label.positive` is "no", but "yes"'),
}  # fmt: skip


@pytest.mark.parametrize("what", OTHER)
def test_what_differs_from_the_earlier_run_is_refused(earlier: Run, what: str) -> None:
    changes, said = OTHER[what]
    with pytest.raises(UsageError, match=f"BP181.*{said}"):
        bptrain.fit({**config(), **changes})


def test_table_without_a_column_of_the_earlier_run_is_refused(earlier: Run) -> None:
    tables.write(tables.make_table(150, seed=7).drop_columns(["height"]), Path("new.csv"))
    with pytest.raises(DataError, match="BP268.*`height`"):
        bptrain.fit(config())


def test_label_that_the_earlier_run_never_saw_is_refused(earlier: Run) -> None:
    tables.write(tables.replaced(tables.make_table(150, seed=7), "label", 3, "maybe"), Path("new.csv"))
    with pytest.raises(DataError, match="BP262.*`maybe`"):
        bptrain.fit({**config(), "split": "random"})


def test_new_columns_are_ignored_with_a_warning(earlier: Run, tmp_path: Path) -> None:
    table = tables.make_table(150, seed=7)
    tables.write(table.append_column("novel", pa.array(np.arange(150) % 7)), Path("new.csv"))
    warm = bptrain.fit(config(), run=tmp_path / "warm")
    assert warm.config.columns["novel"].kind == "ignore"
    assert [warning["code"] for warning in warm.metrics["warnings"]] == ["BP307"]


def test_same_file_with_another_split_is_warned_of(earlier: Run, tmp_path: Path) -> None:
    same = {**config(), "data": "t.csv"}
    codes = lambda run: [warning["code"] for warning in run.metrics["warnings"]]  # noqa: E731
    assert codes(bptrain.fit(same, run=tmp_path / "same")) == []
    assert codes(bptrain.fit({**same, "split": {"seed": 5}}, run=tmp_path / "other")) == ["BP309"]


def test_folder_that_is_no_run_is_refused(earlier: Run) -> None:
    with pytest.raises(RunError, match="BP500"):
        bptrain.fit(config(**{"from": "nowhere"}))


def test_damaged_run_is_refused(earlier: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import shutil

    shutil.copytree(earlier.path, tmp_path / "run")
    with (tmp_path / "run/model/members/00/weights.npz").open("r+b") as file:
        file.seek(200)
        file.write(b"\1")
    tables.write(tables.make_table(150, seed=7), tmp_path / "new.csv")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RunError, match="BP502"):
        bptrain.fit(config())


def test_run_outside_the_root_needs_to_be_given_by_hand(
    earlier: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables.write(tables.make_table(150, seed=7), tmp_path / "new.csv")
    monkeypatch.chdir(tmp_path)
    content = {key: value for key, value in config().items() if key != "model"}
    with pytest.raises(DataError, match="BP200"):
        bptrain.fit({**content, "model": {"from": str(earlier.path)}})
    made = bptrain.fit(content, overrides=[f"model.from={earlier.path}"])
    assert made.lock["warm_start"]["weights"] == earlier.lock["results"]["weights"]


def test_check_compares_without_training(earlier: Run, capsys: pytest.CaptureFixture[str]) -> None:
    Path("c.yaml").write_text("data: new.csv\ntarget: label\nmodel: {from: run, hidden: [9]}\n", encoding="utf-8")
    assert command(["check", "c.yaml"]) == 2
    assert "c.yaml:3:28" in capsys.readouterr().err


def test_other_files_beside_the_same_one_are_warned_of(earlier: Run, tmp_path: Path) -> None:
    runs = {
        "more": {"data": ["t.csv", "new.csv"]},
        "test": {"data": {"train": "new.csv", "test": "t.csv"}},
        "clean": {"data": "t.csv", "clean": {"duplicates": "drop"}},
    }
    for name, sections in runs.items():
        run = bptrain.fit({**config(), **sections}, run=tmp_path / name)
        assert "BP309" in [warning["code"] for warning in run.metrics["warnings"]], name


def test_defaults_of_a_kind_that_differ_are_refused(earlier: Run) -> None:
    with pytest.raises(UsageError, match="BP181.*scaling` is .?robust.?, but .?standard"):
        bptrain.fit({**config(), "columns": {"<numeric>": {"scaling": "robust"}}})


def test_role_of_the_earlier_run_divides_the_rows(earlier: Run, tmp_path: Path) -> None:
    table = tables.make_table(150, seed=7).append_column("who", pa.array([f"w{i % 30}" for i in range(150)]))
    tables.write(table, Path("who.csv"))
    columns = {**tables.COLUMNS, "who": "group", "sort": "ignore", "amount": "ignore"}
    first = {"data": "who.csv", "target": "label", "columns": columns, "model": {"kind": "mlp", "hidden": [8]}}
    bptrain.fit({**first, "training": {"epochs": 1}}, run=tmp_path / "first")
    content = {key: value for key, value in config().items() if key != "model"}
    overrides = [f"model.from={tmp_path / 'first'}"]
    again = bptrain.fit({**content, "data": "who.csv"}, overrides=overrides, run=tmp_path / "again")
    assert (again.config.split.kind, again.config.split.column) == ("group", "who")


def test_threshold_of_the_earlier_run_is_not_kept(earlier: Run, tmp_path: Path) -> None:
    fixed = {"column": "label", "task": "binary", "threshold": 0.8}
    first = {**tables.config("t.csv", "label"), "target": fixed}
    del first["targets"]
    bptrain.fit(first, run=tmp_path / "first")
    content = {"data": "new.csv", "target": {"column": "label", "task": "binary"}, "training": {"epochs": 1}}
    run = bptrain.fit(content, overrides=[f"model.from={tmp_path / 'first'}"], run=tmp_path / "later")
    assert run.metrics["targets"]["label"]["threshold"] == 0.8  # of the config of that run


def test_a_logarithm_that_was_chosen_is_kept(backend: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The config of the earlier run still says `auto`, as the warm one may, and the warm run has rows of its own."""
    monkeypatch.chdir(tmp_path)
    amounts = np.geomspace(0.01, 1e6, 100)
    for name, values in (("wide", amounts), ("near", amounts[40:60]), ("zero", np.append(amounts, 0.0))):
        pa.csv.write_csv(pa.table({"x": np.arange(len(values)) % 17, "y": values}), f"{name}.csv")
    model = {"kind": "fast", "hidden": [2], "members": 2}
    split, training = {"test": 0.0, "validation": 0.0}, {"epochs": 1}
    first = {"data": "wide.csv", "target": {"column": "y", "task": "regression"}, "split": split, "training": training}
    bptrain.fit({**first, "model": model}, run="first")
    warm = {**first, "data": "near.csv", "model": {"from": "first"}}
    assert bptrain.fit(warm, run="warm").metrics["targets"]["y"]["transform"] == "log"
    said = {"column": "y", "task": "regression", "transform": "log"}
    assert bptrain.fit({**warm, "target": said}, run="said").metrics["targets"]["y"]["transform"] == "log"
    with pytest.raises(UsageError, match="transform` is none, but log in the run to start from"):
        bptrain.fit({**warm, "target": {**said, "transform": "none"}}, run="none")
    with pytest.raises(DataError, match="1 of 101 cells are not above zero.*train anew without `model.from`"):
        bptrain.fit({**warm, "data": "zero.csv"}, run="zero")
