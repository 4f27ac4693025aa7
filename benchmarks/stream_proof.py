"""Memory and speed of `fit` on large tables: rows resident in memory, and rows streamed from a file.

    python benchmarks/stream_proof.py [ROWS] [--tiny]

Makes tables of 2 and 20 million distinct rows, fits them as a user would, and samples what each process holds of
anonymous memory. Writes benchmarks/stream.md; ends with exit 1 when a bound does not hold. Takes about a quarter of an
hour and 5 GB of disk.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
from shared import ROOT, TINY, bptrain, count, settings, write_page

SMALL, MIDDLE, LARGE = (400, 800, 1200) if TINY else (20_000, 2_000_000, 20_000_000)
COLUMNS = 9  # and the target: 40 bytes of a prepared row
SEEDS = range(1) if TINY else range(5)
SAMPLED_SECONDS = 0.02
CONFIG = "data: {{train: {rows}.csv}}\ntarget: y\nmodel: {{kind: mlp, hidden: [64, 64]}}\n"
SETTINGS = ("training.epochs=2", "training.batch_size=1024", "training.patience=null")
if TINY:
    SETTINGS += ("training.engine=plain",)
SCRIPT = """
import numpy as np, keras
x = np.random.default_rng(0).normal(size=(1024, 9)).astype("float32")
relu = [keras.layers.Dense(64, "relu") for _ in range(2)]
network = keras.Sequential([*relu, keras.layers.Dense(1)])
network.compile("adam", "mse", jit_compile=True)
network.fit(x, x[:, :1], batch_size=1024, epochs=1, verbose=0)
"""


@dataclass(frozen=True)
class Measured:
    """One process: wall time, the most anonymous memory it held, and the test RMSE of a fit."""

    seconds: float
    megabytes: float
    rmse: float = float("nan")


def main() -> int:
    """Make the tables, run, compare, write the page."""
    large = count(LARGE, tiny=LARGE)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for rows in (SMALL, MIDDLE, large):
            _write_table(folder, rows)
        script = statistics.median(_measured([sys.executable, "-c", SCRIPT], folder).megabytes for _ in range(3))
        start = min(_fit(folder, SMALL, "stream", seed).seconds for seed in SEEDS)
        memory = [_fit(folder, MIDDLE, "memory", seed) for seed in SEEDS]
        stream = [_fit(folder, MIDDLE, "stream", seed) for seed in SEEDS]
        whole = _fit(folder, large, "stream", 0)
    prepared = MIDDLE * 4 * (COLUMNS + 1) / 1e6
    allowed = 1.25 * script + 1.5 * prepared
    resident = max(each.megabytes for each in memory)
    middle = MIDDLE / (statistics.median(each.seconds for each in stream) - start)
    speed = large / (whole.seconds - start)
    spread = [max(each.rmse for each in runs) - min(each.rmse for each in runs) for runs in (memory, stream)]
    means = [statistics.mean(each.rmse for each in runs) for runs in (memory, stream)]
    bounds = [
        (f"{MIDDLE:,} rows resident: at most 1.25 × the script + 1.5 × the arrays = {allowed:.0f} MB",
         f"{resident:.0f} MB", resident <= allowed),
        (f"{large:,} rows streamed: at most 1500 MB above the script's {script:.0f} MB",
         f"{whole.megabytes - script:.0f} MB", whole.megabytes - script <= 1500),
        (f"rows per second at {large:,} rows: at least 0.85 of those at {MIDDLE:,}, without the start",
         f"{speed / middle:.2f}", speed >= 0.85 * middle),
        ("mean test RMSE of 5 seeds, streamed and resident: apart by less than the larger spread of the seeds",
         f"{abs(means[0] - means[1]):.5f} of {max(spread):.5f}", abs(means[0] - means[1]) <= max(spread)),
    ]  # fmt: skip
    rows = [("script", 0, "-", script, float("nan"), float("nan"))]
    rows += [("resident", MIDDLE, str(seed), m.megabytes, m.seconds, m.rmse) for seed, m in enumerate(memory)]
    rows += [("streamed", MIDDLE, str(seed), m.megabytes, m.seconds, m.rmse) for seed, m in enumerate(stream)]
    rows += [("streamed", large, "0", whole.megabytes, whole.seconds, whole.rmse)]
    write_page("stream.md", _page(rows, bounds, start))
    return 0 if TINY or all(holds for _, _, holds in bounds) else 1


def _write_table(folder: Path, rows: int) -> None:
    """A CSV of the first `rows` of one seeded sequence of distinct rows, and its config."""
    random, names = np.random.default_rng(0), [*(f"x{number}" for number in range(COLUMNS)), "y"]
    with pacsv.CSVWriter(str(folder / f"{rows}.csv"), pa.schema([(name, pa.float64()) for name in names])) as writer:
        for first in range(0, rows, 500_000):
            n_rows = min(500_000, rows - first)
            x = random.normal(size=(n_rows, COLUMNS)).round(4)
            noise = 0.1 * random.normal(size=n_rows)
            y = (np.tanh(x[:, 0]) + 0.3 * x[:, 1] * x[:, 2] + noise).round(4)
            writer.write(pa.record_batch([pa.array(column) for column in (*x.T, y)], names=names))
    (folder / f"{rows}.yaml").write_text(CONFIG.format(rows=rows), encoding="utf-8")


def _fit(folder: Path, rows: int, residence: str, seed: int) -> Measured:
    run = folder / f"{rows}-{residence}-{seed}"
    chosen = settings(*SETTINGS, f"data.residence={residence}", f"seed={seed}")
    command = ["-m", "bptrain", "fit", str(folder / f"{rows}.yaml"), "--run", str(run), "--root", str(folder)]
    found = _measured([sys.executable, *command, *chosen], ROOT)
    metrics = json.loads((run / "metrics.json").read_text(encoding="utf-8"))
    rmse = metrics["targets"]["y"]["splits"]["test"]["metrics"]["rmse"]["value"]
    print(f"{rows} {residence} seed {seed}: {found.seconds:.1f} s, {found.megabytes:.0f} MB, {rmse:.5f}", flush=True)
    return Measured(found.seconds, found.megabytes, rmse)


def _measured(command: list[str], folder: Path) -> Measured:
    """A process of its own, sampled until it ends."""
    if TINY and command[1] == "-c":
        exec(command[2], {})
        return Measured(0.0, 0.0)
    if TINY:
        return Measured(bptrain(*command[3:])[1], 0.0)
    started, most = time.monotonic(), 0.0
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while process.poll() is None:
        most = max(most, _anonymous(process.pid))
        time.sleep(SAMPLED_SECONDS)  # the interval of sampling: RssAnon has no peak that the system keeps
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with exit {process.returncode}")
    return Measured(time.monotonic() - started, most)


def _anonymous(process: int) -> float:
    """MB that a process holds in anonymous and shared memory, which no file backs."""
    try:
        lines = Path(f"/proc/{process}/status").read_text(encoding="utf-8").splitlines()
    except OSError:  # it has just ended
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith(("RssAnon", "RssShmem"))) * 1024 / 1e6


def _page(
    rows: list[tuple[str, int, str, float, float, float]], bounds: list[tuple[str, str, bool]], start: float
) -> str:
    lines = [
        "# Large tables",
        "",
        f"`make proof-stream`: tables of {COLUMNS} numbers and a target, no row twice, 2 x 64 relu, 2 epochs, batches",
        f"of 1024. Peak of anonymous memory, sampled every {SAMPLED_SECONDS * 1000:.0f} ms; the script is one step of",
        f"Keras with `jit_compile`. A fit of {SMALL:,} rows takes {start:.1f} s, which are taken for the start.",
        "",
        "| rows | how | seed | peak MB | seconds | test RMSE |",
        "|---|---|---|---|---|---|",
    ]
    lines += [f"| {n:,} | {how} | {seed} | {mb:.0f} | {s:.1f} | {rmse:.5f} |" for how, n, seed, mb, s, rmse in rows]
    lines += ["", "| bound | measured | holds |", "|---|---|---|"]
    lines += [f"| {text} | {value} | {'yes' if holds else 'NO'} |" for text, value, holds in bounds]
    return "\n".join(lines).replace("nan", "-") + "\n"


if __name__ == "__main__":
    sys.exit(main())
