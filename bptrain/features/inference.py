"""The kind of each column: as declared by name or pattern, else inferred from the training rows."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

import numpy as np
import pyarrow.compute as pc
from pydantic import ValidationError

from bptrain.data.frame import Frame
from bptrain.data.limits import NEARLY_ALL
from bptrain.errors import DataError, Problem, UsageError
from bptrain.features.kinds import KINDS
from bptrain.features.options import ColumnOptions, IgnoreOptions
from bptrain.messages import features as messages
from bptrain.messages.message import Message
from bptrain.utils.text import escape, nearest, quote_list, yaml_name

Choice = Literal["ignore", "keep"]
Why = Literal["unread", "empty", "constant", "identifier", "text"]

DECLARED = "declared"
DEFAULTS = "<{}>"  # the key under `columns` of the defaults of a kind: `"<numeric>": {scaling: robust}`
MOSTLY_UNIQUE = 0.9  # share of distinct values from which text tells rows apart instead of grouping them
LEAST_ROWS = 20  # below this, almost every column looks unique
WORDS_OF_TEXT = 4  # mean words per cell from which mostly unique text is prose, not an identifier
ID_NAME = re.compile(r"(^|[_\W])(id|uuid|guid|key|index)$|^unnamed", re.IGNORECASE)
MOSTLY_MISSING = 0.5
IGNORED: dict[Why, Message] = {
    "unread": messages.IGNORED_UNREAD,
    "empty": messages.IGNORED_EMPTY,
    "constant": messages.IGNORED_CONSTANT,
    "identifier": messages.IGNORED_IDENTIFIER,
    "text": messages.IGNORED_TEXT,
}


@dataclass(frozen=True)
class Ignored:
    """Why a column that is not declared is left out, for the program and in words, and the warning that says so."""

    why: Why
    reason: str
    warning: Problem


@dataclass(frozen=True)
class Kinds:
    """Options of every column but the targets, why each was chosen, and what the user should know about it.

    `ignored` are the columns that inference left out; their warnings are among `warnings`.
    """

    options: dict[str, ColumnOptions]
    reasons: dict[str, str]
    warnings: list[Problem]
    ignored: dict[str, Ignored]


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
    wrong = []
    for key, options in declared.items():
        for field in KINDS[options.kind].marks if options.kind in KINDS else ():
            if getattr(options, field) == frame.decimal:
                other = "," if frame.decimal == "." else "."
                wrong.append(messages.THOUSANDS_ARE_DECIMAL(name=key, decimal=frame.decimal, other=other))
    if wrong:
        raise UsageError(*wrong)
    kept: set[Why] = {"constant"} if constants == "keep" else set()
    kept |= {"identifier", "text"} if identifiers == "keep" else set()
    kinds = Kinds({}, {}, [], {})
    problems: list[Problem] = []
    for name in names:
        if name in by_name:
            kinds.options[name], kinds.reasons[name] = by_name[name], DECLARED
            unread = frame.unread_problem(name)
            if unread is not None and not isinstance(by_name[name], IgnoreOptions):
                problems.append(unread)
            continue
        try:
            _infer(frame, name, kinds, kept)
        except DataError as error:
            problems.extend(error.problems)
    if problems:
        raise DataError(*problems)
    if not any(options.kind in KINDS for options in kinds.options.values()):
        raise DataError(_nothing_left(kinds))
    if defaults := defaults_of_kinds(declared, names):
        kinds.options.update(with_defaults(kinds.options, defaults))
    for name, options in kinds.options.items():
        if options.kind in KINDS:
            n_missing = frame.n_rows - frame.n_present(name)
            if n_missing > MOSTLY_MISSING * frame.n_rows:
                warning = messages.MOSTLY_MISSING(
                    name=name, n_missing=n_missing, n_rows=frame.n_rows, column=yaml_name(name)
                )
                kinds.warnings.append(warning)
            kinds.warnings.extend(KINDS[options.kind].warn(frame, name, options))
    return kinds


def match_patterns(
    names: Sequence[str], declared: Mapping[str, ColumnOptions], targets: Sequence[str]
) -> dict[str, ColumnOptions]:
    """Declared options by column; an exact name beats a pattern, and the last fitting pattern beats earlier ones.

    Raises UsageError for a declared name or pattern that no column has.
    """
    options: dict[str, ColumnOptions] = {}
    problems = []
    defaults = defaults_of_kinds(declared, names)
    for pattern, column in declared.items():
        if column.kind in defaults and pattern == DEFAULTS.format(column.kind):
            continue
        fitting = [name for name in names if fnmatchcase(name, pattern)]
        if not fitting and pattern in targets:
            problems.append(messages.TARGET_AMONG_COLUMNS(name=pattern))
        elif not fitting and pattern not in names:
            hints = [f"did you mean `{escape(near)}`?" for near in nearest(pattern, names)[:1]]
            if pattern in KINDS:
                hints.insert(0, f'defaults of all {pattern} columns are written as `"<{pattern}>": {{…}}`')
            problems.append(messages.NO_COLUMN_FITS(name=pattern, names=quote_list(names, last="and"), hints=hints))
        options |= dict.fromkeys(fitting, column)
    if problems:
        raise UsageError(*problems)
    return options | {name: declared[name] for name in names if name in declared}


def defaults_of_kinds(declared: Mapping[str, ColumnOptions], names: Sequence[str]) -> dict[str, ColumnOptions]:
    """The declared defaults by kind; where a column has such a name, the key means that column."""
    return {
        options.kind: options
        for key, options in declared.items()
        if key == DEFAULTS.format(options.kind) and key not in names
    }


def with_defaults(
    options: Mapping[str, ColumnOptions], defaults: Mapping[str, ColumnOptions]
) -> dict[str, ColumnOptions]:
    """The options by column, with the defaults of its kind where its own options were not written.

    Raises UsageError where the two do not go together.
    """
    merged = dict(options)
    for name, column in options.items():
        if column.kind not in defaults:
            continue
        sections = (defaults[column.kind], column)
        written = {key: getattr(section, key) for section in sections for key in sorted(section.model_fields_set)}
        try:
            merged[name] = type(column).model_validate(written)
        except ValidationError as error:
            said, key = str(error.errors()[0]["msg"]).removeprefix("Value error, "), DEFAULTS.format(column.kind)
            message = f"the options of column `{escape(name)}` and the defaults `{key}` do not go together: {said}"
            hints = ("write all options that belong together at one place",)
            raise UsageError(Problem("BP108", message, hints=hints, key=("columns", key))) from error
    return merged


def _infer(frame: Frame, name: str, kinds: Kinds, kept: set[Why]) -> None:
    """Add to `kinds` what a column that is not declared holds, or why it is ignored, unless the reason is in `kept`."""
    useless = _useless(frame, name)
    if useless is not None and useless[0] not in kept:
        why, reason = useless
        ignored = Ignored(why, reason, IGNORED[why](name=name, reason=reason, column=yaml_name(name)))
        kinds.options[name], kinds.reasons[name], kinds.ignored[name] = IgnoreOptions(), reason, ignored
        kinds.warnings.append(ignored.warning)
        looked_at = why != "unread"
    else:
        inferred = next(found for kind in KINDS.values() if (found := kind.infer(frame, name)) is not None)
        kinds.options[name], kinds.reasons[name] = inferred.options, inferred.reason
        looked_at = KINDS[inferred.options.kind].takes_any_text
    suspicions = (kind.suspect(frame, name) for kind in KINDS.values()) if looked_at else ()
    kinds.warnings.extend([warning for warning in suspicions if warning is not None][:1])


def _useless(frame: Frame, name: str) -> tuple[Why, str] | None:
    """Why a column cannot help the model, for the program and in words."""
    if frame.unread_problem(name) is not None:
        return "unread", "it holds values that are not read"
    n_present, n_unique = frame.n_present(name), frame.n_unique(name)
    if n_present == 0:
        return "empty", "it has no value in the training rows"
    if n_unique == 1 and n_present == frame.n_rows:  # else what is missing may tell something
        return "constant", "it has one value only in the training rows"
    if n_present < LEAST_ROWS or n_unique < MOSTLY_UNIQUE * n_present:
        return None
    values, bad = frame.numbers(name)
    if 0 < np.count_nonzero(bad) <= (1 - NEARLY_ALL) * n_present:
        return None  # numbers with a few wrong cells: `infer` will show them
    if bad.any():  # text that a kind of its own reads, such as dates, may be different in each row
        if any(kind.infer(frame, name) is not None for kind in KINDS.values() if not kind.takes_any_text):
            return None
        words = pc.add(pc.count_substring_regex(frame.texts(name), r"\S\s+\S"), 1)
        if float(pc.mean(words).as_py()) >= WORDS_OF_TEXT:
            return "text", "it holds free text"
        return "identifier", f"it looks like an identifier, {n_unique} different values in {n_present} rows"
    numbers = values[~np.isnan(values)]
    if n_unique < n_present or not np.isfinite(numbers).all() or not np.equal(np.mod(numbers, 1), 0).all():
        return None
    if ID_NAME.search(name) or float(np.ptp(numbers)) < 1.1 * len(numbers):  # whole numbers that run without gaps
        return "identifier", "it looks like an identifier, one number per row"
    return None


def _nothing_left(kinds: Kinds) -> Problem:
    if not kinds.options:
        return messages.NO_COLUMNS()
    n_declared = sum(reason == DECLARED for reason in kinds.reasons.values())
    reasons = [f"{n_declared} are declared `ignore` or have a role"] if n_declared else []
    reasons += [warning.message for warning in kinds.warnings[:5]]
    reasons += [f"{len(kinds.warnings) - 5} more are ignored"] if len(kinds.warnings) > 5 else []
    return messages.NOTHING_LEFT(reasons="; ".join(reasons))
