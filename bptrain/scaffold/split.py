"""Which rows to set apart, and the columns by which they could be set apart otherwise."""

from __future__ import annotations

import pyarrow.compute as pc

from bptrain.data.frame import Frame
from bptrain.features.inference import ID_NAME
from bptrain.features.kinds import KINDS, is_feature
from bptrain.features.options import ColumnOptions
from bptrain.scaffold.columns import Columns
from bptrain.utils.text import escape, yaml_name

FEWEST = 10  # rows below which every row has to train
FEW = 100  # rows below which figures swing with the few rows they are measured on
MANY_LABELS = 50  # labels that rather name somebody or something than sort the rows
LARGEST_SHARE = 1 / 3  # of rows in one group from which on parts come out far from their shares
REPEATS = 2  # rows per name, at least, in a column that groups rows
MOST_HINTS = 2


def hints(frame: Frame, columns: Columns) -> list[tuple[str, str]]:
    """When another split is right, and the line that asks for it."""
    found = [
        (
            f"To judge on the latest rows, as when the model will predict the future ({_shown(name)}):",
            _line("time", name),
        )
        for name, options in columns.options.items()
        if is_feature(options) and KINDS[options.kind].tells_time
    ]
    found += [
        (
            f"To judge on values of {_shown(name)} that the model has not seen, as when new ones come:",
            _line("group", name),
        )
        for name in groups(frame, columns)
    ]
    return found


def groups(frame: Frame, columns: Columns) -> list[str]:
    """Columns whose cells name what several rows belong to: named like an id, else those with most labels."""
    sizes = {name: _n_names(frame, name) for name in columns.options if frame.unread_problem(name) is None}
    repeated = {
        name: n
        for name, n in sizes.items()
        if 2 < n <= frame.n_present(name) / REPEATS and _largest(frame, name) < LARGEST_SHARE * frame.n_rows
    }
    named = [name for name in repeated if ID_NAME.search(name)]
    many = sorted(
        (name for name, n in repeated.items() if n > MANY_LABELS and _are_labels(columns.options[name])),
        key=lambda name: -repeated[name],
    )
    return list(dict.fromkeys([*named, *many]))[:MOST_HINTS]


def _largest(frame: Frame, name: str) -> int:
    """The rows of the most frequent label, or those without one."""
    return int(pc.max(pc.value_counts(frame.labels(name)).field(1)).as_py())


def _n_names(frame: Frame, name: str) -> int:
    return frame.n_unique(name) if not frame.is_missing(name).all() else 0


def _are_labels(options: ColumnOptions) -> bool:
    return is_feature(options) and KINDS[options.kind].takes_any_text


def _shown(name: str) -> str:
    return f"`{escape(name)}`"


def _line(kind: str, name: str) -> str:
    return f"split: {{kind: {kind}, column: {yaml_name(name)}}}"
