"""All targets together: which task a column is, learned on training rows, applied to any rows, saved as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from typing import get_args

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import ValidationError

from bptrain.data.frame import Frame
from bptrain.data.limits import NEARLY_ALL
from bptrain.errors import DataError, Problem, UsageError
from bptrain.messages import targets as messages
from bptrain.runs.storage import Json
from bptrain.targets.classification.labels import learn_labels
from bptrain.targets.target_options import AutoOptions, TargetOptions, TaskLoss, TaskOptions
from bptrain.targets.task import TargetState
from bptrain.targets.tasks import OF_LABELS, OF_NUMBERS, OF_TWO_LABELS, TASKS
from bptrain.utils.text import join_words, quote_list, yaml_name

MOST_LABELS = 100  # more text labels than this are hardly a target of classification
FEW_NUMBERS = 20  # up to so many distinct numbers could as well be labels: the user has to say

Targets = Mapping[str, TargetState]  # by column, in the order of the config


def learn(
    frame: Frame,
    options: Mapping[str, TargetOptions],
    weight: np.ndarray | None = None,
    deciding: Frame | None = None,
) -> Targets:
    """What the training rows in `frame` teach about each target; `weight` (n_rows,) is how much each counts.

    What options leave to the rows is settled by those in `deciding`, which train the model in the end; by default they
    are the same. Raises DataError with all problems at once.
    """
    weight = np.ones(frame.n_rows) if weight is None else weight
    states: dict[str, TargetState] = {}
    problems: list[Problem] = []
    for name, chosen in options.items():
        if isinstance(chosen, AutoOptions):
            raise TypeError("a target's task is not known yet: see infer_task")
        task = TASKS[chosen.task]
        try:
            resolved = task.resolve(chosen, frame if deciding is None else deciding, name)
            states[name] = task.learn(frame, name, resolved, weight)
        except DataError as error:
            problems.extend(error.problems)
    if problems:
        raise DataError(*problems)
    return states


def restart(targets: Targets, frame: Frame) -> Targets:
    """The targets of a run to start from: not calibrated, with bounds that hold the values of `frame`, too."""
    return {name: TASKS[state.task].restart(state, frame, name) for name, state in targets.items()}


def encode(targets: Targets, frame: Frame) -> tuple[list[np.ndarray], dict[str, pa.Array]]:
    """y_true of the rows of `frame`, in two forms.

    Returns:
        What the network is to give, an array (n_rows, width) per target, and the target columns (n_rows,) as
        predictions.parquet holds them: labels as they were learned, numbers as float64.

    Raises:
        DataError: for a label that training rows never showed, whatever its spelling, and for what is no number.
    """
    both = {name: TASKS[state.task].encode(state, frame, name) for name, state in targets.items()}
    return [encoded for encoded, _ in both.values()], {name: truth for name, (_, truth) in both.items()}


def row_weights(targets: Targets, encoded: Sequence[np.ndarray], weight: np.ndarray) -> list[np.ndarray]:
    """How much each row counts in training, one array (n_rows,) float32 per target: its weight times its class's.

    Divided by their mean, so that weights do not act as a larger learning rate.
    """
    weights = []
    for state, codes in zip(targets.values(), encoded, strict=True):
        of_class = np.asarray(state.class_weights)[codes[:, 0].astype(np.int64)] if state.class_weights else 1.0
        product = of_class * weight
        weights.append(np.asarray(product / product.mean(), np.float32))
    return weights


def calibrate(
    targets: Targets,
    encoded: Sequence[np.ndarray],
    outputs: Sequence[np.ndarray],
    weight: np.ndarray,
    *,
    metric: str,
    seed: int,
) -> Targets:
    """The targets with what is best for `metric` on validation rows; see `Task.calibrate`.

    `encoded` and `outputs` (n_rows, width) hold an array per target, what the network is to give and what it gives.
    """
    if not all(np.isfinite(output).all() for output in outputs):  # training diverged
        return targets
    return {
        name: TASKS[state.task].calibrate(state, codes, output, weight, metric=metric, seed=seed)
        for (name, state), codes, output in zip(targets.items(), encoded, outputs, strict=True)
    }


def copy_calibration(targets: Targets, source: Targets) -> Targets:
    """The targets with what was chosen for other states of them."""
    return {
        name: replace(state, **{field: getattr(source[name], field) for field in state.calibrated})
        for name, state in targets.items()
    }


def save(targets: Targets) -> list[Json]:
    """A JSON value from which `load` makes the same targets in the same order."""
    return [{"name": name, "state": asdict(state)} for name, state in targets.items()]


def load(saved: list[Json]) -> Targets:
    """The targets that `save` wrote."""
    return {item["name"]: TASKS[item["state"]["task"]].load(item["state"]) for item in saved}


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
    if list(possible) == [OF_TWO_LABELS]:
        return possible[OF_TWO_LABELS]
    task = _task_of_values(frame, name, possible)
    if task in possible:
        return possible[task]
    values = {OF_NUMBERS: "many different numbers", OF_TWO_LABELS: "two labels", OF_LABELS: "more than two labels"}
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
    if not n_bad and (len(distinct) > FEW_NUMBERS or list(possible) == [OF_NUMBERS]):
        return OF_NUMBERS
    n_labels = int(pc.count_distinct(frame.labels(name), mode="only_valid").as_py())
    if n_labels < 2:
        labels = learn_labels(frame, name)
        held = f"the one value `{labels[0]}`" if labels else "no value"
        raise DataError(messages.ONE_VALUE(name=name, value=held, n_rows=frame.n_rows))
    if n_labels == 2:
        return OF_TWO_LABELS
    if not n_bad and OF_NUMBERS in possible:
        raise UsageError(messages.LABELS_OR_AMOUNTS(name=name, n=n_labels, column=yaml_name(name)))
    if n_labels > MOST_LABELS:
        seems = "numbers with some other text" if 2 * n_bad < n_present else "free text or identifiers"
        raise UsageError(messages.TOO_MANY_LABELS(name=name, n=n_labels, seems=seems, column=yaml_name(name)))
    return OF_LABELS
