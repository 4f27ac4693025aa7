"""The table of tasks: one line here and one folder beside this file make a task.

A task named `ranking` is the folder `targets/ranking/` with `options.py` (pydantic only), `prepare.py` (numpy),
`head.py` (keras) and `measures.py` (metrics, decoding, trivial baseline).
"""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Annotated, Literal, cast, get_args

from pydantic import Field

from bptrain.targets.binary.options import BinaryOptions, Threshold
from bptrain.targets.multiclass.options import MulticlassOptions
from bptrain.targets.options import LOSS_WEIGHT, ClassWeights, CrossEntropyLoss, FocalLoss, LossWeight, Temperature
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

if TYPE_CHECKING:
    from bptrain.targets.state import Measures, Prepare


class UsualLoss(Section):
    """The usual loss of the task: `cross_entropy` for labels, `mse` for numbers."""

    kind: Literal["auto"] = "auto"


AnyLoss = Annotated[
    UsualLoss
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
    positive: str | int | float | bool | None = Field(
        None, description="The positive label; giving it makes the task binary."
    )
    threshold: Threshold = Field("auto", description="As of `task: binary`; giving it makes the task binary.")
    temperature: Temperature = Field("auto", description="As of `task: binary`; giving it says that it has labels.")
    loss: AnyLoss = Field(UsualLoss(), description="A loss that the task of the values has.")
    class_weights: ClassWeights = Field("none", description="As of `task: binary`; giving it says that it has labels.")
    loss_weight: LossWeight = Field(1.0, description=LOSS_WEIGHT)


TargetOptions = Annotated[
    AutoOptions | BinaryOptions | MulticlassOptions | RegressionOptions, Field(discriminator="task")
]
TASKS: dict[str, type[BinaryOptions | MulticlassOptions | RegressionOptions]] = {
    "binary": BinaryOptions,
    "multiclass": MulticlassOptions,
    "regression": RegressionOptions,
}


def losses(task: str) -> list[str]:
    """The losses of a task by the names that a config gives them."""
    return [loss.model_fields["kind"].default for loss in get_args(TASKS[task].model_fields["loss"].annotation)]


def prepare(task: str) -> Prepare:
    """`prepare.py` of a task."""
    return cast("Prepare", import_module(f"bptrain.targets.{task}.prepare"))


def measures(task: str) -> Measures:
    """`measures.py` of a task."""
    return cast("Measures", import_module(f"bptrain.targets.{task}.measures"))


def head(task: str) -> ModuleType:
    """`head.py` of a task; imports keras."""
    return import_module(f"bptrain.targets.{task}.head")
