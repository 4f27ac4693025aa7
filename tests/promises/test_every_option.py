"""Every option of the schema does something: another value gives other arrays, another network or another report.

The options are listed by the schema itself, so one that is added without a case here fails
`test_every_option_of_the_schema_has_a_case`, and one that the code forgets fails `test_option_does_something`.
Options of data, cleaning, splits and most columns are compared by the arrays that reach the network, the others by what
a tiny fit gives.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, get_args

import numpy as np
import pytest

from bptrain import fit
from bptrain.config.json_schema import Schema, alternatives, child, follow, literals, sections_schema, variants
from bptrain.config.load import config_from_mapping
from bptrain.data.files import AllowedPaths
from bptrain.errors import BptrainError
from bptrain.fitting import dataset, inputs
from bptrain.models.options import KnownInitializer

pytestmark = [pytest.mark.usefixtures("backend", "unexported"), pytest.mark.slow]

N_ROWS = 90
COLUMN = {  # the column, or target, of the made table whose options are changed
    "boolean": "flag",
    "date": "day",
    "numeric": "size",
    "ordinal": "grade",
    "categorical": "colour",
    "auto": "label",
    "binary": "label",
    "multiclass": "sort",
    "regression": "amount",
}
NETWORK = ("columns.categorical.", "columns.numeric.bins", "columns.numeric.periodic")  # embeddings are part of it


@dataclass(frozen=True)
class Case:
    """Values that must all give something different, for a config with `base` (dotted keys) set.

    Without values, those that the schema lists are taken; `auto` is none of them, as it means one of the others.
    `column` is the one whose options are changed, instead of that in COLUMN.
    """

    values: Sequence[Any] = ()
    base: Mapping[str, Any] = field(default_factory=dict)
    column: str = ""


SGD = {"training.optimizer": {"kind": "sgd", "learning_rate": 0.1}}
WILD = {  # the validation loss goes up and down
    "training.optimizer": {"kind": "sgd", "learning_rate": 2.0},
    "training.batch_size": 4,
    "training.epochs": 6,
    "training.patience": None,
    "training.restore_best": False,
}
BOTH = {"label": {"task": "binary"}, "sort": {"task": "multiclass"}, "amount": {"task": "regression"}}
SCALE = ["low", "mid", "high"]
CASES: dict[str, Case] = {
    "data.train": Case([["t.csv"], ["t.csv", "more.csv"]]),
    "data.validation": Case([[], ["more.csv"]]),
    "data.test": Case([[], ["more.csv"]]),
    "data.format": Case(["csv", "tsv", "jsonl"], {"data.train": ["t.txt"]}),
    "data.delimiter": Case([None, ";"]),
    "data.decimal": Case(base={"data.train": ["decimal.csv"], "data.delimiter": ";"}),
    "data.encoding": Case(["utf-8", "latin-1"], {"data.train": ["latin.csv"]}),
    "data.na_values": Case([[""], ["", "red"]]),
    "data.header": Case(base={"data.names": None}),
    "data.names": Case([None, list("abcdefghijklmn")], {"data.header": False}),
    "clean.missing_target": Case(base={"targets": {"holes": {"task": "binary"}}}),
    "clean.duplicates": Case(base={"data.train": ["twice.csv"]}),
    "clean.rare_class": Case(base={"targets": {"rare": {"task": "multiclass"}}, "clean.rare_class_rows": 30}),
    "clean.rare_class_rows": Case([2, 30], {"targets": {"rare": {"task": "multiclass"}}, "clean.rare_class": "group"}),
    "clean.strip": Case(base={"columns.messy": "categorical", "columns.messy.min_count": 1}),
    "clean.case": Case(base={"columns.messy": "categorical", "columns.messy.min_count": 1}),
    "clean.constants": Case(),
    "clean.identifiers": Case(),
    "split.kind": Case(
        ["random", "stratified", "group", "hash"], {"columns.town": "group", "split.column": None, "split.test": 0.3}
    ),
    "split.column": Case(["town", "colour"], {"split.kind": "hash"}),
    "split.test": Case([0.2, 0.3, 0.0]),
    "split.validation": Case([0.2, 0.3, 0.0]),
    "split.folds": Case([None, 2, 3]),
    "split.seed": Case([0, 1], {"seed": 0}),
    "columns.boolean.true_values": Case([["si"], []], {"columns.flag.false_values": ["non"]}),
    "columns.boolean.false_values": Case([["non"], []], {"columns.flag.true_values": ["si"]}),
    "columns.boolean.indicator": Case(base={"columns.flag.true_values": ["si"], "columns.flag.false_values": ["non"]}),
    "columns.date.format": Case(["iso", "%d.%m.%Y"]),
    "columns.date.parts": Case([None, ["month"], ["weekday"], ["year", "quarter"]]),
    "columns.date.cyclic": Case(),
    "columns.date.elapsed": Case(),
    "columns.date.indicator": Case(),
    "columns.numeric.missing": Case(base={"columns.size.fill": 7.0}),
    "columns.numeric.fill": Case([0.0, 7.0], {"columns.size.missing": "constant"}),
    "columns.numeric.indicator": Case(),
    "columns.numeric.scaling": Case(),
    "columns.numeric.clip": Case(base={"columns.size.clip_limit": 0.5}),
    "columns.numeric.clip_limit": Case([0.5, 1.0], {"columns.size.clip": "hard"}),
    "columns.numeric.bins": Case([0, 4, 6]),
    "columns.numeric.periodic": Case([False, True]),
    "columns.numeric.range": Case([None, [0, None], [None, 2], [0, 2]]),
    "columns.numeric.out_of_range": Case(base={"columns.size.range": [-1, 1]}),
    "columns.numeric.outliers": Case(base={"columns.size.outlier_limit": 0.1}),
    "columns.numeric.outlier_rule": Case(base={"columns.size.outliers": "clip", "columns.size.outlier_limit": 0.1}),
    "columns.numeric.outlier_limit": Case([0.05, 0.1], {"columns.size.outliers": "clip"}),
    "columns.numeric.thousands": Case([None, ","], {"columns.price.unit": "$"}, "price"),
    "columns.numeric.unit": Case([None, "$"], {"columns.price.thousands": ","}, "price"),
    "columns.ordinal.order": Case([SCALE, SCALE[::-1], [*SCALE, "top"]]),
    "columns.ordinal.encoding": Case(base={"columns.grade.order": SCALE}),
    "columns.ordinal.indicator": Case(base={"columns.grade.order": SCALE}),
    "columns.categorical.encoding": Case(),
    "columns.categorical.one_hot_limit": Case([1, 64]),
    "columns.categorical.dimension": Case([2, 3], {"columns.colour.encoding": "embedding"}),
    "columns.categorical.min_count": Case([1, 30]),
    "targets.auto.positive": Case(["yes", "no"]),
    "targets.auto.threshold": Case([0.2, 0.8]),
    "targets.auto.temperature": Case([0.5, 2.0]),
    "targets.auto.loss.cross_entropy.label_smoothing": Case([0.0, 0.2]),
    "targets.auto.loss.focal.gamma": Case([0.0, 2.0]),
    "targets.auto.loss.huber.delta": Case([0.1, 1.0], column="amount"),
    "targets.auto.loss.quantile.quantile": Case([0.1, 0.9], column="amount"),
    "targets.auto.class_weights": Case(["none", "balanced", {"yes": 5.0}], {"targets": {"rare": {}}}),
    "targets.auto.loss_weight": Case([1.0, 9.0], {"targets": {**BOTH, "label": {"task": "auto"}}}),
    "targets.binary.positive": Case(["yes", "no"]),
    "targets.binary.threshold": Case([0.2, 0.8]),
    "targets.binary.temperature": Case([0.5, 2.0]),
    "targets.binary.loss.cross_entropy.label_smoothing": Case([0.0, 0.2]),
    "targets.binary.loss.focal.gamma": Case([0.0, 2.0]),
    "targets.binary.class_weights": Case(["none", {"yes": 5.0}]),
    "targets.binary.loss_weight": Case([1.0, 9.0], {"targets": BOTH}),
    "targets.multiclass.temperature": Case([0.5, 2.0]),
    "targets.multiclass.loss.cross_entropy.label_smoothing": Case([0.0, 0.2]),
    "targets.multiclass.loss.focal.gamma": Case([0.0, 2.0]),
    "targets.multiclass.class_weights": Case(["none", {"a": 5.0}]),
    "targets.multiclass.loss_weight": Case([1.0, 9.0], {"targets": BOTH}),
    "targets.regression.loss.huber.delta": Case([0.1, 1.0]),
    "targets.regression.loss.quantile.quantile": Case([0.1, 0.9]),
    "targets.regression.clip": Case([False, True], {"training.optimizer": {"kind": "sgd", "learning_rate": 1.0}}),
    "targets.regression.transform": Case(["none", "log"]),
    "targets.regression.loss_weight": Case([1.0, 9.0], {"targets": BOTH}),
    "model.hidden": Case([[], [4], [4, 4], "auto"]),
    "model.activation": Case(),
    "model.initializer": Case(list(get_args(KnownInitializer))),
    "model.normalization": Case(),
    "model.dropout": Case([0.0, 0.3]),
    "model.l1": Case([0.0, 0.05]),
    "model.l2": Case([0.0, 0.05]),
    "model.embedding.d_embedding": Case([2, 3], {"columns.size.bins": 4}),
    "model.embedding.n_frequencies": Case([2, 3], {"columns.size.periodic": True}),
    "model.embedding.frequency_init_scale": Case([0.5, 1.0], {"columns.size.periodic": True}),
    "model.embedding.d_periodic": Case([2, 3], {"columns.size.periodic": True}),
    "model.kind": Case(base={"model.networks": 2}),
    "model.linear": Case([False, True, "half"], {"model.members": 3}),
    "model.members": Case([1, 2]),
    "model.ensemble_selection": Case([None, 2], {"model.members": 3}),
    "model.networks": Case([1, 2]),
    "model.from": Case([None, "earlier"]),
    "training.optimizer.sgd.momentum": Case([0.0, 0.9]),
    "training.optimizer.sgd.nesterov": Case(base={"training.optimizer.momentum": 0.9}),
    "training.optimizer.rmsprop.rho": Case([0.5, 0.9]),
    "training.optimizer.rmsprop.momentum": Case([0.0, 0.9]),
    "training.optimizer.adamw.weight_decay": Case([0.0, 0.5]),
    "training.optimizer.adagrad.initial_accumulator_value": Case([0.1, 1.0]),
    **{f"training.optimizer.{kind}.beta_1": Case([0.5, 0.9]) for kind in ("adam", "adamw", "nadam", "lion")},
    **{f"training.optimizer.{kind}.beta_2": Case([0.5, 0.9]) for kind in ("adam", "adamw", "nadam", "lion")},
    **{
        f"training.optimizer.{kind}.learning_rate": Case([0.01, 0.02])
        for kind in ("sgd", "rmsprop", "adam", "adamw", "nadam", "adagrad", "lion")
    },
    "training.schedule.step.every": Case([1, 2]),
    "training.schedule.step.factor": Case([0.1, 0.5], {"training.schedule.every": 1}),
    "training.schedule.exponential.factor": Case([0.1, 0.5]),
    "training.schedule.cosine.final": Case([0.0, 0.9]),
    "training.schedule.one_cycle.rise": Case([0.3, 0.6]),
    "training.schedule.one_cycle.start": Case([0.04, 0.5]),
    "training.schedule.one_cycle.final": Case([0.0, 0.5]),
    "training.schedule.cyclic.cycles": Case([1, 2]),
    "training.schedule.plateau.factor": Case([0.1, 0.5], WILD | {"training.schedule.patience": 1}),
    "training.schedule.plateau.patience": Case([1, 50], WILD),
    "training.schedule.plateau.minimum": Case([0.0, 0.9], WILD | {"training.schedule.patience": 1}),
    "training.warmup": Case([0, 2]),
    "training.clip_norm": Case([None, 0.01], SGD),
    "training.clip_value": Case([None, 0.01], SGD),
    "training.weight_decay": Case([None, 0.5]),
    "training.ema_momentum": Case([None, 0.5]),
    "training.last_batch": Case(),
    "training.batch_size": Case([8, 32, "all"]),
    "training.epochs": Case([1, 3]),
    "training.patience": Case([None, 1], WILD),
    "training.monitor": Case(["loss", "primary"], WILD | {"training.restore_best": True}),
    "training.restore_best": Case(base=WILD),
    "training.final": Case(),
    "training.stop_at_loss": Case([None, 100.0]),
    "training.minutes": Case([None, 1e-9]),
    "training.tensorboard": Case(),
    "evaluation.primary": Case(["accuracy", "auc"]),
    "evaluation.gates": Case([[], ["accuracy >= 0.99"]]),
    "seed": Case([0, 1]),
}
ELSEWHERE = {
    "data.residence",  # another order of the rows: test_streaming.py
    "data.memory_limit",  # test_streaming.py
    "training.checkpoints.minutes",  # how often, which changes no result: test_resume.py
    "training.checkpoints.epochs",
    "training.engine",  # the numbers are to be the same: tests/training/test_loops.py
    "training.threads",  # fixed for a process: below
}


# The options of the schema


@dataclass(frozen=True)
class Option:
    """A leaf of the schema: its name with the chosen alternatives, its keys in a config, and the choices above it."""

    name: str
    path: tuple[str, ...]
    choices: Mapping[tuple[str, ...], str]
    listed: tuple[Any, ...]


def options() -> dict[str, Option]:
    """Every leaf of the schema by name, such as `columns.numeric.clip` or `training.schedule.step.every`."""
    return {option.name: option for option in _options(sections_schema(), "", (), {})}


def _options(
    schema: Schema, name: str, path: tuple[str, ...], choices: Mapping[tuple[str, ...], str]
) -> Iterator[Option]:
    tagged = variants(schema)
    for tag, section in tagged.items():
        discriminator = schema["discriminator"]["propertyName"]
        chosen = {**choices, (*path, discriminator): tag}
        only = "" if len(tagged) == 1 else f".{tag}"
        yield from _fields(section, name + only, path, chosen, without=discriminator)
    for one in () if tagged else map(follow, alternatives(schema)):
        below = child(one, "NAME") if isinstance(one.get("additionalProperties"), dict) else None
        if "properties" in one:
            yield from _fields(one, name, path, choices)
        elif below is not None and variants(below):
            yield from _options(below, name, (*path, "NAME"), choices)
        else:
            listed = (True, False) if one.get("type") == "boolean" else tuple(literals(one))
            yield Option(name.lstrip("."), path, choices, listed)


def _fields(
    section: Schema, name: str, path: tuple[str, ...], choices: Mapping[tuple[str, ...], str], without: str = ""
) -> Iterator[Option]:
    for key, below in section["properties"].items():
        if key != without:
            yield from _options(below, f"{name}.{key}", (*path, key), choices)


OPTIONS = options()


# What a value gives


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the tables, and a run to start from."""
    folder = tmp_path_factory.mktemp("options")
    text = _csv(0)
    for name in ("t.csv", "t.txt"):
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "twice.csv").write_text(text + text.partition("\n")[2], encoding="utf-8")
    (folder / "more.csv").write_text(_csv(1), encoding="utf-8")
    (folder / "latin.csv").write_text(text, encoding="latin-1")
    (folder / "decimal.csv").write_text(_csv(0, delimiter=";", decimal=","), encoding="utf-8")
    fit(config_of("model.from", {}), run=folder / "earlier", root=folder)
    return folder


