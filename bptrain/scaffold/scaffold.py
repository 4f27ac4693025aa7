"""A first config for a table: what it says, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from bptrain.data.cleaning import drop_missing_targets
from bptrain.data.files import AllowedPaths
from bptrain.data.load import load
from bptrain.data.options import CleanOptions
from bptrain.errors import UsageError
from bptrain.messages import scaffold as messages
from bptrain.scaffold.columns import Columns, propose_columns, split_hints
from bptrain.scaffold.data import Missing, Reading, find_missing, read_table
from bptrain.scaffold.target import Target, guess_target, propose_target
from bptrain.utils.text import nearest, quote_list


@dataclass(frozen=True)
class Fallback:
    """Settings of a section that a table needs as the usual ones cannot divide its rows, and why."""

    settings: dict[str, object]
    reason: str


@dataclass(frozen=True)
class Scaffold:
    """Everything that the first config says.

    `n_unlabelled` rows have no target; `fallbacks` are by section, `clean` and `split`; `hints` are other splits: when,
    and the line to write.
    """

    n_rows: int
    n_columns: int
    reading: Reading
    missing: Missing
    target: Target
    n_unlabelled: int
    columns: Columns
    hints: list[tuple[str, str]]
    fallbacks: dict[str, Fallback] = field(default_factory=dict)


def scaffold(train: Sequence[str], test: Sequence[str], target: str | None, paths: AllowedPaths) -> Scaffold:
    """Look at the table. Raises UsageError without a target, and what `check` says of a table that cannot be used."""
    reading = read_table(train, test, paths)
    frame = reading.loaded.frame
    names = quote_list(frame.names, last="and")
    if target is None:
        raise UsageError(messages.NO_TARGET(guess=guess_target(frame.names), names=names))
    if target not in frame.names:
        near = nearest(target, frame.names)
        hints = (f"did you mean {quote_list(near)}?",) if near else ()
        raise UsageError(messages.NO_SUCH_TARGET(name=target, names=names, where="--target", hints=hints))
    missing = find_missing(frame, target)
    options = reading.options.model_copy(update={"na_values": missing.na_values})
    reading = Reading(options, reading.reasons, load(options, CleanOptions(), paths))
    n_rows = reading.loaded.frame.n_rows
    frame, _ = drop_missing_targets(reading.loaded.frame, [target], CleanOptions(missing_target="drop"))
    training = frame.take((reading.loaded.source_split[frame.rows] == "train").nonzero()[0])
    proposed_target = propose_target(training, target)
    columns = propose_columns(training, target, missing.broken)
    return Scaffold(
        n_rows,
        len(frame.names),
        reading,
        missing,
        proposed_target,
        n_rows - frame.n_rows,
        columns,
        split_hints(training, columns),
    )
