"""What the scripts here share: the setting `--tiny`, commands of bptrain, and pages.

With `--tiny` a script takes seconds, to show that it still runs: few rows, an epoch, no page and no record. Figures
mean nothing then, so that bounds of time and quality do not count, but what must be equal must be. Commands of bptrain
run in the process of the script where they can.
"""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGES = ROOT / "benchmarks"
TINY = "--tiny" in sys.argv
SMALL = ("training.epochs=1", "training.engine=plain", "model.hidden=[8]") if TINY else ()  # settings of every fit
SMALL_PRESET = (*SMALL, "model.networks=1", "model.members=2") if TINY else ()


def arguments() -> list[str]:
    """The arguments of the script, without `--tiny`."""
    return [argument for argument in sys.argv[1:] if argument != "--tiny"]


def count(default: int, tiny: int) -> int:
    """The number that the script was given, else its default."""
    given = arguments()
    return int(given[0]) if given else tiny if TINY else default


def write_page(name: str, text: str) -> None:
    """Print a page of this folder and write it."""
    print(text)
    if not TINY:
        (PAGES / name).write_text(text, encoding="utf-8")


def settings(*values: str) -> list[str]:
    """The options that set keys of a config: `section.key=value` each."""
    return [word for value in values for word in ("--set", value)]


def run(
    command: Sequence[str], *, cwd: Path = ROOT, variables: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """A process with the code of this repository, its output kept."""
    variables = dict(variables or {})
    if TINY and list(command[1:3]) == ["-m", "bptrain"] and not variables:
        from bptrain.cli import main

        said, noted = io.StringIO(), io.StringIO()
        with contextlib.chdir(cwd), contextlib.redirect_stdout(said), contextlib.redirect_stderr(noted):
            exit_code = main.run(list(command[3:]))
        return subprocess.CompletedProcess(command, exit_code, said.getvalue(), noted.getvalue())
    environment = os.environ | {"PYTHONPATH": str(ROOT)} | variables
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)


def bptrain(
    *words: str,
    cwd: Path = ROOT,
    variables: Mapping[str, str] | None = None,
    expected: Sequence[int] = (0,),
) -> tuple[str, float]:
    """What a command of bptrain prints, and its seconds. Raises RuntimeError for another exit code than expected."""
    started = time.monotonic()
    done = run([sys.executable, "-m", "bptrain", *words], cwd=cwd, variables=variables)
    seconds = time.monotonic() - started
    if done.returncode not in expected:
        said = f"{done.stdout[-500:]}{done.stderr[-2000:]}"
        raise RuntimeError(f"bptrain {' '.join(words)}: exit {done.returncode}\n{said}")
    return done.stdout, seconds
