"""What a config leaves open, settled in three steps: by the table, by its training rows, by the sizes of both.

Each step is a pure function. The last one gives a `ResolvedConfig`, whose sections `model` and `training` have types
that know no `auto`; nothing after it copies or changes a config. The numbers are those of `models/presets.py`; kinds of
columns and tasks resolve their own options (`resolve_options`, `usual_options`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from bptrain.config.schema import Config
from bptrain.data.frame import Frame
from bptrain.data.options import SplitOptions
from bptrain.data.splits import SPLITS
from bptrain.errors import UsageError
from bptrain.evaluation.gates import check_gate_splits, check_gates, parse_gates
from bptrain.evaluation.options import OUT_OF_FOLD, PARTS
from bptrain.features import inference
from bptrain.features.kinds import KINDS
from bptrain.features.options import IgnoreOptions
from bptrain.features.preparer import by_kind
from bptrain.messages import data as data_messages
from bptrain.messages import fitting as messages
from bptrain.models.options import ModelOptions, ResolvedModel
from bptrain.models.presets import MANY_FEATURES, MANY_ROWS, PRESETS, NetworkSize
from bptrain.targets import preparer as targets_preparer
from bptrain.targets.target_options import TargetOptions
from bptrain.targets.tasks import TASKS
from bptrain.training.options import AdamOptions, ResolvedTraining, TrainingOptions, UsualOptimizer
from bptrain.utils.text import nearest, quote_list, yaml_name

ROLES = tuple(name for name, kind in SPLITS.items() if kind.has_role)  # of columns that rows are divided by
FEWEST_BAGGED, MOST_BAGGED = 50, 250_000  # training rows for which there are several networks
FEWEST_GROUPS = 50  # so that each network can leave out some
FEWEST_SELECTED = 2  # members that predict where it is left open how many
NARROW = 128  # neurons of a layer that is not wide
ABSOLUTE_ERRORS = ("mae", "median_absolute_error")  # metrics that the squared loss does not go with


@dataclass(frozen=True)
class ResolvedConfig:
    """What a training follows, with nothing left open.

    Attributes:
        complete: the config with every default written out, as the run's config.yaml holds it; fitting it again is the
            same training.
        model, training: its sections, in types that know no `auto`.
        residence: whether prepared rows are in memory, or read from a file step by step.
    """

    complete: Config
    model: ResolvedModel
    training: ResolvedTraining
    residence: Literal["memory", "stream"]


# By the table


def resolve_from_table(config: Config, training_rows: Frame, source: np.ndarray) -> Config:
    """The config with roles of columns named, and tasks, primary metric, kind of split and bagging settled.

    Args:
        config: as it was loaded.
        training_rows: the cleaned rows of the training files.
        source: the part of the file that each row of the table is from (n_rows,).

    Raises:
        UsageError: for what the config says and the table contradicts.
        DataError: for a target that cannot be learned.
    """
    names = training_rows.names
    features = [name for name in names if name not in config.targets]
    by_pattern = inference.match_patterns(features, config.columns, list(config.targets))
    named = {
        name: options
        for name, options in by_pattern.items()
        if options.kind in ROLES or ((kind := KINDS.get(options.kind)) is not None and kind.tells_time)
    }
    targets = {
        name: targets_preparer.infer_task(training_rows, name, options) for name, options in config.targets.items()
    }
    targets_preparer.learn(training_rows, targets)  # only for what it refuses, before anything is split
    config = config.model_copy(update={"columns": config.columns | named, "targets": targets})
    gates = parse_gates(config.evaluation.gates)
    metrics = {name: TASKS[options.task].metrics for name, options in targets.items()}
    check_gates(gates, metrics)
    primary, first_metrics = config.evaluation.primary, next(iter(metrics.values()))
    if primary == "auto":  # balanced as the weights of classes are
        balanced = getattr(next(iter(targets.values())), "class_weights", "none") == "balanced"
        primary = "balanced_accuracy" if balanced else first_metrics[0]
    elif primary not in first_metrics:
        near, listed = nearest(primary, first_metrics), quote_list(first_metrics, last="and")
        hints = (f"did you mean {quote_list(near)}?",) if near else ()
        raise UsageError(messages.NO_SUCH_PRIMARY(name=primary, metrics=listed, hints=hints))
    evaluation = config.evaluation.model_copy(update={"primary": primary})
    config = config.model_copy(update={"evaluation": evaluation, "split": resolve_split(config, names)})
    config = _resolve_bagging(config, training_rows, has_validation_file=bool((source == "validation").any()))
    if not SPLITS[config.split.kind].shares_decide:  # only the cells tell which parts have rows
        check_gate_splits(gates, PARTS)
        return config
    shares = {"validation": config.split.share("validation"), "test": config.split.test}
    parts = [part for part, share in shares.items() if share or (source == part).any()]
    if config.training.final == "refit":  # validation rows train the model that is judged
        parts = [part for part in parts if part != "validation"]
    folds = config.model.networks != 1 and "validation" not in parts
    check_gate_splits(gates, [OUT_OF_FOLD if folds else "train", *parts])
    return config


def resolve_split(config: Config, names: tuple[str, ...]) -> SplitOptions:
    """The section `split` with its kind and column, for a table with columns `names`.

    Raises UsageError where the config does not say which, or says what does not go together.
    """
    options = config.split
    by_role = {
        role: [name for name, column in config.columns.items() if column.kind == role and name in names]
        for role in ROLES
    }
    roles = [role for role, columns in by_role.items() if columns]
    has_labels = [TASKS[target.task].predicts_labels for target in config.targets.values()] == [True]
    if options.kind == "auto" and len(roles) > 1:
        raise UsageError(data_messages.SEVERAL_ROLES())
    by_task = next(name for name, kind in SPLITS.items() if not kind.uses_column and kind.needs_labels == has_labels)
    name = options.kind if options.kind != "auto" else roles[0] if roles else by_task
    kind, column = SPLITS[name], options.column
    if kind.needs_labels and not has_labels:
        raise UsageError(data_messages.STRATIFIED_WITHOUT_LABELS())
    if kind.uses_column and column is None:
        candidates = by_role.get(name, [])
        if len(candidates) > 1:
            names_, first = quote_list(candidates, last="and"), yaml_name(candidates[0])
            raise UsageError(data_messages.SEVERAL_SPLIT_COLUMNS(kind=name, names=names_, first=first))
        if not candidates:
            raise UsageError(data_messages.SPLIT_COLUMN_OPEN(kind=name))
        column = candidates[0]
    if not kind.uses_column and column is not None:
        kinds = quote_list([name for name, other in SPLITS.items() if other.uses_column])
        raise UsageError(data_messages.SPLIT_COLUMN_UNUSED(kind=name, column=yaml_name(column), kinds=kinds))
    if options.folds and kind.cells_are_parts:
        raise UsageError(data_messages.NO_FOLDS_BY_PARTS(kind=name))
    return options.model_copy(update={"kind": name, "column": column})


def _resolve_bagging(config: Config, training_rows: Frame, *, has_validation_file: bool) -> Config:
    """The config with it settled whether there are several networks, and whether rows are set apart for validation.

    How many networks stays open until it is known how much a row gives; 1 is written where there is but one.
    """
    model, split, preset = config.model, config.split, PRESETS[config.model.kind]
    forgoes_later_rows = (
        SPLITS[split.kind].is_ordered and split.validation == 0
    )  # folds would be judged by what came later
    if model.networks == "auto" and not preset.bagged:
        several = preset.narrow.networks > 1 and FEWEST_BAGGED <= training_rows.n_rows <= MOST_BAGGED
        several = several and config.data.residence != "stream" and config.training.final == "best"
        if SPLITS[split.kind].keeps_together and split.column is not None:
            several = several and training_rows.n_unique(split.column) >= FEWEST_GROUPS
        if not several or (forgoes_later_rows and not has_validation_file):
            model = model.model_copy(update={"networks": 1})
    if split.validation == "auto":
        folds = model.networks != 1 and not has_validation_file and SPLITS[split.kind].folds_can_validate
        split = split.model_copy(update={"validation": 0.0 if folds else split.share("validation")})
    networks = preset.narrow.networks if model.networks == "auto" else model.networks
    if networks != 1 and config.training.final == "refit":
        raise UsageError(messages.REFIT_OF_SEVERAL(networks=networks))
    if networks != 1 and not has_validation_file and forgoes_later_rows:
        raise UsageError(messages.NO_LATER_ROWS(networks=networks))
    return config.model_copy(update={"model": model, "split": split})


# By the training rows


def resolve_from_training_rows(config: Config, training_rows: Frame) -> tuple[Config, inference.Kinds]:
    """The config with a kind for every column and what its preset gives to columns and targets, and why each kind."""
    preset, split_column = PRESETS[config.model.kind], config.split.column
    declared = config.columns
    if split_column is not None and not SPLITS[config.split.kind].column_is_feature:  # it tells parts and groups apart
        declared = {split_column: IgnoreOptions()} | declared
    kinds = inference.resolve(
        training_rows,
        declared,
        list(config.targets),
        constants=config.clean.constants,
        identifiers=config.clean.identifiers,
    )
    columns = dict(kinds.options)
    for kind, own in by_kind(kinds.options):
        columns |= kind.resolve_options(own, preset)
    targets = {}
    for name, options in config.targets.items():
        usual = TASKS[options.task].usual_options(preset)  # but for what training or validation rows decide
        open_ones = {option: value for option, value in usual.items() if getattr(options, option) == "auto"}
        targets[name] = options.model_copy(update=open_ones)
    kinds = replace(kinds, options=columns)
    return config.model_copy(update={"columns": columns, "targets": targets}), kinds


def learned_options(
    options: Mapping[str, TargetOptions], targets: targets_preparer.Targets, *, anew: bool = False
) -> dict[str, TargetOptions]:
    """The options with what they left open as it was learned; with `anew`, as the config of a run has them.

    There, what each training settles anew stays open.
    """
    learned = {}
    for name, chosen in options.items():
        task, report = TASKS[chosen.task], targets[name].report()
        left = {key for key in task.settled_anew if anew and getattr(chosen, key) == "auto"}
        learned[name] = chosen.model_copy(update={key: report[key] for key in task.settled if key not in left})
    return learned


# By the sizes


@dataclass(frozen=True)
class Sizes:
    """What the last step goes by.

    Attributes:
        n_features: numbers that a row gives the network.
        n_rows: all rows of the table.
        n_train: training rows; each of several networks leaves out its fold of them where `folds`.
        row_bytes: bytes of a prepared row.
        has_validation: whether there are rows that choose epochs.
    """

    n_features: int
    n_rows: int
    n_train: int
    row_bytes: int
    folds: bool
    has_validation: bool

    def n_trained(self, n_networks: int) -> int:
        """The rows that one of so many networks trains on."""
        return self.n_train * (n_networks - 1) // n_networks if self.folds else self.n_train


def resolve_sizes(config: Config, targets: Mapping[str, TargetOptions], sizes: Sizes) -> ResolvedConfig:
    """The config with nothing left open, and `targets` as they were learned.

    Raises UsageError where more members are to be chosen than there are.
    """
    labels = all(TASKS[options.task].predicts_labels for options in config.targets.values())
    model = resolve_model(
        config,
        n_features=sizes.n_features,
        n_rows=sizes.n_trained(fewest_networks(config.model)),
        labels=labels,
        has_validation=sizes.has_validation,
    )
    n_trained = sizes.n_trained(model.networks)
    training = resolve_training(config, n_rows=n_trained, labels=labels, hidden=model.hidden)
    residence = config.data.residence
    if residence == "auto":  # rows of all folds are prepared at once; a step on all rows needs them in memory
        n_bytes = sizes.n_rows * sizes.row_bytes * (1 + (config.split.folds or 0))
        too_large = n_bytes > config.data.memory_limit * 2**20
        residence = "stream" if too_large and config.training.batch_size != "all" else "memory"
    update = {
        "targets": targets,
        "data": config.data.model_copy(update={"residence": residence}),
        "model": ModelOptions.model_validate(model.values_by_key()),
        "training": TrainingOptions.model_validate(training.values_by_key()),
    }
    return ResolvedConfig(config.model_copy(update=update), model, training, residence)


def fewest_networks(model: ModelOptions) -> int:
    """How many networks there are at least: so many where it is open until the width of layers is known."""
    return PRESETS[model.kind].narrow.networks if model.networks == "auto" else model.networks


def most_networks(model: ModelOptions, split: SplitOptions) -> int:
    """How many there may then be; only as many as at least where folds for so many more cannot be divided."""
    if model.networks == "auto" and SPLITS[split.kind].can_halve_folds:
        return PRESETS[model.kind].wide.networks
    return fewest_networks(model)


def resolve_model(config: Config, *, n_features: int, n_rows: int, labels: bool, has_validation: bool) -> ResolvedModel:
    """The section `model` with nothing left open.

    Args:
        config: its columns and targets are settled.
        n_features: numbers that a row gives the network, each label that has an input of its own counted.
        n_rows: rows that one of `fewest_networks` trains on.
        labels: whether all targets are labels.
        has_validation: whether there are rows to choose members by.

    Raises:
        UsageError: where members are to be chosen that are not there, or without rows to choose them by.
    """
    options, preset = config.model, PRESETS[config.model.kind]
    size = preset.narrow
    if n_features >= MANY_FEATURES and n_rows >= MANY_ROWS:
        n_selected = options.ensemble_selection if isinstance(options.ensemble_selection, int) else 0
        if options.hidden != "auto" or n_selected >= size.members // 2:
            size = NetworkSize(preset.wide.hidden, size.members, size.networks, preset.wide.linear)
        elif (
            options.members == options.networks == "auto"
            and not n_selected
            and SPLITS[config.split.kind].can_halve_folds
        ):
            size = preset.wide
        else:
            size = preset.wide_undivided
    hidden = size.hidden if options.hidden == "auto" else options.hidden
    members = size.members if options.members == "auto" else options.members
    selection = options.ensemble_selection
    if selection == "auto":
        selection = "by_loss" if preset.selects_members else None
    least = FEWEST_SELECTED if selection == "by_loss" else selection
    if least is not None and not (has_validation and least < members):
        if isinstance(selection, int):
            there = "there is 1 member" if members == 1 else f"there are {members} members"
            why = there if selection >= members else "there are no validation rows to choose them by"
            raise UsageError(messages.TOO_FEW_MEMBERS(n=selection, why=why))
        selection = None
    values = options.values_by_key() | {"hidden": hidden, "members": members, "ensemble_selection": selection}
    usual = {
        "networks": size.networks,
        "linear": size.linear,
        "initializer": preset.initializer,
        "dropout": preset.dropout if labels or max(hidden, default=0) > NARROW else 0.0,
    }
    values |= {name: value for name, value in usual.items() if values[name] == "auto"}
    return ResolvedModel.model_validate(values)


def resolve_training(config: Config, *, n_rows: int, labels: bool, hidden: Sequence[int]) -> ResolvedTraining:
    """The section `training` with nothing left open.

    Args:
        config: its primary metric is settled.
        n_rows: rows that one network trains on.
        labels: whether all targets are labels.
        hidden: the neurons of each hidden layer.
    """
    options, preset, target = config.training, PRESETS[config.model.kind], "labels" if labels else "numbers"
    rates = preset.wide_learning_rate if max(hidden, default=0) > NARROW else preset.learning_rate
    values = options.values_by_key()
    usual = {
        "batch_size": int(preset.batch_size[target].at(n_rows)),
        "last_batch": preset.last_batch,
        "epochs": preset.epochs,
        "patience": preset.patience,
        "ema_momentum": preset.ema_momentum,
        "engine": "by_cost",
        "monitor": "primary" if config.evaluation.primary in ABSOLUTE_ERRORS else "loss",
    }
    values |= {name: value for name, value in usual.items() if values[name] == "auto"}
    if isinstance(options.optimizer, UsualOptimizer):
        values["optimizer"] = AdamOptions(learning_rate=rates[target].at(n_rows))
    return ResolvedTraining.model_validate(values)
