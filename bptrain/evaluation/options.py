"""The section `evaluation` of the config, and the parts of a table that are evaluated."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from bptrain.utils.section import Section

OUT_OF_FOLD = "out_of_fold"  # training rows, each predicted by the network that left it out
PARTS = ("train", OUT_OF_FOLD, "validation", "test")  # the last of those that have rows is what counts


class EvaluationOptions(Section):
    """What counts as good."""

    primary: str = Field(
        "auto",
        description="The metric named first; `auto` is rmse for numbers and accuracy for labels, "
        "balanced_accuracy with `class_weights: balanced`.",
    )
    gates: Annotated[tuple[str, ...], Field(strict=False)] = Field(
        (),
        description="Conditions such as `auc >= 0.9`, on test rows unless written `validation.auc` or "
        "`out_of_fold.auc`; a failed one ends with exit 3.",
    )
