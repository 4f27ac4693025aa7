"""Predictions for new rows: streamed from a file in chunks, so that memory does not grow with the file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bptrain.data.files import AllowedPaths, DataFile
from bptrain.data.frame import Frame, RowProvenance
from bptrain.data.load import PANDAS_NAME, FileSource, common_names, make_frame
from bptrain.data.options import CleanOptions, DataOptions
from bptrain.data.writer import open_writer
from bptrain.errors import DataError, Problem
from bptrain.evaluation.evaluate import predicted_columns
from bptrain.features import preparer
from bptrain.features.kind import Transformed
from bptrain.features.kinds import AnyKind
from bptrain.messages import workflows as messages
from bptrain.models import predictor
from bptrain.runs.manifest import refuse_inside_run
from bptrain.workflows.evaluate import file_options, frame_of
from bptrain.workflows.run import Run

if TYPE_CHECKING:
    import pandas as pd

CHUNK_ROWS = 65_536
OK = "ok"


@dataclass
class Summary:
    """What was predicted: rows, and per column the unusable cells and the labels that training rows never showed.

    `n_overflowed` rows have no finite prediction although all their cells are usable; `usable` are the columns that had
    a usable cell in some row. `kinds` says of each column what its unusable cells are.
    """

    n_rows: int = 0
    n_overflowed: int = 0
    bad: dict[str, int] = field(default_factory=dict)
    unknown: dict[str, int] = field(default_factory=dict)
    usable: set[str] = field(default_factory=set)
    kinds: Mapping[str, AnyKind] = field(default_factory=dict)

    def add(self, frame: Frame, prepared: Transformed, *, n_overflowed: int) -> None:
        """Count one chunk."""
        self.n_rows += frame.n_rows
        self.n_overflowed += n_overflowed
        bad = {name: int(mask.sum()) for name, mask in prepared.bad.items()}
        self.usable |= {
            name for name in frame.names if name not in self.usable and frame.n_present(name) > bad.get(name, 0)
        }
        for total, part in ((self.bad, bad), (self.unknown, prepared.unknown)):
            for name, count in part.items():
                total[name] = total.get(name, 0) + count

    def warnings(self) -> list[Problem]:
        """What the user should know about the rows."""
        problems = [messages.NO_ROWS_TO_PREDICT()] if self.n_rows == 0 else []
        for name, count in self.bad.items():
            unusable = self.kinds[name].unusable
            problems.append(messages.ROWS_WITHOUT_PREDICTION(name=name, n=count, n_rows=self.n_rows, unusable=unusable))
        if self.n_overflowed:
            problems.append(messages.NOT_FINITE(n=self.n_overflowed, n_rows=self.n_rows))
        for name, count in self.unknown.items():
            problems.append(messages.UNKNOWN_LABELS(name=name, n=count, n_rows=self.n_rows))
        return problems


def predict_file(
    run: Run, data: str, out: Path, *, roots: AllowedPaths, chunk_rows: int = CHUNK_ROWS, overwrite: bool = False
) -> Summary:
    """Predict every row of the file `data`, or of all files of a pattern, into `out` (.csv, .jsonl or .parquet).

    Rows keep their order, and are numbered through all files. `out` appears when it is complete. Raises DataError for
    files that lack columns or have not the same ones, or when no cell of a numeric column can be used.
    """
    options = file_options(run, data, roots)
    files = roots.expand(options.train)
    predictor.check_columns(
        run.features, tuple(common_names([FileSource(file, options) for file in files])), source=files[0].name
    )
    refuse_inside_run(out)
    summary = Summary()
    with open_writer(out, overwrite=overwrite) as writer:
        model = run.predictor  # takes seconds: after all that can be refused at once
        for frame in _frames(files, options, run.config.clean, roots, chunk_rows=chunk_rows):
            writer.write(_predict(model, frame, summary))
        if not summary.n_rows:
            writer.write(_predict(model, _no_rows(model), summary))
        _refuse_all_bad(summary, data)
    return summary


def predict_frame(run: Run, data: pd.DataFrame) -> tuple[pd.DataFrame, Summary]:
    """Predictions for the rows of a pandas frame; see `Run.predict`."""
    summary = Summary()
    frame = frame_of(data, run, AllowedPaths.create())
    predictor.check_columns(run.features, frame.names, source="")
    table = _predict(run.predictor, frame, summary)
    _refuse_all_bad(summary, PANDAS_NAME)
    predictions: pd.DataFrame = table.to_pandas()
    return predictions.set_axis(data.index, axis=0), summary


def _frames(
    files: Sequence[DataFile], options: DataOptions, clean: CleanOptions, roots: AllowedPaths, *, chunk_rows: int
) -> Iterator[Frame]:
    """The rows of all files in chunks, numbered through; each knows its own file."""
    start = 0
    for file in files:
        source = FileSource(file, options)
        provenance = RowProvenance((source.name,), (start,), (source.first_row(),))
        for chunk in source.stream(chunk_rows=chunk_rows):
            rows = np.arange(start, start + chunk.num_rows, dtype=np.int64)
            start += chunk.num_rows
            yield replace(make_frame(chunk, rows, options, clean, provenance)[0], paths=roots)


def _no_rows(model: predictor.Predictor) -> Frame:
    names = preparer.kinds_of_columns(model.columns)
    return Frame(pa.table({name: pa.array([], pa.string()) for name in names}), np.empty(0, np.int64))


def _predict(model: predictor.Predictor, frame: Frame, summary: Summary) -> pa.Table:
    """`row`, what is predicted of each target and `status` of a frame; rows with unusable cells have no prediction."""
    prepared = preparer.transform(model.columns, frame)
    summary.kinds = preparer.kinds_of_columns(model.columns)
    outputs = model.outputs(prepared.arrays)
    columns = predicted_columns(model.targets, outputs)
    overflowed = ~np.logical_and.reduce([np.isfinite(output).all(axis=1) for output in outputs])
    unusable = np.logical_or.reduce([overflowed, *prepared.bad.values()])
    if unusable.any():
        mask = pa.array(unusable)
        columns = {name: pc.if_else(mask, None, values) for name, values in columns.items()}
    summary.add(frame, prepared, n_overflowed=int(overflowed.sum()))
    return pa.table(
        {"row": pa.array(frame.rows), **columns, "status": _status(overflowed, prepared.bad, summary.kinds)}
    )


def _status(overflowed: np.ndarray, bad: Mapping[str, np.ndarray], kinds: Mapping[str, AnyKind]) -> pa.Array:
    """`ok`, or what is wrong with a row: `no finite number: size; height; no date: arrival`."""
    status = np.where(overflowed, np.array("no finite prediction", object), np.array(OK, object))
    said = np.full(len(status), "", object)  # the last word of each row's status
    for name, mask in bad.items():
        word = kinds[name].unusable
        for row in np.flatnonzero(mask):
            start = f"{status[row]}; " if said[row] else ""
            status[row] = f"{start}{name}" if said[row] == word else f"{start}{word}: {name}"
        said[mask] = word
    return pa.array(status, pa.string())


def _refuse_all_bad(summary: Summary, source: str) -> None:
    """Raise DataError for columns that have no usable cell in all of the rows."""
    unusable = [name for name, count in summary.bad.items() if count > 1 and name not in summary.usable]
    if unusable:
        kinds = summary.kinds
        raise DataError(
            *(
                messages.NO_USABLE_CELL(name=name, kind=kinds[name].name, unusable=kinds[name].unusable, where=source)
                for name in unusable
            )
        )
