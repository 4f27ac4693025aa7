"""How good the defaults are: bptrain's presets beside boosting, a plain Keras script and other usual choices.

    python benchmarks/quality.py [--sets NAMES] [--models NAMES] [--seeds N] [--splits N] [--peers PYTHON] [--jobs N]
    python benchmarks/quality.py --published     presets on the split of California that papers use, to quality.jsonl
    python benchmarks/quality.py --page          write quality.md from what was measured before
    python benchmarks/quality.py --tiny          a few rows for the contestants, nothing is kept

Every contestant has every table as it is, with the parameters its library ships with, in a process of its own. The
test rows are those of scikit-learn's train_test_split with random_state 0 (Adult: its official file); seeds change
the models, not the rows. Results are kept in quality.jsonl, a line per process, and are not measured again; `seconds`
is null where a process was stopped meanwhile, or had others beside it: with several `--jobs` presets have one thread
each, which changes their seconds and memory alone. `--peers` names a Python that has lightgbm, xgboost and catboost; by
default that of this process.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean, median
from typing import Any

from shared import ROOT, SMALL, SMALL_PRESET, TINY, arguments, bptrain, write_page
from shared import settings as options

RECORD = Path(__file__).parent / "quality.jsonl"
FOLDS = 5


@dataclass(frozen=True)
class Table:
    """A table of `data/`, its target, the metric that ranks, and what the config must say beside that."""

    file: str
    target: str
    metric: str
    config: str = ""
    positive: str | None = None
    na_values: tuple[str, ...] = ()
    test: str | None = None
    validation: str | None = None
    by_splits: bool = False  # so small that several splits are needed


TABLES = {
    "california": Table("california.csv.gz", "MedHouseVal", "rmse"),
    "adult": Table(
        "adult/train.csv.gz", "income", "accuracy", positive=">50K", na_values=("?",), test="adult/test.csv.gz"
    ),
    "diamonds": Table("diamonds.csv.gz", "price", "rmse"),
    "telco": Table("telco.csv.gz", "churn", "auc", positive="Yes", by_splits=True),
    "hotel": Table("hotel.csv.gz", "avg_price_per_room", "rmse"),
    "ames": Table("ames.csv.gz", "Sale_Price", "rmse", by_splits=True),
}
LOWER_IS_BETTER = {"rmse"}
# 64 % to train on, 16 % to validate, 20 % to test: Gorishniy et al. 2021 and later papers.
PUBLISHED = "california 64/16/20"


# Rows as the peers get them


def load(name: str, split: int) -> tuple[Any, Any, Any, Any]:
    """Columns and target of training and of test rows, with labels as pandas categories and dates as numbers."""
    import numpy as np
    import pandas as pd
    from sklearn.model_selection import train_test_split

    table = TABLES[name]
    n_rows = 300 if TINY else None
    read = {"nrows": n_rows, "na_values": list(table.na_values), "skipinitialspace": True}
    frame = pd.read_csv(ROOT / "data" / table.file, **read)
    if table.test:
        n_train = len(frame)
        frame = pd.concat([frame, pd.read_csv(ROOT / "data" / table.test, **read)], ignore_index=True)
        train, test = np.arange(n_train), np.arange(n_train, len(frame))
    y = frame.pop(table.target)
    if table.positive:
        y = (y.astype(str).str.lower() == table.positive.lower()).astype(int)
    if not table.test:
        stratify = y if table.positive else None
        train, test = train_test_split(np.arange(len(frame)), test_size=0.2, random_state=split, stratify=stratify)
    for column in frame.columns:
        if pd.api.types.is_numeric_dtype(frame[column]):
            continue
        text = frame[column].astype("object")
        if text.dropna().astype(str).str.fullmatch(r"\d{4}-\d{2}-\d{2}").all():
            dates = pd.to_datetime(text)
            frame[column] = (dates - pd.Timestamp("1970-01-01")).dt.days
            frame[f"{column}_month"], frame[f"{column}_weekday"] = dates.dt.month, dates.dt.dayofweek
        else:
            frame[column] = text.astype("category")
    return frame.iloc[train], y.iloc[train], frame.iloc[test], y.iloc[test]


def measured(name: str, truth: Any, predicted: Any) -> dict[str, float]:
    """The metrics of predictions: numbers, or probabilities of the positive label."""
    import numpy as np
    from sklearn.metrics import log_loss, roc_auc_score

    if not TABLES[name].positive:
        return {"rmse": float(np.sqrt(np.mean((np.asarray(truth) - predicted) ** 2)))}
    return {
        "accuracy": float(np.mean((predicted >= 0.5) == truth)),
        "auc": float(roc_auc_score(truth, predicted)),
        "log_loss": float(log_loss(truth, predicted)),
    }


# Contestants: (training columns, training target, test columns, seed) → predictions of the test rows

Fit = Callable[[Any, Any, Any, int], Any]


def _numbers(x: Any, x_test: Any) -> tuple[Any, Any]:
    """One-hot labels and standardised numbers with indicators of missing cells, as a scikit-learn user would."""
    from sklearn.compose import make_column_selector, make_column_transformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    prepare = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore", sparse_output=False), make_column_selector(dtype_include="category")),
        (
            make_pipeline(SimpleImputer(strategy="median", add_indicator=True), StandardScaler()),
            make_column_selector(dtype_exclude="category"),
        ),
    )
    return prepare.fit_transform(x), prepare.transform(x_test)


def _is_labels(y: Any) -> bool:
    return bool(y.nunique() == 2)


def _predicted(model: Any, x: Any, labels: bool) -> Any:
    return model.predict_proba(x)[:, 1] if labels else model.predict(x)


def linear(x: Any, y: Any, x_test: Any, seed: int) -> Any:
    """Logistic or ridge regression."""
    from sklearn.linear_model import LogisticRegression, Ridge

    labels = _is_labels(y)
    x, x_test = _numbers(x, x_test)
    return _predicted((LogisticRegression(max_iter=5000) if labels else Ridge()).fit(x, y), x_test, labels)


def sklearn_mlp(x: Any, y: Any, x_test: Any, seed: int) -> Any:
    """scikit-learn's MLP with early stopping; the target of a regression standardised."""
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    labels = _is_labels(y)
    x, x_test = _numbers(x, x_test)
    if labels:
        return _predicted(MLPClassifier(random_state=seed, early_stopping=True).fit(x, y), x_test, True)
    mean, scale = y.mean(), y.std()
    model = MLPRegressor(random_state=seed, early_stopping=True, max_iter=500).fit(x, (y - mean) / scale)
    return model.predict(x_test) * scale + mean


