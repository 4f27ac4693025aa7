"""What people read on a terminal: problems, tables of metrics, gates. Renders, computes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bptrain.errors import Problem
from bptrain.evaluation.options import PARTS
from bptrain.utils.text import escape

MOST_LABELS = 20


def problem_text(problem: Problem, *, severity: str = "error") -> str:
    """One problem with its place, the lines it stands in, and what to do.

    Whatever a message quotes is shown escaped; only `excerpt`, which has several lines, comes with its escapes.
    """
    lines = [f"{severity}[{problem.code}]: {escape(problem.message)}"]
    if problem.where:
        lines.append(f"  --> {escape(problem.where)}")
    if problem.excerpt:
        lines.append(problem.excerpt)
    lines += [f"  = {escape(hint)}" for hint in problem.hints]
    return "\n".join(lines)


def metrics_text(targets: Mapping[str, Any], primary: str = "") -> str:
    """The tables of metrics of every target: one row per metric, one column per split, the trivial baseline last.

    The `primary` metric comes first where a target has it. Several targets are first shown side by side, and targets of
    more than two labels end with a table of these.
    """
    parts = [_targets_text(targets, primary)] if len(targets) > 1 else []
    for name, report in targets.items():
        parts.append(_target_text(name, report, primary))
        parts += [_labels_text(name, report)] if len(report["labels"]) > 2 else []
    return "\n\n".join(parts)


def selection_text(selection: Mapping[str, Any], primary: str) -> str:
    """What the training that chose the epoch of a refit measured on its validation rows."""
    parts = []
    for name, judged in selection.items():
        metric = primary if primary in judged["metrics"] else next(iter(judged["metrics"]))
        value = _number(judged["metrics"][metric]["value"])
        parts.append(f"{escape(name)}: {metric} {value} on {judged['n']} validation rows")
    return f"before the refit: {'; '.join(parts)}"


def gates_text(gates: Iterable[Mapping[str, Any]]) -> str:
    """One line per gate: passed or FAILED, and what was measured."""
    return "\n".join(
        f"gate {'passed' if gate['passed'] else 'FAILED'}: {gate['text']} (measured {_number(gate['value'])})"
        for gate in gates
    )


def table_text(rows: Sequence[Sequence[str]]) -> str:
    """Aligned columns: the first to the left, the others to the right, two spaces between."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def _ordered(metrics: Iterable[str], primary: str) -> list[str]:
    """Names of metrics in the usual order, but the primary one first."""
    from bptrain.targets.metrics import METRICS

    return sorted(metrics, key=lambda metric: (metric != primary, list(METRICS).index(metric)))


def _target_text(name: str, report: Mapping[str, Any], primary: str) -> str:
    splits = _splits(report)
    judged = report["splits"][splits[-1]]
    rows = [[_title(name, report), *splits, f"trivial {splits[-1]}"]]
    rows.append(["rows", *(str(report["splits"][split]["n"]) for split in splits), ""])
    weights = [report["splits"][split]["weight"] for split in splits]
    if any(weight != report["splits"][split]["n"] for split, weight in zip(splits, weights, strict=True)):
        rows.append(["weight (metrics are weighted)", *(f"{weight:.6g}" for weight in weights), ""])
    for metric in _ordered(judged["metrics"], primary):
        values = [report["splits"][split]["metrics"][metric]["value"] for split in splits]
        rows.append([metric, *number_texts([*values, judged["baselines"]["trivial"][metric]])])
    return table_text(rows)


def _targets_text(targets: Mapping[str, Any], primary: str) -> str:
    """One row per target: its first metric on the judged rows beside the trivial baseline's."""
    rows = [["target", "task", "metric", _splits(next(iter(targets.values())))[-1], "trivial"]]
    for name, report in targets.items():
        judged = report["splits"][_splits(report)[-1]]
        metric = _ordered(judged["metrics"], primary)[0]
        numbers = number_texts([judged["metrics"][metric]["value"], judged["baselines"]["trivial"][metric]])
        rows.append([escape(name), report["task"], metric, *numbers])
    return table_text(rows)


def _labels_text(name: str, report: Mapping[str, Any]) -> str:
    """Rows, precision, recall and F1 of each label on the judged rows; the most frequent labels of very many."""
    split = _splits(report)[-1]
    measured = report["splits"][split]["per_label"]
    shown = sorted(measured, key=lambda label: -measured[label]["n"])[:MOST_LABELS]
    rows = [[f"{escape(name)}: labels on {split} rows", "rows", "precision", "recall", "f1"]]
    for label in (label for label in measured if label in set(shown)):
        values = measured[label]
        numbers = (f"{values[metric]:.4f}" for metric in ("precision", "recall", "f1"))
        rows.append([escape(label), str(values["n"]), *numbers])
    more = len(measured) - len(shown)
    return table_text(rows) + (f"\n… and {more} rarer labels" if more else "")


def _splits(report: Mapping[str, Any]) -> list[str]:
    """The splits that were judged; the last is what counts."""
    return [part for part in PARTS if part in report["splits"]]


def _title(name: str, report: Mapping[str, Any]) -> str:
    positive = f", positive {escape(report['positive'])}" if report["positive"] is not None else ""
    if report.get("threshold") not in (None, 0.5):
        positive += f" from {report['threshold']:.3g}"
    return f"{escape(name)} ({report['task']}{positive})"


def number_texts(values: Sequence[float | None]) -> list[str]:
    """Values with as many decimals as show five digits of the largest, four at most; `-` for none."""
    largest = max((abs(value) for value in values if value is not None), default=0.0)
    digits = len(str(int(largest))) if largest >= 1 else 1
    return ["-" if value is None else f"{value:.{max(5 - digits, 0)}f}" for value in values]


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.5g}"
