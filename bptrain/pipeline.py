"""The story: check, fit, evaluate and predict, each as a few calls in order."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from bptrain import artifacts, predictor, provenance, survey
from bptrain.columns import prepare as columns_prepare
from bptrain.columns.infer import Kinds
from bptrain.config.schema import Config
from bptrain.errors import DivergedError, Problem
from bptrain.judging.gates import apply_gates
from bptrain.judging.judge import judge, score
from bptrain.judging.predictions import predictions_table
from bptrain.listener import Listener, Recorder, Silent
from bptrain.predictor import Predictor
from bptrain.runs import storage
from bptrain.runs.arrays import arrays_digest
from bptrain.runs.directory import PartialRun, claim
from bptrain.table.files import Roots
from bptrain.table.frame import Frame
from bptrain.table.load import digests_of
from bptrain.table.split import Split
from bptrain.targets import prepare as targets_prepare

if TYPE_CHECKING:
    from bptrain.training.train import Trained

SILENT = Silent()


@dataclass(frozen=True)
class Prepared:
    """One part, ready for the network: its row numbers, network inputs, and targets as numbers and as labels."""

    rows: np.ndarray
    inputs: Mapping[str, np.ndarray]
    encoded: list[np.ndarray]
    truths: Mapping[str, pa.Array]


def check(config: Config, roots: Roots) -> tuple[Config, Kinds, list[Problem]]:
    """Config and data problems, without TensorFlow: the settled config, each column's kind, and the warnings.

    Kinds are inferred from all rows of the training files, as no split is made.
    """
    found = survey.survey(config, roots)
    survey.check_split(found)
    settled, kinds = survey.settle_columns(found.config, found.frame.take(np.flatnonzero(found.given == "train")))
    survey.check_cells(found, settled)
    return settled, kinds, [*found.warnings, *kinds.warnings]


def fit(config: Config, *, run: Path | None, stem: str, roots: Roots, listener: Listener = SILENT) -> Path:
    """Train, judge and seal a run; returns its directory.

    Raises UsageError and DataError before anything is trained, BusyError when another process builds the same run,
    and DivergedError after publishing a run whose training left the finite numbers. Failed gates are in metrics.json.
    """
    with claim(run, stem=stem) as partial:
        recorder = Recorder(partial.path / "train.log", listener)
        for notice in partial.notices:
            recorder.warning(notice)
        clock = Clock()
        with clock("read"):
            found, config, split, kinds = _look(config, roots, recorder)
        with clock("prepare"):
            columns, targets, parts = _prepare(config, found.frame, split)
        config = config.model_copy(update={"targets": targets_prepare.written_back(config.targets, targets)})
        with clock("start"):
            model = _build(config, columns, targets)
        recorder.stage(_describe(parts, columns))
        with clock("train"):
            trained = _train(model, parts, config, recorder)
        with clock("judge"):
            table = _predictions(model, found.frame, parts)
            report = judge(table, targets)
        content = _metrics(config, report, trained, recorder)
        with clock("write"):
            _write(partial.path, config, kinds, found, model, trained, table, content)
        artifacts.write_timing(partial.path, clock.seconds, trained.seconds)
        return _publish(partial, trained, listener)


@dataclass(frozen=True)
class Judged:
    """The `targets` part of metrics.json, the predictions it was computed from, and what was noticed on the way.

    `unknown` counts, per column, the cells whose label training rows never showed.
    """

    report: dict[str, Any]
    table: pa.Table
    warnings: list[Problem]
    unknown: Mapping[str, int]


def read_again(config: Config, digests: Mapping[str, str], roots: Roots) -> survey.Survey:
    """The rows that a run was made with; its files may lie anywhere, as their sha256 is known.

    Raises DataError when a file is not the one that the run was made with, before anything in it is interpreted.
    """
    roots = roots.allowing(digests)
    provenance.check_data(digests, digests_of(config.data, roots))
    found = survey.survey(config, roots)
    provenance.check_data(digests, found.digests)  # again, as files may change between the two
    return found


def evaluate_again(saved: Predictor, found: survey.Survey) -> Judged:
    """Judge a model on the rows it was made with."""
    split = survey.split_rows(found)
    parts = {name: _part(saved, found.frame.take(rows)) for name, rows in split.parts().items()}
    table = _predictions(saved, found.frame, parts)
    return Judged(judge(table, saved.targets), table, found.warnings, {})


def evaluate_on(saved: Predictor, frame: Frame) -> Judged:
    """Judge a model on other rows, all counted as test rows; `frame` has the columns of the model and its targets."""
    part = _part(saved, frame)
    table = _predictions(saved, frame, {"test": part})
    unknown = columns_prepare.transform(saved.columns, frame).unknown
    return Judged(judge(table, saved.targets), table, [], unknown)


class Clock:
    """Seconds by stage: `with clock("read"): …`."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        started = time.monotonic()
        yield
        self.seconds[stage] = time.monotonic() - started


