"""The section `model` of the config."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from bptrain.config.section import Section

Activation = Literal["sigmoid", "tanh", "relu", "leaky_relu", "elu", "selu", "gelu", "silu", "mish", "linear"]


class MlpOptions(Section):
    """A multilayer perceptron: hidden layers of neurons, each followed by its activation."""

    kind: Literal["mlp"] = "mlp"
    hidden: Annotated[tuple[Annotated[int, Field(ge=1)], ...], Field(strict=False)] = Field(
        (256, 256), description="Neurons of each hidden layer, first to last; [] is a linear model."
    )
    activation: Activation = Field("relu", description="Activation function of the hidden layers.")
    batch_normalization: bool = Field(
        False, description="Normalise each hidden layer over the batch before its activation."
    )
    dropout: Annotated[float, Field(ge=0, lt=1)] = Field(
        0.0, description="Share of hidden activations set to zero in each training step."
    )
    l2: Annotated[float, Field(ge=0)] = Field(
        0.0, description="Weight of the sum of squared kernel weights added to the loss."
    )
    from_run: str | None = Field(
        None,
        alias="from",
        description="Folder of an earlier run whose weights training begins with, and whose preparation of columns is "
        "kept: to train on with new rows. What is not given here, such as `hidden`, is then taken from that run.",
    )
