"""What the trainings of a job share, and how a run goes on: with the inputs it began with, from newest checkpoints."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from bptrain.errors import Problem, RunError
from bptrain.fitting.lock import Record, find_differences, require_format
from bptrain.messages import fitting as messages
from bptrain.messages import runs as run_messages
from bptrain.runs import storage
from bptrain.runs.checkpoints import Checkpoints
from bptrain.runs.directory import PartialRun
from bptrain.training.progress import Reporter

if TYPE_CHECKING:
    from bptrain.fitting.warm_start import BaseRun
    from bptrain.training.callbacks import Saving
    from bptrain.training.state import TrainResult

INPUTS = "inputs.json"


@dataclass(frozen=True)
class ResumeState:
    """The trainings of a job by label: `model-1`, `fold-2-1`, and with `-refit` before the number of the network.

    Attributes:
        folder: where their checkpoints are, a folder each; without one none are made.
        several: whether there are more trainings than one, so that those that have ended are saved, too.
        until_step: in a job that is repeated, the steps of those trainings that the clock stopped; no clock stops the
            others.
        warn: is told what concerns this attempt at the job, but not its result.
        done: how each training went.
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


@dataclass(frozen=True)
class FitContext:
    """What all trainings of a job share.

    Attributes:
        reporter: who is told what happens.
        resume: where trainings are saved, and may have been before.
        base_run: the run whose weights training begins with.
        events: the folder of event files for TensorBoard, if these are to be written.
    """

    reporter: Reporter
    resume: ResumeState = field(default_factory=ResumeState)
    base_run: BaseRun | None = None
    events: Path | None = None


def open_resume_state(
    partial: PartialRun,
    inputs: Record,
    *,
    several: bool,
    until_step: Mapping[str, int] | None,
    warn: Callable[[Problem], None],
) -> tuple[ResumeState, Record]:
    """Where the trainings of a run are saved, and may have been before; arguments as of `ResumeState`.

    Also the inputs that the run was begun with, for its lock.json. Raises RunError when they were begun with others.
    """
    folder = partial.checkpoints_folder()
    path = folder / INPUTS
    before: Record | None = None
    if partial.resumed and path.exists():
        try:
            before = storage.read_json(path)
        except RunError as error:
            reason = error.problems[0].message
            warn(run_messages.STARTS_AFRESH(path=path, reason=reason, where=path))
    if before is None:
        partial.forget_checkpoints()  # without a record of what they belong to
        storage.write_json(path, dict(inputs))
    else:
        refuse_other_inputs(path, inputs, partial.path)
        inputs = before
    return ResumeState(folder, several, until_step, warn), inputs


def refuse_other_inputs(record: Path, inputs: Record, run: Path) -> None:
    """Raise RunError for everything that is not as in the record: lock.json, or its part that is known before."""
    before = storage.read_json(record)
    require_format(before, str(record))
    differences = find_differences(before, inputs)
    if differences:
        raise RunError(*(messages.OTHER_INPUTS(run=run, difference=str(each)) for each in differences))
