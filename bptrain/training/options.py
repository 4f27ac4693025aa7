"""The section `training` of the config."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from bptrain.models.presets import MLP, STRONG, ByRows
from bptrain.utils.section import Contradiction, Section

LearningRate = Annotated[float, Field(gt=0)]
Decay = Annotated[float, Field(ge=0, lt=1)]


class SgdOptions(Section):
    """Gradient descent, with momentum when it is above zero."""

    kind: Literal["sgd"] = "sgd"
    learning_rate: LearningRate = Field(0.01, description="Step size.")
    momentum: Decay = Field(0.0, description="Share of the last step added to this one (0.9 is usual).")
    nesterov: bool = Field(
        False, description="Take the gradient where the momentum leads (Nesterov 1983): with momentum, often steadier."
    )

    @model_validator(mode="after")
    def _nesterov_needs_momentum(self) -> SgdOptions:
        if self.nesterov and not self.momentum:
            raise Contradiction("`nesterov` does nothing without momentum", "add `momentum: 0.9`")
        return self


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


class AdamwOptions(Section):
    """Adam with weight decay apart from the gradient (Loshchilov & Hutter 2019): a good default for larger networks."""

    kind: Literal["adamw"] = "adamw"
    learning_rate: LearningRate = Field(0.001, description="Step size.")
    beta_1: Decay = Field(0.9, description="Decay of the running mean of the gradients.")
    beta_2: Decay = Field(0.999, description="Decay of the running mean of their squares.")
    weight_decay: Annotated[float, Field(ge=0)] = Field(
        0.004, description="Share of each weight (not of biases) that a step with learning rate 1 would take away."
    )


class NadamOptions(Section):
    """Adam with Nesterov momentum (Dozat 2016): often a little faster at the start."""

    kind: Literal["nadam"] = "nadam"
    learning_rate: LearningRate = Field(0.001, description="Step size.")
    beta_1: Decay = Field(0.9, description="Decay of the running mean of the gradients.")
    beta_2: Decay = Field(0.999, description="Decay of the running mean of their squares.")


class AdagradOptions(Section):
    """Steps divided by the root of all squared gradients so far (Duchi et al. 2011): for inputs that are rare."""

    kind: Literal["adagrad"] = "adagrad"
    learning_rate: LearningRate = Field(0.01, description="Step size.")
    initial_accumulator_value: Annotated[float, Field(ge=0)] = Field(
        0.1, description="Where the sum of squared gradients begins: larger makes first steps smaller."
    )


class LionOptions(Section):
    """Steps of one size along the sign of the momentum (Chen et al. 2023): needs a third to a tenth of Adam's rate."""

    kind: Literal["lion"] = "lion"
    learning_rate: LearningRate = Field(0.0001, description="Step size.")
    beta_1: Decay = Field(0.9, description="Share of the momentum in the step's direction.")
    beta_2: Decay = Field(0.99, description="Decay of the momentum.")


class UsualOptimizer(Section):
    """Adam with the learning rate that the preset gives for the training rows of a network."""

    kind: Literal["auto"] = "auto"


KnownOptimizer = Annotated[
    SgdOptions | RmspropOptions | AdamOptions | AdamwOptions | NadamOptions | AdagradOptions | LionOptions,
    Field(discriminator="kind"),
]
OptimizerOptions = Annotated[
    UsualOptimizer
    | SgdOptions
    | RmspropOptions
    | AdamOptions
    | AdamwOptions
    | NadamOptions
    | AdagradOptions
    | LionOptions,
    Field(discriminator="kind"),
]
Epochs = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(ge=0, le=1)]
Factor = Annotated[float, Field(gt=0, lt=1)]


class ConstantSchedule(Section):
    """The learning rate stays as it is."""

    kind: Literal["constant"] = "constant"


class StepSchedule(Section):
    """The learning rate is multiplied by `factor` after every so many epochs."""

    kind: Literal["step"] = "step"
    every: Epochs = Field(30.0, description="Epochs between two falls.")
    factor: Factor = Field(0.1, description="What the rate is multiplied by.")


