"""A first config for a table: proposed, written down, and checked as `bptrain check` does, so that `fit` takes it."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace
from pathlib import Path

from bptrain.config.load import config_from_text
from bptrain.config.schema import Config
from bptrain.data.files import AllowedPaths
from bptrain.errors import DataError
from bptrain.reports.proposal import proposal_yaml
from bptrain.runs import storage
from bptrain.scaffold.propose import Proposal, propose
from bptrain.scaffold.split import FEWEST
from bptrain.targets.tasks import TASKS
from bptrain.utils.text import escape
from bptrain.workflows.check import check

RARE_ROWS = 3  # rows of a label from which one can test, one choose the epoch, and one train
TOO_FEW = {"BP266", "BP267"}
Remedy = tuple[dict[str, object], str]


@dataclass(frozen=True)
class Request:
    """What `bptrain init` was asked: files as written, and where the config goes (None: shown)."""

    train: tuple[str, ...]
    test: tuple[str, ...] = ()
    target: str | None = None
    out: Path | None = None
    root: Path | None = None


def first_config(request: Request) -> str:
    """The text of a config that `fit` accepts unedited.

    Raises UsageError when the target is not named or is no column, and what `check` raises for a table that cannot be
    used.
    """
    roots = AllowedPaths.create(request.root, extras=(*request.train, *request.test))
    proposal = propose(request.train, request.test, request.target, roots)
    commands = [made(request), *following(request)]
    error: DataError | None = None
    for candidate in _with_remedies(proposal):
        text = proposal_yaml(candidate, commands=commands)
        try:
            settled, *_ = check(config_from_text(text), roots)
            return proposal_yaml(_told_who_judges(candidate, settled, request), commands=commands)
        except DataError as found:
            error = error or found
            if not TOO_FEW.issuperset(problem.code for problem in error.problems):
                raise
    raise error or RuntimeError("nothing was proposed")


def made(request: Request) -> str:
    """The command that writes the config."""
    tests = [word for file in request.test for word in ("--test", file)]
    target = [] if request.target is None else ["--target", request.target]
    root = [] if request.root is None else ["--root", str(request.root)]
    return _shell("init", *request.train, *target, *tests, *root, "-o", _config(request).as_posix())


def following(request: Request) -> list[str]:
    """The commands to go on with."""
    root = _root(request)
    options = [] if root is None else ["--root", str(root)]
    return [_shell(command, _config(request).as_posix(), *options) for command in ("check", "fit")]


def write_config(path: Path, text: str) -> None:
    """Write the file whole or not at all."""
    storage.write_text(path, text)


def _with_remedies(proposal: Proposal) -> list[Proposal]:
    """The proposal, and what is left to try when its rows cannot be divided."""
    n_labelled = proposal.n_rows - proposal.n_unlabelled
    what = f"{n_labelled} rows" if n_labelled < FEWEST else "rows of the rarest label"
    none: Remedy = ({"test": 0, "validation": 0}, f"{what} are too few to set some apart")
    undivided = replace(proposal, remedies={"split": none})
    if n_labelled < FEWEST:
        return [undivided]
    if not TASKS[proposal.target.options.task].many_labels:
        return [proposal, undivided]
    rare: Remedy = (
        {"rare_class": "drop", "rare_class_rows": RARE_ROWS},
        f"labels with fewer than {RARE_ROWS} rows cannot be learned and judged: their rows are left out",
    )
    return [proposal, replace(proposal, remedies={"clean": rare}), undivided]


def _told_who_judges(proposal: Proposal, settled: Config, request: Request) -> Proposal:
    """The proposal; if no rows are set apart, its reason for that says what judges then."""
    if "split" not in proposal.remedies:
        return proposal
    without = "each network judges the rows that it leaves out" if settled.model.networks != 1 else "nothing is judged"
    options, why = proposal.remedies["split"]
    reason = f"{why}: {'the test file judges' if request.test else without}"
    return replace(proposal, remedies={**proposal.remedies, "split": (options, reason)})


def _config(request: Request) -> Path:
    """Where the config goes, or would go by the name of the table."""
    return request.out or Path(f"{Path(request.train[0]).name.split('.')[0] or 'config'}.yaml")


def _root(request: Request) -> Path | None:
    """The folder to name as `--root`: that of a file outside the working directory, which a config may not leave."""
    if request.root is not None:
        return request.root
    here = Path.cwd()
    outside = [path.parent for file in (*request.train, *request.test) if not _below(path := here / file, here)]
    return outside[0] if outside else None


def _below(path: Path, folder: Path) -> bool:
    return path.resolve().is_relative_to(folder.resolve())


def _shell(*words: str) -> str:
    return escape(shlex.join(["bptrain", *words]))
