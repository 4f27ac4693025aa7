"""Writes docs/reference.md from the code: commands, config, metrics, files of a run, exit codes, messages.

python tools/reference.py            write the page
python tools/reference.py --check    exit 1 if the page is not what the code says
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from bptrain.cli.main import COMMANDS, EXIT_CODES, cli
from bptrain.config.outline import Expected, child, describe, expected, variants
from bptrain.config.schema import Config
from bptrain.config.write import scalar_yaml
from bptrain.messages import CODES
from bptrain.targets.metrics import METRICS
from bptrain.utils.section import Section

PAGE = Path(__file__).parent.parent / "docs" / "reference.md"
SHORT = {
    "data": "`data: PATH` or `data: [PATH, PATH]`",
    "targets": "`target: NAME`, `target: {column: NAME, …}` or `targets: [NAME, NAME]`",
    "columns.NAME": '`NAME: KIND`; `"<KIND>": {…}` for defaults of all columns of a kind',
    "targets.NAME.loss": "`loss: KIND`",
    "split": "`split: KIND`",
    "model": "`model: KIND`",
    "training.optimizer": "`optimizer: KIND`",
    "training.schedule": "`schedule: KIND`",
}
RUN_FILES = {
    "MANIFEST.json": "size and sha256 of every other file; a changed, missing or added file is exit 5",
    "config.yaml": "the complete config, every default written out; fit it again for the same weights and metrics",
    "lock.json": "what the result depends on: digests of config and data, versions, seed, threads, processor",
    "metrics.json": "metrics and trivial baseline per target and split, confusion counts, gates, warnings; no times",
    "history.csv": "one row per epoch: losses (without penalties) and the primary metric on validation rows",
    "cleaning.json": "what was done to rows and cells before and while columns were learned, counted step by step",
    "timing.json": "seconds of each stage and epoch",
    "predictions.parquet": "`row` (counted from 0 over the input files as they were read), `split`, `weight`, and for "
    "each target `<target>.target`, `<target>.prediction` and, of labels, `<target>.probability.<label>`; in its name "
    "`%` and `.` are written `%25` and `%2E`, so that no two columns have one name; `split` is train, validation, test "
    "or out_of_fold: rows that trained, each predicted by the network that left it out",
    "out_of_fold.parquet": "with `split.folds`: the prediction of each row by the model of the fold that left it out",
    "curves.svg": "the learning curves",
    "model/": "what bptrain predicts with: preparation and network as JSON and npz, nothing executable",
    "model.keras": "the same network for Keras, without bptrain; its outputs are probabilities or the target's units",
    "inputs.json": "how the inputs of model.keras are made from columns",
    "train.log": "what the terminal showed",
    "tensorboard/": "with `training.tensorboard`: an event file; it holds times",
}


METRICS_JSON = """### metrics.json

```text
{format, status: completed | diverged | evaluated, primary,
 targets: {NAME: {task, labels, positive, threshold, temperature,
                  splits: {train | out_of_fold | validation | test: {n, weight,
                           metrics: {METRIC: {value}}, baselines: {trivial: {METRIC: VALUE}}, confusion,
                           per_label: {LABEL: {n, precision, recall, f1}}}}}},
 training: {epochs, best_epoch, stopped_by: loss | patience | minutes | epochs | diverged, final: best | refit},
 selection: {NAME: …},                  with `final: refit`: the first training on its validation rows, as a split above
 cross_validation: {folds, level, targets: {NAME: {METRIC: {value, low, high, folds: [VALUE]}}}},     with `split.folds`
 drift: [{column, missing_before, missing, unknown, outside, shift, notable}],              of `evaluate --data`, shares
 gates: [{text, target, split, metric, operator, limit, value, passed}],
 warnings: [{code, message, where, hints}], seeds: [SEED]}
```

