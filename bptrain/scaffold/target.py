"""What the target is, from its cells: the task, the positive label, and what the user may want otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from bptrain.data.frame import Frame
from bptrain.errors import UsageError
from bptrain.targets.classification.labels import codes_of, label_shares, learn_labels
from bptrain.targets.classification.options import BinaryOptions, MulticlassOptions
from bptrain.targets.regression.options import RegressionOptions
from bptrain.targets.target_options import AutoOptions, TaskOptions
from bptrain.targets.tasks import TASKS, infer_task
from bptrain.utils.text import escape, quote_list, shorten

AFFIRMATIVE = ("yes", "y", "true", "t", "1", "1.0", "on", "positive", "pos", "ja", "oui", "sim")
MOST_CLASSES = 10  # so many different whole numbers may be labels
LEAST_ROWS = 10  # rows of the rarest number from which numbers may be labels
RARE = 0.05  # share of the rarest label from which on `class_weights` is worth a word
SHOWN = 6  # labels that a comment lists
USUAL = ("target", "label", "class", "y", "outcome", "response", "result", "price", "churn", "income", "default")


@dataclass(frozen=True)
class Target:
    """Options with a task, what was seen, and remarks; a remark may name the line to write instead."""

    name: str
    options: TaskOptions
    seen: str
    remarks: list[str] = field(default_factory=list)


def propose_target(frame: Frame, name: str) -> Target:
    """The target in `frame` (rows with a target). Raises what `check` says of one that cannot be predicted."""
    try:
        options = infer_task(frame, name, AutoOptions())
    except UsageError:
        values, bad = frame.numbers(name)
        if bad.any():
            raise
        return _few_numbers(frame, name, values)
    if not TASKS[options.task].predicts_labels:
        return Target(name, options, _numbers_seen(frame.numbers(name)[0]))
    labels = learn_labels(frame, name)
    parts = label_shares(codes_of(frame.texts(name), labels), len(labels))
    if not TASKS[options.task].many_labels:
        options = BinaryOptions(positive=_positive(labels, parts))
    return Target(name, options, _labels_seen(labels, parts), _imbalance(labels, parts))


def guess_target(names: Sequence[str]) -> str:
    """The column that is a target most often: by its name, else the last one."""
    usual = [name for word in USUAL for name in names if name.casefold() == word]
    usual += [name for word in USUAL[:7] for name in names if word in name.casefold().replace("-", "_").split("_")]
    return usual[0] if usual else names[-1]


def _few_numbers(frame: Frame, name: str, values: np.ndarray) -> Target:
    """Labels or amounts: whole numbers are labels when there are few, each often."""
    numbers, counts = np.unique(values, return_counts=True)
    whole = bool(np.equal(np.mod(numbers, 1), 0).all())
    labels = whole and len(numbers) <= MOST_CLASSES and counts.min() >= LEAST_ROWS
    options: TaskOptions = MulticlassOptions() if labels else RegressionOptions()
    other = "regression" if labels else "multiclass"
    parts = label_shares(np.searchsorted(numbers, values), len(numbers))
    seen = _labels_seen(learn_labels(frame, name), parts) if labels else _numbers_seen(values)
    because = (
        f"{len(numbers)} whole numbers, each in at least {counts.min()} rows, are taken for labels."
        if labels
        else f"{len(numbers)} different numbers are taken for amounts, as {_not_labels(whole, counts)}."
    )
    meant = "amounts or grades, where 3 lies between 2 and 4" if labels else "labels without an order"
    return Target(name, options, seen, [because, f"If they are {meant}, write `task: {other}`."])


def _not_labels(whole: bool, counts: np.ndarray) -> str:
    if not whole:
        return "not all are whole"
    if len(counts) > MOST_CLASSES:
        return f"there are more than {MOST_CLASSES}"
    return f"one has {counts.min()} row(s) only"


def _positive(labels: Sequence[str], parts: Sequence[float]) -> str:
    """The label that says yes, else the rarer one, else the second."""
    for label in labels:
        if label.casefold() in AFFIRMATIVE:
            return label
    return labels[0] if parts[0] < parts[1] else labels[1]


def _numbers_seen(values: np.ndarray) -> str:
    n_distinct = len(np.unique(values))
    low, middle, high = (f"{value:.6g}" for value in (values.min(), np.median(values), values.max()))
    return f"{n_distinct} different numbers from {low} to {high}, median {middle}"


def _labels_seen(labels: Sequence[str], parts: Sequence[float]) -> str:
    order = sorted(range(len(labels)), key=lambda position: -parts[position])
    listed = [f"{escape(shorten(labels[p], 30))} {100 * parts[p]:.1f} %" for p in order[:SHOWN]]
    more = f" and {len(labels) - SHOWN} more" if len(labels) > SHOWN else ""
    return f"{len(labels)} labels: {', '.join(listed)}{more}"


def _imbalance(labels: Sequence[str], parts: Sequence[float]) -> list[str]:
    rarest = min(range(len(labels)), key=lambda position: parts[position])
    if parts[rarest] >= RARE or len(labels) > SHOWN:
        return []
    return [
        f"{quote_list([labels[rarest]])} is rare ({100 * parts[rarest]:.2g} % of the rows): accuracy says little, "
        f"look at auc or balanced_accuracy. If missing one costs more than a false alarm, "
        f"add `class_weights: balanced`."
    ]
