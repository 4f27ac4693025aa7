"""pydantic's validation errors as problems in our words, each at the place where the value was written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from bptrain.config.json_schema import (
    Schema,
    alternatives,
    child,
    describe,
    follow,
    literals,
    paths_by_key,
    sections_schema,
    variants,
)
from bptrain.config.nodes import Diagnostic, MappingNode, Mark, Node, ScalarNode, SequenceNode, resolve_scalar
from bptrain.messages import config as messages
from bptrain.utils.section import Contradiction
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
_BOOLEANS = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}


@dataclass(frozen=True)
class Location:
    """A place of the config: its keys as pydantic sees them, what is written there, and the schema of its value.

    Below a chosen alternative of a tagged union, `tag` is its name, `discriminator` the key that names it, `choices`
    all alternatives, and `schema` that of the chosen one.
    """

    path: tuple[str | int, ...]
    node: Node | None
    key_mark: Mark
    schema: Schema
    tag: str | None = None
    discriminator: str = ""
    choices: Mapping[str, Schema] = field(default_factory=dict)
    above: Location | None = None

    @property
    def choice(self) -> str:
        """The chosen alternative as it is written."""
        return f"`{self.discriminator}: {self.tag}`" if self.tag else ""

    @property
    def mark(self) -> Mark:
        """Where the value is written, or its key when the value is left empty."""
        is_empty = self.node is None or (isinstance(self.node, ScalarNode) and self.node.plain and not self.node.text)
        return self.key_mark if self.node is None or is_empty else self.node.mark


def validation_diagnostics(err: ValidationError, root: MappingNode, *, single: bool) -> list[Diagnostic]:
    """What is wrong with the config of this tree; `single` says that the user wrote `target`, now in `targets`."""
    diagnostics: dict[tuple[tuple[str | int, ...], object], Diagnostic] = {}
    for error in err.errors(include_url=False):
        names_key = error["type"] in ("extra_forbidden", "missing")
        key = error["loc"][-1] if names_key else None
        location = locate(root, error["loc"][:-1] if names_key else error["loc"])
        # pydantic tells each alternative of a union as an error of its own: they are one problem, the deepest.
        if (location.path, key) not in diagnostics:
            diagnostics[location.path, key] = _diagnostic(location, error, single)
    deepest = {path[:length] for path, _ in diagnostics for length in range(len(path))}
    return [one for (path, key), one in diagnostics.items() if key is not None or path not in deepest]


def locate(root: MappingNode, loc: tuple[str | int, ...]) -> Location:
    """The place pydantic means: its `loc` holds keys and indices, and between them the names of chosen alternatives."""
    place, named = Location((), root, root.mark, sections_schema()), None
    for step in loc:
        members = place.schema.get("anyOf", [])
        if place is not named and any(isinstance(one.get("additionalProperties"), dict) for one in members):
            named = place  # this step is pydantic's name of an alternative, not one of the user's
            continue
        below, tagged = child(place.schema, step), variants(place.schema)
        if below is not None:
            node: Node | None = None
            mark, written = place.key_mark, place.node
            if isinstance(written, MappingNode) and (entry := written.get(str(step))) is not None:
                node, mark = entry.value, entry.mark
            elif isinstance(written, SequenceNode) and isinstance(step, int) and step < len(written.items):
                node = written.items[step]
            place = Location((*place.path, step), node, mark, below, above=place)
        elif step in tagged:
            discriminator = place.schema["discriminator"]["propertyName"]
            tag = str(step)
            place = replace(place, schema=tagged[tag], tag=tag, discriminator=discriminator, choices=tagged)
    return place


def _diagnostic(place: Location, error: ErrorDetails, single: bool) -> Diagnostic:
    name = _name(place.path, single)
    match error["type"]:
        case "extra_forbidden":
            return _unknown_key(place, str(error["loc"][-1]), name)
        case "missing":
            key = str(error["loc"][-1])
            if not name and key == "targets":
                return Diagnostic(messages.NO_TARGET(), place.key_mark)
            description = follow(place.schema)["properties"][key].get("description")
            hints = (f"`{key}`: {description}",) if description else ()
            section = f"`{name}`" if name else "the config"
            return Diagnostic(messages.KEY_MISSING(section=section, name=key, hints=hints), place.key_mark)
        case "union_tag_invalid" | "union_tag_not_found":
            return _wrong_tag(place, name)
        case "value_error" | "assertion_error":
            reason = error["ctx"]["error"]
            hints = (reason.remedy,) if isinstance(reason, Contradiction) and reason.remedy else ()
            statement = f"`{name}`: {reason}" if name else str(reason)
            return Diagnostic(messages.CONTRADICTION(statement=statement, hints=hints), place.key_mark)
        case kind:
            return _wrong_value(place, name, finite=kind == "finite_number")


def _unknown_key(place: Location, key: str, name: str) -> Diagnostic:
    keys = list(follow(place.schema).get("properties", {}))
    if name == "target":
        keys.insert(0, "column")
    elif not name:
        keys.insert(0, "target")
    entry = place.node.get(key) if isinstance(place.node, MappingNode) else None
    note, hints = _suggestion(place, key, keys)
    section = (f"`{name}`" if name else "the config") + (f" with {place.choice}" if place.tag else "")
    message = messages.UNKNOWN_KEY if name else messages.UNKNOWN_TOP_KEY
    listed = quote_list(keys, last="and")
    problem = message(name=shorten(escape(key)), path=name, section=section, keys=listed, hints=hints)
    return Diagnostic(problem, entry.mark if entry else place.key_mark, note)


def _suggestion(place: Location, key: str, keys: list[str]) -> tuple[str, tuple[str, ...]]:
    """A note for the carets and hints: the key was renamed, belongs to another kind or section, or is misspelled."""
    if renamed := RENAMED.get(".".join([*map(str, place.path), key])):
        return f"`{key}` is called `{renamed}` now", ()
    tags = [tag for tag, section in place.choices.items() if key in section["properties"]]
    if tags:
        chosen = place.node.get(place.discriminator) if isinstance(place.node, MappingNode) else None
        if chosen is not None and chosen.given:
            hint = f"this is {place.choice}"
        else:
            hint = f"the default is {place.choice}: name the `{place.discriminator}`"
        return f"needs {quote_list([f'{place.discriminator}: {tag}' for tag in tags])}", (hint,)
    paths = paths_by_key()
    if key in paths:
        return f"belongs {_inside(paths[key])}", ()
    if near := nearest(key, keys):
        return f"did you mean `{near[0]}`?", ()
    far = nearest(key, paths)
    return (f"did you mean `{far[0]}` {_inside(paths[far[0]])}?" if far else ""), ()


def _inside(paths: list[str]) -> str:
    return join_words([f"in `{path}`" if path else "at the top level" for path in paths])


def _wrong_tag(place: Location, name: str) -> Diagnostic:
    discriminator, tagged = place.schema["discriminator"]["propertyName"], variants(place.schema)
    tags = list(tagged)
    entries = place.node.entries if isinstance(place.node, MappingNode) else ()
    entry = next((entry for entry in entries if entry.key == discriminator), None)
    if entry is None:
        keys = {entry.key for entry in entries}
        fitting = [tag for tag, section in tagged.items() if keys and keys <= section["properties"].keys()] or tags[:1]
        hint = f"for instance {quote_list([f'{discriminator}: {tag}' for tag in fitting])}"
        problem = messages.CHOICE_MISSING(path=name, tag=discriminator, choices=quote_list(tags), hints=(hint,))
        return Diagnostic(problem, place.key_mark)
    value, hints = entry.value, list[str]()
    near = nearest(value.text, tags) if isinstance(value, ScalarNode) else []
    note = f"did you mean `{near[0]}`?" if near else "write one of these names"
    if place.above is not None and isinstance(value, ScalarNode):  # it may belong to another choice: a loss by its task
        above, key = place.above, str(place.path[-1])
        having = [tag for tag, section in above.choices.items() if tag != "auto" and key in section["properties"]]
        others = [tag for tag in having if value.text in variants(above.choices[tag]["properties"][key])]
        if others:
            wanted = quote_list([f"{above.discriminator}: {tag}" for tag in others])
            note = f"this is {above.choice}"
            hints = [f"`{escape(value.text)}` needs {wanted}", "write one of these names"]
    problem = messages.UNKNOWN_CHOICE(
        path=name, tag=discriminator, received=_received(value), choices=quote_list(tags), hints=hints
    )
    return Diagnostic(problem, replace(place, node=value, key_mark=entry.mark).mark, note)


def _wrong_value(place: Location, name: str, *, finite: bool) -> Diagnostic:
    wanted = describe(place.schema)
    if finite:
        wanted = wanted.replace("a number", "a finite number")
    node, note = place.node, ""
    hints: tuple[str, ...] = ()
    if isinstance(node, ScalarNode):
        near = nearest(node.text, literals(place.schema))
        note = f"did you mean `{near[0]}`?" if near else ""
        hints = _value_hints(node, place.schema)
    if description := place.schema.get("description"):
        hints = (*hints, f"`{name}`: {first_sentences(description, 300)}")
    problem = messages.WRONG_VALUE(path=name, expected=wanted, received=_received(node), hints=hints)
    return Diagnostic(problem, place.mark, note)


def _value_hints(node: ScalarNode, schema: Schema) -> tuple[str, ...]:
    """Advice for a value of the wrong type that could be written in the right one."""
    types = {one.get("type") for one in alternatives(schema) if not {"enum", "const"} & one.keys()}
    value, text = node.value, node.text
    if text.lower() in _BOOLEANS and "boolean" in types:
        return (f"write `{_BOOLEANS[text.lower()]}`",)
    if isinstance(value, str) and types & {"integer", "number"} and isinstance(resolve_scalar(value), int | float):
        return (f"write it without quotes: `{value}`",)
    if value is not None and not isinstance(value, str) and "string" in types:
        return (f'write it in quotes: `"{text}"`',)
    if isinstance(value, float) and "integer" in types and value.is_integer():
        return (f"write `{int(value)}`",)
    return ("remove the line to use the default",) if value is None else ()


def _received(node: Node | None) -> str:
    if isinstance(node, MappingNode):
        return "a mapping" if node.entries else "an empty mapping"
    if isinstance(node, SequenceNode):
        n_items = len(node.items)
        return f"a list of {n_items} item{'s' if n_items > 1 else ''}" if n_items else "an empty list"
    if node is None or (node.plain and not node.text):
        return "nothing"
    text = shorten(escape(node.text))
    return f"'{text}'" if isinstance(node.value, str) else text


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
