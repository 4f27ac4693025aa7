"""Writes the reference below docs/ from the code: `PAGES` has a page each for what everybody needs, and for the rest.

python tools/reference.py            write the pages
python tools/reference.py --check    exit 1 if a page is not what the code says
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path

import click

from bptrain.cli.main import COMMANDS, EXIT_CODES, cli
from bptrain.config.json_schema import Schema, child, describe, follow, sections_schema, variants
from bptrain.config.yaml_writer import flow_yaml
from bptrain.messages.catalogue import CATALOGUE
from bptrain.models.presets import PRESETS, ByRows, NetworkSize, Preset
from bptrain.targets.metrics import METRICS

DOCS = Path(__file__).parent.parent / "docs"
WRITTEN = "Written by `make docs` from the code; do not edit."
# What most people set: these options stand in reference.md, all others in options.md.
CORE = {
    "": {"seed"},
    "data": {"train", "validation", "test", "format", "delimiter", "na_values"},
    "targets.NAME": {"task", "positive"},
    "columns.NAME": {"kind", "missing", "order"},
    "clean": {"duplicates"},
    "split": {"kind", "column", "test", "validation", "folds"},
    "model": {"kind", "hidden", "dropout", "from"},
    "training": {"batch_size", "epochs", "patience", "minutes"},
    "training.optimizer": {"kind", "learning_rate"},
    "evaluation": {"primary", "gates"},
}
SHORT_FORMS = {
    "data": "`data: PATH` or `data: [PATH, PATH]`",
    "targets.NAME": "`target: NAME`, `target: {column: NAME, …}` or `targets: [NAME, NAME]`",
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


METRICS_JSON = """## metrics.json