def keras_script(x: Any, y: Any, x_test: Any, seed: int) -> Any:
    """Two hidden layers of 256, Adam, patience 16: what a tutorial ends with."""
    import keras
    from sklearn.model_selection import train_test_split

    keras.utils.set_random_seed(seed)
    labels = _is_labels(y)
    x, x_test = _numbers(x, x_test)
    y = y.to_numpy(float)
    mean, scale = (0.0, 1.0) if labels else (y.mean(), y.std())
    x, x_val, y, y_val = train_test_split(x, (y - mean) / scale, test_size=0.2, random_state=seed)
    layers = [keras.layers.Dense(256, "relu"), keras.layers.Dense(256, "relu")]
    network = keras.Sequential([*layers, keras.layers.Dense(1, "sigmoid" if labels else None)])
    network.compile("adam", "binary_crossentropy" if labels else "mse")
    stop = keras.callbacks.EarlyStopping(patience=16, restore_best_weights=True)
    network.fit(
        x, y, validation_data=(x_val, y_val), batch_size=256, epochs=200, callbacks=[stop], verbose=0
    )  # fmt: skip
    return network.predict(x_test, verbose=0)[:, 0] * scale + mean


def hist_gradient_boosting(x: Any, y: Any, x_test: Any, seed: int) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    labels = _is_labels(y)
    kind = HistGradientBoostingClassifier if labels else HistGradientBoostingRegressor
    return _predicted(kind(random_state=seed, categorical_features="from_dtype").fit(x, y), x_test, labels)


def lightgbm(x: Any, y: Any, x_test: Any, seed: int) -> Any:
    from lightgbm import LGBMClassifier, LGBMRegressor

    labels = _is_labels(y)
    model = (LGBMClassifier if labels else LGBMRegressor)(random_state=seed, verbose=-1, n_jobs=2)
    return _predicted(model.fit(x, y), x_test, labels)


def xgboost(x: Any, y: Any, x_test: Any, seed: int) -> Any:
    from xgboost import XGBClassifier, XGBRegressor

    labels = _is_labels(y)
    model = (XGBClassifier if labels else XGBRegressor)(random_state=seed, enable_categorical=True, n_jobs=2)
    return _predicted(model.fit(x, y), x_test, labels)


