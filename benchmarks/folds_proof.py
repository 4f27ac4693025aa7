"""Whether the interval of cross-validation covers the score on many held-out rows: simulated tables, one fit each.

    python benchmarks/folds_proof.py [tables] [--tiny]

Writes benchmarks/folds.md; exit 1 when fewer than 90 % are covered.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from shared import TINY, count, write_page

from bptrain.utils import runtime

runtime.configure()

import numpy as np  # noqa: E402

import bptrain  # noqa: E402

N_HELD_OUT = 200 if TINY else 4000
EPOCHS = 1 if TINY else 60
METRICS = {"amount": "rmse", "label": "auc"}


def simulate(seed: int, folder: Path) -> tuple[str, int]:
    """t.csv with a few hundred rows and h.csv with many of the same kind; the target and the number of rows.

    Tables differ in size, in how many columns matter, in noise, and in whether a number or a label is predicted.
    """
    rng = np.random.default_rng(seed)
    n_rows, n_columns = int(rng.integers(150, 500)), int(rng.integers(3, 8))
    slopes = rng.normal(size=n_columns) * (rng.random(n_columns) < 0.7)
    x = rng.normal(size=(n_rows + N_HELD_OUT, n_columns))
    signal = x @ slopes + np.sin(2 * x[:, 0]) + 0.5 * x[:, 1] * x[:, 2]
    noisy = signal + rng.normal(0, rng.uniform(0.3, 1.5) * signal.std(), len(signal))
    target = ("amount", "label")[seed % 2]
    cells = noisy if target == "amount" else np.where(noisy > np.quantile(noisy, rng.uniform(0.5, 0.8)), "yes", "no")
    header = [f"x{i}" for i in range(n_columns)] + [target]
    lines = [",".join([*(f"{v:.6g}" for v in row), str(cell)]) for row, cell in zip(x, cells, strict=True)]
    for name, part in (("t.csv", lines[:n_rows]), ("h.csv", lines[n_rows:])):
        (folder / name).write_text("\n".join([",".join(header), *part]) + "\n", encoding="utf-8")
    return target, n_rows


def covered(seed: int) -> tuple[bool, str]:
    """Whether the interval covers the held-out score, and a row of the page."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        target, n_rows = simulate(seed, folder)
        run = bptrain.fit(
            {
                "data": {"train": "t.csv", "test": "h.csv"},
                "target": target,
                "split": {"folds": 5},
                "model": {"kind": "mlp", "hidden": [32]},
                "training": {"epochs": EPOCHS, "patience": 8, "batch_size": 32, "optimizer": {"learning_rate": 0.005}},
            },
            run=folder / "run",
            root=folder,
        )
        metrics = run.metrics
    metric = METRICS[target]
    found = metrics["targets"][target]["splits"]["test"]["metrics"][metric]["value"]
    interval = metrics["cross_validation"]["targets"][target][metric]
    inside = bool(interval["low"] <= found <= interval["high"])
    numbers = " | ".join(f"{value:.4f}" for value in (interval["value"], interval["low"], interval["high"], found))
    return inside, f"| {seed} | {n_rows} | {metric} | {numbers} | {'yes' if inside else 'NO'} |"


def main() -> int:
    """Fit all tables and write the page."""
    n_tables = count(20, tiny=1)
    rows = [covered(seed) for seed in range(n_tables)]
    n_covered = sum(inside for inside, _ in rows)
    text = "\n".join(
        [
            "# Cross-validation's interval and the held-out score",
            "",
            f"`make proof-folds`: simulated tables with 5 folds, and {N_HELD_OUT} held-out rows each, which",
            "the published model is judged on.",
            "",
            f"The 95 % interval covers the held-out score in **{n_covered} of {n_tables}** tables (bound: 18 of 20).",
            "",
            "| table | rows | metric | mean of folds | low | high | held out | covered |",
            "|---|---|---|---|---|---|---|---|",
            *(row for _, row in rows),
            "",
        ]
    )
    write_page("folds.md", text)
    return 0 if TINY or n_covered >= 0.9 * n_tables else 1


if __name__ == "__main__":
    sys.exit(main())
