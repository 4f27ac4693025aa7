"""The kinds of all columns as they will be inferred, and the few that deserve a line in the config."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from glob import escape as as_pattern

import pyarrow.compute as pc

from bptrain.data.frame import Frame
from bptrain.errors import Problem
from bptrain.features import inference as infer
from bptrain.features.kinds import KINDS, is_feature
from bptrain.features.numeric.number_formats import infer_format
from bptrain.features.options import ColumnOptions, IgnoreOptions
from bptrain.scaffold.reading import text_columns
from bptrain.utils.text import escape, shorten, yaml_name


@dataclass(frozen=True)
class Columns:
    """The options and reasons of every column, the names that get a line, and what should be looked at."""

    options: dict[str, ColumnOptions]
    reasons: dict[str, str]
    lines: dict[str, ColumnOptions]
    warnings: list[Problem]

    def by_kind(self) -> dict[str, list[str]]:
        """The columns without a line, by kind, in the order of the kinds."""
        inferred = {name: options.kind for name, options in self.options.items() if name not in self.lines}
        found = {kind: [name for name, its in inferred.items() if its == kind] for kind in KINDS}
        return {kind: names for kind, names in found.items() if names}


def propose_columns(frame: Frame, target: str, broken: Mapping[str, str]) -> Columns:
    """The columns of `frame` (rows with a target).

    `broken` are columns of numbers with many odd cells, and which cells those are. Raises the DataError of a table
    from which nothing can be predicted.
    """
    declared: dict[str, ColumnOptions] = {name: IgnoreOptions() for name in broken if name != target}
    declared |= _marked(frame, {*declared, target})
    found = infer.resolve(frame, {key_of(name, frame.names): its for name, its in declared.items()}, [target])
    reasons = found.reasons | _reasons(frame, declared, broken) | _seen(frame, found.options)
    lines = {name: its for name, its in found.options.items() if _worth_a_line(name, its, declared)}
    told = [ignored.warning for ignored in found.ignored.values()]
    warnings = [warning for warning in found.warnings if warning not in told]
    return Columns(found.options, reasons, lines, [*warnings, *_numbered_names(frame, found.options)])


def key_of(name: str, names: tuple[str, ...]) -> str:
    """The name as a key of `columns`: written as a pattern for it alone where it would fit others as well."""
    fits = [other for other in names if fnmatchcase(other, name)]
    return name if set(fits) <= {name} else as_pattern(name)


def settings(options: ColumnOptions) -> dict[str, object]:
    """What of the options is no default."""
    return {name: value for name, value in options.model_dump(exclude_defaults=True).items() if name != "kind"}


def _marked(frame: Frame, known: set[str]) -> dict[str, ColumnOptions]:
    """Numbers with a unit or thousands marks, with the options that read them."""
    found = {name: infer_format(frame, name) for name in text_columns(frame) if name not in known}
    return {name: options for name, options in found.items() if options is not None}


def _reasons(frame: Frame, declared: Mapping[str, ColumnOptions], broken: Mapping[str, str]) -> dict[str, str]:
    """Why columns are declared."""
    return {
        name: f"numbers, but {broken[name]}"
        if name in broken
        else f"numbers, written as '{shorten(str(frame.texts(name).drop_null()[0].as_py()), 20)}'"
        for name in declared
    }


def _seen(frame: Frame, options: Mapping[str, ColumnOptions]) -> dict[str, str]:
    """What a line should tell of a column better than why its kind was chosen: the range of dates, an order."""
    found = {}
    for name, its in options.items():
        given = settings(its)
        if _tells_time(its) and not given:  # ISO dates: their texts are in the order of time
            texts = pc.min_max(frame.texts(name)).as_py()
            found[name] = f"from {texts['min']} to {texts['max']}"
        elif "order" in given:
            found[name] = "CHECK: from least to most, as the words say"
    return found


def _numbered_names(frame: Frame, options: Mapping[str, ColumnOptions]) -> list[Problem]:
    """What to say of numbers that are called an id and repeat: they rather name something than measure it."""
    return [
        Problem(
            "BP245",
            f"column `{escape(name)}` is read as an amount",
            hints=(f"if its numbers name something, write `{yaml_name(name)}: categorical` or `ignore`",),
        )
        for name, its in options.items()
        if is_feature(its)
        and KINDS[its.kind].cells_are_numbers
        and infer.ID_NAME.search(name)
        and frame.n_unique(name) < frame.n_present(name)
    ]


def _worth_a_line(name: str, options: ColumnOptions, declared: Mapping[str, ColumnOptions]) -> bool:
    return name in declared or not is_feature(options) or _tells_time(options) or bool(settings(options))


def _tells_time(options: ColumnOptions) -> bool:
    """Whether an analyst wants to see the kind named, as what is made of times is worth a look."""
    return is_feature(options) and KINDS[options.kind].tells_time
