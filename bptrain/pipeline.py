"""The story: check, fit, evaluate and predict, each as a few calls in order."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from bptrain import artifacts, cross_validation, environment, predictor, provenance, survey, trial, warm_start
from bptrain.columns import prepare as columns_prepare
from bptrain.columns.drift import Drift, drift
from bptrain.columns.infer import Kinds
from bptrain.columns.weights import weight_column
from bptrain.config.schema import Config
from bptrain.errors import DivergedError, Problem
from bptrain.judging.gates import apply_gates
from bptrain.judging.judge import judge
from bptrain.listener import Listener, Recorder, Silent
from bptrain.network import backend
from bptrain.predictor import Predictor
from bptrain.reports.cleaning import cleaning_text
from bptrain.runs import storage
from bptrain.runs.arrays import arrays_digest
from bptrain.runs.directory import PartialRun, claim
from bptrain.table.files import Roots
from bptrain.table.frame import Frame
from bptrain.table.load import digests_of
from bptrain.trial import Prepared, Trial
from bptrain.warm_start import Earlier

if TYPE_CHECKING:
    from bptrain.cross_validation import Folds
    from bptrain.training.train import Trained

SILENT = Silent()


def check(config: Config, roots: Roots) -> tuple[Config, Kinds, list[Problem]]:
    """Config and data problems, without TensorFlow: the settled config, each column's kind, and the warnings.

    Kinds are inferred from all rows of the training files, as no split is made.
    """
    found, _ = _look(config, roots)
    survey.check_split(found)
    settled, kinds = survey.settle_columns(found.config, found.frame.take(np.flatnonzero(found.given == "train")))
    survey.check_cells(found, settled)
    return settled, kinds, [*found.warnings, *kinds.warnings, *survey.doubts(found, None, settled.columns)]


def fit(config: Config, *, run: Path | None, stem: str, roots: Roots, listener: Listener = SILENT) -> Path:
    """Train, judge and seal a run; returns its directory.

    Raises UsageError and DataError before anything is trained, BusyError when another process builds the same run,
    and DivergedError after publishing a run whose training left the finite numbers. Failed gates are in metrics.json.
    """
    backend.require()
    with claim(run, stem=stem) as partial:
        recorder = Recorder(partial.path / "train.log", listener)
        clock = Clock()
        _warn(recorder, partial.notices)
        with clock("read"):
            found, earlier = _look(config, roots, partial.path)
            split = survey.split_rows(found)
        with clock("prepare"):
            ready = trial.prepare(found.config, found.frame, split, earlier, folder=partial.path)
        cleaned = [*found.cleaned, *ready.cleaned]
        doubts = survey.doubts(found, split, ready.config.columns)
        _warn(recorder, [*found.warnings, *ready.kinds.warnings, *doubts])
        _tell(recorder, cleaning_text(cleaned), trial.describe(ready))
        with clock("start"):
            trial.start(ready.config)
        with clock("folds"):
            folds = cross_validation.run(found, earlier, recorder, folder=partial.path)
        if folds is not None:
            recorder.stage("the published model")
        with clock("train"):
            events = partial.path / "tensorboard" if ready.config.training.tensorboard else None
            made = trial.train_and_refit(ready, found.frame, split, recorder, earlier, events=events)
            del ready
        with clock("judge"):
            table = trial.predictions(made.model, made.ready.parts, partial.path)
            made = made.without_rows()
            environment.give_back_memory()
            content = _metrics(made, judge(table, made.model.targets), folds, recorder)
        with clock("write"):
            _write(partial.path, found, made, table, content, earlier)
            artifacts.write_cleaning(partial.path, cleaned)
            if folds is not None:
                artifacts.write_predictions(partial.path, folds.predictions, name="out_of_fold.parquet")
        artifacts.write_timing(partial.path, clock.seconds, made.epoch_seconds)
        return _publish(partial, made.trained, listener)


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


def read_again(config: Config, digests: Mapping[str, str], roots: Roots) -> survey.Survey:
    """The rows that a run was made with; its files may lie anywhere, as their sha256 is known.

    Raises DataError when a file is not the one that the run was made with, before anything in it is interpreted.
    """
    roots = roots.allowing(digests)
    provenance.check_data(digests, digests_of(config.data, roots))
    found = survey.survey(config, roots, _scratch(config))
    provenance.check_data(digests, found.digests)  # again, as files may change between the two
    return found


def evaluate_again(saved: Predictor, found: survey.Survey) -> Judged:
    """Judge a model on the rows it was made with."""
    split = trial.final_split(found.config, survey.split_rows(found))
    split, _ = trial.trained_split(found.config, found.frame, split)
    weight, folder = weight_column(found.config.columns), _scratch(found.config)
    parts = {name: _part(saved, found.frame.take(rows), weight, folder) for name, rows in split.parts().items()}
    table = trial.predictions(saved, parts, folder)
    return Judged(judge(table, saved.targets), table, found.warnings, {})


def evaluate_on(saved: Predictor, frame: Frame, *, weight: str | None) -> Judged:
    """Judge a model on other rows, all counted as test rows; `frame` has the columns of the model and its targets.

    `weight` is the column of weights, or None to count all rows alike.
    """
    part = _part(saved, frame, weight)
    table = trial.predictions(saved, {"test": part})
    changes = columns_prepare.transform(saved.columns, frame)
    return Judged(judge(table, saved.targets), table, [], changes.unknown, drift(saved.profile, frame, changes))


class Clock:
    """Seconds by stage: `with clock("read"): …`."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        started = time.monotonic()
        yield
        environment.give_back_memory()
        self.seconds[stage] = time.monotonic() - started


