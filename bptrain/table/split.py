"""Which rows train, which choose the epoch, and which judge at the end. Nothing is learned here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np

from bptrain.errors import DataError, Problem
from bptrain.table.options import SplitOptions
from bptrain.text import escape

Positions = np.ndarray


@dataclass(frozen=True)
class Split:
    """Positions of rows, disjoint and together complete; each part in the order of the table."""

    train: Positions
    validation: Positions
    test: Positions

    def parts(self) -> dict[str, Positions]:
        """The parts that have rows, by name."""
        parts = {"train": self.train, "validation": self.validation, "test": self.test}
        return {name: rows for name, rows in parts.items() if len(rows)}


def make_split(
    given: np.ndarray, classes: np.ndarray | None, options: SplitOptions, *, seed: int, labels: Sequence[str] = ()
) -> Split:
    """Divide the rows.

    `given` (n_rows,) holds "train", "validation" or "test", the part a row's file belongs to; parts without files are
    taken from the "train" rows, test first, then validation from the rest, as scikit-learn's train_test_split does with
    random_state = seed and seed + 1. `classes` (n_rows,) are class numbers to stratify by, or None;
    `labels` names them in messages.

    Raises DataError when a class or the table has too few rows.
    """
    check_sizes(given, classes, options, labels=labels)
    rest = np.flatnonzero(given == "train")
    test, validation = np.flatnonzero(given == "test"), np.flatnonzero(given == "validation")
    seed = seed if options.seed is None else options.seed
    if not len(test) and options.test:
        rest, test = _divide(rest, classes, options.test, seed=seed)
    if not len(validation) and options.validation:
        rest, validation = _divide(rest, classes, options.validation, seed=seed + 1)
    return Split(np.sort(rest), np.sort(validation), np.sort(test))


def _divide(rows: Positions, classes: np.ndarray | None, share: float, *, seed: int) -> tuple[Positions, Positions]:
    from sklearn.model_selection import train_test_split

    stratify = None if classes is None else classes[rows]
    kept, taken = train_test_split(rows, test_size=share, random_state=seed % 2**32, stratify=stratify)
    return kept, taken  # in the order scikit-learn drew them: the next division of the rest depends on it


def check_sizes(
    given: np.ndarray, classes: np.ndarray | None, options: SplitOptions, *, labels: Sequence[str] = ()
) -> None:
    """Raise DataError when the parts cannot be set apart, whatever the seed; arguments as of `make_split`."""
    chosen = given == "train"
    n_rows = int(chosen.sum())
    counts = None if classes is None else np.bincount(classes[chosen], minlength=len(labels))
    for part, share in (("test", options.test), ("validation", options.validation)):
        if not share or (given == part).any():
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
    raise DataError(
        Problem(
            "BP267",
            f"a stratified split needs at least 2 rows of each label and room for each of the {len(present)} labels "
            f"among the {part} rows; the rarest label{named} has {counts[rarest]} row(s) to divide and {part} would "
            f"have {n_taken}",
            hints=(
                "remove or merge the rare labels, give more rows of them, or keep a larger share",
                "or write `split: random`, which may leave a rare label out of the training rows",
            ),
        )
    )


def _too_few_rows(n_rows: int, share: float, part: str) -> Problem:
    return Problem(
        "BP266",
        f"{n_rows} row(s) are too few to keep {share:g} of them as {part} rows and train on the others",
        hints=(f"write `split: {{{part}: 0}}` to keep none, or give more rows",),
        key=("split", part),
    )