```text
{format, status: completed | diverged | evaluated, primary,
 targets: {NAME: {task, labels, positive, threshold, temperature,
                  splits: {train | validation | out_of_fold | test: {n, weight,
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


@dataclass
class Part:
    """A section of the config, or all alternatives for one, such as the kinds of `columns.NAME`."""

    path: str
    discriminator: str = ""  # the key that chooses, `kind` or `task`
    # By the title of a section, as one name may stand for several: `mse` of labels is another than of numbers.
    sections: dict[str, Schema] = field(default_factory=dict)
    above: dict[str, list[str]] = field(default_factory=dict)  # what is chosen in the sections around it

    def choice(self, title: str) -> str:
        """What is written to choose a section, such as `adam`."""
        return str(self.sections[title]["properties"][self.discriminator]["const"]) if self.discriminator else ""


def parts() -> dict[str, Part]:
    """Every section of the config by its path, from the outside inwards."""
    collected: dict[str, Part] = {}
    _collect(sections_schema(), "", "", collected)
    return collected


def options() -> list[tuple[str, str]]:
    """Every option: the path of its section and its key."""
    collected = parts()
    return [
        (path, key)
        for path, part in collected.items()
        for key in dict.fromkeys(key for section in part.sections.values() for key in section["properties"])
        if not _is_section(path, key, collected)
    ]


def pages() -> dict[str, str]:
    """The text of each page by its name."""
    links = (
        ("options.md", "every other option"),
        ("commands.md", "commands and exit codes"),
        ("files.md", "files of a run, metrics.json"),
        ("messages.md", "messages by their code, as `bptrain explain CODE` shows them"),
    )
    core = [
        f"# Reference\n\n{WRITTEN}",
        "This page has what most people set. Elsewhere:\n\n"
        + "\n".join(f"- [{page}]({page}): {of}" for page, of in links),
        "## Config\n\nUnknown keys are errors. Each section shows its keys, what may be written, and the default. "
        "`--set SECTION.KEY=VALUE` overrides the file. A section that is not given has its defaults.",
        *_sections(core=True),
        "## Presets\n\n"
        + _table(("`model`", "meaning"), ((f"`{name}`", one.description) for name, one in PRESETS.items()))
        + "\n\nWhat `auto` means for each: [options.md](options.md#presets).",
        "## Metrics\n\n" + _table(("metric", "better", "meaning"), _metrics()),
    ]
    others = [
        f"# Options\n\n{WRITTEN}",
        "Those that most people set stand in [reference.md](reference.md), which also explains how to write a config.",
        *_sections(core=False),
        "## Presets\n\nWhat `auto` means, by `model`. Sizes are those of narrow and of wide networks; numbers that go "
        "by rows go by the training rows of a network.\n\n"
        + _table(("", *(f"`{name}`" for name in PRESETS)), _presets()),
    ]
    commands = [
        f"# Commands\n\n{WRITTEN}",
        *map(_command, COMMANDS),
        "## Exit codes\n\n" + _table(("code", "meaning"), ((str(code), text) for code, text in EXIT_CODES.items())),
    ]
    files = [
        f"# Files of a run\n\n{WRITTEN}",
        "Equal runs have equal bytes in every file but timing.json.",
        _table(("file", "holds"), ((f"`{name}`", text) for name, text in RUN_FILES.items())),
        METRICS_JSON,
    ]
    messages = [
        f"# Messages\n\n{WRITTEN}",
        "What a message says has values in the place of the NAMES.",
        _table(("code", "meaning", "what it says", "what to do"), _messages()),
    ]
    texts = {"reference": core, "options": others, "commands": commands, "files": files, "messages": messages}
    return {f"{name}.md": "\n\n".join(blocks) + "\n" for name, blocks in texts.items()}


def main() -> int:
    """Write or check the pages."""
    texts = pages()
    if "--check" in sys.argv[1:]:
        return int(any((DOCS / name).read_text(encoding="utf-8") != text for name, text in texts.items()))
    for name, text in texts.items():
        (DOCS / name).write_text(text, encoding="utf-8")
    return 0


def _collect(schema: Schema, path: str, above: str, collected: dict[str, Part]) -> None:
    """Add what stands at and below a path; `above` is what was chosen around it."""
    one, tagged = follow(schema), variants(schema)
    if isinstance(one.get("additionalProperties"), dict):
        _collect(one["additionalProperties"], f"{path}.NAME", above, collected)
    for tag, section in (tagged or ({"": one} if "properties" in one else {})).items():
        discriminator = schema["discriminator"]["propertyName"] if tagged else ""
        part = collected.setdefault(path, Part(path, discriminator))
        part.sections[section["title"]] = section
        part.above.setdefault(section["title"], []).append(above)
        for key, below in section["properties"].items():
            _collect(below, f"{path}.{key}".lstrip("."), tag, collected)


def _is_section(path: str, key: str, collected: dict[str, Part]) -> bool:
    inside = f"{path}.{key}".lstrip(".")
    return inside in collected or f"{inside}.NAME" in collected


def _sections(*, core: bool) -> Iterator[str]:
    """A block for each section that has options on this page, and links to the same section on the other one."""
    collected, listed = parts(), options()
    for path, part in collected.items():
        keys = [key for where, key in listed if where == path and (key in CORE.get(path, set())) == core]
        if not keys:
            continue
        blocks = [f"### {f'`{path}`' if path else 'Top level'}"]
        if not part.discriminator and path:
            blocks.extend(str(section["description"]) for section in part.sections.values())
        if path in SHORT_FORMS:
            blocks.append(f"Short form: {SHORT_FORMS[path]}.")
        if part.discriminator in keys:
            heads = (part.discriminator, "meaning")
            blocks.append(
                _table(heads, ((f"`{part.choice(title)}`", _meaning(part, title)) for title in part.sections))
            )
        rows = [row for key in keys if key != part.discriminator for row in _rows(part, key)]
        if rows:
            of = (part.discriminator,) if part.discriminator else ()
            blocks.append(_table(("key", *of, "value", "default", "meaning"), rows))
        n_others = sum(where == path for where, _ in listed) - len(keys)
        if n_others:
            page, anchor = "options.md" if core else "reference.md", path.replace(".", "").lower()
            blocks.append(f"{'More' if core else 'The others'}: [{page}]({page}#{anchor}).")
        yield "\n\n".join(blocks)


def _meaning(part: Part, title: str) -> str:
    """What an alternative is, and with what it is allowed if not with everything."""
    everywhere = set().union(*part.above.values())
    here = part.above[title]
    only = "" if set(here) == everywhere else f" Of {', '.join(f'`{name}`' for name in here)}."
    return " ".join(part.sections[title]["description"].split()) + only


def _rows(part: Part, key: str) -> Iterator[tuple[str, ...]]:
    """The rows of a key: one for all alternatives in which it means the same."""
    defaults_by_text: dict[tuple[str, str], dict[str, list[str]]] = {}
    for title, section in part.sections.items():
        schema = child(section, key)
        if schema is not None:
            default = "required" if key in section.get("required", []) else f"`{_default(schema['default'])}`"
            text = (describe(schema), schema.get("description", ""))
            defaults_by_text.setdefault(text, {}).setdefault(default, []).append(part.choice(title))
    for (value, meaning), defaults in defaults_by_text.items():
        tags = [tag for these in defaults.values() for tag in these]
        of = ("all" if len(tags) == len(part.sections) > 1 else ", ".join(f"`{tag}`" for tag in tags),)
        cell = ", ".join(f"{default} ({', '.join(these)})" for default, these in defaults.items())
        yield (
            f"`{key}`",
            *(of if part.discriminator else ()),
            value,
            cell if len(defaults) > 1 else next(iter(defaults)),
            meaning,
        )


def _presets() -> Iterator[tuple[str, ...]]:
    """A row for each part of a preset, with a cell for each preset."""
    for part in fields(Preset):
        if part.name != "description":
            yield part.name.replace("_", " "), *(_part(getattr(preset, part.name)) for preset in PRESETS.values())


def _part(value: object) -> str:
    if isinstance(value, Mapping):
        return "<br>".join(f"{name}: {_part(item)}" for name, item in value.items())
    if isinstance(value, ByRows):
        steps = [f"{item:g}" + ("" if limit == math.inf else f" below {limit:g}") for limit, item in value.steps]
        return ", ".join(steps)
    if isinstance(value, NetworkSize):
        return ", ".join(f"{one.name} {_default(getattr(value, one.name))}" for one in fields(value))
    return _default(value)


def _default(value: object) -> str:
    return flow_yaml(tuple(value) if isinstance(value, list) else value)


def _command(name: str) -> str:
    with click.Context(cli, info_name="bptrain", help_option_names=["-h", "--help"]) as parent:
        command = cli.get_command(parent, name)
        if command is None:
            raise LookupError(name)
        context = click.Context(command, info_name=name, parent=parent, max_content_width=100, terminal_width=100)
        return f"## bptrain {name}\n\n```text\n{command.get_help(context)}\n```"


def _metrics() -> Iterator[tuple[str, ...]]:
    for name, metric in METRICS.items():
        yield f"`{name}`", "higher" if metric.higher_is_better else "lower", metric.meaning


def _messages() -> Iterator[tuple[str, ...]]:
    for code, entry in CATALOGUE.items():
        yield code, f"{entry.title}: {entry.meaning}", "<br>".join(entry.texts), "<br>".join(entry.remedies)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    lines += [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
