"""The story: check, fit, evaluate and predict, each as a few calls in order."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from bptrain.config.schema import Config
from bptrain.data.files import AllowedPaths
from bptrain.data.frame import Frame
from bptrain.data.load import digests_of
from bptrain.data.report import Cleaned
from bptrain.data.split import Split
from bptrain.errors import DivergedError, Problem
from bptrain.evaluation.evaluate import evaluate
from bptrain.evaluation.gates import apply_gates
from bptrain.features import preparer
from bptrain.features.drift import Drift, drift
from bptrain.features.inference import Kinds
from bptrain.features.weights import weight_column
from bptrain.fitting import (
    artifacts,
    cross_validation,
    warm_start,
)
from bptrain.fitting import (
    dataset as survey,
)
from bptrain.fitting import (
    fit_model as trial,
)
from bptrain.fitting import (
    inputs as preparation,
)
from bptrain.fitting import (
    lock as provenance,
)
from bptrain.fitting import (
    resume as resuming,
)
from bptrain.fitting.fit_model import Trial
from bptrain.fitting.inputs import Prepared
from bptrain.fitting.journal import Journal
from bptrain.fitting.warm_start import BaseRun
from bptrain.models import backend, predictor
from bptrain.models.predictor import Predictor
from bptrain.reports.cleaning import cleaning_text
from bptrain.runs import storage
from bptrain.runs.directory import PartialRun, claim
from bptrain.runs.manifest import open_run
from bptrain.runs.names import check_name
from bptrain.training.progress import NullReporter, Reporter, RunLogger
from bptrain.utils import runtime

if TYPE_CHECKING:
    from bptrain.fitting.cross_validation import Folds
    from bptrain.training.state import TrainResult

SILENT = NullReporter()


def check(config: Config, roots: AllowedPaths) -> tuple[Config, Kinds, list[Problem]]:
    """Config and data problems, without TensorFlow: the settled config, each column's kind, and the warnings.

    Kinds are inferred from all rows of the training files, as no split is made.
    """
    found, _ = _look(config, roots)
    survey.check_split(found)
    settled, kinds = survey.settle_columns(found.config, found.frame.take(np.flatnonzero(found.given == "train")))
    survey.check_cells(found, settled)
    return settled, kinds, [*found.warnings, *kinds.warnings, *survey.doubts(found, None, settled.columns)]


def fit(
    config: Config,
    *,
    run: Path | None,
    stem: str,
    roots: AllowedPaths,
    reporter: Reporter = SILENT,
    resume: bool = False,
    locked: Path | None = None,
    until_step: Mapping[str, int] | None = None,
) -> Path:
    """Train, judge and seal a run; returns its directory.

    With `resume`, an unfinished run goes on, and a finished one of the same name is taken as it is. `locked` is the
    lock.json of a run that must have been made with the same inputs, and `until_step` as of `Journal`.

    Raises UsageError and DataError before anything is trained, BusyError when another process builds the same run,
    RunError when what `resume` or `locked` finds was made with other inputs, and DivergedError after publishing a run
    whose training left the finite numbers. Failed gates are in metrics.json.
    """
    runtime.configure()
    backend.require()
    if run is not None:
        check_name(run)
    if locked is not None:  # before anything that an earlier attempt left is touched
        provenance.require_same(provenance.read_lock(locked), current_inputs(config, roots))
    if resume and run is not None and os.path.lexists(run):
        return _confirmed(config, run, roots, reporter)
    with claim(run, stem=stem, resume=resume) as partial:
        clock = Clock()
        _welcome(partial, reporter)
        with clock("read"):
            found, earlier = _look(config, roots, partial.path)
            split = survey.split_rows(found)
        with clock("prepare"):
            ready = preparation.prepare(found.config, found.frame, split, earlier, folder=partial.path)
            inputs = _inputs(ready.config, found, split, earlier)
        if resuming.is_sealed(partial, inputs):
            return _publish(partial, storage.read_json(partial.path / "metrics.json"), reporter)
        journal, begun = resuming.journal(
            partial,
            inputs,
            several=_is_several(ready.config, split),
            until_step=until_step,
            warn=reporter.warning,
        )
        recorder = RunLogger(partial.path / "train.log", reporter)
        job = _Job(partial, found, split, earlier, [*found.cleaned, *ready.cleaned], begun, journal, recorder, clock)
        _announce(job, ready)
        with clock("start"):  # here, as TensorFlow keeps the stack it was started from, and with it what that holds
            trial.start(ready.config)
        folds, made = _trained(job, ready)
        del ready  # prepared rows take the most memory: nobody holds them any more while predictions are judged
        with clock("predict"):
            table = trial.predictions(made.model, made.ready.parts, partial.path, known=made.known)
            made = made.without_rows()
        return _publish(partial, _judged(job, made, table, folds), reporter)


@dataclass(frozen=True)
class _Job:
    """What all stages of a fit share."""

    partial: PartialRun
    found: survey.Dataset
    split: Split
    earlier: BaseRun | None
    cleaned: Sequence[Cleaned]
    inputs: Mapping[str, Any]
    journal: Journal
    recorder: RunLogger
    clock: Clock

    @property
    def folder(self) -> Path:
        return self.partial.path


def _welcome(partial: PartialRun, reporter: Reporter) -> None:
    """Say what was found in the place of the run."""
    for notice in partial.notices:
        reporter.warning(notice)
    if partial.resumed:
        reporter.stage(f"goes on with {partial.path}")


def _announce(job: _Job, ready: preparation.Ready) -> None:
    """Warn of what is doubtful, and say what is going to be trained on."""
    doubts = survey.doubts(job.found, job.split, ready.config.columns)
    _warn(job.recorder, [*job.found.warnings, *ready.kinds.warnings, *doubts])
    _tell(job.recorder, cleaning_text(job.cleaned), preparation.describe(ready))


def _trained(job: _Job, ready: preparation.Ready) -> tuple[Folds | None, Trial]:
    """The models of the folds, judged, and the one to publish, all with the settled config of the latter.

    So the config of the run gives the same folds again.
    """
    recorder, clock = job.recorder, job.clock
    found = replace(job.found, config=ready.config)
    with clock("folds"):
        folds = cross_validation.run(found, job.split, job.earlier, recorder, job.journal, folder=job.folder)
    if folds is not None:
        recorder.stage("the published model")
    with clock("train"):
        events = job.folder / "tensorboard" if ready.config.training.tensorboard else None
        made = trial.train_and_refit(
            ready, found.frame, job.split, recorder, job.earlier, journal=job.journal, events=events
        )
    return folds, made


def _judged(job: _Job, made: Trial, table: pa.Table, folds: Folds | None) -> dict[str, Any]:
    """Judge the predictions and write the files of the run; returns the content of metrics.json."""
    with job.clock("judge"):
        content = _metrics(made, evaluate(table, made.model.targets), folds, job.recorder)
    with job.clock("write"), storage.disk_errors(job.folder):
        _write(job.folder, made, table, content)
        artifacts.write_cleaning(job.folder, job.cleaned)
        if folds is not None:
            artifacts.write_predictions(job.folder, folds.predictions, name="out_of_fold.parquet")
        artifacts.write_lock(job.folder, job.inputs, job.journal, made.model, content)
    artifacts.write_timing(job.folder, job.clock.seconds, made.epoch_seconds)
    return content


@dataclass(frozen=True)
class Judged:
    """The `targets` part of metrics.json, the predictions it was computed from, and what was noticed on the way.

    `unknown` counts, per column, the cells whose label training rows never showed; `drift` compares the rows with
    those that trained the model.
    """

    report: dict[str, Any]
    table: pa.Table
    warnings: list[Problem]
    unknown: Mapping[str, int]
    drift: Sequence[Drift] = ()


def read_again(config: Config, digests: Mapping[str, str], roots: AllowedPaths) -> survey.Dataset:
    """The rows that a run was made with; its files may lie anywhere, as their sha256 is known.

    Raises DataError when a file is not the one that the run was made with, before anything in it is interpreted.
    """
    roots = roots.allowing(digests)
    provenance.check_data(digests, digests_of(config.data, roots))
    found = survey.survey(config, roots, _scratch(config))
    provenance.check_data(digests, found.digests)  # again, as files may change between the two
    return found


def evaluate_again(saved: Predictor, found: survey.Dataset) -> Judged:
    """Judge a model on the rows it was made with."""
    split = preparation.final_split(found.config, survey.split_rows(found))
    split, _ = preparation.trained_split(found.config, found.frame, split)
    weight, folder = weight_column(found.config.columns), _scratch(found.config)
    parts = {name: _part(saved, found.frame.take(rows), weight, folder) for name, rows in split.parts().items()}
    parts["train"] = replace(parts["train"], left_out=split.left_out)
    table = trial.predictions(saved, parts, folder)
    return Judged(evaluate(table, saved.targets), table, found.warnings, {})


def evaluate_on(saved: Predictor, frame: Frame, *, weight: str | None) -> Judged:
    """Judge a model on other rows, all counted as test rows; `frame` has the columns of the model and its targets.

    `weight` is the column of weights, or None to count all rows alike.
    """
    part = _part(saved, frame, weight)
    table = trial.predictions(saved, {"test": part})
    changes = preparer.transform(saved.columns, frame)
    return Judged(evaluate(table, saved.targets), table, [], changes.unknown, drift(saved.profile, frame, changes))


class Clock:
    """Seconds by stage: `with clock("read"): …`."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        started = time.monotonic()
        yield
        runtime.give_back_memory()
        self.seconds[stage] = time.monotonic() - started


