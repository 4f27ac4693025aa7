"""Messages of `targets`."""

from __future__ import annotations

from bptrain.messages.message import Message

AS_LABELS = "target: {{column: {column}, task: multiclass}}"  # `column` is a name as YAML writes it
AS_AMOUNTS = "target: {{column: {column}, task: regression}}"

NO_SUCH_POSITIVE = Message(
    "BP150",
    "`targets.{name}.positive` is `{positive}`, but the labels are {labels}",
    ("write one of these labels, quoted as text if it looks like a number",),
    key=("targets", "{name}", "positive"),
    title="no such positive label",
    meaning="`positive` names a label that the target does not have.",
)
LABELS_OR_AMOUNTS = Message(
    "BP151",
    "target `{name}` has {n} different numbers: these could be labels or amounts",
    (f"write `{AS_LABELS}` for labels", f"write `{AS_AMOUNTS}` for amounts"),
    key=("targets", "{name}"),
    title="the task is not clear",
    meaning="The target's values could be labels or amounts, or look like neither.",
)
TOO_MANY_LABELS = Message(
    "BP151",
    "target `{name}` has {n} different texts: that looks like {seems}",
    ("if some cells mean missing, add them to `data.na_values`", f"if all are labels, write `{AS_LABELS}`"),
    key=("targets", "{name}"),
)
NO_SUCH_CLASS = Message(
    "BP167",
    "`class_weights` of target `{name}` names the label `{label}`, which no training row has",
    ("write labels as the data spells them; labels: {labels}",),
    key=("targets", "{name}", "class_weights"),
    title="no such label",
    meaning="`class_weights` names a label that no training row has.",
)
OPTION_OF_ANOTHER_TASK = Message(
    "BP168",
    "{options} of target `{name}` is for {tasks}, but the column holds {values}, which is {task}",
    ("remove it, or name the `task` if the values mislead",),
    key=("targets", "{name}"),
    title="options of another task",
    meaning="A target without `task` has options, such as a loss, that the task of its values does not have.",
)
OPTIONS_OF_NO_TASK = Message(
    "BP168",
    "no task has all options of target `{name}`: {options}",
    ("keep those of one task",),
    key=("targets", "{name}"),
)
ONE_VALUE = Message(
    "BP261",
    "target `{name}` holds {value} in {n_rows} rows: there is nothing to tell apart",
    ("check that this is the right column and the right file",),
    key=("targets", "{name}"),
    title="a target with one value",
    meaning="The target does not vary, so there is nothing to learn.",
)
ONE_LABEL = Message(
    "BP261",
    "target `{name}` has one single label in the training rows: there is nothing to tell apart",
    ("check the column and `split`; a classification target needs at least two labels",),
    key=("targets", "{name}"),
)
MORE_THAN_TWO_LABELS = Message(
    "BP262",
    "target `{name}` is binary, but its training rows hold {n} label(s): {labels}",
    (
        "a binary target needs exactly two labels",
        "for more labels write `task: multiclass`; add what means missing to `data.na_values`",
    ),
    key=("targets", "{name}"),
    title="not two labels",
    meaning="A binary target must have exactly two labels in the training rows.",
)
FEWER_THAN_TWO_LABELS = Message(
    "BP262",
    "target `{name}` is binary, but its training rows hold {n} label(s): {labels}",
    ("a binary target needs exactly two labels", "check that this is the right column"),
    key=("targets", "{name}"),
)
CONSTANT_NUMBER = Message(
    "BP263",
    "target `{name}` has the same value {value} in every training row: there is nothing to learn",
    ("check that this is the right column and the right file",),
    key=("targets", "{name}"),
    title="a constant target",
    meaning="A regression target has the same value in every training row.",
)
UNKNOWN_LABEL = Message(
    "BP264",
    "target `{name}` has {n} rows whose label is not among those of the training rows: {examples}",
    ("the model knows {labels}", "remove these rows, or train with rows of every label"),
    title="unknown target label",
    meaning="Rows for validation, test or evaluation have a label that no training row has.",
)
NOT_A_NUMBER = Message(
    "BP265",
    "target `{name}` is a regression target, but {n} of {n_rows} cells are no finite number within ±3.4e38: {examples}",
    ("for labels write `task: binary` or `task: multiclass`; else correct or remove these rows",),
    title="a target that is no number",
    meaning="A regression target has cells that are text, infinite, or beyond ±3.4e38, the largest 32-bit number.",
)
NEGATIVE_COUNT = Message(
    "BP290",
    "target `{name}` has the loss `poisson`, but {n} of {n_rows} cells are negative: {examples}",
    ("counts and rates are never below zero: correct these cells, or choose another `loss`",),
    title="a count below zero",
    meaning="The Poisson loss is for counts and rates, but the target holds negative numbers.",
)
NO_LOGARITHM = Message(
    "BP291",
    "target `{name}` has `transform: log`, but {n} of {n_rows} cells are {what}: {examples}",
    ("correct these cells, or write `transform: none` for the target {column}",),
    title="a logarithm of what is too low",
    meaning="The target has `transform: log`, but some training cells are negative, or none is above zero.",
)
NO_LOGARITHM_IN_BASE_RUN = Message(
    "BP291",
    "target `{name}` has `transform: log`, but {n} of {n_rows} cells are {what}: {examples}",
    ("correct these cells, or train anew without `model.from`: the run to start from has taken logarithms",),
)
