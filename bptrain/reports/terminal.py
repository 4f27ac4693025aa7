"""Progress as a person or a CI log sees it: a live bar on a terminal, one line per epoch elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from bptrain.errors import Problem
from bptrain.reports.text import problem_text
from bptrain.training.progress import epoch_line


class TerminalReporter:
    """Writes to standard error: stages, warnings and epochs; warnings alone if `quiet`.

    On a terminal the epochs are one bar, with the metrics and the time that is left at most.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self.quiet = quiet
        self.bar: Progress | None = None
        if sys.stderr.isatty() and not quiet:
            left = (TextColumn("left at most"), TimeRemainingColumn())
            text = TextColumn("{task.description}", markup=False)
            self.bar = Progress(BarColumn(20), text, *left, console=Console(stderr=True), transient=True)
            self.task = self.bar.add_task("", total=None, visible=False)

    def __enter__(self) -> Self:
        if self.bar is not None:
            self.bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.bar is not None:
            self.bar.stop()

    def stage(self, text: str) -> None:
        if not self.quiet:
            self.line(text)

    def warning(self, problem: Problem) -> None:
        self.line(problem_text(problem, severity="warning"))

    def epoch(self, row: Mapping[str, float], epochs: int) -> None:
        text = epoch_line(row, epochs)
        if self.bar is not None:
            self.bar.update(self.task, total=epochs, completed=row["epoch"], description=text, visible=True)
        else:
            self.stage(text)

    def resumed(self, history: Sequence[Mapping[str, float]], epochs: int) -> None:
        self.stage(f"goes on after epoch {len(history)}")

    def line(self, text: str) -> None:
        """Write a line, above the bar where there is one."""
        if self.bar is not None:
            self.bar.console.print(Text(text), highlight=False, soft_wrap=True)
        else:
            print(text, file=sys.stderr, flush=True)  # noqa: T201