def current_inputs(config: Config, roots: AllowedPaths) -> dict[str, Any]:
    """The part of lock.json that is known before training, as a `fit` would find it now. Raises as `fit`."""
    runtime.configure()
    backend.require()
    found, earlier = _look(config, roots, _scratch(config))
    split = survey.split_rows(found)
    ready = preparation.prepare(found.config, found.frame, split, earlier, folder=_scratch(config))
    return _inputs(ready.config, found, split, earlier)


def _look(config: Config, roots: AllowedPaths, folder: Path | None = None) -> tuple[survey.Dataset, BaseRun | None]:
    """The table, and the run to start from; both before anything is split. `folder` as of `load`."""
    earlier = warm_start.open_earlier(config, roots)
    if earlier is None:
        return survey.survey(config, roots, folder), None
    wanted = config.split
    found = survey.survey(warm_start.with_earlier(config, earlier), roots, folder)
    config, warnings = warm_start.with_earlier_columns(found.config, earlier, found.frame.names)
    config = survey.with_split(config.model_copy(update={"split": wanted}), found)
    warnings += warm_start.shared_rows(config, found.digests, earlier)
    return replace(found, config=config, warnings=[*found.warnings, *warnings]), earlier


def _part(saved: Predictor, frame: Frame, weight: str | None, folder: Path | None = None) -> Prepared:
    return preparation.prepared(saved.columns, saved.targets, frame, weight, folder)


