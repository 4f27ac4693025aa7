"""What commands show of a run beside its metrics: what `check` and cleaning found, `inspect`, `reproduce`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from bptrain.config.yaml_writer import flow_yaml
from bptrain.evaluation.options import OUT_OF_FOLD
from bptrain.features.options import WeightOptions
from bptrain.reports.metrics import result_tables
from bptrain.reports.tables import Table
from bptrain.runs.storage import canonical_json

if TYPE_CHECKING:
    from bptrain.config.schema import Config
    from bptrain.data.cleaning import Cleaned
    from bptrain.errors import Problem
    from bptrain.features.inference import Kinds
    from bptrain.targets.target_options import TargetOptions
    from bptrain.workflows.reproduce import Reproduction
    from bptrain.workflows.run import Run

MOST_STEPS = 20  # of cleaning
MOST_NAMES = 8  # columns of one kind
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
        is_chosen = getattr(options, setting) == "auto" and (setting, value) != ("threshold", 0.5)
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
