"""`bptrain fit`: load, split, resolve, prepare, train, evaluate, seal."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from bptrain.config.schema import Config
from bptrain.data.files import AllowedPaths
from bptrain.errors import DivergedError
from bptrain.evaluation.evaluate import evaluate_predictions
from bptrain.evaluation.gates import apply_gates, parse_gates
from bptrain.fitting import artifacts
from bptrain.fitting.cross_validation import Folds, cross_validate
from bptrain.fitting.dataset import find_doubts, load_dataset, scratch_folder, split_rows
from bptrain.fitting.fit_model import TrainedModel, fit_model, predict_parts, report_selection
from bptrain.fitting.inputs import count_ignored, resolve_config, transform_parts
from bptrain.fitting.lock import describe_inputs, read_lock, require_same, write_lock
from bptrain.fitting.resume import FitContext, open_resume_state, refuse_other_inputs
from bptrain.fitting.warm_start import open_base_run
from bptrain.messages import workflows as messages
from bptrain.models import backend, predictor
from bptrain.reports.run import cleaning_table
from bptrain.reports.text import report_text
from bptrain.runs import storage
from bptrain.runs.directory import PartialRun, acquire_run, check_name
from bptrain.runs.manifest import open_run
from bptrain.runs.storage import Json
from bptrain.training.progress import NullReporter, Reporter, RunLogger
from bptrain.utils import runtime

SILENT = NullReporter()


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

    Args:
        config: as it was loaded.
        run: the directory of the run; None: the next `runs/<stem>-NNNN`.
        stem: the name of the config, for runs without a name of their own.
        roots: where files may lie.
        reporter: is told what happens.
        resume: an unfinished run goes on, and a finished one of the same name is taken as it is.
        locked: the lock.json of a run that must have been made with the same inputs.
        until_step: as of `ResumeState`.

    Raises:
        UsageError, DataError: before anything is trained.
        BusyError: another process builds the same run.
        RunError: what `resume` or `locked` finds was made with other inputs.
        DivergedError: after publishing a run whose training left the finite numbers. Failed gates are in metrics.json.
    """
    runtime.configure()
    backend.require()
    if run is not None:
        check_name(run)
    if locked is not None:  # before anything that an earlier attempt left is touched
        require_same(read_lock(locked), current_inputs(config, roots))
    if resume and run is not None and os.path.lexists(run):
        return _confirm_finished(config, run, roots, reporter)
    with acquire_run(run, stem=stem, resume=resume) as partial:
        for notice in partial.notices:
            reporter.warning(notice)
        if partial.resumed:
            reporter.stage(f"goes on with {partial.path}")
        metrics = _make_run(config, partial, roots, reporter, until_step)
        diverged = metrics["status"] == "diverged"
        final = partial.publish(latest=not diverged, warn=reporter.warning)
        if diverged:
            raise _diverged(final, metrics["training"]["networks"])
        return final


def _make_run(
    config: Config, partial: PartialRun, roots: AllowedPaths, reporter: Reporter, until_step: Mapping[str, int] | None
) -> Mapping[str, Json]:
    """Make the files of a run; returns the content of metrics.json."""
    clock, folder = Clock(), partial.path
    with clock("read"):
        base_run = open_base_run(config.model.from_run, roots) if config.model.from_run else None
        dataset = load_dataset(config, roots, folder, base_run)
        split = split_rows(dataset)
    with clock("prepare"):
        resolved, kinds, learned = resolve_config(dataset, split, base_run)
        record, complete = describe_inputs(resolved.complete, dataset, split, base_run), resolved.complete
        if partial.resumed and partial.is_sealed():  # it was complete but for its name when it was interrupted
            refuse_other_inputs(folder / "lock.json", record, folder)
            return dict(storage.read_json(folder / "metrics.json"))
        inputs = transform_parts(resolved, learned, dataset.frame, folder)
    refits = resolved.training.final == "refit" and len(split.validation) > 0
    several = resolved.model.networks != 1 or bool(complete.split.folds) or refits
    state, begun = open_resume_state(partial, record, several=several, until_step=until_step, warn=reporter.warning)
    logger = RunLogger(folder / "train.log", reporter)
    cleaned = [*dataset.cleaned, *count_ignored(kinds), *inputs.cleaned]
    for warning in (*dataset.warnings, *kinds.warnings, *find_doubts(dataset, split, complete.columns)):
        logger.warning(warning)
    for text in filter(None, (report_text([cleaning_table(cleaned)]), str(inputs))):
        logger.stage(text)
    with clock("start"):  # here, as TensorFlow keeps the stack it was started from, and with it what that holds
        backend.start(threads=resolved.training.threads)
    context = FitContext(logger, state, base_run, folder / "tensorboard" if resolved.training.tensorboard else None)
    with clock("folds"):
        crossed = complete.split.folds
        folds = cross_validate(dataset, resolved, context, published=split, folder=folder) if crossed else None
    dataset.frame.forget_numbers()  # folds share what was parsed; training needs the memory
    with clock("train"):
        model = fit_model(inputs, dataset.frame, split, context, published=split, folder=folder)
    del inputs  # prepared rows take the most memory: nobody holds them any more while predictions are judged
    with clock("predict"):
        table = predict_parts(model.predictor, model.inputs.parts, folder, known=model.outputs)
        model = replace(model, inputs=replace(model.inputs, parts={}), outputs={})  # which take most memory
    with clock("judge"):
        metrics = _describe(model, evaluate_predictions(table, model.predictor.targets), folds, logger)
    with clock("write"), storage.disk_errors(folder):
        _write_model(folder, model, kinds.reasons)
        artifacts.write_cleaning(folder, cleaned)
        artifacts.write_predictions(folder, table)
        if folds is not None:
            artifacts.write_predictions(folder, folds.predictions, name="out_of_fold.parquet")
        storage.write_json(folder / "metrics.json", dict(metrics))
        write_lock(folder, begun, state.done, weights=model.predictor.weights(), metrics=metrics)
    trainings = [*(model.selection.bag.results if model.selection else []), *model.bag.results]
    artifacts.write_timing(folder, clock.seconds, trainings)
    return metrics


