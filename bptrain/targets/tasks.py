"""The table of tasks, and which of them a column's values mean.

A new task is a folder beside this file and its object in `TASKS`; its options join `TaskOptions` in target_options.py.
See `task.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import cast, get_args

import numpy as np
import pyarrow.compute as pc
from pydantic import ValidationError

from bptrain.data.frame import Frame
from bptrain.data.limits import NEARLY_ALL
from bptrain.errors import DataError, UsageError
from bptrain.messages import targets as messages
from bptrain.targets.classification.labels import learn_labels
from bptrain.targets.classification.task import BinaryTask, MulticlassTask
from bptrain.targets.regression.task import RegressionTask
from bptrain.targets.target_options import AutoOptions, TaskLoss, TaskOptions
from bptrain.targets.task import TargetState, Task
from bptrain.utils.text import join_words, quote_list, yaml_name

MOST_LABELS = 100  # more text labels than this are hardly a target of classification
FEW_NUMBERS = 20  # up to so many distinct numbers could as well be labels: the user has to say


# Whoever looks a task up passes options or a state of the same task, which the types of a table cannot say.
TASKS: dict[str, Task[TaskOptions, TargetState]] = {
    task.name: cast("Task[TaskOptions, TargetState]", task)
    for task in (BinaryTask(), MulticlassTask(), RegressionTask())
}


def infer_task(frame: Frame, name: str, options: AutoOptions | TaskOptions) -> TaskOptions:
    """The options with a task: where it is `auto`, the one of the column's values that has all options given.

    Raises DataError for a column without two different values or with a few odd cells among numbers, UsageError where
    the values do not tell, and for options that the task of the values does not have.
    """
    if not isinstance(options, AutoOptions):
        return options
    unsaid = {"task"} | ({"loss"} if isinstance(options.loss, TaskLoss) else set())
    given = options.model_dump(include=options.model_fields_set - unsaid)
    tasks_of = {key: list(_tasks_with({key: value})) for key, value in given.items()}
    written = {
        key: f"`{key}: {value['kind']}`" if isinstance(value, dict) and "kind" in value else f"`{key}`"
        for key, value in given.items()
    }
    possible = _tasks_with(given)
    if not possible:
        of_each = join_words([f"{written[key]} ({join_words(tasks_of[key])})" for key in given], last="and")
        raise UsageError(messages.OPTIONS_OF_NO_TASK(name=name, options=of_each))
    if list(possible) == ["binary"]:
        return possible["binary"]
    task = _task_of_values(frame, name, possible)
    if task in possible:
        return possible[task]
    values = {"regression": "many different numbers", "binary": "two labels", "multiclass": "more than two labels"}
    losses = [
        loss.model_fields["kind"].default for loss in get_args(TASKS[task].options.model_fields["loss"].annotation)
    ]
    raise UsageError(
        messages.OPTION_OF_ANOTHER_TASK(
            name=name,
            options=join_words([written[key] for key in given if task not in tasks_of[key]], last="and"),
            tasks=join_words(list(possible)),
            values=values[task],
            task=task,
            hints=(f"losses of {task}: {quote_list(losses, last='and')}",) if "loss" in given else (),
        )
    )


def _tasks_with(given: Mapping[str, object]) -> dict[str, TaskOptions]:
    """The tasks that have these options, with them."""
    options: dict[str, TaskOptions] = {}
    for name, task in TASKS.items():
        with suppress(ValidationError):
            options[name] = task.options.model_validate(given)
    return options


def _task_of_values(frame: Frame, name: str, possible: Mapping[str, TaskOptions]) -> str:
    """Where numbers could be labels as well as amounts, what is `possible` decides."""
    values, bad = frame.numbers(name)
    distinct, n_present, n_bad = np.unique(values[~np.isnan(values)]), frame.n_present(name), int(bad.sum())
    if n_bad and len(distinct) > 1 and n_bad <= (1 - NEARLY_ALL) * n_present:  # rather mistakes than labels
        written = messages.AS_LABELS.format(column=yaml_name(name))
        hint = f"if all are labels, write `{written}`; else correct these cells"
        raise DataError(frame.almost_numbers(name, bad, n_present, what="target", hint=hint))
    if not n_bad and (len(distinct) > FEW_NUMBERS or list(possible) == ["regression"]):
        return "regression"
    n_labels = int(pc.count_distinct(frame.labels(name), mode="only_valid").as_py())
    if n_labels < 2:
        labels = learn_labels(frame, name)
        held = f"the one value `{labels[0]}`" if labels else "no value"
        raise DataError(messages.ONE_VALUE(name=name, value=held, n_rows=frame.n_rows))
    if n_labels == 2:
        return "binary"
    if not n_bad and "regression" in possible:
        raise UsageError(messages.LABELS_OR_AMOUNTS(name=name, n=n_labels, column=yaml_name(name)))
    if n_labels > MOST_LABELS:
        seems = "numbers with some other text" if 2 * n_bad < n_present else "free text or identifiers"
        raise UsageError(messages.TOO_MANY_LABELS(name=name, n=n_labels, seems=seems, column=yaml_name(name)))
    return "multiclass"
