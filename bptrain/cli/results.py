"""What commands that judge have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from bptrain.errors import DivergedError, GateError, Problem
from bptrain.utils.text import escape

if TYPE_CHECKING:
    from bptrain.workflows.run import Run


def require_gates(gates: Sequence[Mapping[str, Any]]) -> None:
    """Raise GateError, exit 3, unless every gate passed."""
    failed = [gate for gate in gates if not gate["passed"]]
    if failed:
        raise GateError(
            *(
                Problem(
                    "BP303",
                    f"the gate `{escape(gate['text'])}` failed on {gate['split']} rows: {_measured(gate['value'])}",
                    hints=("improve the model, or lower the gate if it asks too much; the run itself is complete",),
                )
                for gate in failed
            )
        )


def require_trained(run: Run) -> None:
    """Raise DivergedError, exit 6, when the training of the run had diverged."""
    if run.diverged:
        text = "the training of this run diverged; what it holds are the last finite weights"
        hints = ("train again with a lower `training.optimizer.learning_rate`, or judge another run",)
        raise DivergedError(Problem("BP602", text, where=escape(run.path), hints=hints))


def _measured(value: float | None) -> str:
    return "it is not defined for these rows" if value is None else f"measured {value}"
