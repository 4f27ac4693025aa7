"""Paths of data and of a run to start from that overrides name: given by hand, they may lie outside the root."""

from __future__ import annotations

from collections.abc import Sequence

from bptrain.config.excerpt import Mark
from bptrain.config.nodes import MappingNode, Node, ScalarNode, SequenceNode
from bptrain.config.overrides import apply_override, parse_override
from bptrain.config.short_forms import expand
from bptrain.errors import UsageError

PARTS = ("train", "validation", "test")


def given_paths(overrides: Sequence[str]) -> list[str]:
    """Paths and patterns that `overrides` give by themselves for `data` and `model.from`, in whatever form.

    Overrides that cannot be read are left out: loading the config says what is wrong with them.
    """
    root = MappingNode((), Mark(""))
    for text in overrides:
        try:
            root = apply_override(root, parse_override(text))
        except UsageError:
            continue
    expanded = expand(root)[0]
    data = _value(expanded, "data")
    places = [*(_value(data, part) for part in PARTS), _value(_value(expanded, "model"), "from")]
    return [path for place in places for path in _texts(place)]


def _value(node: Node | None, key: str) -> Node | None:
    entry = node.get(key) if isinstance(node, MappingNode) else None
    return entry.value if entry is not None else None


def _texts(node: Node | None) -> list[str]:
    items = node.items if isinstance(node, SequenceNode) else (node,)
    return [item.value for item in items if isinstance(item, ScalarNode) and isinstance(item.value, str)]
