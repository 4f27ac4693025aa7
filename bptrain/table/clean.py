"""Rows removed before anything is learned, each counted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bptrain.errors import DataError, Problem
from bptrain.table.frame import Frame
from bptrain.table.options import CleanOptions


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
