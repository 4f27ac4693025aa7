"""A first config for a table: what is proposed, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from bptrain.data.cleaning import drop_missing_targets
from bptrain.data.files import AllowedPaths
from bptrain.data.frame import Frame
from bptrain.data.load import load
from bptrain.data.options import CleanOptions
from bptrain.errors import Problem, UsageError
from bptrain.scaffold import split
from bptrain.scaffold.columns import Columns, propose_columns
from bptrain.scaffold.missing import Missing, find_missing
from bptrain.scaffold.reading import Readable, read
from bptrain.scaffold.target import Target, guess_target, propose_target
from bptrain.utils.text import escape, nearest, quote_list


@dataclass(frozen=True)
class Proposal:
    """Everything that the first config says.

    `n_unlabelled` rows have no target; `remedies` are settings of `clean` and `split` that this table needs, each with
    its reason; `hints` are other splits: when, and the line to write.
    """

    n_rows: int
    n_columns: int
    data: Readable
    missing: Missing
    target: Target
    n_unlabelled: int
    columns: Columns
    hints: list[tuple[str, str]]
    remedies: dict[str, tuple[dict[str, object], str]] = field(default_factory=dict)


def propose(train: Sequence[str], test: Sequence[str], target: str | None, roots: AllowedPaths) -> Proposal:
    """Look at the table. Raises UsageError without a target, and what `check` says of a table that cannot be used."""
    readable = read(train, test, roots)
    frame = readable.loaded.frame
    target = _require_target(frame, target)
    missing = find_missing(frame, target)
    options = readable.options.model_copy(update={"na_values": missing.na_values})
    readable = Readable(options, readable.why, load(options, CleanOptions(), roots))
    frame, _ = drop_missing_targets(readable.loaded.frame, [target], CleanOptions(missing_target="drop"))
    n_unlabelled = readable.loaded.frame.n_rows - frame.n_rows
    learning = _training(frame, readable)
    proposed = propose_target(learning, target)
    columns = propose_columns(learning, target, missing.broken)
    return Proposal(
        readable.loaded.frame.n_rows,
        len(frame.names),
        readable,
        missing,
        proposed,
        n_unlabelled,
        columns,
        split.hints(learning, columns),
    )


def _training(frame: Frame, readable: Readable) -> Frame:
    """The rows of the training files."""
    return frame.take((readable.loaded.source_split[frame.rows] == "train").nonzero()[0])


def _require_target(frame: Frame, target: str | None) -> str:
    listed = f"columns: {quote_list(frame.names, last='and')}"
    if target is None:
        guess = guess_target(frame.names)
        hint = f"write `--target NAME`, perhaps `--target {escape(guess)}`"
        raise UsageError(Problem("BP171", "which column shall be predicted is not said", hints=(hint, listed)))
    if target not in frame.names:
        near = nearest(target, frame.names)
        hints = (f"did you mean {quote_list(near)}?",) if near else ()
        message = f"the table has no column `{escape(target)}` to predict"
        raise UsageError(Problem("BP172", message, "--target", hints=(*hints, listed)))
    return target
