"""Rows made ready for training: columns and targets learned on training rows, and every part prepared by them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from bptrain.config.schema import Config
from bptrain.data import memory as space
from bptrain.data.folds import are_divided, check_numbers
from bptrain.data.frame import Frame
from bptrain.data.report import Cleaned
from bptrain.data.split import Split
from bptrain.features import preparer, refusal
from bptrain.features.drift import Profile, profile
from bptrain.features.inference import Kinds
from bptrain.features.kinds import IgnoreOptions
from bptrain.features.weights import row_weights, weight_column
from bptrain.fitting import dataset as survey
from bptrain.fitting.model_defaults import fewest_networks, is_wide, most_networks, with_keep, with_usual_size
from bptrain.fitting.target_defaults import with_target_defaults
from bptrain.fitting.warm_start import BaseRun
from bptrain.targets import preparer as targets_prepare
from bptrain.targets.tasks import TASKS
from bptrain.training.settled import settled


@dataclass(frozen=True)
class Prepared:
    """One part, ready for the network: its row numbers, network inputs, targets as numbers and labels, and weights.

    `changed` counts the cells that were cleaned on the way, by (what was done, column). `left_out` (n_rows,) is the
    number of the network that did not train on the row, in training rows of which each network leaves out a fold.
    """

    rows: np.ndarray
    inputs: Mapping[str, np.ndarray]
    encoded: list[np.ndarray]
    truths: Mapping[str, pa.Array]
    weight: np.ndarray
    changed: Mapping[tuple[str, str], int]
    left_out: np.ndarray | None = None

    def chosen(self, rows: np.ndarray) -> Prepared:
        """Some of the rows, by position."""
        return Prepared(
            self.rows[rows],
            {name: array[rows] for name, array in self.inputs.items()},
            [array[rows] for array in self.encoded],
            {name: truth.take(pa.array(rows)) for name, truth in self.truths.items()},
            self.weight[rows],
            {},
        )


@dataclass(frozen=True)
class Ready:
    """What training starts from: the settled config, what training rows taught, and every part prepared by it.

    `profile` tells what the training rows were like, `cleaned` what was done to rows and cells of all parts. `folder`
    is where large arrays may be kept; `published` as of `prepare`.
    """

    config: Config
    kinds: Kinds
    columns: preparer.Columns
    targets: targets_prepare.Targets
    parts: Mapping[str, Prepared]
    profile: Profile
    cleaned: list[Cleaned]
    folder: Path | None = None
    published: Split | None = None

    @property
    def validation(self) -> Prepared | None:
        """The rows that choose epochs, temperatures and thresholds.

        Those of folds that networks leave out, where there are such.
        """
        return self.parts.get(self.validating_part)

    @property
    def validating_part(self) -> str:
        """The name of the part of these rows."""
        return "validation" if self.parts["train"].left_out is None else "train"


def prepare(
    config: Config,
    frame: Frame,
    split: Split,
    earlier: BaseRun | None = None,
    *,
    folder: Path | None = None,
    published: Split | None = None,
) -> Ready:
    """Settle the kinds of columns, learn from the training rows, and prepare all parts.

    Kinds of columns and transforms of targets are settled by the rows that train the model in the end: with a refit,
    which has the same ones, the validation rows are among them. A fold has the kinds that the split of the `published`
    model gives. A column with values in the rows that settle its kind, but none in the training rows, is not learned.

    Prepared rows that are to be streamed lie in files without names on the disk of `folder`; without one all are in
    memory. Raises UsageError and DataError for columns and cells that cannot be used.
    """
    settling = final_split(config, published or split).train
    config, kinds = survey.settle_columns(config, frame.take(settling))
    row_weights(frame, weight_column(config.columns))  # wrong ones of all parts in one message
    targets_options = with_target_defaults(config.targets, textbook=config.model.kind == "mlp")
    config = config.model_copy(update={"targets": targets_options})
    last, _ = trained_split(config, frame, final_split(config, split))
    transformed = targets_prepare.resolve(targets_options, frame.take(last.train))
    split, left_out = trained_split(config, frame, split)
    training = frame.take(split.train)
    if earlier is None:
        empty = [name for name in config.columns if not training.n_present(name)]
        later = {name: IgnoreOptions() for name in empty if frame.take(settling).n_present(name)}
        columns = preparer.learn(training, config.columns | later)
        targets = targets_prepare.learn(training, transformed, row_weights(training, weight_column(config.columns)))
    else:  # its weights mean something only together with its preparation
        columns, targets = (
            earlier.columns,
            targets_prepare.extend_range(targets_prepare.reset_calibration(earlier.targets), training),
        )
    config = config.model_copy(update={"targets": targets_prepare.written_options(targets_options, targets)})
    weight = weight_column(config.columns)
    config = _with_residence(config, columns, targets, frame.n_rows)
    room = folder if config.data.residence == "stream" else None
    parts = {name: prepared(columns, targets, frame.take(rows), weight, room) for name, rows in split.parts().items()}
    config, numbers = _with_sizes(config, columns, split)
    parts["train"] = replace(parts["train"], left_out=numbers)
    before = profile(training, [*preparer.used_columns(columns), *targets])
    cleaned = [*_ignored(kinds), *left_out, *_changed(parts)]
    return Ready(config, kinds, columns, targets, parts, before, cleaned, folder, published)


def _with_residence(config: Config, columns: preparer.Columns, targets: targets_prepare.Targets, n_rows: int) -> Config:
    """The config with it settled whether prepared rows are streamed, by their bytes, those of all folds included.

    A step on all rows needs them in memory.
    """
    if config.data.residence != "auto":
        return config
    n_bytes = n_rows * (preparer.row_bytes(columns) + targets_prepare.row_bytes(targets))
    too_large = n_bytes * (1 + (config.split.folds or 0)) > config.data.memory_limit * 2**20
    residence = "stream" if too_large and config.training.batch_size != "all" else "memory"
    return config.model_copy(update={"data": config.data.model_copy(update={"residence": residence})})


def _with_sizes(config: Config, columns: preparer.Columns, split: Split) -> tuple[Config, np.ndarray | None]:
    """The config with `model` and `training` settled, by what a row gives and the rows that a network trains on.

    Also the number of the network that does not train on each row, where each leaves out a fold.
    """
    labels = all(TASKS[options.task].predicts_labels for options in config.targets.values())
    numbers, most = split.left_out, most_networks(config.model, divided=are_divided(config.split))
    model = with_usual_size(
        config.model,
        n_features=preparer.n_features(columns),
        n_rows=_n_trained(split, fewest_networks(config.model)),
        labels=labels,
        most=most,
    )
    if numbers is not None:
        numbers = numbers if model.n_networks == most else numbers // 2
        check_numbers(numbers, model.n_networks)
    training = settled(
        config.training,
        textbook=config.model.kind == "mlp",
        n_rows=_n_trained(split, model.n_networks),
        labels=labels,
        wide=is_wide(model),
        primary=config.evaluation.primary,
    )
    chosen = split.left_out is not None or len(split.validation) > 0 or config.training.final == "refit"
    model = with_keep(model, chosen=chosen)
    return config.model_copy(update={"model": model, "training": training}), numbers


def _n_trained(split: Split, n_networks: int) -> int:
    """The rows that each of so many networks trains on, if each leaves out a fold."""
    n_rows = len(split.train)
    return n_rows if split.left_out is None else n_rows * (n_networks - 1) // n_networks


def trained_split(config: Config, frame: Frame, split: Split) -> tuple[Split, list[Cleaned]]:
    """The split without the training rows that have no weight or that options of columns leave out, and how many."""
    kept, reasons = preparer.rows_to_train(frame.take(split.train), config.columns)
    steps = [
        Cleaned(f"rows with a cell that is {what} not trained on", n, len(kept), "rows", column)
        for what, column, n in reasons
    ]
    weight = row_weights(frame.take(split.train), weight_column(config.columns))
    if not weight.all():
        steps.append(Cleaned("rows of weight 0 not trained on", int((weight == 0).sum()), len(kept), "rows"))
    kept &= weight > 0
    if kept.all():
        return split, steps
    left_out = None if split.left_out is None else split.left_out[kept]
    return replace(split, train=split.train[kept], left_out=left_out), steps


def _ignored(kinds: Kinds) -> list[Cleaned]:
    """The columns that inference left out, counted by why."""
    whys = {
        "BP243": "columns without values",
        "BP244": "constant columns",
        "BP245": "identifiers",
        "BP246": "free text",
    }
    codes = [warning.code for warning in kinds.warnings if warning.message.find("is ignored") >= 0]
    counts = {code: codes.count(code) for code in whys if code in codes}
    return [Cleaned(f"{whys[code]} ignored", n, len(kinds.options), "columns") for code, n in counts.items()]


def _changed(parts: Mapping[str, Prepared]) -> list[Cleaned]:
    """Cells that were cleaned while columns were transformed, over all parts."""
    n_rows = sum(len(part.rows) for part in parts.values())
    totals: Counter[tuple[str, str]] = Counter()
    for part in parts.values():
        totals.update(part.changed)
    return [Cleaned(what, n, n_rows, "cells", column) for (what, column), n in totals.items()]


def prepared(
    columns: preparer.Columns,
    targets: targets_prepare.Targets,
    frame: Frame,
    weight: str | None,
    folder: Path | None = None,
) -> Prepared:
    """The rows of `frame`, ready for the network; `weight` is the column of weights.

    With a `folder`, large arrays lie in files on its disk. Raises DataError as `prepare`.
    """
    allocate = space.in_memory if folder is None else space.in_files(folder)
    transformed = refusal.transform_strictly(columns, frame, allocate)
    return Prepared(
        frame.rows,
        transformed.arrays,
        [space.moved(each, allocate) for each in targets_prepare.encode(targets, frame)],
        targets_prepare.y_true(targets, frame),
        row_weights(frame, weight),
        transformed.changed,
    )


def final_split(config: Config, split: Split) -> Split:
    """The rows as the published model sees them: after a refit, validation rows are training rows."""
    if config.training.final == "best" or not len(split.validation):
        return split
    return Split(np.sort(np.concatenate([split.train, split.validation])), split.validation[:0], split.test)


def describe(ready: Ready) -> str:
    """How many rows each part has, and how many columns each kind."""
    rows = ", ".join(f"{len(part.rows)} {name}" for name, part in ready.parts.items())
    kinds = ", ".join(f"{len(state.columns)} {kind}" for kind, state in ready.columns.items())
    networks = ready.config.model.networks
    kinds += f"; {networks} networks" if networks != 1 else ""
    where = "; rows are streamed from a file" if ready.config.data.residence == "stream" else ""
    return f"{rows} rows; columns: {kinds}{where}"
