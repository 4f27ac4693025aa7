"""Whether the code of now computes what the code before the restructuring did, bit for bit.

    python tools/same.py [--only NAMES] [--cache DIR] [--old DIR] [--new DIR] [--all]

Fits, evaluates and predicts 12 configs with both and compares by value: all arrays of the model, histories,
predictions, also out of fold, metrics and resolved configs. The code before is a git worktree of commit ad900fa that
tool makes; its results are kept in the cache and used again.

What was renamed in between is in one place, below: `KEYS` of the config, each given to a code in its own spelling, and
`NAMES` and `VALUES` of what a run holds. Prints differences and how many of the configs are the same; exit 1 if not
all are.
"""

from __future__ import annotations

import argparse
import copy
import csv
import gzip
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import before
import numpy as np
import pyarrow.parquet as pq
import yaml

ROOT = before.ROOT
KEYS = {  # old key of the config → new key
    "training.watch": "training.monitor",
    "training.average": "training.ema_momentum",
    "model.skip": "model.linear",
    "model.keep": "model.ensemble_selection",
    "model.embedding.dimension": "model.embedding.d_embedding",
    "model.embedding.frequencies": "model.embedding.n_frequencies",
    "model.embedding.spread": "model.embedding.frequency_init_scale",
    "model.embedding.periodic_dimension": "model.embedding.d_periodic",
}
TABLES = r"^(predictions|out_of_fold|evaluated|evaluated on rows|predicted)"
NAMES = (  # what an old name looks like → the new one; each is tried, `{target}` is the only target of the config
    (TABLES + r"/(target|prediction)$", r"\1/{target}.\2"),
    (TABLES + r"/probability_(.+)$", r"\1/{target}.probability.\2"),
    (TABLES + r"/([^/]+)\.probability_(.+)$", r"\1/\2.probability.\3"),
    (r"^model/preparer.npz/numeric/knots$", r"model/preparer.npz/numeric/bin_edges"),
)
VALUES = {  # of resolved configs, which say no `auto` any more
    "config/training/engine": ("auto", "by_cost"),
    "config/model/initializer": ("auto", "by_activation"),
    "config/model/ensemble_selection": ("auto", "by_loss"),
}
OUT_OF_FOLD = ("validation", "out_of_fold")  # what rows were called that each network left out, in parts and metrics
NOT_RESULTS = ("message", "where", "hints", "text", "format")  # keys of JSON: words for people, versions of a layout
N_PRINTED = 10  # differences of each config, without `--all`


@dataclass(frozen=True)
class Case:
    """A config in the new spelling, on every so many rows of a shipped table, and whether networks leave rows out."""

    config: Mapping[str, Any]
    tables: Mapping[str, tuple[str, int]]  # file name below the folder of tables: shipped file, every so many rows
    out_of_fold: bool = False
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def rows(self) -> str:
        """The table that is evaluated and predicted."""
        return list(self.tables)[-1]

    @property
    def targets(self) -> list[str]:
        """The names of its targets."""
        if "targets" in self.config:
            return list(self.config["targets"])
        target = self.config["target"]
        return [target["column"] if isinstance(target, dict) else target]


def shipped(name: str, **sections: Any) -> dict[str, Any]:
    """A config of `configs/` with some keys of some sections replaced, without gates."""
    config: dict[str, Any] = yaml.safe_load((ROOT / f"configs/{name}.yaml").read_text(encoding="utf-8"))
    for section, values in sections.items():
        known = config.get(section, {})
        config[section] = {**(known if isinstance(known, dict) else {"train": known}), **values}
    return {name: value for name, value in config.items() if name != "evaluation"}


