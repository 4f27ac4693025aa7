"""`model: {from: RUN}`: training goes on from the weights of an earlier run, with that run's preparation of columns.

Weights mean something only together with the numbers that scaled the columns, so those of the base run are kept: what
its training rows taught about columns and targets is not learned again. What the config says explicitly must agree with
the base run; what it leaves open is taken from there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from bptrain.config.load import config_from_text
from bptrain.config.schema import Config
from bptrain.config.yaml_writer import flow_yaml
from bptrain.data.files import AllowedPaths
from bptrain.errors import Problem, RunError, UsageError
from bptrain.features.inference import defaults_of_kinds, match_patterns
from bptrain.features.kinds import KINDS
from bptrain.features.options import ColumnOptions, IgnoreOptions
from bptrain.features.preparer import Columns
from bptrain.fitting.resolve import learned_options
from bptrain.messages import fitting as messages
from bptrain.models.predictor import WEIGHTS, check_columns, load_preparation
from bptrain.models.presets import DEFAULT
from bptrain.runs.arrays import Expected
from bptrain.runs.manifest import RunFiles, open_run
from bptrain.targets.preparer import Targets
from bptrain.utils.section import Section
from bptrain.utils.text import quote_list

# Options of the network that may differ from the base run's, as no weight's shape depends on them.
FREE = {"from_run", "initializer", "dropout", "l1", "l2", "ensemble_selection"}


@dataclass(frozen=True)
class BaseRun:
    """A verified run to start from: its complete config and what its training rows taught."""

    files: RunFiles
    config: Config
    columns: Columns
    targets: Targets

    def read_weights(self, number: int, expected: Expected) -> dict[str, np.ndarray]:
        """The weights by name of one of its networks, counted from 0.

        Raises RunError when names, dtypes or shapes are not those expected.
        """
        return self.files.read_arrays(WEIGHTS.format(number), expected)

    @property
    def lock_entry(self) -> dict[str, str]:
        """What lock.json holds of it: the digest of its weights."""
        digest: str = self.files.read_json("lock.json")["results"]["weights"]
        return {"weights": digest}


def open_base_run(path: str, paths: AllowedPaths) -> BaseRun:
    """The run that `model.from` names. Raises RunError when it is damaged or no run."""
    try:
        files = open_run(paths.folder(path))
    except RunError as error:
        named = (replace(each, hints=(*each.hints, "the config names it at `model.from`")) for each in error.problems)
        raise RunError(*named) from error
    text = files.read_bytes("config.yaml").decode()
    columns, targets = load_preparation(files)
    return BaseRun(files, config_from_text(text, source=str(files.path("config.yaml"))), columns, targets)


def adopt_network(config: Config, base_run: BaseRun) -> Config:
    """The config with the targets and the network of the base run.

    Raises UsageError for everything that the config says otherwise.
    """
    problems: list[Problem] = []
    theirs = learned_options(base_run.config.targets, base_run.targets)
    if list(config.targets) != list(theirs):
        named = [quote_list(list(targets), last="and") for targets in (theirs, config.targets)]
        problems.append(messages.OTHER_TARGETS(theirs=named[0], ours=named[1]))
    else:
        for name, options in config.targets.items():
            free = {"task"} if options.task == "auto" else set()
            problems += [
                messages.OTHER_TARGET_OPTION(name=name, field=field, now=now, before=before)
                for field, now, before in explicit_differences(options, theirs[name], free=free)
            ]
    model, known = config.model, base_run.config.model
    free = FREE | ({"kind"} if model.kind == DEFAULT else set())  # which may have been left unsaid
    problems += [
        messages.OTHER_MODEL_OPTION(field=field, now=now, before=before)
        for field, now, before in explicit_differences(model, known, free=free)
    ]
    if problems:
        raise UsageError(*problems)
    ours = {name: getattr(model, name) for name in model.model_fields_set & FREE}
    model = known.model_copy(update={**ours, "from_run": model.from_run})
    return config.model_copy(update={"targets": base_run.config.targets, "model": model})


def adopt_columns(config: Config, base_run: BaseRun, names: Sequence[str]) -> tuple[Config, list[Problem]]:
    """The config with the columns of the base run, and a warning of columns that it did not know.

    Raises DataError for a table without its columns, UsageError for columns that the config declares otherwise.
    """
    theirs = base_run.config.columns
    check_columns((name for name, options in theirs.items() if options.kind in KINDS), tuple(names), source="")
    features = [name for name in names if name not in config.targets]
    declared = match_patterns(features, config.columns, list(config.targets))
    problems = [
        problem
        for name, options in declared.items()
        for problem in _column_differences(name, options, theirs.get(name, IgnoreOptions()))
    ]
    defaults = defaults_of_kinds(config.columns, names)
    problems += [
        problem
        for name, options in theirs.items()
        if options.kind in defaults and name not in declared
        for problem in _column_differences(name, defaults[options.kind], options)
    ]
    if problems:
        raise UsageError(*problems)
    unknown = [name for name in features if name not in theirs and name not in declared]
    shown = quote_list(unknown, last="and", limit=10)
    warnings = [messages.UNKNOWN_COLUMNS(n=len(unknown), names=shown, where=base_run.files.directory)]
    roles = {name: options for name, options in declared.items() if options.kind not in KINDS}
    columns = {name: theirs.get(name, IgnoreOptions()) for name in features} | roles
    return config.model_copy(update={"columns": columns}), warnings if unknown else []


def _column_differences(name: str, options: ColumnOptions, before: ColumnOptions) -> Iterator[Problem]:
    """What the options of a column say otherwise than those of the base run; roles are the config's own."""
    if options.kind not in KINDS and before.kind not in KINDS:
        return
    if options.kind != before.kind:
        yield messages.OTHER_KIND(name=name, kind=options.kind, before=before.kind)
        return
    for field, now, then in explicit_differences(options, before, free=set()):
        yield messages.OTHER_COLUMN_OPTION(name=name, field=field, now=now, before=then)


def explicit_differences(options: Section, before: Section, *, free: set[str]) -> Iterator[tuple[str, str, str]]:
    """Fields that a section of the config sets and that the base run has otherwise, with both values as YAML."""
    for field in sorted(options.model_fields_set - free):
        now, then = getattr(options, field), getattr(before, field, None)
        if now != "auto" and flow_yaml(now).strip("\"'") != flow_yaml(then).strip("\"'"):  # labels: `1` is "1"
            yield field, flow_yaml(now), flow_yaml(then)


def find_shared_rows(config: Config, digests: Mapping[str, str], base_run: BaseRun) -> list[Problem]:
    """The warning that the base run may have been trained on rows that judge now; whole files are compared.

    None is due where both divide the rows alike: neither a refit there nor folds here train on others.
    """
    known: Mapping[str, str] = base_run.files.read_json("lock.json")["data"]
    shared = [name for name, digest in digests.items() if digest in known.values()]
    before = base_run.config
    same_rows = before.training.final == "best" and not config.split.folds and dict(known) == dict(digests)
    same_rows = same_rows and (config.clean, config.split, config.seed) == (before.clean, before.split, before.seed)
    where_rows_are = {"residence", "memory_limit"}  # these change no row's part
    reading, read_before = (each.data.model_dump(exclude=where_rows_are) for each in (config, before))
    return [messages.SHARED_ROWS(where=shared[0])] if shared and not (same_rows and reading == read_before) else []
