"""Which rows train, which choose the epoch and which judge at the end, and the folds of the training rows.

Each kind of split is an object in the table `SPLITS`: what it looks at (its keys), how it divides rows, how it makes
folds of them, and what it refuses. Other code asks the object and never compares its name. Nothing is learned here;
what scikit-learn divides is divided by scikit-learn.
"""

from __future__ import annotations

import hashlib
import warnings
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import ClassVar, NamedTuple, Protocol

import numpy as np

from bptrain.data.options import SplitOptions
from bptrain.errors import DataError, Problem
from bptrain.messages import data as messages
from bptrain.utils import seeds
from bptrain.utils.text import quote_list

Positions = np.ndarray
PARTS = ("train", "validation", "test")
PART_WORDS = {"train": "train", "training": "train", "test": "test"} | dict.fromkeys(
    ("validation", "val", "valid", "dev"), "validation"
)
UNEVEN = 2.0  # times more or fewer rows than the share asks for
HALVES = 10  # folds that are halves of 5, so that either can be taken once the width of layers is known


@dataclass(frozen=True)
class Split:
    """Positions of rows, disjoint and together complete; each part in the order of the table.

    `network_fold` (n_train,) is the number of the network that does not train on the row, where each leaves out a fold.
    """

    train: Positions
    validation: Positions
    test: Positions
    network_fold: np.ndarray | None = None

    def parts(self) -> dict[str, Positions]:
        """The parts that have rows, by name."""
        parts = {"train": self.train, "validation": self.validation, "test": self.test}
        return {name: rows for name, rows in parts.items() if len(rows)}


class Shares(NamedTuple):
    """The share of all rows that is kept for the test, and of the others for validation."""

    test: float
    validation: float


class RowValues(Protocol):
    """What a split may ask of a table; each is found when it is asked for, as it may need targets or features."""

    @property
    def n_rows(self) -> int:
        """How many rows there are."""

    def class_numbers(self) -> tuple[np.ndarray, tuple[str, ...]]:
        """The class of each row (n_rows,) of the target, and the labels of the classes."""

    def timestamps(self) -> np.ndarray:
        """When each row happened (n_rows,), by the split's column."""

    def labels(self) -> tuple[list[str], np.ndarray]:
        """The different labels of the split's column, and the position (n_rows,) of each row's among them."""


class SplitKind(ABC):
    """A way to divide rows: one object for each value of `split.kind`.

    Methods take `rows`, positions (k,) in the table, and `keys` (n_rows of the table,), what `keys` found in it.
    Randomness comes from `seed` alone.
    """

    name: ClassVar[str]
    uses_column: ClassVar[bool] = False  # goes by the cells of `split.column`
    has_role: ClassVar[bool] = False  # a column of the kind of this name is the split's, unless another is named
    needs_labels: ClassVar[bool] = False  # of one target
    column_is_feature: ClassVar[bool] = False  # the split's column may teach the network, too
    uses_sklearn: ClassVar[bool] = True  # whose import takes longer than reading most tables
    keeps_together: ClassVar[bool] = False  # rows of one key are never divided
    is_ordered: ClassVar[bool] = False  # rows that train come before those that judge
    cells_are_parts: ClassVar[bool] = False  # so shares and folds mean nothing
    shares_decide: ClassVar[bool] = True  # which parts have rows; otherwise only the cells tell
    sizes_vary: ClassVar[bool] = False  # a part may come out far from its share
    folds_can_validate: ClassVar[bool] = True  # folds, one for each network, can stand for validation rows
    can_halve_folds: ClassVar[bool] = True  # rows of a fold may be divided further
    within_folds: ClassVar[str] = ""  # the kind by which validation rows beside a fold are chosen, if it is another
    things: ClassVar[str] = "rows"  # what each part and each fold needs one of
    n_before_folds: ClassVar[int] = 0  # of these, how many never judge

    @abstractmethod
    def keys(self, table: RowValues, options: SplitOptions, seed: int) -> tuple[np.ndarray, tuple[str, ...]]:
        """What the rows are divided by (n_rows,), and labels for messages."""

    @abstractmethod
    def divide(
        self, rows: Positions, keys: np.ndarray, shares: Shares, part: str, seed: int
    ) -> tuple[Positions, Positions]:
        """The rows that stay and those that are taken for `part`, "test" or "validation"."""

    @abstractmethod
    def folds(
        self, rows: Positions, keys: np.ndarray, n_folds: int, *, seed: int, test: float, for_networks: bool
    ) -> Iterator[tuple[Positions, Positions]]:
        """The rows beside each fold and those of the fold.

        Args:
            test: the share of test rows, which are not among `rows`.
            for_networks: whether each of several networks leaves out a fold; a label may then be missing in some.

        Raises:
            ValueError: there are too few rows, labels or keys.
        """


