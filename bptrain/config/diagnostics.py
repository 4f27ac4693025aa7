"""What is wrong with a config, where it is written, and how a problem shows that line."""

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

Sources = Mapping[str, list[str]]  # the lines of each source by its name


@dataclass(frozen=True)
class Mark:
    """A place in a source; line and column count from 1, and line 0 means that the source has no lines (`--set …`).

    >>> print(Mark("config.yaml", 3, 5))
    config.yaml:3:5
    """

    source: str
    line: int = 0
    column: int = 0
    length: int = 1

    def __str__(self) -> str:
        position = f":{self.line}:{self.column}" if self.line else ""
        return escape(self.source) + position


@dataclass(frozen=True)
class Diagnostic:
    """A problem of what stands at `mark`; `note` stands behind the carets below that line."""

    problem: Problem
    mark: Mark
    note: str = ""


def problems_of(diagnostics: Sequence[Diagnostic], sources: Sources) -> list[Problem]:
    """The problems with their lines shown, by the order of their sources, then by position.

    Of very many only the first are told. Where no line can be shown, the note becomes a hint.
    """
    ranks = {source: rank for rank, source in enumerate(sources)}
    ordered = sorted(diagnostics, key=lambda one: (ranks.get(one.mark.source, -1), one.mark.line, one.mark.column))
    problems = []
    for diagnostic in ordered[:MAX_PROBLEMS]:
        lines, hints = excerpt(diagnostic.mark, sources, note=diagnostic.note), diagnostic.problem.hints
        if diagnostic.note and not lines:
            hints = (diagnostic.note, *hints)
        problems.append(replace(diagnostic.problem, where=str(diagnostic.mark), excerpt=lines, hints=hints))
    if len(ordered) > MAX_PROBLEMS:
        more = f"{len(ordered) - MAX_PROBLEMS} more problems of the config are not shown"
        problems[-1] = replace(problems[-1], hints=(*problems[-1].hints, more))
    return problems


def split_lines(text: str) -> list[str]:
    """The lines of a text, counted as the marks count them."""
    return LINE_BREAK.split(text)


def excerpt(mark: Mark, sources: Sources, *, note: str = "") -> str:
    """The marked line with carets and a note below it, each behind a gutter; "" when the source has no such line.

    >>> print(excerpt(Mark("c.yaml", 2, 1, 4), {"c.yaml": ["data: a.csv", "sede: 3"]}, note="did you mean `seed`?"))
    2 | sede: 3
      | ^^^^ did you mean `seed`?
    """
    lines = sources.get(mark.source, [])
    if not 0 < mark.line <= len(lines):
        return ""
    line, start = lines[mark.line - 1], mark.column - 1
    first = max(0, start - SHOWN_COLUMNS // 2)
    last = first + SHOWN_COLUMNS
    before = ("…" if first else "") + escape(line[first:start])
    text = before + escape(line[start:last]) + ("…" if last < len(line) else "")
    marked = escape(line[start : min(last, start + mark.length)])
    gutter = " " * len(str(mark.line))
    carets = " " * _width(before) + "^" * max(1, _width(marked))
    return f"{mark.line} | {text}".rstrip() + f"\n{gutter} | {carets} {escape(note)}".rstrip()


def _width(text: str) -> int:
    """Columns of a terminal: wide East Asian characters take two, combining ones none."""
    return sum(0 if combining(c) else 2 if east_asian_width(c) in "WF" else 1 for c in text)
