"""What a result depends on and what came out: the content of lock.json, and how two such records differ."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bptrain.config.schema import Config
from bptrain.data.digest import parts_digest, table_digests
from bptrain.data.frame import Frame
from bptrain.data.split import Split
from bptrain.errors import DataError, LockedError, Problem, RunError, UsageError
from bptrain.runs import git, storage
from bptrain.runs.platform import processor
from bptrain.runs.storage import canonical_json
from bptrain.targets.tasks import TASKS
from bptrain.utils import runtime
from bptrain.utils.text import escape
from bptrain.utils.version import __version__

if TYPE_CHECKING:
    from bptrain.training.state import TrainResult

FORMAT = 3
PACKAGES = ("keras", "tensorflow", "numpy", "pandas", "pyarrow", "scikit-learn")
BACKENDS = {"tensorflow": (), "jax": ("jax", "jaxlib")}  # the packages that each needs besides
LABELS = ("ignore", "categorical", "ordinal", "boolean", "group", "date", "time")  # kinds whose cells are no numbers
# Paths say where things are; the others change no result.
NOT_SETTINGS: Any = {
    "data": {"train", "validation", "test"},
    "model": {"from_run"},
    "training": {"checkpoints", "tensorboard"},
}


@dataclass(frozen=True)
class Difference:
    """One thing that a result depends on and that is not as it was; `kind` is `config`, `data` or `environment`."""

    kind: str
    what: str
    before: Any
    now: Any

    def __str__(self) -> str:
        return f"{self.what}: {_shown(self.now)}, was {_shown(self.before)}"


def inputs(
    config: Config,
    data: Mapping[str, str],
    frame: Frame,
    split: Split,
    *,
    warm_start: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """The part of lock.json that is known before anything is trained.

    `config` is settled; `data` maps each input file, as the config names it, to its sha256. `pinned` says whether
    variables were set before numpy and TensorFlow loaded; `warm_start` holds the digest of the weights to begin with.
    """
    packages = (*PACKAGES, *BACKENDS[runtime.backend()])
    return {
        "format": FORMAT,
        "config": config_digest(config),
        "settings": settings(config),
        "data": dict(data),
        "table": table_digests(frame, _columns(config)),
        "split": parts_digest(frame.rows, split.parts()),
        "seed": config.seed,
        "threads": config.training.threads,
        "pinned": runtime.pinned(),
        "instructions": runtime.instructions(),
        "versions": {"bptrain": __version__} | {package: version(package) for package in packages},
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "processor": processor(),
        "variables": runtime.recorded(),
        "backend": runtime.backend(),
        "code": git.state(),
    } | ({"warm_start": dict(warm_start)} if warm_start else {})


def lock(
    before: Mapping[str, Any], results: Mapping[str, str], trained: Mapping[str, TrainResult], *, threads: int
) -> dict[str, Any]:
    """lock.json: the `inputs`, digests of what came out, and how each training went, by label.

    `threads` is what the backend used: it has begun with others where the process was not ours alone.
    """
    course = {
        label: {
            "epochs": len(each.history),
            "steps": each.n_steps,
            "stopped_by": each.stopped_by,
            "weights_by_epoch": each.digests,
        }
        for label, each in trained.items()
    }
    return {**before, "threads": threads, "results": dict(results), "training": course}


def differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[Difference]:
    """What the results of two records depend on and is not the same. Names of files and of processors do not count."""
    config = list(_config_differences(before, now))
    environment_ = list(_environment_differences(before, now))
    return [*config, *_data_differences(before, now, same_config=not config), *environment_]


def require_format(record: Any, name: str) -> None:
    """Raise RunError for a lock.json, or its part that is known before training, of another format."""
    found = record.get("format") if type(record) is dict else None
    if found != FORMAT:
        message = f"`{escape(name)}` has format {found}, and this bptrain compares format {FORMAT}"
        raise RunError(Problem("BP506", message, hints=("use the bptrain version that made it, or make a new run",)))


def other_processor(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[Difference]:
    """Whether the processor is another: not refused, as results are mostly the same, but a reason if they are not."""
    then, here = before["processor"], now["processor"]
    return [Difference("environment", "the processor", then, here)] if then != here else []


def read_lock(path: Path) -> Any:
    """The lock.json that `--locked` names. Raises UsageError when there is no such file, or it is no JSON."""
    try:
        return storage.read_json(path)
    except RunError as error:
        inside = path / "lock.json"
        hints = (f"did you mean `{escape(inside)}`?",) if inside.is_file() else ("give the lock.json of a run",)
        message = f"`{escape(path)}` is no lock.json: {error.problems[0].message}"
        raise UsageError(Problem("BP522", message, escape(path), hints=hints)) from error


def require_same(locked: Any, now: Mapping[str, Any]) -> None:
    """Raise LockedError with everything that is not as in the lock.json given; RunError if it is none."""
    try:
        whole = locked["format"] == FORMAT and locked.keys() >= now.keys() - {"warm_start"}
        found = differences(locked, now) if whole else []
    except (AttributeError, IndexError, KeyError, TypeError):  # values of other types than ours
        whole = False
    if not whole:
        message = f"the file given by `--locked` is not a lock.json of format {FORMAT}"
        raise RunError(Problem("BP522", message, hints=("give the lock.json of a run that this bptrain made",)))
    hint = "use what the lock was made with, or leave `--locked` out"
    if found:
        raise LockedError(*(Problem("BP701", f"not as locked: {each}", hints=(hint,)) for each in found))


def settings(config: Config) -> dict[str, Any]:
    """The complete config without its paths and what changes no result."""
    values: dict[str, Any] = config.model_dump(mode="json", exclude=NOT_SETTINGS)
    return values


def config_digest(config: Config) -> str:
    """sha256 of the `settings`, independent of how the file was written."""
    return hashlib.sha256(canonical_json(settings(config)).encode()).hexdigest()


def check_data(expected: Mapping[str, str], found: Mapping[str, str]) -> None:
    """Raise DataError for files (name → sha256) that are not those a run was made with."""
    changed = [name for name in found if expected.get(name) != found[name]]
    gone = [name for name in expected if name not in found]
    if changed or gone:
        raise DataError(
            *(
                Problem(
                    "BP270",
                    "this file is not the one that the run was made with: its sha256 differs",
                    where=name,
                    hints=("judge other data with `bptrain evaluate RUN --data FILE`, or restore the file",),
                )
                for name in changed
            ),
            *(Problem("BP270", "this file of the run is no longer among its data", where=name) for name in gone),
        )


def _columns(config: Config) -> dict[str, bool]:
    """The columns that results depend on, and whether their cells are numbers."""
    used = {name: options.kind not in LABELS for name, options in config.columns.items() if options.kind != "ignore"}
    return used | {name: not TASKS[options.task].predicts_labels for name, options in config.targets.items()}


def _config_differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[Difference]:
    then, here = _flat(before["settings"]), _flat(now["settings"])
    for key in sorted(then.keys() | here.keys()):
        if then.get(key) != here.get(key):
            yield Difference("config", f"`{escape(key)}`", then.get(key), here.get(key))
    if before.get("warm_start") != now.get("warm_start"):
        yield Difference(
            "config", "the weights of `model.from`", _short(before.get("warm_start")), _short(now.get("warm_start"))
        )


def _data_differences(before: Mapping[str, Any], now: Mapping[str, Any], *, same_config: bool) -> Iterator[Difference]:
    """Files whose cells agree are the same, however they are written; another config may read other cells."""
    then, here = before["table"], now["table"]
    files = {name: digest for name, digest in now["data"].items() if before["data"].get(name) != digest}
    gone = [name for name in before["data"] if name not in now["data"]]
    if then == here or (not files and not gone and not same_config):
        if same_config and before["split"] != now["split"]:
            yield Difference("data", "which rows are in which part", before["split"][:12], now["split"][:12])
        return
    for name, digest in files.items():
        if name in before["data"]:
            yield Difference("data", f"the content of `{escape(name)}`", before["data"][name][:12], digest[:12])
        else:
            yield Difference("data", f"the file `{escape(name)}`", "not there", "there")
    yield from (Difference("data", f"the file `{escape(name)}`", "there", "not there") for name in gone)
    if then["rows"] != here["rows"]:
        yield Difference("data", "the number of rows", then["rows"], here["rows"])
    elif then["cells_in_any_order"] == here["cells_in_any_order"]:
        yield Difference("data", "the order of the rows", then["cells"][:12], here["cells"][:12])


def _environment_differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[Difference]:
    for key in ("backend", "python", "system", "instructions", "pinned"):
        if before[key] != now[key]:
            yield Difference("environment", key, before[key], now[key])
    for group, what in (("versions", "the version of {}"), ("variables", "the variable {}")):
        then, here = before[group], now[group]
        for name in sorted(then.keys() | here.keys()):
            if then.get(name) != here.get(name):
                yield Difference("environment", what.format(name), then.get(name), here.get(name))


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Values by dotted keys."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        name = f"{prefix}{key}"
        found |= _flat(value, f"{name}.") if isinstance(value, dict) and value else {name: value}
    return found


def _short(value: Mapping[str, str] | None) -> str | None:
    return None if value is None else value["weights"][:12]


def _shown(value: Any) -> str:
    if value is None:
        return "nothing"
    return escape(value if isinstance(value, str) else canonical_json(value).strip())
