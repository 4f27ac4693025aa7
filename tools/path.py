"""How far one must read to follow a fit: our functions and files on its way, and returns to a file left before.

    python tools/path.py [--package DIR] [--list]     DIR holds the folder `bptrain` to trace; by default this checkout

Two ways are traced, each in a process of its own, in all of its threads:

- fit: the whole command `bptrain fit configs/hotel.yaml` with the preset `strong`, 2 epochs and rows in memory, from
  the import of the command line to the exit code.
- cell: a fit of a made table of one numeric column and a target, for one epoch, until Keras' `fit()` is called. Only
  the folders that a number goes through on its way to the first layer are looked at: `data`, `features` and `models`
  (`table`, `columns` and `network` in commit ad900fa).

A function is a named one of ours, methods and nested functions included. Comprehensions, generator expressions, lambdas
and what runs when a module or a class is defined are none; a generator that is entered anew counts once, as all do.
Functions stand in the order of their first call; neighbours of one file are a visit of that file; returns are visits
less distinct files: how often somebody who reads that list goes back to a file that was closed. `with classes` counts
the bodies of classes as functions, too, which run where a module is first imported; the first count of the fit at
ad900fa, 1035, 152 and 408, is of that sort. `--list` prints the functions.
"""

from __future__ import annotations

import argparse
import inspect
import json
import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from types import CodeType, FrameType

ROOT = Path(__file__).resolve().parents[1]
WAYS = ("fit", "cell")
CELL_FOLDERS = ("data", "features", "models", "table", "columns", "network")
KERAS_FIT = ("/keras/src/", "fit")  # where its file lies, and its name
Call = tuple[str, str, bool]  # file below bptrain/, name, whether it is a function


class Trace:
    """The code of a package that was called, in the order of first calls."""

    def __init__(self, package: Path) -> None:
        self._below = f"{package}{os.sep}"
        self._seen: set[CodeType] = set()
        self.codes: list[CodeType] = []
        self.n_before_training: int | None = None

    def __call__(self, frame: FrameType, event: str, _: object) -> None:
        """Note a call; the hook of `sys.setprofile`."""
        if event != "call" or frame.f_code in self._seen:
            return
        code = frame.f_code
        self._seen.add(code)
        if code.co_filename.startswith(self._below):
            self.codes.append(code)
        elif code.co_name == KERAS_FIT[1] and KERAS_FIT[0] in code.co_filename and self.n_before_training is None:
            self.n_before_training = len(self.codes)

    def calls(self, way: str) -> list[Call]:
        """What was called on a way."""
        calls = [
            (code.co_filename.removeprefix(self._below), code.co_name, bool(code.co_flags & inspect.CO_OPTIMIZED))
            for code in self.codes[: self.n_before_training if way == "cell" else None]
            if not code.co_name.startswith("<")
        ]
        return [call for call in calls if way != "cell" or Path(call[0]).parts[0] in CELL_FOLDERS]


def trace(package: Path, way: str, folder: Path) -> list[Call]:
    """Trace one way in this process; `folder` is for what it writes."""
    sys.path[0] = str(package)
    os.chdir(package)
    config, settings = "configs/hotel.yaml", ["model=strong", "training.epochs=2", "data.residence=memory"]
    if way == "cell":
        cells = [f"{number % 97},{(number % 97) ** 2 + number % 7}" for number in range(2000)]
        (folder / "t.csv").write_text("\n".join(["x,y", *cells, ""]), encoding="utf-8")
        (folder / "c.yaml").write_text("data: t.csv\ntarget: y\n", encoding="utf-8")
        config, settings = str(folder / "c.yaml"), ["training.epochs=1"]
    arguments = ["fit", config, "--quiet", "--run", str(folder / "run"), "--root", "." if way == "fit" else str(folder)]
    for setting in settings:
        arguments += ["--set", setting]
    found = Trace(package / "bptrain")
    threading.setprofile(found)
    sys.setprofile(found)
    from bptrain.cli import main

    exit_code = main.run(arguments)
    sys.setprofile(None)
    threading.setprofile(None)  # type: ignore[arg-type]
    if exit_code not in (0, 3):  # 3: after so few epochs a gate may fail
        raise SystemExit(f"the fit ended with exit {exit_code}")
    return found.calls(way)


def figures(calls: list[Call]) -> tuple[int, int, int]:
    """Functions, files, and returns to a file left before."""
    files = [file for file, _, _ in calls]
    visits = sum(number == 0 or files[number - 1] != file for number, file in enumerate(files))
    return len(files), len(set(files)), visits - len(set(files))


def traced(package: Path, way: str) -> list[Call]:
    """Trace one way in a process of its own."""
    command = [sys.executable, __file__, "--package", str(package), "--one", way]
    # without bytecode of its own, so that a traced checkout stays as it is
    variables = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr[-3000:])
    return [(file, name, function) for file, name, function in json.loads(done.stdout.splitlines()[-1])]


def main() -> int:
    """Print a line for each way."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--package", type=Path, default=ROOT)
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--one", choices=WAYS)
    asked = parser.parse_args()
    package = asked.package.resolve()
    if asked.one:
        with tempfile.TemporaryDirectory() as folder:
            print("\n" + json.dumps(trace(package, asked.one, Path(folder))))
        return 0
    for way in WAYS:
        calls = traced(package, way)
        functions = [call for call in calls if call[2]]
        if asked.list:
            print("\n".join(f"  {file} {name}" for file, name, _ in functions))
        n_functions, n_files, n_returns = figures(functions)
        with_classes = ", ".join(map(str, figures(calls)))
        print(f"{way}: {n_functions} functions, {n_files} files, {n_returns} returns (with classes: {with_classes})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