def _look(config: Config, roots: Roots, recorder: Recorder) -> tuple[survey.Survey, Config, Split, Kinds]:
    found = survey.survey(config, roots)
    split = survey.split_rows(found)
    config, kinds = survey.settle_columns(found.config, found.frame.take(split.train))
    for warning in (*found.warnings, *kinds.warnings):
        recorder.warning(warning)
    return found, config, split, kinds


def _prepare(
    config: Config, frame: Frame, split: Split
) -> tuple[columns_prepare.Columns, targets_prepare.Targets, dict[str, Prepared]]:
    training = frame.take(split.train)
    columns = columns_prepare.learn(training, config.columns)
    targets = targets_prepare.learn(training, config.targets)
    parts = {name: _prepared(columns, targets, frame.take(rows)) for name, rows in split.parts().items()}
    return columns, targets, parts


def _prepared(columns: columns_prepare.Columns, targets: targets_prepare.Targets, frame: Frame) -> Prepared:
    return Prepared(
        frame.rows,
        columns_prepare.transform_strictly(columns, frame),
        targets_prepare.encode(targets, frame),
        targets_prepare.truths(targets, frame),
    )


def _part(saved: Predictor, frame: Frame) -> Prepared:
    return _prepared(saved.columns, saved.targets, frame)


def _build(config: Config, columns: columns_prepare.Columns, targets: targets_prepare.Targets) -> Predictor:
    from bptrain.network import backend

    backend.start(threads=config.training.threads)
    backend.fresh_names()
    from bptrain.network.build import build

    return Predictor(columns, targets, build(columns, targets, config.model, seed=config.seed))


def _train(model: Predictor, parts: Mapping[str, Prepared], config: Config, recorder: Recorder) -> Trained:
    from bptrain.network.build import losses, output_name
    from bptrain.training.batches import Examples
    from bptrain.training.train import train

    def examples(part: Prepared) -> Examples:
        truths = {output_name(position): truth for position, truth in enumerate(part.encoded)}
        return Examples(part.inputs, truths)

    first, state = next(iter(model.targets.items()))
    primary, validation = config.evaluation.primary, parts.get("validation")

    def primary_score(outputs: Mapping[str, np.ndarray]) -> dict[str, float]:
        if validation is None:
            return {}
        return {primary: score(state, validation.truths[first], outputs[output_name(0)], primary)}

    trained = train(
        model.network,
        examples(parts["train"]),
        None if validation is None else examples(validation),
        losses(model.targets),
        config.training,
        seed=config.seed,
        score=primary_score,
        on_epoch=lambda row: recorder.epoch(row, config.training.epochs),
    )
    if validation is not None and not any(np.isfinite(row["validation_loss"]) for row in trained.history):
        recorder.warning(Problem("BP601", "the loss on validation rows was never a finite number"))
    recorder.stage(
        f"stopped by {trained.stopped_by} after epoch {len(trained.history)}, kept epoch {trained.best_epoch}"
    )
    return trained


def _predictions(model: Predictor, frame: Frame, parts: Mapping[str, Prepared]) -> pa.Table:
    """The table of predictions for all parts, in the order of the rows."""
    tables = [
        predictions_table(model.targets, model.outputs(part.inputs), part.truths, part.rows, [name] * len(part.rows))
        for name, part in parts.items()
    ]
    table = pa.concat_tables(tables)
    return table.take(pa.array(np.argsort(table["row"].to_numpy(), kind="stable"))).combine_chunks()


def _metrics(config: Config, report: dict[str, Any], trained: Trained, recorder: Recorder) -> dict[str, Any]:
    verdicts = [] if trained.stopped_by == "diverged" else apply_gates(survey.gates_of(config), report)
    return artifacts.metrics_json(
        report,
        status="diverged" if trained.stopped_by == "diverged" else "completed",
        primary=config.evaluation.primary,
        verdicts=verdicts,
        warnings=recorder.warnings,
        seed=config.seed,
        training={
            "epochs": len(trained.history),
            "best_epoch": trained.best_epoch,
            "stopped_by": trained.stopped_by,
        },
    )


def _write(
    directory: Path,
    config: Config,
    kinds: Kinds,
    found: survey.Survey,
    model: Predictor,
    trained: Trained,
    table: pa.Table,
    content: dict[str, Any],
) -> None:
    from bptrain.network import backend
    from bptrain.network.build import weights_of
    from bptrain.reports.curves import curves_svg

    predictor.save(model, config.model, directory)
    artifacts.write_config(directory, config, kinds.reasons)
    artifacts.write_history(directory, trained.history)
    artifacts.write_predictions(directory, table)
    storage.write_json(directory / "metrics.json", content)
    storage.write_text(directory / "curves.svg", curves_svg(trained.history, trained.best_epoch))
    results = {"weights": arrays_digest(weights_of(model.network))}
    storage.write_json(
        directory / "lock.json", provenance.lock(config, found.digests, results, threads=backend.threads())
    )


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


def _describe(parts: Mapping[str, Prepared], columns: columns_prepare.Columns) -> str:
    rows = ", ".join(f"{len(part.rows)} {name}" for name, part in parts.items())
    kinds = ", ".join(f"{len(state.columns)} {kind}" for kind, state in columns.items())
    return f"{rows} rows; columns: {kinds}"
