"""Wall time from the start of a process to its end: `bptrain fit` beside a plain Keras script of the same training.

    python benchmarks/wall.py [rounds] [--tiny]     every contestant in a process of its own, interleaved, medians
    python benchmarks/wall.py --one NAME            one plain script

A script reads the table with pandas, prepares it with scikit-learn, trains with `fit()`, `EarlyStopping` and
`jit_compile="auto"`, predicts the test rows and saves the network. It neither cleans nor judges train and validation
rows nor seals a run, as bptrain does. Writes benchmarks/wall.md; exit 1 if a bound does not hold.
"""

from __future__ import annotations

import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared import ROOT, SMALL, SMALL_PRESET, TINY, arguments, count, settings, write_page
from shared import run as run_process

ROUNDS = 5
PENGUINS = "small"  # the made table


@dataclass(frozen=True)
class Job:
    """A training, what of it bptrain is told beside the config, and how long it may take: a share of the script's."""

    name: str
    config: str
    settings: tuple[str, ...]
    bound: float | None


EPOCHS = 1 if TINY else 50  # of the textbook network, so many for all: early stopping would compare luck
TO_THE_END = (f"training.epochs={EPOCHS}", f"training.patience={EPOCHS}")
TEXTBOOK = ("model.hidden=[64,64]", "training.batch_size=32", *TO_THE_END)
PLAIN = ("model.activation=relu", "training.schedule=constant")
JOBS = (
    Job("california", "configs/california.yaml", (*TEXTBOOK, *PLAIN), 0.25),
    Job("adult", "configs/adult.yaml", (*TEXTBOOK, "model.dropout=0", "evaluation.gates=[]"), 0.4),
    Job("california, as shipped", "configs/california.yaml", (), None),
    Job("adult, as shipped", "configs/adult.yaml", (), None),
)[: 1 if TINY else None]  # fmt: skip


