"""Options of networks for tests, with nothing left open."""

from __future__ import annotations

from typing import Any

from bptrain.models.options import ResolvedModel

PLAIN: dict[str, Any] = {
    "kind": "mlp",
    "hidden": (256, 256),
    "initializer": "by_activation",
    "dropout": 0.0,
    "linear": False,
    "members": 1,
    "ensemble_selection": None,
    "networks": 1,
}


def mlp(**options: Any) -> ResolvedModel:
    """A multilayer perceptron of one member, with these options."""
    return ResolvedModel(**(PLAIN | options))
