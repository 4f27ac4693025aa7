"""The state of a training: what a checkpoint holds, what callbacks read and change, and what is reported at the end."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field

import numpy as np

from bptrain.runs.storage import Json

History = list[dict[str, float]]
Arrays = list[np.ndarray]  # the weights of a network, in Keras' order


@dataclass(frozen=True)
class TrainResult:
    """How training went.

    Args:
        history: one row per epoch.
        best_epoch: the epoch whose weights the network now has, counted from 1; 0: the first weights, as no epoch was
            finite.
        stopped_by: `loss`, `patience`, `minutes`, `epochs` or `diverged`.
        seconds: of each epoch.
        plateaus: what the plateau schedule had left of the learning rate in each epoch.
        n_steps: of all epochs.
        digests: of the weights after each epoch, chained: equal chains, equal trainings.
    """

    history: History
    best_epoch: int
    stopped_by: str
    seconds: list[float]
    plateaus: list[float]
    n_steps: int
    digests: list[str]


@dataclass
class EarlyStoppingState:
    """What `EarlyStopping` remembers between epochs (counted from 1; 0: none yet)."""

    best_epoch: int = 0
    best_loss: float = math.inf
    wait: int = 0


@dataclass
class PlateauState:
    """What `ReduceLROnPlateau` remembers between epochs, and the factor that it has made of the learning rate."""

    factor: float = 1.0
    best_loss: float = math.inf
    wait: int = 0


@dataclass
class TrainState:
    """What is known of a training between two blocks of steps, besides the variables of network and optimizer.

    Args:
        best_epoch: the epoch of `best_weights`; not that of `early_stopping` where the last epoch is kept.
        block: blocks that were made of the epoch after those in `history`.
        n_steps: steps of all epochs so far.
        seconds_spent: since the training began, without interruptions.
        seconds_started: what of these passed until the first block of each process was made.
        stopped_by: why the training has ended; empty as long as it goes on.
        weights: those after the last epoch, or their running means.
        finite_weights: those after the last epoch that was finite.
        best_weights: those that the network gets in the end.
    """

    early_stopping: EarlyStoppingState = field(default_factory=EarlyStoppingState)
    plateau: PlateauState = field(default_factory=PlateauState)
    history: History = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    plateaus: list[float] = field(default_factory=list)
    digests: list[str] = field(default_factory=list)
    best_epoch: int = 0
    block: int = 0
    n_steps: int = 0
    seconds_spent: float = 0.0
    seconds_started: float = 0.0
    stopped_by: str = ""
    weights: Arrays = field(default_factory=list, compare=False, repr=False)
    finite_weights: Arrays = field(default_factory=list, compare=False, repr=False)
    best_weights: Arrays = field(default_factory=list, compare=False, repr=False)

    def result(self) -> TrainResult:
        """The report of a training that has ended."""
        return TrainResult(
            self.history,
            self.best_epoch,
            self.stopped_by,
            self.seconds,
            self.plateaus,
            self.n_steps,
            self.digests,
        )

    def to_json(self) -> Json:
        """All but the arrays, for JSON, which has no infinity, no NaN and no order of keys.

        So floats are text, and rows of the history pairs of name and value.
        """
        values = {name: value for name, value in vars(self).items() if not name.endswith("weights")}
        values |= {"early_stopping": asdict(self.early_stopping), "plateau": asdict(self.plateau)}
        values["history"] = [[[name, value] for name, value in row.items()] for row in self.history]
        return {name: _floats_as_text(value) for name, value in values.items()}

    @classmethod
    def from_json(cls, saved: Json) -> TrainState:
        """The state that `to_json` wrote, without arrays."""
        rows = ({name: float(value) for name, value in row} for row in saved["history"])
        stopping, plateau = saved["early_stopping"], saved["plateau"]
        values = {
            **saved,
            "early_stopping": EarlyStoppingState(**stopping | {"best_loss": float(stopping["best_loss"])}),
            "plateau": PlateauState(float(plateau["factor"]), float(plateau["best_loss"]), plateau["wait"]),
            "history": [{**row, "epoch": int(row["epoch"])} for row in rows],
            "seconds": [float(value) for value in saved["seconds"]],
            "plateaus": [float(value) for value in saved["plateaus"]],
            "seconds_spent": float(saved["seconds_spent"]),
            "seconds_started": float(saved["seconds_started"]),
        }
        return cls(**values)


def _floats_as_text(value: Json) -> Json:
    """The same with the shortest text of each float that reads back equal."""
    if isinstance(value, dict):
        return {name: _floats_as_text(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_floats_as_text(item) for item in value]
    return repr(float(value)) if isinstance(value, float) else value
