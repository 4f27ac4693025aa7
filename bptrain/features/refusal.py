"""Cells that a column's kind cannot use, refused in the words of the kind.

A kind whose cells may be wrong says so in its `prepare.py`, beside the functions of `Prepare`:

- `UNUSABLE`, what such a cell is, for instance "no date";
- `unusable(frame, name, mask)`, the problem of the cells under `mask` (n_rows,);
- `check_training(frame, options)`, which refuses cells that only training rows must not have, and columns without any.

Each may be left out: then the cells are no finite numbers, and training rows may have what any row may have. The
problems are made by `unreadable` and `empty`, so that a kind brings its words and no message codes of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from bptrain.data.frame import Frame
from bptrain.data.memory import Allocate
from bptrain.errors import DataError, Problem
from bptrain.features import kinds
from bptrain.features import preparer as prepare
from bptrain.features.kind import Transformed
from bptrain.features.kinds import ColumnOptions
from bptrain.utils.text import escape, yaml_name

Key = TypeVar("Key")
PART_ROWS = 2**17
NO_NUMBER = "no finite number"


@dataclass(frozen=True)
class Words:
    """How one speaks of a column: its kind, and what its unusable cells are."""

    kind: str
    unusable: str


def unreadable(frame: Frame, name: str, mask: np.ndarray, said: str, *remedies: str) -> Problem:
    """The problem of cells under `mask` (n_rows,) that their column's kind cannot read.

    `said` goes on after "column `x`", with {} for how many they are: "is a date, but {} are no date of its format".
    """
    counted = said.format(f"{int(mask.sum())} of {frame.n_rows} cells")
    return Problem(
        "BP255",
        f"column `{escape(name)}` {counted}: {frame.examples(name, mask)}",
        where=frame.where(int(np.flatnonzero(mask)[0])),
        hints=(
            "if these cells mean missing, add them to `data.na_values`; else correct them",
            *remedies,
            f"if they are labels, write `columns: {{{yaml_name(name)}: categorical}}`",
        ),
    )


def empty(name: str, kind: str) -> Problem:
    """The problem of a column that is declared, but has no value in the training rows."""
    return Problem(
        "BP241",
        f"column `{escape(name)}` is declared {kind} but has no value in the training rows",
        hints=(f"write `columns: {{{yaml_name(name)}: ignore}}`, or check `data.na_values`",),
        key=("columns", name),
    )


def words(columns: prepare.Columns) -> dict[str, Words]:
    """By column name."""
    return {
        name: Words(kind, getattr(kinds.prepare(kind), "UNUSABLE", NO_NUMBER))
        for kind, state in columns.items()
        for name in state.columns
    }


def transform_strictly(columns: prepare.Columns, frame: Frame, allocate: Allocate = np.empty) -> Transformed:
    """As `prepare.transform`, in parts of the rows and into arrays that `allocate` makes.

    Cells that cannot be used are a DataError that shows them.
    """
    inputs = {name: kind for state in columns.values() for name, kind in state.inputs.items()}
    result = Transformed({name: allocate((frame.n_rows, *row), dtype) for name, (dtype, row) in inputs.items()})
    for start in range(0, frame.n_rows, PART_ROWS):
        rows = slice(start, min(start + PART_ROWS, frame.n_rows))
        part = prepare.transform(columns, frame.take(np.arange(rows.start, rows.stop)))
        if part.bad:
            raise _refused(columns, frame)
        for name, array in part.arrays.items():
            result.arrays[name][rows] = array
        _add(result.unknown, part.unknown)
        _add(result.outside, part.outside)
        _add(result.changed, part.changed)
    return result


def _add(counts: dict[Key, int], more: Mapping[Key, int]) -> None:
    for key, count in more.items():
        counts[key] = counts.get(key, 0) + count


def _refused(columns: prepare.Columns, frame: Frame) -> DataError:
    """The error that shows every cell of all rows that cannot be used."""
    result, known = prepare.transform(columns, frame), words(columns)
    return DataError(
        *(
            result.problems.get(name) or _problem(frame, name, mask, known[name].kind)
            for name, mask in result.bad.items()
        )
    )


def check_training(frame: Frame, options: Mapping[str, ColumnOptions]) -> None:
    """Raise DataError for cells of `frame` that training rows must not have, and rows for other purposes may."""
    problems: list[Problem] = []
    for kind in kinds.KINDS:
        refuse = getattr(kinds.prepare(kind), "check_training", None)
        own = {name: chosen for name, chosen in options.items() if chosen.kind == kind}
        try:
            if own and refuse is not None:
                refuse(frame, own)
        except DataError as error:
            problems.extend(error.problems)
    if problems:
        raise DataError(*problems)


def _problem(frame: Frame, name: str, mask: np.ndarray, kind: str) -> Problem:
    describe = getattr(kinds.prepare(kind), "unusable", None)
    return frame.not_a_number(name, mask) if describe is None else describe(frame, name, mask)
