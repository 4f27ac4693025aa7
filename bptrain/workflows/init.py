"""A first config for a table: scaffolded, written down, and checked as `bptrain check` does, so that `fit` takes it."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace
from pathlib import Path

from bptrain.config.load import config_from_text
from bptrain.data.files import AllowedPaths
from bptrain.errors import DataError
from bptrain.messages import data as messages
from bptrain.scaffold.scaffold import Fallback, Scaffold, scaffold
from bptrain.scaffold.write import scaffold_yaml
from bptrain.targets.tasks import TASKS
from bptrain.utils.text import escape
from bptrain.workflows.check import check

FEWEST = 10  # rows below which every row has to train
RARE_ROWS = 3  # rows of a label from which one can test, one choose the epoch, and one train
TOO_FEW = {messages.TOO_FEW_ROWS.code, messages.RARE_LABELS.code}  # rows, or rows of a label, to divide


@dataclass(frozen=True)
class FirstConfig:
    """The text of a config, and the commands that wrote it, check it and fit it."""

    text: str
    commands: tuple[str, str, str]


def init(
    train: tuple[str, ...],
    *,
    test: tuple[str, ...] = (),
    target: str | None = None,
    out: Path | None = None,
    root: Path | None = None,
) -> FirstConfig:
    """A config that `fit` accepts unedited.

    Args:
        train: the files of the table, as written on the command line.
        test: files for the final judgement.
        target: the column to predict.
        out: where the config will be written, for its commands; by default a name after the table's.
        root: the folder that paths of the config may not leave; by default the working directory.

    Raises:
        UsageError: the target is not named or is no column.
        DataError: what `check` says of a table that cannot be used.
    """
    paths = AllowedPaths.create(root, extras=(*train, *test))
    config_path = out or Path(f"{Path(train[0]).name.split('.')[0] or 'config'}.yaml")
    commands = _commands(train, test, target, config_path, root)
    first_error: DataError | None = None
    for candidate in _candidates(scaffold(train, test, target, paths)):
        try:
            resolved, *_ = check(config_from_text(scaffold_yaml(candidate, commands=commands)), paths)
        except DataError as error:
            first_error = first_error or error
            if not TOO_FEW.issuperset(problem.code for problem in first_error.problems):
                raise
            continue
        if "split" in candidate.fallbacks:  # no rows are set apart: say what judges then
            bagged = resolved.model.networks != 1
            without_test = "each network judges the rows that it leaves out" if bagged else "nothing is judged"
            undivided = candidate.fallbacks["split"]
            reason = f"{undivided.reason}: {'the test file judges' if test else without_test}"
            candidate.fallbacks["split"] = replace(undivided, reason=reason)
        return FirstConfig(scaffold_yaml(candidate, commands=commands), commands)
    raise first_error or RuntimeError("nothing was proposed")


def _candidates(first: Scaffold) -> list[Scaffold]:
    """The scaffold, and what is left to try when its rows cannot be divided."""
    n_labelled = first.n_rows - first.n_unlabelled
    what = f"{n_labelled} rows" if n_labelled < FEWEST else "rows of the rarest label"
    undivided = Fallback({"test": 0, "validation": 0}, f"{what} are too few to set some apart")
    if n_labelled < FEWEST:
        return [replace(first, fallbacks={"split": undivided})]
    without_rare = Fallback(
        {"rare_class": "drop", "rare_class_rows": RARE_ROWS},
        f"labels with fewer than {RARE_ROWS} rows cannot be learned and judged: their rows are left out",
    )
    may_lack_labels = TASKS[first.target.options.task].many_labels
    with_frequent_labels = [replace(first, fallbacks={"clean": without_rare})] if may_lack_labels else []
    return [first, *with_frequent_labels, replace(first, fallbacks={"split": undivided})]


def _commands(
    train: tuple[str, ...], test: tuple[str, ...], target: str | None, config: Path, root: Path | None
) -> tuple[str, str, str]:
    """The command that writes the config, and those to go on with.

    The latter name the folder of a file outside the working directory as `--root`, as a config may not leave it.
    """
    tests = [word for file in test for word in ("--test", file)]
    targets = [] if target is None else ["--target", target]
    roots = [] if root is None else ["--root", str(root)]
    words = ["init", *train, *targets, *tests, *roots, "-o", config.as_posix()]
    here = Path.cwd()
    paths = [here / file for file in (*train, *test)]
    outside = [path for path in paths if not path.resolve().is_relative_to(here.resolve())]
    if root is None and outside:
        roots = ["--root", str(outside[0].parent)]
    init_command, check, fit = (
        escape(shlex.join(["bptrain", *line]))
        for line in (words, ["check", config.as_posix(), *roots], ["fit", config.as_posix(), *roots])
    )
    return init_command, check, fit
