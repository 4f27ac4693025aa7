"""The section `model` of the config."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from bptrain.config.section import Section

Activation = Literal["sigmoid", "tanh", "relu", "leaky_relu", "elu", "selu", "gelu", "silu", "mish", "linear"]


Initializer = Literal[
    "auto", "glorot_uniform", "glorot_normal", "he_uniform", "he_normal", "lecun_uniform", "lecun_normal", "orthogonal"
]


class MlpOptions(Section):
    """A multilayer perceptron: hidden layers of neurons, each followed by its activation."""

    kind: Literal["mlp"] = "mlp"
    hidden: Annotated[tuple[Annotated[int, Field(ge=1)], ...], Field(strict=False)] = Field(
        (256, 256), description="Neurons of each hidden layer, first to last; [] is a linear model."
    )
    activation: Activation = Field("relu", description="Activation function of the hidden layers.")
    initializer: Initializer = Field(
        "auto",
        description="How first weights are drawn. `auto` goes by the activation: He for those of ReLU's family, LeCun "
        "for selu, else Glorot; change it to compare, or where very deep networks do not start to learn.",
    )
    normalization: Literal["none", "batch", "layer"] = Field(
        "none",
        description="Normalise each hidden layer before its activation, over the batch or over the layer's neurons: "
        "`batch` where many layers train slowly, `layer` for small batches.",
    )
    dropout: Annotated[float, Field(ge=0, lt=1)] = Field(
        0.0,
        description="Share of hidden activations set to zero in each training step: against overfitting, often 0.1.",
    )
    l1: Annotated[float, Field(ge=0)] = Field(
        0.0, description="Weight of the sum of absolute kernel weights added to the loss: to make many of them zero."
    )
    l2: Annotated[float, Field(ge=0)] = Field(
        0.0, description="Weight of the sum of squared kernel weights added to the loss: to keep them small."
    )
    from_run: str | None = Field(
        None,
        alias="from",
        description="Folder of an earlier run whose weights training begins with, and whose preparation of columns is "
        "kept: to train on with new rows. What is not given here, such as `hidden`, is then taken from that run.",
    )
