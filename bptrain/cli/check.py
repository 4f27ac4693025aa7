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
    from bptrain.config.given_paths import given_paths
    from bptrain.config.load import load_config
    from bptrain.config.places import placed
    from bptrain.data.files import AllowedPaths
    from bptrain.reports.check import check_json, check_text
    from bptrain.workflows.check import check

    roots = AllowedPaths.create(root, extras=given_paths(overrides))
    loaded = load_config(config, overrides=overrides)
    with placed(config, overrides):
        settled, kinds, warnings = check(loaded, roots)
    click.echo(check_json(settled, kinds, warnings) if as_json else check_text(settled, kinds, warnings))
