"""A proposal as a short config: what has to be said as YAML, what was seen and why as comments."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence

from bptrain.config.write import scalar_yaml
from bptrain.data.options import DataOptions, SplitOptions
from bptrain.features.kinds import ColumnOptions
from bptrain.scaffold.columns import key_of, settings
from bptrain.scaffold.missing import Missing
from bptrain.scaffold.propose import Proposal
from bptrain.targets.tasks import TASKS
from bptrain.utils.text import escape, join_words

WIDTH = 100
READING = ("format", "delimiter", "decimal", "encoding")  # options of `data` that are said only when they were found
SHARES = SplitOptions()
MOST_COLUMNS = 6  # columns that a comment counts cells of
MOST_NAMES = 40  # columns of one kind that a comment lists


def proposal_yaml(proposal: Proposal, *, commands: Sequence[str]) -> str:
    """The config; `commands` are the command that made it and those to go on with, as lines."""
    parts = [
        _head(proposal, commands),
        _data(proposal),
        _target(proposal),
        _clean(proposal),
        _columns(proposal),
        _split(proposal),
    ]
    return "\n\n".join("\n".join(part) for part in parts if part) + "\n"


def _head(proposal: Proposal, commands: Sequence[str]) -> list[str]:
    written, *following = commands
    return [
        f"# Written by: {written}",
        f"# {proposal.n_rows} rows, {proposal.n_columns} columns. What is not written here has its default.",
        "# Go on with:",
        *(f"#   {command}" for command in following),
    ]


def _data(proposal: Proposal) -> list[str]:
    options, why = proposal.data.options, proposal.data.why
    rest = [line for name in READING if name in why for line in _entry(name, getattr(options, name), why[name], "  ")]
    if len(options.na_values) > 1:
        rest += _missing(proposal.missing)
        rest += [f"  na_values: {_list(options.na_values)}"]
    labels = [line for text in _labels(proposal.missing) for line in _comment(text)]
    if not rest and not options.test:
        return [*labels, f"data: {_files(options.train)}"]
    return ["data:", f"  train: {_files(options.train)}", *_test(options), *rest, *_indented(labels)]


def _test(options: DataOptions) -> list[str]:
    return [f"  test: {_files(options.test)}"] if options.test else []


def _missing(missing: Missing) -> Iterator[str]:
    for word, counts in missing.words.items():
        yield from _comment(f"{_cell(word)} means missing in {_counted(counts)}", "  ")
    for text, counts in missing.odd.items():
        yield from _comment(f"CHECK: {_cell(text)} among the numbers of {_counted(counts)} is taken for missing", "  ")
    for text, counts in missing.spoilt.items():
        what = f"CHECK: {_cell(text)} is then missing in {_counted(counts)}, too; if it is a label there, rename it"
        yield from _comment(what, "  ")


def _labels(missing: Missing) -> Iterator[str]:
    for word, counts in missing.labels.items():
        yield f"{_cell(word)} stays a label in {_counted(counts)}; if it means missing, add it to `data.na_values`"


def _target(proposal: Proposal) -> list[str]:
    target = proposal.target
    lines = ["target:", f"  column: {scalar_yaml(target.name)}"]
    lines += _entry("task", target.options.task, target.seen, "  ")
    positive = getattr(target.options, "positive", None)
    if positive is not None:
        lines += _entry("positive", positive, "the label whose probability is predicted", "  ")
    return [*lines, *(line for remark in target.remarks for line in _comment(remark, "  "))]


def _clean(proposal: Proposal) -> list[str]:
    settings_: dict[str, object] = {}
    whys: list[str] = []
    if proposal.n_unlabelled:
        settings_["missing_target"] = "drop"
        whys.append(f"{proposal.n_unlabelled} of {proposal.n_rows} rows have no target and are left out")
    if "clean" in proposal.remedies:
        needed, why = proposal.remedies["clean"]
        settings_ |= needed
        whys.append(why)
    return _entry("clean", settings_, "; ".join(whys), "") if settings_ else []


def _columns(proposal: Proposal) -> list[str]:
    columns = proposal.columns
    lines = ["# Kinds of columns that need no line, as they are inferred; `bptrain check` shows why:"]
    for kind, names in columns.by_kind().items():
        lines += _comment(f"{kind} ({len(names)}): {_names(names)}", hang="    ")
    for warning in columns.warnings:
        lines += _comment(f"CHECK: {warning.message}; {warning.hints[0]}" if warning.hints else warning.message)
    if not columns.lines:
        return lines
    lines.append("columns:")
    for name, options in columns.lines.items():
        lines += _entry(key_of(name, tuple(columns.options)), _short(options), columns.reasons[name], "  ")
    return lines


def _split(proposal: Proposal) -> list[str]:
    if "split" in proposal.remedies:
        needed, why = proposal.remedies["split"]
        lines = _entry("split", needed, why, "")
    else:
        lines = _entry("split", _kind(proposal), _parts(proposal), "")
    for when, line in proposal.hints:
        lines += [*_comment(when), f"# {line}"]
    return lines


def _kind(proposal: Proposal) -> str:
    return "stratified" if TASKS[proposal.target.options.task].predicts_labels else "random"


def _parts(proposal: Proposal) -> str:
    kept = "; shares of labels kept" if _kind(proposal) == "stratified" else ""
    share = SHARES.share("validation")
    validation = f"validation: {100 * share:g} % for each network of the "
    if proposal.data.options.test:
        return f"test: the file above; {validation}training rows{kept}"
    return f"test: {100 * SHARES.test:g} % of the rows; {validation}others{kept}"


def _names(names: Sequence[str]) -> str:
    """The names, or the first few and how many more there are."""
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return ", ".join(map(escape, names[:MOST_NAMES])) + more


def _short(options: ColumnOptions) -> object:
    given = settings(options)
    return {"kind": options.kind, **given} if given else options.kind


def _entry(key: str, value: object, why: str, indent: str) -> list[str]:
    """One key with its reason behind it, or above it where the line would be long."""
    line = f"{indent}{scalar_yaml(key)}: {_flow(value)}"
    if not why:
        return [line]
    why = escape(why)
    return [f"{line}   # {why}"] if len(line) + len(why) + 5 <= WIDTH else [*_comment(why, indent), line]


def _comment(text: str, indent: str = "", *, hang: str = "") -> list[str]:
    first = f"{indent}# "
    return textwrap.wrap(
        " ".join(escape(text).split()),
        WIDTH,
        initial_indent=first,
        subsequent_indent=first + hang,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _flow(value: object) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{scalar_yaml(str(key))}: {_flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, tuple | list):
        return _list(value)
    return scalar_yaml(value)


def _list(values: Sequence[object]) -> str:
    return "[" + ", ".join(scalar_yaml(value) for value in values) + "]"


def _files(paths: Sequence[str]) -> str:
    return scalar_yaml(paths[0]) if len(paths) == 1 else _list(paths)


def _indented(lines: Sequence[str]) -> list[str]:
    return [f"  {line}" for line in lines]


def _cell(text: str) -> str:
    return "a cell of white space" if text and not text.strip() else f"`{escape(text)}`"


def _counted(counts: Mapping[str, int]) -> str:
    shown = [f"{escape(name)} ({count})" for name, count in list(counts.items())[:MOST_COLUMNS]]
    more = [f"{len(counts) - MOST_COLUMNS} more columns"] if len(counts) > MOST_COLUMNS else []
    return join_words([*shown, *more], last="and")
