"""`bptrain fit`: the main job."""

from __future__ import annotations

from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bptrain.cli import options

if TYPE_CHECKING:
    from bptrain.workflows.run import Run


@click.command(name="fit")
@options.config_argument
@options.overrides
@click.option("--run", type=options.path, help="Directory of the run; by default the next runs/<config>-NNNN.")
@click.option("--resume", is_flag=True, help="Go on with an unfinished run; without one, start afresh.")
@click.option("--locked", type=options.path, help="A lock.json: refuse to start when anything differs from it.")
@options.gates
@options.root
@options.quiet
@options.verbose
@options.as_json
def command(
    config: Path,
    overrides: tuple[str, ...],
    run: Path | None,
    resume: bool,
    locked: Path | None,
    gates: tuple[str, ...],
    root: Path | None,
    quiet: bool,
    verbose: bool,
    as_json: bool,
) -> None:
    """Train the network that CONFIG describes, judge it on untouched rows, and seal the run.

    Example: bptrain fit configs/adult.yaml --set training.epochs=5
    """
    from bptrain.cli.options import require_gates
    from bptrain.config.load import load_config, paths_in_overrides, with_source_locations
    from bptrain.data.files import AllowedPaths
    from bptrain.reports.run import result_tables
    from bptrain.reports.terminal import TerminalReporter
    from bptrain.reports.text import report_text
    from bptrain.runs.storage import canonical_json
    from bptrain.workflows.fit import fit as fit_config
    from bptrain.workflows.run import Run

    loaded = load_config(config, overrides=overrides)
    every = (*loaded.evaluation.gates, *gates)
    loaded = loaded.model_copy(update={"evaluation": loaded.evaluation.model_copy(update={"gates": every})})
    roots = AllowedPaths.create(root, extras=paths_in_overrides(overrides))
    with TerminalReporter(quiet=quiet) as reporter, with_source_locations(config, overrides):
        folder = fit_config(
            loaded, run=run, stem=config.stem, roots=roots, reporter=reporter, resume=resume, locked=locked
        )
    sealed = Run.open(folder)
    if verbose:
        click.echo(details_text(sealed), err=True)
    metrics = sealed.metrics
    if as_json:
        click.echo(canonical_json({**metrics, "run": str(folder)}), nl=False)
    else:
        click.echo(report_text(result_tables(metrics)))
        click.echo(f"run: {folder}")
    require_gates(metrics["gates"])


def details_text(run: Run) -> str:
    """Each column with its kind and why, as the run's config.yaml has them, and the seconds of each stage."""
    lines = run.files.read_bytes("config.yaml").decode().splitlines()
    start = next((number for number, line in enumerate(lines, 1) if line.startswith("columns:")), len(lines))
    columns = takewhile(lambda line: line.startswith(" "), lines[start:])
    seconds = run.files.read_json("timing.json")["seconds"]
    return "\n".join(["columns:", *columns, "seconds:", *(f"  {stage}: {n:.2f}" for stage, n in seconds.items())])
