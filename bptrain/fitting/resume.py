"""Going on with a run that was interrupted: with the inputs that it began with, and from its newest checkpoints."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from bptrain.errors import Problem, RunError
from bptrain.fitting import lock as provenance
from bptrain.fitting.journal import Journal
from bptrain.runs import storage
from bptrain.runs.directory import PartialRun
from bptrain.utils.text import escape

INPUTS = "inputs.json"


def is_sealed(partial: PartialRun, inputs: Mapping[str, Any]) -> bool:
    """Whether the run was complete but for its name when it was interrupted.

    Raises RunError when that run was made with other inputs.
    """
    if not partial.resumed or not partial.sealed:
        return False
    refuse_others(partial.path / "lock.json", inputs, partial.path)
    return True


def journal(
    partial: PartialRun,
    inputs: Mapping[str, Any],
    *,
    several: bool,
    until_step: Mapping[str, int] | None,
    warn: Callable[[Problem], None],
) -> tuple[Journal, Mapping[str, Any]]:
    """Where the trainings of a run are saved, and may have been before; `several` if there are more than one.

    Also the inputs that the run was begun with, for its lock.json.

    Raises RunError when they were begun with other inputs.
    """
    path = partial.checkpoints / INPUTS
    before = _recorded(path, warn) if partial.resumed and path.exists() else None
    if before is not None:
        refuse_others(path, inputs, partial.path)
        inputs = before
    else:
        partial.forget_checkpoints()  # without a record of what they belong to
        storage.write_json(path, dict(inputs))
    return Journal(partial.checkpoints, several, until_step, warn), inputs


def _recorded(path: Path, warn: Callable[[Problem], None]) -> Any:
    """What the checkpoints beside it belong to; None when that cannot be read any more."""
    try:
        return storage.read_json(path)
    except RunError as error:
        message = f"`{escape(path)}` cannot be used, so training starts afresh: {error.problems[0].message}"
        warn(Problem("BP520", message, escape(path)))
        return None


def refuse_others(record: Path, inputs: Mapping[str, Any], run: Path) -> None:
    """Raise RunError for everything that is not as in the record (lock.json or its part that is known before)."""
    before = storage.read_json(record)
    provenance.require_format(before, str(record))
    hint = "restore that, or start anew without `--resume` or with another `--run DIR`"
    begun = f"`{escape(run)}` was begun with something else"
    found = provenance.differences(before, inputs)
    if found:
        raise RunError(*(Problem("BP521", f"{begun}: {each}", hints=(hint,)) for each in found))
