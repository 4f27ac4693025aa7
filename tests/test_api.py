"""The Python API: `bptrain.fit`, the `Run` it gives, and `bptrain.open_run`."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tables
import yaml

import bptrain
from bptrain import BptrainError, Run
from bptrain.errors import DataError, DivergedError, RunError, UsageError

SETTINGS = tables.config("t.csv", "label")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with t.csv and c.yaml."""
    tables.write(tables.make_table(), tmp_path / "t.csv")
    (tmp_path / "c.yaml").write_text(yaml.safe_dump(SETTINGS), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def run(fitted: Callable[..., Run]) -> Run:
    return fitted("label")


def frame(n_rows: int = 200, *, seed: int = 0) -> pd.DataFrame:
    """The rows of a table as pandas has them."""
    rows: pd.DataFrame = tables.make_table(n_rows, seed=seed).to_pandas()
    return rows


def weights(run: Run) -> str:
    digest: str = run.lock["results"]["weights"]
    return digest


def test_fit_takes_a_path_or_the_same_content_as_a_mapping(backend: None, folder: Path) -> None:
    from_path = bptrain.fit("c.yaml")
    from_mapping = bptrain.fit(SETTINGS)
    assert from_path.path == Path("runs/c-0001")
    assert from_mapping.path == Path("runs/run-0001")
    assert weights(from_path) == weights(from_mapping)
    assert from_path.metrics == from_mapping.metrics
    assert from_path.lock == from_mapping.lock
    assert from_path.config == from_mapping.config
    assert (folder / "runs/latest").read_text(encoding="utf-8") == "run-0001\n"


def test_fit_takes_overrides_a_directory_and_a_root(
    backend: None, folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    run = bptrain.fit(folder / "c.yaml", overrides=["training.epochs=1", "seed=7"], run=elsewhere / "mine", root=folder)
    assert run.path == elsewhere / "mine"
    assert (run.config.training.epochs, run.config.seed) == (1, 7)
    assert run.metrics["training"]["networks"][0]["epochs"] == 1
    assert [path.name for path in folder.iterdir() if path.name == "runs"] == []


def test_fit_tells_a_listener(backend: None, folder: Path) -> None:
    told: list[str] = []

    class Reporter:
        def stage(self, text: str) -> None:
            told.append("stage")

        def warning(self, problem: bptrain.errors.Problem) -> None:  # type: ignore[attr-defined]
            told.append(problem.code)

        def epoch(self, row: object, epochs: int) -> None:
            told.append(f"of {epochs}")

        def resumed(self, history: object, epochs: int) -> None:
            told.append("resumed")

    rows = frame().assign(constant="x")
    rows.to_csv("t.csv", index=False)
    run = bptrain.fit(SETTINGS, reporter=Reporter())
    assert told == ["BP244", "stage", "stage", "of 2", "of 2", "stage"]
    assert [warning["code"] for warning in run.metrics["warnings"]] == ["BP244"]


def test_failed_gates_raise_nothing(backend: None, folder: Path) -> None:
    run = bptrain.fit(SETTINGS, overrides=["evaluation.gates=['auc > 1', 'auc >= 0']"])
    assert not run.passed
    assert [gate["passed"] for gate in run.metrics["gates"]] == [False, True]
    assert not run.evaluate().passed
    assert [verdict.passed for verdict in run.evaluate(gates=["accuracy <= 1"]).gates] == [False, True, True]


def test_diverged_training_raises_and_the_run_can_be_opened(backend: None, folder: Path) -> None:
    wild = {**SETTINGS["training"], "optimizer": {"kind": "sgd", "learning_rate": 1e30}}
    with pytest.raises(DivergedError, match="no finite number in epoch 1"):
        bptrain.fit({**SETTINGS, "training": wild}, run="wild")
    assert bptrain.open_run("wild").metrics["status"] == "diverged"


def test_run_has_the_contents_of_its_files(run: Run) -> None:
    assert run.metrics == json.loads((run.path / "metrics.json").read_bytes())
    assert run.lock == json.loads((run.path / "lock.json").read_bytes())
    assert run.passed
    assert run.config.targets["label"].task == "binary"
    assert set(run.metrics["targets"]["label"]["splits"]) == {"train", "validation", "test"}


def test_evaluate_repeats_the_metrics_of_the_run(run: Run) -> None:
    result = run.evaluate(root=run.path.parent)
    assert result.targets == run.metrics["targets"]
    assert result.gates == []
    assert result.passed
    assert result.predictions.num_rows == 200


def test_evaluate_takes_a_file_or_a_frame(run: Run, tmp_path: Path) -> None:
    others = tables.make_table(70, seed=3)
    from_frame = run.evaluate(others.to_pandas(), gates=["auc >= 0"])
    for name in ("o.csv", "o.jsonl", "o.parquet"):
        from_file = run.evaluate(tables.write(others, tmp_path / name), gates=["auc >= 0"])
        assert from_file.targets == from_frame.targets
        assert from_file.predictions.equals(from_frame.predictions)
    assert from_frame.targets["label"]["splits"]["test"]["n"] == 70
    assert from_frame.passed


def test_evaluate_refuses_rows_without_the_target_and_wrong_gates(run: Run) -> None:
    with pytest.raises(DataError, match="lacks the target `label`"):
        run.evaluate(frame(20).drop(columns="label"))
    with pytest.raises(DataError, match="lacks 1 column.* of the model: `size`"):
        run.evaluate(frame(20).drop(columns="size"))
    with pytest.raises(DataError, match="no rows to judge"):
        run.evaluate(frame(20).iloc[:0])
    with pytest.raises(UsageError, match="names no metric"):
        run.evaluate(frame(20), gates=["rmse < 1"])


@pytest.mark.parametrize(
    "index", [pd.RangeIndex(5, 45), pd.Index([f"row {i}" for i in range(40)], name="key"), pd.Index([7] * 40)]
)
def test_predict_keeps_rows_order_and_index(run: Run, index: pd.Index) -> None:  # type: ignore[type-arg]
    rows = frame(40, seed=2).set_axis(index, axis=0)
    predicted = run.predict(rows)
    assert predicted.index.equals(index)
    assert predicted.index.names == index.names
    assert list(predicted.columns) == [
        "row",
        "label.prediction",
        "label.probability.no",
        "label.probability.yes",
        "status",
    ]
    assert set(predicted["label.prediction"]) <= {"no", "yes"}
    assert np.allclose(predicted["label.probability.no"] + predicted["label.probability.yes"], 1.0, atol=1e-12)
    backwards = run.predict(rows.iloc[::-1])
    assert backwards["label.probability.yes"].tolist() == predicted["label.probability.yes"].tolist()[::-1]


def test_predict_equals_the_predictions_of_the_run(run: Run) -> None:
    kept = pd.read_parquet(run.path / "predictions.parquet")
    predicted = run.predict(pd.read_csv(run.path.parent / "t.csv", keep_default_na=False, dtype=str))
    assert predicted["row"].tolist() == kept["row"].tolist()
    assert predicted["label.prediction"].tolist() == kept["label.prediction"].tolist()
    assert predicted["label.probability.yes"].tolist() == kept["label.probability.yes"].tolist()


def test_predict_needs_the_columns_of_the_model_only(run: Run) -> None:
    rows = frame(20)
    few = rows[[*tables.LABELS, *tables.NUMBERS]].assign(extra=1)
    assert run.predict(few).equals(run.predict(rows))
    with pytest.raises(DataError, match="lacks 2 column.* `height`"):
        run.predict(rows.drop(columns=["height", "flag"]))


def test_open_run_gives_the_same_run(run: Run) -> None:
    again = bptrain.open_run(run.path)
    assert again.metrics == run.metrics
    assert again.predict(frame(20)).equals(run.predict(frame(20)))
    assert bptrain.open_run(str(run.path)).path == run.path


def test_open_run_refuses_what_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no such folder"):
        bptrain.open_run(tmp_path / "nothing")
    with pytest.raises(RunError, match="not a run directory"):
        bptrain.open_run(tmp_path)


def test_mistakes_are_one_family_of_errors(folder: Path) -> None:
    with pytest.raises(UsageError, match="unknown key `epoch`") as caught:
        bptrain.fit(SETTINGS, overrides=["training.epoch=1"])
    assert isinstance(caught.value, BptrainError)
    assert caught.value.exit_code == 2
    with pytest.raises(DataError, match="no such file"):
        bptrain.fit(SETTINGS, overrides=["data=no.csv"])
    assert not (folder / "runs").exists()


def test_import_loads_nothing_heavy() -> None:
    script = (
        "import sys; import bptrain; bptrain.__version__; dir(bptrain); "
        "print(sorted(m for m in sys.modules if m.partition('.')[0] not in sys.stdlib_module_names))"
    )
    result = subprocess.run([sys.executable, "-I", "-c", script], capture_output=True, text=True, check=True)
    loaded = {name.strip("' ") for name in result.stdout.strip("[]\n").split(",")}
    assert "bptrain" in loaded
    assert not loaded & {"numpy", "pandas", "pyarrow", "pydantic", "keras", "tensorflow", "sklearn", "click"}
    assert {name for name in loaded if name.startswith("bptrain.")} == {"bptrain.utils", "bptrain.utils.version"}


def test_names_of_the_package_are_those_it_promises() -> None:
    assert set(bptrain.__all__) == {"BptrainError", "Run", "__version__", "fit", "open_run"}
    for name in bptrain.__all__:
        assert getattr(bptrain, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'train'"):
        bptrain.train  # noqa: B018


@pytest.mark.parametrize(("cell", "warned"), [(1e38, True), (2.0, False)])
def test_run_without_a_finite_validation_loss_says_so(tmp_path: Path, cell: float, warned: bool) -> None:
    table = tables.make_table(60)
    tables.write(table.slice(0, 40), tmp_path / "a.csv")
    tables.write(tables.replaced(table, "amount", 59, cell).slice(40), tmp_path / "b.csv")
    config = tables.config({"train": "a.csv", "validation": "b.csv"}, "amount", split={"kind": "random", "test": 0})
    run = bptrain.fit(config, run=tmp_path / "run", root=tmp_path)
    assert ("BP601" in [warning["code"] for warning in run.metrics["warnings"]]) is warned
    assert run.metrics["training"]["networks"][0]["best_epoch"] == 2
