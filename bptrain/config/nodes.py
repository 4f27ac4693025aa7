"""A config as a tree of frozen nodes, each of which knows where it was written.

The tree comes from YAML (yaml_reader.py) or from Python's own dict, list and scalars. A mark in YAML is a line and a
column; in a mapping of Python's it is the dotted path of the value.
"""

from __future__ import annotations

import numbers
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from bptrain.config.diagnostics import Mark
from bptrain.errors import Problem, UsageError
from bptrain.messages import config as messages
from bptrain.utils.text import escape, shorten

MAX_DEPTH = 32
# Python refuses to spell integers of more than 4300 digits; anything near that is no number a config needs.
MAX_INTEGER_BITS = 3000

Value = str | int | float | bool | None


@dataclass(frozen=True)
class ScalarNode:
    """One value; `text` is its spelling without quotes."""

    value: Value
    text: str
    mark: Mark
    plain: bool = True

    @property
    def is_empty(self) -> bool:
        """Whether nothing is written where a value belongs."""
        return self.plain and not self.text


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
