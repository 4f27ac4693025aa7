"""`bptrain evaluate`: judge a run."""

from __future__ import annotations

from pathlib import Path

import click

from bptrain.cli import options


@click.command(name="evaluate")
@click.argument("run", type=options.path, required=False)
@click.option("--data", help="Judge on this file instead of the run's own rows.")
@options.gates
@click.option(
    "--out", type=options.path, help="Folder for metrics.json and predictions.parquet; the run never changes."
)
@options.root
@options.as_json
def command(
    run: Path | None, data: str | None, gates: tuple[str, ...], out: Path | None, root: Path | None, as_json: bool
) -> None:
    """Judge RUN (by default the latest) on the rows it was made with, read anew, or on other data.

    Exit 0: every gate passed; exit 3: one failed; exit 6: the training of RUN had diverged, whatever the gates say.

    Example: bptrain evaluate --gate 'auc >= 0.9'
    """
    from bptrain.api import Run
    from bptrain.cli.options import require_gates, require_trained
    from bptrain.fitting import artifacts
    from bptrain.reports.run import drift_table, gates_table, metrics_tables
    from bptrain.reports.text import problem_text, report_text
    from bptrain.runs.directory import latest_run
    from bptrain.runs.storage import canonical_json

    judged = Run.open(run or latest_run())
    result = judged.evaluate(data, gates=gates, root=root)
    for warning in result.warnings:
        click.echo(problem_text(warning, severity="warning"), err=True)
    content = artifacts.evaluation_json(judged, result)
    if out is not None:
        artifacts.write_evaluation(out, content, result.predictions)
    if as_json:
        click.echo(canonical_json(content), nl=False)
    else:
        tables = metrics_tables(result.targets, judged.metrics["primary"])
        if result.drift:
            tables.append(drift_table(result.drift))
        click.echo(report_text([*tables, gates_table(content["gates"])]))
        click.echo(f"run: {judged.path}{' (diverged)' if judged.diverged else ''}")
    require_trained(judged)
    require_gates(content["gates"])
