"""The section `model` of the config: the options of a network, and presets that give them other defaults."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from bptrain.features.options import EmbeddingOptions
from bptrain.utils.section import Section

Activation = Literal["sigmoid", "tanh", "relu", "leaky_relu", "elu", "selu", "gelu", "silu", "mish", "linear"]


Initializer = Literal[
    "auto",
    "glorot_uniform",
    "glorot_normal",
    "he_uniform",
    "he_normal",
    "lecun_uniform",
    "lecun_normal",
    "orthogonal",
    "uniform",
]
Hidden = Annotated[tuple[Annotated[int, Field(ge=1)], ...], Field(strict=False)]
Rate = Annotated[float, Field(ge=0, lt=1)]
Count = Annotated[int, Field(ge=1)]
Widths = Hidden | Literal["auto"]
OpenCount = Count | Literal["auto"]
OpenRate = Rate | Literal["auto"]
Skip = bool | Literal["auto", "half"]
Kept = Annotated[int, Field(ge=2)] | Literal["auto"] | None


class NetworkOptions(Section):
    """Hidden layers of neurons, each followed by its activation, and what stands before, beside and around them."""

    kind: Literal["strong", "ensemble", "fast", "mlp"]
    hidden: Widths = Field(
        (256, 256),
        description="Neurons of each hidden layer, first to last; [] is a linear model. `auto`: [256, 256] for "
        "mlp; else [128, 128], but [256, 256] where a network has at least 5000 rows that give 150 numbers each "
        "(a label that has an input of its own counts as one).",
    )
    activation: Activation = Field("relu", description="Activation function of the hidden layers.")
    initializer: Initializer = Field(
        "auto",
        description="How first weights are drawn. `auto` goes by the activation: He for those of ReLU's family, LeCun "
        "for selu, else Glorot; change it to compare, or where very deep networks do not start to learn. `uniform`: "
        "between ±1/√inputs, biases too, as PyTorch does.",
    )
    normalization: Literal["none", "batch", "layer"] = Field(
        "none",
        description="Normalise each hidden layer before its activation, over the batch or over the layer's neurons: "
        "`batch` where many layers train slowly, `layer` for small batches.",
    )
    dropout: OpenRate = Field(
        0.0,
        description="Share of hidden activations set to zero in each training step: against overfitting, often 0.1. "
        "`auto`: 0.1 where all targets are labels or a layer has over 128 neurons, but for mlp; else 0.",
    )
    l1: Annotated[float, Field(ge=0)] = Field(
        0.0, description="Weight of the sum of absolute kernel weights added to the loss: to make many of them zero."
    )
    l2: Annotated[float, Field(ge=0)] = Field(
        0.0, description="Weight of the sum of squared kernel weights added to the loss: to keep them small."
    )
    embedding: EmbeddingOptions = Field(
        EmbeddingOptions(), description="The learned features of numeric columns that have `bins` or are `periodic`."
    )
    skip: Skip = Field(
        False,
        description="Add what a linear model of the columns says, trained together with the hidden layers; with `bins` "
        "it is an additive model. Where much of the target is a sum over columns. `half`: only to the first half of "
        "the members, rounded up. `auto`: false for mlp; true where a network has at least 5000 rows that give 150 "
        "numbers each; else half.",
    )
    members: OpenCount = Field(
        1,
        description="Members of a batch ensemble (TabM): networks that share all hidden weights but how each weighs "
        "the features, and their last layers; each is trained by its own loss, their mean predicts. 4 to 32 are usual. "
        "`auto`: 1 for mlp, 16 for ensemble, else 8; half as many where `hidden: auto` means wide layers, unless "
        "`keep` asks for more, and a quarter where `networks: auto` then means 10.",
    )
    keep: Kept = Field(
        None,
        description="Members of each network that predict, if fewer than all: those whose mean has the least loss on "
        "the rows that chose its epoch. Training needs many members; predicting by few is nearly as good and faster. "
        "`auto`: two, and more as long as each makes that loss less by .2 %; `bptrain inspect` tells how many.",
    )
    networks: OpenCount = Field(
        1,
        description="Networks trained one after the other, whose mean predicts. Each leaves out another fold of the "
        "training rows, which chooses its epoch; with validation rows that are given or set apart in time, these do "
        "for all. `auto`: 5; 10 where `hidden: auto` means wide layers, `members` is `auto`, `keep` no number, and "
        "rows are divided by neither group nor hash; 1 for more than 250 000 training rows, `data.residence: stream`, "
        "and few rows or groups.",
    )
    from_run: str | None = Field(
        None,
        alias="from",
        description="Folder of an earlier run whose weights training begins with, and whose preparation of columns is "
        "kept: to train on with new rows. What is not given here, such as `hidden`, is then taken from that run.",
    )

    @property
    def widths(self) -> tuple[int, ...]:
        """`hidden`, once the table has settled it."""
        if self.hidden == "auto":
            raise RuntimeError("`model.hidden` is not settled yet")
        return self.hidden

    @property
    def dropped(self) -> float:
        """`dropout`, once the table has settled it."""
        if self.dropout == "auto":
            raise RuntimeError("`model.dropout` is not settled yet")
        return self.dropout

    @property
    def n_members(self) -> int:
        """`members`, once the table has settled it."""
        return _settled("members", self.members)

    @property
    def n_skip(self) -> int:
        """How many members have the linear model of `skip`, once the table has settled it: the first ones."""
        if self.skip == "half":
            return (self.n_members + 1) // 2
        return self.n_members * _settled("skip", self.skip)

    @property
    def n_networks(self) -> int:
        """`networks`, once the table has settled it."""
        return _settled("networks", self.networks)


def _settled(name: str, value: int | str) -> int:
    if isinstance(value, str):
        raise RuntimeError(f"`model.{name}` is not settled yet")
    return value


def _described(name: str) -> str | None:
    return NetworkOptions.model_fields[name].description


class MlpOptions(NetworkOptions):
    """The textbook's multilayer perceptron: hidden layers of neurons, each followed by its activation."""

    kind: Literal["mlp"] = "mlp"


class PresetOptions(NetworkOptions):
    """What the presets for tables share: a small batch ensemble, half of it beside an additive model."""

    hidden: Widths = Field("auto", description=_described("hidden"))
    initializer: Initializer = Field("uniform", description=_described("initializer"))
    dropout: OpenRate = Field("auto", description=_described("dropout"))
    skip: Skip = Field("auto", description=_described("skip"))
    members: OpenCount = Field("auto", description=_described("members"))
    keep: Kept = Field("auto", description=_described("keep"))
    networks: OpenCount = Field("auto", description=_described("networks"))


class StrongOptions(PresetOptions):
    """The default for tables: a small batch ensemble on learned features, trained once per fold."""

    kind: Literal["strong"] = "strong"


class EnsembleOptions(PresetOptions):
    """As `strong` with 16 members (8 where layers are wide) and 10 networks, for about four times the time."""

    kind: Literal["ensemble"] = "ensemble"
    networks: OpenCount = Field(10, description=_described("networks"))


class FastOptions(PresetOptions):
    """As `strong` with few members and one network: a little worse, for a fraction of the time."""

    kind: Literal["fast"] = "fast"
    members: OpenCount = Field(2, description=_described("members"))
    networks: OpenCount = Field(1, description=_described("networks"))


ModelOptions = Annotated[StrongOptions | EnsembleOptions | FastOptions | MlpOptions, Field(discriminator="kind")]
