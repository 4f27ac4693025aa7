"""Which rows train, which choose the epoch, and which judge at the end. Nothing is learned here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

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
    rest = np.flatnonzero(given == "train")
    test, validation = np.flatnonzero(given == "test"), np.flatnonzero(given == "validation")
    seed = seed if options.seed is None else options.seed
    if not len(test) and options.test:
        rest, test = _divide(rest, classes, options.test, seed=seed, part="test", labels=labels)
    if not len(validation) and options.validation:
        rest, validation = _divide(rest, classes, options.validation, seed=seed + 1, part="validation", labels=labels)
    return Split(np.sort(rest), np.sort(validation), np.sort(test))


def _divide(
    rows: Positions, classes: np.ndarray | None, share: float, *, seed: int, part: str, labels: Sequence[str]
) -> tuple[Positions, Positions]:
    from sklearn.model_selection import train_test_split

    stratify = None if classes is None else classes[rows]
    check_size(len(rows), stratify, share, part=part, labels=labels)
    kept, taken = train_test_split(rows, test_size=share, random_state=seed % 2**32, stratify=stratify)
    return kept, taken  # in the order scikit-learn drew them: the next division of the rest depends on it


def check_size(n_rows: int, classes: np.ndarray | None, share: float, *, part: str, labels: Sequence[str] = ()) -> None:
    """Raise DataError when `share` of the rows cannot be set apart, with what can be done about it."""
    n_taken = int(np.ceil(n_rows * share))
    if n_rows - n_taken < 1:
        raise DataError(
            Problem(
                "BP266",
                f"{n_rows} row(s) are too few to keep {share:g} of them as {part} rows and train on the others",
                hints=(f"write `split: {{{part}: 0}}` to keep none, or give more rows",),
                key=("split", part),
            )
        )
    if classes is None or not len(classes):
        return
    present, counts = np.unique(classes, return_counts=True)
    rarest = int(present[counts.argmin()])
    named = f" `{escape(labels[rarest])}`" if rarest < len(labels) else ""
    if counts.min() < 2 or min(n_taken, n_rows - n_taken) < len(present):
        raise DataError(
            Problem(
                "BP267",
                f"a stratified split needs at least 2 rows of each label and room for each of the {len(present)} "
                f"labels among the {part} rows; the rarest label{named} has {counts.min()} row(s) and {part} would "
                f"have {n_taken}",
                hints=(
                    "write `split: random` to split without regard to labels",
                    "remove or merge the rare labels, or keep a larger share",
                ),
            )
        )
