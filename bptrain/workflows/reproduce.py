"""Making a run again from its own directory, and saying whether the results are the same, and if not, why.

The verdicts: `identical`, every bit of weights, metrics and predictions is the same; `differs`, it is not, although
nothing that results depend on changed; `other inputs`, the config or the data changed; `explained`, the environment
changed, and the primary metrics are as near as with other seeds; `unexplained`, they are further away.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np

from bptrain.config.schema import Config
from bptrain.data.files import AllowedPaths
from bptrain.errors import DivergedError, RunError
from bptrain.evaluation.predictions import judging_part
from bptrain.fitting.lock import FORMAT, Difference, Record, find_differences, find_other_processor
from bptrain.messages import workflows as messages
from bptrain.runs.storage import Json
from bptrain.targets.metrics import METRICS
from bptrain.training.progress import NullReporter, Reporter
from bptrain.workflows.fit import current_inputs, fit
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

    def to_json(self) -> dict[str, Json]:
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
    show how far results may be apart. Raises RunError for a run of another format, and the errors of `fit`.
    """
    lock = run.lock
    if lock["format"] != FORMAT:
        raise RunError(messages.OTHER_FORMAT(path=run.path, format=lock["format"]))
    differences = find_differences(lock, current_inputs(run.config, roots.allowing(lock["data"])))
    if any(difference.kind != "environment" for difference in differences):
        return Reproduction("other inputs", differences)
    with tempfile.TemporaryDirectory(prefix="bptrain-") as folder:
        fit_again = partial(_fit_again, run, roots.allowing(lock["data"]), reporter or NullReporter())
        again = fit_again(run.config, Path(folder, "again"))
        if again.lock["results"] == lock["results"]:
            return Reproduction("identical", differences)
        training, epoch = _find_first_difference(lock["training"], again.lock["training"])
        differences += find_other_processor(lock, again.lock)
        if not differences:
            return Reproduction("differs", differences, training, epoch)
        others = []
        split = run.config.split  # the same rows stay in their parts
        split = split.model_copy(update={"seed": run.config.seed if split.seed is None else split.seed})
        for number in range(1, seeds + 1):
            text = f"seed {number} of {seeds} to see how far results may be apart"
            config = run.config.model_copy(update={"seed": (run.config.seed + number) % 2**32, "split": split})
            others.append(fit_again(config, Path(folder, f"seed-{number}"), text))
        metrics = _compare_primary(run, again, others)
    verdict = "explained" if all(metric.explained for metric in metrics) else "unexplained"
    return Reproduction(verdict, differences, training, epoch, metrics)


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


def _fit_again(run: Run, roots: AllowedPaths, reporter: Reporter, config: Config, target: Path, text: str = "") -> Run:
    """A run with another config; where the clock stopped trainings of `run`, they end after as many steps."""
    timed = run.config.training.minutes is not None  # an epoch that the clock cut short may end for another reason, too
    stopped = {name: training["steps"] for name, training in run.lock["training"].items() if timed}
    if text:
        reporter.stage(text)
    try:
        fit(config, run=target, stem="run", roots=roots, reporter=reporter, until_step=stopped)
    except DivergedError:  # as the run may have: its results are compared like others
        reporter.stage("training diverged")
    return Run.open(target)


def _find_first_difference(before: Record, now: Record) -> tuple[str, int | None]:
    """The first training, in the order they are made, whose weights differ, and from which epoch."""
    for label in sorted(before, key=lambda label: (label.startswith("model"), len(label), label)):
        then, here = before[label]["weights_by_epoch"], now.get(label, {}).get("weights_by_epoch", [])
        for epoch, (one, other) in enumerate(zip(then, here, strict=False), start=1):
            if one != other:
                return label, epoch
        if len(then) != len(here):
            return label, min(len(then), len(here)) + 1
    return "", None


def _compare_primary(run: Run, again: Run, others: Sequence[Run]) -> list[Metric]:
    """The primary metric of each target in both, and how it varies in runs with other seeds."""

    def is_better(metric: str, value: float, than: float) -> bool:
        return value > than if METRICS[metric].higher_is_better else value < than

    metrics, before, trivial = [], _primary(run), _primary(run, trivial=True)
    spread = [_primary(other) for other in others]
    for (target, name), value in _primary(again).items():
        key = target, name
        was_useful = is_better(name, before[key], trivial[key])
        useless = was_useful and not is_better(name, value, trivial[key])
        metrics.append(Metric(target, name, before[key], value, tolerance([each[key] for each in spread]), useless))
    return metrics


def _primary(run: Run, *, trivial: bool = False) -> dict[tuple[str, str], float]:
    """The primary metric of each target on the rows that judge, or that of the trivial baseline."""
    values = {}
    for target, report in run.metrics["targets"].items():
        judged = judging_part(report["splits"])
        metrics = judged["baselines"]["trivial"] if trivial else judged["metrics"]
        name = run.metrics["primary"] if run.metrics["primary"] in metrics else next(iter(metrics))
        value = metrics[name] if trivial else metrics[name]["value"]
        values[target, name] = math.nan if value is None else float(value)
    return values