class RandomSplit(SplitKind):
    """scikit-learn's train_test_split and KFold with random_state = seed; keys are zeros, as all rows are alike."""

    name = "random"

    def keys(self, table: RowValues, options: SplitOptions, seed: int) -> tuple[np.ndarray, tuple[str, ...]]:
        return np.zeros(table.n_rows, np.int8), ()

    def divide(
        self, rows: Positions, keys: np.ndarray, shares: Shares, part: str, seed: int
    ) -> tuple[Positions, Positions]:
        from sklearn.model_selection import train_test_split

        share, classes = getattr(shares, part), keys[rows] if self.needs_labels else None
        try:  # in scikit-learn's order, as the next division depends on it
            kept, taken = train_test_split(rows, test_size=share, random_state=seed % 2**32, stratify=classes)
        except ValueError as err:  # labels that an earlier division left with one row by bad luck
            raise DataError(messages.RARE_LABELS_LEFT(reason=err)) from err
        return kept, taken

    def folds(
        self, rows: Positions, keys: np.ndarray, n_folds: int, *, seed: int, test: float, for_networks: bool
    ) -> Iterator[tuple[Positions, Positions]]:
        from sklearn.model_selection import KFold

        for rest, fold in KFold(n_folds, shuffle=True, random_state=seed % 2**32).split(rows):
            yield rows[rest], rows[fold]


class StratifiedSplit(RandomSplit):
    """The same within each class of one target: keys are class numbers."""

    name = "stratified"
    needs_labels = True
    things = "rows of the rarest label"

    def keys(self, table: RowValues, options: SplitOptions, seed: int) -> tuple[np.ndarray, tuple[str, ...]]:
        return table.class_numbers()

    def folds(
        self, rows: Positions, keys: np.ndarray, n_folds: int, *, seed: int, test: float, for_networks: bool
    ) -> Iterator[tuple[Positions, Positions]]:
        from sklearn.model_selection import StratifiedKFold

        counts = np.bincount(keys[rows])
        if not for_networks and counts.max(initial=0) and counts[counts > 0].min() < n_folds:
            raise ValueError(f"a label has fewer than {n_folds} rows")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of labels with fewer rows than folds
            folds = list(StratifiedKFold(n_folds, shuffle=True, random_state=seed % 2**32).split(rows, keys[rows]))
        yield from ((rows[rest], rows[fold]) for rest, fold in folds)


class GroupSplit(SplitKind):
    """scikit-learn's GroupShuffleSplit and GroupKFold, so shares are of groups: keys are numbers of groups."""

    name = "group"
    uses_column = has_role = keeps_together = sizes_vary = True
    can_halve_folds = False
    things = "groups"

    def keys(self, table: RowValues, options: SplitOptions, seed: int) -> tuple[np.ndarray, tuple[str, ...]]:
        return table.labels()[1], ()

    def divide(
        self, rows: Positions, keys: np.ndarray, shares: Shares, part: str, seed: int
    ) -> tuple[Positions, Positions]:
        from sklearn.model_selection import GroupShuffleSplit

        splitter = GroupShuffleSplit(1, test_size=getattr(shares, part), random_state=seed % 2**32)
        kept, taken = next(splitter.split(rows, groups=keys[rows]))
        return rows[kept], rows[taken]

    def folds(
        self, rows: Positions, keys: np.ndarray, n_folds: int, *, seed: int, test: float, for_networks: bool
    ) -> Iterator[tuple[Positions, Positions]]:
        from sklearn.model_selection import GroupKFold

        splitter = GroupKFold(n_folds, shuffle=True, random_state=seed % 2**32)
        for rest, fold in splitter.split(rows, groups=keys[rows]):
            yield rows[rest], rows[fold]


