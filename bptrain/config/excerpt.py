"""Where something was written, and how a problem shows that line."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from unicodedata import combining, east_asian_width

from bptrain.errors import Problem
from bptrain.utils.text import escape

LINE_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")  # what PyYAML counts as lines
SHOWN_COLUMNS = 100
MAX_PROBLEMS = 100


@dataclass(frozen=True)
class Mark:
    """A place in a source; line and column count from 1, and line 0 means that the source has no lines (`--set …`)."""

    source: str
    line: int = 0
    column: int = 0
    length: int = 1

    def __str__(self) -> str:
        place = f":{self.line}:{self.column}" if self.line else ""
        return escape(self.source) + place


@dataclass(frozen=True)
class Finding:
    """A problem before it is put in words for a terminal: `note` stands behind the caret."""

    code: str
    message: str
    mark: Mark
    note: str = ""
    hints: tuple[str, ...] = ()


def problem_of(finding: Finding, sources: Mapping[str, list[str]]) -> Problem:
    """The finding with its line shown; where no line can be shown, its note becomes a hint.

    `sources` maps the name of each source to its lines.
    """
    shown = excerpt(finding.mark, sources, note=finding.note)
    hints = finding.hints if shown or not finding.note else (finding.note, *finding.hints)
    return Problem(finding.code, finding.message, str(finding.mark), shown, hints)


def problems_of(findings: Sequence[Finding], sources: Mapping[str, list[str]]) -> list[Problem]:
    """The findings by the order of their sources, then by position; of very many only the first."""
    ranks = {source: rank for rank, source in enumerate(sources)}
    ordered = sorted(findings, key=lambda each: (ranks.get(each.mark.source, -1), each.mark.line, each.mark.column))
    problems = [problem_of(finding, sources) for finding in ordered[:MAX_PROBLEMS]]
    if len(ordered) > MAX_PROBLEMS:
        more = f"{len(ordered) - MAX_PROBLEMS} more problems of the config are not shown"
        problems[-1] = replace(problems[-1], hints=(*problems[-1].hints, more))
    return problems


def split_lines(text: str) -> list[str]:
    """The lines of a text, counted as the marks count them."""
    return LINE_BREAK.split(text)


def excerpt(mark: Mark, sources: Mapping[str, list[str]], *, note: str = "") -> str:
    """The marked line with carets and a note below it, each behind a gutter; "" when the source has no such line."""
    lines = sources.get(mark.source, [])
    if not 0 < mark.line <= len(lines):
        return ""
    line, start = lines[mark.line - 1], mark.column - 1
    first = max(0, start - SHOWN_COLUMNS // 2)
    last = first + SHOWN_COLUMNS
    marked = line[start : min(last, start + mark.length)]
    before = ("…" if first else "") + escape(line[first:start])
    shown = before + escape(line[start:last]) + ("…" if last < len(line) else "")
    gutter = " " * len(str(mark.line))
    carets = " " * _width(before) + "^" * max(1, _width(escape(marked)))
    return f"{mark.line} | {shown}".rstrip() + f"\n{gutter} | {carets} {escape(note)}".rstrip()


def _width(text: str) -> int:
    """Columns of a terminal: wide East Asian characters take two, combining ones none."""
    return sum(0 if combining(c) else 2 if east_asian_width(c) in "WF" else 1 for c in text)
