"""What commands that judge have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bptrain.errors import GateError, Problem
from bptrain.text import escape


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


def _measured(value: float | None) -> str:
    return "it is not defined for these rows" if value is None else f"measured {value}"
