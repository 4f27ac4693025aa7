"""`bptrain predict`: predictions for the rows of a file."""

from __future__ import annotations

from pathlib import Path

import click

from bptrain.cli import options


@click.command(name="predict")
@click.argument("run", type=options.path)
@click.argument("data")
@click.option("-o", "--out", type=options.path, required=True, help="Output: .csv, .jsonl or .parquet.")
@click.option(
    "--chunk-rows", type=click.IntRange(min=1), default=65_536, show_default=True, help="Rows read at a time."
)
@click.option("--force", is_flag=True, help="Replace an output file that exists.")
@options.root
def command(run: Path, data: str, out: Path, chunk_rows: int, force: bool, root: Path | None) -> None:
    """Predict every row of DATA, a file or a quoted pattern of files, with RUN into one file, in order.

    A row with a cell that cannot be used keeps its place; its `status` says why it has no prediction.

    Example: bptrain predict runs/adult-0001 new.csv -o predictions.csv
    """
    from bptrain.data.files import AllowedPaths
    from bptrain.reports.text import problem_text
    from bptrain.workflows.predict import predict_file
    from bptrain.workflows.run import Run

    roots = AllowedPaths.create(root, extras=[data])
    summary = predict_file(Run.open(run), data, out, roots=roots, chunk_rows=chunk_rows, overwrite=force)
    for warning in summary.warnings():
        click.echo(problem_text(warning, severity="warning"), err=True)
    click.echo(f"{summary.n_rows} rows: {out}")
