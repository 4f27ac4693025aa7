"""The kind of each column: as declared by name or pattern, else inferred from the training rows."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bptrain.data.frame import NEARLY_ALL, Frame
from bptrain.errors import DataError, Problem, UsageError
from bptrain.features import kinds
from bptrain.features.data_quality import odd_columns
from bptrain.features.defaults import defaults_key, defaults_of_kinds, with_defaults
from bptrain.features.kinds import ColumnOptions, IgnoreOptions
from bptrain.features.number_formats import look_alike
from bptrain.features.numeric.options import NumericOptions
from bptrain.utils.text import escape, nearest, quote_list, yaml_name

Choice = Literal["ignore", "keep"]

DECLARED = "declared"
MOSTLY_UNIQUE = 0.9  # share of distinct values from which text tells rows apart instead of grouping them
LEAST_ROWS = 20  # below this, almost every column looks unique
WORDS_OF_TEXT = 4  # mean words per cell from which mostly unique text is prose, not an identifier
ID_NAME = re.compile(r"(^|[_\W])(id|uuid|guid|key|index)$|^unnamed", re.IGNORECASE)


@dataclass(frozen=True)
class Kinds:
    """Options of every column but the targets, why each was chosen, and what the user should know about it."""

    options: dict[str, ColumnOptions]
    reasons: dict[str, str]
    warnings: list[Problem]


def resolve(
    frame: Frame,
    declared: Mapping[str, ColumnOptions],
    targets: Sequence[str],
    *,
    constants: Choice = "ignore",
    identifiers: Choice = "ignore",
) -> Kinds:
    """The kind of each column of `frame` (training rows). Raises all problems of all columns at once.

    `constants` and `identifiers` say what becomes of undeclared columns with one value, or one value per row.
    """
    names = [name for name in frame.names if name not in targets]
    by_name = match_patterns(names, declared, targets)
    _check_marks(frame, declared)
    found = Kinds({}, {}, [])
    problems: list[Problem] = []
    kept = _kept(constants, identifiers)
    for name in names:
        if name in by_name:
            found.options[name], found.reasons[name] = by_name[name], DECLARED
            unread = frame.unread_problem(name)
            if unread is not None and not isinstance(by_name[name], IgnoreOptions):
                problems.append(unread)
            continue
        try:
            _infer(frame, name, found, kept)
            _warn_of_marks(frame, name, found)
        except DataError as error:
            problems.extend(error.problems)
    if problems:
        raise DataError(*problems)
    if not any(map(kinds.is_feature, found.options.values())):
        raise DataError(_nothing_left(found))
    found.options.update(with_defaults(found.options, defaults_of_kinds(declared, names)))
    found.warnings.extend(odd_columns(frame, found.options))
    return found


def match_patterns(
    names: Sequence[str], declared: Mapping[str, ColumnOptions], targets: Sequence[str]
) -> dict[str, ColumnOptions]:
    """Declared options by column; an exact name beats a pattern, and the last fitting pattern beats earlier ones.

    Raises UsageError for a declared name or pattern that no column has.
    """
    options: dict[str, ColumnOptions] = {}
    problems = []
    defaults = defaults_of_kinds(declared, names)
    for pattern, chosen in declared.items():
        if chosen.kind in defaults and pattern == defaults_key(chosen.kind):
            continue
        fitting = [name for name in names if fnmatchcase(name, pattern)]
        if not fitting and pattern not in names:
            problems.append(_no_such_column(pattern, names, targets))
        options |= dict.fromkeys(fitting, chosen)
    if problems:
        raise UsageError(*problems)
    return options | {name: declared[name] for name in names if name in declared}


def _kept(constants: Choice, identifiers: Choice) -> set[str]:
    """The codes of warnings that do not lead to a column being ignored."""
    kept = {"BP244"} if constants == "keep" else set()
    return kept | ({"BP245", "BP246"} if identifiers == "keep" else set())


def _infer(frame: Frame, name: str, found: Kinds, kept: set[str]) -> None:
    warning = _useless(frame, name)
    if warning is not None and warning.code not in kept:
        found.options[name], found.reasons[name] = IgnoreOptions(), warning.message.partition(": ")[2]
        found.warnings.append(warning)
        return
    for kind in kinds.KINDS:
        recognised = kinds.prepare(kind).recognise(frame, name)
        if recognised is not None:
            found.options[name], found.reasons[name] = recognised.options, recognised.reason
            return


def _check_marks(frame: Frame, declared: Mapping[str, ColumnOptions]) -> None:
    """Raise UsageError where the mark between thousands is the decimal mark."""
    wrong = [
        pattern
        for pattern, options in declared.items()
        if isinstance(options, NumericOptions) and options.thousands == frame.decimal
    ]
    if wrong:
        raise UsageError(*(_same_mark(pattern, frame.decimal) for pattern in wrong))


def _same_mark(pattern: str, decimal: str) -> Problem:
    other = "," if decimal == "." else "."
    return Problem(
        "BP250",
        f"`columns` gives `{escape(pattern)}` the mark `{decimal}` between thousands, which is the decimal mark, too",
        hints=(f"write `thousands: '{other}'`, or set the other one as `data.decimal`",),
        key=("columns", pattern, "thousands"),
    )


def _warn_of_marks(frame: Frame, name: str, found: Kinds) -> None:
    if found.options[name].kind not in ("categorical", "ignore") or frame.unread_problem(name) is not None:
        return
    warning = look_alike(frame, name)
    if warning is not None:
        found.warnings.append(warning)


def _useless(frame: Frame, name: str) -> Problem | None:
    """Why a column cannot help the model, as the warning that says so."""
    shown = escape(name)
    if frame.unread_problem(name) is not None:
        hint = (f"write `columns: {{{yaml_name(name)}: ignore}}` to say so yourself",)
        return Problem("BP248", f"column `{shown}` is ignored: it holds values that are not read", hints=hint)
    n_present, n_unique = frame.n_present(name), frame.n_unique(name)
    hint = (
        f"write `columns: {{{yaml_name(name)}: KIND}}` with a kind to use it anyway, or `ignore` to say so yourself",
    )
    if n_present == 0:
        return Problem("BP243", f"column `{shown}` is ignored: it has no value in the training rows", hints=hint)
    if n_unique == 1 and n_present == frame.n_rows:  # else what is missing may tell something
        return Problem("BP244", f"column `{shown}` is ignored: it has one value only in the training rows", hints=hint)
    if n_present < LEAST_ROWS or n_unique < MOSTLY_UNIQUE * n_present:
        return None
    bad = frame.numbers(name)[1]
    if 0 < np.count_nonzero(bad) <= (1 - NEARLY_ALL) * n_present:
        return None  # numbers with a few wrong cells: `recognise` will show them
    if bad.any():
        if _of_a_kind(frame, name):
            return None
        if _mean_words(frame.texts(name)) >= WORDS_OF_TEXT:
            return Problem("BP246", f"column `{shown}` is ignored: it holds free text", hints=hint)
        return Problem(
            "BP245",
            f"column `{shown}` is ignored: it looks like an identifier, {n_unique} different "
            f"values in {n_present} rows",
            hints=hint,
        )
    if n_unique == n_present and _counts_rows(frame, name):
        return Problem(
            "BP245", f"column `{shown}` is ignored: it looks like an identifier, one number per row", hints=hint
        )
    return None


def _of_a_kind(frame: Frame, name: str) -> bool:
    """Whether a kind of its own reads the cells, as dates, so that being different does not make them identifiers."""
    own = (kind for kind in kinds.KINDS if kind not in ("numeric", "categorical"))
    return any(kinds.prepare(kind).recognise(frame, name) is not None for kind in own)


def _counts_rows(frame: Frame, name: str) -> bool:
    """Distinct whole numbers that are named like an id, or that run without gaps."""
    values, _ = frame.numbers(name)
    values = values[~np.isnan(values)]
    if not np.isfinite(values).all() or not np.equal(np.mod(values, 1), 0).all():
        return False
    return bool(ID_NAME.search(name)) or float(np.ptp(values)) < 1.1 * len(values)


def _mean_words(texts: pa.ChunkedArray) -> float:
    words = pc.add(pc.count_substring_regex(texts, r"\S\s+\S"), 1)
    return float(pc.mean(words).as_py())


def _no_such_column(pattern: str, names: Sequence[str], targets: Sequence[str]) -> Problem:
    if pattern in targets:
        return Problem(
            "BP153",
            f"`columns` names `{escape(pattern)}`, which is the target",
            hints=("remove it here: options of a target stand under `target`",),
            key=("columns", pattern),
        )
    near = nearest(pattern, names)
    hints = (f"did you mean `{escape(near[0])}`?",) if near else ()
    if pattern in kinds.KINDS:
        hints = (f'defaults of all {pattern} columns are written as `"<{pattern}>": {{…}}`', *hints)
    hints = (*hints, f"columns: {quote_list(names, last='and')}")
    message = f"`columns` names `{escape(pattern)}`, but no column fits"
    return Problem("BP152", message, hints=hints, key=("columns", pattern))


def _nothing_left(found: Kinds) -> Problem:
    if not found.options:
        return Problem(
            "BP247", "the table has no column besides the target", hints=("give a table with columns to predict from",)
        )
    declared = sum(reason == "declared" for reason in found.reasons.values())
    shown = [f"{declared} are declared `ignore` or have a role"] if declared else []
    shown += [warning.message for warning in found.warnings[:5]]
    shown += [f"{len(found.warnings) - 5} more are ignored"] if len(found.warnings) > 5 else []
    return Problem(
        "BP247",
        f"no column is left to predict from: {'; '.join(shown)}",
        hints=("give at least one column a kind under `columns`: `numeric` or `categorical`",),
        key=("columns",),
    )
