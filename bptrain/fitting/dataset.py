"""The table of a job: read, cleaned, and divided into training, validation and test rows, or only checked."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from bptrain.config.schema import Config
from bptrain.data.cleaning import Cleaned, clean_rare_classes, drop_duplicates, drop_missing_targets
from bptrain.data.files import AllowedPaths
from bptrain.data.frame import Frame
from bptrain.data.load import Loaded, load
from bptrain.data.splits import (
    SPLITS,
    Split,
    check_folds,
    check_networks,
    check_sizes,
    fold_numbers,
    make_folds,
    make_split,
    uneven_parts,
)
from bptrain.errors import DataError, Problem, UsageError
from bptrain.evaluation.gates import check_gate_splits, parse_gates
from bptrain.evaluation.options import OUT_OF_FOLD
from bptrain.features import inference, preparer
from bptrain.features.options import ColumnOptions
from bptrain.features.preparer import timestamps
from bptrain.fitting.resolve import (
    fewest_networks,
    most_networks,
    resolve_from_table,
    resolve_from_training_rows,
    resolve_model,
)
from bptrain.fitting.warm_start import BaseRun, adopt_columns, adopt_network, find_shared_rows
from bptrain.messages import data as data_messages
from bptrain.messages import fitting as messages
from bptrain.targets import preparer as targets_preparer
from bptrain.targets.classification.labels import frame_codes, learn_labels
from bptrain.targets.tasks import TASKS
from bptrain.utils.text import nearest, quote_list


@dataclass(frozen=True)
class Dataset:
    """The cleaned rows of a job.

    Attributes:
        config: the config, as far as the table settles it.
        frame: all rows.
        source: the part of the file that each row is from (n_rows,): "train", "validation" or "test".
        digests: sha256 of each file by the name that the config gives it.
        warnings: what is worth saying of the table.
        cleaned: what cleaning did, step by step.
    """

    config: Config
    frame: Frame
    source: np.ndarray
    digests: dict[str, str]
    warnings: list[Problem]
    cleaned: list[Cleaned]

    @property
    def training_rows(self) -> Frame:
        """The rows of the files that are to train."""
        return self.frame.take(np.flatnonzero(self.source == "train"))


def load_dataset(
    config: Config, paths: AllowedPaths, folder: Path | None = None, base_run: BaseRun | None = None
) -> Dataset:
    """Read and clean the table of a config, and settle what needs no training rows.

    Args:
        config: as it was loaded.
        paths: where files may lie.
        folder: on whose disk the cells of large files are kept, in files without names; None: in memory.
        base_run: the run that training goes on from.

    Raises:
        UsageError: for mistakes of the config that only the table shows.
        DataError: for a table that cannot be used.
    """
    parse_gates(config.evaluation.gates)  # before anything is read
    warnings: list[Problem] = []
    if base_run is not None:
        config = adopt_network(config, base_run)
    loaded = load(config.data, config.clean, paths, warn=warnings.append, folder=folder)
    _check_names(loaded.frame.names, config)
    if base_run is not None:
        config, unknown = adopt_columns(config, base_run, loaded.frame.names)
        warnings += unknown
    dataset = _clean(loaded, config, warnings)
    config = resolve_from_table(config, dataset.training_rows, dataset.source)
    if base_run is not None:
        dataset.warnings.extend(find_shared_rows(config, dataset.digests, base_run))
    return replace(dataset, config=config)


def _check_names(names: tuple[str, ...], config: Config) -> None:
    """Raise UsageError with every name of the config that no column has."""
    asked = [(target, messages.NO_SUCH_TARGET) for target in config.targets]
    if config.split.column is not None:
        asked.append((config.split.column, data_messages.NO_SPLIT_COLUMN))
    problems = []
    for name, message in asked:
        if name not in names:
            near = nearest(name, names)
            hints = (f"did you mean {quote_list(near)}?",) if near else ()
            problems.append(message(name=name, columns=quote_list(names, last="and"), hints=hints))
    try:
        features = [name for name in names if name not in config.targets]
        inference.match_patterns(features, config.columns, list(config.targets))
    except UsageError as error:
        problems += error.problems
    if problems:
        raise UsageError(*problems)


def _clean(loaded: Loaded, config: Config, warnings: list[Problem]) -> Dataset:
    """The rows that are used: without copies, rows without a target and rare labels, as the config asks for."""
    frame, source, cleaned, copies = drop_duplicates(loaded.frame, loaded.source_split, config.clean)
    kept, dropped = drop_missing_targets(frame, list(config.targets), config.clean)
    if dropped:
        n_dropped = frame.n_rows - kept.n_rows
        cleaned.append(Cleaned("rows without a target dropped", n_dropped, frame.n_rows, "rows"))
        source = source[np.isin(frame.rows, kept.rows)]
    if config.clean.rare_class != "error":
        training = kept.take(np.flatnonzero(source == "train"))
        for name, options in config.targets.items():
            task = TASKS[targets_preparer.infer_task(training, name, options).task]
            too_few = config.clean.rare_class == "group" and not task.many_labels  # to be grouped labels must be three
            if task.predicts_labels and not too_few:
                kept, source, steps = clean_rare_classes(kept, name, source, config.clean)
                cleaned += steps
    every = [*warnings, *copies, *dropped]
    return Dataset(config, kept, source, loaded.digests, every, [*loaded.cleaned, *cleaned])


def split_keys(dataset: Dataset) -> tuple[np.ndarray, tuple[str, ...]]:
    """What `make_split` divides by (n_rows,), and labels for its messages."""
    options = dataset.config.split
    return SPLITS[options.kind].keys(TableValues(dataset), options, dataset.config.seed)


@dataclass(frozen=True)
class TableValues:
    """What a split may ask of a table whose config is resolved: `bptrain.data.splits.RowValues`."""

    dataset: Dataset

    @property
    def n_rows(self) -> int:
        """How many rows there are."""
        return self.dataset.frame.n_rows

    def class_numbers(self) -> tuple[np.ndarray, tuple[str, ...]]:
        """The class of each row (n_rows,) of the first target, and the labels of the classes."""
        target = next(iter(self.dataset.config.targets))
        labels = learn_labels(self.dataset.frame, target)
        return frame_codes(self.dataset.frame, target, labels), labels

    def timestamps(self) -> np.ndarray:
        """When each row happened (n_rows,), by the split's column."""
        return timestamps(self.dataset.frame, self._column, self.dataset.config.columns)

    def labels(self) -> tuple[list[str], np.ndarray]:
        """The different labels of the split's column, and the position (n_rows,) of each row's among them.

        Raises DataError for missing cells.
        """
        frame, column = self.dataset.frame, self._column
        labels, positions = frame.encode_labels(column)
        missing = positions < 0
        if missing.any():
            raise DataError(
                data_messages.MISSING_KEYS(
                    column=column,
                    n=int(missing.sum()),
                    n_rows=frame.n_rows,
                    kind=self.dataset.config.split.kind,
                    where=frame.where(int(np.flatnonzero(missing)[0])),
                )
            )
        return labels, positions

    @property
    def _column(self) -> str:
        column = self.dataset.config.split.column
        if column is None:
            raise RuntimeError("a split by column was resolved without its column")
        return column


