"""A message of the catalogue: what a problem says, and what is said of its code."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from string import Formatter

from bptrain.errors import Problem
from bptrain.utils.text import escape


@dataclass(frozen=True)
class Message:
    """What a problem says, which place of the config it is about, how to mend it, and what its code means.

    `text`, `hints` and `key` may hold `{names}`, which a call replaces; braces themselves are doubled. Several messages
    may share a code: the first one in its file has `title` and `meaning`, for `bptrain explain` and the reference. A
    message whose hints go by the place, and so come with the call, has a general `remedy` instead.

    >>> absent = Message("BP999", "the table has no column `{name}`", ("columns: {names}",), key=("columns", "{name}"))
    >>> problem = absent(name="age", names="`size`", where="a.csv")
    >>> problem.message, problem.where, problem.hints, problem.key
    ('the table has no column `age`', 'a.csv', ('columns: `size`',), ('columns', 'age'))
    """

    code: str
    text: str
    hints: tuple[str, ...] = ()
    key: tuple[str, ...] = ()
    title: str = ""
    meaning: str = ""
    remedy: str = ""

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
        printable = {name: escape(str(value)) for name, value in values.items()}
        return Problem(
            self.code,
            self.text.format(**printable),
            escape(str(where)),
            excerpt,
            (*hints, *(hint.format(**printable) for hint in self.hints)),
            key=tuple(part.format(**values) for part in self.key) if key is None else key,
        )


def in_capitals(template: str) -> str:
    """A text with its names in capitals, for whoever reads of a message without values.

    >>> in_capitals("write `{{column: {name}}}`, at most {limit:.3f}")
    'write `{column: NAME}`, at most LIMIT'
    """
    return "".join(text + (name or "").upper() for text, name, *_ in Formatter().parse(template))
