"""Whether training is as fast as with the code before the restructuring: samples per second, and a whole fit.

    python tools/speed.py [--pairs N] [--only NAMES]

Both codes run in turn, each in a process of its own, which of them first changing from pair to pair. Shown are the
medians of both, and the median of the ratios now/before (of speeds, so more is better) with the interval that holds
it in 95 of 100 cases, by the order of the ratios (no distribution is assumed).

- 2x64, 2x256: samples per second of an MLP in the epochs after the first, on the made tables of `benchmarks/engine.py`.
- adult: the wall time of what `make fit` runs, from process start to process end, as fits per second.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import before
import numpy as np

ROOT = before.ROOT
NETS = {"2x64": ([64, 64], 32, 50_000), "2x256": ([256, 256], 256, 100_000)}  # layers, batch, rows
N_COLUMNS, N_EPOCHS = 32, 8
LEAST = 0.97  # the interval shall hold 1, or lie above this


def write_case(name: str, folder: Path) -> None:
    """The made table of a network and its config."""
    hidden, batch, n_rows = NETS[name]
    random = np.random.default_rng(0)
    columns = random.normal(size=(n_rows, N_COLUMNS)).astype(np.float32)
    target = columns @ random.normal(size=N_COLUMNS) + random.normal(size=n_rows)
    header = ",".join([*(f"x{number}" for number in range(N_COLUMNS)), "y"])
    np.savetxt(folder / "t.csv", np.column_stack([columns, target]), "%.6g", ",", header=header, comments="")
    config = {
        "data": "t.csv",
        "target": {"column": "y", "task": "regression"},
        "split": {"validation": 0.01, "test": 0.01},
        "model": {"kind": "mlp", "hidden": hidden, "networks": 1, "members": 1},
        "training": {"epochs": N_EPOCHS, "batch_size": batch, "patience": None, "checkpoints": {"minutes": None}},
    }
    (folder / "c.yaml").write_text(json.dumps(config), encoding="utf-8")  # which is YAML, too


def measure(code: Path, name: str, folder: Path, number: str) -> float:
    """Samples per second of training, or fits per second."""
    run = folder / number
    config = [str(folder / "c.yaml"), "--root", str(folder)] if name in NETS else ["configs/adult.yaml"]
    variables = {**os.environ, "PYTHONPATH": str(code), "PYTHONDONTWRITEBYTECODE": "1"}
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "bptrain", "fit", *config, "--run", str(run), "--quiet"],
        cwd=code,
        env=variables,
        capture_output=True,
        text=True,
        check=False,
    )
    wall = time.perf_counter() - started
    if done.returncode:
        raise SystemExit(f"{name} with {code}:\n{done.stderr[-2000:]}")
    if name not in NETS:
        return 1 / wall
    seconds = json.loads((run / "timing.json").read_bytes())["epoch_seconds"][1:]
    return NETS[name][2] * 0.98 * len(seconds) / sum(seconds)


def interval(ratios: list[float]) -> tuple[float, float]:
    """The 95 % interval of the median, by order statistics (a sign test turned round)."""
    n, ordered, share, rank = len(ratios), sorted(ratios), 0.0, 0
    while share + math.comb(n, rank) / 2**n <= 0.025:
        share += math.comb(n, rank) / 2**n
        rank += 1
    return ordered[max(0, rank - 1)], ordered[min(n - 1, n - rank)]


def main() -> int:
    """Run the pairs and print a line for each case."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--pairs", type=int, default=11)
    parser.add_argument("--only", default=";".join([*NETS, "adult"]), help="names, with ; between them")
    parser.add_argument("--old", type=Path, help="another checkout as the code before")
    asked = parser.parse_args()
    if unknown := set(asked.only.split(";")) - {*NETS, "adult"}:
        parser.error(f"--only: no case is called {', '.join(sorted(unknown))}; there are {', '.join(NETS)} and adult")
    if asked.pairs < 1:
        parser.error("--pairs: at least 1; with fewer than 6 the interval is the range of all, which holds less")
    if asked.old and not (asked.old / "bptrain").is_dir():
        parser.error(f"--old: {asked.old} holds no folder bptrain; give another checkout of this repository")
    codes = {"before": asked.old.resolve() if asked.old else before.checkout(), "now": ROOT}
    good = True
    for name in asked.only.split(";"):
        with tempfile.TemporaryDirectory() as made:
            folder = Path(made)
            if name in NETS:
                write_case(name, folder)
            found: dict[str, list[float]] = {code: [] for code in codes}
            for pair in range(asked.pairs):
                for code in list(codes) if pair % 2 else reversed(list(codes)):
                    found[code].append(measure(codes[code], name, folder, f"{code}-{pair}"))
        ratios = [now / then for now, then in zip(found["now"], found["before"], strict=True)]
        low, high = interval(ratios)
        good &= high >= 1 or low > LEAST
        then, now = (statistics.median(found[code]) for code in codes)
        shown = f"{then:,.0f} and {now:,.0f} samples/s" if name in NETS else f"{1 / then:.2f} s and {1 / now:.2f} s"
        ratio = f"ratio {statistics.median(ratios):.3f} [{low:.3f}, {high:.3f}] of {len(ratios)} pairs"
        print(f"{name}: {shown}, before and now; {ratio}", flush=True)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
