"""`reproduce`, `--locked` and `--resume` name what changed, and take for the same what is the same."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import tables
import yaml

import bptrain
from bptrain import Run
from bptrain.cli import main
from bptrain.data.files import AllowedPaths
from bptrain.errors import LockedError, RunError, UsageError
from bptrain.fitting import lock
from bptrain.runs import manifest
from bptrain.workflows import fit as pipeline
from bptrain.workflows import reproduce as module
from bptrain.workflows.reproduce import reproduce, tolerance

pytestmark = pytest.mark.usefixtures("backend", "unexported")

SETTINGS = tables.config("t.csv", "label", training={"epochs": 3, "batch_size": 32})
TABLE = tables.make_table()


@pytest.fixture(scope="module")
def original(backend: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("original")
    tables.write(TABLE, folder / "t.csv")
    (folder / "c.yaml").write_text(yaml.safe_dump(SETTINGS), encoding="utf-8")
    with contextlib.chdir(folder):
        bptrain.fit("c.yaml", run="made")
    return folder


@pytest.fixture
def folder(original: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with t.csv, c.yaml and the run `made`."""
    shutil.copytree(original, tmp_path, symlinks=True, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def again(name: str = "made") -> module.Reproduction:
    return reproduce(Run.open(name), AllowedPaths.create(None))


def reseal(run: Path, file: str, change: Callable[[str], str]) -> None:
    """Change a file of a run and seal it again, as who wants to deceive would."""
    path = run / file
    before = path.read_text(encoding="utf-8")
    path.write_text(change(before), encoding="utf-8")
    assert path.read_text(encoding="utf-8") != before
    (run / "MANIFEST.json").unlink()
    manifest.write_manifest(run)


def relock(run: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change lock.json as if the run had been made elsewhere."""

    def changed(text: str) -> str:
        content = json.loads(text)
        change(content)
        return json.dumps(content, sort_keys=True, indent=2) + "\n"

    reseal(run, "lock.json", changed)


def test_identical(folder: Path) -> None:
    assert again().to_json() == module.Reproduction("identical").to_json()
    assert main.run(["reproduce", "made", "-q"]) == 0


def other_cell() -> pa.Table:
    cells = TABLE["height"].to_pylist()
    return TABLE.set_column(1, "height", pa.array([cells[0] + 1, *cells[1:]]))


TABLES: dict[str, tuple[pa.Table, list[str]]] = {
    "a cell": (other_cell(), ["the content of `t.csv`"]),
    "the order": (TABLE.take(pa.array(range(199, -1, -1))), ["the content of `t.csv`", "the order of the rows"]),
    "a row less": (TABLE.slice(1), ["the content of `t.csv`", "the number of rows"]),
}


@pytest.mark.parametrize("case", TABLES)
def test_other_data_is_named_and_nothing_is_trained(case: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table, named = TABLES[case]
    tables.write(table, folder / "t.csv")
    monkeypatch.setattr(pipeline, "fit", lambda *_, **__: pytest.fail("it trained"))
    found = again()
    assert (found.verdict, found.reproduced) == ("other inputs", False)
    assert [each.what for each in found.differences] == named
    assert main.run(["reproduce", "made", "-q"]) == 7


def test_other_setting_is_named(folder: Path) -> None:
    reseal(folder / "made", "config.yaml", lambda text: text.replace("batch_size: 32", "batch_size: 16"))
    found = again()
    assert [str(each) for each in found.differences] == ["`training.batch_size`: 16, was 32"]
    assert found.verdict == "other inputs"


def test_other_version_with_the_same_results(folder: Path) -> None:
    relock(folder / "made", lambda lock: lock["versions"].update(keras="3.99"))
    found = again()
    assert (found.verdict, found.reproduced) == ("identical", True)
    assert [str(each) for each in found.differences] == [f"the version of keras: {_version('keras')}, was 3.99"]


def _version(package: str) -> str:
    from importlib.metadata import version

    return version(package)


def test_other_results_for_no_reason(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def change(lock: dict[str, Any]) -> None:
        lock["results"]["weights"] = "0" * 64
        lock["training"]["model-1"]["weights_by_epoch"][1:] = ["1" * 64, "2" * 64]

    relock(folder / "made", change)
    found = again()
    assert (found.verdict, found.training, found.first_epoch) == ("differs", "model-1", 2)
    assert main.run(["reproduce", "made", "-q"]) == 7
    output, error = capsys.readouterr()
    assert "weights differ from epoch 2 of the training `model-1` on" in output
    assert error.startswith("error[BP700]: `made` is not reproduced: nothing changed")


@pytest.mark.parametrize(("distance", "verdict"), [(0.0, "explained"), (0.9, "unexplained")])
def test_other_results_elsewhere_are_judged_by_seeds(
    distance: float, verdict: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def change(lock: dict[str, Any]) -> None:
        lock["results"]["weights"] = "0" * 64
        lock["python"] = "3.12.1"

    relock(folder / "made", change)
    metrics = json.loads((folder / "made/metrics.json").read_text())
    judged = metrics["targets"]["label"]["splits"]["test"]["metrics"]["accuracy"]
    if distance:
        judged["value"] -= distance
        reseal(folder / "made", "metrics.json", lambda _: json.dumps(metrics, sort_keys=True, indent=2) + "\n")
    found = again()
    assert found.verdict == verdict
    assert [metric.name for metric in found.metrics] == ["accuracy"]
    assert found.metrics[0].explained == (verdict == "explained")
    assert [each.what for each in found.differences] == ["python"]
    code = main.run(["reproduce", "made", "-q", "--json"])
    assert code == (0 if verdict == "explained" else 7)
    assert json.loads(capsys.readouterr().out)["verdict"] == verdict


def test_tolerance_is_the_interval_of_one_more_value() -> None:
    """Three values 1, 2, 3: t(0.975, 2) = 4.3027, s = 1."""
    assert tolerance([2.0, 1.0, 3.0]) == pytest.approx(4.302653 * 2**0.5)
    assert tolerance([1.0]) == 0.0


def test_time_that_ran_out_is_repeated_by_steps(folder: Path) -> None:
    """The clock stopped the run, so as many steps are made again, however long they take."""
    run = bptrain.fit("c.yaml", overrides=["training.minutes=0.0001", "training.epochs=500"], run="timed")
    assert run.metrics["training"]["networks"][0]["stopped_by"] == "minutes"
    assert run.lock["training"]["model-1"]["steps"] > 0
    assert again("timed").verdict == "identical"


def test_other_processor_is_a_reason_only_if_results_differ(folder: Path) -> None:
    relock(folder / "made", lambda lock: lock.update(processor="another"))
    assert again().to_json() == module.Reproduction("identical").to_json()
    relock(folder / "made", lambda lock: lock["results"].update(weights="0" * 64))
    found = again()
    assert (found.verdict, [each.what for each in found.differences]) == ("explained", ["the processor"])


# --locked


def test_locked_takes_the_same_table_in_another_format(folder: Path) -> None:
    tables.write(TABLE, folder / "t.parquet")
    run = bptrain.fit(SETTINGS | {"data": "t.parquet"}, run="parquet", locked="made/lock.json")
    assert run.lock["results"]["weights"] == Run.open("made").lock["results"]["weights"]


def test_locked_names_everything_that_differs(folder: Path) -> None:
    tables.write(other_cell(), folder / "t.csv")
    with pytest.raises(LockedError) as raised:
        bptrain.fit("c.yaml", overrides=["training.epochs=4", "seed=2"], run="other", locked="made/lock.json")
    told = [problem.message for problem in raised.value.problems]
    assert [message.split(":")[1].strip() for message in told] == [
        "`seed`",
        "`training.epochs`",
        "the content of `t.csv`",
    ]
    assert not Path("other").exists()


@pytest.mark.parametrize("content", ["{}", "[]", '{"format": 1}', "3", "whole"])
def test_locked_refuses_what_is_no_lock(content: str, folder: Path) -> None:
    lock = json.loads((folder / "made/lock.json").read_text()) | {"table": "x", "variables": [1]}
    (folder / "lock.json").write_text(json.dumps(lock) if content == "whole" else content)
    with pytest.raises(RunError, match="BP522"):
        bptrain.fit("c.yaml", run="other", locked="lock.json")
    assert not Path("other.partial").exists()


@pytest.mark.parametrize(("name", "hint"), [("none.json", "give the lock"), ("made", "did you mean `made/lock.json`?")])
def test_locked_needs_a_file(name: str, hint: str, folder: Path) -> None:
    with pytest.raises(UsageError, match="BP522") as raised:
        bptrain.fit("c.yaml", run="other", locked=name)
    assert raised.value.problems[0].hints[0].startswith(hint)


def test_locked_refuses_before_an_unfinished_run_is_touched(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("bptrain.workflows.fit.predict_parts", _interrupt)
        bptrain.fit("c.yaml", overrides=["training.checkpoints.epochs=1"], run="left")
    before = sorted(Path("left.partial").rglob("*"))
    with pytest.raises(LockedError):
        bptrain.fit("c.yaml", overrides=["seed=3"], run="left", locked="made/lock.json")
    assert sorted(Path("left.partial").rglob("*")) == before


def test_damaged_record_of_the_inputs_starts_afresh(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("bptrain.workflows.fit.predict_parts", _interrupt)
        bptrain.fit("c.yaml", overrides=["training.checkpoints.epochs=1"], run="left")
    Path("left.partial/checkpoints/inputs.json").write_text("{")
    run = bptrain.fit("c.yaml", run="left", resume=True)
    assert run.lock["results"] == Run.open("made").lock["results"]


def test_a_partial_without_checkpoints_hides_none_with_some(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("bptrain.workflows.fit.predict_parts", _interrupt)
        bptrain.fit("c.yaml", overrides=["training.checkpoints.epochs=1"])
    Path("runs/c-0002.partial/checkpoints").mkdir(parents=True)
    Path("runs/c-0002.partial/.lock").write_text("")
    assert bptrain.fit("c.yaml", resume=True).path == Path("runs/c-0001")


# --resume


def test_resume_takes_a_finished_run_as_it_is(folder: Path) -> None:
    before = (folder / "made/MANIFEST.json").read_bytes()
    assert main.run(["fit", "c.yaml", "--run", "made", "--resume", "-q"]) == 0
    assert (folder / "made/MANIFEST.json").read_bytes() == before
    assert main.run(["fit", "c.yaml", "--run", "made", "--resume", "-q", "--set", "seed=1"]) == 5


@pytest.mark.parametrize(
    ("overrides", "named"),
    [(["training.epochs=4"], "`training.epochs`: 4, was 3"), ([], "the content of `t.csv`")],
)
def test_resume_refuses_other_inputs(
    overrides: list[str], named: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("bptrain.workflows.fit.predict_parts", _interrupt)
        bptrain.fit("c.yaml", overrides=["training.checkpoints.epochs=1"], run="left")
    left = sorted(path.name for path in Path("left.partial").rglob("*") if path.is_file())
    assert any(name.endswith(".npz") for name in left)
    if not overrides:
        tables.write(other_cell(), folder / "t.csv")
    with pytest.raises(RunError) as raised:
        bptrain.fit("c.yaml", overrides=overrides, run="left", resume=True)
    assert named in raised.value.problems[0].message
    kept = sorted(path.name for path in Path("left.partial").rglob("*") if path.suffix == ".npz")
    assert kept == [name for name in left if name.endswith(".npz")]
    tables.write(TABLE, folder / "t.csv")
    run = bptrain.fit("c.yaml", run="left", resume=True)
    assert run.lock["results"]["weights"] == Run.open("made").lock["results"]["weights"]


def _interrupt(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def test_resume_without_a_name_takes_the_newest_of_the_config(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bptrain.fit("c.yaml", resume=True)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("bptrain.workflows.fit.predict_parts", _interrupt)
        bptrain.fit("c.yaml")
    assert sorted(path.name for path in Path("runs").iterdir()) == ["c-0001", "c-0002.partial", "latest"]
    assert bptrain.fit("c.yaml", resume=True).path == Path("runs/c-0002")
    assert bptrain.fit("c.yaml", resume=True).path == Path("runs/c-0003")


def test_wrong_config_leaves_an_unfinished_run_alone(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("bptrain.workflows.fit.predict_parts", _interrupt)
        bptrain.fit("c.yaml", overrides=["training.checkpoints.epochs=1"], run="left")
    with pytest.raises(bptrain.BptrainError):
        bptrain.fit("c.yaml", overrides=["target=nothing"], run="left", resume=True)
    assert list(Path("left.partial").rglob("*.npz"))


def test_folds_and_refit_go_on(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Trainings that had ended are not made again."""
    changes = ["split.folds=2", "training.final=refit"]
    expected = bptrain.fit("c.yaml", overrides=changes, run="whole")
    assert list(expected.lock["training"]) == [
        "fold-1-1",
        "fold-1-refit-1",
        "fold-2-1",
        "fold-2-refit-1",
        "model-1",
        "model-refit-1",
    ]
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("bptrain.fitting.fit_model.final_split", _interrupt_at(3))
        bptrain.fit("c.yaml", overrides=changes, run="left")
    told: list[int] = []

    class Reporter:
        def stage(self, text: str) -> None: ...

        def warning(self, problem: object) -> None: ...

        def epoch(self, row: object, epochs: int) -> None: ...

        def resumed(self, history: list[object], epochs: int) -> None:
            told.append(len(history))

    again = bptrain.fit("c.yaml", overrides=changes, run="left", resume=True, reporter=Reporter())
    assert len(told) == 5
    assert again.lock == expected.lock
    assert again.files.read_bytes("train.log") == expected.files.read_bytes("train.log")
    assert again.files.read_bytes("out_of_fold.parquet") == expected.files.read_bytes("out_of_fold.parquet")


ROWS = np.arange(200)
AMOUNTS = np.geomspace(0.01, 1e6, 200)
PART = np.array(["train", "validation", "test", "train", "train"])[ROWS % 5]
BY_PART = {"kind": "column", "column": "part"}
REFIT: dict[str, Any] = {"training": {"epochs": 1, "final": "refit"}, "model": {"kind": "mlp", "hidden": [2]}}
# Columns beside x and y, sections of the config, and what is settled: kinds of columns, or the transform of y.
UNSETTLED: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, str]]] = {
    "a column that is ignored": ({"same": 1}, {}, {"same": "ignore", "y": "log"}),
    "a column that says something in one fold": (
        {"rare": np.where(ROWS == 7, "b", "a")},
        {"split": {"folds": 2, "test": 0.0}},
        {"rare": "categorical"},
    ),
    "a column that says something in validation rows": (
        {"rare": np.where(ROWS == 6, "b", "a"), "part": PART},
        {"split": BY_PART, **REFIT},
        {"rare": "categorical"},
    ),
    "a column without values in one fold": (
        {"late": np.where(ROWS == 7, 1.5, np.where(ROWS == 8, 2.5, np.nan))},
        {"split": {"folds": 2, "test": 0.0}},
        {"late": "numeric"},
    ),
    "a column without values in a fold of groups": (
        {"late": np.where(ROWS % 5 == 2, ROWS % 7, np.nan), "team": ROWS % 5},
        {"split": {"kind": "group", "column": "team", "folds": 2, "test": 0.0}, **REFIT},
        {"late": "numeric"},
    ),
    "a column that begins in validation rows": (
        {"late": np.where(ROWS > 130, ROWS % 7, np.nan), "when": ROWS},
        {"columns": {"when": "time"}, "split": {"kind": "time", "test": 0.2, "validation": 0.2}, **REFIT},
        {"late": "numeric"},
    ),
    "amounts above zero in one fold": (
        {"y": np.where(ROWS == 7, 0.0, AMOUNTS)},
        {"split": {"folds": 2, "test": 0.0}},
        {"y": "none"},
    ),
    "amounts above zero but in validation rows": (
        {"y": np.where(ROWS == 6, 0.0, AMOUNTS), "part": PART},
        {"split": BY_PART, **REFIT, "model": {"kind": "fast", "hidden": [2], "members": 2, "networks": 1}},
        {"y": "none"},
    ),
    "amounts not above zero in rows of no weight": (
        {"y": np.where(ROWS == 8, 0.0, AMOUNTS), "w": np.where(ROWS == 8, 0, 1)},
        {"columns": {"w": "weight"}, "split": {"test": 0.0}},
        {"y": "log"},
    ),
}


