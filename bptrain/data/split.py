"""Which rows train, which choose the epoch, and which judge at the end. Nothing is learned here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np

from bptrain.data.options import SplitOptions
from bptrain.errors import DataError, Problem
from bptrain.utils.text import escape

Positions = np.ndarray
PARTS = ("train", "validation", "test")
UNEVEN = 2.0  # times more or fewer rows than the share asks for


@dataclass(frozen=True)
class Split:
    """Positions of rows, disjoint and together complete; each part in the order of the table.

    `left_out` (n_train,) is the number of the network that does not train on the row, where each leaves out a fold.
    """

    train: Positions
    validation: Positions
    test: Positions
    left_out: np.ndarray | None = None

    def parts(self) -> dict[str, Positions]:
        """The parts that have rows, by name."""
        parts = {"train": self.train, "validation": self.validation, "test": self.test}
        return {name: rows for name, rows in parts.items() if len(rows)}


def make_split(
    given: np.ndarray, by: np.ndarray | None, options: SplitOptions, *, seed: int, labels: Sequence[str] = ()
) -> Split:
    """Divide the rows.

    `given` (n_rows,) holds "train", "validation" or "test", the part a row's file belongs to; parts without files are
    taken from the "train" rows, test first, then validation from the rest. `by` (n_rows,) is what the kind of split
    looks at:

    - group: the number of each row's group; scikit-learn's GroupShuffleSplit, so shares are of groups;
    - time: when the row happened; the latest rows are taken, and rows of one instant are never divided;
    - hash: a number in [0, 1) that only the row's key decides; rows below the share are taken;
    - column: the part that the row's cell says;
    - otherwise class numbers to stratify by, or None: scikit-learn's train_test_split. `labels` names them in messages.

    scikit-learn's random_state is seed for test and seed + 1 for validation.
    Raises DataError when a class, a group, an instant or the table has too few rows.
    """
    check_sizes(given, by, options, labels=labels)
    rest = np.flatnonzero(given == "train")
    parts = {part: np.flatnonzero(given == part) for part in ("test", "validation")}
    seed = seed if options.seed is None else options.seed
    if len(parts["test"]):  # the places of a split by hash are then all free
        options = options.model_copy(update={"test": 0.0})
    for number, part in enumerate(parts):
        if options.kind == "column" and by is not None:
            chosen = by[rest] == part
            rest, parts[part] = rest[~chosen], np.concatenate([parts[part], rest[chosen]])
        elif options.share(part) and not len(parts[part]):
            rest, parts[part] = _divide(rest, by, options, part, seed=seed + number)
    split = Split(np.sort(rest), np.sort(parts["validation"]), np.sort(parts["test"]))
    empty = [part for part in parts if options.kind == "hash" and options.share(part) and not len(parts[part])]
    if not len(split.train) or empty:
        raise DataError(_without_rows(options, empty[0] if empty else "training"))
    return split


def uneven_parts(split: Split, given: np.ndarray, options: SplitOptions) -> list[Problem]:
    """A warning of each part that has less than half or more than twice its share of the rows it was taken from."""
    if options.kind not in DIVISIONS:
        return []
    sizes = {part: len(rows) for part, rows in (("test", split.test), ("validation", split.validation))}
    n_rows = int((given == "train").sum())
    problems = []
    for part, n_taken in sizes.items():
        share = options.share(part)
        if (given == part).any() or not share:
            continue
        if not share / UNEVEN <= n_taken / n_rows <= share * UNEVEN:
            problems.append(_uneven(options, part, n_taken, n_rows, share))
        n_rows -= n_taken
    return problems


def _uneven(options: SplitOptions, part: str, n_taken: int, n_rows: int, share: float) -> Problem:
    return Problem(
        "BP279",
        f"{n_taken} of {n_rows} rows are {part} rows, where `split.{part}` asks for {share:.0%}: "
        f"`split: {options.kind}` keeps together what belongs together, and some of it is large",
        hints=("divide by another column, or by `random`; a judgement on few rows says little",),
        key=("split",),
    )


def _divide(
    rows: Positions, by: np.ndarray | None, options: SplitOptions, part: str, *, seed: int
) -> tuple[Positions, Positions]:
    """The rows that stay and those that are taken; scikit-learn's in its order, as the next division depends on it."""
    if by is None or options.kind not in DIVISIONS:
        return divide_rows(rows, by, options.share(part), seed=seed)
    return DIVISIONS[options.kind](rows, by, options, part, seed)


def divide_rows(rows: Positions, classes: np.ndarray | None, share: float, *, seed: int) -> tuple[Positions, Positions]:
    """scikit-learn's train_test_split, stratified by `classes` (n_rows of the table,) unless None."""
    from sklearn.model_selection import train_test_split

    stratify = None if classes is None else classes[rows]
    try:
        kept, taken = train_test_split(rows, test_size=share, random_state=seed % 2**32, stratify=stratify)
    except ValueError as err:  # labels that an earlier division left with one row by bad luck
        hints = ("give more rows of rare labels, or try another `split.seed`, or write `split: random`",)
        raise DataError(Problem("BP267", f"the rows cannot be divided by label: {err}", hints=hints)) from err
    return kept, taken


def _divide_groups(
    rows: Positions, groups: np.ndarray, options: SplitOptions, part: str, seed: int
) -> tuple[Positions, Positions]:
    from sklearn.model_selection import GroupShuffleSplit

    splitter = GroupShuffleSplit(1, test_size=options.share(part), random_state=seed % 2**32)
    kept, taken = next(splitter.split(rows, groups=groups[rows]))
    return rows[kept], rows[taken]


