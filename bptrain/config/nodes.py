"""YAML text as a tree of frozen nodes, each of which knows where it was written.

PyYAML reads the text into events; the tree is ours, so that every later problem can name its line and column, and
so that a config is only data: no anchors, tags, merge keys or second documents, keys are text, and none is given twice.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import yaml

from bptrain.config.excerpt import Finding, Mark, problem_of, problems_of, split_lines
from bptrain.config.scalars import Value, resolve
from bptrain.config.syntax import explain_syntax_error
from bptrain.errors import Problem, UsageError
from bptrain.utils.text import escape, shorten

MAX_BYTES = 8 << 20
MAX_NODES = 500_000  # a complete config of 10 000 columns has about 330 000
MAX_DEPTH = 32
SMALLEST_CONFIG = "the smallest config is two lines: `data: FILE` and `target: COLUMN`"

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NOT_YAML = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_TAG_PREFIX = "tag:yaml.org,2002:"


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


Node = ScalarNode | SequenceNode | MappingNode


def parse_config(text: str, *, source: str) -> MappingNode:
    """The tree of a config file. Raises UsageError with the line and column of each problem."""
    node = parse_yaml(text, source=source)
    if isinstance(node, MappingNode):
        return node
    if isinstance(node, ScalarNode) and node.value is None:
        raise UsageError(Problem("BP110", "the config is empty", escape(source), hints=(SMALLEST_CONFIG,)))
    message = "the config must be a mapping of keys such as `data:` and `target:`, not a single value or a list"
    raise UsageError(_problem("BP110", message, node.mark, split_lines(text), SMALLEST_CONFIG))


def parse_yaml(text: str, *, source: str, positions: bool = True) -> Node:
    """The tree of any YAML text; an empty text is null. Without `positions` marks name the source only.

    Raises UsageError with every problem found, in the order of the text.
    """
    text = text.removeprefix("\ufeff")
    parser = _Parser(source, split_lines(text), positions)
    _check_characters(text, parser)
    try:
        for event in _events(text, parser):
            _take(event, parser)
    except UsageError as err:
        raise UsageError(*parser.problems(), *err.problems) from err
    if parser.findings:
        raise UsageError(*parser.problems())
    roots = parser.open[0].children
    return roots[0] if roots else ScalarNode(None, "", parser.mark_at(0, 0))


def to_python(node: Node) -> object:
    """The tree as dict, list and scalars."""
    if isinstance(node, ScalarNode):
        return node.value
    if isinstance(node, SequenceNode):
        return [to_python(item) for item in node.items]
    return {entry.key: to_python(entry.value) for entry in node.entries}


def too_large(source: str) -> Problem:
    """What is said of a text of more than MAX_BYTES."""
    message = f"the config is larger than {MAX_BYTES // 2**20} MiB"
    return Problem("BP111", message, escape(source), hints=("is this the table itself? give it as `data:`",))


@dataclass(frozen=True)
class _Collection:
    """A list or mapping whose end has not been read; a mapping's children are key, value, key, value …"""

    children: list[Node]
    mark: Mark


class _Parser:
    """What is known while events come in."""

    def __init__(self, source: str, lines: list[str], positions: bool) -> None:
        self.source = source
        self.lines = lines
        self.positions = positions
        self.open = [_Collection([], self.mark_at(0, 0))]
        self.findings: list[Finding] = []
        self.n_nodes = 0

    def mark_at(self, line: int, column: int, length: int = 1) -> Mark:
        """A mark from counts that begin with 0."""
        return Mark(self.source, line + 1, column + 1, length) if self.positions else Mark(self.source)

    def mark_of(self, event: yaml.Event) -> Mark:
        """The part of an event on its first line."""
        start, end = event.start_mark, event.end_mark
        if start is None or end is None:
            return Mark(self.source)
        last = end.column if start.line == end.line else len(self.lines[start.line])
        return self.mark_at(start.line, start.column, max(1, last - start.column))

    def note(self, code: str, message: str, mark: Mark, *hints: str) -> None:
        """Remember a problem, and go on reading."""
        self.findings.append(Finding(code, message, mark, hints=hints))

    def problems(self) -> list[Problem]:
        """The problems so far in the order of the text."""
        return problems_of(self.findings, {self.source: self.lines})


def _problem(code: str, message: str, mark: Mark, lines: list[str], *hints: str) -> Problem:
    return problem_of(Finding(code, message, mark, hints=hints), {mark.source: lines})


def _check_characters(text: str, parser: _Parser) -> None:
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > MAX_BYTES:
        raise UsageError(too_large(parser.source))
    found = _NOT_YAML.search(text)
    if found is None:
        return
    before = split_lines(text[: found.start()])
    mark = parser.mark_at(len(before) - 1, len(before[-1]))
    message = f"the character `{escape(found.group())}` cannot be used in YAML"
    raise UsageError(_problem("BP101", message, mark, parser.lines, 'inside "double quotes" it can be written `\\xNN`'))


