"""What several commands share: options, and exit codes of runs that are judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bptrain.errors import DivergedError, GateError
from bptrain.messages import cli as messages

if TYPE_CHECKING:
    from bptrain.workflows.run import Run

path = click.Path(path_type=Path)
config_argument = click.argument("config", type=path)
overrides = click.option(
    "--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override a config value: `training.epochs=5`."
)
root = click.option("--root", type=path, help="Folder that relative data paths start from, and may not leave.")
quiet = click.option("-q", "--quiet", is_flag=True, help="Only warnings, errors and the result.")
verbose = click.option(
    "-v", "--verbose", is_flag=True, help="Also the columns with their kinds, and the seconds of each stage."
)
as_json = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON on standard output.")
gates = click.option(
    "--gate", "gates", multiple=True, metavar="CONDITION", help="Exit 3 unless this holds, e.g. `auc >= 0.9`."
)


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