@dataclass(frozen=True)
class Clock:
    """Seconds by stage: `with clock("read"): …`."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        started = time.monotonic()
        yield
        runtime.give_back_memory()
        self.seconds[stage] = time.monotonic() - started


def current_inputs(config: Config, roots: AllowedPaths) -> dict[str, Json]:
    """The part of lock.json that is known before training, as a `fit` would find it now. Raises as `fit`."""
    runtime.configure()
    backend.require()
    base_run = open_base_run(config.model.from_run, roots) if config.model.from_run else None
    dataset = load_dataset(config, roots, scratch_folder(config), base_run)
    split = split_rows(dataset)
    resolved, *_ = resolve_config(dataset, split, base_run)
    return describe_inputs(resolved.complete, dataset, split, base_run)


def _describe(
    model: TrainedModel, report: dict[str, Json], folds: Folds | None, logger: RunLogger
) -> Mapping[str, Json]:
    """The content of metrics.json."""
    config = model.inputs.config.complete
    results = (model if model.diverged else model.selection or model).bag.results  # those that chose the epochs
    content = artifacts.metrics_json(
        report,
        status="diverged" if model.diverged else "completed",
        primary=config.evaluation.primary,
        verdicts=[] if model.diverged else apply_gates(parse_gates(config.evaluation.gates), report),
        warnings=logger.warnings,
        seed=config.seed,
        training={
            "networks": [
                {
                    "epochs": len(result.history),
                    "best_epoch": result.best_epoch,
                    "stopped_by": result.stopped_by,
                }
                for result in results
            ],
            "final": "refit" if model.selection else "best",
        },
    )
    if model.selection is not None:
        content["selection"] = report_selection(model.selection)
    if folds is not None:
        content["cross_validation"] = folds.summary
    return content


def _write_model(folder: Path, model: TrainedModel, reasons: Mapping[str, str]) -> None:
    """The model, its config and how its training went."""
    from bptrain.reports.run import curves_svg, learning_curves

    histories = [(result.history, result.best_epoch) for result in (model.selection or model).bag.results]
    storage.write_text(folder / "curves.svg", curves_svg(learning_curves(histories)))
    predictor.save(model.predictor, model.inputs.config.model, folder)
    artifacts.write_config(folder, model.inputs.config.complete, reasons)
    artifacts.write_history(folder, [history for history, _ in histories])


def _diverged(run: Path, networks: Sequence[Mapping[str, Json]]) -> DivergedError:
    """The error that ends a run of which a training left the finite numbers in its last epoch."""
    epoch = next(network["epochs"] for network in networks if network["stopped_by"] == "diverged")
    return DivergedError(messages.DIVERGED(epoch=epoch, where=run))


def _confirm_finished(config: Config, run: Path, roots: AllowedPaths, reporter: Reporter) -> Path:
    """A run that is complete already, if it was made with the same inputs."""
    files = open_run(run)
    refuse_other_inputs(files.path("lock.json"), current_inputs(config, roots), run)
    reporter.stage("the run is complete already")
    metrics = files.read_json("metrics.json")
    if metrics["status"] == "diverged":
        raise _diverged(run, metrics["training"]["networks"])
    return run
