"""The section `model` of the config: the options of a network. What `auto` means is in `presets.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from bptrain.features.options import EmbeddingOptions
from bptrain.models.presets import DEFAULT, MANY_FEATURES, MANY_ROWS, PRESETS, STRONG
from bptrain.utils.section import Section

if TYPE_CHECKING:
    PresetName = str
else:
    PresetName = Literal[*PRESETS]

Activation = Literal["sigmoid", "tanh", "relu", "leaky_relu", "elu", "selu", "gelu", "silu", "mish", "linear"]
KnownInitializer = Literal[
    "by_activation",
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
Linear = bool | Literal["half"]
Selection = Annotated[int, Field(ge=2)] | Literal["by_loss"] | None
WIDE = f"where a network has at least {MANY_ROWS} rows that give {MANY_FEATURES} numbers each"


class ModelOptions(Section):
    """Hidden layers of neurons, each followed by its activation, and what stands before, beside and around them.

    `auto` is what the preset named by `kind` says.
    """

    kind: PresetName = Field(
        DEFAULT,
        description="The preset: what `auto` means here, for numeric columns, for targets and in `training`.",
    )
    hidden: Hidden | Literal["auto"] = Field(
        "auto",
        description="Neurons of each hidden layer, first to last; [] is a linear model. "
        f"`auto` of `strong`: {list(STRONG.narrow.hidden)}, but {list(STRONG.wide.hidden)} {WIDE} "
        "(a label that has an input of its own counts as one).",
    )
    activation: Activation = Field("relu", description="Activation function of the hidden layers.")
    initializer: KnownInitializer | Literal["auto"] = Field(
        "auto",
        description="How first weights are drawn. `by_activation`: He for those of ReLU's family, LeCun for selu, else "
        "Glorot; change it to compare, or where very deep networks do not start to learn. `uniform`: between "
        "±1/√inputs, biases too, as PyTorch does.",
    )
    normalization: Literal["none", "batch", "layer"] = Field(
        "none",
        description="Normalise each hidden layer before its activation, over the batch or over the layer's neurons: "
        "`batch` where many layers train slowly, `layer` for small batches.",
    )
    dropout: Rate | Literal["auto"] = Field(
        "auto",
        description="Share of hidden activations set to zero in each training step: against overfitting, often 0.1. "
        f"`auto` of `strong`: {STRONG.dropout:g} where all targets are labels or a layer has over 128 neurons, else 0.",
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
    linear: Linear | Literal["auto"] = Field(
        "auto",
        description="Add what a linear model of the columns says, trained together with the hidden layers (the wide "
        "part of Wide & Deep); with `bins` it is an additive model. Where much of the target is a sum over columns. "
        f"`half`: only to the first half of the members, rounded up. `auto` of `strong`: true {WIDE}; else half.",
    )
    members: Count | Literal["auto"] = Field(
        "auto",
        description="Members of a batch ensemble (TabM): networks that share all hidden weights but how each weighs "
        "the features, and their last layers; each is trained by its own loss, their mean predicts. 4 to 32 are usual. "
        f"`auto` of `strong`: {STRONG.narrow.members}; {STRONG.wide_undivided.members} where `hidden: auto` means wide "
        f"layers, unless `ensemble_selection` asks for more, and {STRONG.wide.members} where `networks: auto` then "
        f"means {STRONG.wide.networks}.",
    )
    ensemble_selection: Selection | Literal["auto"] = Field(
        "auto",
        description="Members of each network that predict, if fewer than all: those whose mean has the least loss on "
        "the rows that chose its epoch (Caruana et al. 2004). Training needs many members; predicting by few is nearly "
        "as good and faster. `by_loss`: two, and more as long as each makes that loss less by .2 %; `bptrain inspect` "
        "tells how many. null: all of them.",
    )
    networks: Count | Literal["auto"] = Field(
        "auto",
        description="Networks trained one after the other, whose mean predicts (bagging over folds). Each leaves out "
        "another fold of the training rows, which chooses its epoch; with validation rows that are given or set apart "
        f"in time, these do for all. `auto` of `strong`: {STRONG.narrow.networks}; {STRONG.wide.networks} where "
        "`hidden: auto` means wide layers, `members` is `auto`, `ensemble_selection` no number, and rows are divided "
        "by neither group nor hash; 1 for more than 250 000 training rows, `data.residence: stream`, and few rows or "
        "groups.",
    )
    from_run: str | None = Field(
        None,
        alias="from",
        description="Folder of an earlier run whose weights training begins with, and whose preparation of columns is "
        "kept: to train on with new rows. What is not given here, such as `hidden`, is then taken from that run.",
    )


class ResolvedModel(ModelOptions):
    """The same with nothing left open; `fitting/resolve.py` makes it."""

    hidden: Hidden
    initializer: KnownInitializer
    dropout: Rate
    linear: Linear
    members: Count
    ensemble_selection: Selection
    networks: Count