def _events(text: str, parser: _Parser) -> Iterator[yaml.Event]:
    try:
        yield from yaml.parse(text, Loader=_Loader)
    except yaml.MarkedYAMLError as err:
        message, (line, column), hints = explain_syntax_error(err, parser.lines)
        raise UsageError(_problem("BP101", message, parser.mark_at(line, column), parser.lines, *hints)) from err


def _take(event: yaml.Event, parser: _Parser) -> None:
    """Add one event to the tree."""
    if isinstance(event, yaml.DocumentStartEvent):
        _check_one_document(event, parser)
    elif isinstance(event, yaml.CollectionStartEvent):
        _check_node(event, parser)
        parser.open.append(_Collection([], replace(parser.mark_of(event), length=1)))
        _check_depth(parser)
    elif isinstance(event, yaml.SequenceEndEvent):
        done = parser.open.pop()
        parser.open[-1].children.append(SequenceNode(tuple(done.children), done.mark))
    elif isinstance(event, yaml.MappingEndEvent):
        done = parser.open.pop()
        parser.open[-1].children.append(MappingNode(_entries(done.children, parser), done.mark))
    elif isinstance(event, yaml.ScalarEvent):
        _check_node(event, parser)
        parser.open[-1].children.append(_scalar(event, parser))
    elif isinstance(event, yaml.AliasEvent):
        _check_node(event, parser)
        name = f"*{event.anchor}"
        parser.open[-1].children.append(ScalarNode(name, name, parser.mark_of(event), plain=False))


def _scalar(event: yaml.ScalarEvent, parser: _Parser) -> ScalarNode:
    plain = bool(event.implicit[0])
    return ScalarNode(resolve(event.value) if plain else event.value, event.value, parser.mark_of(event), plain)


def _check_one_document(event: yaml.Event, parser: _Parser) -> None:
    if parser.open[0].children:
        mark = parser.mark_of(event)
        message = "a second document begins here (`---`), but a config is one document"
        raise UsageError(_problem("BP102", message, mark, parser.lines, "remove the line `---` or use two files"))


def _check_depth(parser: _Parser) -> None:
    if len(parser.open) > MAX_DEPTH + 1:
        message = f"lists and mappings are nested deeper than {MAX_DEPTH} levels"
        raise UsageError(_problem("BP111", message, parser.open[-1].mark, parser.lines))


def _check_node(event: yaml.NodeEvent, parser: _Parser) -> None:
    """Count the node, and note what YAML allows but a config does not."""
    parser.n_nodes += 1
    mark = parser.mark_of(event)
    if parser.n_nodes > MAX_NODES:
        raise UsageError(_problem("BP111", f"the config has more than {MAX_NODES} values", mark, parser.lines))
    if isinstance(event, yaml.AliasEvent):
        name = shorten(escape(f"*{event.anchor}"))
        message = f"`{name}` is a YAML alias, and a config has none"
        parser.note("BP102", message, mark, f'a name or pattern that begins with `*` needs quotes: `"{name}"`')
        return
    if event.anchor is not None:
        name = shorten(escape(f"&{event.anchor}"))
        message = f"`{name}` is a YAML anchor, and a config has none"
        parser.note("BP102", message, mark, "write the value where it is used; text that begins with `&` needs quotes")
    tag = getattr(event, "tag", None)
    if tag is not None:
        name = shorten(escape("!!" + tag.removeprefix(_TAG_PREFIX) if tag.startswith(_TAG_PREFIX) else tag))
        message = f"`{name}` is a YAML tag, and a config has none"
        parser.note("BP102", message, mark, "remove the tag; text that begins with `!` needs quotes")


def _entries(children: list[Node], parser: _Parser) -> tuple[Entry, ...]:
    """Keys and values of a mapping, without the keys that are problems."""
    entries: dict[str, Entry] = {}
    for key, value in zip(children[::2], children[1::2], strict=True):
        if not isinstance(key, ScalarNode):
            parser.note("BP102", "a key must be text, not a list or a mapping", key.mark)
        elif key.plain and key.text == "":
            parser.note("BP102", "the key before `:` is missing", key.mark, 'an empty name is written `""`')
        elif key.plain and key.text == "<<":
            parser.note("BP102", "`<<` is a YAML merge key, and a config has none", key.mark, "write the keys out")
        elif key.text in entries:
            first = entries[key.text].mark
            hint = f"it is first given in line {first.line}; keep one of them" if first.line else "keep one of them"
            parser.note("BP107", f"the key `{shorten(escape(key.text))}` is given twice", key.mark, hint)
        else:
            entries[key.text] = Entry(key.text, key.mark, value)
    return tuple(entries.values())