def catboost(x: Any, y: Any, x_test: Any, seed: int) -> Any:
    from catboost import CatBoostClassifier, CatBoostRegressor

    labels = _is_labels(y)
    names = [name for name in x.columns if x[name].dtype == "category"]
    x, x_test = x.copy(), x_test.copy()
    for each in (x, x_test):
        for name in names:
            each[name] = each[name].astype("object").where(each[name].notna(), "missing").astype(str)
    settings = {"random_seed": seed, "verbose": 0, "thread_count": 2, "allow_writing_files": False}
    model = (CatBoostClassifier if labels else CatBoostRegressor)(cat_features=names, **settings)
    return _predicted(model.fit(x, y), x_test, labels)


def bagged(fit: Fit) -> Fit:
    """The mean of five, each trained without another fold: what bptrain's default has, too."""

    def fit_folds(x: Any, y: Any, x_test: Any, seed: int) -> Any:
        from sklearn.model_selection import KFold, StratifiedKFold

        folds = (StratifiedKFold if _is_labels(y) else KFold)(FOLDS, shuffle=True, random_state=seed)
        parts = [fit(x.iloc[rest], y.iloc[rest], x_test, seed) for rest, _ in folds.split(x, y)]
        return sum(parts) / FOLDS

    return fit_folds


def realmlp(x: Any, y: Any, x_test: Any, seed: int) -> Any:
    """RealMLP with its tuned defaults, by pytabkit; it takes no missing numbers, so these are filled."""
    from pytabkit import RealMLP_TD_Classifier, RealMLP_TD_Regressor

    labels = _is_labels(y)
    numeric = [name for name in x.columns if x[name].dtype != "category"]
    medians = x[numeric].median()
    x = x.assign(**{name: x[name].fillna(medians[name]) for name in numeric})
    x_test = x_test.assign(**{name: x_test[name].fillna(medians[name]) for name in numeric})
    model = (RealMLP_TD_Classifier if labels else RealMLP_TD_Regressor)(device="cpu", random_state=seed, n_threads=2)
    model.fit(x, y.to_numpy())
    return _predicted(model, x_test, labels)


PEERS: dict[str, Fit] = {
    "Keras script": keras_script,
    "scikit-learn MLP": sklearn_mlp,
    "linear": linear,
    "HistGradientBoosting": hist_gradient_boosting,
    "LightGBM": lightgbm,
    "XGBoost": xgboost,
    "CatBoost": catboost,
    "LightGBM, 5 folds": bagged(lightgbm),
    "CatBoost, 5 folds": bagged(catboost),
    "RealMLP-TD": realmlp,
}
PRESETS = ("mlp", "fast", "strong", "ensemble")
MODELS = (*PEERS, *(f"bptrain {preset}" for preset in PRESETS))


# Measuring


