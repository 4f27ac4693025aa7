"""Judging a finished run: on the rows it was made with, or on other data."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bptrain.data.chunks import Warn, ignore
from bptrain.data.cleaning import OTHER, drop_missing_targets, with_label
from bptrain.data.files import AllowedPaths, digest
from bptrain.data.frame import Frame
from bptrain.data.from_pandas import from_pandas
from bptrain.data.load import frame_of as as_read
from bptrain.data.load import load
from bptrain.data.options import DataOptions
from bptrain.data.readers.read import format_by_name
from bptrain.errors import DataError, Problem, RunError
from bptrain.evaluation.gates import Gate, apply_gates, check_gates, parse_gates
from bptrain.features.weights import weight_column
from bptrain.fitting import artifacts
from bptrain.fitting import dataset as survey
from bptrain.models import predictor
from bptrain.targets.classification.labels import frame_codes
from bptrain.utils.text import escape
from bptrain.workflows import fit as pipeline
from bptrain.workflows.run import DIVERGED, Evaluation, Run

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


def evaluate(
    run: Run, data: str | Path | pd.DataFrame | None, *, gates: Sequence[str], roots: AllowedPaths
) -> Evaluation:
    """Judge `run`; see `Run.evaluate`."""
    wanted = _gates(run, gates, other_data=data is not None)
    warnings: list[Problem] = []
    if data is None:
        found = pipeline.read_again(run.config, data_digests(run), roots)
        judged = pipeline.evaluate_again(run.predictor, found)
        _check_split(run, judged.table)
    else:
        frame = frame_of(data, run, roots, warn=warnings.append)
        warnings += _trained_on(run, data, roots)
        frame, dropped = _judgeable(frame, run, source=_name(data))
        weight, unweighted = _weight_column(run, frame)
        judged = pipeline.evaluate_on(run.predictor, frame, weight=weight)
        warnings += [*dropped, *unweighted]
    warnings += judged.warnings
    warnings += [unknown_labels(name, n, judged.table.num_rows) for name, n in judged.unknown.items()]
    status = DIVERGED if run.diverged else "evaluated"
    verdicts = apply_gates(wanted, judged.report)
    return Evaluation(judged.report, judged.table, verdicts, status, warnings, list(judged.drift))


def unknown_labels(name: str, n_unknown: int, n_rows: int) -> Problem:
    """The warning of cells of a column whose label training rows never showed."""
    text = f"column `{escape(name)}`: {n_unknown} of {n_rows} cells hold labels that training rows never showed"
    return Problem("BP235", text)


def frame_of(data: str | Path | pd.DataFrame, run: Run, roots: AllowedPaths, *, warn: Warn = ignore) -> Frame:
    """Rows of a file, read as the run's own files were, or of a pandas frame."""
    if not isinstance(data, (str, Path)):
        table = from_pandas(data, na_values=run.config.data.na_values)
        rows = np.arange(table.num_rows, dtype=np.int64)
        return as_read(table, rows, run.config.data, run.config.clean)[0]
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
    return [
        Problem(
            "BP304",
            "this file is one that the model was trained on: its metrics flatter the model",
            where=escape(file.name),
            hints=("judge rows that the run has not seen; without --data its own test rows are judged",),
        )
        for file in files
        if digest(file) in trained
    ]


def _weight_column(run: Run, frame: Frame) -> tuple[str | None, list[Problem]]:
    """The run's column of weights, if the rows have it, and a warning if they do not."""
    name = weight_column(run.config.columns)
    if name is None or name in frame.names:
        return name, []
    text = f"the rows have no column `{escape(name)}`, the weights of the run, so all rows count alike"
    return None, [Problem("BP308", text, hints=("add the column if the metrics are to be weighted",))]


def _check_split(run: Run, table: pa.Table) -> None:
    """Raise RunError unless the judged rows are in the parts that they were in when the run was made."""
    if not table.select(["row", "split"]).equals(artifacts.read_split(run.files)):
        made_with = run.lock["versions"].get("scikit-learn", "?")
        raise RunError(
            Problem(
                "BP518",
                "the rows are not split as when the run was made: another scikit-learn splits otherwise",
                where=escape(run.path),
                hints=(
                    f"use the version that made the run: `pip install scikit-learn=={escape(made_with)}`",
                    "the run's own judgement stands: `bptrain inspect` shows it",
                ),
            )
        )


def _judgeable(frame: Frame, run: Run, *, source: str) -> tuple[Frame, list[Problem]]:
    """The rows that have every target, and a warning of others.

    Raises DataError for missing columns or targets, and when no row is left.
    """
    predictor.check_columns(run.features, frame.names, source=source)
    predictor.check_targets(run.config.targets, frame.names, source=source)
    frame = _rare_grouped(frame, run)
    kept, dropped = drop_missing_targets(frame, list(run.config.targets), run.config.clean)
    if not kept.n_rows:
        raise DataError(
            Problem(
                "BP210",
                f"there are no rows to judge: {frame.n_rows} were given, none has a target",
                where=source,
                hints=("give rows with a target, or use `bptrain predict`",),
            )
        )
    return kept, dropped


def _rare_grouped(frame: Frame, run: Run) -> Frame:
    """The rows with labels that training grouped, and new ones, as the label `other`."""
    if run.config.clean.rare_class != "group":
        return frame
    for name, state in run.predictor.targets.items():
        if OTHER in state.labels:
            unknown = (frame_codes(frame, name, state.labels) < 0) & ~frame.is_missing(name)
            frame = with_label(frame, name, unknown, OTHER)
    return frame


def _gates(run: Run, texts: Sequence[str], *, other_data: bool) -> list[Gate]:
    """The config's gates and the given ones; other data is all test rows, so the config's gates on others rest."""
    own = [gate for gate in survey.gates_of(run.config) if gate.split == "test" or not other_data]
    gates = [*own, *parse_gates(texts)]
    check_gates(gates, survey.metrics_of(run.config))
    return gates


def _name(data: object) -> str:
    return str(data) if isinstance(data, (str, Path)) else ""
