"""A scaffold as a short config: what has to be said as YAML, what was seen and why as comments."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

from bptrain.config.yaml_writer import flow_yaml
from bptrain.data.options import SplitOptions
from bptrain.scaffold.columns import column_key, written_settings
from bptrain.scaffold.scaffold import Scaffold
from bptrain.targets.tasks import TASKS
from bptrain.utils.text import escape, join_words

WIDTH = 100
READING = ("format", "delimiter", "decimal", "encoding")  # options of `data` that are said only when they were found
MOST_COLUMNS = 6  # columns that a comment counts cells of
MOST_NAMES = 40  # columns of one kind that a comment lists


def scaffold_yaml(scaffold: Scaffold, *, commands: Sequence[str]) -> str:
    """The config; `commands` are the command that made it and those to go on with, as lines."""
    made_by, *next_commands = commands
    head = [
        f"# Written by: {made_by}",
        f"# {scaffold.n_rows} rows, {scaffold.n_columns} columns. What is not written here has its default.",
        "# Go on with:",
        *(f"#   {command}" for command in next_commands),
    ]
    target = ["target:", f"  column: {flow_yaml(scaffold.target.name)}"]
    target += _entry("task", scaffold.target.options.task, scaffold.target.summary, "  ")
    positive = getattr(scaffold.target.options, "positive", None)
    if positive is not None:
        target += _entry("positive", positive, "the label whose probability is predicted", "  ")
    for remark in scaffold.target.remarks:
        target += _comment(remark, "  ")
    clean: dict[str, object] = {}
    reasons = []
    if scaffold.n_unlabelled:
        clean["missing_target"] = "drop"
        reasons.append(f"{scaffold.n_unlabelled} of {scaffold.n_rows} rows have no target and are left out")
    if "clean" in scaffold.fallbacks:
        clean |= scaffold.fallbacks["clean"].settings
        reasons.append(scaffold.fallbacks["clean"].reason)
    sections = [
        head,
        _data_lines(scaffold),
        target,
        _entry("clean", clean, "; ".join(reasons), "") if clean else [],
        _columns_lines(scaffold),
        _split_lines(scaffold),
    ]
    return "\n\n".join("\n".join(lines) for lines in sections if lines) + "\n"


def _data_lines(scaffold: Scaffold) -> list[str]:
    """The section `data`, or one line where its files are all that has to be said."""
    options, reasons, missing = scaffold.reading.options, scaffold.reading.reasons, scaffold.missing
    train, test = (
        flow_yaml(files[0]) if len(files) == 1 else flow_yaml(files) for files in (options.train, options.test or ())
    )
    lines: list[str] = []
    for name in READING:
        if name in reasons:
            lines += _entry(name, getattr(options, name), reasons[name], "  ")
    if len(options.na_values) > 1:
        for word, counts in missing.words.items():
            lines += _comment(f"{_cell(word)} means missing in {_counted(counts)}", "  ")
        for text, counts in missing.odd.items():
            lines += _comment(
                f"CHECK: {_cell(text)} among the numbers of {_counted(counts)} is taken for missing", "  "
            )
        for text, counts in missing.spoilt.items():
            what = f"CHECK: {_cell(text)} is then missing in {_counted(counts)}, too; if it is a label there, rename it"
            lines += _comment(what, "  ")
        lines.append(f"  na_values: {flow_yaml(options.na_values)}")
    is_short = not lines and not options.test
    labels: list[str] = []
    for word, counts in missing.labels.items():
        text = f"{_cell(word)} stays a label in {_counted(counts)}; if it means missing, add it to `data.na_values`"
        labels += _comment(text)
    if is_short:
        return [*labels, f"data: {train}"]
    return [
        "data:",
        f"  train: {train}",
        *([f"  test: {test}"] if options.test else []),
        *lines,
        *(f"  {line}" for line in labels),
    ]


def _columns_lines(scaffold: Scaffold) -> list[str]:
    """Columns without a line by kind as a comment, what to look at, and the columns with a line."""
    columns = scaffold.columns
    lines = ["# Kinds of columns that need no line, as they are inferred; `bptrain check` shows why:"]
    for kind, names in columns.by_kind().items():
        more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
        lines += _comment(f"{kind} ({len(names)}): {', '.join(names[:MOST_NAMES])}{more}", hang="    ")
    for warning in columns.warnings:
        lines += _comment(f"CHECK: {warning.message}; {warning.hints[0]}" if warning.hints else warning.message)
    if columns.lines:
        lines.append("columns:")
    for name, options in columns.lines.items():
        settings = written_settings(options)
        value = {"kind": options.kind, **settings} if settings else options.kind
        lines += _entry(column_key(name, tuple(columns.options)), value, columns.reasons[name], "  ")
    return lines


def _split_lines(scaffold: Scaffold) -> list[str]:
    """How rows are set apart, and other ways as comments."""
    if "split" in scaffold.fallbacks:
        fallback = scaffold.fallbacks["split"]
        lines = _entry("split", fallback.settings, fallback.reason, "")
    else:
        defaults = SplitOptions()
        by_labels = TASKS[scaffold.target.options.task].predicts_labels
        kind, kept = ("stratified", "; shares of labels kept") if by_labels else ("random", "")
        validation = f"validation: {100 * defaults.share('validation'):g} % for each network of the "
        has_test = bool(scaffold.reading.options.test)
        test = "the file above" if has_test else f"{100 * defaults.test:g} % of the rows"
        reason = f"test: {test}; {validation}{'training rows' if has_test else 'others'}{kept}"
        lines = _entry("split", kind, reason, "")
    for when, line in scaffold.hints:
        lines += [*_comment(when), f"# {line}"]
    return lines


def _entry(key: str, value: object, reason: str, indent: str) -> list[str]:
    """One key with its reason behind it, or above it where the line would be long."""
    line = f"{indent}{flow_yaml(key)}: {flow_yaml(value)}"
    if not reason:
        return [line]
    reason = escape(reason)
    fits = len(line) + len(reason) + 5 <= WIDTH
    return [f"{line}   # {reason}"] if fits else [*_comment(reason, indent), line]


def _comment(text: str, indent: str = "", *, hang: str = "") -> list[str]:
    """The text as comment lines, made safe to show; lines after the first are indented by `hang`."""
    first = f"{indent}# "
    return textwrap.wrap(
        " ".join(escape(text).split()),
        WIDTH,
        initial_indent=first,
        subsequent_indent=first + hang,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _cell(text: str) -> str:
    return "a cell of white space" if text and not text.strip() else f"`{escape(text)}`"


def _counted(counts: Mapping[str, int]) -> str:
    """Columns with their numbers of cells, as prose."""
    words = [f"{escape(name)} ({count})" for name, count in list(counts.items())[:MOST_COLUMNS]]
    more = [f"{len(counts) - MOST_COLUMNS} more columns"] if len(counts) > MOST_COLUMNS else []
    return join_words([*words, *more], last="and")
