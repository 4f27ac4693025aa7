"""The presets: what each puts where the config says `auto`. A new preset is one more entry of `PRESETS`.

Everything here is data. `fitting/resolve.py` applies it, the `kind` of the section `model` and the tables of the
reference are made from it. benchmarks/attempts.md has what each number gave beside others.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

MANY_FEATURES, MANY_ROWS = 150, 5000  # a network with so many of both has wide layers (decision M3)


@dataclass(frozen=True)
class NetworkSize:
    """Sizes that go together: hidden layers, members of a network, networks, and which members have a linear part."""

    hidden: tuple[int, ...]
    members: int
    networks: int
    linear: bool | Literal["half"]


@dataclass(frozen=True)
class ByRows:
    """A number that goes by the training rows of a network: that of the first limit above them."""

    steps: tuple[tuple[float, float], ...]

    def at(self, n_rows: int) -> float:
        """The number for so many rows."""
        return next(value for limit, value in self.steps if n_rows < limit)


@dataclass(frozen=True)
class Preset:
    """Defaults of the network, of numeric columns, of targets and of training.

    Attributes:
        description: one sentence for the reference.
        narrow: the sizes of a network.
        wide: the sizes where a row gives many numbers and rows are many, if others are better there; `wide_undivided`
            where folds cannot be halved, or sizes are asked for.
        bagged: whether `networks` are kept however few or many rows there are.
        initializer: how first weights are drawn.
        dropout: the rate where all targets are labels or layers are wide (decision M6), else it is 0.
        selects_members: whether validation rows choose the members that predict (decision M4).
        bins: most bins of a numeric column; `all_bins` of all columns together, `fewest_bins` of one; with more than
            `most_columns` of them a number alone is what the network gets of each.
        periodic: whether numeric columns are given periodic features.
        scaling, clip: those of numeric columns.
        clips_predictions: whether predictions stay within the training values of the target.
        learns_logarithm: whether training rows may choose `transform: log` for a target.
        calibrates: whether validation rows choose a temperature (decision Y2).
        learning_rate, batch_size: where all targets are labels, and where they are not (decision M7);
            `wide_learning_rate` is that of wide layers.
        last_batch, epochs, patience, ema_momentum: as in the section `training`.
    """

    description: str
    narrow: NetworkSize
    wide: NetworkSize
    wide_undivided: NetworkSize
    bagged: bool
    initializer: str
    dropout: float
    selects_members: bool
    bins: int
    all_bins: int
    fewest_bins: int
    most_columns: int
    periodic: bool
    scaling: str
    clip: str
    clips_predictions: bool
    learns_logarithm: bool
    calibrates: bool
    learning_rate: Mapping[str, ByRows]
    wide_learning_rate: Mapping[str, ByRows]
    batch_size: Mapping[str, ByRows]
    last_batch: Literal["keep", "drop"]
    epochs: int
    patience: int
    ema_momentum: float | None


ALL = math.inf
LARGE_BATCHES = ((32_000, 256), (200_000, 512), (ALL, 1024))

STRONG = Preset(
    description="The default for tables: a small batch ensemble on learned features, trained once per fold.",
    narrow=NetworkSize((128, 128), members=8, networks=5, linear="half"),
    wide=NetworkSize((256, 256), members=2, networks=10, linear=True),  # decision M3
    wide_undivided=NetworkSize((256, 256), members=4, networks=5, linear=True),
    bagged=False,
    initializer="uniform",
    dropout=0.1,
    selects_members=True,
    bins=48,
    all_bins=12_000,
    fewest_bins=4,
    most_columns=200,
    periodic=True,
    scaling="robust",
    clip="smooth",
    clips_predictions=True,
    learns_logarithm=True,
    calibrates=True,
    learning_rate={
        "labels": ByRows(((4500, 0.001), (6400, 0.002), (24_000, 0.004), (ALL, 0.002))),
        "numbers": ByRows(((4500, 0.001), (6400, 0.003), (24_000, 0.006), (ALL, 0.003))),
    },
    wide_learning_rate={
        "labels": ByRows(((4500, 0.001), (ALL, 0.002))),
        "numbers": ByRows(((4500, 0.001), (ALL, 0.003))),
    },
    batch_size={
        "labels": ByRows(((4500, 64), (6400, 128), *LARGE_BATCHES)),
        "numbers": ByRows(((4500, 64), (27_000, 128), *LARGE_BATCHES)),
    },
    last_batch="drop",
    epochs=100,
    patience=8,
    ema_momentum=0.998,
)
ENSEMBLE = replace(
    STRONG,
    description="As `strong` with 16 members (8 where layers are wide) and 10 networks, for about four times the time.",
    narrow=NetworkSize((128, 128), members=16, networks=10, linear="half"),
    wide=NetworkSize((256, 256), members=8, networks=10, linear=True),
    wide_undivided=NetworkSize((256, 256), members=8, networks=10, linear=True),
    bagged=True,
)
FAST = replace(
    STRONG,
    description="As `strong` with few members and one network: a little worse, for a fraction of the time.",
    narrow=NetworkSize((128, 128), members=2, networks=1, linear="half"),
    wide=NetworkSize((256, 256), members=2, networks=1, linear=True),
    wide_undivided=NetworkSize((256, 256), members=2, networks=1, linear=True),
)
TEXTBOOK = NetworkSize((256, 256), members=1, networks=1, linear=False)
MLP = Preset(
    description="The textbook's multilayer perceptron: hidden layers of neurons, each followed by its activation.",
    narrow=TEXTBOOK,
    wide=TEXTBOOK,
    wide_undivided=TEXTBOOK,
    bagged=False,
    initializer="by_activation",
    dropout=0.0,
    selects_members=False,
    bins=0,
    all_bins=0,
    fewest_bins=0,
    most_columns=0,
    periodic=False,
    scaling="standard",
    clip="none",
    clips_predictions=False,
    learns_logarithm=False,
    calibrates=False,
    learning_rate=dict.fromkeys(("labels", "numbers"), ByRows(((ALL, 0.001),))),
    wide_learning_rate=dict.fromkeys(("labels", "numbers"), ByRows(((ALL, 0.001),))),
    batch_size=dict.fromkeys(("labels", "numbers"), ByRows(((ALL, 256),))),
    last_batch="keep",
    epochs=200,
    patience=16,
    ema_momentum=None,
)
DEFAULT = "strong"
PRESETS: Mapping[str, Preset] = {"strong": STRONG, "ensemble": ENSEMBLE, "fast": FAST, "mlp": MLP}
