"""Judging a finished run: on the rows it was made with, or on other data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from bptrain.data.cleaning import OTHER, drop_missing_targets, with_label
from bptrain.data.files import AllowedPaths, digest
from bptrain.data.frame import Frame
from bptrain.data.load import from_pandas, load, make_frame, source_digests
from bptrain.data.options import DataOptions
from bptrain.data.readers.formats import format_by_name
from bptrain.errors import DataError, Problem, RunError, Warn, ignore
from bptrain.evaluation.evaluate import evaluate_predictions
from bptrain.evaluation.gates import apply_gates, check_gates, parse_gates
from bptrain.features import preparer
from bptrain.features.drift import Drift, measure_drift
from bptrain.fitting import artifacts
from bptrain.fitting.dataset import load_dataset, scratch_folder, split_rows
from bptrain.fitting.fit_model import predict_parts
from bptrain.fitting.inputs import drop_untrained_rows, final_split, prepare_rows
from bptrain.fitting.lock import require_same_files
from bptrain.messages import data as data_messages
from bptrain.messages import workflows as messages
from bptrain.models import predictor
from bptrain.runs.storage import Json
from bptrain.targets.classification.labels import frame_codes
from bptrain.targets.tasks import TASKS
from bptrain.workflows.run import DIVERGED, Evaluation, Run

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Judged:
    """Predictions, the `targets` part of metrics.json that was computed from them, and what was noticed on the way.

    `unknown` counts, per column, the cells whose label training rows never showed; `drift` compares the rows with
    those that trained the model.
    """

    report: dict[str, Json]
    table: pa.Table
    warnings: list[Problem]
    unknown: Mapping[str, int]
    drift: Sequence[Drift] = ()


def evaluate(
    run: Run, data: str | Path | pd.DataFrame | None, *, gates: Sequence[str], roots: AllowedPaths
) -> Evaluation:
    """Judge a run: on the rows it was made with, read anew, or on `data`, a file or a frame with the targets.

    Other data is all test rows, so the gates of the config on other parts rest.

    Raises:
        DataError: when the files of the run changed or `data` cannot be used.
        UsageError: for a wrong gate.
        RunError: when the rows are no longer split as the run was.
    """
    config = run.config
    wanted = [gate for gate in parse_gates(config.evaluation.gates) if gate.split == "test" or data is None]
    wanted += parse_gates(gates)
    check_gates(wanted, {name: TASKS[options.task].metrics for name, options in config.targets.items()})
    judged = judge_own_rows(run, roots) if data is None else judge_other_rows(run, data, roots)
    unknown = [
        messages.UNKNOWN_LABELS(name=name, n=n, n_rows=judged.table.num_rows) for name, n in judged.unknown.items()
    ]
    status = DIVERGED if run.diverged else "evaluated"
    verdicts = apply_gates(wanted, judged.report)
    return Evaluation(judged.report, judged.table, verdicts, status, [*judged.warnings, *unknown], list(judged.drift))


def judge_own_rows(run: Run, roots: AllowedPaths) -> Judged:
    """Judge a model on the rows it was made with; their files may lie anywhere, as their sha256 is known."""
    config, digests = run.config, data_digests(run)
    roots, scratch = roots.allowing(digests), scratch_folder(config)
    require_same_files(digests, source_digests(config.data, roots))  # before anything in a file is interpreted
    dataset = load_dataset(config, roots, scratch)
    require_same_files(digests, dataset.digests)  # again, as files may change between the two
    split = final_split(config, split_rows(dataset))
    split, _ = drop_untrained_rows(config, dataset.frame, split)
    model, weight = run.predictor, preparer.weight_column(config.columns)
    parts = {
        name: prepare_rows(model.columns, model.targets, dataset.frame.take(rows), weight, scratch)
        for name, rows in split.parts().items()
    }
    parts["train"] = replace(parts["train"], network_fold=split.network_fold)
    table = predict_parts(model, parts, scratch)
    if not table.select(["row", "split"]).equals(artifacts.read_split(run.files)):
        made_with = run.lock["versions"].get("scikit-learn", "?")
        raise RunError(messages.OTHER_SPLIT(version=made_with, where=run.path))
    return Judged(evaluate_predictions(table, model.targets), table, dataset.warnings, {})


def judge_other_rows(run: Run, data: str | Path | pd.DataFrame, roots: AllowedPaths) -> Judged:
    """Judge a model on rows that are not its own, all counted as test rows.

    Raises DataError for missing columns or targets, and when no row has a target.
    """
    source = str(data) if isinstance(data, (str, Path)) else ""
    warnings: list[Problem] = []
    frame = frame_of(data, run, roots, warn=warnings.append)
    warnings += _trained_on(run, data, roots)
    predictor.check_columns(run.features, frame.names, source=source)
    predictor.check_targets(run.config.targets, frame.names, source=source)
    model = run.predictor
    if run.config.clean.rare_class == "group":  # labels that training grouped, and new ones, are the label `other`
        for name, state in model.targets.items():
            if OTHER in state.labels:
                unknown = (frame_codes(frame, name, state.labels) < 0) & ~frame.is_missing(name)
                frame = with_label(frame, name, unknown, OTHER)
    kept, dropped = drop_missing_targets(frame, list(run.config.targets), run.config.clean)
    if not kept.n_rows:
        raise DataError(data_messages.NO_ROWS_TO_JUDGE(n=frame.n_rows, where=source))
    warnings += dropped
    weight = preparer.weight_column(run.config.columns)
    if weight is not None and weight not in frame.names:
        warnings.append(messages.NO_WEIGHTS(name=weight))
        weight = None
    rows = prepare_rows(model.columns, model.targets, kept, weight)
    table = predict_parts(model, {"test": rows})
    changes = preparer.transform(model.columns, kept)
    shifts = measure_drift(model.profile, kept, changes)
    return Judged(evaluate_predictions(table, model.targets), table, warnings, changes.unknown, shifts)


def frame_of(data: str | Path | pd.DataFrame, run: Run, roots: AllowedPaths, *, warn: Warn = ignore) -> Frame:
    """Rows of a file, read as the run's own files were, or of a pandas frame."""
    if not isinstance(data, (str, Path)):
        table = from_pandas(data, na_values=run.config.data.na_values)
        rows = np.arange(table.num_rows, dtype=np.int64)
        return replace(make_frame(table, rows, run.config.data, run.config.clean)[0], paths=roots)
    return load(file_options(run, data, roots), run.config.clean, roots, warn=warn).frame


def file_options(run: Run, data: str | Path, roots: AllowedPaths) -> DataOptions:
    """The run's options for reading files, with `data` (a path or pattern) instead of its own.

    The format goes by the names of the files; where one does not tell, it is the run's.
    """
    own = run.config.data
    telling = all(format_by_name(file) for file in roots.expand(data))
    changes = {"train": (str(data),), "validation": (), "test": (), "format": "auto" if telling else own.format}
    return own.model_copy(update=changes)


def data_digests(run: Run) -> dict[str, str]:
    """sha256 of each file that the run was made with, by the name in its config."""
    digests: dict[str, str] = run.lock["data"]
    return digests


def _trained_on(run: Run, data: object, roots: AllowedPaths) -> list[Problem]:
    """The warning that the rows to be judged include those that trained the model; only whole files are recognised."""
    held_out = (*run.config.data.validation, *run.config.data.test)
    trained = {
        known
        for name, known in data_digests(run).items()
        if not any(fnmatchcase(name, pattern) for pattern in held_out)
    }
    files = roots.expand(data) if isinstance(data, (str, Path)) else []
    return [messages.TRAINED_ON(where=file.name) for file in files if digest(file) in trained]
