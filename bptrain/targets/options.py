"""What targets with labels have in common: their losses and the weights of their labels."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

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
LossWeight = Annotated[float, Field(gt=0)]
ClassWeights = Literal["none", "balanced"] | dict[str, Annotated[float, Field(gt=0)]]
Temperature = Literal["auto"] | Annotated[float, Field(gt=0)]

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
LOSS_WEIGHT = "Factor of this target's loss in the sum over targets: to make one of several targets matter more."
