"""The sections `columns` and `split`: the kinds as they will be inferred, the few columns that deserve a line, and
those by which rows could be set apart otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from glob import escape as as_pattern

import pyarrow.compute as pc

from bptrain.data.frame import Frame
from bptrain.errors import Problem
from bptrain.features import inference
from bptrain.features.kinds import KINDS
from bptrain.features.numeric.kind import infer_format
from bptrain.features.options import ColumnOptions, IgnoreOptions
from bptrain.messages import features as messages
from bptrain.scaffold.data import text_columns
from bptrain.utils.text import escape, shorten, yaml_name

MANY_LABELS = 50  # labels that rather name somebody or something than sort the rows
LARGEST_SHARE = 1 / 3  # of rows in one group from which on parts come out far from their shares
REPEATS = 2  # rows per name, at least, in a column that groups rows
MOST_GROUPS = 2


@dataclass(frozen=True)
class Columns:
    """The options and reasons of every column, those that get a line, and what should be looked at."""

    options: dict[str, ColumnOptions]
    reasons: dict[str, str]
    lines: dict[str, ColumnOptions]
    warnings: list[Problem]

    def by_kind(self) -> dict[str, list[str]]:
        """The columns without a line, by kind, in the order of the kinds."""
        without_line = {name: options.kind for name, options in self.options.items() if name not in self.lines}
        by_kind = {kind: [name for name, its in without_line.items() if its == kind] for kind in KINDS}
        return {kind: names for kind, names in by_kind.items() if names}


def propose_columns(frame: Frame, target: str, broken: Mapping[str, str]) -> Columns:
    """The columns of `frame` (rows with a target).

    `broken` are columns of numbers with many odd cells, and which cells those are. Raises the DataError of a table
    from which nothing can be predicted.
    """
    declared: dict[str, ColumnOptions] = {name: IgnoreOptions() for name in broken if name != target}
    reasons = {name: f"numbers, but {broken[name]}" for name in declared}
    for name in text_columns(frame):  # numbers with a unit or marks between thousands
        if name not in declared and name != target:
            numeric = infer_format(frame, name)
            if numeric is not None:
                example = shorten(str(frame.texts(name).drop_null()[0].as_py()), 20)
                declared[name], reasons[name] = numeric, f"numbers, written as '{example}'"
    by_key = {column_key(name, frame.names): options for name, options in declared.items()}
    inferred = inference.resolve(frame, by_key, [target])
    lines = {}
    of_ignored = [ignored.warning for ignored in inferred.ignored.values()]  # say why, as the column's line does
    warnings = [warning for warning in inferred.warnings if warning not in of_ignored]
    for name, options in inferred.options.items():
        settings, kind = written_settings(options), KINDS.get(options.kind)
        # An analyst wants to see times named, although they would be inferred: what is made of them is worth a look.
        tells_time = kind is not None and kind.tells_time
        if name in declared or kind is None or tells_time or settings:
            lines[name] = options
        if tells_time and not settings:  # ISO dates: their texts are in the order of time
            texts = pc.min_max(frame.texts(name)).as_py()
            reasons[name] = f"from {texts['min']} to {texts['max']}"
        elif "order" in settings:
            reasons[name] = "CHECK: from least to most, as the words say"
        has_id_name = kind is not None and kind.cells_are_numbers and inference.ID_NAME.search(name)
        if has_id_name and frame.n_unique(name) < frame.n_present(name):
            warnings.append(messages.ID_AS_AMOUNT(name=name, key_name=yaml_name(name)))
    return Columns(inferred.options, inferred.reasons | reasons, lines, warnings)


def column_key(name: str, names: tuple[str, ...]) -> str:
    """The name as a key of `columns`: written as a pattern for it alone where it would fit others as well."""
    fitting = {other for other in names if fnmatchcase(other, name)}
    return name if fitting <= {name} else as_pattern(name)


def written_settings(options: ColumnOptions) -> dict[str, object]:
    """What of the options is no default, besides the kind."""
    return {name: value for name, value in options.model_dump(exclude_defaults=True).items() if name != "kind"}


def split_hints(frame: Frame, columns: Columns) -> list[tuple[str, str]]:
    """When another split is right, and the line that asks for it."""
    hints = []
    for name, options in columns.options.items():
        if (kind := KINDS.get(options.kind)) is not None and kind.tells_time:
            when = f"To judge on the latest rows, as when the model will predict the future (`{escape(name)}`):"
            hints.append((when, f"split: {{kind: time, column: {yaml_name(name)}}}"))
    for name in _group_columns(frame, columns):
        when = f"To judge on values of `{escape(name)}` that the model has not seen, as when new ones come:"
        hints.append((when, f"split: {{kind: group, column: {yaml_name(name)}}}"))
    return hints


def _group_columns(frame: Frame, columns: Columns) -> list[str]:
    """Columns whose cells name what several rows belong to: named like an id, else those with most labels."""
    n_groups: dict[str, int] = {}
    for name in columns.options:
        if frame.unread_problem(name) is not None or not frame.n_present(name):
            continue
        n_labels = frame.n_unique(name)
        if 2 < n_labels <= frame.n_present(name) / REPEATS:
            largest = int(pc.max(pc.value_counts(frame.labels(name)).field(1)).as_py())  # or the rows without a label
            if largest < LARGEST_SHARE * frame.n_rows:
                n_groups[name] = n_labels
    named = [name for name in n_groups if inference.ID_NAME.search(name)]
    kinds = {name: KINDS.get(columns.options[name].kind) for name, n in n_groups.items() if n > MANY_LABELS}
    many = [name for name, kind in kinds.items() if kind is not None and kind.takes_any_text]
    many.sort(key=lambda name: -n_groups[name])
    return list(dict.fromkeys([*named, *many]))[:MOST_GROUPS]
