"""What the config leaves open, settled by looking at the table: tasks, the kind of split, kinds of columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from bptrain.config.schema import Config
from bptrain.data.cleaning import clean_rare_classes, drop_duplicates, drop_missing_targets
from bptrain.data.files import AllowedPaths
from bptrain.data.folds import are_divided, check_folds, check_networks, fold_numbers, make_folds
from bptrain.data.frame import Frame
from bptrain.data.load import Loaded, load
from bptrain.data.options import SplitOptions
from bptrain.data.report import Cleaned
from bptrain.data.split import Split, check_sizes, make_split, uneven_parts
from bptrain.errors import DataError, Problem, UsageError
from bptrain.evaluation.gates import Gate, check_gate_splits, check_gates, parse_gates
from bptrain.evaluation.predictions import OUT_OF_FOLD
from bptrain.evaluation.predictions import PARTS as JUDGED_PARTS
from bptrain.features import inference as infer
from bptrain.features import preparer, refusal
from bptrain.features.kinds import ColumnOptions
from bptrain.features.weights import row_weights, weight_column
from bptrain.fitting.feature_defaults import with_learned_features
from bptrain.fitting.model_defaults import fewest_networks, most_networks, with_keep, with_usual_size
from bptrain.fitting.split_keys import ROLES, check_split_column, settled_split, split_by, without_split_column
from bptrain.fitting.target_defaults import with_target_defaults
from bptrain.targets import preparer as targets_prepare
from bptrain.targets.tasks import TASKS, infer_task
from bptrain.utils.text import escape, nearest, quote_list

MIN_ROWS, MANY_ROWS = 50, 250_000  # for `model.networks: auto` to be several
MIN_GROUPS = 50  # so that each network can leave out some


@dataclass(frozen=True)
class Dataset:
    """The cleaned rows, the part each row's file belongs to, file digests, and the config, tasks and split known.

    `cleaned` counts what cleaning did.
    """

    config: Config
    frame: Frame
    given: np.ndarray
    digests: dict[str, str]
    warnings: list[Problem]
    cleaned: list[Cleaned]


def survey(config: Config, roots: AllowedPaths, folder: Path | None = None) -> Dataset:
    """Read and clean the table, and settle what needs no training rows; `folder` as of `load`.

    Raises UsageError for config mistakes that only the table shows, DataError for a table that cannot be used.
    """
    gates = gates_of(config)
    warnings: list[Problem] = []
    loaded = load(config.data, config.clean, roots, warn=warnings.append, folder=folder)
    _check_names(loaded.frame.names, config)
    frame, given, cleaned, noticed = _clean(loaded, config)
    training = frame.take(np.flatnonzero(given == "train"))
    config = _settle(_with_roles(config, frame.names), training, gates, validated=bool((given == "validation").any()))
    check_gate_splits(gates, _parts(config, given))
    return Dataset(config, frame, given, loaded.digests, [*warnings, *noticed], cleaned)


def with_split(config: Config, found: Dataset) -> Config:
    """The config with its split settled, for the table that was found."""
    config = config.model_copy(update={"split": settled_split(config, found.frame.names)})
    training = found.frame.take(np.flatnonzero(found.given == "train"))
    validated = bool((found.given == "validation").any())
    return config.model_copy(update=_with_networks(config, training, validated=validated))


def split_rows(found: Dataset) -> Split:
    """Training, validation and test rows as positions in `found.frame`.

    Raises DataError when they cannot be set apart, UsageError for gates on a part without rows.
    """
    by, labels = split_by(found)
    split = make_split(found.given, by, found.config.split, seed=found.config.seed, labels=labels)
    parts = list(split.parts())
    if _takes_folds(found.config, validated=len(split.validation) > 0):
        split, parts = _with_folds(found, split, by), [OUT_OF_FOLD if part == "train" else part for part in parts]
    judged = [part for part in parts if part != "validation" or found.config.training.final != "refit"]
    check_gate_splits(gates_of(found.config), judged)
    return split


def _takes_folds(config: Config, *, validated: bool) -> bool:
    """Whether each of several networks leaves out a fold of the training rows."""
    return config.model.networks != 1 and not validated


def _with_folds(found: Dataset, split: Split, by: np.ndarray | None) -> Split:
    options = found.config.split
    n_folds = most_networks(found.config.model, divided=are_divided(options))
    if (found.given == "test").any():  # the places of a split by hash are then all free
        options = options.model_copy(update={"test": 0.0})
    if options.kind == "column":  # its cells name the parts
        by = None
    return replace(split, left_out=fold_numbers(split.train, by, options, n_folds, seed=found.config.seed))


def doubts(found: Dataset, split: Split | None, columns: Mapping[str, ColumnOptions]) -> list[Problem]:
    """Warnings of parts far from their share and of options that training rows make doubtful.

    Without a `split`, which takes scikit-learn, all rows of the training files are looked at.
    """
    rows = np.flatnonzero(found.given == "train") if split is None else split.train
    uneven = uneven_parts(split, found.given, found.config.split) if split is not None else []
    return [*uneven, *preparer.doubts(found.frame.take(rows), columns)]


def folds(found: Dataset) -> list[Split]:
    """A split per fold of the rows that are not for the final judgement. Raises DataError as `make_folds`."""
    by, labels = split_by(found)
    options = found.config.split
    rows = np.setdiff1d(np.arange(found.frame.n_rows), split_rows(found).test)
    if (found.given == "test").any():  # the places of a split by hash are then all free
        options = options.model_copy(update={"test": 0.0})
    made = make_folds(rows, by, options, seed=found.config.seed, labels=labels)
    takes = [_takes_folds(found.config, validated=len(split.validation) > 0) for split in made]
    return [_with_folds(found, split, by) if taken else split for split, taken in zip(made, takes, strict=True)]


def check_split(found: Dataset) -> None:
    """Raise DataError when the split cannot be made; without making it where that takes scikit-learn.

    Raises UsageError when it leaves no rows to choose the members by that are to be kept, or there are too few members.
    """
    by, labels = split_by(found)
    split = split_rows(found) if found.config.split.kind in ("time", "column", "hash") else None
    check_sizes(found.given, by, found.config.split, labels=labels)
    if found.config.split.folds:
        check_folds(np.flatnonzero(found.given != "test"), by, found.config.split)
    if split is None:
        validated = bool((found.given == "validation").any() or found.config.split.validation)
    else:
        validated = len(split.validation) > 0
    if found.config.split.kind == "group" and _takes_folds(found.config, validated=validated):
        check_networks(np.flatnonzero(found.given == "train"), by, fewest_networks(found.config.model))
    chosen = validated or _takes_folds(found.config, validated=validated) or found.config.training.final == "refit"
    with_keep(with_usual_size(found.config.model, n_features=0, n_rows=0), chosen=chosen)


def check_cells(found: Dataset, config: Config) -> None:
    """Raise DataError with the cells and labels of all files that could be neither learned nor judged."""
    training = found.frame.take(np.flatnonzero(found.given == "train"))
    others = found.frame.take(np.flatnonzero(found.given != "train"))
    problems: list[Problem] = []
    try:
        row_weights(found.frame, weight_column(config.columns))
    except DataError as error:
        problems += error.problems
    try:
        preparer.check(found.frame, config.columns)
    except DataError as error:
        problems += error.problems
    try:
        refusal.check_training(training, config.columns)
    except DataError as error:
        problems += error.problems
    try:
        targets = with_target_defaults(config.targets, textbook=config.model.kind == "mlp")
        targets_prepare.encode(targets_prepare.learn(training, targets), others)
    except DataError as error:
        problems += error.problems
    if problems:
        raise DataError(*problems)


def settle_columns(config: Config, frame: Frame) -> tuple[Config, infer.Kinds]:
    """The config with a kind for every column, from the training rows in `frame`, and why each was chosen."""
    found = infer.resolve(
        frame,
        without_split_column(config),
        list(config.targets),
        constants=config.clean.constants,
        identifiers=config.clean.identifiers,
    )
    columns = with_learned_features(found.options, config.model)
    return config.model_copy(update={"columns": columns}), replace(found, options=columns)


def gates_of(config: Config) -> list[Gate]:
    """The gates of a config. Raises UsageError with every one that has another form."""
    return parse_gates(config.evaluation.gates)


def metrics_of(config: Config) -> dict[str, tuple[str, ...]]:
    """The metrics of each target, whose tasks are settled."""
    return {name: TASKS[options.task].metrics for name, options in config.targets.items()}


def _check_names(names: tuple[str, ...], config: Config) -> None:
    """Raise UsageError with every name of the config that no column has."""
    problems = [_no_such_target(target, names) for target in config.targets if target not in names]
    problems += check_split_column(config.split, names)
    try:
        features = [name for name in names if name not in config.targets]
        infer.match_patterns(features, config.columns, list(config.targets))
    except UsageError as error:
        problems += error.problems
    if problems:
        raise UsageError(*problems)


def _no_such_target(target: str, names: tuple[str, ...]) -> Problem:
    near = nearest(target, names)
    hints = (f"did you mean {quote_list(near)}?",) if near else ()
    listed = f"columns: {quote_list(names, last='and')}"
    message = f"the table has no column `{escape(target)}` to predict"
    return Problem("BP154", message, hints=(*hints, listed), key=("targets", target))


def _clean(loaded: Loaded, config: Config) -> tuple[Frame, np.ndarray, list[Cleaned], list[Problem]]:
    """The rows that are used, the part of each, what was done, and what is worth a warning."""
    frame, given, cleaned, warnings = drop_duplicates(loaded.frame, loaded.given, config.clean)
    n_rows = frame.n_rows
    kept, dropped = drop_missing_targets(frame, list(config.targets), config.clean)
    if dropped:
        cleaned.append(Cleaned("rows without a target dropped", n_rows - kept.n_rows, n_rows, "rows"))
        given = given[np.isin(frame.rows, kept.rows)]
    if config.clean.rare_class != "error":
        for name in _labelled(config, kept.take(np.flatnonzero(given == "train"))):
            kept, given, done = clean_rare_classes(kept, name, given, config.clean)
            cleaned += done
    return kept, given, [*loaded.cleaned, *cleaned], [*warnings, *dropped]


def _labelled(config: Config, frame: Frame) -> list[str]:
    """The targets that are labels, by the training rows in `frame`; to group labels there must be three."""
    tasks = {name: TASKS[infer_task(frame, name, options).task] for name, options in config.targets.items()}
    two_do = config.clean.rare_class != "group"
    return [name for name, task in tasks.items() if task.predicts_labels and (task.many_labels or two_do)]


def _with_roles(config: Config, names: tuple[str, ...]) -> Config:
    """The config with columns that patterns give a role, or a format of dates, named one by one."""
    features = [name for name in names if name not in config.targets]
    found = infer.match_patterns(features, config.columns, list(config.targets))
    named = {name: options for name, options in found.items() if options.kind in (*ROLES, "date")}
    return config.model_copy(update={"columns": config.columns | named})


def _settle(config: Config, frame: Frame, gates: list[Gate], *, validated: bool) -> Config:
    """`frame` holds the rows of the training files, `validated` says that there is one with validation rows."""
    targets = {name: infer_task(frame, name, options) for name, options in config.targets.items()}
    targets_prepare.learn(frame, targets)  # for what it refuses, before anything is split; the result is not used
    config = config.model_copy(update={"targets": targets})
    metrics = metrics_of(config)
    check_gates(gates, metrics)
    primary = _primary(config, next(iter(metrics.values())))
    config = config.model_copy(update={"split": settled_split(config, frame.names)})
    return config.model_copy(
        update={
            **_with_networks(config, frame, validated=validated),
            "evaluation": config.evaluation.model_copy(update={"primary": primary}),
        }
    )


def _with_networks(config: Config, frame: Frame, *, validated: bool) -> dict[str, Any]:
    """`model` and `split` with it settled whether there is one network or several, and whether rows are set apart for
    validation.

    `frame` holds the rows of the training files, `validated` says that there is one with validation rows.
    """
    model, split = config.model, config.split
    if model.networks == "auto":
        several = MIN_ROWS <= frame.n_rows <= MANY_ROWS and config.data.residence != "stream"
        if split.kind in ("group", "hash") and split.column is not None:
            several = several and frame.n_unique(split.column) >= MIN_GROUPS
        several = several and config.training.final == "best" and (validated or not _forgoes_later_rows(split))
        model = model if several else model.model_copy(update={"networks": 1})
    if split.validation == "auto":
        folds = model.networks != 1 and not validated and split.kind not in ("time", "column")
        split = split.model_copy(update={"validation": 0.0 if folds else split.share("validation")})
    if model.networks != 1 and config.training.final == "refit":
        message = f"`training.final: refit` trains one network anew, but `model.networks` is {model.networks}"
        hints = ("remove `final: refit`: each of several networks has rows of its own that choose its epoch",)
        raise UsageError(Problem("BP169", message, hints=hints, key=("training", "final")))
    if model.networks != 1 and not validated and _forgoes_later_rows(split):
        message = f"{model.networks} networks need later rows to choose their epochs, but `split.validation` is 0"
        hints = ("leave out `validation: 0`, or write `model: {networks: 1}`",)
        raise UsageError(Problem("BP170", message, hints=hints, key=("split", "validation")))
    return {"model": model, "split": split}


def _forgoes_later_rows(split: SplitOptions) -> bool:
    """Whether no rows are set apart by time, so that folds would be judged by networks that know what came later."""
    return split.kind == "time" and split.validation == 0


def _parts(config: Config, given: np.ndarray) -> list[str]:
    """The parts that will have rows."""
    if config.split.kind in ("column", "hash"):  # only the cells tell
        return list(JUDGED_PARTS)
    shares = {"validation": config.split.share("validation"), "test": config.split.test}
    parts = [part for part, share in shares.items() if share or (given == part).any()]
    if config.training.final == "refit":  # validation rows train the model that is judged
        parts = [part for part in parts if part != "validation"]
    folds = config.model.networks != 1 and "validation" not in parts
    return [OUT_OF_FOLD if folds else "train", *parts]


def _primary(config: Config, metrics: tuple[str, ...]) -> str:
    """The metric that the config names, else the first of the first target; balanced as its weights are."""
    name = config.evaluation.primary
    if name == "auto":
        balanced = getattr(next(iter(config.targets.values())), "class_weights", "none") == "balanced"
        return "balanced_accuracy" if balanced else metrics[0]
    if name in metrics:
        return name
    near = nearest(name, metrics)
    hints = (f"did you mean {quote_list(near)}?",) if near else ()
    raise UsageError(
        Problem(
            "BP156",
            f"`evaluation.primary` is `{name}`, which is no metric of the first target",
            hints=(*hints, f"metrics: {quote_list(metrics, last='and')}"),
            key=("evaluation", "primary"),
        )
    )