def run_peer(name: str, model: str, seed: int, split: int) -> dict[str, Any]:
    """Metrics, seconds from before the table is read, and the most memory of a process of its own."""
    started = time.monotonic()
    x, y, x_test, y_test = load(name, split)
    predicted = PEERS[model](x, y, x_test, seed)
    seconds = time.monotonic() - started
    return {
        "metrics": measured(name, y_test, predicted),
        "seconds": seconds,
        "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def run_preset(name: str, preset: str, seed: int, split: int, settings: tuple[str, ...] = ()) -> dict[str, Any]:
    """`bptrain fit` as a user starts it; seconds from the start of the process to its end."""
    with tempfile.TemporaryDirectory() as folder:
        table, root = (_published(Path(folder)), folder) if name == PUBLISHED else (TABLES[name], str(ROOT))
        config, run = Path(folder) / "c.yaml", Path(folder) / "run"
        config.write_text(config_text(table, preset), encoding="utf-8")
        if name != PUBLISHED:
            settings = (f"split.seed={split}", *settings)
        settings += SMALL if preset == "mlp" else SMALL_PRESET
        words = ["fit", str(config), "--run", str(run), "--root", root, *options(f"seed={seed}", *settings)]
        _, seconds = bptrain(*words)
        metrics = json.loads((run / "metrics.json").read_text(encoding="utf-8"))
        splits = metrics["targets"][table.target]["splits"]
        chosen_by = splits["out_of_fold" if "out_of_fold" in splits else "validation"]
        most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        return {
            "metrics": {name: value["value"] for name, value in splits["test"]["metrics"].items()},
            "validation": {name: value["value"] for name, value in chosen_by["metrics"].items()},
            "epochs": [network["epochs"] for network in metrics["training"]["networks"]],
            "seconds": seconds,
            "megabytes": most,
        }


def _published(folder: Path) -> Table:
    """California with rows for validation and test in files of their own."""
    import pandas as pd
    from sklearn.model_selection import train_test_split

    table = TABLES["california"]
    rest, test = train_test_split(pd.read_csv(ROOT / "data" / table.file, dtype=str), test_size=0.2, random_state=0)
    train, validation = train_test_split(rest, test_size=0.2, random_state=1)
    parts = {"train": train, "validation": validation, "test": test}
    (folder / "data").mkdir()
    for part, rows in parts.items():
        rows.to_csv(folder / f"data/{part}.csv", index=False)
    return replace(table, file="train.csv", validation="validation.csv", test="test.csv")


def config_text(table: Table, preset: str) -> str:
    files = {"train": table.file, "validation": table.validation, "test": table.test}
    data = ", ".join(f"{part}: data/{file}" for part, file in files.items() if file)
    if table.na_values:
        data += f", na_values: {json.dumps(list(table.na_values))}"
    target = f"column: {table.target}" + (f", positive: {json.dumps(table.positive)}" if table.positive else "")
    lines = [f"data: {{{data}}}", f"target: {{{target}}}", f"model: {preset}"]
    return "\n".join([*lines, f"evaluation: {{primary: {table.metric}}}", table.config]) + "\n"


def results() -> list[dict[str, Any]]:
    """Everything measured so far."""
    if not RECORD.exists():
        return []
    return [json.loads(line) for line in RECORD.read_text(encoding="utf-8").splitlines()]


def measure(name: str, model: str, seed: int, split: int, *, peers: str, alone: bool) -> None:
    """Measure one contestant once and note it; its seconds only if it is `alone`."""
    python = sys.executable if model.startswith("bptrain ") else peers
    arguments = [python, __file__, "--one", name, model, str(seed), str(split), *([] if alone else ["--threads", "1"])]
    process = subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True, check=False)
    if process.returncode:
        print(f"{name}, {model}: failed\n{process.stderr[-2000:]}", file=sys.stderr)
        return
    found = json.loads(process.stdout.splitlines()[-1])
    seconds = found["seconds"]
    line = {"table": name, "model": model, "seed": seed, "split": split, **found, "seconds": seconds if alone else None}
    with RECORD.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
    metric = TABLES["california" if name == PUBLISHED else name].metric
    print(f"{name:11} {model:22} {seed} {split}  {found['metrics'][metric]:.5g}  {seconds:.1f} s", flush=True)


def measure_all(contestants: list[tuple[str, str, int, int]], *, peers: str, jobs: int) -> None:
    """Measure (table, model, seed, split), so many `jobs` at a time."""
    if jobs == 1:
        for contestant in contestants:
            measure(*contestant, peers=peers, alone=True)
        return
    workers = ThreadPoolExecutor(jobs)
    try:
        for done in as_completed(
            [workers.submit(measure, *contestant, peers=peers, alone=False) for contestant in contestants]
        ):
            done.result()
    finally:
        workers.shutdown(cancel_futures=True)


# The page


def values(found: list[dict[str, Any]], name: str, model: str) -> list[float]:
    """The ranking metric of every run of a model on a table: over seeds on the first split, else over splits."""
    table = TABLES[name]
    own = [each for each in found if each["table"] == name and each["model"] == model]
    chosen = [each for each in own if each["seed"] == 0 or not table.by_splits]
    return [each["metrics"][table.metric] for each in sorted(chosen, key=lambda each: (each["split"], each["seed"]))]


