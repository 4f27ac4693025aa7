"""docs/decisions.md: every entry has its form and is short, and what other texts cite is there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs/decisions.md").read_text(encoding="utf-8")
MAX_LINES = 12
MAX_WIDTH = 150
PARTS = ["Decided", "Because", "Instead of", "Revisit when"]
CITED = re.compile(r"\bdecisions? ([A-Z]?\d+(?:(?:, | and )[A-Z]?\d+)*)")


def entries() -> dict[str, str]:
    """The text of each entry below its title, by number."""
    parts = re.split(r"^### (\w+)\. .+$|^## .*$", PAGE, flags=re.MULTILINE)
    by_number = {number: body.strip() for number, body in zip(parts[1::2], parts[2::2], strict=True) if number}
    assert len(by_number) >= 40
    return by_number


def test_entries_are_short_and_have_their_form() -> None:
    for number, body in entries().items():
        lines = body.splitlines()
        assert len(lines) <= MAX_LINES, number
        assert max(map(len, lines)) <= MAX_WIDTH, number
        assert re.findall(r"^\*\*([\w ]+)\*\*: ", body, re.MULTILINE) == PARTS, number
        assert body.endswith("."), number


def test_numbers_are_unique_and_stand_below_their_subject() -> None:
    numbers = re.findall(r"^### (\w+)\. ", PAGE, re.MULTILINE)
    assert len(numbers) == len(set(numbers))
    subjects = [
        {number[0] for number in re.findall(r"^### (\w+)\. ", section, re.MULTILINE)}
        for section in re.split(r"^## ", PAGE, flags=re.MULTILINE)[1:]
    ]
    letters = [letter for subject in subjects for letter in subject]
    assert all(len(subject) <= 1 for subject in subjects)
    assert len(letters) == len(set(letters)) >= 8


def test_what_is_cited_is_there() -> None:
    numbers, n_cited = set(entries()), 0
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "benchmarks").glob("*.md")]
    sources = [path for folder in ("bptrain", "tools", "benchmarks", "tests") for path in (ROOT / folder).rglob("*.py")]
    for path in (*pages, *sources):
        for cited in CITED.findall(path.read_text(encoding="utf-8")):
            for number in re.split(r", | and ", cited):
                n_cited += 1
                assert number in numbers, (path.name, number)
    assert n_cited >= 10


def test_named_files_exist() -> None:
    paths = set(re.findall(r"`?((?:\w+/)+\w+\.(?:py|md))`?", PAGE)) - {"model/network"}
    assert len(paths) >= 8
    for path in paths:
        assert (ROOT / path).exists() or (ROOT / "bptrain" / path).exists(), path
