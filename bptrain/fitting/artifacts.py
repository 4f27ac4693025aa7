"""The files of a run directory besides the model, and those of an evaluation: what each holds, how it is written."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from bptrain.config.schema import Config
from bptrain.config.yaml_writer import complete_yaml
from bptrain.data.cleaning import Cleaned
from bptrain.errors import Problem, RunError
from bptrain.evaluation.gates import Verdict
from bptrain.features.inference import DECLARED
from bptrain.messages import runs as messages
from bptrain.runs import storage
from bptrain.runs.manifest import RunFiles, refuse_inside_run
from bptrain.runs.storage import Json

if TYPE_CHECKING:
    from bptrain.training.state import TrainResult
    from bptrain.workflows.run import Evaluation, Run

METRICS_FORMAT = 2
CLEANING_FORMAT = 1
TIMING_FORMAT = 1
ROW_GROUP = 2**18  # rows that are encoded together, in memory


def metrics_json(
    report: Mapping[str, Json],
    *,
    status: str,
    primary: str,
    verdicts: Sequence[Verdict],
    warnings: Sequence[Problem],
    seed: int,
    training: Mapping[str, Json] | None = None,
) -> dict[str, Json]:
    """The content of metrics.json; no times, so that equal runs have equal bytes."""
    content: dict[str, Json] = {
        "format": METRICS_FORMAT,
        "status": status,
        "primary": primary,
        "targets": dict(report),
        "gates": [{**asdict(each.gate), "value": each.value, "passed": each.passed} for each in verdicts],
        "warnings": [warning.to_json() for warning in warnings],
        "seeds": [seed],
    }
    return content | ({"training": dict(training)} if training is not None else {})


def write_cleaning(directory: Path, steps: Sequence[Cleaned]) -> None:
    """cleaning.json: what was done to rows and cells before and while columns were learned, step by step."""
    content = {"format": CLEANING_FORMAT, "steps": [asdict(step) for step in steps]}
    storage.write_json(directory / "cleaning.json", content)


def write_config(directory: Path, config: Config, reasons: Mapping[str, str]) -> None:
    """config.yaml: complete, commented, fit to be run again."""
    notes: dict[tuple[str, ...], str] = {
        ("columns", name): reason for name, reason in reasons.items() if reason != DECLARED
    }
    storage.write_text(directory / "config.yaml", complete_yaml(config, notes=notes))


def write_history(directory: Path, histories: Sequence[Sequence[Mapping[str, float]]]) -> None:
    """history.csv: one row per network and epoch, numbers written so that they read back equal."""
    text = io.StringIO()
    history = [{"network": number, **row} for number, rows in enumerate(histories, start=1) for row in rows]
    names = list(dict.fromkeys(name for row in history for name in row)) or ["network", "epoch", "loss"]
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows({**row, "epoch": int(row["epoch"])} for row in history)
    storage.write_text(directory / "history.csv", text.getvalue())


def write_timing(directory: Path, stages: Mapping[str, float], trainings: Sequence[TrainResult]) -> None:
    """timing.json: seconds of each stage and of each epoch of the trainings; the only file that holds times."""
    epochs = [seconds for training in trainings for seconds in training.seconds]
    content = {"format": TIMING_FORMAT, "seconds": dict(stages), "epoch_seconds": epochs}
    storage.write_json(directory / "timing.json", content)


def write_predictions(directory: Path, table: pa.Table, *, name: str = "predictions.parquet") -> None:
    """A table of predictions, byte for byte the same for the same table."""
    with storage.written(directory / name) as file:
        pq.write_table(table, file, compression="zstd", row_group_size=ROW_GROUP)


def read_split(files: RunFiles) -> pa.Table:
    """The columns `row` and `split` of a run's predictions. Raises RunError when they cannot be read."""
    try:
        return pq.read_table(pa.BufferReader(files.read_bytes("predictions.parquet"))).select(["row", "split"])
    except (pa.ArrowException, KeyError) as err:
        path = files.path("predictions.parquet")
        raise RunError(messages.DAMAGED_PREDICTIONS(path=path, reason=str(err), where=path)) from err


def evaluation_json(run: Run, result: Evaluation) -> dict[str, Json]:
    """The content of an evaluation's metrics.json: the same form as the run's own, and the drift of other rows."""
    content = metrics_json(
        result.targets,
        status=result.status,
        primary=run.config.evaluation.primary,
        verdicts=result.gates,
        warnings=result.warnings,
        seed=run.config.seed,
    )
    return content | ({"drift": [change.to_json() for change in result.drift]} if result.drift else {})


def write_evaluation(directory: Path, content: Mapping[str, Json], predictions: pa.Table) -> None:
    """metrics.json and predictions.parquet of an evaluation, in a folder that is made if needed and is no run."""
    refuse_inside_run(directory / "metrics.json")
    with storage.disk_errors(directory):
        directory.mkdir(parents=True, exist_ok=True)
    storage.write_json(directory / "metrics.json", content)
    write_predictions(directory, predictions)
