"""`bptrain init`: a first config from a table."""

from __future__ import annotations

from pathlib import Path

import click

from bptrain.cli import options


@click.command(name="init")
@click.argument("table", nargs=-1, required=True)
@click.option("--target", metavar="COLUMN", help="The column to predict.")
@click.option("--test", multiple=True, metavar="FILE", help="A file for the final judgement; may be given again.")
@click.option("-o", "--out", type=options.path, help="The config to write; by default it is printed.")
@click.option("--force", is_flag=True, help="Replace a config that exists.")
@options.root
def command(
    table: tuple[str, ...], target: str | None, test: tuple[str, ...], out: Path | None, force: bool, root: Path | None
) -> None:
    """Look at TABLE, one file or more, and write a short config that says why in comments.

    Trains nothing. `bptrain fit` accepts the config as it is.

    Example: bptrain init data/telco.csv.gz --target churn -o telco.yaml
    """
    from bptrain.data.writer import require_free
    from bptrain.runs import storage
    from bptrain.workflows.init import init

    if out is not None:
        require_free(out, overwrite=force)
    config = init(table, test=test, target=target, out=out, root=root)
    if out is None:
        click.echo(config.text, nl=False)
        return
    storage.write_text(out, config.text)
    click.echo(f"wrote {out}; go on with: {config.commands[-1]}")