class TimeSplit(SplitKind):
    """The latest rows are taken, and rows of one instant are never divided: keys are instants.

    Folds are those of scikit-learn's TimeSeriesSplit over whole instants, so that earlier rows train and the first
    stretch never judges.
    """

    name = "time"
    uses_column = has_role = column_is_feature = is_ordered = sizes_vary = True
    uses_sklearn = folds_can_validate = False
    things = "times"
    n_before_folds = 1

    def keys(self, table: RowValues, options: SplitOptions, seed: int) -> tuple[np.ndarray, tuple[str, ...]]:
        return table.timestamps(), ()

    def divide(
        self, rows: Positions, keys: np.ndarray, shares: Shares, part: str, seed: int
    ) -> tuple[Positions, Positions]:
        times, counts = np.unique(keys[rows], return_counts=True)
        n_after = len(rows) - np.cumsum(counts)  # rows after each instant
        validated = part == "test" and shares.validation > 0 and len(times) > 2
        first = 1 if validated else 0  # validation rows need an instant, too
        distance = np.abs(n_after[first:-1] - ceil(getattr(shares, part) * len(rows)))  # as near as instants allow
        late = keys[rows] > times[first + int(np.argmin(distance))]
        return rows[~late], rows[late]

    def folds(
        self, rows: Positions, keys: np.ndarray, n_folds: int, *, seed: int, test: float, for_networks: bool
    ) -> Iterator[tuple[Positions, Positions]]:
        from sklearn.model_selection import TimeSeriesSplit

        instants, times = keys[rows], np.unique(keys[rows])
        for rest, fold in TimeSeriesSplit(n_folds).split(times):
            later = instants > times[rest[-1]]
            yield rows[~later], rows[later & (instants <= times[fold[-1]])]


class ColumnSplit(RandomSplit):
    """Cells say train, validation or test: keys are these words. Folds for networks are those of a random split."""

    name = "column"
    uses_column = cells_are_parts = True
    shares_decide = uses_sklearn = folds_can_validate = False

    def keys(self, table: RowValues, options: SplitOptions, seed: int) -> tuple[np.ndarray, tuple[str, ...]]:
        words, positions = table.labels()
        if wrong := [word for word in words if word.strip().lower() not in PART_WORDS]:
            raise DataError(messages.NOT_A_PART(column=options.column, words=quote_list(wrong, last="and", limit=5)))
        return np.array([PART_WORDS[word.strip().lower()] for word in words])[positions], ()

    def divide(
        self, rows: Positions, keys: np.ndarray, shares: Shares, part: str, seed: int
    ) -> tuple[Positions, Positions]:
        taken = keys[rows] == part
        return rows[~taken], rows[taken]


