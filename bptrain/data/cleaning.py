"""Rows removed and cells respelled before anything is learned, each step counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bptrain.data.frame import Frame, text_array, unread_kind
from bptrain.data.hashes import Hashes, row_hashes
from bptrain.data.options import CleanOptions
from bptrain.errors import DataError, Problem
from bptrain.messages import data as messages

OTHER = "other"
NOTABLE_COPIES = 0.01  # share of rows from which copies are worth a warning


@dataclass(frozen=True)
class Cleaned:
    """What a step of cleaning did, to `n` of `of` rows, cells, columns or labels; `column` where it was in one."""

    what: str
    n: int
    of: int
    unit: Literal["rows", "cells", "columns", "labels"]
    column: str = ""


def drop_missing_targets(frame: Frame, targets: Sequence[str], options: CleanOptions) -> tuple[Frame, list[Problem]]:
    """The rows that have every target, and a warning that counts the dropped ones.

    Raises DataError when targets are missing and `clean.missing_target` is `error`.
    """
    missing = np.zeros(frame.n_rows, bool)
    for name in targets:
        missing |= frame.is_missing(name)
    n_missing = int(missing.sum())
    if not n_missing:
        return frame, []
    if options.missing_target == "drop":
        warning = messages.NO_TARGET_DROPPED(n=n_missing, n_rows=frame.n_rows)
        return frame.take(np.flatnonzero(~missing)), [warning]
    where = frame.where(int(np.flatnonzero(missing)[0]))
    raise DataError(messages.NO_TARGET(n=n_missing, n_rows=frame.n_rows, where=where))


def strip_cells(table: pa.Table, na_values: Sequence[str], options: CleanOptions) -> tuple[pa.Table, dict[str, int]]:
    """Text without white space around it, where that is asked for, and by column how many cells had some.

    What is left may mean missing.
    """
    changed: dict[str, int] = {}
    if not options.strip:
        return table, changed
    for position, name in enumerate(table.column_names):
        column = table.column(position)
        if not pa.types.is_string(column.type):
            continue
        trimmed = pc.utf8_trim_whitespace(column)
        n_changed = pc.sum(pc.not_equal(trimmed, column)).as_py() or 0
        if n_changed:
            missing = pc.is_in(trimmed, value_set=text_array(na_values))
            trimmed = pc.if_else(missing, pa.scalar(None, pa.string()), trimmed)
            table = table.set_column(position, name, trimmed)
            changed[name] = int(n_changed)
    return table, changed


def drop_duplicates(
    frame: Frame, source_split: np.ndarray, options: CleanOptions
) -> tuple[Frame, np.ndarray, list[Cleaned], list[Problem]]:
    """The rows without copies of earlier ones among the rows of the training files, if these are to be dropped.

    `source_split` (n_rows,) is the part of each row's source. Copies that are kept, and rows of other files that the
    training files hold as well, are warned of when they are many.
    """
    readable = [name for name in frame.names if unread_kind(frame.type_of(name)) is None]
    rows = row_hashes((frame.column(name) for name in readable), frame.n_rows)
    in_training = np.asarray(source_split == "train")
    copies, ordered = np.zeros(len(rows), bool), np.sort(rows[in_training])
    repeated = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
    if len(repeated):  # all rows of one hash but the first are copies
        candidates = np.flatnonzero(in_training)[_is_in(rows[in_training], repeated)]
        copies[candidates] = True
        copies[candidates[np.unique(rows[candidates], return_index=True)[1]]] = False
    shared = np.zeros(len(rows), bool)  # rows of other files that the training files hold, too
    shared[~in_training] = _is_in(rows[~in_training], ordered)
    n_copies, n_rows = int(copies.sum()), int(in_training.sum())
    n_shared, n_others = int(shared.sum()), len(rows) - n_rows
    warnings = []
    if n_shared >= max(1, NOTABLE_COPIES * n_others):
        where = frame.where(int(np.flatnonzero(shared)[0]))
        warnings.append(messages.SHARED_ROWS(n=n_shared, n_rows=n_others, where=where))
    if options.duplicates == "keep" or not n_copies:
        if n_copies >= max(1, NOTABLE_COPIES * n_rows):
            where = frame.where(int(np.flatnonzero(copies)[0]))
            warnings.append(messages.COPIES_KEPT(n=n_copies, n_rows=n_rows, where=where))
        return frame, source_split, [], warnings
    kept = np.flatnonzero(~copies)
    report = [Cleaned("copies of earlier rows dropped", n_copies, n_rows, "rows")]
    return frame.take(kept), source_split[kept], report, warnings


def clean_rare_classes(
    frame: Frame, target: str, source_split: np.ndarray, options: CleanOptions
) -> tuple[Frame, np.ndarray, list[Cleaned]]:
    """The rows without those of rare labels, or with these labels made one.

    A label is rare when too few rows of the training files have it, also one that only other files hold.
    """
    if options.rare_class == "error":
        return frame, source_split, []
    labels = frame.labels(target)
    counts = pc.value_counts(labels.filter(pa.array(source_split == "train"))).to_pylist()
    frequent = [item["values"] for item in counts if item["counts"] >= options.rare_class_rows]
    is_frequent = pc.is_in(labels, value_set=text_array(frequent))
    mask = ~np.asarray(is_frequent.combine_chunks().to_numpy(zero_copy_only=False))
    if not mask.any():
        return frame, source_split, []
    if options.rare_class == "group":
        n_labels = pc.count_distinct(labels).as_py()
        report = [Cleaned(f"rare labels grouped as {OTHER}", n_labels - len(frequent), n_labels, "labels", target)]
        return with_label(frame, target, mask, OTHER), source_split, report
    kept = np.flatnonzero(~mask)
    report = [Cleaned("rows of rare labels dropped", int(mask.sum()), frame.n_rows, "rows", target)]
    return frame.take(kept), source_split[kept], report


def with_label(frame: Frame, target: str, mask: np.ndarray, label: str) -> Frame:
    """The rows with another label where `mask` (n_rows,) is true."""
    cells = pc.if_else(pa.array(mask), pa.scalar(label), frame.texts(target))
    return frame.with_column(target, cells)


def _is_in(rows: Hashes, ordered: Hashes) -> np.ndarray:
    """Which of the rows (n,) are among `ordered` (k,), which rise; takes less memory than numpy's `isin`."""
    if not len(ordered):
        return np.zeros(len(rows), bool)
    return np.asarray(ordered[np.minimum(np.searchsorted(ordered, rows), len(ordered) - 1)] == rows)
