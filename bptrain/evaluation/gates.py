"""Quality gates: conditions on metrics that a build can trust."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from bptrain.errors import Problem, UsageError
from bptrain.utils.text import escape, nearest, quote_list

OPERATORS = {">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt}
SWAPPED = re.compile(r"=[<>]")
FORM = re.compile(r"\s*(?P<subject>.+?)\s*(?P<operator>>=|<=|>|<)\s*(?P<limit>[-+\d.eE]+)\s*")


@dataclass(frozen=True)
class Gate:
    """`metric` of `target` on `split` compared with `limit`; an empty target is the only one."""

    text: str
    target: str
    split: str
    metric: str
    operator: str
    limit: float


@dataclass(frozen=True)
class Verdict:
    """A gate and what was measured (None: the metric is not defined for these rows, and the gate failed)."""

    gate: Gate
    value: float | None
    passed: bool

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self.gate), "value": self.value, "passed": self.passed}


def parse_gates(texts: Sequence[str]) -> list[Gate]:
    """Gates from `[target.][split.]metric OP number`, for instance `auc >= 0.9` or `validation.rmse < 3`.

    Raises UsageError with every text that has another form, or a number too large to compare with.
    """
    gates = [_parse(text) for text in texts]
    problems = [
        Problem(
            "BP300",
            f"`{escape(text)}` is not a gate",
            hints=(
                *(("write `>=` or `<=`, not `=>` or `=<`",) if SWAPPED.search(text) else ()),
                "write a metric, one of >= <= > <, and a finite number: `auc >= 0.9` or `validation.rmse < 3`",
            ),
            key=_key(position),
        )
        for position, (text, gate) in enumerate(zip(texts, gates, strict=True))
        if gate is None
    ]
    if problems:
        raise UsageError(*problems)
    return [gate for gate in gates if gate is not None]


def _parse(text: str) -> Gate | None:
    match = None if SWAPPED.search(text) else FORM.fullmatch(text)
    try:
        limit = float(match["limit"]) if match else None
    except ValueError:
        limit = None
    if match is None or limit is None or not math.isfinite(limit):
        return None
    head, _, metric = match["subject"].rpartition(".")
    target, _, split = head.rpartition(".")
    if split not in ("train", "validation", "test"):
        target, split = head, "test"
    return Gate(text.strip(), target, split, metric, match["operator"], limit)


def check_gates(gates: Sequence[Gate], targets: dict[str, tuple[str, ...]]) -> None:
    """Raise UsageError for gates on unknown targets or metrics; `targets` maps each target to its metrics."""
    problems = [
        replace(problem, key=_key(position))
        for position, gate in enumerate(gates)
        for problem in _wrong_subject(gate, targets)
    ]
    if problems:
        raise UsageError(*problems)


def check_gate_splits(gates: Sequence[Gate], splits: Sequence[str]) -> None:
    """Raise UsageError for gates on a split that has no rows; `splits` are those that have."""
    problems = [
        Problem(
            "BP302",
            f"the gate `{escape(gate.text)}` asks for {gate.split} rows, but there are none",
            hints=(f"rows that are judged: {quote_list(splits, last='and')}; name one of these",),
            key=_key(position),
        )
        for position, gate in enumerate(gates)
        if gate.split not in splits
    ]
    if problems:
        raise UsageError(*problems)


def apply_gates(gates: Sequence[Gate], report: dict[str, Any]) -> list[Verdict]:
    """Hold each gate against the `targets` part of metrics.json. Raises UsageError for a split without rows."""
    check_gate_splits(gates, list(next(iter(report.values()))["splits"]))
    return [_apply(gate, report) for gate in gates]


def _key(position: int) -> tuple[str, ...]:
    return ("evaluation", "gates", str(position))


def _apply(gate: Gate, report: dict[str, Any]) -> Verdict:
    value = report[gate.target or next(iter(report))]["splits"][gate.split]["metrics"][gate.metric]["value"]
    return Verdict(gate, value, value is not None and bool(OPERATORS[gate.operator](value, gate.limit)))


def _wrong_subject(gate: Gate, targets: dict[str, tuple[str, ...]]) -> list[Problem]:
    if gate.target and gate.target not in targets:
        hint = f"the targets are {quote_list(list(targets), last='and')}"
        return [Problem("BP301", f"the gate `{escape(gate.text)}` names no target of this run", hints=(hint,))]
    if not gate.target and len(targets) > 1:
        hint = f"write `{next(iter(targets))}.{gate.metric} {gate.operator} {gate.limit:g}`"
        return [Problem("BP301", f"the gate `{escape(gate.text)}` does not say which target", hints=(hint,))]
    target = gate.target or next(iter(targets))
    metrics = targets[target]
    if gate.metric in metrics:
        return []
    near = nearest(gate.metric, metrics)
    hints = (*((f"did you mean `{near[0]}`?",) if near else ()), f"metrics: {quote_list(metrics, last='and')}")
    return [
        Problem("BP301", f"the gate `{escape(gate.text)}` names no metric of target `{escape(target)}`", hints=hints)
    ]
