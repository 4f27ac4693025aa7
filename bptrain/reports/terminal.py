"""Progress as a person or a CI log sees it: a live bar on a terminal, one line per epoch elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from bptrain.errors import Problem
from bptrain.reports.text import problem_text
from bptrain.training.progress import epoch_line


class PlainProgress:
    """Writes lines to standard error: stages and warnings, and one line per epoch unless `quiet`."""

    def __init__(self, *, quiet: bool = False) -> None:
        self.quiet = quiet

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def stage(self, text: str) -> None:
        if not self.quiet:
            self.line(text)

    def warning(self, problem: Problem) -> None:
        self.line(problem_text(problem, severity="warning"))

    def epoch(self, row: Mapping[str, float], epochs: int) -> None:
        if not self.quiet:
            self.line(epoch_line(row, epochs))

    def resumed(self, history: Sequence[Mapping[str, float]], epochs: int) -> None:
        self.stage(f"goes on after epoch {len(history)}")

    def line(self, text: str) -> None:
        """Write a line."""
        print(text, file=sys.stderr, flush=True)  # noqa: T201


class LiveProgress(PlainProgress):
    """On a terminal the epochs are one bar, with the metrics and the time that is left at most."""

    def __init__(self) -> None:
        super().__init__()
        self._bar = Progress(
            BarColumn(20),
            TextColumn("{task.description}", markup=False),
            TextColumn("left at most"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._task = self._bar.add_task("", total=None, visible=False)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def epoch(self, row: Mapping[str, float], epochs: int) -> None:
        text = epoch_line(row, epochs)
        self._bar.update(self._task, total=epochs, completed=row["epoch"], description=text, visible=True)

    def line(self, text: str) -> None:
        self._bar.console.print(Text(text), highlight=False, soft_wrap=True)


def progress(*, quiet: bool) -> PlainProgress:
    """What fits where standard error goes."""
    return LiveProgress() if sys.stderr.isatty() and not quiet else PlainProgress(quiet=quiet)
