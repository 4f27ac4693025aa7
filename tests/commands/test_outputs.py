"""The files that `predict` and `evaluate` write: complete or not there, and never inside a run."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from tables import make_table, write

from bptrain import Run
from bptrain.data import writer as table_write
from bptrain.data.files import AllowedPaths
from bptrain.data.writer import open_writer
from bptrain.errors import DataError, StorageError, UsageError
from bptrain.fitting.artifacts import write_evaluation
from bptrain.workflows.predict import predict_file


def test_an_existing_output_is_refused_unless_told(fitted: Callable[..., Run], tmp_path: Path) -> None:
    run, data = fitted("label"), write(make_table(5), tmp_path / "rows.csv")
    out = tmp_path / "out.csv"
    out.write_text("precious")
    with pytest.raises(UsageError, match="BP158.*exists already") as caught:
        predict_file(run, str(data), out, roots=AllowedPaths.create(tmp_path))
    assert "--force" in caught.value.problems[0].hints[0]
    assert out.read_text() == "precious"
    predict_file(run, str(data), out, roots=AllowedPaths.create(tmp_path), overwrite=True)
    assert out.read_text().startswith('"row","label.prediction"')


@pytest.mark.parametrize("name", ["out", "out.txt", "out.csv.gz", ".csv"])
def test_an_output_of_unknown_format_is_refused(fitted: Callable[..., Run], tmp_path: Path, name: str) -> None:
    data = write(make_table(5), tmp_path / "rows.csv")
    with pytest.raises(UsageError, match="BP157"):
        predict_file(fitted("label"), str(data), tmp_path / name, roots=AllowedPaths.create(tmp_path))
    assert os.listdir(tmp_path) == ["rows.csv"]


@pytest.mark.parametrize("ending", [".csv", ".jsonl", ".parquet"])
@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError, OSError(28, "No space left on device")])
@pytest.mark.parametrize("existing", [False, True])
def test_an_interrupted_write_leaves_what_was_there(
    tmp_path: Path, ending: str, error: type[BaseException] | BaseException, existing: bool
) -> None:
    out = tmp_path / f"out{ending}"
    if existing:
        out.write_text("precious")
    expected = StorageError if isinstance(error, OSError) else error
    with (  # noqa: PT012 - the error comes from inside the block, as an interruption would
        pytest.raises(expected, match="No space left|^$|BP7"),  # type: ignore[arg-type]
        open_writer(out, overwrite=True) as writer,
    ):
        writer.write(pa.table({"row": [1, 2]}))
        raise error
    assert os.listdir(tmp_path) == ([out.name] if existing else [])
    assert not existing or out.read_text() == "precious"


@pytest.mark.parametrize("ending", [".csv", ".jsonl", ".parquet"])
def test_a_disk_that_fails_while_closing_leaves_no_file(
    tmp_path: Path, ending: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: table_write.Writer) -> None:
        close(self)
        raise OSError(28, "No space left on device")

    close = table_write.Writer.close
    monkeypatch.setattr(table_write.Writer, "close", fail)
    with pytest.raises(StorageError, match="BP7"), open_writer(tmp_path / f"out{ending}", overwrite=False) as writer:
        writer.write(pa.table({"row": [1]}))
    assert os.listdir(tmp_path) == []


def test_input_that_breaks_in_the_middle_leaves_no_output(fitted: Callable[..., Run], tmp_path: Path) -> None:
    data = write(make_table(300), tmp_path / "rows.csv")
    data.write_text(data.read_text() + "one cell\n")
    with pytest.raises(DataError, match="BP2"):
        predict_file(
            fitted("label"), str(data), tmp_path / "out.csv", roots=AllowedPaths.create(tmp_path), chunk_rows=10
        )
    assert os.listdir(tmp_path) == ["rows.csv"]


def test_an_output_folder_that_is_missing_is_named(fitted: Callable[..., Run], tmp_path: Path) -> None:
    data = write(make_table(5), tmp_path / "rows.csv")
    with pytest.raises(UsageError, match="BP160: there is no folder"):
        predict_file(fitted("label"), str(data), tmp_path / "no" / "out.csv", roots=AllowedPaths.create(tmp_path))


def test_an_output_inside_a_run_is_refused_and_the_run_stays_whole(fitted: Callable[..., Run], tmp_path: Path) -> None:
    run, data = fitted("label"), write(make_table(5), tmp_path / "rows.csv")
    for out in (run.path / "out.csv", run.path / "model" / "out.csv"):
        with pytest.raises(UsageError, match="BP516"):
            predict_file(run, str(data), out, roots=AllowedPaths.create(tmp_path))
    with pytest.raises(UsageError, match="BP516"):
        write_evaluation(run.path / "judged", {}, pa.table({}))
    assert Run.open(run.path).metrics == run.metrics