class ExponentialSchedule(Section):
    """The learning rate falls by the same factor in each epoch, step by step."""

    kind: Literal["exponential"] = "exponential"
    factor: Factor = Field(0.97, description="What is left of the rate after an epoch.")


class CosineSchedule(Section):
    """The learning rate falls along half a cosine from its value to `final` times that, over all epochs."""

    kind: Literal["cosine"] = "cosine"
    final: Share = Field(0.0, description="Share of the learning rate left at the end.")


class OneCycleSchedule(Section):
    """The learning rate rises to its value and falls to almost nothing, over all epochs (Smith & Topin 2018)."""

    kind: Literal["one_cycle"] = "one_cycle"
    rise: Factor = Field(0.3, description="Share of all steps in which the rate rises.")
    start: Share = Field(0.04, description="Share of the rate at the first step.")
    final: Share = Field(0.0001, description="Share of the rate at the last step.")


class CyclicSchedule(Section):
    """The learning rate rises from zero to its value and falls back again and again, over all epochs: RealMLP's."""

    kind: Literal["cyclic"] = "cyclic"
    cycles: Annotated[int, Field(ge=1, le=12)] = Field(
        4, description="Rises and falls in all, each twice as long as the one before."
    )


class PlateauSchedule(Section):
    """The learning rate falls when what `monitor` names gets no better (without validation rows the training loss)."""

    kind: Literal["plateau"] = "plateau"
    factor: Factor = Field(0.5, description="What the rate is multiplied by.")
    patience: Annotated[int, Field(ge=1)] = Field(5, description="Epochs without a better loss before it falls.")
    minimum: Share = Field(0.001, description="Share of the rate below which it never falls.")


ScheduleOptions = Annotated[
    ConstantSchedule
    | StepSchedule
    | ExponentialSchedule
    | CosineSchedule
    | OneCycleSchedule
    | CyclicSchedule
    | PlateauSchedule,
    Field(discriminator="kind"),
]


class CheckpointOptions(Section):
    """How often an unfinished training is saved, to go on with `--resume`; results do not depend on it."""

    minutes: Annotated[float, Field(ge=0)] | None = Field(
        1.0, description="Save when so many minutes have passed since the last time; null: not by time."
    )
    epochs: Annotated[int, Field(ge=1)] | None = Field(None, description="Save after every so many epochs, too.")


def _steps(numbers: ByRows) -> str:
    """For descriptions: `64 below 4500 rows, 128 below 27000, else 1024`."""
    *steps, (_, last) = numbers.steps
    return ", ".join(f"{value:g} below {limit:g}" for limit, value in steps) + f", else {last:g}"


