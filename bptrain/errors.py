"""What can go wrong, as values: a `Problem` says it to a person, an exception carries it to the exit code.

BptrainError
├── UsageError        2   the command line or the config
├── GateError         3   a quality gate failed (the run is published)
├── DataError         4   the table
├── RunError          5   a run directory is damaged, foreign or unsupported
├── DivergedError     6   training left the finite numbers
├── NotReproducedError 7  a run was not reproduced
│   └── LockedError   7   what `--locked` names was made with other inputs
├── BusyError         8   another process writes the run directory
└── StorageError     74   disk, I/O or memory
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from bptrain.utils.text import escape


@dataclass(frozen=True)
class Problem:
    """One mistake or one warning, in words a user can act on.

    `code` is a key of `messages.catalogue.CATALOGUE`; `where` is `file:line:column`, `file: row n` or a column name;
    `excerpt` is shown as it stands below `where`; `hints` say how to fix it. `key` is the place in the config that it
    is about: whoever knows the file turns it into `where` and `excerpt`.
    """

    code: str
    message: str
    where: str = ""
    excerpt: str = ""
    hints: tuple[str, ...] = field(default=())
    key: tuple[str, ...] = field(default=(), kw_only=True)

    def to_json(self) -> dict[str, object]:
        """The form that metrics.json and `--json` output use."""
        return {"code": self.code, "message": self.message, "where": self.where, "hints": list(self.hints)}


class BptrainError(Exception):
    """A mistake that is not ours: shown as its problems, without a traceback."""

    exit_code = 1

    def __init__(self, *problems: Problem) -> None:
        sentences = []  # for whoever sees the exception and not the command line's message
        for problem in problems:
            hints = f" ({'; '.join(problem.hints)})" if problem.hints else ""
            sentences.append(escape(f"{problem.code}: {problem.message}{hints}"))
        super().__init__("; ".join(sentences))
        self.problems = problems


class UsageError(BptrainError):
    """The command line or the config is wrong; nothing was read or trained."""

    exit_code = 2


class GateError(BptrainError):
    """A quality gate failed; the run itself is published."""

    exit_code = 3


class DataError(BptrainError):
    """The table cannot be used as it is."""

    exit_code = 4


class RunError(BptrainError):
    """A run directory is damaged, foreign or of an unsupported format."""

    exit_code = 5


class DivergedError(BptrainError):
    """Training left the finite numbers; the last finite weights are kept."""

    exit_code = 6


class NotReproducedError(BptrainError):
    """A run did not give the same results again."""

    exit_code = 7


class LockedError(NotReproducedError):
    """What a run would depend on is not as locked; nothing was trained."""


class BusyError(BptrainError):
    """Another process is writing this run directory."""

    exit_code = 8


class StorageError(BptrainError):
    """Disk, I/O or memory failed."""

    exit_code = 74


Warn = Callable[[Problem], None]


def ignore(_: Problem) -> None:
    """The default of `warn`: nobody listens."""


@contextmanager
def collect_problems(problems: list[Problem], kind: type[BptrainError] = DataError) -> Iterator[None]:
    """Add the problems of an error of this kind to `problems` and go on after the block.

    So several checks can be made of which each may fail; `raise_problems` then shows what all of them found.

    >>> problems: list[Problem] = []
    >>> with collect_problems(problems):
    ...     raise DataError(Problem("BP210", "the file is empty"))
    >>> [problem.code for problem in problems]
    ['BP210']
    """
    try:
        yield
    except kind as error:
        problems += error.problems


def raise_problems(problems: Iterable[Problem], kind: type[BptrainError] = DataError) -> None:
    """Raise one error with all problems, if there are any."""
    if problems := tuple(problems):
        raise kind(*problems)
