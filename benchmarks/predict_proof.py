"""`bptrain predict` streams: memory does not grow with the file, chunks do not matter, and `evaluate` agrees.

    python benchmarks/predict_proof.py [ROWS] [--tiny]

Makes 2 million rows like those of data/adult, predicts them as a user would, and measures the processes. Writes
benchmarks/predict.md; ends with exit 1 when a figure or a comparison does not hold.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
from shared import ROOT, SMALL, TINY, bptrain, count, settings, write_page

ROWS, FEW_ROWS = 2_000_000, 300 if TINY else 100_000
CHUNK_ROWS = (400, 107) if TINY else (65_536, 10_007)  # the default, and one that divides nothing
MOST_GROWTH = 300  # MB of peak memory between FEW_ROWS and ROWS
NUMBERS = ("age", "fnlwgt", "educational-num", "capital-gain", "capital-loss", "hours-per-week")
NEW_LEVELS = ("workclass", "native-country")


@dataclass(frozen=True)
class Measured:
    """One process: its wall time and its peak resident memory."""

    name: str
    rows: int
    seconds: float
    megabytes: float


def main() -> int:
    """Make the rows, run the commands, compare, write the page."""
    rows = count(ROWS, tiny=1000)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_rows(folder / "few.csv", FEW_ROWS)
        write_rows(folder / "all.csv", rows)
        run(0, "fit", "configs/adult.yaml", "--run", str(folder / "run"), *settings("training.epochs=2", *SMALL))
        measured = [
            predict(folder, file, n, chunk) for file, n in (("few", FEW_ROWS), ("all", rows)) for chunk in CHUNK_ROWS
        ]
        judged = evaluate(folder, rows)
        problems = compare(folder, rows)
    growth = max(after.megabytes - before.megabytes for before, after in zip(measured[:2], measured[2:], strict=True))
    if growth > MOST_GROWTH:
        problems.append(f"peak memory grew by {growth:.0f} MB from {FEW_ROWS:,} to {rows:,} rows")
    write_page("predict.md", page([*measured, judged], growth, problems))
    for problem in problems:
        print(f"error: {problem}", file=sys.stderr)
    print("proof-predict: " + ("failed" if problems else "passed"))
    return 1 if problems else 0


def write_rows(path: Path, n_rows: int) -> None:
    """A CSV of the first `n_rows` of one endless seeded sequence of rows."""
    chunks = made_rows()
    chunk, left = next(chunks), n_rows
    with pacsv.CSVWriter(str(path), chunk.schema) as writer:
        while left:
            part = chunk.slice(0, left)
            writer.write_table(part)
            left -= part.num_rows
            chunk = next(chunks)


def made_rows(chunk_rows: int = 50_000) -> Iterator[pa.Table]:
    """Rows of the training file drawn with replacement: numbers moved a little, a few labels that it never shows."""
    source = pacsv.read_csv(ROOT / "data/adult/train.csv.gz")
    random = np.random.default_rng(0)
    while True:
        table = source.take(pa.array(random.integers(0, source.num_rows, chunk_rows)))
        for name in NUMBERS:
            moved = table[name].to_numpy() * random.normal(1.0, 0.05, chunk_rows)
            table = with_cells(table, name, pa.array(np.round(moved, 3)))
        for name in NEW_LEVELS:
            new = random.random(chunk_rows) < 0.002
            cells = np.where(new, [f"new-{k}" for k in random.integers(0, 1000, chunk_rows)], table[name].to_pylist())
            table = with_cells(table, name, pa.array(cells.tolist(), pa.string()))
        yield table


def with_cells(table: pa.Table, name: str, cells: pa.Array) -> pa.Table:
    """The table with other cells in one column."""
    return table.set_column(table.column_names.index(name), name, cells)


def predict(folder: Path, file: str, rows: int, chunk_rows: int) -> Measured:
    """`bptrain predict` of one file."""
    out = folder / f"{file}-{chunk_rows}.parquet"
    options = ("-o", str(out), "--chunk-rows", str(chunk_rows))
    return run(rows, "predict", str(folder / "run"), str(folder / f"{file}.csv"), *options)


def evaluate(folder: Path, rows: int) -> Measured:
    """`bptrain evaluate --data` of all rows; it holds them in memory."""
    data = ("--data", str(folder / "all.csv"), "--out", str(folder / "judged"))
    return run(rows, "evaluate", str(folder / "run"), *data, expected=(0, 3))  # gates of the config may fail here


def run(rows: int, *arguments: str, expected: tuple[int, ...] = (0, 3)) -> Measured:
    """A command as a process of its own."""
    if TINY:
        return Measured(arguments[0], rows, bptrain(*arguments, expected=expected)[1], 0.0)
    started = time.monotonic()
    process = subprocess.Popen([sys.executable, "-m", "bptrain", *arguments], cwd=ROOT, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.monotonic() - started
    if process.returncode not in expected:
        raise SystemExit(f"bptrain {' '.join(arguments)} ended with exit {process.returncode}")
    unit = 1 if sys.platform == "darwin" else 1024  # bytes there, kilobytes on Linux
    measured = Measured(arguments[0], rows, seconds, usage.ru_maxrss * unit / 1e6)
    shown = f"{measured.name} {rows:,} rows" if rows else measured.name
    print(f"{shown}: {seconds:.1f} s, peak {measured.megabytes:.0f} MB", flush=True)
    return measured


def compare(folder: Path, rows: int) -> list[str]:
    """What is not as promised about the predictions."""
    usual, odd = (pq.read_table(folder / f"all-{chunk}.parquet") for chunk in CHUNK_ROWS)
    few = pq.read_table(folder / f"few-{CHUNK_ROWS[0]}.parquet")
    judged = pq.read_table(folder / "judged/predictions.parquet")
    shared = [name for name in usual.column_names if name in judged.column_names]
    checks = {
        "rows are missing or out of order": usual["row"].to_numpy().tolist() == list(range(rows)),
        "rows have no prediction": usual["income.prediction"].null_count == 0,
        "predictions depend on the chunk size": usual.equals(odd),
        "predictions depend on the number of rows": usual.slice(0, FEW_ROWS).equals(few),
        "predict and evaluate disagree": usual.select(shared).equals(judged.select(shared)),
        "predict and evaluate share too little": shared
        == ["row", "income.prediction", "income.probability.<=50K", "income.probability.>50K"],
    }
    return [problem for problem, holds in checks.items() if not holds]


def page(measured: list[Measured], growth: float, problems: list[str]) -> str:
    """benchmarks/predict.md."""
    few, few_odd, many, many_odd, judged = measured
    speeds = [(b.rows - a.rows) / (b.seconds - a.seconds) for a, b in ((few, many), (few_odd, many_odd))]
    lines = [
        "# Predicting a file",
        "",
        "`make proof-predict`: `bptrain predict` of rows like Adult's (CSV, 14 columns), with a network of "
        "`configs/adult.yaml`; wall time and peak resident memory of the whole process on two threads.",
        "",
        "| command | rows | rows per chunk | seconds | peak memory, MB |",
        "|---|---|---|---|---|",
    ]
    for one, chunk in zip(measured, [*CHUNK_ROWS, *CHUNK_ROWS, None], strict=True):
        shown = f"{chunk:,}" if chunk else "all"
        lines.append(f"| {one.name} | {one.rows:,} | {shown} | {one.seconds:.1f} | {one.megabytes:.0f} |")
    lines += [
        "",
        f"- Growth of the peak from {few.rows:,} to {many.rows:,} rows: {growth:.0f} MB (bound: {MOST_GROWTH} MB).",
        f"- Rows per second once started: {speeds[0]:,.0f} ({CHUNK_ROWS[0]:,} rows per chunk), {speeds[1]:,.0f} "
        f"({CHUNK_ROWS[1]:,}).",
        f"- `evaluate --data` holds all rows in memory: {judged.megabytes:.0f} MB.",
        "- Predictions are equal bit for bit between the chunk sizes, between the two files for the rows they share, "
        "and to those of `evaluate`."
        if not problems
        else "- Failed: " + "; ".join(problems) + ".",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
