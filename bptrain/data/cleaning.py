"""Rows removed and cells respelled before anything is learned, each counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bptrain.data import values
from bptrain.data.chunks import text_array
from bptrain.data.frame import Frame
from bptrain.data.hashes import Hashes, row_hashes
from bptrain.data.options import CleanOptions
from bptrain.data.report import Cleaned
from bptrain.errors import DataError, Problem
from bptrain.utils.text import escape

OTHER = "other"
NOTABLE_COPIES = 0.01  # share of rows from which copies are worth a warning


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
        note = Problem("BP260", f"{n_missing} of {frame.n_rows} rows have no target and were dropped")
        return frame.take(np.flatnonzero(~missing)), [note]
    raise DataError(
        Problem(
            "BP260",
            f"{n_missing} of {frame.n_rows} rows have no target value",
            where=frame.where(int(np.flatnonzero(missing)[0])),
            hints=("write `clean: {missing_target: drop}` to leave these rows out, or fill them in",),
        )
    )


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


def stripped_report(changed: Mapping[str, int], n_rows: int) -> list[Cleaned]:
    """What `strip_cells` did to a table of so many rows."""
    return [Cleaned("white space removed", n, n_rows, "cells", name) for name, n in changed.items()]


def drop_duplicates(
    frame: Frame, given: np.ndarray, options: CleanOptions
) -> tuple[Frame, np.ndarray, list[Cleaned], list[Problem]]:
    """The rows without copies of earlier ones among the rows of the training files, if these are to be dropped.

    `given` (n_rows,) is the part of each row's file. Copies that are kept, and rows of other files that the training
    files hold as well, are warned of when they are many.
    """
    readable = [name for name in frame.names if values.unread_kind(frame.type_of(name)) is None]
    rows = row_hashes((frame.column(name) for name in readable), frame.n_rows)
    in_training = np.asarray(given == "train")
    copies = _copies(rows, in_training)
    warnings = _shared_rows(frame, rows, in_training)
    n_copies, n_rows = int(copies.sum()), int(in_training.sum())
    if options.duplicates == "keep" or not n_copies:
        warnings += _copies_kept(n_copies, n_rows, frame, copies)
        return frame, given, [], warnings
    kept = np.flatnonzero(~copies)
    report = [Cleaned("copies of earlier rows dropped", n_copies, n_rows, "rows")]
    return frame.take(kept), given[kept], report, warnings


def clean_rare_classes(
    frame: Frame, target: str, given: np.ndarray, options: CleanOptions
) -> tuple[Frame, np.ndarray, list[Cleaned]]:
    """The rows without those of rare labels, or with these labels made one.

    A label is rare when too few rows of the training files have it, also one that only other files hold.
    """
    if options.rare_class == "error":
        return frame, given, []
    keys = frame.keys(target)
    counts = pc.value_counts(keys.filter(pa.array(given == "train"))).to_pylist()
    frequent = [item["values"] for item in counts if item["counts"] >= options.rare_class_rows]
    known = pc.is_in(keys, value_set=text_array(frequent))
    mask = ~np.asarray(known.combine_chunks().to_numpy(zero_copy_only=False))
    if not mask.any():
        return frame, given, []
    if options.rare_class == "group":
        n_labels = pc.count_distinct(keys).as_py()
        report = [Cleaned(f"rare labels grouped as {OTHER}", n_labels - len(frequent), n_labels, "labels", target)]
        return with_label(frame, target, mask, OTHER), given, report
    kept = np.flatnonzero(~mask)
    report = [Cleaned("rows of rare labels dropped", int(mask.sum()), frame.n_rows, "rows", target)]
    return frame.take(kept), given[kept], report


def with_label(frame: Frame, target: str, mask: np.ndarray, label: str) -> Frame:
    """The rows with another label where `mask` (n_rows,) is true."""
    cells = pc.if_else(pa.array(mask), pa.scalar(label), frame.texts(target))
    return frame.with_column(target, cells)


def _copies(rows: Hashes, chosen: np.ndarray) -> np.ndarray:
    """Which of the `chosen` rows (n_rows,) equal an earlier one of them, by their hashes."""
    found = np.zeros(len(rows), bool)
    ordered = np.sort(rows[chosen])
    repeated = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
    if len(repeated):
        candidates = np.flatnonzero(chosen)[_is_in(rows[chosen], repeated)]
        found[candidates] = True
        found[candidates[np.unique(rows[candidates], return_index=True)[1]]] = False  # the first of each
    return found


def _is_in(rows: Hashes, known: Hashes) -> np.ndarray:
    """Which of the rows (n,) are among `known` (k,), which rise; takes less memory than numpy's `isin`."""
    if not len(known):
        return np.zeros(len(rows), bool)
    return np.asarray(known[np.minimum(np.searchsorted(known, rows), len(known) - 1)] == rows)


def _copies_kept(n_copies: int, n_rows: int, frame: Frame, copies: np.ndarray) -> list[Problem]:
    if n_copies < max(1, NOTABLE_COPIES * n_rows):
        return []
    text = (
        f"{n_copies} of {n_rows} rows repeat an earlier row in every column; copies may be on both sides of the split"
    )
    hints = ("if they are copies made by mistake, write `clean: {duplicates: drop}`",)
    return [Problem("BP271", text, where=frame.where(int(np.flatnonzero(copies)[0])), hints=hints)]


def _shared_rows(frame: Frame, rows: Hashes, in_training: np.ndarray) -> list[Problem]:
    """The warning that given validation or test files hold rows of the training files."""
    others = ~in_training
    if not others.any():
        return []
    shared = np.zeros(len(rows), bool)
    shared[others] = _is_in(rows[others], np.sort(rows[in_training]))
    n_shared, n_others = int(shared.sum()), int(others.sum())
    if n_shared < max(1, NOTABLE_COPIES * n_others):
        return []
    text = f"{n_shared} of {n_others} rows of the validation and test files are also in the training files"
    hints = ("remove them from one side: a model may know them by heart, so its metrics flatter it",)
    return [Problem("BP272", text, where=escape(frame.where(int(np.flatnonzero(shared)[0]))), hints=hints)]
