"""Making a run again from its own directory, and saying whether the results are the same, and if not, why.

The verdicts: `identical`, every bit of weights, metrics and predictions is the same; `differs`, it is not, although
nothing that results depend on changed; `other inputs`, the config or the data changed; `explained`, the environment
changed, and the primary metrics are as near as with other seeds; `unexplained`, they are further away.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from bptrain.config.schema import Config
from bptrain.data.files import AllowedPaths
from bptrain.errors import DivergedError, Problem, RunError
from bptrain.evaluation.predictions import PARTS
from bptrain.fitting import lock as provenance
from bptrain.fitting.lock import Difference
from bptrain.targets.metrics import METRICS
from bptrain.training.progress import NullReporter, Reporter
from bptrain.utils.text import escape
from bptrain.workflows import fit as pipeline
from bptrain.workflows.run import Run

LEVEL = 0.95  # of the interval in which two results lie apart when nothing but the seed is another
SEEDS = 4


@dataclass(frozen=True)
class Metric:
    """The primary metric of a target in the run and made again; `tolerance` is what other seeds explain.

    `useless` is a result that is no better than the trivial baseline where the run's was: no spread explains that.
    """

    target: str
    name: str
    before: float
    now: float
    tolerance: float
    useless: bool = False

    @property
    def explained(self) -> bool:
        return abs(self.now - self.before) <= self.tolerance and not self.useless


@dataclass(frozen=True)
class Reproduction:
    """A verdict and what it rests on; `first_epoch` is where a training, `training`, first differs, from 1."""

    verdict: str
    differences: Sequence[Difference] = ()
    training: str = ""
    first_epoch: int | None = None
    metrics: Sequence[Metric] = field(default=())

    @property
    def reproduced(self) -> bool:
        """Whether the build may pass."""
        return self.verdict in {"identical", "explained"}

    def to_json(self) -> dict[str, Any]:
        """The form of `--json`."""
        return {
            "format": 1,
            "verdict": self.verdict,
            "reproduced": self.reproduced,
            "differences": [{"kind": each.kind, "text": str(each)} for each in self.differences],
            "training": self.training,
            "first_epoch": self.first_epoch,
            "metrics": [
                {
                    "target": each.target,
                    "metric": each.name,
                    "before": each.before,
                    "now": each.now,
                    "tolerance": each.tolerance,
                }
                for each in self.metrics
            ],
        }


def reproduce(run: Run, roots: AllowedPaths, *, reporter: Reporter | None = None, seeds: int = SEEDS) -> Reproduction:
    """Make `run` again from its config and the data that this names, in a temporary folder, and compare.

    Where only the environment changed and the results did, too, `seeds` more runs with other seeds, but the same split,
    show how far results may be apart. Raises RunError for a run of another format, and the errors of `pipeline.fit`.
    """
    lock = run.lock
    if lock["format"] != provenance.FORMAT:
        message = f"`{escape(run.path)}` has a lock.json of format {lock['format']}, which cannot be made again"
        raise RunError(Problem("BP530", message, hints=("use the bptrain version named in its lock.json",)))
    told, roots = reporter or NullReporter(), roots.allowing(lock["data"])
    found = provenance.differences(lock, pipeline.current_inputs(run.config, roots))
    if any(each.kind != "environment" for each in found):
        return Reproduction("other inputs", found)
    timed = run.config.training.minutes is not None  # an epoch that the clock cut short may end for another reason, too
    stopped = {name: each["steps"] for name, each in lock["training"].items() if timed}
    with tempfile.TemporaryDirectory(prefix="bptrain-") as folder:
        again = _made(run.config, Path(folder, "again"), roots, told, stopped)
        if again.lock["results"] == lock["results"]:
            return Reproduction("identical", found)
        training, epoch = _first_difference(lock["training"], again.lock["training"])
        found += provenance.other_processor(lock, again.lock)
        if not found:
            return Reproduction("differs", found, training, epoch)
        metrics = _compared(run, again, Path(folder), roots, told, seeds, stopped)
    verdict = "explained" if all(metric.explained for metric in metrics) else "unexplained"
    return Reproduction(verdict, found, training, epoch, metrics)


def tolerance(values: Sequence[float]) -> float:
    """How far two more values may be apart that come from the normal distribution of `values`, 19 times out of 20.

    t · s · √2 with n - 1 degrees of freedom: the difference of two has twice the variance of one, which s² estimates
    (Student 1908).
    """
    from scipy.stats import t

    n = len(values)
    if n < 2:
        return 0.0
    return float(t.ppf((1 + LEVEL) / 2, n - 1) * np.std(values, ddof=1) * math.sqrt(2))


def _made(config: Config, target: Path, roots: AllowedPaths, reporter: Reporter, stopped: Mapping[str, int]) -> Run:
    try:
        pipeline.fit(config, run=target, stem="run", roots=roots, reporter=reporter, until_step=stopped)
    except DivergedError:  # as the run may have: its results are compared like others
        reporter.stage("training diverged")
    return Run.open(target)


def _first_difference(before: Mapping[str, Any], now: Mapping[str, Any]) -> tuple[str, int | None]:
    """The first training, in the order they are made, whose weights differ, and from which epoch."""
    for label in sorted(before, key=lambda label: (label.startswith("model"), len(label), label)):
        then, here = before[label]["weights_by_epoch"], now.get(label, {}).get("weights_by_epoch", [])
        for epoch, (one, other) in enumerate(zip(then, here, strict=False), start=1):
            if one != other:
                return label, epoch
        if len(then) != len(here):
            return label, min(len(then), len(here)) + 1
    return "", None


def _compared(
    run: Run,
    again: Run,
    folder: Path,
    roots: AllowedPaths,
    reporter: Reporter,
    seeds: int,
    stopped: Mapping[str, int],
) -> list[Metric]:
    """The primary metric of each target, and how it varies with the seed; rows stay in their parts."""
    values = []
    split = run.config.split
    fixed = split.model_copy(update={"seed": run.config.seed if split.seed is None else split.seed})
    for number in range(1, seeds + 1):
        reporter.stage(f"seed {number} of {seeds} to see how far results may be apart")
        config = run.config.model_copy(update={"seed": (run.config.seed + number) % 2**32, "split": fixed})
        values.append(_primary(_made(config, folder / f"seed-{number}", roots, reporter, stopped)))
    before, trivial = _primary(run), _primary(run, trivial=True)
    return [
        Metric(
            target,
            name,
            before[target, name],
            value,
            tolerance([each[target, name] for each in values]),
            useless=_beats(name, before[target, name], trivial[target, name])
            and not _beats(name, value, trivial[target, name]),
        )
        for (target, name), value in _primary(again).items()
    ]


def _beats(metric: str, value: float, other: float) -> bool:
    return value > other if METRICS[metric].higher_is_better else value < other


def _primary(run: Run, *, trivial: bool = False) -> dict[tuple[str, str], float]:
    """The primary metric of each target on the rows that judge, or that of the trivial baseline."""
    found = {}
    for target, report in run.metrics["targets"].items():
        splits = report["splits"]
        judged = splits[max(splits, key=PARTS.index)]
        metrics = judged["baselines"]["trivial"] if trivial else judged["metrics"]
        name = run.metrics["primary"] if run.metrics["primary"] in metrics else next(iter(metrics))
        value = metrics[name] if trivial else metrics[name]["value"]
        found[target, name] = math.nan if value is None else float(value)
    return found
