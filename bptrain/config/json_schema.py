"""The JSON Schema of what users may write: the schema of the sections, widened by the table of short forms."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from typing import Any

from bptrain.config.schema import Config
from bptrain.config.short_forms import ANY, SHORT_FORMS, ShortForm

Schema = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_TEXT: Schema = {"type": "string"}
_TEXTS: Schema = {"type": "array", "items": _TEXT, "minItems": 1}
_NAMES: Schema = {**_TEXTS, "uniqueItems": True}
_ANNOTATIONS = ("title", "description", "default")


def config_json_schema() -> Schema:
    """The config as a JSON Schema (draft 2020-12), for editors and for `bptrain schema`."""
    root = Config.model_json_schema()
    definitions: Schema = root["$defs"]
    targets = root["properties"]["targets"]
    root["properties"]["target"] = _target(targets["additionalProperties"], definitions)
    root["required"].remove("targets")
    root["oneOf"] = [{"required": ["target"]}, {"required": ["targets"]}]
    for form in reversed((*SHORT_FORMS, *_of_single_target())):  # inner places first: a path leads through no `anyOf`
        for holder, key in _slots({"root": root}, "root", form.path, definitions):
            if form.named:
                holder |= _defaults_by_name(holder[key], form, definitions)
            holder[key] = _widened(holder[key], form, definitions)
    root["properties"]["targets"] = _any_of(targets, _NAMES)
    root.update({"title": "bptrain config", "description": "One training job: a table, a target and how to train."})
    return {"$schema": DIALECT, **root}


def _target(option: Schema, definitions: Schema) -> Schema:
    """One target with the name of its column beside its options; a task may be left out."""
    variants = []
    for reference in option["oneOf"]:
        variant = deepcopy(_resolved(reference, definitions))
        variant["properties"] = {"column": {**_TEXT, "description": "The column to predict."}, **variant["properties"]}
        variant["required"] = ["column", *variant.get("required", [])]
        if variant["properties"]["task"]["const"] != "auto":
            variant["required"].append("task")
        variants.append(variant)
    return {"title": "Target", "description": "The column to predict, by name or with options.", "oneOf": variants}


def _of_single_target() -> list[ShortForm]:
    """The short forms within `targets.NAME`, for `target`."""
    return [
        replace(form, path=("target", *form.path[2:])) for form in SHORT_FORMS if form.path[:2] == ("targets", ANY)
    ][1:]


def _slots(holder: Schema, key: str, path: tuple[str, ...], definitions: Schema) -> list[tuple[Schema, str]]:
    """The schema objects and their keys under which the schema of this path stands: one per variant that has it."""
    if not path:
        return [(holder, key)]
    schema = _resolved(holder[key], definitions)
    if path[0] == ANY:
        return _slots(schema, "additionalProperties", path[1:], definitions)
    variants = [schema] if "properties" in schema else [_resolved(each, definitions) for each in schema["oneOf"]]
    places = [each["properties"] for each in variants if path[0] in each["properties"]]
    return [slot for place in places for slot in _slots(place, path[0], path[1:], definitions)]


def _resolved(schema: Schema, definitions: Schema) -> Schema:
    reference = schema.get("$ref")
    return schema if reference is None else definitions[reference.rsplit("/", 1)[-1]]


def _widened(schema: Schema, form: ShortForm, definitions: Schema) -> Schema:
    if form.path == ("target",):
        return _any_of(schema, _TEXT)
    if form.key is None:
        return _any_of(schema, _TEXT)
    if form.key in ("kind", "task"):
        return _any_of(_tagged(schema, form, definitions), {"enum": _tags(schema, form.key, definitions)})
    return _any_of(schema, _TEXT, *([_TEXTS] if form.lists else []))


def _defaults_by_name(schema: Schema, form: ShortForm, definitions: Schema) -> Schema:
    """Options under each tag in angle brackets, where the tag need not be repeated, and no other tag there."""
    tags = {_tags(variant, str(form.key), definitions)[0]: variant for variant in schema["oneOf"]}
    plain = _widened(schema, form, definitions)
    return {
        "properties": {f"<{tag}>": {"anyOf": [variant, plain]} for tag, variant in tags.items()},
        "patternProperties": {f"^<(?!({'|'.join(tags)})>$).+>$": plain},
    }


def _tags(schema: Schema, key: str, definitions: Schema) -> list[str]:
    tags: list[str] = []
    for variant in schema.get("oneOf", [schema]):
        tag = _resolved(variant, definitions)["properties"][key]
        tags += tag.get("enum") or [tag["const"]]
    return tags


def _tagged(schema: Schema, form: ShortForm, definitions: Schema) -> Schema:
    """A tagged union in which only the default may leave its tag out, so that exactly one variant matches."""
    if "oneOf" not in schema:
        return schema
    variants = [
        variant
        if form.default in _tags(variant, str(form.key), definitions)
        else {**variant, "required": [str(form.key)]}
        for variant in schema["oneOf"]
    ]
    return {**{key: value for key, value in schema.items() if key != "discriminator"}, "oneOf": variants}


def _any_of(schema: Schema, *short: Schema) -> Schema:
    """The long form or a short one, below the same title, description and default."""
    annotations = {key: schema[key] for key in _ANNOTATIONS if key in schema}
    long = {key: value for key, value in schema.items() if key not in _ANNOTATIONS}
    return {**annotations, "anyOf": [long, *short]}
