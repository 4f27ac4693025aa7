"""`bptrain inspect`: what a run is."""

from __future__ import annotations

from pathlib import Path

import click

from bptrain.cli import options


@click.command(name="inspect")
@click.argument("run", type=options.path, required=False)
@options.as_json
def command(run: Path | None, as_json: bool) -> None:
    """Verify RUN (by default the latest) and show its data, columns, network, training and metrics.

    Example: bptrain inspect runs/adult-0001
    """
    from bptrain.reports.run import inspect_json, inspect_tables
    from bptrain.reports.text import report_text
    from bptrain.runs.directory import latest_run
    from bptrain.workflows.run import Run

    opened = Run.open(run or latest_run())
    click.echo(inspect_json(opened) if as_json else report_text(inspect_tables(opened)))
