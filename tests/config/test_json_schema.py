"""The JSON Schema of what users may write."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from bptrain.config.json_schema import config_json_schema
from bptrain.config.load import config_from_text
from bptrain.config.nodes import parse_yaml, to_python
from bptrain.config.short_forms import ANY, SHORT_FORMS
from bptrain.errors import UsageError

Schema = dict[str, Any]
TYPES = {"string": str, "object": dict, "array": list, "boolean": bool, "null": type(None)}


def fits(value: Any, schema: Schema | bool, root: Schema) -> bool:
    """The part of JSON Schema that ours uses, by hand."""
    if isinstance(schema, bool):
        return schema
    if "$ref" in schema and not fits(value, root["$defs"][schema["$ref"].rsplit("/", 1)[1]], root):
        return False
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    match schema.get("type"):
        case None:
            pass
        case "number":
            if not is_number:
                return False
        case "integer":
            if not is_number or int(value) != value:
                return False
        case name:
            if not isinstance(value, TYPES[name]):
                return False
    if "enum" in schema and value not in schema["enum"]:
        return False
    if "const" in schema and value != schema["const"]:
        return False
    if is_number and not schema.get("minimum", value) <= value <= schema.get("maximum", value):
        return False
    if isinstance(value, list):
        if not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value)):
            return False
        return all(fits(item, schema.get("items", True), root) for item in value) and fits_any(value, schema, root)
    if isinstance(value, dict):
        if len(value) < schema.get("minProperties", 0) or not set(schema.get("required", [])) <= set(value):
            return False
        if not all(fits(item, below, root) for key, item in value.items() for below in of_key(key, schema)):
            return False
    return fits_any(value, schema, root)


def of_key(key: str, schema: Schema) -> list[Any]:
    """The schemas that apply to a key: by name and by pattern, else the one for all others."""
    named = [schema["properties"][key]] if key in schema.get("properties", {}) else []
    named += [below for pattern, below in schema.get("patternProperties", {}).items() if re.search(pattern, key)]
    return named or [schema.get("additionalProperties", True)]


def fits_any(value: Any, schema: Schema, root: Schema) -> bool:
    any_of = [fits(value, each, root) for each in schema.get("anyOf", [True])]
    one_of = [fits(value, each, root) for each in schema.get("oneOf", [True])]
    return any(any_of) and sum(one_of) == 1


@pytest.mark.parametrize(
    "text",
    [
        "data: a\ntarget: y",
        "data: [a, b]\ntarget: {column: y}",
        "data: {train: a, test: [b], na_values: NA}\ntarget: {column: y, task: binary, loss: mse}",
        "data: {train: [a]}\ntargets: [y, z]",
        "data: a\ntargets: {y: regression, z: {}, x: {task: auto, positive: 1}}",
        "data: a\ntarget: y\ncolumns: {a: numeric, b: {kind: ignore}}",
        "data: a\ntarget: y\ncolumns: {<numeric>: {scaling: robust}, <categorical>: {kind: categorical, min_count: 1}}",
        "data: a\ntarget: y\ncolumns: {<numeric>: numeric, <odd>: ignore, <name>: {kind: ignore}}",
        "data: a\ntarget: y\ncolumns: {a: {kind: numeric, range: [0, null], thousands: ',', outlier_limit: null}}",
        "data: a\ntarget: y\nmodel: mlp\nsplit: stratified\ntraining: {optimizer: sgd, batch_size: all}",
        "data: a\ntarget: y\nmodel: {hidden: [1]}\nsplit: {test: 0}\ntraining: {optimizer: {learning_rate: 1}}",
        "data: a\ntarget: y\ntraining: {optimizer: {kind: sgd, momentum: 0.5}}\nevaluation: {gates: auc > 0}",
    ],
)
def test_the_schema_accepts_what_the_loader_accepts(text: str) -> None:
    config_from_text(text)
    schema = config_json_schema()
    assert fits(to_python(parse_yaml(text, source="")), schema, schema)


@pytest.mark.parametrize(
    "text",
    [
        "data: a",
        "target: y",
        "data: a\ntarget: y\ntargets: [z]",
        "data: a\ntarget: {task: auto}",
        "data: a\ntarget: {column: y, loss: nix}",
        "data: a\ntargets: []",
        "data: a\ntarget: y\ncolumns: {a: {}}",
        "data: a\ntarget: y\ncolumns: {a: word}",
        "data: a\ntarget: y\ncolumns: {<numeric>: {min_count: 1}}",
        "data: a\ntarget: y\ncolumns: {<numerc>: {scaling: robust}}",
        "data: a\ntarget: y\ncolumns: {numeric: {scaling: robust}}",
        "data: a\ntarget: y\ncolumns: {a: {kind: numeric, range: [1, 2, 3]}}",
        "data: a\ntarget: y\ntraining: {optimizer: {momentum: 0.5}}",
        "data: a\ntarget: y\ntraining: {optimizer: lbfgs}",
        "data: a\ntarget: y\nepochs: 1",
        "data: a\ntarget: y\ntraining: {epochs: 0}",
        "data: 1\ntarget: y",
    ],
)
def test_the_schema_refuses_what_the_loader_refuses(text: str) -> None:
    with pytest.raises(UsageError, match="BP1"):
        config_from_text(text)
    schema = config_json_schema()
    assert not fits(to_python(parse_yaml(text, source="")), schema, schema)


@pytest.mark.parametrize("form", SHORT_FORMS, ids=lambda form: ".".join(form.path))
def test_every_short_form_is_an_alternative(form: Any) -> None:
    root = config_json_schema()
    schemas = [root]
    for step in form.path:
        long = [each for schema in schemas for each in (schema, *schema.get("anyOf", []))]
        long += [variant for each in long if each is not root for variant in each.get("oneOf", [])]
        long += [root["$defs"][each["$ref"].rsplit("/", 1)[1]] for each in long if "$ref" in each]
        key = "additionalProperties" if step == ANY else "properties"
        places = [each[key] for each in long if key in each and (step == ANY or step in each[key])]
        schemas = places if step == ANY else [place[step] for place in places]
    assert schemas
    for schema in schemas:
        assert len([each for each in schema["anyOf"] if each.get("type") == "string" or "enum" in each]) == 1


def test_the_schema_is_json_of_draft_2020_12() -> None:
    schema = config_json_schema()
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["title"] == "bptrain config"
    assert schema["description"]
    text = json.dumps(schema, allow_nan=False)
    assert "discriminator" not in text
    assert json.dumps(config_json_schema(), allow_nan=False) == text