def page() -> str:
    """Metrics, ranks, seconds and memory of everything measured."""
    found = results()
    models = [model for model in MODELS if any(each["model"] == model for each in found)]
    means = {
        (name, model): mean(every)
        for name in TABLES
        for model in models
        if (every := values(found, name, model))
    }  # fmt: skip
    head = [f"{name} ({table.metric}{', 5 splits' if table.by_splits else ''})" for name, table in TABLES.items()]
    lines = [
        "# How good the defaults are",
        "",
        "Made by `python benchmarks/quality.py`: test rows of scikit-learn's split with random_state 0 (Adult: its",
        "official file), mean over seeds (in brackets how many runs); telco and ames over splits. Parameters are those",
        "that each library ships with. Rank and distance to the best of a table are means over the tables, among all",
        "models that were run on all of them.",
        "",
        f"| model | {' | '.join(head)} | mean rank | mean distance |",
        f"|---|{'---|' * (len(head) + 2)}",
    ]
    complete = [model for model in models if all((name, model) in means for name in TABLES)]
    for model in models:
        cells = [
            f"{means[name, model]:.5g} ({len(values(found, name, model))})" if (name, model) in means else ""
            for name in TABLES
        ]
        ranked = [f"{_rank(means, model, complete):.2f}", f"{_distance(means, model, complete):.2f} %"]
        lines.append(f"| {model} | {' | '.join(cells)} | {' | '.join(ranked if model in complete else ['', ''])} |")
    published = [
        f"{model.removeprefix('bptrain ')} {mean(each['metrics']['rmse'] for each in own):.4f} ({len(own)})"
        for model in models
        if (own := [each for each in found if (each["table"], each["model"]) == (PUBLISHED, model)])
    ]
    if published:
        lines += ["", f"RMSE of {PUBLISHED} (64 % of the rows train, 16 % validate): {', '.join(published)}."]
    lines += [
        "",
        "Seconds from the start of the process (median; machines were shared, some slow), and megabytes at most:",
        "",
    ]
    lines += [f"| model | {' | '.join(TABLES)} |", f"|---|{'---|' * len(TABLES)}"]
    for model in models:
        cells = []
        for name in TABLES:
            own = [each for each in found if (each["table"], each["model"]) == (name, model)]
            most = max((each["megabytes"] for each in own), default=0)
            seconds = [each["seconds"] for each in own if each["seconds"] is not None]
            times = [f"{median(seconds):.1f} s"] if seconds else []
            cells.append(", ".join([*times, f"{most:.0f} MB"]) if own else "")
        lines.append(f"| {model} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _error(name: str, value: float) -> float:
    return value if TABLES[name].metric in LOWER_IS_BETTER else 1 - value


def _rank(means: dict[tuple[str, str], float], model: str, models: list[str]) -> float:
    """The mean over tables of the place among the models."""
    errors = {name: sorted(_error(name, means[name, each]) for each in models) for name in TABLES}
    return mean(errors[name].index(_error(name, means[name, model])) + 1 for name in TABLES) if model in models else 0


def _distance(means: dict[tuple[str, str], float], model: str, models: list[str]) -> float:
    """The mean over tables of how much larger its error is than the least, in per cent."""
    least = {name: min(_error(name, means[name, each]) for each in models) for name in TABLES}
    if model not in models:
        return 0.0
    return mean(100 * (_error(name, means[name, model]) / least[name] - 1) for name in TABLES)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--one", nargs=4)
    parser.add_argument("--page", action="store_true")
    parser.add_argument("--published", action="store_true")
    parser.add_argument("--sets", default=",".join(TABLES))
    parser.add_argument("--models", default=";".join(MODELS), help="names, with ; between them")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--splits", type=int, default=5)
    parser.add_argument("--peers", default=sys.executable)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--threads", type=int, help="of a preset that is measured by `--one`")
    asked = parser.parse_args(arguments())
    if TINY:
        return _tiny()
    if asked.one:
        name, model, seed, split = asked.one[0], asked.one[1], int(asked.one[2]), int(asked.one[3])
        if model.startswith("bptrain "):
            settings = (f"training.threads={asked.threads}",) if asked.threads else ()
            found = run_preset(name, model.removeprefix("bptrain "), seed, split, settings)
        else:
            found = run_peer(name, model, seed, split)
        print(json.dumps(found))
        return 0
    if asked.published:
        asked.sets, asked.splits = PUBLISHED, 1
    if not asked.page:
        measure_all(list(_waiting(asked)), peers=asked.peers, jobs=asked.jobs)
    write_page("quality.md", page())
    return 0


def _tiny() -> int:
    """Every peer that is installed on a few rows of telco, two presets with an epoch."""
    for peer in PEERS:
        try:
            print(peer, run_peer("telco", peer, 0, 0)["metrics"])
        except ImportError as error:
            print(f"{peer}: skipped, {error}")
    for preset in ("mlp", "strong"):
        print(preset, run_preset("telco", preset, 0, 0)["metrics"])
    write_page("quality.md", page())
    return 0


def _waiting(asked: argparse.Namespace) -> Iterator[tuple[str, str, int, int]]:
    """Table, model, seed and split of what is asked for and not measured yet."""
    done = {(each["table"], each["model"], each["seed"], each["split"]) for each in results()}
    for seed in range(asked.seeds):
        for name in asked.sets.split(","):
            several = name in TABLES and TABLES[name].by_splits and seed == 0
            for split in range(asked.splits if several else 1):
                for model in _models(asked.models, presets=name == PUBLISHED):
                    if (name, model, seed, split) not in done:
                        yield name, model, seed, split


def _models(names: str, *, presets: bool) -> list[str]:
    """Those of the names that there are, or presets alone."""
    wanted = names.split(";")
    return [model for model in MODELS if model in wanted and not (presets and model in PEERS)]


if __name__ == "__main__":
    sys.exit(main())