TELCO = {"telco.csv": ("telco.csv.gz", 1)}
AMES = {"ames.csv": ("ames.csv.gz", 3)}
DIAMONDS = {"diamonds.csv": ("diamonds.csv.gz", 20)}
CLARITIES = ["I1", "SI2", "SI1", "VS2", "VS1", "VVS2", "VVS1", "IF"]
HOTEL = {"hotel.csv": ("hotel.csv.gz", 3)}
CASES = {
    "adult": Case(
        shipped(
            "adult",
            data={"train": "train.csv", "test": "test.csv"},
            training={"epochs": 2, "monitor": "primary", "ema_momentum": 0.99, "clip_norm": 1.0},
        ),
        {"train.csv": ("adult/train.csv.gz", 6), "test.csv": ("adult/test.csv.gz", 12)},
    ),
    "california": Case(
        shipped(
            "california",
            data={"train": "california.csv"},
            model={"hidden": [64, 64], "normalization": "batch", "l2": 0.001},
            training={"epochs": 3, "warmup": 0.5, "optimizer": "nadam"},
        ),
        {"california.csv": ("california.csv.gz", 3)},
    ),
    "hotel": Case(
        shipped(
            "hotel", data={"train": "hotel.csv"}, training={"epochs": 2, "engine": "plain"}, model={"linear": True}
        ),
        HOTEL,
    ),
    "hotel-later": Case(
        shipped("hotel-later", data={"train": "hotel.csv"}, training={"epochs": 2}, model={"kind": "fast"}), HOTEL
    ),
    "telco, strong": Case({"data": "telco.csv", "target": "churn", "training": {"epochs": 2}}, TELCO, out_of_fold=True),
    "ames, folds": Case(
        {
            "data": "ames.csv",
            "target": {"column": "Sale_Price", "task": "regression"},
            "split": {"folds": 3},
            "model": {"kind": "strong", "networks": 2, "members": 4, "ensemble_selection": "auto", "hidden": [32]},
            "training": {"epochs": 2, "monitor": "loss"},
        },
        AMES,
        out_of_fold=True,
    ),
    "diamonds, ensemble": Case(
        {
            "data": "diamonds.csv",
            "target": "cut",
            "columns": {"clarity": {"kind": "ordinal", "order": CLARITIES}, "table": {"kind": "numeric", "bins": 8}},
            "split": {"kind": "hash", "column": "x"},
            "model": {
                "kind": "ensemble",
                "networks": 3,
                "members": 4,
                "hidden": [32, 16],
                "linear": "half",
                "ensemble_selection": 2,
                "embedding": {"d_embedding": 4, "n_frequencies": 6, "frequency_init_scale": 0.5, "d_periodic": 3},
            },
            "training": {"epochs": 2, "ema_momentum": 0.995, "schedule": "one_cycle"},
        },
        DIAMONDS,
        out_of_fold=True,
    ),
    "telco, fast, refit": Case(
        {
            "data": "telco.csv",
            "target": "churn",
            "model": {"kind": "fast", "normalization": "layer"},
            "training": {"epochs": 3, "final": "refit", "schedule": "plateau", "last_batch": "keep"},
        },
        TELCO,
    ),
    "diamonds, weights, groups": Case(
        {
            "data": "diamonds.csv",
            "target": "price",
            "columns": {"carat": "weight", "clarity": "group"},
            "split": {"validation": 0.3},
            "model": {"kind": "mlp", "hidden": [32], "dropout": 0.1, "activation": "gelu"},
            "training": {"epochs": 2, "optimizer": {"kind": "adamw", "weight_decay": 0.01}},
        },
        DIAMONDS,
    ),
    "diamonds, two targets": Case(
        {
            "data": "diamonds.csv",
            "targets": {"price": {"loss": "mae"}, "color": {"class_weights": "balanced"}},
            "model": {"kind": "strong", "members": 2, "networks": 2, "hidden": [16]},
            "training": {"epochs": 2, "batch_size": 64},
        },
        DIAMONDS,
        out_of_fold=True,
    ),
    "california, streamed": Case(
        {
            "data": {"train": "california.csv", "residence": "stream"},
            "target": "MedHouseVal",
            "model": {"kind": "mlp", "hidden": [32, 32], "linear": True},
            "columns": {"Latitude": {"kind": "numeric", "bins": 16, "periodic": True}},
            "training": {"epochs": 2, "optimizer": {"kind": "sgd", "momentum": 0.9}},
        },
        {"california.csv": ("california.csv.gz", 3)},
    ),
    "telco, JAX": Case(
        {
            "data": "telco.csv",
            "target": {"column": "churn", "task": "binary"},
            "model": {"kind": "strong", "networks": 2, "members": 2, "hidden": [16], "dropout": 0.1},
            "training": {"epochs": 2},
        },
        {"telco.csv": ("telco.csv.gz", 2)},
        out_of_fold=True,
        variables={"KERAS_BACKEND": "jax"},
    ),
}

PROGRAM = """
import json, sys
from bptrain.cli import main
for arguments in json.loads(sys.argv[1]):
    code = main.run(arguments)
    if code not in (0, 3):
        raise SystemExit(f"{arguments}: exit {code}")
"""


