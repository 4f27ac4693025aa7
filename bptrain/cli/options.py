"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path

import click

existing = click.Path(path_type=Path)
config_argument = click.argument("config", type=existing)
overrides = click.option(
    "--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override a config value: `training.epochs=5`."
)
root = click.option("--root", type=existing, help="Folder that relative data paths start from, and may not leave.")
quiet = click.option("-q", "--quiet", is_flag=True, help="Only warnings, errors and the result.")
as_json = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON on standard output.")
gates = click.option(
    "--gate", "gates", multiple=True, metavar="CONDITION", help="Exit 3 unless this holds, e.g. `auc >= 0.9`."
)


def given_paths(overrides: tuple[str, ...]) -> list[Path]:
    """Data paths given on the command line by `--set data…=PATH`; they may lie outside the root."""
    pairs = (text.partition("=") for text in overrides)
    return [Path(value) for key, _, value in pairs if key in ("data", "data.train", "data.validation", "data.test")]