class HashSplit(SplitKind):
    """By the label of a column alone, so that other rows change nothing: keys are places in [0, 1).

    Places in [0, test) judge, the next stretch validates; folds are stretches of equal length of what is left. These
    use up the places, so validation rows beside a fold go by group of the label.
    """

    name = "hash"
    uses_column = keeps_together = sizes_vary = True
    shares_decide = uses_sklearn = can_halve_folds = False
    within_folds = "group"

    def keys(self, table: RowValues, options: SplitOptions, seed: int) -> tuple[np.ndarray, tuple[str, ...]]:
        labels, positions = table.labels()
        seed = seed if options.seed is None else options.seed
        return np.array([hash_place(label, seed) for label in labels])[positions], ()

    def divide(
        self, rows: Positions, keys: np.ndarray, shares: Shares, part: str, seed: int
    ) -> tuple[Positions, Positions]:
        end = shares.test if part == "test" else shares.test + (1 - shares.test) * shares.validation
        start = 0.0 if part == "test" else shares.test
        taken = (keys[rows] >= start) & (keys[rows] < end)
        return rows[~taken], rows[taken]

    def folds(
        self, rows: Positions, keys: np.ndarray, n_folds: int, *, seed: int, test: float, for_networks: bool
    ) -> Iterator[tuple[Positions, Positions]]:
        places = (keys[rows] - test) / (1 - test)  # from 0 to 1 in what the test rows leave of [0, 1)
        if for_networks:  # stretches with as many different labels each
            different, ranks = np.unique(keys[rows], return_inverse=True)
            places = np.asarray(ranks / len(different))
        numbers = np.minimum(places * n_folds, n_folds - 1).astype(np.int64)
        if len(np.unique(numbers)) < n_folds:
            raise ValueError("a fold has no row")
        yield from ((rows[numbers != fold], rows[numbers == fold]) for fold in range(n_folds))


SPLITS: dict[str, SplitKind] = {
    kind.name: kind
    for kind in (RandomSplit(), StratifiedSplit(), GroupSplit(), TimeSplit(), ColumnSplit(), HashSplit())
}


def hash_place(key: str, seed: int) -> float:
    """Where in [0, 1) a key lies: the first 8 bytes of blake2b of the seed, a zero byte and the key, as a fraction."""
    digest = hashlib.blake2b(f"{seed}\0{key}".encode(), digest_size=8).digest()
    return (int.from_bytes(digest, "big") >> 11) / 2**53


def make_split(
    source_split: np.ndarray, keys: np.ndarray, options: SplitOptions, *, seed: int, labels: Sequence[str] = ()
) -> Split:
    """Divide the rows.

    Args:
        source_split: "train", "validation" or "test" (n_rows,), the part a row's file belongs to. Parts without files
            are taken from the "train" rows, test first, then validation from the rest.
        keys: what the kind of split found by `SplitKind.keys` (n_rows,).
        options: with its kind settled.
        seed: random_state of the division for test, and + 1 for validation, unless the options have one.
        labels: names of class numbers, for messages.

    Raises:
        DataError: a class, a group, an instant or the table has too few rows.
    """
    check_sizes(source_split, keys, options, labels=labels)
    shares = Shares(options.test, options.share("validation"))
    if (source_split == "test").any():  # the places of a split by hash are then all free
        shares = shares._replace(test=0.0)
    seed = seed if options.seed is None else options.seed
    return _divide_parts(SPLITS[options.kind], source_split, keys, shares, seed=seed)


def check_sizes(
    source_split: np.ndarray, keys: np.ndarray, options: SplitOptions, *, labels: Sequence[str] = ()
) -> None:
    """Raise DataError when the parts cannot be set apart, whatever the seed; arguments as of `make_split`."""
    wanted = {part: options.share(part) for part in ("test", "validation") if not (source_split == part).any()}
    _check_shares(SPLITS[options.kind], keys[source_split == "train"], wanted, labels)


