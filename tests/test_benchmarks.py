"""Each script of benchmarks/ runs with its tiny setting, in this process; figures mean nothing then."""

from __future__ import annotations

import runpy
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SCRIPTS = {path.stem: path for path in sorted((ROOT / "benchmarks").glob("*.py")) if path.stem != "shared"}


@pytest.mark.slow
@pytest.mark.parametrize("name", SCRIPTS)
@pytest.mark.usefixtures("backend")
def test_script_runs(name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", [str(SCRIPTS[name]), "--tiny"])
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    before = kept_files()
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(SCRIPTS[name]), run_name="__main__")
    said = capsys.readouterr()
    assert not ended.value.code, said.out[-2000:] + said.err[-2000:]
    assert kept_files() == before  # no page and no record


@pytest.mark.slow
def test_scripts_that_are_no_python_are_programs_of_the_shell() -> None:
    for path in (ROOT / "benchmarks").glob("*.sh"):
        assert subprocess.run(["sh", "-n", path], check=False).returncode == 0, path


def kept_files() -> dict[str, bytes]:
    """The pages and records of benchmarks/."""
    paths = (ROOT / "benchmarks").iterdir()
    return {path.name: path.read_bytes() for path in paths if path.suffix in {".md", ".jsonl"}}
