"""A config as a tree of frozen nodes, each of which knows where it was written, from YAML or from Python's values.

PyYAML reads YAML text into events; the tree is ours, so that every later problem can name its line and column, and so
that a config is only data: no anchors, tags, merge keys or second documents, keys are text, and none is given twice.
What a plain scalar means follows the core rules of YAML 1.2, without the surprises of YAML 1.1. A mark in YAML is a
line and a column; in a mapping of Python's it is the dotted path of the value. `Diagnostic` says what is wrong
where, `problems_of` shows the lines.
"""

from __future__ import annotations

import math
import numbers
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NoReturn
from unicodedata import combining, east_asian_width

import yaml

from bptrain.errors import Problem, UsageError
from bptrain.messages import config as messages
from bptrain.utils.text import escape, shorten

LINE_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")  # what PyYAML counts as lines
SHOWN_COLUMNS = 100
MAX_PROBLEMS = 100

Sources = Mapping[str, list[str]]  # the lines of each source by its name
MAX_DEPTH = 32
# Python refuses to spell integers of more than 4300 digits; anything near that is no number a config needs.
MAX_INTEGER_BITS = 3000

Value = str | int | float | bool | None
MAX_BYTES = 8 << 20
MAX_NODES = 500_000  # a complete config of 10 000 columns has about 330 000

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NOT_YAML = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_TAG_PREFIX = "tag:yaml.org,2002:"

_NAMED: dict[str, Value] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".inf", "+.inf", ".Inf", "+.Inf", ".INF", "+.INF"), math.inf),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), -math.inf),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
}
# A code with leading zeros (`00123`, a zip) is text: as a number it would lose them.
_INTEGERS = (
    (re.compile(r"([-+]?(?:0|[1-9][0-9]*))"), 10),
    (re.compile(r"0x([0-9a-fA-F]+)"), 16),
    (re.compile(r"0o([0-7]+)"), 8),
)
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+\.[0-9]*|[0-9]+(?=[eE]))([eE][-+]?[0-9]+)?")
MAX_NUMBER_LENGTH = 1000

# PyYAML tells its errors in words only: those found in "context: problem" (of its C or its Python reader), and what we
# say then. The first match counts.
_SYNTAX = (
    ("mapping values are not allowed", messages.COLON_NOT_HERE),
    ("quoted scalar: found unexpected end", messages.QUOTES_NOT_CLOSED),
    ("unknown escape character", messages.UNKNOWN_ESCAPE),
    ("could not find expected ':'", messages.NO_COLON),
    ("flow node", messages.VALUE_MISSING),
    ("parsing a flow sequence", messages.LIST_NOT_CLOSED),
    ("parsing a flow mapping", messages.MAPPING_NOT_CLOSED),
    ("scanning an alias", messages.ALIAS_BEGINS),
    ("scanning an anchor", messages.ANCHOR_BEGINS),
    ("tag", messages.TAG_BEGINS),
    ("block scalar", messages.TEXT_BLOCK_BEGINS),
    ("cannot start any token", messages.CHARACTER_NOT_FIRST),
    ("sequence entries are not allowed", messages.ITEM_NOT_HERE),
    ("block collection", messages.ITEM_EXPECTED),
    ("block sequence", messages.ITEM_EXPECTED),
    ("block mapping", messages.LINE_DOES_NOT_CONTINUE),
    ("directive", messages.DIRECTIVE),
)
_SEEN_WHERE_BEGUN = (
    "expected ':'",
    "scanning an alias",
    "scanning an anchor",
    "scanning a block scalar",
    "a directive",
)


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
class ScalarNode:
    """One value; `text` is its spelling without quotes."""

    value: Value
    text: str
    mark: Mark
    plain: bool = True


@dataclass(frozen=True)
class SequenceNode:
    """A list."""

    items: tuple[Node, ...]
    mark: Mark


@dataclass(frozen=True)
class Entry:
    """A key of a mapping, the mark of that key, and its value; `given` is False where a short form implies the key."""

    key: str
    mark: Mark
    value: Node
    given: bool = True


