"""A config as complete, commented YAML: every default written out, ready to be run again."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Mapping

from bptrain.config.nodes import resolve_scalar
from bptrain.config.schema import Config
from bptrain.utils.section import Section
from bptrain.utils.text import escape

Notes = Mapping[tuple[str, ...], str]

WIDTH = 100
MAX_SIMPLE_KEY = 1000  # YAML reads `key:` up to 1024 characters; a longer key is written behind `? `
TAGS = ("kind", "task")

_PLAIN = re.compile(r"[A-Za-z_/][A-Za-z0-9_./-]*")
# What YAML 1.1 readers take for booleans: quoted, so that every reader agrees.
_BOOLEAN_WORDS = frozenset(("y", "n", "yes", "no", "on", "off", "true", "false", "null"))
# Invisible characters, and those that YAML forbids or takes for line breaks. A fixed list, since what Python calls
# printable changes with its version and this text must not.
_ESCAPED = re.compile(
    '[\x00-\x1f"\\\\\x7f-\xa0\xad\u061c\u180e\u200b-\u200f\u2028-\u202f\u2060-\u206f\ud800-\udfff\ufeff\ufff0-\uffff'
    "\U000e0000-\U000e0fff]"
)
_SHORT_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def complete_yaml(config: Config, *, notes: Notes | None = None) -> str:
    """The whole config in the order of the schema, each key below its description.

    `notes` maps paths such as ("columns", "age") to a remark that is written behind that key. Loading the text gives an
    equal config.
    """
    lines: list[str] = []
    for name, field in type(config).model_fields.items():
        if lines:
            lines.append("")
        lines += _comment(field.description, "")
        lines += _entry(name, getattr(config, name), (name,), notes or {})
    return "\n".join(lines) + "\n"


def flow_yaml(value: object) -> str:
    """A value in one line, that reads back as the same value in any YAML 1.1 or 1.2 reader.

    >>> flow_yaml(("no", 1e-3, None, {"a b": True}))
    '["no", 0.001, null, {"a b": true}]'
    """
    if isinstance(value, Section):
        value = value.values_by_key()
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_text(str(key))}: {flow_yaml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, tuple):
        return "[" + ", ".join(flow_yaml(item) for item in value) + "]"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return _text(value) if isinstance(value, str) else repr(value)


def _entry(key: str, value: object, path: tuple[str, ...], notes: Notes) -> Iterator[str]:
    """The lines of one key and all that is below it; a column has one line, sections and targets have comments."""
    indent, inner = "  " * (len(path) - 1), "  " * len(path)
    note = f"  # {escape(notes[path])}" if path in notes else ""
    name = _text(key)
    start = f"{indent}{name}:" if len(name) <= MAX_SIMPLE_KEY else f"{indent}? {name}\n{indent}:"
    is_column = path[0] == "columns" and len(path) > 1
    if isinstance(value, Section) and not is_column:
        yield f"{start}{note}"
        values = value.values_by_key()
        for name, field in type(value).model_fields.items():
            below = field.alias or name
            yield from _comment(field.description or (type(value).__doc__ if below in TAGS else ""), inner)
            yield from _entry(below, values[below], (*path, below), notes)
    elif isinstance(value, Mapping) and value and not is_column:
        yield f"{start}{note}"
        for below, item in value.items():
            yield from _entry(below, item, (*path, below), notes)
    elif isinstance(value, tuple) and len(f"{start} {flow_yaml(value)}") > WIDTH:
        yield f"{start}{note}"
        yield from (f"{inner}- {flow_yaml(item)}" for item in value)
    else:
        yield f"{start} {flow_yaml(value)}{note}"


def _comment(text: str | None, indent: str) -> list[str]:
    words = " ".join((text or "").split())
    prefix = f"{indent}# "
    return textwrap.wrap(
        words, WIDTH, initial_indent=prefix, subsequent_indent=prefix, break_long_words=False, break_on_hyphens=False
    )


def _text(text: str) -> str:
    if _PLAIN.fullmatch(text) and text.lower() not in _BOOLEAN_WORDS and isinstance(resolve_scalar(text), str):
        return text
    return '"' + _ESCAPED.sub(_escape_sequence, text) + '"'


def _escape_sequence(match: re.Match[str]) -> str:
    character = match.group()
    if character in _SHORT_ESCAPES:
        return _SHORT_ESCAPES[character]
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
