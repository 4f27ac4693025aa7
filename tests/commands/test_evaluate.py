"""Judging a finished run: its own rows, wherever their files lie, and other rows, with what is odd about them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import tables
from tables import make_table, write

import bptrain
from bptrain import Run
from bptrain.cli.main import run as command
from bptrain.data.files import AllowedPaths
from bptrain.data.splits import RandomSplit, Shares
from bptrain.errors import DataError, DivergedError, RunError, UsageError
from bptrain.runs import manifest
from bptrain.workflows.predict import predict_file

TINY = ["model.hidden=[2]", "training.epochs=1"]


@pytest.fixture
def project(backend: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with c.yaml, which names no file that exists; tables lie in the folder beside it."""
    folder, outside = tmp_path / "project", tmp_path / "outside"
    folder.mkdir()
    outside.mkdir()
    table = tables.make_table(120)
    tables.write(table.slice(0, 60), outside / "a.csv")
    tables.write(table.slice(60), outside / "b.csv")
    config = tables.config("no.csv", "label")
    (folder / "c.yaml").write_text(json.dumps(config), encoding="utf-8")
    monkeypatch.chdir(folder)
    return folder


def outside(project: Path, name: str) -> str:
    return str(project.parent / "outside" / name)


@pytest.fixture
def spread(project: Path) -> Callable[[str], Run]:
    """Fit with `data` given by hand; OUT stands for the folder outside the root."""

    def fit(data: str) -> Run:
        overrides = [*TINY, data.replace("OUT", outside(project, ""))]
        return bptrain.fit("c.yaml", overrides=overrides)

    return fit


@pytest.mark.parametrize(
    "data",
    [
        "data=OUT/a.csv",
        "data='OUT/*.csv'",
        "data=[OUT/a.csv, OUT/b.csv]",
        "data={train: OUT/a.csv, test: OUT/b.csv}",
        "data=../outside/a.csv",
    ],
)
def test_a_run_on_files_given_by_hand_can_be_judged_again(spread: Callable[[str], Run], data: str) -> None:
    run = spread(data)
    assert bptrain.open_run(run.path).evaluate().targets == run.metrics["targets"]