# Running


def run(case: Case, code: Path, config: Mapping[str, Any], folder: Path, tables: Path) -> None:
    """Fit, evaluate and predict in one process with the code of a checkout."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "c.yaml").write_text(yaml.safe_dump(dict(config), sort_keys=False), encoding="utf-8")
    run_folder, rows = str(folder / "run"), str(tables / case.rows)
    commands = [
        ["fit", str(folder / "c.yaml"), "--run", run_folder, "--root", str(tables), "--quiet"],
        ["evaluate", run_folder, "--root", str(tables), "--out", str(folder / "evaluated")],
        ["evaluate", run_folder, "--data", rows, "--out", str(folder / "evaluated on rows")],
        ["predict", run_folder, rows, "-o", str(folder / "predicted.parquet")],
    ]
    variables = {**os.environ, "PYTHONPATH": str(code), "PYTHONDONTWRITEBYTECODE": "1", **case.variables}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(commands)],
        cwd=code,
        env=variables,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{folder.name} with {code}:\n{done.stdout[-1000:]}{done.stderr[-3000:]}")
    (folder / "complete").touch()


def write_tables(case: Case, folder: Path) -> None:
    """The tables of a case: the header and every so many rows of the shipped files."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, (source, every) in case.tables.items():
        with gzip.open(ROOT / "data" / source, "rt", encoding="utf-8") as file:
            header, *lines = file
        (folder / name).write_text("".join([header, *lines[::every]]), encoding="utf-8")


def in_old_words(config: Mapping[str, Any]) -> dict[str, Any]:
    """The config in the spelling of the code before."""
    old = copy.deepcopy(dict(config))
    for old_key, new_key in KEYS.items():
        *sections, name = new_key.split(".")
        section: Any = old
        for part in sections:
            section = section.get(part, {}) if isinstance(section, dict) else {}
        if isinstance(section, dict) and name in section:
            section[old_key.split(".")[-1]] = section.pop(name)
    return old


def fingerprint(case: Case, code: Path) -> str:
    """What the cached results of a case depend on, beside the machine."""
    versions = [version(name) for name in ("keras", "tensorflow", "jax", "numpy", "pandas", "pyarrow", "scikit-learn")]
    content = [PROGRAM, str(code), case.config, case.tables, case.variables, versions, sys.version]
    return hashlib.sha256(json.dumps(content, default=dict).encode()).hexdigest()[:16]


# Comparing


