"""Words for messages: nearest names, lists in prose, and text made safe to show."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from pathlib import PurePath

_YAML_WORDS = {"null", "true", "false", "yes", "no", "on", "off"}


def nearest(name: str, names: Iterable[str]) -> list[str]:
    """At most three of `names` that look like `name`, the most alike first; letter case is no difference.

    >>> nearest("learning_rat", ["momentum", "learning_rate"])
    ['learning_rate']
    """
    by_folded: dict[str, list[str]] = {}
    for candidate in names:
        by_folded.setdefault(candidate.casefold(), []).append(candidate)
    folded = get_close_matches(name.casefold(), by_folded, n=3, cutoff=0.6)
    return [candidate for match in folded for candidate in by_folded[match] if candidate != name][:3]


def quote_list(names: Sequence[str], *, last: str = "or", limit: int = 20) -> str:
    """Names in backquotes as prose; after `limit` names only the number of the others is said.

    >>> quote_list(["a", "b", "c"])
    '`a`, `b` or `c`'
    """
    quoted = [f"`{escape(name)}`" for name in names[:limit]]
    if len(names) > limit:
        return f"{', '.join(quoted)} {last} {len(names) - limit} more"
    return join_words(quoted, last=last)


def join_words(words: Sequence[str], *, last: str = "or") -> str:
    """Words as prose: "a, b or c"."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {last} {words[-1]}"


def escape(text: str | PurePath) -> str:
    r"""The text with control characters, line breaks, bidirectional marks and surrogates written as `\n`, `\x1b`, …

    >>> print(escape("a\nb"))
    a\nb
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in str(text))


def yaml_name(name: str) -> str:
    """A name as a key or a value of YAML, also within braces: in double quotes unless it is plain.

    >>> print(yaml_name("size"), yaml_name("a: b"))
    size "a: b"
    """
    if name.isprintable() and re.fullmatch(r"[^\W\d][\w.-]*", name) and name.casefold() not in _YAML_WORDS:
        return name
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escape(quoted)}"'  # the escapes of Python are also those of YAML


def shorten(text: str, limit: int = 60) -> str:
    """The beginning of a long text, marked with `…`.

    >>> shorten("abcdef", 4)
    'abc…'
    """
    return text if len(text) <= limit else text[: limit - 1] + "…"


def first_sentences(text: str, limit: int) -> str:
    """As many whole sentences as fit, but one at least; `…` stands for the others."""
    kept, *others = text.split(". ")
    while others and len(kept) + len(others[0]) < limit:
        kept = f"{kept}. {others.pop(0)}"
    return f"{kept}. …" if others else kept