def _scratch(config: Config) -> Path | None:
    """Where to keep the rows of a run whose own were streamed, as no run is being built: in files without names."""
    return Path(tempfile.gettempdir()) if config.data.residence != "memory" else None


def _tell(recorder: RunLogger, *texts: str) -> None:
    for text in texts:
        if text:
            recorder.stage(text)


def _warn(recorder: RunLogger, warnings: Iterable[Problem]) -> None:
    for warning in warnings:
        recorder.warning(warning)


def _metrics(made: Trial, report: dict[str, Any], folds: Folds | None, recorder: RunLogger) -> dict[str, Any]:
    config, selection = made.config, made.selection or made
    verdicts = [] if made.diverged else apply_gates(survey.gates_of(config), report)
    content = artifacts.metrics_json(
        report,
        status="diverged" if made.diverged else "completed",
        primary=config.evaluation.primary,
        verdicts=verdicts,
        warnings=recorder.warnings,
        seed=config.seed,
        training={
            "networks": [_network_report(each) for each in (made if made.diverged else selection).trained],
            "final": "refit" if made.selection else "best",
        },
    )
    if made.selection is not None:
        content["selection"] = trial.selection_report(made.selection)
    if folds is not None:
        content["cross_validation"] = folds.summary
    return content


def _network_report(trained: TrainResult) -> dict[str, Any]:
    return {
        "epochs": len(trained.history),
        "best_epoch": trained.best_epoch,
        "stopped_by": trained.stopped_by,
    }


def _write(directory: Path, made: Trial, table: pa.Table, content: dict[str, Any]) -> None:
    from bptrain.reports.curves import curves_svg

    chosen = (made.selection or made).trained
    histories = [(each.history, each.best_epoch) for each in chosen]
    predictor.save(made.model, made.config.model, directory)
    artifacts.write_config(directory, made.config, made.ready.kinds.reasons)
    artifacts.write_history(directory, [history for history, _ in histories])
    artifacts.write_predictions(directory, table)
    storage.write_json(directory / "metrics.json", content)
    storage.write_text(directory / "curves.svg", curves_svg(histories))


def _publish(partial: PartialRun, metrics: Mapping[str, Any], reporter: Reporter) -> Path:
    """Give the run its name; raises DivergedError after that if its training diverged."""
    ended = metrics["status"] == "diverged"
    final = partial.publish(latest=not ended, warn=reporter.warning)
    if ended:
        raise _diverged(final, metrics["training"]["networks"])
    return final


def _diverged(run: Path, networks: Sequence[Mapping[str, Any]]) -> DivergedError:
    """The error that ends a run of which a training left the finite numbers in its last epoch."""
    epochs = next(each["epochs"] for each in networks if each["stopped_by"] == "diverged")
    return DivergedError(
        Problem(
            "BP600",
            f"training diverged: the loss or a weight was no finite number in epoch {epochs}",
            where=str(run),
            hints=(
                "lower `training.optimizer.learning_rate`, for instance to a tenth",
                "look for extreme values in the columns; the run holds the last finite weights",
            ),
        )
    )


def _confirmed(config: Config, run: Path, roots: AllowedPaths, reporter: Reporter) -> Path:
    """A run that is complete already, if it was made with the same inputs."""
    made = open_run(run)
    resuming.refuse_others(made.path("lock.json"), current_inputs(config, roots), run)
    reporter.stage("the run is complete already")
    metrics = made.read_json("metrics.json")
    if metrics["status"] == "diverged":
        raise _diverged(run, metrics["training"]["networks"])
    return run


def _inputs(config: Config, found: survey.Dataset, split: Split, earlier: BaseRun | None) -> dict[str, Any]:
    """The part of lock.json that is known before training."""
    warm_start = earlier.provenance() if earlier else None
    return provenance.inputs(config, found.digests, found.frame, split, warm_start=warm_start)


def _is_several(config: Config, split: Split) -> bool:
    """Whether the run trains more than once."""
    return (
        config.model.networks != 1
        or bool(config.split.folds)
        or (config.training.final == "refit" and len(split.validation) > 0)
    )
