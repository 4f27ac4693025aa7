"""What a job knows of trainings that were made before: those that an interruption left, or those it is to repeat."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from bptrain.errors import Problem
from bptrain.runs.checkpoints import Checkpoints

if TYPE_CHECKING:
    from bptrain.training.callbacks import Saving
    from bptrain.training.state import TrainResult

MODEL = "model"
REFIT = "-refit"


@dataclass(frozen=True)
class Journal:
    """Of the trainings of a job by label: `model`, `fold-1`, and each with `-refit` behind it.

    Their checkpoints are in `folder`, a folder each; without one none are made. A job that is repeated has
    `until_step`: the steps of those trainings that the clock stopped, whereas no clock stops the others. `done`
    collects how each training went; `warn` is told what concerns this attempt at the job, but not its result.
    """

    folder: Path | None = None
    several: bool = False
    until_step: Mapping[str, int] | None = None
    warn: Callable[[Problem], None] = lambda problem: None
    done: dict[str, TrainResult] = field(default_factory=dict)

    def saving(self, label: str) -> Saving | None:
        """Where the training with this label is saved."""
        if self.folder is None:
            return None
        from bptrain.training.callbacks import Saving

        return Saving(Checkpoints(self.folder / label), ended=self.several)