@dataclass(frozen=True)
class MappingNode:
    """Keys and values in the order written."""

    entries: tuple[Entry, ...]
    mark: Mark

    def get(self, key: str) -> Entry | None:
        """The entry of that key."""
        return self._by_key.get(key)

    @cached_property
    def _by_key(self) -> dict[str, Entry]:
        return {entry.key: entry for entry in self.entries}

    def replace(self, old: Entry | None, *new: Entry) -> MappingNode:
        """The mapping with `new` in the place of `old`, or at its end without an `old`."""
        if old is None:
            return MappingNode((*self.entries, *new), self.mark)
        place = self.entries.index(old)
        return MappingNode((*self.entries[:place], *new, *self.entries[place + 1 :]), self.mark)


Node = ScalarNode | SequenceNode | MappingNode


def to_python(node: Node) -> object:
    """The tree as dict, list and scalars."""
    if isinstance(node, ScalarNode):
        return node.value
    if isinstance(node, SequenceNode):
        return [to_python(item) for item in node.items]
    return {entry.key: to_python(entry.value) for entry in node.entries}


def nodes_of_mapping(mapping: Mapping[str, object]) -> MappingNode:
    """The tree of a mapping of Python's. Raises UsageError with every value that a config cannot hold."""
    problems: list[Problem] = []
    node = _node(mapping, (), problems)
    if not isinstance(node, MappingNode):
        raise UsageError(messages.NO_MAPPING(type=type(mapping).__name__, where="config"))
    if problems:
        raise UsageError(*problems)
    return node


def _node(value: object, path: tuple[str, ...], problems: list[Problem]) -> Node:
    mark = Mark(".".join(path) or "config")
    if len(path) > MAX_DEPTH:
        problems.append(messages.PYTHON_TOO_DEEP(levels=MAX_DEPTH, where=mark))
    elif isinstance(value, Mapping):
        return MappingNode(tuple(_entries(value, path, problems)), mark)
    elif isinstance(value, list | tuple):
        return SequenceNode(tuple(_node(item, (*path, str(i)), problems) for i, item in enumerate(value)), mark)
    else:
        scalar = os.fspath(value) if isinstance(value, os.PathLike) else value
        if isinstance(scalar, str) and not _has_surrogate(scalar):
            return ScalarNode(str(scalar), str(scalar), mark, plain=False)
        if scalar is None or isinstance(scalar, bool):
            return ScalarNode(scalar, "null" if scalar is None else str(scalar).lower(), mark)
        if isinstance(scalar, numbers.Integral) and int(scalar).bit_length() <= MAX_INTEGER_BITS:
            return ScalarNode(int(scalar), str(int(scalar)), mark)
        if isinstance(scalar, numbers.Real) and not isinstance(scalar, numbers.Integral):  # numpy's, too
            return ScalarNode(float(scalar), str(float(scalar)).lower(), mark)
        problems.append(messages.VALUE_NOT_HELD(value=_in_words(value), where=mark))
    return ScalarNode(None, "", mark)


def _entries(mapping: Mapping[object, object], path: tuple[str, ...], problems: list[Problem]) -> Iterator[Entry]:
    names = set()
    for key, value in mapping.items():
        name = str(key)
        below = (*path, shorten(name))
        mark = Mark(".".join(below))
        if isinstance(key, bool) or not isinstance(key, str | int) or _has_surrogate(name):
            problems.append(messages.PYTHON_KEY_NOT_TEXT(value=_in_words(key), where=mark))
        elif name in names:
            problems.append(messages.PYTHON_KEY_TWICE(name=name, where=mark))
        else:
            names.add(name)
            yield Entry(name, mark, _node(value, below, problems))


def _has_surrogate(text: str) -> bool:
    """Whether a text holds half of a character, so that it is not Unicode text."""
    return any("\ud800" <= c <= "\udfff" for c in text)


def _in_words(value: object) -> str:
    if isinstance(value, str):
        return f"{shorten(escape(ascii(value)))}, which is not Unicode text"
    return f"a value of type `{type(value).__name__}`"


# YAML


