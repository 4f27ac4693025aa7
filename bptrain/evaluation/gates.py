"""Quality gates: conditions on metrics that a build can trust."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bptrain.errors import Problem, UsageError
from bptrain.evaluation.options import PARTS
from bptrain.messages import evaluation as messages
from bptrain.runs.storage import Json
from bptrain.utils.text import nearest, quote_list

KEY = ("evaluation", "gates")
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


def parse_gates(texts: Sequence[str]) -> list[Gate]:
    """Gates from `[target.][split.]metric OP number`, for instance `auc >= 0.9` or `out_of_fold.rmse < 3`.

    Raises UsageError with every text that has another form, or a number too large to compare with.
    """
    gates, problems = [], []
    for position, text in enumerate(texts):
        match = None if SWAPPED.search(text) else FORM.fullmatch(text)
        try:
            limit = float(match["limit"]) if match else math.nan
        except ValueError:
            limit = math.nan
        if match is None or not math.isfinite(limit):
            swapped = ("write `>=` or `<=`, not `=>` or `=<`",) if SWAPPED.search(text) else ()
            problems.append(messages.NOT_A_GATE(text=text, hints=swapped, key=(*KEY, str(position))))
            continue
        head, _, metric = match["subject"].rpartition(".")
        target, _, split = head.rpartition(".")
        if split not in PARTS:
            target, split = head, "test"
        gates.append(Gate(text.strip(), target, split, metric, match["operator"], limit))
    if problems:
        raise UsageError(*problems)
    return gates


def check_gates(gates: Sequence[Gate], targets: Mapping[str, tuple[str, ...]]) -> None:
    """Raise UsageError for gates on unknown targets or metrics; `targets` maps each target to its metrics."""
    problems: list[Problem] = []
    first = next(iter(targets))
    for position, gate in enumerate(gates):
        target, key = gate.target or first, (*KEY, str(position))
        if target not in targets:
            names = quote_list(list(targets), last="and")
            problems.append(messages.NO_SUCH_TARGET(text=gate.text, targets=names, key=key))
        elif not gate.target and len(targets) > 1:
            example = f"{first}.{gate.metric} {gate.operator} {gate.limit:g}"
            problems.append(messages.WHICH_TARGET(text=gate.text, example=example, key=key))
        elif gate.metric not in targets[target]:
            near, names = nearest(gate.metric, targets[target]), quote_list(targets[target], last="and")
            hints = (f"did you mean `{near[0]}`?",) if near else ()
            problems.append(messages.NO_SUCH_METRIC(text=gate.text, target=target, metrics=names, hints=hints, key=key))
    if problems:
        raise UsageError(*problems)


def check_gate_splits(gates: Sequence[Gate], splits: Sequence[str]) -> None:
    """Raise UsageError for gates on a split that has no rows; `splits` are those that have."""
    judged = quote_list(splits, last="and")
    problems = [
        messages.NO_ROWS(text=gate.text, split=gate.split, splits=judged, key=(*KEY, str(position)))
        for position, gate in enumerate(gates)
        if gate.split not in splits
    ]
    if problems:
        raise UsageError(*problems)


def apply_gates(gates: Sequence[Gate], report: Mapping[str, Json]) -> list[Verdict]:
    """Hold each gate against the `targets` part of metrics.json. Raises UsageError for a split without rows."""
    first = next(iter(report))
    check_gate_splits(gates, list(report[first]["splits"]))
    verdicts = []
    for gate in gates:
        value = report[gate.target or first]["splits"][gate.split]["metrics"][gate.metric]["value"]
        passed = value is not None and bool(OPERATORS[gate.operator](value, gate.limit))
        verdicts.append(Verdict(gate, value, passed))
    return verdicts
