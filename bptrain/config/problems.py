"""pydantic's validation errors as problems in our words, each at the place where the value was written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import ValidationError

from bptrain.config.excerpt import Finding, Mark
from bptrain.config.nodes import MappingNode, Node, ScalarNode, SequenceNode
from bptrain.config.outline import (
    ROOT,
    Expected,
    child,
    describe,
    expected,
    literals,
    sections_with_key,
    takes_names,
    variants,
)
from bptrain.config.scalars import resolve
from bptrain.utils.section import Section
from bptrain.utils.text import escape, first_sentences, join_words, nearest, quote_list, shorten

# Keys by their names before the first release, which deletes this table.
RENAMED = {
    "model.embedding.dimension": "d_embedding",
    "model.embedding.frequencies": "n_frequencies",
    "model.embedding.periodic_dimension": "d_periodic",
    "model.embedding.spread": "frequency_init_scale",
    "model.keep": "ensemble_selection",
    "model.skip": "linear",
    "training.average": "ema_momentum",
    "training.watch": "monitor",
}


@dataclass(frozen=True)
class Place:
    """A place of the config: its keys as the user sees them, what is written there, and what the schema expects."""

    path: tuple[str | int, ...]
    node: Node | None
    key_mark: Mark
    expected: Expected
    tag: str | None = None
    discriminator: str = ""
    variants: Mapping[str, type[Section]] = field(default_factory=dict)
    above: Place | None = None

    @property
    def choice(self) -> str:
        """The chosen alternative as it is written."""
        return f"`{self.discriminator}: {self.tag}`" if self.tag else ""

    @property
    def mark(self) -> Mark:
        """Where the value is written, or its key when the value is left empty."""
        empty = self.node is None or (isinstance(self.node, ScalarNode) and self.node.plain and not self.node.text)
        return self.key_mark if empty or self.node is None else self.node.mark


def validation_findings(err: ValidationError, root: MappingNode, *, single: bool) -> list[Finding]:
    """What is wrong with the config of this tree; `single` says that the user wrote `target`, now in `targets`."""
    findings: dict[tuple[tuple[str | int, ...], object], Finding] = {}
    for error in err.errors(include_url=False):
        names_key = error["type"] in ("extra_forbidden", "missing")
        key = error["loc"][-1] if names_key else None
        place = locate(root, error["loc"][:-1] if names_key else error["loc"])
        # pydantic tells each alternative of a union as an error of its own: they are one problem, the deepest.
        findings.setdefault((place.path, key), _finding(place, error, single))
    deepest = {path[:length] for path, _ in findings for length in range(len(path))}
    return [found for (path, key), found in findings.items() if key is not None or path not in deepest]


def locate(root: MappingNode, loc: tuple[str | int, ...]) -> Place:
    """The place pydantic means: its `loc` holds keys and indices, and between them the names of chosen alternatives."""
    place, named = Place((), root, root.mark, ROOT), None
    for step in loc:
        if place is not named and takes_names(place.expected):
            named = place  # this step is pydantic's name of an alternative, not one of the user's
            continue
        below = child(place.expected, step)
        tagged = variants(place.expected)
        if below is not None:
            place = _below(place, step, below)
        elif step in tagged:
            place = _chosen(place, str(step), tagged)
    return place


def _chosen(place: Place, tag: str, tagged: Mapping[str, type[Section]]) -> Place:
    discriminator = place.expected.discriminator or ""
    return replace(place, expected=expected(tagged[tag]), tag=tag, discriminator=discriminator, variants=tagged)


def _below(place: Place, step: str | int, below: Expected) -> Place:
    path = (*place.path, step)
    if isinstance(place.node, MappingNode):
        entry = place.node.get(str(step))
        if entry is not None:
            return Place(path, entry.value, entry.mark, below, above=place)
    if isinstance(place.node, SequenceNode) and isinstance(step, int) and step < len(place.node.items):
        return Place(path, place.node.items[step], place.key_mark, below, above=place)
    return Place(path, None, place.key_mark, below, above=place)


def _finding(place: Place, error: Mapping[str, Any], single: bool) -> Finding:
    name = _name(place.path, single)
    match error["type"]:
        case "extra_forbidden":
            return _unknown_key(place, str(error["loc"][-1]), name)
        case "missing":
            return _missing_key(place, str(error["loc"][-1]), name)
        case "union_tag_invalid" | "union_tag_not_found":
            return _wrong_tag(place, name)
        case "value_error" | "assertion_error":
            said, _, remedy = str(error["ctx"]["error"]).partition(": ")
            hints = (remedy,) if remedy else ()
            return Finding("BP108", f"`{name}`: {said}" if name else said, place.key_mark, hints=hints)
        case kind:
            return _wrong_value(place, name, finite=kind == "finite_number")


def _unknown_key(place: Place, key: str, name: str) -> Finding:
    section = place.expected.section
    keys = [] if section is None else list(section.fields_by_key())
    if name == "target":
        keys.insert(0, "column")
    elif not name:
        keys.insert(0, "target")
    entry = place.node.get(key) if isinstance(place.node, MappingNode) else None
    note, hints = _suggestion(place, key, keys)
    message = f"unknown key `{shorten(escape(key))}` {f'in `{name}`' if name else 'at the top level of the config'}"
    of = (f"`{name}`" if name else "the config") + (f" with {place.choice}" if place.tag else "")
    hints = (*hints, f"keys of {of}: {quote_list(keys, last='and')}")
    return Finding("BP103", message, entry.mark if entry else place.key_mark, note, hints)


def _suggestion(place: Place, key: str, keys: list[str]) -> tuple[str, tuple[str, ...]]:
    """A note for the caret and hints: the key was renamed, belongs to another kind or section, or is misspelled."""
    if renamed := RENAMED.get(".".join([*map(str, place.path), key])):
        return f"`{key}` is called `{renamed}` now", ()
    tags = [tag for tag, section in place.variants.items() if key in section.fields_by_key()]
    if tags:
        chosen = place.node.get(place.discriminator) if isinstance(place.node, MappingNode) else None
        given = chosen is not None and chosen.given
        hint = (
            f"this is {place.choice}" if given else f"the default is {place.choice}: name the `{place.discriminator}`"
        )
        return f"needs {quote_list([f'{place.discriminator}: {tag}' for tag in tags])}", (hint,)
    places = sections_with_key()
    if key in places:
        return f"belongs {_in(places[key])}", ()
    near = nearest(key, keys)
    if near:
        return f"did you mean `{near[0]}`?", ()
    far = nearest(key, places)
    return (f"did you mean `{far[0]}` {_in(places[far[0]])}?" if far else ""), ()


def _in(places: list[str]) -> str:
    return join_words([f"in `{each}`" if each else "at the top level" for each in places])


def _missing_key(place: Place, key: str, name: str) -> Finding:
    if not name and key == "targets":
        return Finding("BP106", "the config needs a `target`", place.key_mark, hints=("add `target: COLUMN`",))
    section = place.expected.section
    description = None if section is None else section.fields_by_key()[key].description
    hints = (f"`{key}`: {description}",) if description else ()
    return Finding("BP106", f"{f'`{name}`' if name else 'the config'} needs `{key}`", place.key_mark, hints=hints)


def _wrong_tag(place: Place, name: str) -> Finding:
    discriminator = place.expected.discriminator or ""
    tags = list(variants(place.expected))
    entry = place.node.get(discriminator) if isinstance(place.node, MappingNode) else None
    if entry is None:
        message = f"`{name}` needs a `{discriminator}`: {quote_list(tags)}"
        fitting = _with_keys(place) or tags[:1]
        hint = f"for instance {quote_list([f'{discriminator}: {tag}' for tag in fitting])}"
        return Finding("BP106", message, place.key_mark, hints=(hint,))
    near = nearest(entry.value.text, tags) if isinstance(entry.value, ScalarNode) else []
    message = f"unknown {discriminator} {_received(entry.value)} in `{name}`; it must be {quote_list(tags)}"
    mark = replace(place, node=entry.value, key_mark=entry.mark).mark
    note, hints = _of_other_choice(place, entry.value)
    return Finding("BP105", message, mark, note or (f"did you mean `{near[0]}`?" if near else _ONE_OF_THESE), hints)


def _with_keys(place: Place) -> list[str]:
    """The alternatives that have all keys that are written here."""
    keys = {entry.key for entry in place.node.entries} if isinstance(place.node, MappingNode) else set()
    return [tag for tag, section in variants(place.expected).items() if keys and keys <= set(section.fields_by_key())]


_ONE_OF_THESE = "write one of these names"


def _of_other_choice(place: Place, value: Node) -> tuple[str, tuple[str, ...]]:
    """A note for the caret and hints for a name that belongs to another choice above: a loss of another task."""
    above = place.above
    if above is None or not isinstance(value, ScalarNode):
        return "", ()
    fields = {tag: child(expected(section), place.path[-1]) for tag, section in above.variants.items()}
    tags = [tag for tag, its in fields.items() if tag != "auto" and its is not None and value.text in variants(its)]
    if not tags:
        return "", ()
    wanted = quote_list([f"{above.discriminator}: {tag}" for tag in tags])
    return f"this is {above.choice}", (f"`{escape(value.text)}` needs {wanted}", _ONE_OF_THESE)


def _wrong_value(place: Place, name: str, *, finite: bool) -> Finding:
    wanted = describe(place.expected)
    if finite:
        wanted = wanted.replace("a number", "a finite number")
    message = f"`{name}` must be {wanted}; got {_received(place.node)}"
    near = nearest(place.node.text, literals(place.expected)) if isinstance(place.node, ScalarNode) else []
    hints = _value_hints(place.node, wanted)
    if place.expected.description:
        hints = (*hints, f"`{name}`: {first_sentences(place.expected.description, 300)}")
    return Finding("BP104", message, place.mark, f"did you mean `{near[0]}`?" if near else "", hints)


def _value_hints(node: Node | None, wanted: str) -> tuple[str, ...]:
    """Advice for a value of the wrong type that could be written in the right one."""
    if not isinstance(node, ScalarNode):
        return ()
    if node.text.lower() in _BOOLEANS and "`true`" in wanted:
        return (f"write `{_BOOLEANS[node.text.lower()]}`",)
    if isinstance(node.value, str) and "number" in wanted and isinstance(resolve(node.value), int | float):
        return (f"write it without quotes: `{node.value}`",)
    if node.value is not None and not isinstance(node.value, str) and "text" in wanted:
        return (f'write it in quotes: `"{node.text}"`',)
    if isinstance(node.value, float) and "whole number" in wanted and node.value.is_integer():
        return (f"write `{int(node.value)}`",)
    return ("remove the line to use the default",) if node.value is None else ()


_BOOLEANS = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}


def _received(node: Node | None) -> str:
    if isinstance(node, MappingNode):
        return "a mapping" if node.entries else "an empty mapping"
    if isinstance(node, SequenceNode):
        n_items = len(node.items)
        return f"a list of {n_items} item{'s' if n_items > 1 else ''}" if n_items else "an empty list"
    if node is None or (node.plain and not node.text):
        return "nothing"
    shown = shorten(escape(node.text))
    return f"'{shown}'" if isinstance(node.value, str) else shown


def _name(path: tuple[str | int, ...], single: bool) -> str:
    """The dotted path as the user would write it."""
    if single and path[:1] == ("targets",):
        path = ("target", *path[2:])
    name = ""
    for step in path:
        if isinstance(step, int):
            name += f"[{step}]"
        else:
            name += "." + (step if step and not set(step) & set('." \t\n=') else f'"{step}"')
    return shorten(escape(name.removeprefix(".")), 200)
