"""Where in the config something stands that only the table showed to be wrong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from bptrain.config.excerpt import Mark, excerpt
from bptrain.config.load import read_nodes
from bptrain.config.nodes import MappingNode, Node, SequenceNode
from bptrain.config.short_forms import expand
from bptrain.errors import DataError, Problem, UsageError

_NAMING = (("columns",), ("targets",))  # their keys are names of the user's: the key itself is what may be wrong


@contextmanager
def placed(config: Path | Mapping[str, object], overrides: Sequence[str] = ()) -> Iterator[None]:
    """Add to each problem inside that names its key of the config (`Problem.key`) the line where that key stands."""
    try:
        yield
    except (UsageError, DataError) as error:
        if any(problem.key and not problem.where for problem in error.problems):
            root, sources = read_nodes(config, overrides=overrides)
            expanded, _ = expand(root)
            error.problems = tuple(_placed(problem, expanded, sources) for problem in error.problems)
        raise


def _placed(problem: Problem, root: MappingNode, sources: Mapping[str, list[str]]) -> Problem:
    mark = _mark(root, problem.key) if problem.key and not problem.where else None
    return problem if mark is None else replace(problem, where=str(mark), excerpt=excerpt(mark, sources))


def _mark(root: MappingNode, key: tuple[str, ...]) -> Mark | None:
    """The mark of what stands at `key`, or None when the config leaves it to its default."""
    node: Node = root
    mark = root.mark
    for depth, step in enumerate(key):
        if isinstance(node, SequenceNode) and int(step) < len(node.items):
            node = node.items[int(step)]
            mark = node.mark
            continue
        entry = node.get(step) if isinstance(node, MappingNode) else None
        if entry is None:
            return None
        node = entry.value
        mark = entry.mark if key[:depth] in _NAMING else node.mark
    return mark
