"""What the rows are divided by: the kind of split that a config means, and the values that it looks at."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np
import pyarrow.compute as pc

from bptrain.config.schema import Config
from bptrain.data.frame import Frame
from bptrain.data.options import SplitOptions
from bptrain.errors import DataError, Problem, UsageError
from bptrain.features.distinct import distinct
from bptrain.features.kinds import ColumnOptions, IgnoreOptions
from bptrain.features.timestamps import instants
from bptrain.targets.classification.labels import frame_codes, learn_labels
from bptrain.targets.tasks import TASKS
from bptrain.utils.text import escape, nearest, quote_list, yaml_name

if TYPE_CHECKING:
    from bptrain.fitting.dataset import Dataset

ROLES = ("group", "time")
BY_COLUMN = (*ROLES, "column", "hash")
WORDS = {"train": "train", "training": "train", "test": "test"} | dict.fromkeys(
    ("validation", "val", "valid", "dev"), "validation"
)


def settled_split(config: Config, names: tuple[str, ...]) -> SplitOptions:
    """The section `split` with its kind and column, for a table with columns `names`.

    Raises UsageError where the config does not say which, or says what does not go together.
    """
    kind: str = config.split.kind
    column = config.split.column
    roles = [role for role in ROLES if _with_role(config, role, names)]
    if kind == "auto" and len(roles) == 2:
        hints = ("write `split: group` or `split: time`",)
        message = "columns have the roles `group` and `time`, and `split` does not say which divides the rows"
        raise UsageError(Problem("BP161", message, hints=hints, key=("split",)))
    if kind == "auto":
        kind = roles[0] if roles else _by_task(config)
    if kind == "stratified" and _by_task(config) != kind:
        message, hints = "`split: stratified` needs one target with labels", ("write `split: random`",)
        raise UsageError(Problem("BP155", message, hints=hints, key=("split", "kind")))
    if kind in BY_COLUMN and column is None:
        column = _only_column(config, kind, names)
    if kind not in BY_COLUMN and column is not None:
        message = f"`split.column` is given, but a split of kind `{kind}` looks at no column"
        written = f"split: {{kind: group, column: {yaml_name(column)}}}"
        hints = (f"write the kind, such as `{written}` ({quote_list(BY_COLUMN)}), or remove `column`",)
        raise UsageError(Problem("BP165", message, hints=hints, key=("split", "column")))
    if config.split.folds and kind == "column":
        message = "a split by `column` says of each row which part it belongs to, so it has no folds"
        hints = ("remove `folds`, or choose another kind of split",)
        raise UsageError(Problem("BP162", message, hints=hints, key=("split", "folds")))
    return config.split.model_copy(update={"kind": kind, "column": column})


def check_split_column(options: SplitOptions, names: tuple[str, ...]) -> list[Problem]:
    """The problem of a `split.column` that the table does not have."""
    if options.column is None or options.column in names:
        return []
    near = nearest(options.column, names)
    hints = (f"did you mean {quote_list(near)}?",) if near else ()
    message = f"`split.column` names `{escape(options.column)}`, but the table has no such column"
    listed = f"columns: {quote_list(names, last='and')}"
    return [Problem("BP163", message, hints=(*hints, listed), key=("split", "column"))]


def without_split_column(config: Config) -> dict[str, ColumnOptions]:
    """The declared columns, and the one that divides the rows ignored unless declared: it tells parts and groups apart.

    The column of a split by time may well be a feature.
    """
    column = config.split.column
    if column is None or config.split.kind == "time":
        return config.columns
    return {column: IgnoreOptions()} | config.columns


def split_by(found: Dataset) -> tuple[np.ndarray | None, tuple[str, ...]]:
    """What `make_split` divides by (n_rows,), None for a random split, and labels for its messages."""
    options, frame = found.config.split, found.frame
    if options.kind == "stratified":
        target = next(iter(found.config.targets))
        labels = learn_labels(frame, target)
        return frame_codes(frame, target, labels), labels
    if options.kind not in BY_COLUMN or options.column is None:
        return None, ()
    if options.kind == "time":
        return instants(frame, options.column, found.config.columns), ()
    seed = found.config.seed if options.seed is None else options.seed
    values, positions = _keys(frame, options.column, options.kind)
    if options.kind == "group":
        return positions, ()
    if options.kind == "hash":
        return np.array([hash_place(value, seed) for value in values])[positions], ()
    return _words(frame, options.column, values)[positions], ()


def hash_place(key: str, seed: int) -> float:
    """Where in [0, 1) a key lies: the first 8 bytes of blake2b of the seed, a zero byte and the key, as a fraction."""
    digest = hashlib.blake2b(f"{seed}\0{key}".encode(), digest_size=8).digest()
    return (int.from_bytes(digest, "big") >> 11) / 2**53


def _with_role(config: Config, role: str, names: tuple[str, ...]) -> list[str]:
    return [name for name, options in config.columns.items() if options.kind == role and name in names]


def _by_task(config: Config) -> str:
    classes = [TASKS[options.task].predicts_labels for options in config.targets.values()]
    return "stratified" if classes == [True] else "random"


def _only_column(config: Config, kind: str, table: tuple[str, ...]) -> str:
    """The column with the role of this kind of split. Raises UsageError unless there is one."""
    names = _with_role(config, kind, table)
    if len(names) == 1:
        return names[0]
    if names:
        message = f"several columns have the role `{kind}`: {quote_list(names, last='and')}"
        hints = (f"say which divides the rows: `split: {{kind: {kind}, column: {yaml_name(names[0])}}}`",)
    else:
        message = f"`split: {kind}` does not say which column divides the rows"
        hints = (f"write `split: {{kind: {kind}, column: NAME}}`",)
    raise UsageError(Problem("BP164", message, hints=hints, key=("split",)))


def _keys(frame: Frame, name: str, kind: str) -> tuple[list[str], np.ndarray]:
    """The different labels of a column and the position of each row's. Raises DataError for missing cells."""
    texts, positions = distinct(frame.keys(name))
    missing = positions < 0
    if missing.any():
        raise DataError(
            Problem(
                "BP273",
                f"the rows are divided by column `{escape(name)}`, but {int(missing.sum())} of {frame.n_rows} cells "
                "are missing",
                where=frame.where(int(np.flatnonzero(missing)[0])),
                hints=(f"fill them in or remove these rows; `split: {kind}` needs a value in each",),
            )
        )
    return pc.cast(texts, "string").to_pylist(), positions


def _words(frame: Frame, name: str, values: list[str]) -> np.ndarray:
    """The part that each label means. Raises DataError for any other word."""
    wrong = [value for value in values if value.strip().lower() not in WORDS]
    if wrong:
        shown = quote_list(wrong, last="and", limit=5)
        hints = ("write train, validation or test in each cell", "or divide otherwise, for instance `split: random`")
        message = f"column `{escape(name)}` says which part each row belongs to, but holds {shown}"
        raise DataError(Problem("BP278", message, hints=hints, key=("split", "column")))
    return np.array([WORDS[value.strip().lower()] for value in values])
