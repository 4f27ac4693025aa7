"""An entry of the catalogue: all that is said of one thing that can go wrong, in one place."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from string import Formatter

from bptrain.errors import Problem
from bptrain.utils.text import escape


@dataclass(frozen=True)
class Message:
    """What a problem says, which place of the config it is about, how to mend it, and what its code means.

    `text`, `hints` and `key` may hold `{names}`, which a call replaces. Several messages may share a code: the first
    one in its file has `title` and `meaning`, for `bptrain explain` and the reference.

    >>> absent = Message("BP999", "the table has no column `{name}`", ("columns: {names}",), key=("columns", "{name}"))
    >>> absent(name="age", names="`size`").message
    'the table has no column `age`'
    """

    code: str
    text: str
    hints: tuple[str, ...] = ()
    key: tuple[str, ...] = ()
    title: str = ""
    meaning: str = ""

    def __call__(
        self,
        *,
        where: object = "",
        excerpt: str = "",
        hints: Iterable[str] = (),
        key: tuple[str, ...] | None = None,
        **values: object,
    ) -> Problem:
        """The problem, with values for the names, made safe to show.

        Args:
            where: file, row or column that it is about, as in `Problem`.
            excerpt: lines to show below `where`.
            hints: what only this place can say, such as near names; stands before the entry's own.
            key: the place in the config, where it is not the entry's own.
            **values: what takes the place of `{names}`.
        """
        shown = {name: escape(str(value)) for name, value in values.items()}
        return Problem(
            self.code,
            self.text.format(**shown),
            escape(str(where)),
            excerpt,
            (*hints, *(hint.format(**shown) for hint in self.hints)),
            key=tuple(part.format(**values) for part in self.key) if key is None else key,
        )

    @property
    def remedy(self) -> str:
        """The hints without values, for whoever reads of the code."""
        parts = [Formatter().parse(hint) for hint in self.hints]
        return "; ".join("".join(text + (name or "").upper() for text, name, *_ in hint) for hint in parts)
