"""Options of targets with labels: of two, and of more."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from bptrain.targets.options import LOSS_WEIGHT, LossWeight
from bptrain.utils.section import Section


class CrossEntropyLoss(Section):
    """Minus the log of the probability given to the true label: the likelihood's own loss, and the usual choice."""

    kind: Literal["cross_entropy"] = "cross_entropy"
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = Field(
        0.0,
        description="Share of the truth that is spread evenly over all labels (Szegedy et al. 2016); "
        "about 0.1 where some labels are wrong or probabilities come out too sure.",
    )


class BrierLoss(Section):
    """Squared error of the probabilities: bounded, so wrong labels weigh less; the textbook's first choice."""

    kind: Literal["mse"] = "mse"


class FocalLoss(Section):
    """Cross-entropy times (1 - p)^gamma of the true label's probability p: for a rare label among many easy rows."""

    kind: Literal["focal"] = "focal"
    gamma: Annotated[float, Field(ge=0)] = Field(
        2.0, description="How much rows that are already right are played down; 0 is cross-entropy."
    )


LabelLoss = Annotated[CrossEntropyLoss | BrierLoss | FocalLoss, Field(discriminator="kind")]
Positive = str | int | float | bool | None
ClassWeights = Literal["none", "balanced"] | dict[str, Annotated[float, Field(gt=0)]]
Threshold = Literal["auto"] | Annotated[float, Field(ge=0, le=1)]
Temperature = Literal["auto"] | Annotated[float, Field(gt=0)]

LOSS = "`cross_entropy`, `mse` or `focal`, by name or with options."
CLASS_WEIGHTS = (
    "`balanced` weighs rows by n / (k * rows of their label), so that each of the k labels counts alike in training "
    "(scikit-learn's formula): when a rare label matters as much as the others; or a weight per label, 1 where none is "
    "given. Metrics are not weighted by it, but with `balanced` the primary metric is `balanced_accuracy` unless named."
)
TEMPERATURE = (
    "Logits are divided by it before they become probabilities: above 1 these are less sure, below 1 surer "
    "(Guo et al. 2017). `auto`: 1 for mlp and with class weights, else the one from 0.25 to 4 with the least log loss "
    "on validation rows if it gains more than chance, else 1."
)


class BinaryOptions(Section):
    """Two labels, of which `positive` is the one whose probability is predicted."""

    task: Literal["binary"] = "binary"
    positive: Positive = Field(None, description="The positive label; by default the second in sorted order.")
    threshold: Threshold = Field(
        "auto",
        description="Probability from which a row is called positive. `auto`: where `evaluation.primary` depends on it "
        "(balanced_accuracy, f1, and accuracy without class weights), the best one on validation rows if it gains more "
        "than chance, else 0.5.",
    )
    temperature: Temperature = Field("auto", description=TEMPERATURE)
    loss: LabelLoss = Field(CrossEntropyLoss(), description=LOSS)
    class_weights: ClassWeights = Field("none", description=CLASS_WEIGHTS)
    loss_weight: LossWeight = Field(1.0, description=LOSS_WEIGHT)


class MulticlassOptions(Section):
    """Three labels or more, each row having exactly one."""

    task: Literal["multiclass"] = "multiclass"
    temperature: Temperature = Field("auto", description=TEMPERATURE)
    loss: LabelLoss = Field(CrossEntropyLoss(), description=LOSS)
    class_weights: ClassWeights = Field("none", description=CLASS_WEIGHTS)
    loss_weight: LossWeight = Field(1.0, description=LOSS_WEIGHT)
