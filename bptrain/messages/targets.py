"""Messages of `targets`."""

from __future__ import annotations

from bptrain.messages.code import Code

CODES: dict[str, Code] = {
    "BP150": Code(
        "no such positive label",
        "`positive` names a label that the target does not have.",
        "Write one of the labels shown, as text if it looks like a number.",
    ),
    "BP151": Code(
        "the task is not clear",
        "The target's values could be labels or amounts, or look like neither.",
        "Write `target: {column: NAME, task: binary}`, `multiclass` or `regression`.",
    ),
    "BP167": Code(
        "no such label",
        "`class_weights` names a label that no training row has.",
        "Write the labels as the data spells them.",
    ),
    "BP168": Code(
        "options of another task",
        "A target without `task` has options, such as a loss, that the task of its values does not have.",
        "Remove the option, or write one of that task; name the `task` if the values mislead.",
    ),
    "BP261": Code(
        "a target with one value",
        "The target does not vary, so there is nothing to learn.",
        "Check the column, the file and the split.",
    ),
    "BP262": Code(
        "not two labels",
        "A binary target must have exactly two labels in the training rows.",
        "Use `task: multiclass` for more labels; check `data.na_values` if one of them means missing.",
    ),
    "BP263": Code(
        "a constant target",
        "A regression target has the same value in every training row.",
        "Check the column and the file.",
    ),
    "BP264": Code(
        "unknown target label",
        "Rows for validation, test or evaluation have a label that no training row has.",
        "Correct or remove these rows, or train with rows of every label.",
    ),
    "BP265": Code(
        "a target that is no number",
        "A regression target has cells that are text, infinite, or beyond ±3.4e38, the largest 32-bit number.",
        "Correct the cells, or declare the task if these are labels.",
    ),
    "BP290": Code(
        "a count below zero",
        "The Poisson loss is for counts and rates, but the target holds negative numbers.",
        "Correct these cells, or choose another loss.",
    ),
    "BP291": Code(
        "a logarithm of what is too low",
        "The target has `transform: log`, but some cells of the training files are negative, or none is above zero.",
        "Correct these cells, or write `transform: none`.",
    ),
}
