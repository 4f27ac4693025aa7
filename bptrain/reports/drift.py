"""How the rows that were judged differ from the training rows, as a person reads it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bptrain.reports.text import table_text
from bptrain.utils.text import escape

if TYPE_CHECKING:
    from bptrain.features.drift import Drift

LIMIT = 20


def drift_text(changes: Sequence[Drift]) -> str:
    """The columns that are worth a look, the most changed first; one line when there are none."""
    notable = sorted((change for change in changes if change.notable), key=_size, reverse=True)
    if not notable:
        return f"drift: none of {len(changes)} columns is notably other than in training"
    head = [
        f"drift ({len(notable)} of {len(changes)} columns)",
        "missing in training",
        "missing",
        "new labels",
        "out of range",
        "spread otherwise",
    ]
    rows = [[escape(change.column), *map(_percent, _shares(change))] for change in notable[:LIMIT]]
    more = [f"… and {len(notable) - LIMIT} more columns"] if len(notable) > LIMIT else []
    return "\n".join([table_text([head, *rows]), *more])


def _shares(change: Drift) -> tuple[float, ...]:
    return change.missing_before, change.missing, change.unknown, change.outside, change.shift


def _size(change: Drift) -> float:
    return max(abs(change.missing - change.missing_before), change.unknown, change.outside, change.shift)


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %" if share else "-"
