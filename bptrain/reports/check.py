"""What `bptrain check` found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bptrain.config.schema import Config
from bptrain.errors import Problem
from bptrain.features.inference import Kinds
from bptrain.reports.text import problem_text
from bptrain.runs.storage import canonical_json
from bptrain.utils.text import escape


def check_text(config: Config, kinds: Kinds, warnings: Sequence[Problem]) -> str:
    """Warnings, then each column with its kind and why."""
    lines = [problem_text(warning, severity="warning") for warning in warnings]
    rows: list[tuple[str, str, str]] = [(name, options.task, "target") for name, options in config.targets.items()]
    rows += [(name, options.kind, kinds.reasons[name]) for name, options in kinds.options.items()]
    width = max(len(escape(name)) for name, _, _ in rows)
    lines += [f"{escape(name).ljust(width)}  {kind.ljust(11)}  {escape(reason)}" for name, kind, reason in rows]
    found = "no problems" if not warnings else f"no errors, {len(warnings)} warning(s)"
    return "\n".join([*lines, found])


def check_json(config: Config, kinds: Kinds, warnings: Sequence[Problem]) -> str:
    """The same for a machine."""
    content: dict[str, Any] = {
        "format": 1,
        "targets": {name: options.task for name, options in config.targets.items()},
        "columns": {
            name: {"kind": options.kind, "reason": kinds.reasons[name]} for name, options in kinds.options.items()
        },
        "warnings": [warning.to_json() for warning in warnings],
    }
    return canonical_json(content).rstrip()
