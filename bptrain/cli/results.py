"""What commands that judge have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from bptrain.errors import DivergedError, GateError
from bptrain.messages import cli as messages

if TYPE_CHECKING:
    from bptrain.workflows.run import Run


def require_gates(gates: Sequence[Mapping[str, object]]) -> None:
    """Raise GateError, exit 3, unless every gate passed; `gates` are as in metrics.json."""
    problems = []
    for gate in gates:
        if not gate["passed"]:
            value = gate["value"]
            measured = "it is not defined for these rows" if value is None else f"measured {value}"
            problems.append(messages.GATE_FAILED(gate=gate["text"], split=gate["split"], measured=measured))
    if problems:
        raise GateError(*problems)


def require_trained(run: Run) -> None:
    """Raise DivergedError, exit 6, when the training of the run had diverged."""
    if run.diverged:
        raise DivergedError(messages.DIVERGED_RUN(where=run.path))
