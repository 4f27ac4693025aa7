"""KERAS_BACKEND=jax: the same steps, another program."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tables
from plain_loop import KINDS, by_keras, difference, masks

JAX = {"KERAS_BACKEND": "jax"}


def run(*arguments: str, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Python in a process of its own, with JAX as the backend."""
    home = {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[2]), str(Path(__file__).parents[1])])}
    command = [sys.executable, *arguments]
    return subprocess.run(
        command, cwd=cwd, env=os.environ | home | JAX | variables, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def by_jax(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, np.ndarray]]:
    """The weights by optimizer; and from rows that are streamed."""
    folder = tmp_path_factory.mktemp("jax")
    done = run(str(Path(__file__).parents[1] / "plain_loop.py"), str(folder / "weights.npz"), cwd=folder)
    assert done.returncode == 0, done.stderr
    found: dict[str, dict[str, np.ndarray]] = {}
    for key, array in np.load(folder / "weights.npz").items():
        kind, _, name = key.partition(":")
        found.setdefault(kind, {})[name] = array
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_weights_are_those_of_a_plain_keras_loop(kind: str, by_jax: dict[str, dict[str, np.ndarray]]) -> None:
    """As in test_plain_loop, which TensorFlow passes."""
    assert difference(by_jax[kind], by_keras(kind)) < 1e-5


def test_streamed_rows_are_those_of_the_documented_order(by_jax: dict[str, dict[str, np.ndarray]]) -> None:
    assert difference(by_jax["streamed"], by_keras("adam", streamed=True)) < 1e-5


def test_dropout_drops_the_same(by_jax: dict[str, dict[str, np.ndarray]]) -> None:
    for step, mask in masks().items():
        np.testing.assert_array_equal(by_jax["masks"][step], mask)


def test_run_on_jax_is_sealed_evaluated_and_repeated(tmp_path: Path) -> None:
    tables.write(tables.make_table(), tmp_path / "t.csv")
    model = [
        "model.dropout=0.2",
        "model.hidden=[8]",
        "model.networks=2",
        "model.members=3",
        "training.epochs=3",
        "training.batch_size=16",
    ]
    settings = [part for each in model for part in ("--set", each)]
    (tmp_path / "job.yaml").write_text("data: t.csv\ntarget: label\n", encoding="utf-8")
    for name in ("one", "two"):
        done = run("-m", "bptrain", "fit", "job.yaml", "--run", name, *settings, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert "WARNING" not in done.stderr
    locks = [json.loads((tmp_path / name / "lock.json").read_text()) for name in ("one", "two")]
    assert locks[0] == locks[1]
    assert locks[0]["backend"] == "jax"
    assert {"jax", "jaxlib"} < set(locks[0]["versions"])
    done = run("-m", "bptrain", "evaluate", "one", cwd=tmp_path, KERAS_BACKEND="tensorflow")
    assert done.returncode == 0, done.stderr


def test_unknown_backend_is_refused(tmp_path: Path) -> None:
    (tmp_path / "job.yaml").write_text("data: t.csv\ntarget: label\n", encoding="utf-8")
    done = run("-m", "bptrain", "fit", "job.yaml", cwd=tmp_path, KERAS_BACKEND="JAX")
    assert done.returncode == 2
    assert "error[BP191]: KERAS_BACKEND is `JAX`, but bptrain trains with tensorflow or jax" in done.stderr


def test_keras_loaded_with_another_backend_is_refused(tmp_path: Path) -> None:
    tables.write(tables.make_table(), tmp_path / "t.csv")
    code = (
        "import os, keras, bptrain; os.environ['KERAS_BACKEND'] = 'tensorflow'\n"
        "try: bptrain.fit({'data': 't.csv', 'target': 'label'})\n"
        "except bptrain.errors.UsageError as error: print(error.problems[0].code)"
    )
    done = run("-c", code, cwd=tmp_path)
    assert done.stdout == "BP192\n", done.stderr


def test_missing_jax_is_said_before_anything_is_read(tmp_path: Path) -> None:
    (tmp_path / "job.yaml").write_text("data: t.csv\ntarget: label\n", encoding="utf-8")
    code = "import sys; sys.modules['jax'] = None; sys.argv[0] = 'bptrain'; from bptrain.cli.main import main; main()"
    done = run("-c", code, "fit", "job.yaml", cwd=tmp_path)
    assert done.returncode == 2
    assert "error[BP191]" in done.stderr
    assert 'pip install "bptrain[jax]"' in done.stderr
    assert not (tmp_path / "runs").exists()
