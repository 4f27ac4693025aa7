"""YAML text as a tree of nodes.

PyYAML reads the text into events; the tree is ours, so that every later problem can name its line and column, and so
that a config is only data: no anchors, tags, merge keys or second documents, keys are text, and none is given twice.
What a plain scalar means follows the core rules of YAML 1.2, without the surprises of YAML 1.1.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from typing import NoReturn

import yaml

from bptrain.config.diagnostics import Diagnostic, Mark, problems_of, split_lines
from bptrain.config.nodes import (
    MAX_DEPTH,
    MAX_INTEGER_BITS,
    Entry,
    MappingNode,
    Node,
    ScalarNode,
    SequenceNode,
    Value,
)
from bptrain.errors import Problem, UsageError
from bptrain.messages import config as messages
from bptrain.utils.text import escape, shorten

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
    raise UsageError(*problems_of([Diagnostic(messages.NOT_A_MAPPING(), node.mark)], {source: split_lines(text)}))


def parse_yaml(text: str, *, source: str, positions: bool = True) -> Node:
    """The tree of any YAML text; an empty text is null. Without `positions` marks name the source only.

    Raises UsageError with every problem found, in the order of the text.
    """
    text = text.removeprefix("\ufeff")
    parser = _Parser(source, split_lines(text), positions)
    if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise UsageError(messages.TOO_LARGE(size=MAX_BYTES >> 20, where=source))
    if unknown := _NOT_YAML.search(text):
        before = split_lines(text[: unknown.start()])
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
        mark = self._mark_of(event)
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

    def _mark_of(self, event: yaml.Event) -> Mark:
        """The part of an event on its first line."""
        start, end = event.start_mark, event.end_mark
        if start is None or end is None:
            return Mark(self.source)
        last = end.column if start.line == end.line else len(self.lines[start.line])
        return self.mark_at(start.line, start.column, max(1, last - start.column))

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
            elif key.is_empty:
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
