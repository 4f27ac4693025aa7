"""What each part of the default network gives, on training rows alone.

    python benchmarks/ablate.py [--variants NAMES] [--sets NAMES] [--rounds N] [--jobs N]
    python benchmarks/ablate.py --page         write ablate.md from what was measured before
    python benchmarks/ablate.py --tiny         an epoch for a few variants, nothing is kept

A round is an inner split and a seed: a fifth of the training rows judges, the others train the default and each variant
of it, in processes of their own. The test rows of benchmarks/quality.py are never read. Results are kept in
ablate.jsonl, a line per process. The page has, per table, by how much a variant is worse than the default (in per cent
of its rmse, of 1 - accuracy or of 1 - auc), the mean over rounds and its standard error, paired by round; and the same
of the rows that train, out of fold: four times as many, so these differences are surer, but they chose epochs, too.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from queue import Empty, Queue
from statistics import mean, stdev
from typing import Any

from quality import FOLDS, TABLES, Table
from shared import ROOT, SMALL_PRESET, TINY, arguments, bptrain, settings, write_page

from bptrain.config.load import config_from_mapping
from bptrain.fitting.resolve import resolve_training
from bptrain.models.presets import STRONG

RECORD = Path(__file__).parent / "ablate.jsonl"
BASE = "strong"

VARIANTS: dict[str, tuple[str, ...]] = {
    BASE: (),
    "one network, not five": ("model.networks=1",),
    "one member": ("model.members=1", "networks"),
    "4 members of 256": ("model.members=4", "model.hidden=[256, 256]", "rate=1"),
    "16 members of 128": ("model.members=16", "model.hidden=[128, 128]"),
    "8 members of 192": ("model.members=8", "model.hidden=[192, 192]", "rate=1"),
    "4 members of 256, two predict": (
        "model.members=4",
        "model.hidden=[256, 256]",
        "model.ensemble_selection=2",
        "rate=1",
    ),
    "two members predict": ("model.ensemble_selection=2",),
    "all members predict": ("model.ensemble_selection=null",),
    "10 networks": ("model.networks=10",),
    "10 networks of 4 members of 128": ("model.networks=10", "model.members=4"),
    "10 networks of 3 members of 256": ("model.networks=10", "model.members=3", "model.hidden=[256, 256]", "rate=1"),
    "5 networks, half the members": ("model.networks=5", "model.members=4"),
    "10 networks of 4 members": ("model.networks=10", "model.members=4", "training.patience=5"),
    "members: 6": ("model.members=6", "networks"),
    "members: 6, patience: 5": ("model.members=6", "training.patience=5"),
    "6 members of 192": ("model.members=6", "model.hidden=[192, 192]", "training.patience=5", "rate=1"),
    "3 hidden layers of 256, 4 members": (
        "model.members=4",
        "model.hidden=[256, 256, 256]",
        "training.patience=5",
        "rate=1",
    ),
    "members: 4": ("model.members=4", "networks"),
    "hidden: [256, 256]": ("model.hidden=[256, 256]", "rate=1"),
    "3 hidden layers": ("model.hidden=[128, 128, 128]",),
    "1 hidden layer": ("model.hidden=[256]", "rate=1"),
    "no dropout": ("model.dropout=0",),
    "dropout: 0.1": ("model.dropout=0.1",),
    "dropout: 0.2": ("model.dropout=0.2",),
    "linear for all members": ("model.linear=true",),
    "linear for half the members": ("model.linear=half",),
    "no linear": ("model.linear=false",),
    "no linear, 4 members of 256": ("model.linear=false", "model.members=4", "model.hidden=[256, 256]", "rate=1"),
    "no piecewise-linear": ("columns.<numeric>.bins=0",),
    "no periodic": ("columns.<numeric>.periodic=false",),
    "bins: 24": ("columns.<numeric>.bins=24",),
    "bins: 96": ("columns.<numeric>.bins=96",),
    "half the embedding": ("model.embedding.d_embedding=4", "model.embedding.d_periodic=2"),
    "quantile scaling": ("columns.<numeric>.scaling=quantile",),
    "standard scaling": ("columns.<numeric>.scaling=standard",),
    "no running mean": ("training.ema_momentum=null",),
    "ema_momentum: 0.999": ("training.ema_momentum=0.999",),
    "ema_momentum: 0.995": ("training.ema_momentum=0.995",),
    "patience: 5": ("training.patience=5",),
    "patience: 16": ("training.patience=16",),
    "frequency_init_scale: 0.25": ("model.embedding.frequency_init_scale=0.25",),
    "frequency_init_scale: 0.5": ("model.embedding.frequency_init_scale=0.5",),
    "frequency_init_scale: 2": ("model.embedding.frequency_init_scale=2.0",),
    "one-hot to 400 levels": ("columns.<categorical>.one_hot_limit=400",),
    "one-hot to 16 levels": ("columns.<categorical>.one_hot_limit=16",),
    "selu": ("model.activation=selu",),
    "silu": ("model.activation=silu",),
    "half the rate": ("rate=0.5",),
    "twice the rate": ("rate=2",),
    "twice the rate, falling": ("rate=2", "training.schedule={kind: exponential, factor: 0.96}"),
    "weight_decay: 0.001": ("decay=0.001",),
    "weight_decay: 0.01": ("decay=0.01",),
    "weight_decay: 0.1": ("decay=0.1",),
    "half the batch": ("batch=0.5",),
    "twice the batch": ("batch=2",),
    "clip_norm: 1": ("training.clip_norm=1.0",),
    "cyclic rate": ("training.schedule=cyclic", "training.epochs=40", "training.patience=null"),
    "cosine": ("training.schedule=cosine", "training.epochs=40", "training.patience=null"),
    "label smoothing": ("smoothing=0.05",),
}

PARTS = (  # of the default, and what else one might choose in their place
    BASE,
    "one network, not five",
    "one member",
    "5 networks, half the members",
    "all members predict",
    "two members predict",
    "linear for all members",
    "no linear",
    "no piecewise-linear",
    "no periodic",
    "no running mean",
    "no dropout",
    "dropout: 0.1",
    "standard scaling",
)
TINY_VARIANTS = ("half the rate", "no periodic")
NOT_OUT_OF_FOLD = ("one network, not five", "all members predict", "two members predict")


def training_table(name: str, folder: Path) -> tuple[Table, int]:
    """The training rows of a table of `TABLES` in a file of their own, as text, cell by cell, and how many they are."""
    import pandas as pd
    from sklearn.model_selection import train_test_split

    table = TABLES[name]
    frame = pd.read_csv(ROOT / "data" / table.file, dtype=str, keep_default_na=False)
    if not table.test:
        stratify = frame[table.target] if table.positive else None
        train, _ = train_test_split(frame.index, test_size=0.2, random_state=0, stratify=stratify)
        frame = frame.loc[sorted(train)]
    frame.to_csv(folder / f"{name}.csv", index=False)
    return replace(table, file=f"{name}.csv", test=None), len(frame)


def run(name: str, table: Table, n_rows: int, variant: str, number: int, folder: Path) -> dict[str, Any]:
    """One fit; `number` is its round."""
    with tempfile.TemporaryDirectory() as scratch:
        run_folder, config = Path(scratch) / "run", Path(scratch) / "c.yaml"
        target = f"column: {table.target}" + (f", positive: {json.dumps(table.positive)}" if table.positive else "")
        na_values = f", na_values: {json.dumps(list(table.na_values))}" if table.na_values else ""
        config.write_text(
            f"data: {{train: {table.file}{na_values}}}\ntarget: {{{target}}}\n"
            f"model: strong\nevaluation: {{primary: {table.metric}}}\nseed: {number}\n",
            encoding="utf-8",
        )
        chosen = settings("training.threads=1", *SMALL_PRESET, *_settings(name, variant, table, n_rows))
        words = ["fit", str(config), "--run", str(run_folder), "--root", str(folder), *chosen]
        _, seconds = bptrain(*words, cwd=folder)
        metrics = json.loads((run_folder / "metrics.json").read_text(encoding="utf-8"))
        splits = metrics["targets"][table.target]["splits"]
        chosen_by = splits["out_of_fold" if "out_of_fold" in splits else "validation"]
        return {
            "test": {key: value["value"] for key, value in splits["test"]["metrics"].items()},
            "validation": {key: value["value"] for key, value in chosen_by["metrics"].items()},
            "epochs": [network["epochs"] for network in metrics["training"]["networks"]],
            "seconds": seconds,
        }


def _settings(name: str, variant: str, table: Table, n_rows: int) -> list[str]:
    """The settings of a variant; some are relative to what suits a table with so many training rows."""
    n_fitted = int(n_rows * 0.8 * (FOLDS - 1) / FOLDS)
    labels, hidden = table.positive is not None, [256] if name == "hotel" else []  # the only one with wide layers
    target = {"column": table.target, "task": "binary" if labels else "regression"}
    config = config_from_mapping({"data": table.file, "target": target})
    usual = resolve_training(config, n_rows=n_fitted, labels=labels, hidden=hidden)
    settings = []
    for each in VARIANTS.get(variant, (variant,)):
        key, _, value = each.partition("=")
        if key == "rate":
            rate = usual.optimizer.learning_rate * float(value)
            settings.append(f"training.optimizer={{kind: adam, learning_rate: {rate}}}")
        elif key == "decay":
            rate = usual.optimizer.learning_rate
            settings.append(f"training.optimizer={{kind: adamw, learning_rate: {rate}, weight_decay: {value}}}")
        elif key == "networks":  # as many as the default has
            settings.append(f"model.networks={(STRONG.wide if hidden else STRONG.narrow).networks}")
        elif key == "batch":
            settings.append(f"training.batch_size={int(usual.batch_size * float(value))}")
        elif key != "smoothing":
            settings.append(each)
        elif table.positive:
            settings.append(f"target.loss={{kind: cross_entropy, label_smoothing: {value}}}")
    return settings


def results() -> list[dict[str, Any]]:
    """Everything measured so far."""
    if not RECORD.exists():
        return []
    return [json.loads(line) for line in RECORD.read_text(encoding="utf-8").splitlines()]


def error(table: Table, metrics: dict[str, float]) -> float:
    """What is to be small."""
    value = metrics[table.metric]
    return value if table.metric == "rmse" else 1 - value


def page() -> str:
    """The tables of all variants."""
    lines = [
        "# What each part gives",
        "",
        "Made by `python benchmarks/ablate.py`, on training rows alone (a fifth of them judges): how much worse than",
        "the default a variant is, in per cent of its error, mean ± standard error over rounds (inner split and seed),",
        "of the networks that the default has; on hotel, variants that set `ensemble_selection` or `hidden` have 5.",
        "Above zero: the default is better.",
        "",
        *_compared("test"),
        "",
        "The same of the rows that train, out of fold: four times as many, so surer, but they chose epochs, too.",
        "Without variants whose other networks or members would be judged by fewer or by what chose them.",
        "",
        *_compared("validation", without=NOT_OUT_OF_FOLD),
    ]
    return "\n".join(lines) + "\n"


def _compared(part: str, *, without: Sequence[str] = ()) -> list[str]:
    """The table of variants by their error on these rows."""
    found: dict[tuple[str, str], dict[int, float]] = {}
    for each in results():
        value = error(TABLES[each["table"]], each[part])
        found.setdefault((each["table"], each["variant"]), {})[each["round"]] = value
    names = [name for name in TABLES if (name, BASE) in found]
    variants = list(dict.fromkeys(variant for _, variant in found if variant not in (BASE, *without)))
    lines = ["| variant | " + " | ".join(names) + " | mean |", "|---|" + "---|" * (len(names) + 1)]
    for variant in variants:
        cells, means = [], []
        for name in names:
            base, other = found[name, BASE], found.get((name, variant), {})
            changes = [100 * (other[n] / base[n] - 1) for n in sorted(base.keys() & other.keys())]
            if not changes:
                cells.append("")
                continue
            means.append(mean(changes))
            spread = f" ± {stdev(changes) / math.sqrt(len(changes)):.2f}" if len(changes) > 1 else ""
            cells.append(f"{mean(changes):+.2f}{spread} ({len(changes)})")
        lines.append(f"| {variant} | " + " | ".join(cells) + f" | {mean(means):+.2f} |")
    return lines


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument(
        "--variants", default=";".join(TINY_VARIANTS if TINY else PARTS), help="names, with ; between them"
    )
    parser.add_argument("--sets", default="telco" if TINY else ",".join(TABLES))
    parser.add_argument("--rounds", type=int, default=1 if TINY else 2)
    parser.add_argument("--jobs", type=int, default=1 if TINY else 2)
    parser.add_argument("--page", action="store_true")
    asked = parser.parse_args(arguments())
    if asked.page or TINY:
        write_page("ablate.md", page())
    if asked.page:
        return 0
    done = set() if TINY else {(each["table"], each["variant"], each["round"]) for each in results()}
    waiting: Queue[tuple[int, str, str]] = Queue()
    for number in range(asked.rounds):
        for variant in asked.variants.split(";"):
            for name in asked.sets.split(","):
                if (name, variant, number) not in done:
                    waiting.put((number, variant, name))
    lock, failed = threading.Lock(), []
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        tables = {name: training_table(name, folder) for name in asked.sets.split(",")}

        def work() -> None:
            while True:
                try:
                    number, variant, name = waiting.get_nowait()
                except Empty:
                    return
                try:
                    found = run(name, *tables[name], variant, number, folder)
                except RuntimeError as err:
                    print(err, file=sys.stderr)
                    failed.append(variant)
                    continue
                line = {"table": name, "variant": variant, "round": number, **found}
                with lock, Path(os.devnull if TINY else RECORD).open("a", encoding="utf-8") as file:
                    file.write(json.dumps(line) + "\n")
                print(
                    f"{name:11}{variant:24}{number} {error(TABLES[name], found['test']):.5g} {found['seconds']:.0f} s"
                )

        workers = [threading.Thread(target=work) for _ in range(asked.jobs)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