def _csv(seed: int, *, delimiter: str = ",", decimal: str = ".") -> str:
    """A table in which every option has something to do."""
    rng = np.random.default_rng(seed)
    size = rng.normal(0.5, 2.0, N_ROWS)
    signal = size + rng.normal(0.0, 1.0, N_ROWS)
    columns: dict[str, Sequence[object]] = {
        "size": ["" if n % 9 == 4 else f"{value:.3f}" for n, value in enumerate(size)],
        "price": [f'"{value:,.2f} $"' for value in rng.uniform(900, 4000, N_ROWS)],
        "flag": ["" if n % 7 == 3 else "si" if n % 3 else "non" for n in range(N_ROWS)],
        "day": ["" if n % 11 == 5 else f"202{n % 4}-{n % 12 + 1:02}-{n % 28 + 1:02}" for n in range(N_ROWS)],
        "grade": ["" if n % 8 == 2 else SCALE[n * n % 7 % 3] for n in range(N_ROWS)],
        "colour": [["red", "grün", "blue"][int(value)] for value in 3 * rng.random(N_ROWS) ** 2],
        "messy": [["ham", "Ham", "ham ", "spam"][n % 4] for n in range(N_ROWS)],
        "town": [f"town {n % 13}" for n in range(N_ROWS)],
        "same": ["x"] * N_ROWS,
        "key": [f"{hash_:016x}" for hash_ in rng.integers(2**60, size=N_ROWS)],
        "label": np.where(signal > np.median(signal), "yes", "no").tolist(),
        "sort": np.array(["a", "b", "c"])[np.argsort(np.argsort(signal)) * 3 // N_ROWS].tolist(),
        "holes": ["" if n == 5 else "yes" if n % 2 else "no" for n in range(N_ROWS)],
        "rare": ["once" if n == 6 else "some" if n % 7 == 3 else "yes" if n % 2 else "no" for n in range(N_ROWS)],
        "amount": [f"{value:.4f}" for value in signal],
    }
    lines = [delimiter.join(columns)]
    for row in zip(*columns.values(), strict=True):
        lines.append(delimiter.join(str(cell).replace(".", decimal) if decimal != "." else str(cell) for cell in row))
    return "\n".join(lines) + "\n"


def config_of(name: str, changes: Mapping[str, Any]) -> dict[str, Any]:
    """A config in which the option `name` may be changed, with these dotted keys set."""
    section, kind, *_ = name.split(".") + [""]
    column = CASES[name].column or COLUMN.get(kind, "")
    target = column if section == "targets" else "label"
    unused = ["label", "sort", "holes", "rare", "amount", "price", "messy"]
    config: dict[str, Any] = {
        "data": {"train": ["t.csv"]},
        "targets": {target: {}},
        "columns": {
            "size": {"kind": "numeric"},
            "flag": {"kind": "ignore"},
            "day": {"kind": "ignore"},
            "grade": {"kind": "ignore"},
        },
        "split": {},
        "model": {"kind": "mlp", "hidden": [4]},
        "training": {"epochs": 3, "batch_size": 32},
    }
    for path, tag in OPTIONS[name].choices.items():
        _set(config, _of_column(path, column), tag)
    for key, value in changes.items():
        _set(config, _of_column(tuple(key.split(".")), column), value)
    config["columns"] |= {each: "ignore" for each in unused if each not in config["columns"]}
    config["columns"] = {each: its for each, its in config["columns"].items() if each not in config["targets"]}
    return config


def _of_column(path: tuple[str, ...], column: str) -> tuple[str, ...]:
    return tuple(column if key == "NAME" else key for key in path)


def _set(config: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    for key in path[:-1]:
        if not isinstance(config.get(key), dict):
            config[key] = {"kind": config[key]} if isinstance(config.get(key), str) else {}
        config = config[key]
    config[path[-1]] = deepcopy(value)


@cache
def outcome(name: str, value: str, folder: Path) -> str:
    """A digest of what the option at this value (JSON) gives, or the code of the error."""
    option, case = OPTIONS[name], CASES[name]
    config = config_of(name, case.base | {".".join(option.path): json.loads(value)})
    try:
        is_prepared = name.startswith(("data.", "clean.", "split.", "columns.")) and not name.startswith(NETWORK)
        return _prepared(config, folder) if is_prepared else _fitted(_Whole(config), folder)
    except BptrainError as error:
        return error.problems[0].code


def _prepared(config: Mapping[str, Any], folder: Path) -> str:
    """Of the arrays that reach the network."""
    digest = hashlib.sha256()
    found = dataset.load_dataset(config_from_mapping(config), AllowedPaths.create(folder))
    published = dataset.split_rows(found)
    resolved, _, learned = inputs.resolve_config(found, published, None)
    prepared = [inputs.transform_parts(resolved, learned, found.frame)]
    for split in dataset.split_folds(found) if found.config.split.folds else []:
        learned = inputs.learn_preparation(resolved.complete, found.frame, split, None, published=published)
        prepared.append(inputs.transform_parts(resolved, learned, found.frame))
    for ready in prepared:
        for part in ready.parts.values():
            digest.update(repr(part.rows.tolist()).encode())
            for array in (*part.inputs.values(), *part.encoded, part.weight):
                digest.update(repr((array.dtype, array.shape)).encode() + np.ascontiguousarray(array).tobytes())
            digest.update(repr([truth.to_pylist() for truth in part.truths.values()]).encode())
    return digest.hexdigest()


class _Whole:
    """A config, equal to those that mean the same: the default of an option is that of many others."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        self.config, self._meaning = config, config_from_mapping(config).model_dump_json()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Whole) and self._meaning == other._meaning

    def __hash__(self) -> int:
        return hash(self._meaning)


@cache
def _fitted(whole: _Whole, folder: Path) -> str:
    """Of what a run holds, without what only repeats the config."""
    with TemporaryDirectory() as directory:
        run = fit(whole.config, run=Path(directory) / "run", root=folder)
        report = {key: run.metrics[key] for key in ("targets", "gates", "primary")}
        digest = hashlib.sha256(json.dumps([report, run.lock["results"]["weights"]]).encode())
        digest.update((run.path / "history.csv").read_bytes())
        digest.update((run.path / "predictions.parquet").read_bytes())
        digest.update(repr((run.path / "tensorboard").exists()).encode())
    return digest.hexdigest()


def test_every_option_of_the_schema_has_a_case() -> None:
    assert set(CASES) | ELSEWHERE == set(OPTIONS)


@pytest.mark.parametrize("name", CASES)
def test_option_does_something(name: str, folder: Path) -> None:
    case, option = CASES[name], OPTIONS[name]
    values = [json.dumps(value) for value in case.values or option.listed if value != "auto"]
    assert len(values) > 1
    given = {value: outcome(name, value, folder) for value in values}
    same = [pair for pair in itertools.combinations(given, 2) if given[pair[0]] == given[pair[1]]]
    assert not same


def test_threads_are_those_of_tensorflow() -> None:
    code = "from bptrain.models import backend; backend.start(threads={}); print(backend.threads())"
    told = {n: subprocess.run([sys.executable, "-c", code.format(n)], capture_output=True, text=True) for n in (1, 3)}
    assert {n: done.stdout.strip() for n, done in told.items()} == {1: "1", 3: "3"}
