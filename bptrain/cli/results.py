"""What commands that judge have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bptrain.errors import GateError, Problem


def require_gates(gates: Sequence[Mapping[str, Any]]) -> None:
    """Raise GateError, exit 3, unless every gate passed."""
    failed = [gate for gate in gates if not gate["passed"]]
    if failed:
        raise GateError(
            *(
                Problem("BP303", f"the gate `{gate['text']}` failed: measured {gate['value']}, on {gate['split']} rows")
                for gate in failed
            )
        )
