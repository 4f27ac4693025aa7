"""What a config may hold, as JSON Schema (draft 2020-12): pydantic's own, read in words, and widened for editors.

`sections_schema` is what the sections say. Every question about a place of the config is asked of it: which keys it
has, which alternatives, and what a value must be. `config_json_schema` adds the short forms, in which users may write.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from functools import cache

from bptrain.config.schema import Config
from bptrain.config.short_forms import ANY, SHORT_FORMS, ShortForm
from bptrain.runs.storage import Json
from bptrain.utils.text import join_words

Schema = dict[str, Json]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_TEXT: Schema = {"type": "string"}
_TEXTS: Schema = {"type": "array", "items": _TEXT, "minItems": 1}
_NAMES: Schema = {**_TEXTS, "uniqueItems": True}
_ANNOTATIONS = ("title", "description", "default")
_PLURALS = {"character": "characters", "item": "items", "entry": "entries"}


@cache
def sections_schema() -> Schema:
    """The schema of the sections: what a config may hold in its long form."""
    return Config.model_json_schema()


def follow(schema: Schema, root: Schema | None = None) -> Schema:
    """The definition that a schema refers to, or the schema itself; definitions are those of `root`."""
    reference = schema.get("$ref")
    if reference is None:
        return schema
    definition: Schema = (root or sections_schema())["$defs"][reference.rsplit("/", 1)[-1]]
    return definition


def alternatives(schema: Schema) -> list[Schema]:
    """The members of a union; anything else is its own alternative."""
    return schema.get("anyOf") or schema.get("oneOf") or [schema]


def child(schema: Schema, key: str | int) -> Schema | None:
    """What is expected below a key, or at an index of a list; None where the schema has no such key.

    >>> describe(child(sections_schema(), "seed"))
    'a whole number >= 0 and < 4294967296'
    """
    below: Schema | None = None
    for one in map(follow, alternatives(schema) if "discriminator" not in schema else []):
        if str(key) in one.get("properties", {}):
            below = one["properties"][str(key)]
        elif isinstance(one.get("additionalProperties"), dict):
            below = one["additionalProperties"]
        elif "items" in one and isinstance(key, int):
            below = one["items"]
        if below is not None:
            break
    return below


def variants(schema: Schema) -> dict[str, Schema]:
    """The sections of a tagged union by tag."""
    if "discriminator" not in schema:
        return {}
    tag = schema["discriminator"]["propertyName"]
    return {section["properties"][tag]["const"]: section for section in map(follow, schema["oneOf"])}


def sections(schema: Schema, path: str = "") -> Iterator[tuple[str, Schema]]:
    """Every section with its dotted path, from the outside inwards; `NAME` stands for a name of the user's."""
    for one in map(follow, alternatives(schema)):
        if "properties" in one:
            yield path, one
            for key, below in one["properties"].items():
                yield from sections(below, f"{path}.{key}".lstrip("."))
        elif isinstance(one.get("additionalProperties"), dict):
            yield from sections(one["additionalProperties"], f"{path}.NAME")


@cache
def paths_by_key() -> dict[str, list[str]]:
    """For every key of the schema the paths ("" is the top level) of the sections that have it."""
    paths: dict[str, list[str]] = {"target": [""]}
    for path, section in sections(sections_schema()):
        for key in section["properties"]:
            if path not in paths.setdefault(key, []):
                paths[key].append(path)
    return paths


def describe(schema: Schema) -> str:
    """What a value must be, in words.

    >>> describe({"anyOf": [{"type": "integer", "minimum": 1}, {"const": "all"}]})
    'a whole number >= 1 or `all`'
    """
    if tagged := variants(schema):
        words = [*(f"`{tag}`" for tag in tagged), f"a mapping with `{schema['discriminator']['propertyName']}`"]
    else:
        words = [word for one in map(follow, alternatives(schema)) for word in _words(one)]
    if "a number" in words and "a whole number" in words:
        words.remove("a whole number")
    return join_words(list(dict.fromkeys(words)))


def literals(schema: Schema) -> list[str]:
    """The texts that are allowed here one by one."""
    values = [value for one in alternatives(schema) for value in one.get("enum", [one.get("const")])]
    return [value for value in values if isinstance(value, str)]


def _words(schema: Schema) -> list[str]:
    """One alternative in words."""
    if "enum" in schema or "const" in schema:
        return [f"`{value}`" for value in schema.get("enum") or [schema["const"]]]
    match schema.get("type"):
        case "null":
            return ["`null`"]
        case "boolean":
            return ["`true`", "`false`"]
        case "integer" | "number" as kind:
            noun = "a whole number" if kind == "integer" else "a number"
            if "minimum" in schema and "maximum" in schema:
                return [f"{noun} from {schema['minimum']} to {schema['maximum']}"]
            bounds = (("minimum", ">="), ("exclusiveMinimum", ">"), ("maximum", "<="), ("exclusiveMaximum", "<"))
            limits = " and ".join(f"{sign} {schema[name]}" for name, sign in bounds if name in schema)
            return [f"{noun} {limits}".rstrip()]
        case "string":
            return [f"text {_size(schema, 'Length', 'character')}".rstrip()]
        case "array":
            item = describe(schema["items"]).replace("a whole number", "whole numbers")
            size = _size(schema, "Items", "item")
            if " or " in item:
                return [f"a list {size} ({item})".replace("  ", " ")]
            return [f"a list of {item.replace('text', 'texts')} {size}".rstrip()]
        case "object" if isinstance(schema.get("additionalProperties"), dict):
            return [f"a mapping of names {_size(schema, 'Properties', 'entry')}".rstrip()]
        case "object":
            keys = [key for key in schema["properties"] if key not in ("kind", "task")]
            return [f"a mapping with keys such as `{keys[0]}`" if keys else "a mapping"]
    return ["another kind of value"]


