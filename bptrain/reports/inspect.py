"""What `bptrain inspect` shows of a run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bptrain.reports.folds import folds_text
from bptrain.reports.text import gates_text, metrics_text, selection_text
from bptrain.runs.storage import canonical_json
from bptrain.text import escape

if TYPE_CHECKING:
    from bptrain.run import Run


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
        f"network: {network['model']['kind']} {network['model']['hidden']}, {weights} weights",
        f"training: {training['epochs']} epochs, kept {training['best_epoch']}, stopped by {training['stopped_by']}",
        f"made with: {_versions(lock['versions'])}, seed {lock['seed']}",
        f"weights: sha256 {lock['results']['weights']}",
        "",
        metrics_text(content["metrics"]["targets"]),
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
