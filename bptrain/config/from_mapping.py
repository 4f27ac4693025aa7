"""Python's own dict, list and scalars as a tree of nodes, for the Python API."""

from __future__ import annotations

import numbers
import os
from collections.abc import Mapping

from bptrain.config.excerpt import Mark
from bptrain.config.nodes import MAX_DEPTH, Entry, MappingNode, Node, ScalarNode, SequenceNode
from bptrain.config.scalars import MAX_INTEGER_BITS, Value
from bptrain.errors import Problem, UsageError
from bptrain.utils.text import escape, shorten

_KINDS = "a config holds None, True, False, numbers, text, paths, lists and mappings"


def mapping_nodes(mapping: Mapping[str, object]) -> MappingNode:
    """The tree of a mapping; a mark names the dotted path of its value. Raises UsageError with every wrong value."""
    problems: list[Problem] = []
    node = _node(mapping, (), problems)
    if not isinstance(node, MappingNode):
        message = f"a config must be a mapping; got {type(mapping).__name__}"
        raise UsageError(Problem("BP113", message, "config", hints=("give a dict, or a path to `load_config`",)))
    if problems:
        raise UsageError(*problems)
    return node


def _node(value: object, path: tuple[str, ...], problems: list[Problem]) -> Node:
    mark = Mark(".".join(path) or "config")
    if len(path) > MAX_DEPTH:
        problems.append(Problem("BP111", f"values are nested deeper than {MAX_DEPTH} levels", str(mark)))
    elif isinstance(value, Mapping):
        return MappingNode(tuple(_entries(value, path, problems)), mark)
    elif isinstance(value, list | tuple):
        return SequenceNode(tuple(_node(item, (*path, str(i)), problems) for i, item in enumerate(value)), mark)
    else:
        return _scalar(value, mark, problems)
    return ScalarNode(None, "", mark)


def _entries(mapping: Mapping[object, object], path: tuple[str, ...], problems: list[Problem]) -> list[Entry]:
    entries: dict[str, Entry] = {}
    for key, value in mapping.items():
        name = str(key)
        below = (*path, shorten(name))
        if isinstance(key, bool) or not isinstance(key, str | int) or _lone_surrogate(name):
            problems.append(Problem("BP113", f"a key must be text; got {_shown(key)}", str(Mark(".".join(below)))))
        elif name in entries:
            problems.append(Problem("BP107", f"the key `{escape(name)}` is given twice", str(Mark(".".join(below)))))
        else:
            entries[name] = Entry(name, Mark(".".join(below)), _node(value, below, problems))
    return list(entries.values())


def _scalar(value: object, mark: Mark, problems: list[Problem]) -> ScalarNode:
    plain = _plain(value)
    if plain is None and value is not None:
        message = f"{_shown(value)} cannot be part of a config"
        problems.append(Problem("BP113", message, str(mark), hints=(_KINDS,)))
    if isinstance(plain, str):
        return ScalarNode(plain, plain, mark, plain=False)
    return ScalarNode(plain, "null" if plain is None else str(plain).lower(), mark)


def _plain(value: object) -> Value:
    """The value as Python's own type (NumPy's numbers and paths are accepted); None when there is no such type."""
    if isinstance(value, os.PathLike):
        value = os.fspath(value)
    if isinstance(value, str):
        return None if _lone_surrogate(value) else str(value)
    if isinstance(value, bool):
        return value
    if isinstance(value, numbers.Integral):
        return int(value) if int(value).bit_length() <= MAX_INTEGER_BITS else None
    return float(value) if isinstance(value, numbers.Real) else None


def _lone_surrogate(text: str) -> bool:
    return any("\ud800" <= c <= "\udfff" for c in text)


def _shown(value: object) -> str:
    if isinstance(value, str):
        return f"{shorten(escape(ascii(value)))}, which is not Unicode text"
    return f"a value of type `{type(value).__name__}`"
