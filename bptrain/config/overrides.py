"""`--set training.epochs=5`: one value of the config given on the command line."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bptrain.config.excerpt import Mark
from bptrain.config.nodes import MAX_DEPTH, Entry, MappingNode, Node, ScalarNode, parse_yaml
from bptrain.config.short_forms import expand_at, target_as_targets
from bptrain.errors import Problem, UsageError
from bptrain.utils.text import escape, shorten

_SEGMENT = re.compile(r"""\s*("(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^.="'\s](?:[^.=]*[^.=\s])?)\s*([.=])""")
_EXAMPLE = "write `--set KEY.KEY=VALUE`, for instance `--set training.epochs=5`"
_QUOTED_NAME = "a name with a dot or `=` needs quotes: `--set 'columns.\"a.b\"=numeric'`"


@dataclass(frozen=True)
class Override:
    """A path of keys and the value to put there."""

    path: tuple[str, ...]
    value: Node
    mark: Mark


def override_source(text: str) -> str:
    """How an override is named where a problem was found in it."""
    return f"--set {shorten(text, 120)}"


def parse_override(text: str) -> Override:
    """Read `KEY.KEY=VALUE`; the value is YAML. Raises UsageError."""
    mark = Mark(override_source(text))
    path: list[str] = []
    position, separator = 0, "."
    while separator == ".":
        segment = _SEGMENT.match(text, position)
        if segment is None or len(path) == MAX_DEPTH:
            message = f"`{escape(shorten(text))}` is not a key and a value"
            raise UsageError(Problem("BP109", message, str(mark), hints=(_EXAMPLE, _QUOTED_NAME)))
        path.append(_key(segment[1], mark))
        position, separator = segment.end(), segment[2]
    return Override(tuple(path), parse_yaml(text[position:], source=mark.source, positions=False), mark)


def apply_override(root: MappingNode, override: Override) -> MappingNode:
    """The config with the value of the override in its place. Raises UsageError when a key on the way holds no keys."""
    if override.path[0] == "targets":
        root = target_as_targets(root)
    if override.path in (("target",), ("targets",)):  # the new one replaces both
        root = MappingNode(tuple(e for e in root.entries if e.key not in ("target", "targets")), root.mark)
    return _set(root, override, 0)


def _key(segment: str, mark: Mark) -> str:
    if segment[0] not in "\"'":
        return segment
    node = parse_yaml(segment, source=mark.source, positions=False)
    return node.text if isinstance(node, ScalarNode) else segment


def _set(node: Node | None, override: Override, depth: int) -> MappingNode:
    """The mapping at `path[:depth]` with the value set in it or below it."""
    path = override.path
    if node is None or (isinstance(node, ScalarNode) and node.value is None):
        node = MappingNode((), override.mark)
    if not isinstance(node, MappingNode):
        node = expand_at(node, path[:depth])
    if not isinstance(node, MappingNode):
        message = f"`{'.'.join(path[:depth])}` is not a mapping, so `{path[depth]}` cannot be set in it"
        raise UsageError(Problem("BP109", escape(message), str(override.mark), hints=(_QUOTED_NAME,)))
    old = node.get(path[depth])
    if depth + 1 == len(path):
        new = Entry(path[depth], override.mark, override.value)
    else:
        below = _set(old.value if old else None, override, depth + 1)
        new = Entry(path[depth], old.mark if old else override.mark, below)
    if old is None:
        return MappingNode((*node.entries, new), node.mark)
    return MappingNode(tuple(new if entry is old else entry for entry in node.entries), node.mark)
