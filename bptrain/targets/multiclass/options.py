"""Options of a multiclass target."""

from __future__ import annotations

from typing import Literal

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


class MulticlassOptions(Section):
    """Three labels or more, each row having exactly one."""

    task: Literal["multiclass"] = "multiclass"
    temperature: Temperature = Field("auto", description=TEMPERATURE)
    loss: LabelLoss = Field(
        CrossEntropyLoss(), description="`cross_entropy`, `mse` or `focal`, by name or with options."
    )
    class_weights: ClassWeights = Field("none", description=CLASS_WEIGHTS)
    loss_weight: LossWeight = Field(1.0, description=LOSS_WEIGHT)