def split_rows(dataset: Dataset) -> Split:
    """Training, validation and test rows as positions in the table.

    Where several networks each leave out a fold of the training rows, the split says which row is in which fold.
    Raises DataError when parts cannot be set apart, UsageError for gates on a part without rows.
    """
    config = dataset.config
    keys, labels = split_keys(dataset)
    split = make_split(dataset.source, keys, config.split, seed=config.seed, labels=labels)
    split = _leave_out_folds(config, split, keys)
    parts = [OUT_OF_FOLD if part == "train" and split.network_fold is not None else part for part in split.parts()]
    judged = [part for part in parts if part != "validation" or config.training.final != "refit"]
    check_gate_splits(parse_gates(config.evaluation.gates), judged)
    return split


def split_folds(dataset: Dataset) -> list[Split]:
    """A split for each fold of the cross-validation of the rows that are not for the final judgement.

    Raises DataError when the folds cannot be made.
    """
    config = dataset.config
    keys, labels = split_keys(dataset)
    rows = np.setdiff1d(np.arange(dataset.frame.n_rows), split_rows(dataset).test)
    folds = make_folds(
        rows, keys, config.split, seed=config.seed, labels=labels, test_files=bool((dataset.source == "test").any())
    )
    return [_leave_out_folds(config, split, keys) for split in folds]


