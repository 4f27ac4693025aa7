"""The wheel on its own: unpacked outside the repository, run as a user who may write next to nothing."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROGRAM = "import sys; sys.path.insert(0, sys.argv.pop(1)); from bptrain.cli.main import main; main()"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder the built wheel was unpacked into."""
    out, target = tmp_path_factory.mktemp("dist"), tmp_path_factory.mktemp("site")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    (built,) = out.glob("*.whl")
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(target)]
    subprocess.run([*install, str(built)], check=True, capture_output=True)
    assert not (target / "tests").exists()
    return target


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a CSV and a two-line config, outside the repository; `out` in it is all that may be written."""
    folder = tmp_path_factory.mktemp("place")
    rows = "\n".join(f"{i * 37 % 101},{'red' if i % 3 else 'blue'},{(i * 37 % 101) / 7 + i % 3}" for i in range(200))
    (folder / "table.csv").write_text(f"size,colour,price\n{rows}\n", encoding="utf-8")
    (folder / "job.yaml").write_text("data: table.csv\ntarget: price\n", encoding="utf-8")
    (folder / "home/.keras").mkdir(parents=True)
    hostile = {"floatx": "float16", "epsilon": 0.01, "backend": "jax", "image_data_format": "channels_first"}
    (folder / "home/.keras/keras.json").write_text(json.dumps(hostile), encoding="utf-8")
    (folder / "out").mkdir()
    return folder


def run_wheel(wheel: Path, place: Path, *arguments: str, variables: Mapping[str, str], exit_code: int = 0) -> str:
    """What the unpacked bptrain prints in `place`, which may not be written."""
    place.chmod(0o555)
    result = subprocess.run(
        [*without_override(), sys.executable, "-c", PROGRAM, str(wheel), *arguments],
        cwd=place,
        env={"PATH": os.environ["PATH"], **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == exit_code, result.stderr
    return result.stdout + result.stderr


def without_override() -> list[str]:
    """What makes root obey the modes of folders; other users do anyway."""
    if os.getuid() != 0 or shutil.which("setpriv") is None:
        return []
    return ["setpriv", "--inh-caps=-all", "--bounding-set=-dac_override,-dac_read_search"]


@pytest.mark.slow
def test_wheel_fits_in_a_read_only_folder_and_ignores_keras_json(wheel: Path, place: Path) -> None:
    quick = ("--set", "training.epochs=2")
    printed = run_wheel(wheel, place, "fit", "job.yaml", "--run", "out/plain", *quick, variables={})
    assert "run: out/plain" in printed
    home = {"HOME": str(place / "home"), "KERAS_MAX_EPOCHS": "1"}
    run_wheel(wheel, place, "fit", "job.yaml", "--run", "out/hostile", *quick, variables=home)
    plain, hostile = (json.loads((place / f"out/{name}/lock.json").read_text()) for name in ("plain", "hostile"))
    assert plain["results"] == hostile["results"]
    assert sorted(path.name for path in place.iterdir()) == ["home", "job.yaml", "out", "table.csv"]
    assert sorted(path.name for path in (place / "out").iterdir()) == ["hostile", "plain"]


def test_wheel_says_what_it_cannot_write(wheel: Path, place: Path) -> None:
    printed = run_wheel(wheel, place, "fit", "job.yaml", variables={}, exit_code=74)
    assert "error[BP741]" in printed
    assert "runs" in printed
