"""The section `target`: its task, the label whose probability is predicted, and what to say of its values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from bptrain.data.frame import Frame
from bptrain.errors import UsageError
from bptrain.targets.classification.labels import codes_of, learn_labels
from bptrain.targets.classification.options import BinaryOptions, MulticlassOptions
from bptrain.targets.preparer import infer_task
from bptrain.targets.regression.options import RegressionOptions
from bptrain.targets.target_options import AutoOptions, TaskOptions
from bptrain.targets.tasks import TASKS
from bptrain.utils.text import escape, quote_list, shorten

AFFIRMATIVE = ("yes", "y", "true", "t", "1", "1.0", "on", "positive", "pos", "ja", "oui", "sim")
MOST_CLASSES = 10  # so many different whole numbers may be labels
LEAST_ROWS = 10  # rows of the rarest number from which numbers may be labels
RARE = 0.05  # share of the rarest label from which on `class_weights` is worth a word
MOST_LABELS = 6  # labels that a comment lists
WORDS_OF_A_NAME = ("target", "label", "class", "y", "outcome", "response", "result")
WHOLE_NAMES = (*WORDS_OF_A_NAME, "price", "churn", "income", "default")


@dataclass(frozen=True)
class Target:
    """Options with a task, what its values are, and remarks; a remark may name the line to write instead."""

    name: str
    options: TaskOptions
    summary: str
    remarks: list[str] = field(default_factory=list)


def propose_target(frame: Frame, name: str) -> Target:
    """The target in `frame` (rows with a target). Raises what `check` says of one that cannot be predicted."""
    try:
        options = infer_task(frame, name, AutoOptions())
    except UsageError:
        values, bad = frame.numbers(name)
        if bad.any():
            raise
        return _labels_or_amounts(frame, name, values)
    if not TASKS[options.task].predicts_labels:
        return Target(name, options, _summary_of_numbers(frame.numbers(name)[0]))
    labels = learn_labels(frame, name)
    counts = np.bincount(codes_of(frame.texts(name), labels), minlength=len(labels))
    parts = tuple((counts / counts.sum()).tolist())
    if not TASKS[options.task].many_labels:
        rarer = labels[0] if parts[0] < parts[1] else labels[1]
        says_yes = (label for label in labels if label.casefold() in AFFIRMATIVE)
        options = BinaryOptions(positive=next(says_yes, rarer))
    remarks = []
    rarest = int(np.argmin(parts))
    if parts[rarest] < RARE and len(labels) <= MOST_LABELS:
        remarks.append(
            f"{quote_list([labels[rarest]])} is rare ({100 * parts[rarest]:.2g} % of the rows): accuracy says little, "
            f"look at auc or balanced_accuracy. If missing one costs more than a false alarm, "
            f"add `class_weights: balanced`."
        )
    return Target(name, options, _summary_of_labels(labels, parts), remarks)


def guess_target(names: Sequence[str]) -> str:
    """The column that is a target most often: by its name, else the last one."""
    usual = [name for word in WHOLE_NAMES for name in names if name.casefold() == word]
    usual += [
        name for word in WORDS_OF_A_NAME for name in names if word in name.casefold().replace("-", "_").split("_")
    ]
    return usual[0] if usual else names[-1]


def _labels_or_amounts(frame: Frame, name: str, values: np.ndarray) -> Target:
    """Of few different numbers: whole ones are labels where there are not many, each often; else amounts."""
    numbers, counts = np.unique(values, return_counts=True)
    is_whole = bool(np.equal(np.mod(numbers, 1), 0).all())
    if is_whole and len(numbers) <= MOST_CLASSES and counts.min() >= LEAST_ROWS:
        because = f"{len(numbers)} whole numbers, each in at least {counts.min()} rows, are taken for labels."
        other = "If they are amounts or grades, where 3 lies between 2 and 4, write `task: regression`."
        parts = tuple((counts / counts.sum()).tolist())
        summary = _summary_of_labels(learn_labels(frame, name), parts)
        return Target(name, MulticlassOptions(), summary, [because, other])
    if not is_whole:
        no_labels = "not all are whole"
    elif len(counts) > MOST_CLASSES:
        no_labels = f"there are more than {MOST_CLASSES}"
    else:
        no_labels = f"one has {counts.min()} row(s) only"
    because = f"{len(numbers)} different numbers are taken for amounts, as {no_labels}."
    other = "If they are labels without an order, write `task: multiclass`."
    return Target(name, RegressionOptions(), _summary_of_numbers(values), [because, other])


def _summary_of_numbers(values: np.ndarray) -> str:
    low, middle, high = (f"{value:.6g}" for value in (values.min(), np.median(values), values.max()))
    return f"{len(np.unique(values))} different numbers from {low} to {high}, median {middle}"


def _summary_of_labels(labels: Sequence[str], parts: Sequence[float]) -> str:
    """The most frequent labels with their `parts` of the rows."""
    order = sorted(range(len(labels)), key=lambda position: -parts[position])
    listed = [f"{escape(shorten(labels[p], 30))} {100 * parts[p]:.1f} %" for p in order[:MOST_LABELS]]
    more = f" and {len(labels) - MOST_LABELS} more" if len(labels) > MOST_LABELS else ""
    return f"{len(labels)} labels: {', '.join(listed)}{more}"
