"""The catalogue as a whole: each message is used, and each code explained, once."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import bptrain
from bptrain.messages.catalogue import CATALOGUE, MODULES
from bptrain.messages.message import Message

MESSAGES = {
    f"{module.__name__.rpartition('.')[2]}.{name}": message
    for module in MODULES
    for name, message in vars(module).items()
    if isinstance(message, Message)
}


def package() -> list[ast.Module]:
    """The source of the package without the catalogue."""
    folder = Path(bptrain.__file__).parent
    files = [path for path in folder.rglob("*.py") if path.parent.name != "messages"]
    assert len(files) > 60
    return [ast.parse(path.read_text(encoding="utf-8")) for path in files]


def calls_with_hints() -> set[str]:
    """The names of messages that a call gives hints, or hands on as a value, as tables of them do."""
    names = set()
    for tree in package():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and any(word.arg == "hints" for word in node.keywords):
                names |= {name for name in (getattr(node.func, "attr", None), getattr(node.func, "id", None)) if name}
    return names


def test_every_message_is_used() -> None:
    assert len(MESSAGES) > 60
    nodes = [node for tree in package() for node in ast.walk(tree)]
    used = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    used |= {alias.name for node in nodes if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert {name for name in MESSAGES if name.partition(".")[2] not in used} == set()


def test_a_code_stands_in_one_module() -> None:
    bridge = {code for module in MODULES for code in getattr(module, "CODES", {})}  # until modules have messages only
    modules: dict[str, set[str]] = {}
    for name, message in MESSAGES.items():
        assert re.fullmatch(r"BP\d{3}", message.code)
        modules.setdefault(message.code, set()).add(name.partition(".")[0])
    assert {code: names for code, names in modules.items() if len(names) > 1 and code not in bridge} == {}
    assert set(modules) | bridge == set(CATALOGUE)


def test_every_code_is_explained_once() -> None:
    """By the first of its messages alone: title and meaning, and what to do."""
    for code, entry in CATALOGUE.items():
        assert entry.title == entry.title.strip().rstrip("."), code
        assert entry.title, code
        assert entry.meaning.endswith("."), code
        assert entry.remedies, code
        ones = [message for message in MESSAGES.values() if message.code == code]
        assert [bool(message.title) for message in ones[1:]] == [False] * len(ones[1:]), code
        assert all(bool(message.title) == bool(message.meaning) for message in ones), code


def test_every_message_says_what_to_do() -> None:
    given = calls_with_hints()
    silent = {
        name
        for name, message in MESSAGES.items()
        if not message.hints and not message.remedy and name.partition(".")[2] not in given
    }
    assert silent == set()


def test_texts_and_hints_name_what_a_call_replaces() -> None:
    """Every `{name}` is a name; what is not replaced is doubled."""
    for name, message in MESSAGES.items():
        for template in (message.text, *message.hints):
            fields = re.findall(r"(?<!\{)\{([^{}]*)\}(?!\})", template)
            assert all(re.fullmatch(r"\w+(:[^{}]+)?", field) for field in fields), (name, template)
            assert not {field.partition(":")[0] for field in fields} & {"where", "excerpt", "hints", "key"}, name