def resolve_scalar(text: str) -> Value:
    """The value of a scalar written without quotes: null, a boolean, a number, or the text itself.

    >>> [resolve_scalar(text) for text in ("12", "1e-3", "no", "00123", "~")]
    [12, 0.001, 'no', '00123', None]
    """
    if text in _NAMED:
        return _NAMED[text]
    if len(text) > MAX_NUMBER_LENGTH:
        return text
    for pattern, base in _INTEGERS:
        if digits := pattern.fullmatch(text):
            value = int(digits[1], base)
            return value if value.bit_length() <= MAX_INTEGER_BITS else text
    return float(text) if _FLOAT.fullmatch(text) else text


def parse_config(text: str, *, source: str) -> MappingNode:
    """The tree of a config file. Raises UsageError with the line and column of each problem."""
    node = parse_yaml(text, source=source)
    if isinstance(node, MappingNode):
        return node
    if isinstance(node, ScalarNode) and node.value is None:
        raise UsageError(messages.EMPTY_CONFIG(where=source))
    lines = LINE_BREAK.split(text.removeprefix("\ufeff"))
    raise UsageError(*problems_of([Diagnostic(messages.NOT_A_MAPPING(), node.mark)], {source: lines}))


def parse_yaml(text: str, *, source: str, positions: bool = True) -> Node:
    """The tree of any YAML text; an empty text is null. Without `positions` marks name the source only.

    Raises UsageError with every problem found, in the order of the text.
    """
    text = text.removeprefix("\ufeff")
    parser = _Parser(source, LINE_BREAK.split(text), positions)
    if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise UsageError(messages.TOO_LARGE(size=MAX_BYTES >> 20, where=source))
    if unknown := _NOT_YAML.search(text):
        before = LINE_BREAK.split(text[: unknown.start()])
        problem = messages.CHARACTER_NOT_YAML(character=unknown.group())
        parser.fail(problem, parser.mark_at(len(before) - 1, len(before[-1])))
    try:
        for event in yaml.parse(text, Loader=_Loader):
            parser.take(event)
    except yaml.MarkedYAMLError as err:
        problem, (line, column) = _explain_syntax_error(err, parser.lines)
        parser.fail(problem, parser.mark_at(line, column))
    if parser.diagnostics:
        raise UsageError(*problems_of(parser.diagnostics, {source: parser.lines}))
    roots = parser.open[0].children
    return roots[0] if roots else ScalarNode(None, "", parser.mark_at(0, 0))


@dataclass(frozen=True)
class _Collection:
    """A list or mapping whose end has not been read; a mapping's children are key, value, key, value …"""

    children: list[Node]
    mark: Mark


