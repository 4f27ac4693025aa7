"""The section `training` of the config."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from bptrain.config.section import Section

LearningRate = Annotated[float, Field(gt=0)]
Decay = Annotated[float, Field(ge=0, lt=1)]


class SgdOptions(Section):
    """Gradient descent, with momentum when it is above zero."""

    kind: Literal["sgd"] = "sgd"
    learning_rate: LearningRate = Field(0.01, description="Step size.")
    momentum: Decay = Field(0.0, description="Share of the last step added to this one (0.9 is usual).")


class RmspropOptions(Section):
    """Steps divided by a running root mean square of the gradients."""

    kind: Literal["rmsprop"] = "rmsprop"
    learning_rate: LearningRate = Field(0.001, description="Step size.")
    rho: Decay = Field(0.9, description="Decay of the running mean square.")
    momentum: Decay = Field(0.0, description="Share of the last step added to this one.")


class AdamOptions(Section):
    """Adaptive moments (Kingma & Ba 2015)."""

    kind: Literal["adam"] = "adam"
    learning_rate: LearningRate = Field(0.001, description="Step size.")
    beta_1: Decay = Field(0.9, description="Decay of the running mean of the gradients.")
    beta_2: Decay = Field(0.999, description="Decay of the running mean of their squares.")


OptimizerOptions = Annotated[SgdOptions | RmspropOptions | AdamOptions, Field(discriminator="kind")]


class ConstantSchedule(Section):
    """The learning rate stays as it is."""

    kind: Literal["constant"] = "constant"


class CosineSchedule(Section):
    """The learning rate falls along half a cosine from its value to `final` times that, over all epochs."""

    kind: Literal["cosine"] = "cosine"
    final: Annotated[float, Field(ge=0, le=1)] = Field(0.0, description="Share of the learning rate left at the end.")


ScheduleOptions = Annotated[ConstantSchedule | CosineSchedule, Field(discriminator="kind")]


class TrainingOptions(Section):
    """How the network is trained and when training stops."""

    optimizer: OptimizerOptions = Field(
        AdamOptions(), description="`sgd`, `rmsprop` or `adam`, by name or with options."
    )
    schedule: ScheduleOptions = Field(
        ConstantSchedule(), description="How the learning rate changes, step by step: `constant` or `cosine`."
    )
    batch_size: Annotated[int, Field(ge=1)] | Literal["all"] = Field(
        256, description="Rows per step: a number (mini-batch), 1 (stochastic) or `all` (full batch)."
    )
    epochs: Annotated[int, Field(ge=1)] = Field(200, description="Most passes over the training rows.")
    patience: Annotated[int, Field(ge=1)] | None = Field(
        16,
        description="Stop after this many epochs without a better validation loss; null: never. "
        "Unused without validation rows.",
    )
    restore_best: bool = Field(
        True, description="Keep the weights of the epoch with the best validation loss instead of the last."
    )
    final: Literal["best", "refit"] = Field(
        "best",
        description="`refit`: once validation rows have chosen the epoch, train anew on training and validation rows "
        "together for as many epochs; for small tables, where every row counts.",
    )
    stop_at_loss: Annotated[float, Field(ge=0)] | None = Field(
        None, description="Stop when an epoch's training loss is at or below this."
    )
    minutes: Annotated[float, Field(gt=0)] | None = Field(
        None, description="Stop after this time; the epoch being trained is finished."
    )
    threads: Annotated[int, Field(ge=1, le=256)] = Field(
        2, description="Threads of TensorFlow's arithmetic; never read from the machine."
    )
