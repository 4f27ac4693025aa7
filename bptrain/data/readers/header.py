"""Column names: what every file format must hold to before its rows are read."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Sequence

from bptrain.errors import Problem
from bptrain.utils.text import escape, quote_list

MAX_COLUMNS = 10_000


def name_problems(names: Sequence[str], *, where: str) -> list[Problem]:
    """Why these names cannot be used: too many (BP220), empty (BP216), repeated (BP215), alike (BP217)."""
    if len(names) > MAX_COLUMNS:
        message = f"the file has {len(names):,} columns; at most {MAX_COLUMNS:,} are read"
        return [Problem("BP220", message, where, hints=("remove columns, or store long vectors otherwise",))]
    problems = []
    empty = [str(number) for number, name in enumerate(names, start=1) if not name.strip()]
    if empty:
        problems.append(_empty(empty, len(names), where))
    repeated = [name for name, count in Counter(names).items() if count > 1 and name.strip()]
    if repeated:
        message = f"column names occur more than once: {quote_list(repeated, last='and')}"
        problems.append(Problem("BP215", message, where, hints=("give every column its own name",)))
    for alike in _alike(names):
        message = f"column names differ only by case, spaces or Unicode form: {quote_list(alike, last='and')}"
        problems.append(Problem("BP217", message, where, hints=("rename or remove all but one",)))
    return problems


def name_warnings(names: Sequence[str], *, where: str) -> list[Problem]:
    """Names that are easily mistyped: spaces at the ends (BP209)."""
    spaced = [name for name in names if name != name.strip()]
    if not spaced:
        return []
    shown = ", ".join(f"'{escape(name)}'" for name in spaced[:5])
    message = f"{len(spaced)} column names begin or end with a space: {shown}"
    return [Problem("BP209", message, where, hints=("write the name in quotes, with its spaces, in the config",))]


def _empty(numbers: list[str], total: int, where: str) -> Problem:
    columns = ", ".join(numbers[:5]) + (" …" if len(numbers) > 5 else "")
    message = f"{len(numbers)} of {total} columns have no name: column {columns}"
    hints = ["name every column in the header"]
    if numbers[0] == "1":
        hints.append("if this is the index that pandas writes, save the table with `to_csv(..., index=False)`")
    if numbers[-1] == str(total):
        hints.append("remove the separator at the end of the rows")
    return Problem("BP216", message, where, hints=tuple(hints))


def _alike(names: Sequence[str]) -> list[list[str]]:
    groups: dict[str, list[str]] = {}
    for name in dict.fromkeys(names):
        if name.strip():
            folded = unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
            groups.setdefault(" ".join(folded.split()), []).append(name)
    return [group for group in groups.values() if len(group) > 1]