class _Parser:
    """Makes the tree from events: `open` holds the collections around the next one, the outermost first."""

    def __init__(self, source: str, lines: list[str], positions: bool) -> None:
        self.source = source
        self.lines = lines
        self.positions = positions
        self.open = [_Collection([], self.mark_at(0, 0))]
        self.diagnostics: list[Diagnostic] = []
        self.n_nodes = 0

    def mark_at(self, line: int, column: int, length: int = 1) -> Mark:
        """A mark from counts that begin with 0."""
        return Mark(self.source, line + 1, column + 1, length) if self.positions else Mark(self.source)

    def fail(self, problem: Problem, mark: Mark) -> NoReturn:
        """Raise UsageError with the problems so far and one after which nothing can be read."""
        sources = {self.source: self.lines}
        raise UsageError(*problems_of(self.diagnostics, sources), *problems_of([Diagnostic(problem, mark)], sources))

    def note(self, problem: Problem, mark: Mark) -> None:
        """Remember a problem, and go on reading."""
        self.diagnostics.append(Diagnostic(problem, mark))

    def take(self, event: yaml.Event) -> None:
        """Add one event to the tree."""
        mark, start, end = Mark(self.source), event.start_mark, event.end_mark
        if start is not None and end is not None:  # the part of the event on its first line
            last = end.column if start.line == end.line else len(self.lines[start.line])
            mark = self.mark_at(start.line, start.column, max(1, last - start.column))
        if isinstance(event, yaml.DocumentStartEvent) and self.open[0].children:
            self.fail(messages.SECOND_DOCUMENT(), mark)
        elif isinstance(event, yaml.NodeEvent):
            self._check_node(event, mark)
        if isinstance(event, yaml.CollectionStartEvent):
            self.open.append(_Collection([], replace(mark, length=1)))
            if len(self.open) > MAX_DEPTH + 1:
                self.fail(messages.TOO_DEEP(levels=MAX_DEPTH), self.open[-1].mark)
        elif isinstance(event, yaml.CollectionEndEvent):
            ended = self.open.pop()
            is_list = isinstance(event, yaml.SequenceEndEvent)
            node: Node = SequenceNode(tuple(ended.children), ended.mark) if is_list else self._mapping(ended)
            self.open[-1].children.append(node)
        elif isinstance(event, yaml.ScalarEvent):
            plain = bool(event.implicit[0])
            value = resolve_scalar(event.value) if plain else event.value
            self.open[-1].children.append(ScalarNode(value, event.value, mark, plain))
        elif isinstance(event, yaml.AliasEvent):
            name = f"*{event.anchor}"
            self.open[-1].children.append(ScalarNode(name, name, mark, plain=False))

    def _check_node(self, event: yaml.NodeEvent, mark: Mark) -> None:
        """Count the node, and note what YAML allows but a config does not."""
        self.n_nodes += 1
        if self.n_nodes > MAX_NODES:
            self.fail(messages.TOO_MANY_VALUES(limit=MAX_NODES), mark)
        if isinstance(event, yaml.AliasEvent):
            self.note(messages.ALIAS(name=shorten(escape(f"*{event.anchor}"))), mark)
            return
        if event.anchor is not None:
            self.note(messages.ANCHOR(name=shorten(escape(f"&{event.anchor}"))), mark)
        tag = getattr(event, "tag", None)
        if tag is not None:
            name = "!!" + tag.removeprefix(_TAG_PREFIX) if tag.startswith(_TAG_PREFIX) else tag
            self.note(messages.TAG(name=shorten(escape(name))), mark)

    def _mapping(self, ended: _Collection) -> MappingNode:
        """Keys and values of a mapping, without the keys that are problems."""
        entries: dict[str, Entry] = {}
        for key, value in zip(ended.children[::2], ended.children[1::2], strict=True):
            if not isinstance(key, ScalarNode):
                self.note(messages.KEY_NOT_TEXT(), key.mark)
            elif key.plain and not key.text:
                self.note(messages.KEY_EMPTY(), key.mark)
            elif key.plain and key.text == "<<":
                self.note(messages.MERGE_KEY(), key.mark)
            elif key.text in entries:
                line = entries[key.text].mark.line
                first = (f"it is first given in line {line}; keep one of them",) if line else ("keep one of them",)
                self.note(messages.KEY_TWICE(name=shorten(escape(key.text)), hints=first), key.mark)
            else:
                entries[key.text] = Entry(key.text, key.mark, value)
        return MappingNode(tuple(entries.values()), ended.mark)


def _explain_syntax_error(err: yaml.MarkedYAMLError, lines: list[str]) -> tuple[Problem, tuple[int, int]]:
    """A syntax error in plain words, and where it is seen (line and column from 0).

    What is missing at the end of the text is shown where it began.
    """
    seen, begun = err.problem_mark, err.context_mark
    said = f"{err.context}: {err.problem}"
    if begun is not None and (
        seen is None or not "".join(lines[seen.line :]).strip() or any(words in said for words in _SEEN_WHERE_BEGUN)
    ):
        seen = begun
    line, column = (seen.line, seen.column) if seen is not None else (0, 0)
    if not (line < len(lines) and lines[line].strip()):
        line = max((n for n, text in enumerate(lines[:line]) if text.strip() and text.lstrip()[0] != "#"), default=0)
        column = max(0, len(lines[line].rstrip()) - 1)
    indentation = lines[line][: len(lines[line]) - len(lines[line].lstrip())]
    if "\t" in indentation:
        return messages.TAB_INDENT(), (line, indentation.index("\t"))
    for words, message in _SYNTAX:
        if words in said:
            return message(), (line, column)
    return messages.NOT_YAML(reason=err.problem), (line, column)


# What is wrong, and how a problem shows its line


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