def _check_shares(kind: SplitKind, keys: np.ndarray, wanted: Mapping[str, float], labels: Sequence[str]) -> None:
    """Raise DataError when rows with these `keys` (k,) cannot be divided into parts of the shares that are wanted."""
    if not kind.shares_decide:
        return
    by_key = kind.is_ordered or kind.keeps_together
    n_left = len(np.unique(keys)) if by_key else len(keys)
    counts = np.bincount(keys, minlength=len(labels)) if kind.needs_labels else None
    for part, share in wanted.items():
        if not share:
            continue
        n_taken = 1 if kind.is_ordered else ceil(n_left * share)
        if n_left - n_taken < 1 and by_key:  # each part needs a group or an instant of its own
            things = f"different {kind.things}" if kind.is_ordered else kind.things
            raise DataError(messages.TOO_FEW_GROUPS(things=things, part=part, kind=kind.name))
        if n_left - n_taken < 1:
            raise DataError(messages.TOO_FEW_ROWS(n_rows=n_left, share=f"{share:g}", part=part))
        if counts is not None:
            _check_counts(counts, n_taken, n_left - n_taken, part=part, labels=labels)
            counts = counts - np.ceil(counts * share).astype(np.int64)  # what the first division may leave
        n_left -= n_taken


def uneven_parts(split: Split, source_split: np.ndarray, options: SplitOptions) -> list[Problem]:
    """A warning of each part that has less than half or more than twice its share of the rows it was taken from."""
    problems: list[Problem] = []
    n_rows = int((source_split == "train").sum())
    for part, n_taken in (("test", len(split.test)), ("validation", len(split.validation))):
        share = options.share(part)
        if not SPLITS[options.kind].sizes_vary or (source_split == part).any() or not share:
            continue
        if not share / UNEVEN <= n_taken / n_rows <= share * UNEVEN:
            asked = f"{share:.0%}"
            problems.append(messages.UNEVEN_PART(n=n_taken, n_rows=n_rows, part=part, share=asked, kind=options.kind))
        n_rows -= n_taken
    return problems


def make_folds(
    rows: Positions,
    keys: np.ndarray,
    options: SplitOptions,
    *,
    seed: int,
    labels: Sequence[str] = (),
    test_files: bool = False,
) -> list[Split]:
    """k folds for cross-validation: each judges once, in `test`, and rows beside it train and choose the epoch.

    `rows` (k,) are those that are not for the final judgement; `keys`, `seed` and `labels` as of `make_split`.
    `test_files` says that the test rows have files of their own. Validation rows are chosen as the kind of split
    chooses them, without the fold's rows. Raises DataError when a fold or its validation rows cannot be set apart.
    """
    kind, n_folds = SPLITS[options.kind], options.folds or 0
    check_folds(rows, keys, options)
    seed = seed if options.seed is None else options.seed
    test = 0.0 if test_files else options.test
    try:
        pairs = list(kind.folds(rows, keys, n_folds, seed=seed, test=test, for_networks=False))
    except ValueError as err:
        raise DataError(messages.TOO_FEW_FOR_FOLDS(n_folds=n_folds, kind=options.kind, reason=err)) from err
    splits, shares, inner = [], Shares(0.0, options.share("validation")), SPLITS[kind.within_folds or kind.name]
    for rest, fold in pairs:
        _check_shares(inner, keys[rest], shares._asdict(), labels)
        chosen = _divide_parts(inner, np.full(len(rest), "train"), keys[rest], shares, seed=seed)
        splits.append(Split(rest[chosen.train], rest[chosen.validation], np.sort(fold)))
    return splits


def check_folds(rows: Positions, keys: np.ndarray, options: SplitOptions) -> None:
    """Raise DataError where there are fewer rows, groups, times or rows of a label than folds; without scikit-learn."""
    kind, n_most = SPLITS[options.kind], len(rows)
    if kind.needs_labels:
        n_most = int(np.unique(keys[rows], return_counts=True)[1].min())
    elif kind.has_role:
        n_most = len(np.unique(keys[rows])) - kind.n_before_folds
    if n_most < (options.folds or 0):
        reason = f"there are {n_most} {'different ' if kind.has_role else ''}{kind.things}"
        raise DataError(messages.TOO_FEW_FOR_FOLDS(n_folds=options.folds, kind=options.kind, reason=reason))