def _divide_time(
    rows: Positions, instants: np.ndarray, options: SplitOptions, part: str, seed: int
) -> tuple[Positions, Positions]:
    """The latest rows are taken, as near to the share as whole instants allow; some remain for every other part."""
    times, counts = np.unique(instants[rows], return_counts=True)
    n_after = len(rows) - np.cumsum(counts)  # rows after each instant
    validated = part == "test" and options.share("validation") > 0 and len(times) > 2
    first = 1 if validated else 0  # validation rows need an instant, too
    distance = np.abs(n_after[first:-1] - ceil(options.share(part) * len(rows)))
    last = times[first + int(np.argmin(distance))]
    late = instants[rows] > last
    return rows[~late], rows[late]


def _divide_hash(
    rows: Positions, places: np.ndarray, options: SplitOptions, part: str, seed: int
) -> tuple[Positions, Positions]:
    """By place alone, so that other rows change nothing: [0, test) judges, the next stretch validates."""
    end = options.test if part == "test" else options.test + (1 - options.test) * options.share("validation")
    start = 0.0 if part == "test" else options.test
    inside = (places[rows] >= start) & (places[rows] < end)
    return rows[~inside], rows[inside]


DIVISIONS: Mapping[str, Callable[[Positions, np.ndarray, SplitOptions, str, int], tuple[Positions, Positions]]] = {
    "group": _divide_groups,
    "time": _divide_time,
    "hash": _divide_hash,
}


def check_sizes(given: np.ndarray, by: np.ndarray | None, options: SplitOptions, *, labels: Sequence[str] = ()) -> None:
    """Raise DataError when the parts cannot be set apart, whatever the seed; arguments as of `make_split`."""
    chosen = given == "train"
    wanted = {part: options.share(part) for part in ("test", "validation") if not (given == part).any()}
    if by is not None and options.kind in ("group", "time"):
        _check_distinct(len(np.unique(by[chosen])), wanted, options)
    elif options.kind not in ("column", "hash"):
        _check_shares(int(chosen.sum()), None if by is None else by[chosen], wanted, labels)


def _check_distinct(n_distinct: int, wanted: Mapping[str, float], options: SplitOptions) -> None:
    """Each part needs a group or an instant of its own."""
    for part, share in wanted.items():
        n_taken = ceil(n_distinct * share) if options.kind == "group" else 1
        if share and n_distinct - n_taken < 1:
            what = "groups" if options.kind == "group" else "different times"
            raise DataError(
                Problem(
                    "BP275",
                    f"there are too few {what} to keep some as {part} rows and train on others",
                    hints=(
                        f"give rows of more {what}, or write `split: {{kind: {options.kind}, {part}: 0}}` to keep none",
                    ),
                    key=("split", part),
                )
            )
        n_distinct -= n_taken if share else 0


def _check_shares(n_rows: int, classes: np.ndarray | None, wanted: Mapping[str, float], labels: Sequence[str]) -> None:
    counts = None if classes is None else np.bincount(classes, minlength=len(labels))
    for part, share in wanted.items():
        if not share:
            continue
        n_taken = ceil(n_rows * share)
        if n_rows - n_taken < 1:
            raise DataError(_too_few_rows(n_rows, share, part))
        if counts is not None:
            _check_counts(counts, n_taken, n_rows - n_taken, part=part, labels=labels)
            counts = counts - np.ceil(counts * share).astype(np.int64)  # what the first division may leave
        n_rows -= n_taken


def _check_counts(counts: np.ndarray, n_taken: int, n_left: int, *, part: str, labels: Sequence[str]) -> None:
    """scikit-learn's conditions for a stratified division: two rows of each label, room for each label in each part."""
    present = np.flatnonzero(counts)
    rarest = int(present[counts[present].argmin()])
    if counts[rarest] >= 2 and min(n_taken, n_left) >= len(present):
        return
    named = f" `{escape(labels[rarest])}`" if rarest < len(labels) else ""
    hints = [
        "give more rows of them, or keep a larger share",
        "or write `split: random`, which may leave a rare label out of the training rows",
    ]
    if len(present) > 2:  # else one label would be left
        leave_out = (
            "leave rare labels out with `clean: {rare_class: drop}`, or make them one label with "
            "`clean: {rare_class: group}`; `rare_class_rows` says how many rows are rare"
        )
        hints.insert(0, leave_out)
    raise DataError(
        Problem(
            "BP267",
            f"a stratified split needs at least 2 rows of each label and room for each of the {len(present)} labels "
            f"among the {part} rows; the rarest label{named} has {counts[rarest]} row(s) to divide and {part} would "
            f"have {n_taken}",
            hints=tuple(hints),
        )
    )


def _too_few_rows(n_rows: int, share: float, part: str) -> Problem:
    return Problem(
        "BP266",
        f"{n_rows} row(s) are too few to keep {share:g} of them as {part} rows and train on the others",
        hints=(f"write `split: {{{part}: 0}}` to keep none, or give more rows",),
        key=("split", part),
    )


def _without_rows(options: SplitOptions, part: str) -> Problem:
    message = f"the split by {options.kind} leaves no {part} rows"
    return Problem("BP276", message, hints=("check the column that divides the rows, and the shares",), key=("split",))
