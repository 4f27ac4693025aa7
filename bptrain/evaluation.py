"""Judging a finished run: on the rows it was made with, or on other data."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bptrain import pipeline, predictor, survey
from bptrain.errors import DataError, Problem
from bptrain.judging.gates import Gate, apply_gates, check_gates, parse_gates
from bptrain.run import Evaluation, Run
from bptrain.table.clean import drop_missing_targets
from bptrain.table.files import Roots
from bptrain.table.frame import Frame
from bptrain.table.from_pandas import from_pandas
from bptrain.table.load import load
from bptrain.table.options import DataOptions

if TYPE_CHECKING:
    import pandas as pd


def evaluate(run: Run, data: str | Path | pd.DataFrame | None, *, gates: Sequence[str], roots: Roots) -> Evaluation:
    """Judge `run`; see `Run.evaluate`."""
    wanted = _gates(run, gates, other_data=data is not None)
    if data is None:
        report, table = pipeline.evaluate_again(run.predictor, run.config, data_digests(run), roots)
    else:
        frame = _judgeable(frame_of(data, run, roots), run, source=_name(data))
        report, table = pipeline.evaluate_on(run.predictor, frame)
    return Evaluation(report, table, apply_gates(wanted, report))


def frame_of(data: str | Path | pd.DataFrame, run: Run, roots: Roots) -> Frame:
    """Rows of a file, read as the run's own files were, or of a pandas frame."""
    if not isinstance(data, (str, Path)):
        table = from_pandas(data, na_values=run.config.data.na_values)
        return Frame(table, np.arange(table.num_rows, dtype=np.int64), decimal=run.config.data.decimal)
    return load(file_options(run, data), roots).frame


def file_options(run: Run, data: str | Path) -> DataOptions:
    """The run's options for reading files, with `data` as the one file; its format goes by its name."""
    return run.config.data.model_copy(update={"train": (str(data),), "validation": (), "test": (), "format": "auto"})


def data_digests(run: Run) -> dict[str, str]:
    """sha256 of each file that the run was made with, by the name in its config."""
    digests: dict[str, str] = run.lock["data"]
    return digests


def _judgeable(frame: Frame, run: Run, *, source: str) -> Frame:
    """The rows that have every target. Raises DataError for missing columns or targets, and when no row is left."""
    predictor.check_columns(run.predictor.columns, frame.names, source=source)
    predictor.check_targets(run.predictor.targets, frame.names, source=source)
    kept, _ = drop_missing_targets(frame, list(run.config.targets), run.config.clean)
    if not kept.n_rows:
        raise DataError(
            Problem(
                "BP210",
                f"there are no rows to judge: {frame.n_rows} were given, none has a target",
                where=source,
                hints=("give rows with a target, or use `bptrain predict`",),
            )
        )
    return kept


def _gates(run: Run, texts: Sequence[str], *, other_data: bool) -> list[Gate]:
    """The config's gates and the given ones; other data is all test rows, so the config's gates on others rest."""
    own = [gate for gate in survey.gates_of(run.config) if gate.split == "test" or not other_data]
    gates = [*own, *parse_gates(texts)]
    check_gates(gates, survey.metrics_of(run.config))
    return gates


def _name(data: object) -> str:
    return str(data) if isinstance(data, (str, Path)) else ""
