"""How a training has gone so far: plain numbers that a checkpoint can hold, from which it goes on or is reported."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from bptrain.runs.arrays import arrays_digest
from bptrain.training.schedules import Plateau
from bptrain.training.stopping import Progress

History = list[dict[str, float]]


@dataclass(frozen=True)
class TrainResult:
    """How training went. `stopped_by` is `loss`, `patience`, `minutes`, `epochs` or `diverged`.

    `history` has one row per epoch; `best_epoch` is the epoch whose weights the network now has, counted from 1
    (0: the first weights, when no epoch was finite). `seconds` is the time of each epoch, `plateaus` what the plateau
    schedule had left of the learning rate in it. `n_steps` counts the steps of all epochs, `digests` are those of
    `weights_digest`.
    """

    history: History
    best_epoch: int
    stopped_by: str
    seconds: list[float]
    plateaus: list[float]
    n_steps: int
    digests: list[str]


@dataclass
class Course:
    """What is known between two blocks of steps, apart from arrays.

    `block` counts the blocks that were made of the epoch after those in `history`, `seconds_spent` is the time since
    the training began, without interruptions, and `seconds_started` what of it passed until the first block of each
    process was made. `stopped_by` is empty as long as training goes on.
    """

    progress: Progress = field(default_factory=Progress)
    plateau: Plateau = field(default_factory=Plateau)
    history: History = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    plateaus: list[float] = field(default_factory=list)
    digests: list[str] = field(default_factory=list)
    kept_epoch: int = 0
    block: int = 0
    n_steps: int = 0
    seconds_spent: float = 0.0
    seconds_started: float = 0.0
    stopped_by: str = ""

    @property
    def epoch(self) -> int:
        """The epochs that are complete."""
        return len(self.history)

    def trained(self) -> TrainResult:
        """The report of a training that has ended."""
        return TrainResult(
            self.history,
            self.kept_epoch,
            self.stopped_by,
            self.seconds,
            self.plateaus,
            self.n_steps,
            self.digests,
        )

    def to_json(self) -> dict[str, Any]:
        """Values for JSON, which has no infinity, no NaN and no order of keys: floats as text, rows as pairs."""
        values = asdict(self) | {"history": [list(map(list, row.items())) for row in self.history]}
        return {name: _without_floats(value) for name, value in values.items()}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Course:
        """What `to_json` made of a course."""
        rows = ({name: float(value) for name, value in row} for row in values["history"])
        return cls(
            progress=Progress(**_numbers(values["progress"])),
            plateau=Plateau(**_numbers(values["plateau"])),
            history=[{**row, "epoch": int(row["epoch"])} for row in rows],
            seconds=[float(value) for value in values["seconds"]],
            plateaus=[float(value) for value in values["plateaus"]],
            digests=list(values["digests"]),
            kept_epoch=values["kept_epoch"],
            block=values["block"],
            n_steps=values["n_steps"],
            seconds_spent=float(values["seconds_spent"]),
            seconds_started=float(values["seconds_started"]),
            stopped_by=values["stopped_by"],
        )


def weights_digest(before: str, weights: list[np.ndarray]) -> str:
    """The sha256 of the digest before it and of the weights after an epoch: equal chains, equal trainings."""
    digest = arrays_digest({f"{number:06d}": weight for number, weight in enumerate(weights)})
    return hashlib.sha256(f"{before}\0{digest}".encode()).hexdigest()


def _numbers(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: float(value) if isinstance(value, str) else value for name, value in values.items()}


def _without_floats(value: Any) -> Any:
    """The same with the shortest text of each float that reads back equal."""
    if isinstance(value, dict):
        return {name: _without_floats(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_without_floats(item) for item in value]
    return repr(float(value)) if isinstance(value, float) else value