def _size(schema: Schema, of: str, noun: str) -> str:
    least, most = schema.get(f"min{of}"), schema.get(f"max{of}")
    if least is None:
        return "" if most is None else f"with at most {most} {_PLURALS[noun]}"
    nouns = noun if least == 1 and most in (1, None) else _PLURALS[noun]
    if most is None:
        return f"with at least {least} {nouns}"
    return f"of {least} {nouns}" if least == most else f"of {least} to {most} {nouns}"


def config_json_schema() -> Schema:
    """The config as users may write it, short forms included, for editors and for `bptrain schema`."""
    root = deepcopy(sections_schema())
    targets = root["properties"]["targets"]
    root["properties"]["target"] = _target(targets["additionalProperties"], root)
    root["required"].remove("targets")
    root["oneOf"] = [{"required": ["target"]}, {"required": ["targets"]}]
    of_targets = [form for form in SHORT_FORMS if form.path[:2] == ("targets", ANY)]
    of_target = [replace(form, path=("target", *form.path[2:])) for form in of_targets[1:]]
    for form in reversed((*SHORT_FORMS, *of_target)):  # inner ones first: a path leads through no `anyOf`
        for holder, key in _holders({"root": root}, "root", form.path, root):
            wide = _widened(holder[key], form, root)
            if form.named:  # options under each tag in angle brackets, where the tag need not be repeated
                tags = {_tags(variant, str(form.key), root)[0]: variant for variant in holder[key]["oneOf"]}
                holder["properties"] = {f"<{tag}>": {"anyOf": [variant, wide]} for tag, variant in tags.items()}
                holder["patternProperties"] = {f"^<(?!({'|'.join(tags)})>$).+>$": wide}
            holder[key] = wide
    root["properties"]["targets"] = _any_of(targets, _NAMES)
    root.update({"title": "bptrain config", "description": "One training job: a table, a target and how to train."})
    return {"$schema": DIALECT, **root}


def _target(option: Schema, root: Schema) -> Schema:
    """One target with the name of its column beside its options; a task may be left out."""
    tasks = []
    for reference in option["oneOf"]:
        task = deepcopy(follow(reference, root))
        task["properties"] = {"column": {**_TEXT, "description": "The column to predict."}, **task["properties"]}
        task["required"] = ["column", *task.get("required", [])]
        if task["properties"]["task"]["const"] != "auto":
            task["required"].append("task")
        tasks.append(task)
    return {"title": "Target", "description": "The column to predict, by name or with options.", "oneOf": tasks}


def _holders(holder: Schema, key: str, path: tuple[str, ...], root: Schema) -> list[tuple[Schema, str]]:
    """The schema objects and their keys under which the schema of this path stands: one per variant that has it."""
    if not path:
        return [(holder, key)]
    schema = follow(holder[key], root)
    if path[0] == ANY:
        return _holders(schema, "additionalProperties", path[1:], root)
    having = [follow(one, root)["properties"] for one in ([schema] if "properties" in schema else schema["oneOf"])]
    return [slot for keys in having if path[0] in keys for slot in _holders(keys, path[0], path[1:], root)]


def _widened(schema: Schema, form: ShortForm, root: Schema) -> Schema:
    """The schema of a long form or of its short one."""
    if form.key not in ("kind", "task"):
        return _any_of(schema, _TEXT, *([_TEXTS] if form.lists else []))
    names = {"enum": _tags(schema, form.key, root)}
    if "oneOf" in schema:  # only the default may leave its tag out, so that exactly one variant matches
        required = {"required": [form.key]}
        tagged = [one if form.default in _tags(one, form.key, root) else {**one, **required} for one in schema["oneOf"]]
        schema = {**{key: value for key, value in schema.items() if key != "discriminator"}, "oneOf": tagged}
    return _any_of(schema, names)


def _tags(schema: Schema, key: str, root: Schema) -> list[str]:
    """The tags of a union, or the one or more of a section."""
    properties = [follow(one, root)["properties"][key] for one in schema.get("oneOf", [schema])]
    return [tag for one in properties for tag in one.get("enum") or [one["const"]]]


def _any_of(schema: Schema, *short: Schema) -> Schema:
    """The long form or a short one, below the same title, description and default."""
    annotations = {key: schema[key] for key in _ANNOTATIONS if key in schema}
    long = {key: value for key, value in schema.items() if key not in _ANNOTATIONS}
    return {**annotations, "anyOf": [long, *short]}