@pytest.mark.parametrize("case", UNSETTLED)
def test_what_a_config_leaves_open_is_settled_alike_again(case: str, folder: Path) -> None:
    """By the rows that train in the end, and so by the config of the run, which still leaves some of it open."""
    columns, sections, expected = UNSETTLED[case]
    pd.DataFrame({"x": ROWS * 7 % 31, "y": AMOUNTS, **columns}).to_csv("open.csv", index=False)
    model = {"kind": "fast", "hidden": [2], "members": 2, "networks": 2}
    content = {"data": "open.csv", "targets": {"y": {"task": "regression"}}, "model": model, "training": {"epochs": 1}}
    run = bptrain.fit({**content, **sections}, run="open", root=".")
    kinds = {name: options.kind for name, options in run.config.columns.items()}
    settled = {**kinds, "y": run.metrics["targets"]["y"]["transform"]}
    assert {name: settled[name] for name in expected} == expected
    assert again("open").verdict == "identical"
    assert run.evaluate(root=".").targets == run.metrics["targets"]


def _interrupt_at(number: int) -> Callable[..., Any]:
    from bptrain.fitting.inputs import final_split

    left = [number]

    def counted(*arguments: Any) -> Any:
        left[0] -= 1
        if not left[0]:
            raise KeyboardInterrupt
        return final_split(*arguments)

    return counted


# What two records have in common


def test_differences_of_environments() -> None:
    base = {
        "settings": {},
        "table": {"rows": 1, "cells": "a", "cells_in_any_order": "a"},
        "data": {},
        "split": "s",
        "backend": "tensorflow",
        "python": "3.11",
        "system": "Linux",
        "instructions": "AVX2",
        "pinned": True,
        "versions": {"keras": "3"},
        "variables": {"XLA_FLAGS": ""},
    }
    changes: dict[str, Any] = {
        "backend": "jax",
        "python": "3.12",
        "system": "Darwin",
        "instructions": "",
        "pinned": False,
        "versions": {"keras": "3", "jax": "1"},
        "variables": {"XLA_FLAGS": "x"},
        "split": "t",
    }
    named = {"versions": "the version of jax", "variables": "the variable XLA_FLAGS"}
    named["split"] = "which rows are in which part"
    for key, value in changes.items():
        assert [each.what for each in lock.find_differences(base, base | {key: value})] == [named.get(key, key)]
    assert lock.find_differences(base, base | {"processor": "another", "code": None}) == []
