"""What cleaning did, as a person reads it."""

from __future__ import annotations

from collections.abc import Sequence

from bptrain.data.cleaning import Cleaned
from bptrain.utils.text import escape

LIMIT = 20


def cleaning_text(steps: Sequence[Cleaned]) -> str:
    """One line per step, in the order in which they were done; "" when nothing was done."""
    lines = [f"cleaned: {step.what}{_place(step)}: {step.n} of {step.of} {step.unit}" for step in steps[:LIMIT]]
    more = [f"cleaned: {len(steps) - LIMIT} more steps"] if len(steps) > LIMIT else []
    return "\n".join([*lines, *more])


def _place(step: Cleaned) -> str:
    return f" in `{escape(step.column)}`" if step.column else ""