def main() -> int:
    """Measure everything and write the page."""
    if arguments()[:1] == ["--one"]:
        print(json.dumps(SCRIPTS[arguments()[1]]()))
        return 0
    rounds = count(ROUNDS, tiny=1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _write_small(folder)
        times = [_round(folder, turn) for turn in range(rounds)]
    seconds = {key: statistics.median(each[key][0] for each in times) for key in times[0]}
    found = {key: statistics.median(each[key][1] for each in times) for key in times[0]}
    epochs = {key: statistics.median(each[key][2] for each in times) for key in times[0]}
    bounds = list(_bounds(seconds))
    write_page("wall.md", _page(seconds, found, epochs, bounds, rounds))
    return 0 if TINY or all(holds for _, _, holds in bounds) else 1


Figures = dict[tuple[str, str], tuple[float, float, float]]  # (job, contestant): seconds, test metric, epochs


def _round(folder: Path, turn: int) -> Figures:
    figures: Figures = {}
    for job in JOBS:
        if TINY:
            figures[job.name, "script"] = (1.0, *SCRIPTS[job.name]())
        else:
            seconds, printed = _timed([sys.executable, __file__, "--one", job.name])
            figures[job.name, "script"] = (seconds, *json.loads(printed.splitlines()[-1]))
        run = folder / f"{job.name}-{turn}"
        seconds, _ = _timed(_fit(ROOT / job.config, run, (*job.settings, *SMALL), ROOT))
        figures[job.name, "bptrain"] = (seconds, *_judged(run))
    seconds, _ = _timed([sys.executable, "-c", "import keras"])
    figures[PENGUINS, "import keras"] = (seconds, 0.0, 0.0)
    run = folder / f"{PENGUINS}-{turn}"
    seconds, _ = _timed(_fit(folder / f"{PENGUINS}.yaml", run, SMALL_PRESET, folder))
    figures[PENGUINS, "bptrain"] = (seconds, *_judged(run))
    for (name, who), (seconds, metric, epochs) in figures.items():
        print(f"round {turn + 1} {name} {who}: {seconds:.1f} s, {metric:.4f}, {epochs:.0f} epochs", flush=True)
    return figures


def _fit(config: Path, run: Path, chosen: tuple[str, ...], root: Path) -> list[str]:
    words = ["fit", str(config), "--run", str(run), "--root", str(root), *settings(*chosen)]
    return [sys.executable, "-m", "bptrain", *words]


def _timed(command: list[str]) -> tuple[float, str]:
    started = time.perf_counter()
    done = run_process(command)
    if done.returncode:
        sys.exit(done.stderr)
    return time.perf_counter() - started, done.stdout


def _judged(run: Path) -> tuple[float, float]:
    """The primary metric on test rows, and how many epochs there were."""
    content = json.loads((run / "metrics.json").read_text(encoding="utf-8"))
    (target,) = content["targets"].values()
    metrics = target["splits"]["test"]["metrics"]
    primary = "rmse" if target["task"] == "regression" else "accuracy"
    return metrics[primary]["value"], len((run / "history.csv").read_text(encoding="utf-8").splitlines()) - 1


def _bounds(seconds: dict[tuple[str, str], float]) -> Iterator[tuple[str, float, bool]]:
    """Each promise, what was measured, and whether it holds."""
    for job in JOBS:
        if job.bound is not None:
            value = seconds[job.name, "bptrain"] / seconds[job.name, "script"]
            yield f"{job.name}: at most {job.bound} of the script's time", value, value <= job.bound
    value = seconds[PENGUINS, "bptrain"] / seconds[PENGUINS, "import keras"]
    yield "344 rows: at most 2 × `import keras`", value, value <= 2


def _page(
    seconds: dict[tuple[str, str], float],
    found: dict[tuple[str, str], float],
    epochs: dict[tuple[str, str], float],
    bounds: list[tuple[str, float, bool]],
    rounds: int,
) -> str:
    lines = [
        "# Wall time of a training",
        "",
        f"`make bench-wall`: from process start to process end, median of {rounds} rounds of processes that follow one",
        f"another. The textbook network (2 x 64 relu, Adam, batches of 32, Keras' default, {EPOCHS} epochs, the best",
        "kept) and the shipped configs (4 x 256 selu with a cosine, 100 epochs; 256 and 128 relu with dropout,",
        "patience 8) by a plain Keras script and by bptrain, on the same rows. Metric: RMSE or accuracy on test rows.",
        "",
        "| training | who | seconds | metric | epochs |",
        "|---|---|---|---|---|",
    ]
    for (name, who), value in seconds.items():
        lines.append(f"| {name} | {who} | {value:.1f} | {found[name, who]:.4f} | {epochs[name, who]:.0f} |")
    lines += ["", "| promise | measured | holds |", "|---|---|---|"]
    lines += [f"| {text} | {value:.2f} | {'yes' if holds else 'NO'} |" for text, value, holds in bounds]
    return "\n".join(lines) + "\n"


def _write_small(folder: Path) -> None:
    """344 rows, as many as the penguins: four numbers, two columns of labels, three labels to tell apart."""
    rng = random.Random(0)
    rows = ["bill,depth,flipper,mass,island,sex,species"]
    for number in range(344):
        kind = number % 3
        size = [rng.gauss(mean + 3 * kind, 2) for mean in (40, 17, 190, 40)]
        labels = (rng.choice("ABC"), rng.choice(["m", "f"]), ["adelie", "chinstrap", "gentoo"][kind])
        rows.append(",".join([*(f"{value:.1f}" for value in size), *labels]))
    (folder / f"{PENGUINS}.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    (folder / f"{PENGUINS}.yaml").write_text(f"data: {PENGUINS}.csv\ntarget: species\n", encoding="utf-8")


# The plain scripts


def california(shipped: bool = False) -> tuple[float, int]:
    """Test RMSE and epochs of a script on California housing."""
    import keras
    import numpy as np
    import pandas as pd
    from sklearn.model_selection import train_test_split
    from sklearn.preprocessing import StandardScaler

    table = pd.read_csv(ROOT / "data/california.csv.gz")
    rest, test = train_test_split(table, test_size=0.2, random_state=0)
    training, validation = train_test_split(rest, test_size=0.2, random_state=1)
    inputs, target = StandardScaler(), StandardScaler()
    x = inputs.fit_transform(training.drop(columns="MedHouseVal")).astype(np.float32)
    y = target.fit_transform(training[["MedHouseVal"]]).astype(np.float32)

    def prepared(part: Any) -> tuple[Any, Any]:
        columns = inputs.transform(part.drop(columns="MedHouseVal")).astype(np.float32)
        return columns, target.transform(part[["MedHouseVal"]]).astype(np.float32)

    widths, activation = ((256,) * 4, "selu") if shipped else ((64, 64), "relu")
    network = keras.Sequential([*(keras.layers.Dense(n, activation=activation) for n in widths), keras.layers.Dense(1)])
    rate = keras.optimizers.schedules.CosineDecay(0.001, 100 * -(-len(x) // 128)) if shipped else 0.001
    network.compile(keras.optimizers.Adam(rate), "mse")
    epochs = 100 if shipped else EPOCHS
    history = network.fit(
        x, y, batch_size=128 if shipped else 32, epochs=epochs, validation_data=prepared(validation), verbose=0,
        callbacks=[keras.callbacks.EarlyStopping(patience=epochs, restore_best_weights=True)],
    )  # fmt: skip
    columns, truth = prepared(test)
    outputs = network.predict(columns, verbose=0)
    _save(network)
    error = float(target.scale_[0] * np.sqrt(np.mean((outputs - truth) ** 2)))
    return error, len(history.epoch)


def adult(shipped: bool = False) -> tuple[float, int]:
    """Test accuracy and epochs of a script on Adult."""
    import keras
    import numpy as np
    import pandas as pd
    from sklearn.compose import ColumnTransformer, make_column_selector
    from sklearn.model_selection import train_test_split
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    rest, test = (pd.read_csv(ROOT / f"data/adult/{name}.csv.gz", na_values="?") for name in ("train", "test"))
    training, validation = train_test_split(rest, test_size=0.2, random_state=0)
    numbers, labels = make_column_selector(dtype_include="number"), make_column_selector(dtype_exclude="number")
    encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    columns = ColumnTransformer([("numbers", StandardScaler(), numbers), ("labels", encoder, labels)])
    x = columns.fit_transform(training.drop(columns="income")).astype(np.float32)

    def truth(part: Any) -> Any:
        return (part[["income"]].to_numpy() == ">50K").astype(np.float32)

    def prepared(part: Any) -> tuple[Any, Any]:
        return columns.transform(part.drop(columns="income")).astype(np.float32), truth(part)

    layers: list[Any] = []
    for width in (256, 128) if shipped else (64, 64):
        layers += [keras.layers.Dense(width, activation="relu"), *([keras.layers.Dropout(0.2)] if shipped else [])]
    network = keras.Sequential([*layers, keras.layers.Dense(1, activation="sigmoid")])
    network.compile(keras.optimizers.Adam(0.0005), "binary_crossentropy")
    epochs, patience = (100, 8) if shipped else (EPOCHS, EPOCHS)
    history = network.fit(
        x, truth(training), batch_size=256 if shipped else 32, epochs=epochs, validation_data=prepared(validation),
        callbacks=[keras.callbacks.EarlyStopping(patience=patience, restore_best_weights=True)], verbose=0,
    )  # fmt: skip
    outputs = network.predict(prepared(test)[0], verbose=0)
    _save(network)
    return float(np.mean((outputs >= 0.5) == truth(test))), len(history.epoch)


def _save(network: Any) -> None:
    with tempfile.TemporaryDirectory() as folder:
        network.save(Path(folder) / "model.keras")


SCRIPTS: dict[str, Callable[[], tuple[float, int]]] = {
    "california": california,
    "adult": adult,
    "california, as shipped": lambda: california(shipped=True),
    "adult, as shipped": lambda: adult(shipped=True),
}

if __name__ == "__main__":
    sys.exit(main())
