"""What cross-validation found, as a person reads it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bptrain.reports.text import number_texts, table_text
from bptrain.utils.text import escape


def folds_text(summary: Mapping[str, Any]) -> str:
    """One table per target: the mean of each metric over the folds, its interval, and the worst and best fold."""
    return "\n\n".join(_target_text(name, metrics, summary) for name, metrics in summary["targets"].items())


def _target_text(name: str, metrics: Mapping[str, Any], summary: Mapping[str, Any]) -> str:
    from bptrain.targets.metrics import METRICS

    level = f"{100 * summary['level']:g} %"
    rows = [[f"{escape(name)}: {summary['folds']} folds", "mean", f"{level} from", "to", "lowest", "highest"]]
    for metric in sorted(metrics, key=list(METRICS).index):
        found = metrics[metric]
        known = [value for value in found["folds"] if value is not None]
        ends = (min(known), max(known)) if known else (None, None)
        rows.append([metric, *number_texts([found["value"], found["low"], found["high"], *ends])])
    return table_text(rows)
