"""`model: {from: RUN}`: training goes on from the weights of an earlier run, with that run's preparation of columns.

Weights mean something only together with the numbers that scaled the columns, so those of the earlier run are kept:
what its training rows taught about columns and targets is not learned again. What the config says explicitly must
agree with the earlier run; what it leaves open is taken from there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from bptrain.config.load import config_from_text
from bptrain.config.schema import Config
from bptrain.config.write import flow_yaml
from bptrain.data.files import AllowedPaths
from bptrain.errors import Problem, RunError, UsageError
from bptrain.features.defaults import defaults_of_kinds
from bptrain.features.inference import match_patterns
from bptrain.features.kinds import IgnoreOptions, is_feature
from bptrain.features.preparer import Columns
from bptrain.models.options import NetworkOptions, StrongOptions
from bptrain.models.predictor import WEIGHTS, check_columns, load_preparation
from bptrain.runs.arrays import Expected
from bptrain.runs.manifest import RunFiles, open_run
from bptrain.targets.preparer import Targets, learned_options
from bptrain.targets.tasks import with_tasks
from bptrain.utils.section import Section
from bptrain.utils.text import escape, quote_list

KEY = ("model", "from")
FREE = {"from_run", "initializer", "dropout", "l1", "l2", "keep"}  # may differ from the earlier run: no weight's shape
UNSAID = StrongOptions().kind  # of a model whose kind was not written


@dataclass(frozen=True)
class BaseRun:
    """A verified run to start from: its complete config and what its training rows taught."""

    files: RunFiles
    config: Config
    columns: Columns
    targets: Targets

    def weights(self, number: int, expected: Expected) -> dict[str, np.ndarray]:
        """The weights by name of one of its networks, counted from 0.

        Raises RunError when names, dtypes or shapes are not those expected.
        """
        return self.files.read_arrays(WEIGHTS.format(number), expected)

    def provenance(self) -> dict[str, str]:
        """What lock.json holds of it: the digest of its weights."""
        digest: str = self.files.read_json("lock.json")["results"]["weights"]
        return {"weights": digest}


def open_earlier(config: Config, roots: AllowedPaths) -> BaseRun | None:
    """The run that `model.from` names, or None. Raises RunError when it is damaged or no run."""
    written = config.model.from_run
    if written is None:
        return None
    try:
        files = open_run(roots.folder(written))
    except RunError as error:
        named = (replace(each, hints=(*each.hints, "the config names it at `model.from`")) for each in error.problems)
        raise RunError(*named) from error
    text = files.read_bytes("config.yaml").decode()
    columns, targets = load_preparation(files)
    return BaseRun(files, config_from_text(text, source=str(files.path("config.yaml"))), columns, targets)


def with_earlier(config: Config, earlier: BaseRun) -> Config:
    """The config with the targets and the network of the earlier run.

    Raises UsageError for everything that the config says otherwise.
    """
    problems = [*_other_targets(config, earlier), *_other_network(config.model, earlier.config.model)]
    if problems:
        raise UsageError(*problems)
    own = {name: getattr(config.model, name) for name in config.model.model_fields_set & FREE}
    model = earlier.config.model.model_copy(update={**own, "from_run": config.model.from_run})
    return config.model_copy(update={"targets": earlier.config.targets, "model": model})


def with_earlier_columns(config: Config, earlier: BaseRun, names: Sequence[str]) -> tuple[Config, list[Problem]]:
    """The config with the columns of the earlier run, and a warning of columns that it did not know.

    Raises DataError for a table without its columns, UsageError for columns that the config declares otherwise.
    """
    known = earlier.config.columns
    check_columns((name for name, options in known.items() if is_feature(options)), tuple(names), source="")
    features = [name for name in names if name not in config.targets]
    declared = match_patterns(features, config.columns, list(config.targets))
    problems = [
        problem
        for name, options in declared.items()
        for problem in _other_column(name, options, known.get(name, IgnoreOptions()))
    ]
    defaults = defaults_of_kinds(config.columns, names)
    problems += [
        problem
        for name, options in known.items()
        if options.kind in defaults and name not in declared
        for problem in _other_column(name, defaults[options.kind], options)
    ]
    if problems:
        raise UsageError(*problems)
    added = [name for name in features if name not in known and name not in declared]
    roles = {name: options for name, options in declared.items() if not is_feature(options)}
    columns = {name: known.get(name, IgnoreOptions()) for name in features} | roles
    return config.model_copy(update={"columns": columns}), [_new_columns(added, earlier)] if added else []


def _other_targets(config: Config, earlier: BaseRun) -> Iterator[Problem]:
    known = learned_options(with_tasks(earlier.config.targets), earlier.targets)
    if list(config.targets) != list(known):
        both = [quote_list(list(targets), last="and") for targets in (known, config.targets)]
        message = f"the run to start from predicts {both[0]}, the config {both[1]}"
        yield _differs(message, "predict the same columns, or train anew without `model.from`")
        return
    for name, options in config.targets.items():
        for field, own, before in _explicit_differences(
            options, known[name], free={"task"} if options.task == "auto" else set()
        ):
            yield _differs(
                f"`targets.{escape(name)}.{field}` is {own}, but {before} in the run to start from",
                "leave it out to take it from that run",
                key=("targets", name, field),
            )


def _other_network(own: NetworkOptions, known: NetworkOptions) -> Iterator[Problem]:
    for field, now, before in _explicit_differences(
        own, known, free=FREE | ({"kind"} if own.kind == UNSAID else set())
    ):
        yield _differs(
            f"`model.{field}` is {now}, but {before} in the run to start from, so its weights do not fit",
            "leave it out to take it from that run, or train anew without `model.from`",
            key=("model", field),
        )


def _other_column(name: str, options: Any, before: Any) -> Iterator[Problem]:
    if not is_feature(options) and not is_feature(before):
        return
    if options.kind != before.kind:
        yield _differs(
            f"column `{escape(name)}` is declared `{options.kind}`, but is `{before.kind}` in the run to start from",
            "leave it out to take it from that run, or train anew without `model.from`",
            key=("columns", name),
        )
        return
    for field, now, then in _explicit_differences(options, before, free=set()):
        yield _differs(
            f"`columns.{escape(name)}.{field}` is {now}, but {then} in the run to start from",
            "leave it out: the preparation of that run is kept, as its weights need it",
            key=("columns", name),
        )


def _explicit_differences(own: Section, known: Section, *, free: set[str]) -> Iterator[tuple[str, str, str]]:
    """Fields that the config settles and that the earlier run has otherwise, with both values as YAML."""
    for field in sorted(own.model_fields_set - free):
        now, before = getattr(own, field), getattr(known, field, None)
        if str(now) not in ("auto", str(before)):  # a label may be written `1` or "1"
            yield field, flow_yaml(now), flow_yaml(before)


def _differs(message: str, hint: str, *, key: tuple[str, ...] = KEY) -> Problem:
    return Problem("BP181", message, hints=(hint,), key=key)


def shared_rows(config: Config, digests: Mapping[str, str], earlier: BaseRun) -> list[Problem]:
    """The warning that the earlier run may have been trained on rows that judge now; whole files are compared."""
    known: Mapping[str, str] = earlier.files.read_json("lock.json")["data"]
    shared = [name for name, digest in digests.items() if digest in known.values()]
    if not shared or (dict(known) == dict(digests) and _divides_alike(config, earlier.config)):
        return []
    message = "the run to start from read the same file, so it may have been trained on rows that judge now"
    hints = (
        "use that run's `data`, `clean`, `split` and `seed`, without folds, and start from a run that was not refitted",
        "or judge by a file that it never saw",
    )
    return [Problem("BP309", message, where=escape(shared[0]), hints=hints)]


def _divides_alike(config: Config, before: Config) -> bool:
    """Whether the same rows train as in the earlier run: neither a refit there nor folds here use others."""

    def what_divides(each: Config) -> tuple[object, ...]:
        data = each.data.model_copy(update={"residence": "auto", "memory_limit": 1})  # these change no row's part
        return data, each.clean, each.split, each.seed

    return what_divides(config) == what_divides(before) and before.training.final == "best" and not config.split.folds


def _new_columns(names: Sequence[str], earlier: BaseRun) -> Problem:
    shown = quote_list(names, last="and", limit=10)
    message = f"{len(names)} column(s) are ignored, as the run to start from did not know them: {shown}"
    return Problem(
        "BP307", message, hints=("train without `model.from` to use them",), where=escape(Path(earlier.files.directory))
    )