def _leave_out_folds(config: Config, split: Split, keys: np.ndarray) -> Split:
    """The split with the fold of training rows that each of several networks leaves out, if no others choose epochs."""
    if config.model.networks == 1 or len(split.validation):
        return split
    n_folds = most_networks(config.model, config.split)
    return replace(split, network_fold=fold_numbers(split.train, keys, config.split, n_folds, seed=config.seed))


def find_doubts(dataset: Dataset, split: Split | None, columns: Mapping[str, ColumnOptions]) -> list[Problem]:
    """Warnings of parts far from their share and of options that training rows make doubtful.

    Without a `split`, which takes scikit-learn, all rows of the training files are looked at.
    """
    if split is None:
        return preparer.doubts(dataset.training_rows, columns)
    uneven = uneven_parts(split, dataset.source, dataset.config.split)
    return [*uneven, *preparer.doubts(dataset.frame.take(split.train), columns)]


def check_split(dataset: Dataset) -> None:
    """Find out whether the rows can be divided, without dividing them where that takes scikit-learn.

    Raises DataError when they cannot, UsageError when there are no rows to choose members by that are to be chosen.
    """
    config, (keys, labels) = dataset.config, split_keys(dataset)
    kind = SPLITS[config.split.kind]
    split = None if kind.uses_sklearn else split_rows(dataset)
    check_sizes(dataset.source, keys, config.split, labels=labels)
    if config.split.folds:
        check_folds(np.flatnonzero(dataset.source != "test"), keys, config.split)
    if split is None:
        has_validation = bool((dataset.source == "validation").any() or config.split.validation)
    else:
        has_validation = len(split.validation) > 0
    folds = config.model.networks != 1 and not has_validation
    if folds and kind.keeps_together:
        check_networks(np.flatnonzero(dataset.source == "train"), keys, fewest_networks(config.model))
    chosen = has_validation or folds or config.training.final == "refit"
    resolve_model(config, n_features=0, n_rows=0, labels=False, has_validation=chosen)


def check_dataset(dataset: Dataset) -> tuple[Config, inference.Kinds, list[Problem]]:
    """Everything that can be found out about a table without a split that takes scikit-learn, and without TensorFlow.

    Kinds are inferred from all rows of the training files.

    Returns:
        The config with the kinds of columns, the kinds and why each was chosen, and warnings.

    Raises:
        UsageError, DataError: as `fit` would; the latter with the cells and labels of all files that could be neither
            learned nor judged.
    """
    check_split(dataset)
    training = dataset.training_rows
    config, kinds = resolve_from_training_rows(dataset.config, training)
    others = dataset.frame.take(np.flatnonzero(dataset.source != "train"))
    problems: list[Problem] = []
    for check in (
        lambda: preparer.row_weights(dataset.frame, preparer.weight_column(config.columns)),
        lambda: preparer.check(dataset.frame, config.columns, training=False),
        lambda: preparer.check(training, config.columns, training=True),
        lambda: targets_preparer.encode(targets_preparer.learn(training, config.targets), others),
    ):
        try:
            check()
        except DataError as error:
            problems += error.problems
    if problems:
        raise DataError(*problems)
    return config, kinds, [*dataset.warnings, *kinds.warnings, *find_doubts(dataset, None, config.columns)]


def scratch_folder(config: Config) -> Path | None:
    """Where the rows of a run whose own were streamed lie while no run is built: in files without names."""
    return Path(tempfile.gettempdir()) if config.data.residence != "memory" else None
