"""What a target is when the config does not say."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

import numpy as np
import pyarrow.compute as pc
from pydantic import ValidationError

from bptrain.data.frame import Frame
from bptrain.data.limits import NEARLY_ALL
from bptrain.errors import DataError, Problem, UsageError
from bptrain.targets import tasks
from bptrain.targets.labels import learn_labels
from bptrain.targets.tasks import AutoOptions, TargetOptions
from bptrain.utils.text import escape, join_words, quote_list, yaml_name

MOST_LABELS = 100  # more text labels than this are hardly a target of classification
FEW_NUMBERS = 20  # up to so many distinct numbers could as well be labels: the user has to say


def resolve(frame: Frame, name: str, options: TargetOptions) -> TargetOptions:
    """The options with a task: where it is `auto`, the one of the column's values that has all options given.

    Raises DataError for a column without two different values or with a few odd cells among numbers, UsageError where
    the values do not tell, and for options that the task of the values does not have.
    """
    if not isinstance(options, AutoOptions):
        return options
    possible = _with_given_options(name, options)
    if list(possible) == ["binary"]:
        return possible["binary"]
    task = _task_of_values(frame, name, possible)
    if task not in possible:
        raise UsageError(_other_task(name, options, possible, task))
    return possible[task]


def _with_given_options(name: str, options: AutoOptions) -> dict[str, TargetOptions]:
    """The options of every task that has what is given. Raises UsageError when none has."""
    given = _given(options)
    possible = _tasks_with(given)
    if not possible:
        of_each = [
            f"{_written(key, value)} ({join_words(list(_tasks_with({key: value})))})" for key, value in given.items()
        ]
        message = f"no task has all options of target `{escape(name)}`: {join_words(of_each, last='and')}"
        raise UsageError(Problem("BP168", message, hints=("keep those of one task",), key=("targets", name)))
    return possible


def _given(options: AutoOptions) -> dict[str, object]:
    usual = {"task"} | ({"loss"} if isinstance(options.loss, tasks.UsualLoss) else set())
    return options.model_dump(include=options.model_fields_set - usual)


def _tasks_with(given: Mapping[str, object]) -> dict[str, TargetOptions]:
    """The tasks that have these options, with them."""
    found: dict[str, TargetOptions] = {}
    for task, section in tasks.TASKS.items():
        with suppress(ValidationError):
            found[task] = section.model_validate(given)
    return found


def _task_of_values(frame: Frame, name: str, possible: Mapping[str, TargetOptions]) -> str:
    """Where numbers could be labels as well as amounts, what is `possible` decides."""
    values, bad = frame.numbers(name)
    distinct = np.unique(values[~np.isnan(values)])
    if bad.any():
        _refuse_almost_numbers(frame, name, bad, len(distinct))
    elif len(distinct) > FEW_NUMBERS or list(possible) == ["regression"]:
        return "regression"
    n_labels = int(pc.count_distinct(frame.labels(name), mode="only_valid").as_py())
    if n_labels < 2:
        raise _single_value(frame, name)
    if n_labels == 2:
        return "binary"
    if not bad.any() and "regression" in possible:
        raise UsageError(_few_numbers(name, n_labels))
    if n_labels > MOST_LABELS:
        raise UsageError(_many_texts(name, n_labels, mostly_numbers=2 * int(bad.sum()) < frame.n_present(name)))
    return "multiclass"


def _few_numbers(name: str, n_labels: int) -> Problem:
    return Problem(
        "BP151",
        f"target `{escape(name)}` has {n_labels} different numbers: these could be labels or amounts",
        hints=(
            f"write `{_with_task(name, 'multiclass')}` for labels",
            f"write `{_with_task(name, 'regression')}` for amounts",
        ),
        key=("targets", name),
    )


def _other_task(name: str, options: AutoOptions, possible: Mapping[str, TargetOptions], task: str) -> Problem:
    given = _given(options)
    wrong = [_written(key, value) for key, value in given.items() if task not in _tasks_with({key: value})]
    holds = {"regression": "many different numbers", "binary": "two labels", "multiclass": "more than two labels"}
    return Problem(
        "BP168",
        f"{join_words(wrong, last='and')} of target `{escape(name)}` is for {join_words(list(possible))}, but the "
        f"column holds {holds[task]}, which is {task}",
        hints=(f"losses of {task}: {quote_list(tasks.losses(task), last='and')}" if "loss" in given else "remove it",),
        key=("targets", name),
    )


def _written(key: str, value: object) -> str:
    return f"`{key}: {value['kind']}`" if isinstance(value, dict) and "kind" in value else f"`{key}`"


def _refuse_almost_numbers(frame: Frame, name: str, bad: np.ndarray, n_distinct: int) -> None:
    """Raise DataError when numbers fill nearly all cells, so that the others are rather mistakes than labels."""
    n_present = frame.n_present(name)
    if n_distinct > 1 and int(bad.sum()) <= (1 - NEARLY_ALL) * n_present:
        hint = f"if all are labels, write `{_with_task(name, 'multiclass')}`; else correct these cells"
        raise DataError(frame.almost_numbers(name, bad, n_present, what="target", hint=hint))


def _with_task(name: str, task: str) -> str:
    return f"target: {{column: {yaml_name(name)}, task: {task}}}"


def _single_value(frame: Frame, name: str) -> DataError:
    labels = learn_labels(frame, name)
    held = f"the one value `{escape(labels[0])}`" if labels else "no value"
    return DataError(
        Problem(
            "BP261",
            f"target `{escape(name)}` holds {held} in {frame.n_rows} rows: there is nothing to tell apart",
            hints=("check that this is the right column and the right file",),
            key=("targets", name),
        )
    )


def _many_texts(name: str, n_labels: int, *, mostly_numbers: bool) -> Problem:
    seems = "numbers with some other text" if mostly_numbers else "free text or identifiers"
    return Problem(
        "BP151",
        f"target `{escape(name)}` has {n_labels} different texts: that looks like {seems}",
        hints=(
            "if some cells mean missing, add them to `data.na_values`",
            f"if all are labels, write `{_with_task(name, 'multiclass')}`",
        ),
        key=("targets", name),
    )