def test_the_command_line_takes_the_same_paths(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sets = [word for text in (*TINY, f"data=[{outside(project, '*.csv')}]") for word in ("--set", text)]
    assert command(["check", "c.yaml", *sets]) == 0
    assert command(["fit", "c.yaml", "-q", *sets]) == 0
    assert command(["evaluate"]) == 0
    capsys.readouterr()


def test_a_run_opens_no_other_file_outside_the_root(spread: Callable[[str], Run], project: Path) -> None:
    spread("data='OUT/*.csv'")
    Path(outside(project, "c.csv")).write_text("secret\n", encoding="utf-8")
    with pytest.raises(DataError, match="BP200") as caught:
        bptrain.open_run("runs/c-0001").evaluate()
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("content", [b"other\n1\n", b"", b"\xff\xfe\x00", b'"'])
def test_digests_are_compared_before_anything_is_interpreted(
    spread: Callable[[str], Run], project: Path, content: bytes
) -> None:
    run = spread("data=OUT/a.csv")
    Path(outside(project, "a.csv")).write_bytes(content)
    with pytest.raises(DataError, match="^BP270") as caught:
        run.evaluate()
    assert caught.value.exit_code == 4


def test_another_split_of_the_same_rows_is_refused(
    spread: Callable[[str], Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = spread("data=OUT/a.csv")
    divide = RandomSplit.divide

    def other(self: RandomSplit, rows: np.ndarray, keys: np.ndarray, shares: Shares, part: str, seed: int) -> object:
        return divide(self, rows, keys, shares, part, seed + 1)

    monkeypatch.setattr(RandomSplit, "divide", other)
    with pytest.raises(RunError, match="BP518.*another scikit-learn splits otherwise") as caught:
        run.evaluate()
    assert "pip install scikit-learn==" in caught.value.problems[0].hints[0]


@pytest.mark.parametrize("damage", ["bytes", "columns"])
def test_predictions_of_a_run_that_cannot_be_read_are_a_run_error(
    fitted: Callable[..., Run], tmp_path: Path, damage: str
) -> None:
    run = fitted("label")
    copy = tmp_path / "run"
    shutil.copytree(run.path, copy)
    if damage == "bytes":
        (copy / "predictions.parquet").write_bytes(b"PAR1")
    else:
        pq.write_table(pa.table({"row": [1]}), copy / "predictions.parquet")
    manifest.write_manifest(copy)
    with pytest.raises(RunError, match="BP508.*predictions.parquet"):
        bptrain.open_run(copy).evaluate(root=run.path.parent)


def test_what_is_odd_about_the_rows_is_told(
    spread: Callable[[str], Run], project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tables.replaced(tables.make_table(120), "label", 3, None)
    tables.write(table, Path(outside(project, "a.csv")))
    config = json.loads((project / "c.yaml").read_text(encoding="utf-8")) | {"clean": {"missing_target": "drop"}}
    (project / "c.yaml").write_text(json.dumps(config), encoding="utf-8")
    run = spread("data=OUT/a.csv")
    assert [problem.code for problem in run.evaluate().warnings] == ["BP260"]

    other = tables.write(tables.replaced(table, "town", 5, "Ur").slice(0, 40), tmp_path / "o.csv")
    result = run.evaluate(other)
    messages = {problem.code: problem.message for problem in result.warnings}
    assert messages["BP260"] == "1 of 40 rows have no target and were dropped"
    assert "column `town`: 1 of 39 cells hold labels" in messages["BP235"]

    assert command(["evaluate", "--data", str(other), "--out", "judged"]) == 0
    said = capsys.readouterr().err
    assert said.count("warning[") == len(result.warnings)
    kept = json.loads((project / "judged/metrics.json").read_text(encoding="utf-8"))["warnings"]
    assert kept == [problem.to_json() for problem in result.warnings]


def test_no_judgement_of_a_diverged_run_passes(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = outside(project, "a.csv")
    wild = [*TINY, f"data={table}", "training.optimizer={kind: sgd, learning_rate: 1e30}"]
    with pytest.raises(DivergedError, match="BP600"):
        bptrain.fit("c.yaml", overrides=wild)
    run = bptrain.open_run("runs/c-0001")
    assert run.metrics["gates"] == []
    assert not run.passed
    result = run.evaluate(table)
    assert (result.status, result.gates, result.passed) == ("diverged", [], False)
    for arguments in ([], ["--data", table], ["--data", table, "--gate", "auc > 2"], ["--json"]):
        assert command(["evaluate", "runs/c-0001", *arguments]) == 6
        output, error = capsys.readouterr()
        assert "error[BP602]: " in error
        assert "runs/c-0001 (diverged)" in output or json.loads(output)["status"] == "diverged"
    assert command(["inspect", "runs/c-0001"]) == 0
    assert "runs/c-0001 (diverged, verified)" in capsys.readouterr().out


def test_fit_prints_json_and_details(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sets = [word for text in (*TINY, f"data={outside(project, 'a.csv')}") for word in ("--set", text)]
    assert command(["fit", "c.yaml", "--json", "-v", "--run", "m/model", *sets, "--gate", "auc > 2"]) == 3
    output, log = capsys.readouterr()
    content = json.loads(output)
    assert content.pop("run") == "m/model"
    assert content == json.loads(Path("m/model/metrics.json").read_text(encoding="utf-8"))
    assert "  size: {kind: numeric" in log
    assert "# every value is a number\n" in log
    assert "\n  train: " in log.partition("\nseconds:\n")[2].replace("  read", "\n  read", 1)
    assert list(Path().rglob("latest")) == []


def test_judging_the_training_file_says_so(fitted: Callable[..., Run], tmp_path: Path) -> None:
    run = fitted("label")
    trained_on = run.path.parent / "t.csv"
    judged = run.evaluate(trained_on, root=trained_on.parent)
    assert [warning.code for warning in judged.warnings] == ["BP304"]
    other = write(make_table(30, seed=5), tmp_path / "new.csv")
    assert run.evaluate(other).warnings == []


@pytest.mark.parametrize("text", ["auc => 0.9", "auc =< 0.9"])
def test_a_swapped_comparison_is_named(fitted: Callable[..., Run], text: str) -> None:
    with pytest.raises(UsageError, match="BP300: .*not `=>`"):
        fitted("label").evaluate(gates=[text])


def test_what_can_be_refused_at_once_is_refused_before_the_model_loads(
    fitted: Callable[..., Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Run.open(fitted("label").path)
    monkeypatch.setattr(Run, "predictor", property(lambda self: pytest.fail("the model was loaded")))
    data = write(make_table(5).drop_columns(["size"]), tmp_path / "rows.csv")
    with pytest.raises(DataError, match="BP268"):
        run.evaluate(data)
    with pytest.raises(DataError, match="BP268"):
        predict_file(run, str(data), tmp_path / "out.csv", roots=AllowedPaths.create(tmp_path))
    whole = write(make_table(5), tmp_path / "whole.csv")
    with pytest.raises(UsageError, match="BP157"):
        predict_file(run, str(whole), tmp_path / "out.txt", roots=AllowedPaths.create(tmp_path))