def _look(config: Config, roots: Roots, folder: Path | None = None) -> tuple[survey.Survey, Earlier | None]:
    """The table, and the run to start from; both before anything is split. `folder` as of `load`."""
    earlier = warm_start.open_earlier(config, roots)
    if earlier is None:
        return survey.survey(config, roots, folder), None
    wanted = config.split
    found = survey.survey(warm_start.with_earlier(config, earlier), roots, folder)
    config, warnings = warm_start.with_earlier_columns(found.config, earlier, found.frame.names)
    config = survey.with_split(config.model_copy(update={"split": wanted}), found.frame.names)
    warnings += warm_start.shared_rows(config, found.digests, earlier)
    return replace(found, config=config, warnings=[*found.warnings, *warnings]), earlier


def _part(saved: Predictor, frame: Frame, weight: str | None, folder: Path | None = None) -> Prepared:
    return trial.prepared(saved.columns, saved.targets, frame, weight, folder)


def _scratch(config: Config) -> Path | None:
    """Where to keep the rows of a run whose own were streamed, as no run is being built: in files without names."""
    return Path(tempfile.gettempdir()) if config.data.residence == "stream" else None


def _tell(recorder: Recorder, *texts: str) -> None:
    for text in texts:
        if text:
            recorder.stage(text)


def _warn(recorder: Recorder, warnings: Iterable[Problem]) -> None:
    for warning in warnings:
        recorder.warning(warning)


def _metrics(made: Trial, report: dict[str, Any], folds: Folds | None, recorder: Recorder) -> dict[str, Any]:
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
            "epochs": len(selection.trained.history),
            "best_epoch": selection.trained.best_epoch,
            "stopped_by": made.trained.stopped_by if made.diverged else selection.trained.stopped_by,
            "final": "refit" if made.selection else "best",
        },
    )
    if made.selection is not None:
        content["selection"] = trial.selection_report(made.selection)
    if folds is not None:
        content["cross_validation"] = folds.summary
    return content


def _write(
    directory: Path,
    found: survey.Survey,
    made: Trial,
    table: pa.Table,
    content: dict[str, Any],
    earlier: Earlier | None,
) -> None:
    from bptrain.network.build import weights_of
    from bptrain.reports.curves import curves_svg

    chosen = (made.selection or made).trained
    predictor.save(made.model, made.config.model, directory)
    artifacts.write_config(directory, made.config, made.ready.kinds.reasons)
    artifacts.write_history(directory, chosen.history)
    artifacts.write_predictions(directory, table)
    storage.write_json(directory / "metrics.json", content)
    storage.write_text(directory / "curves.svg", curves_svg(chosen.history, chosen.best_epoch))
    results = {"weights": arrays_digest(weights_of(made.model.network))}
    lock = provenance.lock(
        made.config,
        found.digests,
        results,
        threads=backend.threads(),
        warm_start=earlier.provenance() if earlier else None,
    )
    storage.write_json(directory / "lock.json", lock)


def _publish(partial: PartialRun, trained: Trained, listener: Listener) -> Path:
    if trained.stopped_by != "diverged":
        return partial.publish(latest=True, warn=listener.warning)
    final = partial.publish(latest=False)
    raise DivergedError(
        Problem(
            "BP600",
            f"training diverged: the loss or a weight was no finite number in epoch {len(trained.history)}",
            where=str(final),
            hints=(
                "lower `training.optimizer.learning_rate`, for instance to a tenth",
                "look for extreme values in the columns; the run holds the last finite weights",
            ),
        )
    )
