"""What commands show: checks, cleaning, `inspect`, `reproduce`; metrics, folds, gates, drift; learning curves."""

from __future__ import annotations

import io
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from bptrain.config.yaml_writer import flow_yaml
from bptrain.evaluation.options import OUT_OF_FOLD, PARTS
from bptrain.features.options import WeightOptions
from bptrain.reports.tables import Series, Table
from bptrain.runs.storage import Json, canonical_json
from bptrain.targets.metrics import METRICS

if TYPE_CHECKING:
    from bptrain.config.schema import Config
    from bptrain.data.cleaning import Cleaned
    from bptrain.errors import Problem
    from bptrain.features.drift import Drift
    from bptrain.features.inference import Kinds
    from bptrain.targets.target_options import TargetOptions
    from bptrain.workflows.reproduce import Reproduction
    from bptrain.workflows.run import Run

MOST_STEPS = 20  # of cleaning
MOST_NAMES = 8  # columns of one kind
MOST_LABELS = 20
MOST_COLUMNS = 20
COLOURS = {"training": "#1f6f8b", "validation": "#d1495b"}
VERDICTS = {
    "identical": "identical: weights, metrics and predictions are the same, bit for bit",
    "differs": "NOT REPRODUCED: nothing that results depend on changed, but they did",
    "other inputs": "NOT REPRODUCED: the config or the data is another, so nothing was trained",
    "explained": "reproduced in a different environment: other bits, metrics as near as with other seeds",
    "unexplained": "NOT REPRODUCED: in a different environment, metrics are further away than with other seeds",
}


def check_tables(config: Config, kinds: Kinds, warnings: Sequence[Problem]) -> list[Table]:
    """Each column with its kind and why, then how many warnings there are."""
    rows: list[tuple[str, str, str]] = [(name, options.task, "target") for name, options in config.targets.items()]
    rows += [(name, options.kind, kinds.reasons[name]) for name, options in kinds.options.items()]
    result = f"no errors, {len(warnings)} warning(s)" if warnings else "no problems"
    return [
        Table(("column", "kind", "reason"), rows, alignment=("left", "left", "left"), headed=False),
        Table(("result",), [(result,)], sentence="{result}"),
    ]


def check_json(config: Config, kinds: Kinds, warnings: Sequence[Problem]) -> str:
    """The same for a machine, with the warnings."""
    columns = {name: {"kind": options.kind, "reason": kinds.reasons[name]} for name, options in kinds.options.items()}
    content = {
        "format": 1,
        "targets": {name: options.task for name, options in config.targets.items()},
        "columns": columns,
        "warnings": [warning.to_json() for warning in warnings],
    }
    return canonical_json(content).rstrip()


def cleaning_table(steps: Sequence[Cleaned]) -> Table:
    """What cleaning did, one row per step, in the order in which they were done."""
    rows = [
        (f"{step.what} in `{step.column}`" if step.column else step.what, step.n, step.of, step.unit)
        for step in steps[:MOST_STEPS]
    ]
    note = f"cleaned: {len(steps) - MOST_STEPS} more steps" if len(steps) > MOST_STEPS else ""
    return Table(("step", "n", "of", "unit"), rows, sentence="cleaned: {step}: {n} of {of} {unit}", note=note)


def inspect_json(run: Run) -> str:
    """Everything the run says about itself, for a machine."""
    content = {
        "format": 1,
        "path": str(run.path),
        "config": run.config.model_dump(mode="json"),
        "network": run.files.read_json("model/network.json"),
        "metrics": dict(run.metrics),
        "lock": dict(run.lock),
    }
    return canonical_json(content).rstrip()


def inspect_tables(run: Run) -> list[Table]:
    """The same for a person, in short: what it was made from and how, then its metrics."""
    lock, network = run.lock, run.files.read_json("model/network.json")
    by_kind: dict[str, list[str]] = {}
    for name, column in run.config.columns.items():
        by_kind.setdefault(column.kind, []).append(name)
    columns = [
        f"{len(names)} {kind} ({', '.join(names[:MOST_NAMES])}{', …' if len(names) > MOST_NAMES else ''})"
        for kind, names in by_kind.items()
    ]
    options = network["model"]
    network_words = [f"{options['kind']} {options['hidden']}"]
    network_words += [f"{options[name]} {name}" for name in ("networks", "members") if options[name] != 1]
    network_words += [f"{len(members)} of them kept" for members in network["selected"][:1] if members is not None]
    n_weights = sum(math.prod(shape) for _, shape in network["weights"].values())
    in_each = " in each network" if len(network["selected"]) > 1 else ""
    versions = ", ".join(f"{name} {version}" for name, version in lock["versions"].items())
    rows = [
        ("run", f"{run.path} ({run.metrics['status']}, verified)"),
        *(("data", f"{name} sha256 {digest[:12]}…") for name, digest in lock["data"].items()),
        ("columns", "; ".join(columns)),
        ("network", f"{', '.join(network_words)}, {n_weights} weights{in_each}"),
        *(("target", _target_words(name, target, run)) for name, target in run.config.targets.items()),
        ("split", _split_words(run)),
        ("training", _training_words(run)),
        ("made with", f"{versions}, seed {lock['seed']}"),
        ("weights", f"sha256 {lock['results']['weights']}"),
    ]
    return [Table(("what", "value"), rows, sentence="{what}: {value}"), *result_tables(run.metrics)]


