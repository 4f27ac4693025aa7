"""The options of any target: of one whose task is known, and of one whose task its values tell.

They stand apart from the tasks, as the config is read without the libraries for tables.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from bptrain.targets.classification.options import (
    BinaryOptions,
    ClassWeights,
    CrossEntropyLoss,
    FocalLoss,
    MulticlassOptions,
    Positive,
    Temperature,
    Threshold,
)
from bptrain.targets.options import LOSS_WEIGHT, LossWeight
from bptrain.targets.regression.options import (
    AbsoluteLoss,
    HuberLoss,
    LogCoshLoss,
    PoissonLoss,
    QuantileLoss,
    RegressionOptions,
    SquaredLoss,
)
from bptrain.utils.section import Section


class TaskLoss(Section):
    """The usual loss of the task: `cross_entropy` for labels, `mse` for numbers."""

    kind: Literal["auto"] = "auto"


AnyLoss = Annotated[
    TaskLoss
    | CrossEntropyLoss
    | FocalLoss
    | SquaredLoss
    | AbsoluteLoss
    | HuberLoss
    | LogCoshLoss
    | QuantileLoss
    | PoissonLoss,  # `mse` of labels and of numbers are written alike
    Field(discriminator="kind"),
]


class AutoOptions(Section):
    """Inferred from the values: two labels are binary, more text labels multiclass, many numbers regression.

    Options that only some tasks have may be given too: they decide where the values leave it open.
    """

    task: Literal["auto"] = "auto"
    positive: Positive = Field(None, description="The positive label; giving it makes the task binary.")
    threshold: Threshold = Field("auto", description="As of `task: binary`; giving it makes the task binary.")
    temperature: Temperature = Field("auto", description="As of `task: binary`; giving it says that it has labels.")
    loss: AnyLoss = Field(TaskLoss(), description="A loss that the task of the values has.")
    class_weights: ClassWeights = Field("none", description="As of `task: binary`; giving it says that it has labels.")
    loss_weight: LossWeight = Field(1.0, description=LOSS_WEIGHT)


TaskOptions = BinaryOptions | MulticlassOptions | RegressionOptions
TargetOptions = Annotated[AutoOptions | TaskOptions, Field(discriminator="task")]
