"""How a training tells what it does, without knowing who listens; and its event files for TensorBoard."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from bptrain.errors import Problem
from bptrain.runs import storage

EVENT_FILE = "events.out.tfevents.0.bptrain"  # TensorFlow's own name tells time, machine and process


class Reporter(Protocol):
    """Receives what happens during a run; a terminal shows it, the run's log keeps it."""

    def stage(self, text: str) -> None:
        """A step begins or something worth a line was found."""

    def warning(self, problem: Problem) -> None:
        """Something the user should know; the run goes on."""

    def epoch(self, row: Mapping[str, float], epochs: int) -> None:
        """An epoch ended: its row of the history, and the most epochs there can be."""

    def resumed(self, history: Sequence[Mapping[str, float]], epochs: int) -> None:
        """A training goes on after an interruption: the rows of its history so far, and the most epochs."""


class NullReporter:
    """Listens to nothing."""

    def stage(self, text: str) -> None: ...

    def warning(self, problem: Problem) -> None: ...

    def epoch(self, row: Mapping[str, float], epochs: int) -> None: ...

    def resumed(self, history: Sequence[Mapping[str, float]], epochs: int) -> None: ...


class RunLogger:
    """Keeps the warnings, writes the log of the run, and passes everything on.

    The log of a run that goes on is written anew: it ends as if there had been no interruption.
    """

    def __init__(self, log: Path, reporter: Reporter) -> None:
        self.log, self.reporter = log, reporter
        log.unlink(missing_ok=True)
        self.warnings: list[Problem] = []

    def stage(self, text: str) -> None:
        self._write(text)
        self.reporter.stage(text)

    def warning(self, problem: Problem) -> None:
        self.warnings.append(problem)
        self._write(f"warning[{problem.code}]: {problem.message}")
        self.reporter.warning(problem)

    def epoch(self, row: Mapping[str, float], epochs: int) -> None:
        self._write(epoch_line(row, epochs))
        self.reporter.epoch(row, epochs)

    def resumed(self, history: Sequence[Mapping[str, float]], epochs: int) -> None:
        for row in history:
            self._write(epoch_line(row, epochs))
        self.reporter.resumed(history, epochs)

    def _write(self, line: str) -> None:
        with storage.disk_errors(self.log), self.log.open("a", encoding="utf-8") as file:
            file.write(line + "\n")


def epoch_line(row: Mapping[str, float], epochs: int) -> str:
    """One line per epoch: `epoch 3/200  loss 0.3412  validation_loss 0.3398  …`."""
    values = "  ".join(f"{name} {value:.5g}" for name, value in row.items() if name != "epoch")
    return f"epoch {int(row['epoch'])}/{epochs}  {values}"


@contextmanager
def event_log(directory: Path | None) -> Iterator[Callable[[Mapping[str, float]], None]]:
    """A function that writes a row of the history to an event file in `directory`; with None it writes nothing."""
    if directory is None:
        yield lambda row: None
        return
    import tensorflow as tf  # not needed otherwise on another backend

    # What tf.summary.scalar would write, which needs the package tensorboard; reading the files needs it, too.
    scalar = tf.compat.v1.SummaryMetadata(plugin_data={"plugin_name": "scalars"}, data_class="DATA_CLASS_SCALAR")
    writer = tf.summary.create_file_writer(str(directory))

    def write(row: Mapping[str, float]) -> None:
        with writer.as_default():
            for name, value in row.items():
                if name != "epoch":
                    value = tf.constant(value, tf.float32)
                    tf.summary.write(name, value, step=int(row["epoch"]), metadata=scalar)
        writer.flush()

    yield write
    writer.close()
    for path in directory.glob("events.out.tfevents.*"):
        path.replace(directory / EVENT_FILE)
