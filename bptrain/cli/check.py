"""`bptrain check`: config and data problems, in seconds."""

from __future__ import annotations

from pathlib import Path

import click

from bptrain.cli import options


@click.command(name="check")
@options.config_argument
@options.overrides
@options.root
@options.as_json
def command(config: Path, overrides: tuple[str, ...], root: Path | None, as_json: bool) -> None:
    """Find problems of CONFIG and its data without training.

    Prints the kind of every column and why. Exit 0: `fit` would start.

    Example: bptrain check configs/adult.yaml
    """
    from bptrain.config.load import load_config, paths_in_overrides, with_source_locations
    from bptrain.data.files import AllowedPaths
    from bptrain.reports.run import check_json, check_tables
    from bptrain.reports.text import problem_text, report_text
    from bptrain.workflows.check import check

    roots = AllowedPaths.create(root, extras=paths_in_overrides(overrides))
    loaded = load_config(config, overrides=overrides)
    with with_source_locations(config, overrides):
        settled, kinds, warnings = check(loaded, roots)
    if as_json:
        click.echo(check_json(settled, kinds, warnings))
        return
    for warning in warnings:
        click.echo(problem_text(warning, severity="warning"))
    click.echo(report_text(check_tables(settled, kinds, warnings)))
