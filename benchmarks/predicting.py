"""How long 100 000 rows of Adult take the default, once the model is loaded, beside CatBoost.

    python benchmarks/predicting.py [--run RUN] [--peers PYTHON] [--tiny]

Without `--run` the default is trained first. The rows are Adult's, again and again. Each is asked once to warm up, then
five times; `rows to predictions` starts with a pandas frame and ends with one. Writes benchmarks/predicting.md.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from quality import TABLES, config_text
from shared import ROOT, SMALL_PRESET, TINY, arguments, bptrain, settings, write_page

N_ROWS, TIMES = (1000, 1) if TINY else (100_000, 5)


def timed(work: Callable[[], Any]) -> list[float]:
    """Seconds of each of `TIMES` calls after a first one."""
    work()
    seconds = []
    for _ in range(TIMES):
        started = time.monotonic()
        work()
        seconds.append(time.monotonic() - started)
    return seconds


def own(folder: Path) -> dict[str, list[float]]:
    """Seconds of the networks alone and of all that `Run.predict` does, in a process like that of `bptrain predict`."""
    from bptrain.utils import runtime

    runtime.configure()
    if not TINY:
        runtime.set_own_process()  # as the command does: its threads take blocks of rows
    import pandas as pd

    import bptrain
    from bptrain.data.files import AllowedPaths
    from bptrain.features import preparer as prepare
    from bptrain.workflows.evaluate import frame_of

    table = TABLES["adult"]
    rows = pd.read_csv(ROOT / "data" / str(table.test), dtype=str, keep_default_na=False).drop(columns=table.target)
    rows = pd.concat([rows] * (N_ROWS // len(rows) + 1), ignore_index=True).head(N_ROWS)
    run = bptrain.open_run(folder)
    model = run.predictor
    inputs = prepare.transform(model.columns, frame_of(rows, run, AllowedPaths.create())).arrays
    return {"networks": timed(lambda: model.outputs(inputs)), "rows to predictions": timed(lambda: run.predict(rows))}


def catboost() -> dict[str, list[float]]:
    """Seconds of CatBoost's default on the same rows."""
    import pandas as pd
    from catboost import CatBoostClassifier, Pool
    from quality import load

    x, y, x_test, _ = load("adult", 0)
    names = [name for name in x.columns if x[name].dtype == "category"]
    x_test = pd.concat([x_test] * (N_ROWS // len(x_test) + 1), ignore_index=True).head(N_ROWS)
    x, x_test = (each.assign(**{name: each[name].astype("object").fillna("missing").astype(str) for name in names})
                 for each in (x, x_test))  # fmt: skip
    settings = {"verbose": 0, "thread_count": 2, "allow_writing_files": False}
    model = CatBoostClassifier(cat_features=names, **settings).fit(x, y)
    pool = Pool(x_test, cat_features=names)
    return {
        "trees": timed(lambda: model.predict_proba(pool)),
        "rows to predictions": timed(lambda: model.predict_proba(x_test)),
    }


def in_own_process(python: str, *arguments: str) -> dict[str, list[float]]:
    """What this script prints in a process of its own."""
    command = [python, __file__, *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{command}: exit {done.returncode}\n{done.stderr[-2000:]}")
    found: dict[str, list[float]] = json.loads(done.stdout.splitlines()[-1])
    return found


def page(found: dict[str, dict[str, list[float]]]) -> str:
    """Median and range of each."""
    lines = [
        "# Predicting 100 000 rows of Adult",
        "",
        "Made by `python benchmarks/predicting.py`: seconds once the model is loaded and has predicted once, median of",
        f"{TIMES} (least and most), one process after the other.",
        "",
        "| | seconds |",
        "|---|---|",
    ]
    for name, parts in found.items():
        for part, seconds in parts.items():
            lines.append(f"| {name}, {part} | {median(seconds):.2f} ({min(seconds):.2f} to {max(seconds):.2f}) |")
    return "\n".join(lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--run", type=Path)
    parser.add_argument("--peers")
    parser.add_argument("--one", choices=["own", "catboost"])
    asked = parser.parse_args(arguments())
    if asked.one:
        print(json.dumps(own(asked.run) if asked.one == "own" else catboost()))
        return 0
    with tempfile.TemporaryDirectory() as scratch:
        run = asked.run or Path(scratch) / "run"
        if not asked.run:
            config = Path(scratch) / "c.yaml"
            config.write_text(config_text(TABLES["adult"], "strong"), encoding="utf-8")
            bptrain("fit", str(config), "--run", str(run), "--root", str(ROOT), *settings(*SMALL_PRESET))
        one = ["--one", "own", "--run", str(run.resolve())]
        found = {"bptrain strong": own(run) if TINY else in_own_process(sys.executable, *one)}
        if asked.peers:
            found["CatBoost"] = in_own_process(asked.peers, "--one", "catboost")
    write_page("predicting.md", page(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
