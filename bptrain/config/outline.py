"""What the schema says at a place of the config: its keys, its alternatives, and what a value must be, in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt, MaxLen, MinLen
from pydantic.fields import FieldInfo

from bptrain.config.schema import Config
from bptrain.utils.section import Section
from bptrain.utils.text import join_words


@dataclass(frozen=True)
class Expected:
    """A type of the schema without its wrapping: the constraints beside it, and the tag of a tagged union."""

    annotation: Any
    constraints: tuple[Any, ...] = field(default=())
    discriminator: str | None = None
    description: str | None = None

    @property
    def section(self) -> type[Section] | None:
        """The section, when there is only one."""
        return self.annotation if isinstance(self.annotation, type) and issubclass(self.annotation, Section) else None

    @property
    def alternatives(self) -> tuple[Expected, ...]:
        """The members of a union; anything else is its own alternative."""
        if get_origin(self.annotation) not in (Union, UnionType):
            return (self,)
        return tuple(expected(each, self.constraints) for each in get_args(self.annotation))


def expected(annotation: Any, constraints: Iterable[Any] = (), discriminator: str | None = None) -> Expected:
    """Unwrap `Annotated[…]`."""
    constraints = tuple(constraints)
    while get_origin(annotation) is Annotated:
        annotation, *metadata = get_args(annotation)
        for each in metadata:
            constraints += tuple(each.metadata) if isinstance(each, FieldInfo) else (each,)
            discriminator = getattr(each, "discriminator", None) or discriminator
    return Expected(annotation, constraints, str(discriminator) if discriminator else None)


ROOT = expected(Config)


def child(parent: Expected, key: str | int) -> Expected | None:
    """What is expected below a key, or at an index of a list; None where the schema has no such key."""
    for each in parent.alternatives:
        if each.section is not None:
            info = each.section.fields_by_key().get(str(key))
            if info is not None and parent.discriminator is None:
                return _of_field(info)
        elif get_origin(each.annotation) is dict:
            return expected(get_args(each.annotation)[1])
        elif get_origin(each.annotation) is tuple and isinstance(key, int):
            return expected(get_args(each.annotation)[0])
    return None


def variants(place: Expected) -> dict[str, type[Section]]:
    """The sections of a tagged union by tag."""
    if place.discriminator is None:
        return {}
    sections = [each.section for each in place.alternatives if each.section is not None]
    return {get_args(each.model_fields[place.discriminator].annotation)[0]: each for each in sections}


def takes_names(place: Expected) -> bool:
    """Whether a mapping of any names is one of several alternatives."""
    several = len(place.alternatives) > 1 and place.discriminator is None
    return several and any(get_origin(each.annotation) is dict for each in place.alternatives)


@cache
def sections_with_key() -> dict[str, list[str]]:
    """For every key of the schema the places (dotted, "" is the top level) whose sections have it."""
    places: dict[str, list[str]] = {"target": [""]}
    for place, section in _sections(ROOT, ""):
        for key in section.fields_by_key():
            if place not in places.setdefault(key, []):
                places[key].append(place)
    return places


def describe(place: Expected) -> str:
    """What a value must be: "a whole number >= 1 or `all`"."""
    words = [word for each in place.alternatives for word in _words(each)]
    if "a number" in words and "a whole number" in words:
        words.remove("a whole number")
    if place.discriminator is not None:
        words = [*(f"`{tag}`" for tag in variants(place)), f"a mapping with `{place.discriminator}`"]
    return join_words(list(dict.fromkeys(words)))


def literals(place: Expected) -> list[str]:
    """The texts that are allowed here one by one."""
    found = [get_args(each.annotation) for each in place.alternatives if get_origin(each.annotation) is Literal]
    return [value for values in found for value in values if isinstance(value, str)]


def _of_field(info: FieldInfo) -> Expected:
    discriminator = str(info.discriminator) if info.discriminator else None
    return replace(expected(info.annotation, info.metadata, discriminator), description=info.description)


def _sections(place: Expected, path: str) -> Iterator[tuple[str, type[Section]]]:
    for each in place.alternatives:
        if each.section is not None:
            yield path, each.section
            for key, info in each.section.fields_by_key().items():
                yield from _sections(_of_field(info), f"{path}.{key}".lstrip("."))
        elif get_origin(each.annotation) is dict:
            yield from _sections(expected(get_args(each.annotation)[1]), f"{path}.NAME")


def _words(place: Expected) -> list[str]:
    """One alternative in words."""
    annotation, constraints = place.annotation, place.constraints
    if get_origin(annotation) is Literal:
        return [f"`{value}`" for value in get_args(annotation)]
    if annotation in (None, NoneType):
        return ["`null`"]
    if annotation is bool:
        return ["`true`", "`false`"]
    if annotation in (int, float):
        noun = "a whole number" if annotation is int else "a number"
        return [f"{noun} {_range(constraints)}".rstrip()]
    if annotation is str:
        return [f"text {_size(constraints, 'character')}".rstrip()]
    if get_origin(annotation) is tuple:
        item = describe(expected(get_args(annotation)[0])).replace("a whole number", "whole numbers")
        if " or " in item:
            return [f"a list {_size(constraints, 'item')} ({item})".replace("  ", " ")]
        return [f"a list of {item.replace('text', 'texts')} {_size(constraints, 'item')}".rstrip()]
    if get_origin(annotation) is dict:
        return [f"a mapping of names {_size(constraints, 'entry')}".rstrip()]
    if place.section is not None:
        keys = [key for key in place.section.fields_by_key() if key not in ("kind", "task")]
        return [f"a mapping with keys such as `{keys[0]}`" if keys else "a mapping"]
    return ["another kind of value"]


def _bounds(constraints: tuple[Any, ...]) -> dict[type, Any]:
    names = {Ge: "ge", Gt: "gt", Le: "le", Lt: "lt", MinLen: "min_length", MaxLen: "max_length"}
    return {kind: getattr(each, name) for each in constraints for kind, name in names.items() if isinstance(each, kind)}


def _range(constraints: tuple[Any, ...]) -> str:
    bounds = _bounds(constraints)
    if Ge in bounds and Le in bounds:
        return f"from {bounds[Ge]} to {bounds[Le]}"
    signs = ((Ge, ">="), (Gt, ">"), (Le, "<="), (Lt, "<"))
    return " and ".join(f"{sign} {bounds[kind]}" for kind, sign in signs if kind in bounds)


def _size(constraints: tuple[Any, ...], noun: str) -> str:
    bounds = _bounds(constraints)
    least, most = bounds.get(MinLen), bounds.get(MaxLen)
    plural = {"entry": "entries"}.get(noun, f"{noun}s")
    if least is not None and least == most:
        return f"of {least} {noun if least == 1 else plural}"
    if least is not None and most is not None:
        return f"of {least} to {most} {plural}"
    if least is not None:
        return f"with at least {least} {noun if least == 1 else plural}"
    return "" if most is None else f"with at most {most} {plural}"
