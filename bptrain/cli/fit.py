"""`bptrain fit`: the main job."""

from __future__ import annotations

from pathlib import Path

import click

from bptrain.cli import options


@click.command(name="fit")
@options.config_argument
@options.overrides
@click.option("--run", type=options.existing, help="Directory of the run; by default the next runs/<config>-NNNN.")
@options.gates
@options.root
@options.quiet
def command(
    config: Path,
    overrides: tuple[str, ...],
    run: Path | None,
    gates: tuple[str, ...],
    root: Path | None,
    quiet: bool,
) -> None:
    """Train the network that CONFIG describes, judge it on untouched rows, and seal the run.

    Example: bptrain fit configs/adult.yaml --set training.epochs=5
    """
    from bptrain import pipeline
    from bptrain.cli.results import require_gates
    from bptrain.config.load import load_config
    from bptrain.config.places import placed
    from bptrain.reports.terminal import progress
    from bptrain.reports.text import gates_text, metrics_text
    from bptrain.run import Run
    from bptrain.table.files import Roots

    loaded = load_config(config, overrides=overrides)
    every = (*loaded.evaluation.gates, *gates)
    loaded = loaded.model_copy(update={"evaluation": loaded.evaluation.model_copy(update={"gates": every})})
    roots = Roots.create(root, extras=options.given_paths(overrides))
    with progress(quiet=quiet) as listener, placed(config, overrides):
        made = pipeline.fit(loaded, run=run, stem=config.stem, roots=roots, listener=listener)
    metrics = Run.open(made).metrics
    click.echo(metrics_text(metrics["targets"]))
    if metrics["gates"]:
        click.echo(gates_text(metrics["gates"]))
    click.echo(f"run: {made}")
    require_gates(metrics["gates"])