def results(folder: Path) -> dict[str, Any]:
    """Everything that was computed, by name: arrays, columns of tables, leaves of metrics and resolved config."""
    found: dict[str, Any] = {}
    run_folder = folder / "run"
    for path in sorted(run_folder.rglob("*.npz")):
        with np.load(path) as arrays:
            for name in arrays.files:
                found[f"{path.relative_to(run_folder).as_posix()}/{name}"] = arrays[name]
    files = {path.stem: path for path in run_folder.glob("*.parquet")}
    files |= {name: folder / name / "predictions.parquet" for name in ("evaluated", "evaluated on rows")}
    files["predicted"] = folder / "predicted.parquet"
    for stem, path in files.items():
        for name, column in zip((table := pq.read_table(path)).column_names, table.columns, strict=True):
            found[f"{stem}/{name}"] = column.to_numpy()
    with (run_folder / "history.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for name in rows[0]:
        found[f"history/{name}"] = np.array([row[name] for row in rows])
    contents = {
        "metrics": json.loads((run_folder / "metrics.json").read_bytes()),
        "cleaning": json.loads((run_folder / "cleaning.json").read_bytes()),
        "config": yaml.safe_load((run_folder / "config.yaml").read_text(encoding="utf-8")),
    }
    for name in ("evaluated", "evaluated on rows"):
        contents[f"metrics of {name}"] = json.loads((folder / name / "metrics.json").read_bytes())
    for name, content in contents.items():
        found.update(leaves(content, name))
    return found


def leaves(content: Any, name: str) -> Iterator[tuple[str, Any]]:
    """The leaves of JSON or YAML content, by path."""
    if isinstance(content, dict) and content:
        for key, value in content.items():
            if key not in NOT_RESULTS:
                yield from leaves(value, f"{name}/{key}")
    elif isinstance(content, list) and content:
        for number, value in enumerate(content):
            yield from leaves(value, f"{name}/{number}")
    else:
        yield name, content


def renamed(old: Mapping[str, Any], case: Case) -> dict[str, Any]:
    """Results of the code before under the names of now."""
    found = {new_name(name, case): value for name, value in old.items()}
    return {name: new_value(name, value, case) for name, value in found.items()}


def new_name(name: str, case: Case) -> str:
    """The name of now for a result of the code before."""
    target = case.targets[0] if len(case.targets) == 1 else ""
    for pattern, replacement in NAMES:
        if target or "{target}" not in replacement:
            name = re.sub(pattern, lambda match, r=replacement: match.expand(r).replace("{target}", target), name)
    if name.startswith("config/"):
        for old_key, new_key in KEYS.items():
            name = re.sub(f"^config/{old_key.replace('.', '/')}(?=/|$)", f"config/{new_key.replace('.', '/')}", name)
    if case.out_of_fold and name.startswith("metrics"):
        name = name.replace(f"/splits/{OUT_OF_FOLD[0]}/", f"/splits/{OUT_OF_FOLD[1]}/")
    return name


def new_value(name: str, value: Any, case: Case) -> Any:
    """The value of now, of a name of now."""
    if name in VALUES and value == VALUES[name][0]:
        return VALUES[name][1]
    if case.out_of_fold and name.endswith("/split") and isinstance(value, np.ndarray):
        return np.where(value == OUT_OF_FOLD[0], OUT_OF_FOLD[1], value)
    return value


def equal(one: Any, other: Any) -> bool:
    """Whether two values are the same bit for bit (NaN equals itself)."""
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        if one.shape != other.shape or one.dtype != other.dtype:
            return False
        return one.tobytes() == other.tobytes() if one.dtype.kind in "fiub" else bool((one == other).all())
    return type(one) is type(other) and repr(one) == repr(other)  # of floats the shortest text that reads back equal


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """What differs, in words, for results under the names of now."""
    texts = [
        f"{name}: {shown(value)} before, {shown(new[name])} now"
        for name, value in old.items()
        if name in new and not equal(value, new[name])
    ]
    added = {name: new[name] for name in new if name not in old}
    for name in old:
        if name in new:
            continue
        alike = [other for other in added if isinstance(old[name], np.ndarray) and equal(old[name], added[other])]
        texts.append(f"{name}: not there now" + (f"; `{alike[0]}` has its values" if alike else ""))
    return texts + [f"{name}: not there before" for name in added]


def shown(value: Any) -> str:
    """A value in few words."""
    if not isinstance(value, np.ndarray):
        return repr(value)
    return f"{value.dtype}{list(value.shape)} {np.array2string(value.ravel()[:3], precision=9)}"


def main() -> int:
    """Run what is asked for, compare, and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", default=";".join(CASES), help="names of configs, with ; between them")
    parser.add_argument("--cache", type=Path, default=ROOT / ".proof/same")
    parser.add_argument("--all", action="store_true", help="print all differences")
    parser.add_argument("--old", type=Path, help="another checkout as the code before")
    parser.add_argument("--new", type=Path, default=ROOT, help="another checkout as the code of now")
    asked = parser.parse_args()
    if unknown := set(asked.only.split(";")) - CASES.keys():
        parser.error(f"--only: no config is called {'; '.join(sorted(unknown))}; there are {'; '.join(CASES)}")
    code = asked.old.resolve() if asked.old else before.checkout()
    cache = asked.cache.resolve()

    def compare(name: str) -> list[str]:
        case = CASES[name]
        tables = cache / "tables" / re.sub(r"\W+", "-", name)
        write_tables(case, tables)
        kept = cache / f"before-{fingerprint(case, code)}" / tables.name
        if not (kept / "complete").exists():
            run(case, code, in_old_words(case.config), kept, tables)
        now = asked.new.resolve() / ".proof/same/now" / tables.name
        run(case, asked.new.resolve(), case.config, now, tables)
        return differences(renamed(results(kept), case), results(now))

    names = asked.only.split(";")
    n_same = 0
    with ThreadPoolExecutor(2) as pool:
        for name, texts in zip(names, pool.map(compare, names), strict=True):
            n_same += not texts
            print(f"{name}: {'the same' if not texts else f'{len(texts)} differences'}", flush=True)
            for text in texts if asked.all else texts[:N_PRINTED]:
                print(f"  {text}")
    print(f"{n_same}/{len(names)} the same")
    return 0 if n_same == len(names) else 1


if __name__ == "__main__":
    sys.exit(main())