A value is null where a metric is not defined (an AUC of rows with one label). `confusion` counts rows, true label down
and predicted label across in the order of `labels`; null for numbers. An evaluation has no `training`.
`drift` compares other rows with the training rows, targets included; `shift` is the share of present cells that would
have to take other values for the column to be spread as in training.
The interval of `cross_validation` is for the metric on many new rows, of models trained on so many rows as the folds'
were: Student's t with Nadeau & Bengio's correction for training rows that folds share."""


def reference() -> str:
    """The whole page."""
    parts = [
        "# Reference\n\nWritten by `make docs` from the code; do not edit.",
        "## Commands",
        *(_command(name) for name in COMMANDS),
        "## Exit codes\n\n" + _table(("code", "meaning"), ((str(code), text) for code, text in EXIT_CODES.items())),
        "## Config\n\nUnknown keys are errors. Each section shows its keys, what may be written, and the default. "
        "`--set SECTION.KEY=VALUE` overrides the file.",
        *_sections("", Config),
        "## Metrics\n\n" + _table(("metric", "better", "meaning"), _metrics()),
        "## Files of a run\n\nEqual runs have equal bytes in every file but timing.json.\n\n"
        + _table(("file", "holds"), ((f"`{name}`", text) for name, text in RUN_FILES.items())),
        METRICS_JSON,
        "## Messages\n\n" + _table(("code", "title", "what to do"), _messages()),
    ]
    return "\n\n".join(parts) + "\n"


def main() -> int:
    """Write or check the page."""
    text = reference()
    if "--check" in sys.argv[1:]:
        return 0 if PAGE.read_text(encoding="utf-8") == text else 1
    PAGE.write_text(text, encoding="utf-8")
    return 0


def _command(name: str) -> str:
    with click.Context(cli, info_name="bptrain", help_option_names=["-h", "--help"]) as parent:
        command = cli.get_command(parent, name)
        if command is None:
            raise LookupError(name)
        context = click.Context(command, info_name=name, parent=parent, max_content_width=100, terminal_width=100)
        return f"### bptrain {name}\n\n```text\n{command.get_help(context)}\n```"


def _sections(path: str, section: type[Section]) -> Iterator[str]:
    """A part per section, depth first."""
    own = [(name, child(expected(section), name)) for name in section.fields_by_key()]
    deeper = [(name, place) for name, place in own if place is not None and _below(name, place)]
    rows = [_row(section, name, place) for name, place in own if name not in dict(deeper) and place is not None]
    if path:
        yield _heading(path, section) + ("\n\n" + _table(("key", "value", "default", "meaning"), rows) if rows else "")
    elif rows:
        yield "### Top level\n\n" + _table(("key", "value", "default", "meaning"), rows)
    for name, place in deeper:
        for below, nested in _below(name, place):
            yield from _sections(f"{path}.{below}".removeprefix("."), nested)


def _below(name: str, place: Expected) -> list[tuple[str, type[Section]]]:
    """The sections that stand under a key, with the path that leads there."""
    named = child(place, "NAME")
    if named is not None and variants(named):
        return [(f"{name}.NAME", section) for section in variants(named).values()]
    if variants(place):
        return [(name, section) for section in variants(place).values()]
    return [(name, place.section)] if place.section is not None else []


def _heading(path: str, section: type[Section]) -> str:
    tag = next((key for key in ("kind", "task") if key in section.fields_by_key()), None)
    title = f"### `{path}`"
    if tag and path != "split":
        title += f": `{tag}: {section.fields_by_key()[tag].default}`"
    short = f"\n\nShort form: {SHORT[path]}." if path in SHORT else ""
    return f"{title}\n\n{inspect.getdoc(section)}{short}"


def _row(section: type[Section], name: str, place: Expected) -> tuple[str, ...]:
    field = section.fields_by_key()[name]
    default = "required" if field.is_required() else f"`{_default(field.get_default(call_default_factory=True))}`"
    return f"`{name}`", describe(place), default, field.description or "which variant this is"


def _default(value: Any) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(scalar_yaml(item) for item in value)}]"
    return scalar_yaml(value)


def _metrics() -> Iterator[tuple[str, ...]]:
    for name, metric in METRICS.items():
        yield f"`{name}`", "higher" if metric.higher_is_better else "lower", metric.meaning


def _messages() -> Iterator[tuple[str, ...]]:
    for code, entry in sorted(CODES.items()):
        yield code, f"{entry.title}: {entry.meaning}", entry.remedy


def _table(head: tuple[str, ...], rows: Any) -> str:
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    lines += [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