def fold_numbers(rows: Positions, keys: np.ndarray, options: SplitOptions, n_folds: int, *, seed: int) -> np.ndarray:
    """The fold (k,) of each of the training rows `rows` (k,), numbers from 0, of which each network leaves out one.

    By hash folds are stretches with as many different keys each. A label may have fewer rows than there are folds.
    `HALVES` folds of rows that need not stay together are halves of half as many: 2 n and 2 n + 1 are fold n of these.
    Raises DataError when there are fewer rows or groups.
    """
    kind = SPLITS[options.kind]
    keys = np.zeros(len(keys), np.int8) if kind.cells_are_parts else keys  # they name parts
    seed = seed if options.seed is None else options.seed
    halved = n_folds == HALVES and kind.can_halve_folds
    n_whole = n_folds // 2 if halved else n_folds
    if kind.keeps_together:
        check_networks(rows, keys, n_folds)
    numbers = np.zeros(len(rows), np.int32)
    try:
        for number, (_, fold) in enumerate(kind.folds(rows, keys, n_whole, seed=seed, test=0.0, for_networks=True)):
            numbers[np.isin(rows, fold)] = number
    except ValueError as err:
        raise DataError(messages.TOO_FEW_FOR_NETWORKS(n_folds=n_whole, reason=err)) from err
    if not halved:
        return numbers
    # of the rows of each fold, and within it of each class, every other one by lot
    order = seeds.stream(seed, "halves").permutation(len(numbers))
    order = order[np.lexsort((keys[rows][order], numbers[order]))]
    halves = np.empty_like(numbers)
    halves[order] = (np.arange(len(order)) - np.searchsorted(numbers[order], numbers[order])) % 2
    return np.asarray(2 * numbers + halves)


def check_networks(rows: Positions, keys: np.ndarray, n_folds: int) -> None:
    """Raise DataError where the rows have fewer groups or keys than there are networks that each leave out a fold."""
    n_groups = len(np.unique(keys[rows]))
    if n_groups < n_folds:
        raise DataError(messages.TOO_FEW_FOR_NETWORKS(n_folds=n_folds, reason=f"there are {n_groups} groups"))


def _divide_parts(kind: SplitKind, source_split: np.ndarray, keys: np.ndarray, shares: Shares, *, seed: int) -> Split:
    """The rows of "train" files divided; random_state is `seed` for test and `seed` + 1 for validation."""
    rest = np.flatnonzero(source_split == "train")
    parts = {part: np.flatnonzero(source_split == part) for part in ("test", "validation")}
    for number, (part, share) in enumerate(zip(parts, shares, strict=True)):
        if kind.cells_are_parts or (share and not len(parts[part])):
            rest, taken = kind.divide(rest, keys, shares, part, seed + number)
            parts[part] = np.concatenate([parts[part], taken])
            if share and not len(parts[part]) and not kind.cells_are_parts:
                raise DataError(messages.PART_WITHOUT_ROWS(kind=kind.name, part=part))
    if not len(rest):
        raise DataError(messages.PART_WITHOUT_ROWS(kind=kind.name, part="training"))
    return Split(np.sort(rest), np.sort(parts["validation"]), np.sort(parts["test"]))


def _check_counts(counts: np.ndarray, n_taken: int, n_left: int, *, part: str, labels: Sequence[str]) -> None:
    """scikit-learn's conditions for a stratified division: two rows of each label, room for each label in each part."""
    present = np.flatnonzero(counts)
    rarest = int(present[counts[present].argmin()])
    if counts[rarest] >= 2 and min(n_taken, n_left) >= len(present):
        return
    leave_out = (
        "leave rare labels out with `clean: {rare_class: drop}`, or make them one label with "
        "`clean: {rare_class: group}`; `rare_class_rows` says how many rows are rare"
    )
    raise DataError(
        messages.RARE_LABELS(
            n_labels=len(present),
            part=part,
            label=f" `{labels[rarest]}`" if rarest < len(labels) else "",
            n_rarest=counts[rarest],
            n_taken=n_taken,
            hints=(leave_out,) if len(present) > 2 else (),  # else one label would be left
        )
    )
