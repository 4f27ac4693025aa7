"""Options of a regression target."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from bptrain.targets.options import LOSS_WEIGHT, LossWeight
from bptrain.utils.section import Contradiction, Section


class SquaredLoss(Section):
    """Mean squared error: predicts the mean; large errors count most."""

    kind: Literal["mse"] = "mse"


class AbsoluteLoss(Section):
    """Mean absolute error: predicts the median; for targets with wild values."""

    kind: Literal["mae"] = "mae"


class HuberLoss(Section):
    """Squared near zero, absolute beyond `delta`: a mean that wild values hardly move."""

    kind: Literal["huber"] = "huber"
    delta: Annotated[float, Field(gt=0)] = Field(
        1.0, description="Where the loss turns from squared to absolute, in standard deviations of the target."
    )


class LogCoshLoss(Section):
    """log(cosh(error)): as `huber` with delta 1, but smooth everywhere."""

    kind: Literal["log_cosh"] = "log_cosh"


class QuantileLoss(Section):
    """The pinball loss: predicts a quantile, such as the value that nine of ten rows stay below."""

    kind: Literal["quantile"] = "quantile"
    quantile: Annotated[float, Field(gt=0, lt=1)] = Field(0.5, description="Which quantile; 0.5 is the median.")


class PoissonLoss(Section):
    """The likelihood of counts whose logarithm the network gives: for counts and rates, never below zero."""

    kind: Literal["poisson"] = "poisson"


RegressionLoss = Annotated[
    SquaredLoss | AbsoluteLoss | HuberLoss | LogCoshLoss | QuantileLoss | PoissonLoss, Field(discriminator="kind")
]


class RegressionOptions(Section):
    """A number, standardised inside by training rows and reported in its own units."""

    task: Literal["regression"] = "regression"
    loss: RegressionLoss = Field(
        SquaredLoss(),
        description="`mse`, `mae`, `huber`, `log_cosh`, `quantile` or `poisson`, by name or with options; "
        "all but `poisson` on the standardised target.",
    )
    transform: Literal["auto", "none", "log"] = Field(
        "auto",
        description="`log`: the network learns the logarithm, so that an error counts as a share of the value: for "
        "amounts over several powers of ten. Where training rows hold zeros, half the least value above zero is added "
        "first. `auto`: `log` where the loss is `mse`, predictions are clipped, all training values are above zero and "
        "their 99th percentile is over 1000 times the first; never for mlp.",
    )
    clip: bool | Literal["auto"] = Field(
        "auto",
        description="Predictions stay between the smallest and the largest value of the training rows, as where rows "
        "are unlike these. `auto`: false for mlp, else true.",
    )
    loss_weight: LossWeight = Field(1.0, description=LOSS_WEIGHT)

    @model_validator(mode="after")
    def _one_logarithm(self) -> RegressionOptions:
        if self.transform == "log" and isinstance(self.loss, PoissonLoss):
            raise Contradiction("the loss `poisson` is about a logarithm already", "remove `transform: log`")
        return self


class ResolvedRegressionOptions(RegressionOptions):
    """The options of a regression target with nothing left open."""

    transform: Literal["none", "log"]
    clip: bool
