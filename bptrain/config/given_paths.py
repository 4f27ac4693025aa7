"""Data paths that overrides name: given by hand, they may lie outside the root."""

from __future__ import annotations

from collections.abc import Sequence

from bptrain.config.excerpt import Mark
from bptrain.config.nodes import MappingNode, Node, ScalarNode, SequenceNode
from bptrain.config.overrides import apply_override, parse_override
from bptrain.config.short_forms import expand
from bptrain.errors import UsageError

PARTS = ("train", "validation", "test")


def given_paths(overrides: Sequence[str]) -> list[str]:
    """Paths and patterns in the `data` section that `overrides` make by themselves, in whatever form they are written.

    Overrides that cannot be read are left out: loading the config says what is wrong with them.
    """
    root = MappingNode((), Mark(""))
    for text in overrides:
        try:
            root = apply_override(root, parse_override(text))
        except UsageError:
            continue
    data = _value(expand(root)[0], "data")
    return [path for part in PARTS for path in _texts(_value(data, part))]


def _value(node: Node | None, key: str) -> Node | None:
    entry = node.get(key) if isinstance(node, MappingNode) else None
    return entry.value if entry is not None else None


def _texts(node: Node | None) -> list[str]:
    items = node.items if isinstance(node, SequenceNode) else (node,)
    return [item.value for item in items if isinstance(item, ScalarNode) and isinstance(item.value, str)]
