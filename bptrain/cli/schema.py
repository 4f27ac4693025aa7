"""`bptrain schema`: the JSON Schema of the config, for editors and checks."""

from __future__ import annotations

import json

import click


@click.command(name="schema")
def command() -> None:
    """Print the JSON Schema (draft 2020-12) of the config, short forms included.

    Example: bptrain schema > bptrain.schema.json
    """
    from bptrain.config.json_schema import config_json_schema

    click.echo(json.dumps(config_json_schema(), indent=2, ensure_ascii=False))