def reproduction_tables(reproduction: Reproduction) -> list[Table]:
    """The verdict, what changed, and how much it did."""
    rows = [VERDICTS[reproduction.verdict], *(f"  changed: {change}" for change in reproduction.differences)]
    if reproduction.first_epoch is not None:
        rows.append(
            f"  weights differ from epoch {reproduction.first_epoch} of the training `{reproduction.training}` on"
        )
    metrics = [
        (it.target, it.name, it.now, it.before, it.tolerance, ", but it is no better than trivial" * it.useless)
        for it in reproduction.metrics
    ]
    return [
        Table(("result",), [(row,) for row in rows], sentence="{result}"),
        Table(
            ("target", "metric", "now", "before", "tolerance", "remark"),
            metrics,
            formats={"now": ".6g", "before": ".6g", "tolerance": ".2g"},
            sentence="  {target}: {metric} {now}, was {before}; seeds explain a distance of {tolerance}{remark}",
        ),
    ]


def _target_words(name: str, options: TargetOptions, run: Run) -> str:
    """The task and loss, what differs from the usual, and what the training chose by its rows."""
    words = [f"{name}, {options.task}, loss {flow_yaml(options.loss)}"]
    if (weights := getattr(options, "class_weights", "none")) != "none":
        words.append(f"class weights {flow_yaml(weights)}")
    if options.loss_weight != 1:
        words.append(f"loss weight {options.loss_weight:g}")
    for setting, plain in (("transform", "none"), ("threshold", None), ("temperature", 1)):
        value = run.metrics["targets"][name].get(setting)
        if value is None or value == plain:
            continue
        is_chosen = getattr(options, setting) != value and (setting, value) != ("threshold", 0.5)
        text = value if isinstance(value, str) else f"{value:.3g}"
        words.append(f"{setting} {text}{' (chosen)' if is_chosen else ''}")
    return ", ".join(words)


def _split_words(run: Run) -> str:
    """How rows were divided, and how many of them judged."""
    options = run.config.split
    judged = next(iter(run.metrics["targets"].values()))["splits"]
    names = {OUT_OF_FOLD: "training (out of fold)"}  # each network judges what it left out
    rows = ", ".join(f"{part['n']} {names.get(name, name)}" for name, part in judged.items())
    words = [f"{options.kind} (by {options.column})" if options.column else options.kind, f"{rows} rows"]
    if options.folds:
        words.append(f"{options.folds} folds")
    weights = [name for name, column in run.config.columns.items() if isinstance(column, WeightOptions)]
    words += [f"metrics weighted by {name}" for name in weights]
    return ", ".join(words)


def _training_words(run: Run) -> str:
    """How long it took, and what it began with."""
    training, base_run = run.metrics["training"], run.config.model.from_run
    words = "; ".join(
        f"{network['epochs']} epochs, kept {network['best_epoch']}, stopped by {network['stopped_by']}"
        for network in training["networks"]
    )
    if training["final"] == "refit":
        words += ", then refitted with the validation rows"
    if base_run:
        words += f"; from the weights of {base_run} (sha256 {run.lock['warm_start']['weights'][:12]}…)"
    return words


# Metrics: by split and label, of folds, gates, drift


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


# Learning curves


def learning_curves(histories: Sequence[tuple[Sequence[Mapping[str, float]], int]]) -> list[Series]:
    """The series of each network, given the rows of its history and its best epoch, 0 for none."""
    series = []
    for history, best_epoch in histories:
        epochs = [row["epoch"] for row in history]
        columns = {"training": "loss"}
        if history and "validation_loss" in history[0]:
            columns["validation"] = "validation_loss"
        for name, column in columns.items():
            losses = [row.get(column, float("nan")) for row in history]
            marked = best_epoch if best_epoch and name == list(columns)[-1] else None
            series.append(Series(name, epochs, losses, marked))
    return series


def curves_svg(series: Sequence[Series]) -> str:
    """An SVG that is the same text for the same series (no date, fixed identifiers); the legend names each once."""
    import matplotlib  # here, as it takes longer than `inspect`
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    with matplotlib.rc_context({"svg.hashsalt": "bptrain", "svg.fonttype": "none", "font.family": "sans-serif"}):
        figure = Figure(figsize=(7, 4), layout="constrained")
        axes = figure.add_subplot()
        named = set()
        for curve in series:
            axes.plot(curve.x, curve.y, color=COLOURS[curve.name], label=None if curve.name in named else curve.name)
            named.add(curve.name)
            if curve.marked is not None:
                label = None if "kept" in named else f"kept: epoch {curve.marked:g}"
                axes.axvline(curve.marked, color="0.5", linestyle=":", label=label)
                named.add("kept")
        axes.set_xlabel("epoch")
        axes.set_ylabel("loss")
        axes.spines[["top", "right"]].set_visible(False)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.legend(frameon=False)
        text = io.StringIO()
        FigureCanvasSVG(figure).print_svg(text, metadata={"Date": None})
        return text.getvalue()
