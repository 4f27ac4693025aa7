"""When each row happened: a column of numbers, dates or date-times as numbers that can be ordered."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from bptrain.data.frame import Frame
from bptrain.errors import DataError, Problem
from bptrain.features.date.formats import seconds
from bptrain.features.date.options import DateOptions
from bptrain.features.date.recognise import recognise
from bptrain.features.distinct import distinct
from bptrain.features.kinds import ColumnOptions
from bptrain.utils.text import escape, yaml_name


def instants(frame: Frame, name: str, declared: Mapping[str, ColumnOptions]) -> np.ndarray:
    """Numbers (n_rows,) float64, larger for later; seconds since 1970-01-01 for dates.

    A declared date is read in its format, another column as numbers or as dates of a format that leaves no doubt.
    Raises DataError for cells that are missing or neither.
    """
    options = declared.get(name)
    if not isinstance(options, DateOptions):
        values, bad = frame.numbers(name)
        if not bad.any():
            return _complete(frame, name, values)
        recognised = recognise(frame, name)
        options = DateOptions() if recognised is None else recognised.options
    texts, positions = distinct(frame.texts(name))
    return _complete(frame, name, np.append(seconds(texts, options.format), np.nan)[positions])


def _complete(frame: Frame, name: str, values: np.ndarray) -> np.ndarray:
    wrong = ~np.isfinite(values)
    if not wrong.any():
        return values
    missing = frame.is_missing(name)
    shown = frame.examples(name, wrong & ~missing) or f"{int(missing.sum())} are missing"
    raise DataError(
        Problem(
            "BP274",
            f"column `{escape(name)}` is to order the rows by time, but {int(wrong.sum())} of {frame.n_rows} cells are "
            f"no number and no date: {shown}",
            where=frame.where(int(np.flatnonzero(wrong)[0])),
            hints=(
                "write dates as 2024-05-31, or say how they are written: "
                f'`columns: {{{yaml_name(name)}: {{kind: date, format: "%d/%m/%Y"}}}}`',
                "correct or remove rows without a time",
            ),
        )
    )
