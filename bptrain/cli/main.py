"""The command line: finds the command, runs it, and turns what it raises into one message and an exit code."""

from __future__ import annotations

from bptrain.utils import runtime

runtime.configure()

import os  # noqa: E402
import signal  # noqa: E402
import sys  # noqa: E402
import tempfile  # noqa: E402
import traceback  # noqa: E402
from collections.abc import Sequence  # noqa: E402
from importlib import import_module  # noqa: E402
from typing import NoReturn  # noqa: E402

import click  # noqa: E402

from bptrain.cli import interruption  # noqa: E402
from bptrain.errors import BptrainError, DivergedError, GateError, NotReproducedError, Problem  # noqa: E402
from bptrain.messages import cli as messages  # noqa: E402
from bptrain.reports.text import problem_text  # noqa: E402
from bptrain.utils.text import escape  # noqa: E402
from bptrain.utils.version import __version__  # noqa: E402

COMMANDS = {
    "init": "Look at a table and write a first config.",
    "check": "Find config and data problems in seconds, without training.",
    "fit": "Train, judge and seal a model.",
    "evaluate": "Judge a run; the exit code says pass or fail.",
    "predict": "Predict the rows of a file.",
    "reproduce": "Make a run again and compare, bit for bit.",
    "inspect": "Show what a run is.",
    "schema": "Print the JSON Schema of the config.",
    "explain": "Explain a message by its code.",
}
EXIT_CODES = {
    0: "ok",
    1: "a bug in bptrain",
    2: "usage or config",
    3: "a gate failed",
    4: "data",
    5: "a run is damaged, foreign, unsupported, or begun with other inputs",
    6: "training diverged",
    7: "not reproduced, or not as locked",
    8: "the run directory is busy",
    74: "disk, I/O or memory",
    130: "interrupted (SIGINT)",
    143: "terminated (SIGTERM)",
}


AFTER_RESULT = (GateError, DivergedError, NotReproducedError)  # with `--json`, the result was printed before
INTERRUPTED: dict[int, Problem] = {signal.SIGINT: messages.INTERRUPTED(), signal.SIGTERM: messages.TERMINATED()}


class Commands(click.Group):
    """Knows its commands by name, in our order, and imports the file of one only when it is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        command: click.Command = import_module(f"bptrain.cli.{name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))
        with formatter.section("Exit codes"):
            formatter.write_dl([(str(code), meaning) for code, meaning in EXIT_CODES.items()])


@click.command(
    cls=Commands,
    commands={name: click.Command(name) for name in COMMANDS},  # names alone, for click's "Did you mean"
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.version_option(__version__, prog_name="bptrain")
def cli() -> None:
    """A table and a short YAML file in; a trained, judged, reproducible Keras model out."""


def main() -> None:
    """The entry point of `bptrain`."""
    runtime.set_own_process()
    interruption.install_handlers({number: problem_text(problem) for number, problem in INTERRUPTED.items()})
    exit_process(run(sys.argv[1:]))


def exit_process(exit_code: int) -> NoReturn:
    """End the process with this exit code, without the teardown of the interpreter and its libraries.

    TensorFlow's threads now and then abort the process while it is torn down (`terminate called without an active
    exception`, exit 134), after everything is written: the build would see that instead of our code.
    """
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:  # nobody reads any more, or the disk is full: what was printed is lost
            exit_code = exit_code or 74
    os._exit(exit_code)


def run(arguments: list[str]) -> int:
    """Run a command line, say why it ended where it did not succeed, and return its exit code."""
    try:
        cli.main(arguments, prog_name="bptrain", standalone_mode=False)
    except BaseException as error:  # noqa: BLE001 — the last resort: everything must end with a clear line and a code
        if number := interruption.ending_signal():
            return _report([INTERRUPTED[number]], 128 + number)
        match error:
            case BptrainError():
                _report(error.problems, error.exit_code)
                if "--json" in arguments and not isinstance(error, AFTER_RESULT):
                    from bptrain.runs.storage import canonical_json

                    content = {"format": 1, "problems": [problem.to_json() for problem in error.problems]}
                    click.echo(canonical_json(content), nl=False)
                return error.exit_code
            case click.exceptions.Exit():
                return error.exit_code
            case SystemExit():
                raise
            case KeyboardInterrupt() | click.Abort():
                return _report([INTERRUPTED[signal.SIGINT]], 130)
            case click.ClickException():
                error.show()
                return 2
            case MemoryError():
                return _report([messages.OUT_OF_MEMORY()], 74)
            case OSError():
                reason, where = error.strerror or error, error.filename or ""
                return _report([messages.SYSTEM_REFUSED(reason=reason, where=where)], 74)
        with tempfile.NamedTemporaryFile("w", prefix="bptrain-", suffix=".txt", delete=False, encoding="utf-8") as file:
            traceback.print_exception(error, file=file)
        text = escape(f"{type(error).__name__}: {error}")[:300]
        return _report([messages.BUG(file=file.name, error=text)], 1)
    return 0


def _report(problems: Sequence[Problem], exit_code: int) -> int:
    """Print problems, and hand on the exit code that they stand for."""
    for problem in problems:
        click.echo(problem_text(problem), err=True)
    if len(problems) > 1:
        click.echo(f"{len(problems)} problems", err=True)
    return exit_code
