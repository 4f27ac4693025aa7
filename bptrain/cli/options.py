"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path

import click

path = click.Path(path_type=Path)
config_argument = click.argument("config", type=path)
overrides = click.option(
    "--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override a config value: `training.epochs=5`."
)
root = click.option("--root", type=path, help="Folder that relative data paths start from, and may not leave.")
quiet = click.option("-q", "--quiet", is_flag=True, help="Only warnings, errors and the result.")
verbose = click.option(
    "-v", "--verbose", is_flag=True, help="Also the columns with their kinds, and the seconds of each stage."
)
as_json = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON on standard output.")
gates = click.option(
    "--gate", "gates", multiple=True, metavar="CONDITION", help="Exit 3 unless this holds, e.g. `auc >= 0.9`."
)
