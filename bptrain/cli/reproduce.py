"""`bptrain reproduce`: make a run again and compare."""

from __future__ import annotations

from pathlib import Path

import click

from bptrain.cli import options


@click.command(name="reproduce")
@click.argument("run", type=options.path, required=False)
@click.option(
    "--seeds",
    type=click.IntRange(min=1),
    default=4,
    show_default=True,
    help="Further runs with other seeds, where only these can tell whether a difference matters.",
)
@options.root
@options.quiet
@options.as_json
def command(run: Path | None, seeds: int, root: Path | None, quiet: bool, as_json: bool) -> None:
    """Make RUN (by default the latest) again from its config and its data, and compare all results.

    Exit 0: identical, or in another environment as near as other seeds explain; exit 7: neither.

    Example: bptrain reproduce runs/adult-0001
    """
    from bptrain.data.files import AllowedPaths
    from bptrain.errors import NotReproducedError
    from bptrain.messages import cli as messages
    from bptrain.reports.run import reproduction_tables
    from bptrain.reports.terminal import TerminalReporter
    from bptrain.reports.text import report_text
    from bptrain.runs.directory import latest_run
    from bptrain.runs.storage import canonical_json
    from bptrain.workflows.reproduce import reproduce
    from bptrain.workflows.run import Run

    original = Run.open(run or latest_run())
    with TerminalReporter(quiet=quiet) as reporter:
        result = reproduce(original, AllowedPaths.create(root), reporter=reporter, seeds=seeds)
    text = canonical_json(result.to_json()) if as_json else report_text(reproduction_tables(result))
    click.echo(text, nl=not as_json)
    if not result.reproduced:
        causes = "; ".join(map(str, result.differences)) or "nothing changed that results depend on"
        raise NotReproducedError(messages.NOT_REPRODUCED(run=original.path, causes=causes))
