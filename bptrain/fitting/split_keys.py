"""What the rows are divided by: the kind of split that a config means, and the values that it looks at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bptrain.config.schema import Config
from bptrain.data.options import SplitOptions
from bptrain.data.splits import SPLITS
from bptrain.errors import DataError, Problem, UsageError
from bptrain.features.options import ColumnOptions, IgnoreOptions
from bptrain.features.preparer import timestamps
from bptrain.messages import data as messages
from bptrain.targets.classification.labels import frame_codes, learn_labels
from bptrain.targets.tasks import TASKS
from bptrain.utils.text import nearest, quote_list, yaml_name

if TYPE_CHECKING:
    from bptrain.fitting.dataset import Dataset

ROLES = tuple(name for name, kind in SPLITS.items() if kind.has_role)


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
        raise UsageError(messages.SEVERAL_ROLES())
    by_task = next(name for name, kind in SPLITS.items() if not kind.uses_column and kind.needs_labels == has_labels)
    name = options.kind if options.kind != "auto" else roles[0] if roles else by_task
    kind, column = SPLITS[name], options.column
    if kind.needs_labels and not has_labels:
        raise UsageError(messages.STRATIFIED_WITHOUT_LABELS())
    if kind.uses_column and column is None:
        candidates = by_role.get(name, [])
        if len(candidates) > 1:
            names_, first = quote_list(candidates, last="and"), yaml_name(candidates[0])
            raise UsageError(messages.SEVERAL_SPLIT_COLUMNS(kind=name, names=names_, first=first))
        if not candidates:
            raise UsageError(messages.SPLIT_COLUMN_OPEN(kind=name))
        column = candidates[0]
    if not kind.uses_column and column is not None:
        kinds = quote_list([name for name, other in SPLITS.items() if other.uses_column])
        raise UsageError(messages.SPLIT_COLUMN_UNUSED(kind=name, column=yaml_name(column), kinds=kinds))
    if options.folds and kind.cells_are_parts:
        raise UsageError(messages.NO_FOLDS_BY_PARTS(kind=name))
    return options.model_copy(update={"kind": name, "column": column})


def check_split_column(options: SplitOptions, names: tuple[str, ...]) -> list[Problem]:
    """The problem of a `split.column` that the table does not have."""
    if options.column is None or options.column in names:
        return []
    near = nearest(options.column, names)
    hints = (f"did you mean {quote_list(near)}?",) if near else ()
    return [messages.NO_SPLIT_COLUMN(column=options.column, names=quote_list(names, last="and"), hints=hints)]


def without_split_column(config: Config) -> dict[str, ColumnOptions]:
    """The declared columns, and the one that divides the rows ignored unless declared: it tells parts and groups apart.

    The column of a split by time may well be a feature.
    """
    column = config.split.column
    if column is None or SPLITS[config.split.kind].column_is_feature:
        return config.columns
    return {column: IgnoreOptions()} | config.columns


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
        frame = self.dataset.frame
        labels, positions = frame.encode_labels(self._column)
        missing = positions < 0
        if missing.any():
            raise DataError(
                messages.MISSING_KEYS(
                    column=self._column,
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
