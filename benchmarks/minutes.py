"""`training.minutes: 1` on a made table of 500 000 rows: when training ends, and how good the default and `mlp` are.

    python benchmarks/minutes.py [--tiny]

Writes benchmarks/minutes.md; ends with exit 1 where a fit fails, training ends more than 10 s after its minute, or the
default is not better than `mlp`.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from shared import SMALL, SMALL_PRESET, TINY, bptrain, settings, write_page

BUDGET, LATE = 60.0, 10.0
NOISE = 0.5
MODELS = {
    "strong": ["model=strong"],
    "strong, without patience": ["model=strong", "training.patience=null"],
    "mlp": ["model=mlp"],
    "mlp, without patience": ["model=mlp", "training.patience=null"],
}


def table(n_rows: int = 1000 if TINY else 500_000) -> pd.DataFrame:
    """Twelve numbers and a label of 40: waves, products, switches, a bump, noise of standard deviation `NOISE`."""
    random = np.random.default_rng(5)
    x, label, effects = random.normal(size=(n_rows, 12)), random.integers(0, 40, n_rows), random.normal(size=40)
    y = np.sin(2 * x[:, 0]) + x[:, 1] * x[:, 2] + np.where(x[:, 3] > 0.5, x[:, 4], -x[:, 5])
    y = y + 2 * np.exp(-4 * x[:, 6] ** 2) + effects[label] + NOISE * random.normal(size=n_rows)
    frame = pd.DataFrame(x.round(4), columns=[f"x{number}" for number in range(12)])
    return frame.assign(label=[f"k{number}" for number in label], y=y.round(4))


def fit(chosen: list[str], folder: Path) -> dict[str, Any]:
    """One fit by the command line: its figures, and the seconds that training took."""
    run = folder / "run"
    small = SMALL if "model=mlp" in chosen else SMALL_PRESET
    options = settings(*chosen, "training.minutes=1", *small)
    _, seconds = bptrain("fit", "c.yaml", "--run", "run", "-q", *options, cwd=folder)
    metrics = json.loads((run / "metrics.json").read_text(encoding="utf-8"))
    spent = sum(json.loads((run / "timing.json").read_text(encoding="utf-8"))["epoch_seconds"])
    return {
        "rmse": metrics["targets"]["y"]["splits"]["test"]["metrics"]["rmse"]["value"],
        "trained": spent,
        "whole": seconds,
        "stopped_by": metrics["training"]["networks"][0]["stopped_by"],
        "epochs": metrics["training"]["networks"][0]["epochs"],
    }


def main() -> int:
    lines = [
        "# A minute of training on 500 000 rows",
        "",
        "Made by `python benchmarks/minutes.py`, with `training.minutes: 1`. A fifth of the rows judges; the noise's",
        f"standard deviation is {NOISE}.",
        "",
        "| model | rmse | epochs | stopped by | seconds of training | of the whole fit |",
        "|---|---|---|---|---|---|",
    ]
    found = {}
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        table().to_csv(folder / "t.csv", index=False)
        (folder / "c.yaml").write_text("data: t.csv\ntarget: y\n", encoding="utf-8")
        for name, chosen in list(MODELS.items())[:: 2 if TINY else 1]:
            found[name] = each = fit(chosen, folder)
            shutil.rmtree(folder / "run")
            lines.append(
                f"| {name} | {each['rmse']:.4f} | {each['epochs']} | {each['stopped_by']} | {each['trained']:.1f} | "
                f"{each['whole']:.1f} |"
            )
            print(lines[-1], flush=True)
    write_page("minutes.md", "\n".join(lines) + "\n")
    in_time = all(each["trained"] <= BUDGET + LATE for each in found.values())
    return 0 if TINY or (in_time and found["strong"]["rmse"] < found["mlp"]["rmse"]) else 1


if __name__ == "__main__":
    sys.exit(main())
