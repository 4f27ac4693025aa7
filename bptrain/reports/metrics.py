"""The tables of everything that was measured: metrics by split and label, folds, gates, drift."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from bptrain.evaluation.options import PARTS
from bptrain.reports.tables import Json, Table
from bptrain.targets.metrics import METRICS

if TYPE_CHECKING:
    from bptrain.features.drift import Drift

MOST_LABELS = 20
MOST_COLUMNS = 20


def result_tables(metrics: Json) -> list[Table]:
    """Everything that metrics.json says of how good a run is."""
    primary = metrics["primary"]
    tables = metrics_tables(metrics["targets"], primary)
    if "selection" in metrics:
        tables.append(selection_table(metrics["selection"], primary))
    if "cross_validation" in metrics:
        tables += fold_tables(metrics["cross_validation"])
    return [*tables, gates_table(metrics["gates"])]


def metrics_tables(targets: Json, primary: str = "") -> list[Table]:
    """A table for each target: one row per metric, one column per split, the trivial baseline last.

    The `primary` metric comes first where a target has it. Several targets are first shown side by side, by their
    first metric on the split that counts; a target of more than two labels is followed by a table of these.
    """
    tables: list[Table] = []
    overview = []
    for name, report in targets.items():
        splits = report["splits"]
        shown = [split for split in PARTS if split in splits]
        judged = splits[shown[-1]]
        metrics = _ordered(judged["metrics"], primary)
        baselines = judged["baselines"]["trivial"]
        overview.append(
            (name, report["task"], metrics[0], judged["metrics"][metrics[0]]["value"], baselines[metrics[0]])
        )
        title = f"{name} ({report['task']}"
        if report["positive"] is not None:
            title += f", positive {report['positive']}"
        if report.get("threshold") not in (None, 0.5):
            title += f" from {report['threshold']:.3g}"
        rows: list[tuple[str | int | float | None, ...]] = [("rows", *(splits[split]["n"] for split in shown), "")]
        if any(splits[split]["weight"] != splits[split]["n"] for split in shown):
            weights = (format(splits[split]["weight"], ".6g") for split in shown)
            rows.append(("weight (metrics are weighted)", *weights, ""))
        for metric in metrics:
            values = (splits[split]["metrics"][metric]["value"] for split in shown)
            rows.append((metric, *values, baselines[metric]))
        columns = [split.replace("_", " ") for split in shown]
        tables.append(Table((f"{title})", *columns, f"trivial {columns[-1]}"), rows))
        if len(report["labels"]) > 2:
            tables.append(_labels_table(name, columns[-1], judged["per_label"]))
    if len(targets) < 2:
        return tables
    return [Table(("target", "task", "metric", columns[-1], "trivial"), overview), *tables]


def selection_table(selection: Json, primary: str) -> Table:
    """What the training that chose the epoch of a refit measured on its validation rows."""
    rows = []
    for name, judged in selection.items():
        metric = primary if primary in judged["metrics"] else next(iter(judged["metrics"]))
        rows.append((name, metric, judged["metrics"][metric]["value"], judged["n"]))
    sentence = "before the refit: {target}: {metric} {value} on {rows} validation rows"
    return Table(("target", "metric", "value", "rows"), rows, formats={"value": ".5g"}, sentence=sentence)


def fold_tables(summary: Json) -> list[Table]:
    """A table for each target: the mean of each metric over the folds, its interval, and the worst and best fold."""
    level = f"{100 * summary['level']:g} %"
    tables = []
    for name, metrics in summary["targets"].items():
        rows = []
        for metric in _ordered(metrics):
            folds = metrics[metric]
            values = [value for value in folds["folds"] if value is not None]
            lowest, highest = (min(values), max(values)) if values else (None, None)
            rows.append((metric, folds["value"], folds["low"], folds["high"], lowest, highest))
        columns = (f"{name}: {summary['folds']} folds", "mean", f"{level} from", "to", "lowest", "highest")
        tables.append(Table(columns, rows))
    return tables


def gates_table(gates: Iterable[Json]) -> Table:
    """Each gate: passed or FAILED, and what was measured."""
    return Table(
        ("gate", "verdict", "measured"),
        [(gate["text"], "passed" if gate["passed"] else "FAILED", gate["value"]) for gate in gates],
        formats={"measured": ".5g"},
        sentence="gate {verdict}: {gate} (measured {measured})",
    )


def drift_table(changes: Sequence[Drift]) -> Table:
    """The columns whose rows are worth a look as they differ from the training rows, the most changed first."""
    notable = sorted(
        (change for change in changes if change.notable),
        key=lambda it: max(abs(it.missing - it.missing_before), it.unknown, it.outside, it.shift),
        reverse=True,
    )
    if not notable:
        text = f"drift: none of {len(changes)} columns is notably other than in training"
        return Table(("drift",), [(text,)], sentence="{drift}")
    shares = ("missing in training", "missing", "new labels", "out of range", "spread otherwise")
    rows = []
    for change in notable[:MOST_COLUMNS]:
        values = (change.missing_before, change.missing, change.unknown, change.outside, change.shift)
        rows.append((change.column, *(value or None for value in values)))
    return Table(
        (f"drift ({len(notable)} of {len(changes)} columns)", *shares),
        rows,
        formats=dict.fromkeys(shares, ".1%"),
        note=f"… and {len(notable) - MOST_COLUMNS} more columns" if len(notable) > MOST_COLUMNS else "",
    )


def _labels_table(name: str, split: str, measured: Json) -> Table:
    """Rows, precision, recall and F1 of each label on the rows of `split`; the most frequent labels of very many."""
    frequent = sorted(measured, key=lambda label: -measured[label]["n"])[:MOST_LABELS]
    columns = ("n", "precision", "recall", "f1")
    n_others = len(measured) - len(frequent)
    return Table(
        (f"{name}: labels on {split} rows", "rows", *columns[1:]),
        [(label, *(measured[label][column] for column in columns)) for label in measured if label in frequent],
        note=f"… and {n_others} rarer labels" if n_others else "",
    )


def _ordered(metrics: Iterable[str], primary: str = "") -> list[str]:
    """Names of metrics in the usual order, but the primary one first."""
    return sorted(metrics, key=lambda metric: (metric != primary, list(METRICS).index(metric)))
