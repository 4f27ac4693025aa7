"""Progress on standard error: lines in a log, one bar on a terminal."""

from __future__ import annotations

import io
import sys

import pytest

from bptrain.errors import Problem
from bptrain.reports.terminal import TerminalReporter

ROW = {"epoch": 2.0, "loss": 0.5}


def told(reporter: TerminalReporter) -> None:
    with reporter:
        reporter.stage("a stage")
        reporter.resumed([ROW], 3)
        reporter.epoch(ROW, 3)
        reporter.warning(Problem("BP245", "odd [bold]column[/bold]"))


def test_a_log_has_a_line_for_everything(capsys: pytest.CaptureFixture[str]) -> None:
    told(TerminalReporter())
    assert capsys.readouterr().err.splitlines() == [
        "a stage",
        "goes on after epoch 1",
        "epoch 2/3  loss 0.5",
        "warning[BP245]: odd [bold]column[/bold]",
    ]


def test_quiet_leaves_the_warnings(capsys: pytest.CaptureFixture[str]) -> None:
    told(TerminalReporter(quiet=True))
    output, error = capsys.readouterr()
    assert (output, error) == ("", "warning[BP245]: odd [bold]column[/bold]\n")


def test_a_terminal_shows_epochs_as_one_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stderr", Terminal())
    reporter = TerminalReporter()
    assert reporter.bar is not None
    told(reporter)
    assert reporter.bar.tasks[0].completed == 2
    assert reporter.bar.finished is False
    assert "odd [bold]column[/bold]" in sys.stderr.getvalue()  # type: ignore[attr-defined]
    assert TerminalReporter(quiet=True).bar is None
