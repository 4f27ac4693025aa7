"""Options of a binary target."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from bptrain.targets.options import (
    CLASS_WEIGHTS,
    LOSS_WEIGHT,
    TEMPERATURE,
    ClassWeights,
    CrossEntropyLoss,
    LabelLoss,
    LossWeight,
    Temperature,
)
from bptrain.utils.section import Section

Threshold = Literal["auto"] | Annotated[float, Field(ge=0, le=1)]


class BinaryOptions(Section):
    """Two labels, of which `positive` is the one whose probability is predicted."""

    task: Literal["binary"] = "binary"
    positive: str | int | float | bool | None = Field(
        None, description="The positive label; by default the second in sorted order."
    )
    threshold: Threshold = Field(
        "auto",
        description="Probability from which a row is called positive. `auto`: where `evaluation.primary` depends on it "
        "(balanced_accuracy, f1, and accuracy without class weights), the best one on validation rows if it gains more "
        "than chance, else 0.5.",
    )
    temperature: Temperature = Field("auto", description=TEMPERATURE)
    loss: LabelLoss = Field(
        CrossEntropyLoss(), description="`cross_entropy`, `mse` or `focal`, by name or with options."
    )
    class_weights: ClassWeights = Field("none", description=CLASS_WEIGHTS)
    loss_weight: LossWeight = Field(1.0, description=LOSS_WEIGHT)
