"""What a result depends on and what came out: the content of lock.json, and how two such records differ."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bptrain.config.schema import Config
from bptrain.data.hashes import parts_digest, table_digests
from bptrain.data.splits import Split
from bptrain.errors import DataError, LockedError, RunError, UsageError
from bptrain.features.kinds import KINDS
from bptrain.features.options import IgnoreOptions
from bptrain.messages import fitting as messages
from bptrain.messages import runs as run_messages
from bptrain.runs import storage
from bptrain.runs.arrays import arrays_digest
from bptrain.runs.storage import Json, canonical_json
from bptrain.targets.tasks import TASKS
from bptrain.utils import runtime
from bptrain.utils.text import escape
from bptrain.utils.version import __version__

if TYPE_CHECKING:
    from bptrain.fitting.dataset import Dataset
    from bptrain.fitting.warm_start import BaseRun
    from bptrain.training.state import TrainResult

FORMAT = 4
PACKAGES = ("keras", "tensorflow", "numpy", "pandas", "pyarrow", "scikit-learn")
BACKENDS = {"tensorflow": (), "jax": ("jax", "jaxlib")}  # the packages that each needs besides
# Paths say where things are; the others change no result.
NOT_SETTINGS: Mapping[str, set[str]] = {
    "data": {"train", "validation", "test"},
    "model": {"from_run"},
    "training": {"checkpoints", "tensorboard"},
}
Record = Mapping[str, Json]  # lock.json, or the part of it that is known before training


@dataclass(frozen=True)
class Difference:
    """One thing that a result depends on and that is not as it was; `kind` is `config`, `data` or `environment`."""

    kind: str
    what: str
    before: Json
    now: Json

    def __str__(self) -> str:
        now, before = (
            "nothing" if value is None else escape(value if isinstance(value, str) else canonical_json(value).strip())
            for value in (self.now, self.before)
        )
        return f"{self.what}: {now}, was {before}"


def describe_inputs(config: Config, dataset: Dataset, split: Split, base_run: BaseRun | None) -> dict[str, Json]:
    """The part of lock.json that is known before anything is trained.

    Args:
        config: the complete config.
        dataset, split: the cleaned rows, the sha256 of each file that they are from, and which row is in which part.
        base_run: the run whose weights training begins with.
    """
    settings = config.model_dump(mode="json", exclude=NOT_SETTINGS)
    columns = {
        name: KINDS.get(options.kind, options).cells_are_numbers
        for name, options in config.columns.items()
        if not isinstance(options, IgnoreOptions)
    }
    columns |= {name: not TASKS[options.task].predicts_labels for name, options in config.targets.items()}
    packages = (*PACKAGES, *BACKENDS[runtime.backend()])
    return {
        "format": FORMAT,
        "config": hashlib.sha256(canonical_json(settings).encode()).hexdigest(),
        "settings": settings,
        "data": dict(dataset.digests),
        "table": table_digests(dataset.frame, columns),  # by column, whether its cells are compared as numbers
        "split": parts_digest(dataset.frame.rows, split.parts()),
        "seed": config.seed,
        "threads": config.training.threads,
        "pinned": runtime.pinned(),  # whether variables were set before numpy and TensorFlow loaded
        "instructions": runtime.instructions(),
        "versions": {"bptrain": __version__} | {package: version(package) for package in packages},
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "processor": runtime.processor(),
        "variables": runtime.recorded(),
        "backend": runtime.backend(),
        "code": runtime.git_state(),
    } | ({"warm_start": base_run.lock_entry} if base_run else {})


def write_lock(
    directory: Path,
    inputs: Record,
    trainings: Mapping[str, TrainResult],
    *,
    weights: Mapping[str, np.ndarray],
    metrics: Mapping[str, Json],
) -> None:
    """Write lock.json, once everything else is: what the results depend on, their digests, and how trainings went.

    Args:
        directory: of the run, which has its predictions.
        inputs: what `describe_inputs` gave.
        trainings: the result of each by its label.
        weights: all that were learned, by name.
        metrics: the content of metrics.json. Its warnings are no results: a config that says itself what they were
            about has fewer.
    """
    from bptrain.models import backend

    measured = {name: value for name, value in metrics.items() if name != "warnings"}
    results = {
        "weights": arrays_digest(weights),
        "metrics": hashlib.sha256(canonical_json(measured).encode()).hexdigest(),
        "predictions": storage.file_digest(directory / "predictions.parquet")[0],
    }
    training = {
        label: {
            "epochs": len(result.history),
            "steps": result.n_steps,
            "stopped_by": result.stopped_by,
            "weights_by_epoch": result.digests,
        }
        for label, result in trainings.items()
    }
    threads = backend.threads()  # those it has begun with, which are others where the process was not ours alone
    record = {**inputs, "threads": threads, "results": results, "training": training}
    storage.write_json(directory / "lock.json", record)


def find_differences(before: Record, now: Record) -> list[Difference]:
    """What the results of two records depend on and is not the same. Names of files and of processors do not count."""
    config = _config_differences(before, now)
    data = _data_differences(before, now, same_config=not config)
    environment = [
        Difference("environment", key, before[key], now[key])
        for key in ("backend", "python", "system", "instructions", "pinned")
        if before[key] != now[key]
    ]
    for group, what in (("versions", "the version of {}"), ("variables", "the variable {}")):
        then, here = before[group], now[group]
        environment += [
            Difference("environment", what.format(name), then.get(name), here.get(name))
            for name in sorted(then.keys() | here.keys())
            if then.get(name) != here.get(name)
        ]
    return [*config, *data, *environment]


def find_other_processor(before: Record, now: Record) -> list[Difference]:
    """Whether the processor is another: not refused, as results are mostly the same, but a reason if they are not."""
    then, here = before["processor"], now["processor"]
    return [Difference("environment", "the processor", then, here)] if then != here else []


def require_format(record: Json, name: str) -> None:
    """Raise RunError for a lock.json, or its part that is known before training, of another format."""
    found = record.get("format") if type(record) is dict else None
    if found != FORMAT:
        raise RunError(run_messages.OTHER_LOCK_RECORD(path=name, found=found, format=FORMAT))


def read_lock(path: Path) -> Json:
    """The lock.json that `--locked` names. Raises UsageError when there is no such file, or it is no JSON."""
    try:
        return storage.read_json(path)
    except RunError as error:
        inside = path / "lock.json"
        hint = f"did you mean `{escape(inside)}`?" if inside.is_file() else "give the lock.json of a run"
        reason = error.problems[0].message
        raise UsageError(messages.NO_LOCK_FILE(path=path, reason=reason, where=path, hints=(hint,))) from error


def require_same(locked: Json, now: Record) -> None:
    """Raise LockedError with everything that is not as in the lock.json given; RunError if it is none."""
    differences: list[Difference] = []
    try:
        whole = locked["format"] == FORMAT and locked.keys() >= now.keys() - {"warm_start"}
        if whole:
            differences = find_differences(locked, now)
    except (AttributeError, IndexError, KeyError, TypeError):  # values of other types than ours
        whole = False
    if not whole:
        raise RunError(messages.OTHER_LOCK_FORMAT(format=FORMAT))
    if differences:
        raise LockedError(*(messages.NOT_AS_LOCKED(difference=str(each)) for each in differences))


def require_same_files(expected: Mapping[str, str], digests: Mapping[str, str]) -> None:
    """Raise DataError for files (sha256 by name) that are not those a run was made with."""
    changed = [messages.CHANGED_FILE(where=name) for name in digests if expected.get(name) != digests[name]]
    gone = [messages.GONE_FILE(where=name) for name in expected if name not in digests]
    if changed or gone:
        raise DataError(*changed, *gone)


def _config_differences(before: Record, now: Record) -> list[Difference]:
    then, here = _flatten(before["settings"]), _flatten(now["settings"])
    differences = [
        Difference("config", f"`{escape(key)}`", then.get(key), here.get(key))
        for key in sorted(then.keys() | here.keys())
        if then.get(key) != here.get(key)
    ]
    weights = [record.get("warm_start") for record in (before, now)]
    if weights[0] != weights[1]:
        shown = [None if each is None else each["weights"][:12] for each in weights]
        differences.append(Difference("config", "the weights of `model.from`", *shown))
    return differences


def _data_differences(before: Record, now: Record, *, same_config: bool) -> list[Difference]:
    """Files whose cells agree are the same, however they are written; another config may read other cells."""
    then, here = before["table"], now["table"]
    files = {name: digest for name, digest in now["data"].items() if before["data"].get(name) != digest}
    gone = [name for name in before["data"] if name not in now["data"]]
    if then == here or (not files and not gone and not same_config):
        if same_config and before["split"] != now["split"]:
            return [Difference("data", "which rows are in which part", before["split"][:12], now["split"][:12])]
        return []
    differences = [
        Difference("data", f"the content of `{escape(name)}`", before["data"][name][:12], digest[:12])
        if name in before["data"]
        else Difference("data", f"the file `{escape(name)}`", "not there", "there")
        for name, digest in files.items()
    ]
    differences += [Difference("data", f"the file `{escape(name)}`", "there", "not there") for name in gone]
    if then["rows"] != here["rows"]:
        differences.append(Difference("data", "the number of rows", then["rows"], here["rows"]))
    elif then["cells_in_any_order"] == here["cells_in_any_order"]:
        differences.append(Difference("data", "the order of the rows", then["cells"][:12], here["cells"][:12]))
    return differences


def _flatten(values: Mapping[str, Json], prefix: str = "") -> dict[str, Json]:
    """Values by dotted keys."""
    flat: dict[str, Json] = {}
    for key, value in values.items():
        name = f"{prefix}{key}"
        flat |= _flatten(value, f"{name}.") if isinstance(value, dict) and value else {name: value}
    return flat
