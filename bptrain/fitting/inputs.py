"""Rows made ready for training: the config is resolved, columns and targets are learned, every part is transformed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from bptrain.config.schema import Config
from bptrain.data import memory
from bptrain.data.cleaning import Cleaned
from bptrain.data.frame import Frame
from bptrain.data.splits import Split
from bptrain.errors import DataError
from bptrain.features import preparer
from bptrain.features.drift import Profile
from bptrain.features.inference import Kinds, Why
from bptrain.features.options import IgnoreOptions
from bptrain.fitting.dataset import Dataset
from bptrain.fitting.resolve import (
    ResolvedConfig,
    Sizes,
    learned_options,
    most_networks,
    resolve_from_training_rows,
    resolve_sizes,
)
from bptrain.fitting.warm_start import BaseRun
from bptrain.messages import data as messages
from bptrain.targets import preparer as targets_preparer


@dataclass(frozen=True)
class PreparedRows:
    """The rows of one part, ready for the network.

    Attributes:
        rows: their numbers in the table (n_rows,).
        inputs: arrays for the network by name (n_rows, …).
        encoded: what the network is to give, an array (n_rows, width) per target.
        truths: the target columns (n_rows,) as predictions.parquet holds them.
        weight: how much each row counts (n_rows,).
        changed: cells that were cleaned on the way, by (what was done, column).
        network_fold: the number of the network that did not train on the row (n_rows,), in training rows of which each
            network leaves out a fold.
    """

    rows: np.ndarray
    inputs: Mapping[str, np.ndarray]
    encoded: list[np.ndarray]
    truths: Mapping[str, pa.Array]
    weight: np.ndarray
    changed: Mapping[tuple[str, str], int]
    network_fold: np.ndarray | None = None

    def take(self, positions: np.ndarray) -> PreparedRows:
        """Some of the rows, by position."""
        return PreparedRows(
            self.rows[positions],
            {name: array[positions] for name, array in self.inputs.items()},
            [array[positions] for array in self.encoded],
            {name: truth.take(pa.array(positions)) for name, truth in self.truths.items()},
            self.weight[positions],
            {},
        )


@dataclass(frozen=True)
class Preparation:
    """What training rows taught about columns and targets.

    Attributes:
        columns, targets: what was learned.
        split: the split without training rows that are not trained on.
        cleaned: how many rows these were, and why.
    """

    columns: preparer.Columns
    targets: targets_preparer.Targets
    split: Split
    cleaned: list[Cleaned]


@dataclass(frozen=True)
class TrainingInputs:
    """What a training starts from.

    Attributes:
        config: nothing in it is open.
        columns, targets: what training rows taught.
        parts: the rows of each part, by its name.
        profile: what the training rows were like, for drift.
        cleaned: what was done to rows and cells of all parts.
    """

    config: ResolvedConfig
    columns: preparer.Columns
    targets: targets_preparer.Targets
    parts: Mapping[str, PreparedRows]
    profile: Profile
    cleaned: list[Cleaned]

    def __str__(self) -> str:
        rows = ", ".join(f"{len(part.rows)} {name}" for name, part in self.parts.items())
        kinds = ", ".join(f"{len(state.columns)} {kind}" for kind, state in self.columns.items())
        networks = self.config.model.networks
        kinds += f"; {networks} networks" if networks != 1 else ""
        where = "; rows are streamed from a file" if self.config.residence == "stream" else ""
        return f"{rows} rows; columns: {kinds}{where}"


def resolve_config(
    dataset: Dataset, split: Split, base_run: BaseRun | None
) -> tuple[ResolvedConfig, Kinds, Preparation]:
    """Settle what is left open, by what the training rows teach.

    Kinds of columns and transforms of targets are settled by the rows that train the model in the end: with a refit,
    the validation rows are among them.

    Returns:
        The resolved config, the kinds of columns and why each was chosen, and what the training rows taught.

    Raises:
        UsageError, DataError: for columns and cells that cannot be used.
    """
    frame = dataset.frame
    config, kinds = resolve_from_training_rows(dataset.config, frame.take(final_split(dataset.config, split).train))
    preparer.row_weights(frame, preparer.weight_column(config.columns))  # wrong ones of all parts in one message
    learned = learn_preparation(config, frame, split, base_run, published=split)
    targets = learned_options(config.targets, learned.targets, anew=True)
    n_features, row_bytes = preparer.row_size(learned.columns)
    sizes = Sizes(
        n_features=n_features,
        n_rows=frame.n_rows,
        n_train=len(split.train),
        row_bytes=row_bytes + 4 * len(learned.targets),
        folds=split.network_fold is not None,
        has_validation=split.network_fold is not None or len(split.validation) > 0 or config.training.final == "refit",
    )
    resolved = resolve_sizes(config, targets, sizes)
    fold = learned.split.network_fold
    if fold is not None and resolved.model.networks != most_networks(config.model, config.split):
        fold = fold // 2  # decision M3: ten folds are halves of five
    return resolved, kinds, replace(learned, split=replace(learned.split, network_fold=fold))


def learn_preparation(
    config: Config, frame: Frame, split: Split, base_run: BaseRun | None, *, published: Split
) -> Preparation:
    """Learn columns and targets from the training rows of a split.

    A column with values in the rows that settle its kind, those of the model that has the split `published`, but with
    none in these training rows, is not learned. With a base run, what that run learned is kept, as its weights mean
    something only together with it. Raises DataError for columns and cells that cannot be used.
    """
    finally_trained, _ = drop_untrained_rows(config, frame, final_split(config, split))
    split, cleaned = drop_untrained_rows(config, frame, split)
    training = frame.take(split.train)
    if base_run is not None:
        targets = targets_preparer.restart(base_run.targets, training)
        return Preparation(base_run.columns, targets, split, cleaned)
    settling = frame.take(final_split(config, published).train)
    empty = [name for name in config.columns if not training.n_present(name)]
    later = {name: IgnoreOptions() for name in empty if settling.n_present(name)}
    columns = preparer.learn(training, config.columns | later)
    weight = preparer.row_weights(training, preparer.weight_column(config.columns))
    targets = targets_preparer.learn(training, config.targets, weight, frame.take(finally_trained.train))
    return Preparation(columns, targets, split, cleaned)


def transform_parts(
    config: ResolvedConfig, learned: Preparation, frame: Frame, folder: Path | None = None
) -> TrainingInputs:
    """Transform the rows of all parts.

    Rows that are to be streamed lie in files without names on the disk of `folder`. Raises DataError for cells that
    cannot be used.
    """
    weight = preparer.weight_column(config.complete.columns)
    room = folder if config.residence == "stream" else None
    parts = {
        name: prepare_rows(learned.columns, learned.targets, frame.take(rows), weight, room)
        for name, rows in learned.split.parts().items()
    }
    if learned.split.network_fold is not None:
        n_folds = config.model.networks
        if not np.bincount(learned.split.network_fold, minlength=n_folds).all():  # none of its rows has a weight
            reason = "a fold has no row that can be trained on"
            raise DataError(messages.TOO_FEW_FOR_NETWORKS(n_folds=n_folds, reason=reason))
        parts["train"] = replace(parts["train"], network_fold=learned.split.network_fold)
    n_rows = sum(len(part.rows) for part in parts.values())
    changed: Counter[tuple[str, str]] = Counter()
    for part in parts.values():
        changed.update(part.changed)
    cleaned = [Cleaned(what, n, n_rows, "cells", column) for (what, column), n in changed.items()]
    names = [*preparer.kinds_of_columns(learned.columns), *learned.targets]
    before = Profile.learn(frame.take(learned.split.train), names)
    return TrainingInputs(config, learned.columns, learned.targets, parts, before, [*learned.cleaned, *cleaned])


def prepare_rows(
    columns: preparer.Columns,
    targets: targets_preparer.Targets,
    frame: Frame,
    weight: str | None,
    folder: Path | None = None,
) -> PreparedRows:
    """The rows of `frame`, ready for the network; `weight` is the column of weights.

    With a `folder`, large arrays lie in files on its disk. Raises DataError for cells that cannot be used.
    """
    allocate = memory.in_memory if folder is None else memory.memory_mapped(folder)
    transformed = preparer.transform_or_raise(columns, frame, allocate)
    encoded, truths = targets_preparer.encode(targets, frame)
    return PreparedRows(
        frame.rows,
        transformed.arrays,
        [memory.copy_into(each, allocate) for each in encoded],
        truths,
        preparer.row_weights(frame, weight),
        transformed.changed,
    )


def drop_untrained_rows(config: Config, frame: Frame, split: Split) -> tuple[Split, list[Cleaned]]:
    """The split without the training rows that have no weight or that options of columns leave out, and how many."""
    training = frame.take(split.train)
    kept, reasons = preparer.rows_to_train(training, config.columns)
    steps = [
        Cleaned(f"rows with a cell that is {what} not trained on", n, len(kept), "rows", column)
        for what, column, n in reasons
    ]
    weight = preparer.row_weights(training, preparer.weight_column(config.columns))
    if not weight.all():
        steps.append(Cleaned("rows of weight 0 not trained on", int((weight == 0).sum()), len(kept), "rows"))
    kept &= weight > 0
    if kept.all():
        return split, steps
    fold = None if split.network_fold is None else split.network_fold[kept]
    return replace(split, train=split.train[kept], network_fold=fold), steps


def final_split(config: Config, split: Split) -> Split:
    """The rows as the published model sees them: after a refit, validation rows are training rows."""
    if config.training.final == "best" or not len(split.validation):
        return split
    return Split(np.sort(np.concatenate([split.train, split.validation])), split.validation[:0], split.test)


def count_ignored(kinds: Kinds) -> list[Cleaned]:
    """The columns that inference left out, counted by why."""
    words: dict[Why, str] = {
        "empty": "columns without values",
        "constant": "constant columns",
        "identifier": "identifiers",
        "text": "free text",
    }
    counts = Counter(ignored.why for ignored in kinds.ignored.values())
    return [
        Cleaned(f"{words[why]} ignored", counts[why], len(kinds.options), "columns") for why in words if counts[why]
    ]
