"""From a config file, a text or a mapping to a `Config`: defaults < file < `--set`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import ValidationError

from bptrain.config.nodes import (
    LINE_BREAK,
    MAX_BYTES,
    MAX_DEPTH,
    Entry,
    MappingNode,
    Mark,
    Node,
    ScalarNode,
    SequenceNode,
    Sources,
    excerpt,
    nodes_of_mapping,
    parse_config,
    parse_yaml,
    problems_of,
    to_python,
)
from bptrain.config.schema import Config
from bptrain.config.short_forms import expand, expand_at, target_as_targets
from bptrain.config.validation import validation_diagnostics
from bptrain.errors import DataError, Problem, UsageError
from bptrain.messages import config as messages
from bptrain.utils.text import nearest, quote_list, shorten

_SEGMENT = re.compile(r"""\s*("(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^.="'\s](?:[^.=]*[^.=\s])?)\s*([.=])""")
_PATHS = (("data", "train"), ("data", "validation"), ("data", "test"), ("model", "from"))
_NAMING = (("columns",), ("targets",))  # their keys are names of the user's: the key itself is what may be wrong


def load_config(path: Path, *, overrides: Sequence[str] = ()) -> Config:
    """Read a YAML file.

    Args:
        path: the file.
        overrides: texts such as `training.epochs=5`, which go before what the file says.

    Raises:
        UsageError: with every problem of the file and the overrides, each at its line.
    """
    return config_from_text(_read(path), source=path.as_posix(), overrides=overrides)


def config_from_text(text: str, *, source: str = "config", overrides: Sequence[str] = ()) -> Config:
    """Read YAML text; `source` names it in messages. Raises UsageError with every problem.

    >>> config = config_from_text("data: a.csv\\ntarget: y", overrides=["training.epochs=5"])
    >>> config.data.train, config.targets["y"].task, config.training.epochs
    (('a.csv',), 'auto', 5)
    """
    sources = {source: LINE_BREAK.split(text.removeprefix("\ufeff"))}
    return _validated(parse_config(text, source=source), sources, overrides)


def config_from_mapping(mapping: Mapping[str, object], *, overrides: Sequence[str] = ()) -> Config:
    """The same from Python's dict, list and scalars, short forms included. Raises UsageError with every problem.

    >>> config_from_mapping({"data": "a.csv", "target": "y", "model": "mlp"}).model.kind
    'mlp'
    """
    return _validated(nodes_of_mapping(mapping), {}, overrides)


@contextmanager
def with_source_locations(config: Path | Mapping[str, object], overrides: Sequence[str] = ()) -> Iterator[None]:
    """Add to each problem inside that names its key of the config (`Problem.key`) the line where that key stands.

    For what only the table showed to be wrong, long after the config was read.
    """
    try:
        yield
    except (UsageError, DataError) as error:
        if any(problem.key and not problem.where for problem in error.problems):
            error.problems = _located(error.problems, config, overrides)
        raise


def paths_in_overrides(overrides: Sequence[str]) -> list[str]:
    """Paths and patterns that `overrides` give by themselves for `data` and `model.from`, in whatever form.

    Given by hand, they may lie outside the root. Overrides that cannot be read are left out: loading the config says
    what is wrong with them.

    >>> paths_in_overrides(["data=[/tmp/a.csv, /tmp/b.csv]", "seed=3"])
    ['/tmp/a.csv', '/tmp/b.csv']
    """
    root, _ = expand(_overridden(MappingNode((), Mark("")), overrides, []))
    paths = []
    for section, key in _PATHS:
        node: Node | None = root
        for step in (section, key):
            entry = node.get(step) if isinstance(node, MappingNode) else None
            node = None if entry is None else entry.value
        items = node.items if isinstance(node, SequenceNode) else (node,)
        paths += [item.value for item in items if isinstance(item, ScalarNode) and isinstance(item.value, str)]
    return paths


def _validated(root: MappingNode, sources: Sources, overrides: Sequence[str]) -> Config:
    problems: list[Problem] = []
    root = _overridden(root, overrides, problems)
    expanded, diagnostics = expand(root)
    config, cause = None, None
    try:
        config = Config.model_validate(to_python(expanded))
    except ValidationError as err:
        cause = err
        diagnostics += validation_diagnostics(err, expanded, single=root.get("target") is not None)
    if config is None or diagnostics or problems:
        sources = {**sources, **{_override_source(text): [] for text in overrides}}
        raise UsageError(*problems_of(diagnostics, sources), *problems) from cause
    return config


def _read(path: Path) -> str:
    """The text of a UTF-8 file, without byte order mark. Raises UsageError."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError) as err:
        if not path.parent.is_dir():
            raise UsageError(messages.NO_FOLDER(folder=path.parent, where=path)) from err
        try:
            names = sorted(entry.name for entry in path.parent.iterdir())
        except OSError:
            names = []
        near = nearest(path.name, names)
        hints = (f"did you mean {quote_list(near[:1])}?",) if near else (messages.SMALLEST_CONFIG,)
        raise UsageError(messages.NO_FILE(where=path, hints=hints)) from err
    except IsADirectoryError as err:
        raise UsageError(messages.IS_A_DIRECTORY(where=path)) from err
    except (OSError, ValueError) as err:  # ValueError: a path with a NUL character
        raise UsageError(messages.UNREADABLE(reason=getattr(err, "strerror", None) or err, where=path)) from err
    if len(data) > MAX_BYTES:
        raise UsageError(messages.TOO_LARGE(size=MAX_BYTES >> 20, where=path.as_posix()))
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as err:
        before = LINE_BREAK.split(err.object[: err.start].decode("utf-8"))
        mark = Mark(path.as_posix(), len(before), len(before[-1]) + 1)
        raise UsageError(messages.NOT_UTF8(byte=f"0x{err.object[err.start]:02x}", where=mark)) from err


def _located(
    problems: Sequence[Problem], config: Path | Mapping[str, object], overrides: Sequence[str]
) -> tuple[Problem, ...]:
    """The problems with the lines of their keys; a key that the config leaves to its default has none."""
    sources: dict[str, list[str]] = {}
    if isinstance(config, Mapping):
        root = nodes_of_mapping(config)
    else:
        source = config.as_posix()
        text = _read(config)
        root, sources = parse_config(text, source=source), {source: LINE_BREAK.split(text)}
    root, _ = expand(_overridden(root, overrides, []))
    located = []
    for problem in problems:
        mark = _mark_of(root, problem.key) if problem.key and not problem.where else None
        if mark is not None:
            problem = replace(problem, where=str(mark), excerpt=excerpt(mark, sources))
        located.append(problem)
    return tuple(located)


def _mark_of(root: MappingNode, key: tuple[str, ...]) -> Mark | None:
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


@dataclass(frozen=True)
class _Override:
    """`--set KEY.KEY=VALUE`: a path of keys and the value to put there."""

    path: tuple[str, ...]
    value: Node
    mark: Mark


def _overridden(root: MappingNode, overrides: Sequence[str], problems: list[Problem]) -> MappingNode:
    """The config with the values of the overrides in their places; those that have none are `problems`."""
    for text in overrides:
        try:
            override = _parse_override(text)
            changed = target_as_targets(root) if override.path[0] == "targets" else root
            if override.path in (("target",), ("targets",)):  # the new one replaces both
                kept = tuple(entry for entry in changed.entries if entry.key not in ("target", "targets"))
                changed = MappingNode(kept, changed.mark)
            root = _with_override(changed, override, 0)
        except UsageError as err:
            problems += err.problems
    return root


def _override_source(text: str) -> str:
    """How an override is named where a problem was found in it."""
    return f"--set {shorten(text, 120)}"


def _parse_override(text: str) -> _Override:
    """Read `KEY.KEY=VALUE`; keys with a dot or `=` are quoted, the value is YAML. Raises UsageError."""
    mark = Mark(_override_source(text))
    path: list[str] = []
    position, separator = 0, "."
    while separator == ".":
        segment = _SEGMENT.match(text, position)
        if segment is None or len(path) == MAX_DEPTH:
            raise UsageError(messages.NOT_AN_OVERRIDE(text=shorten(text), where=mark))
        key = segment[1]
        if key[0] in "\"'":
            unquoted = parse_yaml(key, source=mark.source, positions=False)
            key = unquoted.text if isinstance(unquoted, ScalarNode) else key
        path.append(key)
        position, separator = segment.end(), segment[2]
    return _Override(tuple(path), parse_yaml(text[position:], source=mark.source, positions=False), mark)


def _with_override(node: Node | None, override: _Override, depth: int) -> MappingNode:
    """The mapping at `path[:depth]` with the value set in it or below it. Raises UsageError where no keys can be."""
    path = override.path
    if node is None or (isinstance(node, ScalarNode) and node.value is None):
        node = MappingNode((), override.mark)
    if not isinstance(node, MappingNode):
        node = expand_at(node, path[:depth])
    if not isinstance(node, MappingNode):
        above = ".".join(path[:depth])
        raise UsageError(messages.OVERRIDE_BELOW_VALUE(path=above, name=path[depth], where=override.mark))
    old = node.get(path[depth])
    if depth + 1 == len(path):
        return node.replace(old, Entry(path[depth], override.mark, override.value))
    below = _with_override(old.value if old else None, override, depth + 1)
    return node.replace(old, Entry(path[depth], old.mark if old else override.mark, below))