class TrainingOptions(Section):
    """How the network is trained and when training stops."""

    optimizer: OptimizerOptions = Field(
        UsualOptimizer(),
        description="How a gradient becomes a step: its name, or its options. `auto`: adam, with a learning rate that "
        f"goes by the training rows; `strong`: {_steps(STRONG.learning_rate['numbers'])}; where all targets are labels "
        f"{_steps(STRONG.learning_rate['labels'])}; wide layers have no more than half of the largest.",
    )
    schedule: ScheduleOptions = Field(
        ConstantSchedule(), description="How the learning rate changes, step by step: its name, or its options."
    )
    warmup: Annotated[float, Field(ge=0)] = Field(
        0.0,
        description="Epochs (or a part of one) in which the learning rate rises evenly from zero; with any schedule, "
        "where the first steps are too large.",
    )
    clip_norm: Annotated[float, Field(gt=0)] | None = Field(
        None,
        description="Longest gradient of all weights together; a longer one is shortened. Against single wild steps.",
    )
    clip_value: Annotated[float, Field(gt=0)] | None = Field(
        None, description="Largest value of each part of the gradient; instead of `clip_norm`."
    )
    weight_decay: Annotated[float, Field(ge=0)] | None = Field(
        None,
        description="Share of each weight (not of biases and normalisation) that a step with learning rate 1 would "
        "take away, with any optimizer; by default none, or adamw's own. Against overfitting.",
    )
    batch_size: Count | Literal["all", "auto"] = Field(
        "auto",
        description="Rows per step: a number (mini-batch), 1 (stochastic) or `all` (full batch). `auto` goes by the "
        f"training rows; `strong`: {_steps(STRONG.batch_size['numbers'])}; where all targets are labels "
        f"{_steps(STRONG.batch_size['labels'])}.",
    )
    last_batch: Literal["auto", "keep", "drop"] = Field(
        "auto",
        description="Rows at the end of an epoch that do not fill a batch: `keep` makes a smaller step of them, `drop` "
        "leaves them out of this epoch; others are left over in the next. "
        f"`auto` of `strong`: `{STRONG.last_batch}`.",
    )
    epochs: Count | Literal["auto"] = Field(
        "auto",
        description=f"Most passes over the training rows. `auto`: {STRONG.epochs}, for mlp {MLP.epochs}.",
    )
    patience: Count | Literal["auto"] | None = Field(
        "auto",
        description="Stop after this many epochs without a better validation loss; null: never. "
        f"Unused without validation rows. `auto`: {STRONG.patience}, for mlp {MLP.patience}.",
    )
    ema_momentum: Decay | Literal["auto"] | None = Field(
        "auto",
        description="Validate and keep the running mean of the weights over the steps instead of the weights "
        "themselves; how much of the mean a step leaves, such as 0.998. It steadies what a constant learning rate "
        "leaves unsteady. In step t no more than t / (t + 10) is left, so that the first weights are soon forgotten. "
        f"null: no mean. `auto`: {STRONG.ema_momentum}, for mlp null.",
    )
    monitor: Literal["auto", "loss", "primary"] = Field(
        "auto",
        description="What is to get better on validation rows, for patience and for the epoch that is kept: the "
        "`loss`, or the `primary` metric. `auto`: the primary metric where it is mae or median_absolute_error, else "
        "the loss, which is steadier than the metrics of labels.",
    )
    restore_best: bool = Field(
        True, description="Keep the weights of the best epoch on validation rows instead of the last."
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
        None,
        description="Stop after this time, within an epoch if need be; its rows so far are then the epoch. "
        "Several networks share it evenly, once a program is compiled for all.",
    )
    checkpoints: CheckpointOptions = Field(
        CheckpointOptions(), description="How often an unfinished training is saved, to go on with `--resume`."
    )
    threads: Annotated[int, Field(ge=1, le=256)] = Field(
        2, description="Threads of the arithmetic; never read from the machine."
    )
    engine: Literal["auto", "by_cost", "compiled", "plain"] = Field(
        "auto",
        description="How steps are made: `compiled` by XLA, which takes a second or more before the first step and "
        "makes each faster; `plain` without; `by_cost`, which `auto` means, by the size of table and network. Losses "
        "agree to rounding. JAX always compiles.",
    )
    tensorboard: bool = Field(
        False,
        description="Also write losses, metrics and learning rate as event files to the run's folder `tensorboard`, "
        "for `tensorboard --logdir`; these files hold times, so equal runs differ in them.",
    )

    @model_validator(mode="after")
    def _one_clip(self) -> TrainingOptions:
        if self.clip_norm is not None and self.clip_value is not None:
            raise Contradiction("`clip_norm` and `clip_value` are both given", "keep one of them")
        return self


class ResolvedTraining(TrainingOptions):
    """The same with nothing left open; `fitting/resolve.py` makes it."""

    optimizer: KnownOptimizer
    batch_size: Count | Literal["all"]
    last_batch: Literal["keep", "drop"]
    epochs: Count
    patience: Count | None
    ema_momentum: Decay | None
    monitor: Literal["loss", "primary"]
    engine: Literal["by_cost", "compiled", "plain"]
