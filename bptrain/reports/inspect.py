"""What `bptrain inspect` shows of a run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bptrain.config.write import flow_yaml
from bptrain.evaluation.options import OUT_OF_FOLD
from bptrain.reports.folds import folds_text
from bptrain.reports.text import gates_text, metrics_text, selection_text
from bptrain.runs.storage import canonical_json
from bptrain.utils.text import escape

if TYPE_CHECKING:
    from bptrain.workflows.run import Run


def inspect_json(run: Run) -> str:
    """Everything the run says about itself, for a machine."""
    return canonical_json(_content(run)).rstrip()


def inspect_text(run: Run) -> str:
    """The same for a person, in short."""
    content = _content(run)
    training, lock, network = content["metrics"]["training"], content["lock"], content["network"]
    weights = sum(_size(shape) for _, shape in network["weights"].values())
    lines = [
        f"run: {run.path} ({content['metrics']['status']}, verified)",
        *(f"data: {escape(name)} sha256 {digest[:12]}…" for name, digest in lock["data"].items()),
        f"columns: {_columns(run)}",
        f"network: {_network(network)}, {weights} weights{' in each network' if len(network['kept']) > 1 else ''}",
        *(f"target: {_target(name, options, run)}" for name, options in run.config.targets.items()),
        f"split: {_split(run)}",
        f"training: {_training(run, training)}",
        f"made with: {_versions(lock['versions'])}, seed {lock['seed']}",
        f"weights: sha256 {lock['results']['weights']}",
        "",
        metrics_text(content["metrics"]["targets"], content["metrics"]["primary"]),
    ]
    if "selection" in content["metrics"]:
        lines.append(selection_text(content["metrics"]["selection"], content["metrics"]["primary"]))
    if "cross_validation" in content["metrics"]:
        lines.append(folds_text(content["metrics"]["cross_validation"]))
    if content["metrics"]["gates"]:
        lines.append(gates_text(content["metrics"]["gates"]))
    return "\n".join(lines)


def _content(run: Run) -> dict[str, Any]:
    return {
        "format": 1,
        "path": str(run.path),
        "config": run.config.model_dump(mode="json"),
        "network": run.files.read_json("model/network.json"),
        "metrics": dict(run.metrics),
        "lock": dict(run.lock),
    }


def _target(name: str, options: Any, run: Run) -> str:
    """The task and loss, and what differs from the usual."""
    parts = [f"{escape(name)}, {options.task}, loss {flow_yaml(options.loss)}"]
    transform = run.metrics["targets"][name].get("transform")
    if transform not in (None, "none"):
        parts.append(f"transform {transform}{' (chosen)' if options.transform == 'auto' else ''}")
    if (weights := getattr(options, "class_weights", "none")) != "none":
        parts.append(f"class weights {flow_yaml(weights)}")
    if options.loss_weight != 1:
        parts.append(f"loss weight {options.loss_weight:g}")
    threshold = run.metrics["targets"][name].get("threshold")
    if threshold is not None:
        parts.append(
            f"threshold {threshold:.3g}{' (chosen)' if options.threshold == 'auto' and threshold != 0.5 else ''}"
        )
    temperature = run.metrics["targets"][name].get("temperature")
    if temperature not in (None, 1):
        parts.append(f"temperature {temperature:.3g}{' (chosen)' if options.temperature == 'auto' else ''}")
    return ", ".join(parts)


def _split(run: Run) -> str:
    """How rows were divided, and how many of them judged."""
    options = run.config.split
    by = f"{options.kind} (by {escape(options.column)})" if options.column else options.kind
    judged = next(iter(run.metrics["targets"].values()))["splits"]
    names = {OUT_OF_FOLD: "training (out of fold)"}  # each network judges what it left out
    rows = ", ".join(f"{part['n']} {names.get(name, name)}" for name, part in judged.items())
    weight = next((name for name, options in run.config.columns.items() if options.kind == "weight"), None)
    weighted = f", metrics weighted by {escape(weight)}" if weight else ""
    return f"{by}, {rows} rows{f', {options.folds} folds' if options.folds else ''}{weighted}"


def _training(run: Run, training: Mapping[str, Any]) -> str:
    """How long it took, and what it began with."""
    refit = ", then refitted with the validation rows" if training["final"] == "refit" else ""
    begun = run.config.model.from_run
    earlier = run.lock["warm_start"]["weights"][:12] if begun else ""
    start = f"; from the weights of {escape(begun)} (sha256 {earlier}…)" if begun else ""
    made = (
        f"{each['epochs']} epochs, kept {each['best_epoch']}, stopped by {each['stopped_by']}"
        for each in training["networks"]
    )
    return f"{'; '.join(made)}{refit}{start}"


def _network(network: Mapping[str, Any]) -> str:
    """The kind, the hidden layers, and how many networks and members."""
    options = network["model"]
    several = [f"{options[name]} {name}" for name in ("networks", "members") if options[name] != 1]
    kept = [f"{len(members)} of them kept" for members in network["kept"][:1] if members is not None]
    return ", ".join([f"{options['kind']} {options['hidden']}", *several, *kept])


def _columns(run: Run) -> str:
    by_kind: dict[str, list[str]] = {}
    for name, options in run.config.columns.items():
        by_kind.setdefault(options.kind, []).append(escape(name))
    return "; ".join(
        f"{len(names)} {kind} ({', '.join(names[:8])}{', …' if len(names) > 8 else ''})"
        for kind, names in by_kind.items()
    )


def _versions(versions: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in versions.items())


def _size(shape: list[int]) -> int:
    size = 1
    for length in shape:
        size *= length
    return size
