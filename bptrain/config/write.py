"""A config as complete, commented YAML: every default written out, ready to be run again."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Mapping

from bptrain.config.scalars import resolve
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


def scalar_yaml(value: object) -> str:
    """One scalar as YAML that reads back as the same value, in any YAML 1.1 or 1.2 reader."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _text(value)
    return repr(value)


def _entry(key: str, value: object, path: tuple[str, ...], notes: Notes) -> Iterator[str]:
    """The lines of one key and all that is below it."""
    indent = "  " * (len(path) - 1)
    note = f"  # {escape(notes[path])}" if path in notes else ""
    start = indent + _key(key, indent)
    if isinstance(value, Section):
        yield f"{start}{note}"
        yield from _section(value, path, notes)
    elif isinstance(value, Mapping) and value:
        yield f"{start}{note}"
        for name, below in value.items():
            yield from _named(name, below, (*path, name), notes)
    elif isinstance(value, tuple) and len(f"{start} {flow_yaml(value)}") > WIDTH:
        yield f"{start}{note}"
        yield from (f"{indent}  - {flow_yaml(item)}" for item in value)
    else:
        yield f"{start} {flow_yaml(value)}{note}"


def _named(name: str, value: object, path: tuple[str, ...], notes: Notes) -> Iterator[str]:
    """An entry of a mapping of names: a column in one line, a target with its comments."""
    if path[0] != "columns":
        yield from _entry(name, value, path, notes)
        return
    note = f"  # {escape(notes[path])}" if path in notes else ""
    yield f"  {_key(name, '  ')} {flow_yaml(value)}{note}"


def _section(section: Section, path: tuple[str, ...], notes: Notes) -> Iterator[str]:
    indent = "  " * len(path)
    values = section.values_by_key()
    for name, field in type(section).fields_by_key().items():
        yield from _comment(
            type(section).__doc__ if name in TAGS and not field.description else field.description, indent
        )
        yield from _entry(name, values[name], (*path, name), notes)


def _comment(text: str | None, indent: str) -> list[str]:
    words = " ".join((text or "").split())
    prefix = f"{indent}# "
    return textwrap.wrap(
        words, WIDTH, initial_indent=prefix, subsequent_indent=prefix, break_long_words=False, break_on_hyphens=False
    )


def _key(key: str, indent: str) -> str:
    text = _text(key)
    return f"{text}:" if len(text) <= MAX_SIMPLE_KEY else f"? {text}\n{indent}:"


def flow_yaml(value: object) -> str:
    """A value in one line."""
    if isinstance(value, Section):
        value = value.values_by_key()
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_text(str(key))}: {flow_yaml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, tuple):
        return "[" + ", ".join(flow_yaml(item) for item in value) + "]"
    return scalar_yaml(value)


def _text(text: str) -> str:
    if _PLAIN.fullmatch(text) and text.lower() not in _BOOLEAN_WORDS and isinstance(resolve(text), str):
        return text
    return '"' + _ESCAPED.sub(_escape_sequence, text) + '"'


def _escape_sequence(found: re.Match[str]) -> str:
    character = found.group()
    if character in '"\\':
        return "\\" + character
    if character in _SHORT_ESCAPES:
        return _SHORT_ESCAPES[character]
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


_SHORT_ESCAPES = {"\n": "\\n", "\t": "\\t", "\r": "\\r"}
