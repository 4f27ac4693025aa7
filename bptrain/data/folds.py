"""k folds for cross-validation: each fold judges once, and rows beside it train and choose the epoch."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence

import numpy as np

from bptrain.data.options import SplitOptions
from bptrain.data.split import Positions, Split, make_split
from bptrain.errors import DataError, Problem
from bptrain.utils import seeds

HALVES = 10  # folds that are halves of 5, so that either can be taken once the width of layers is known


def make_folds(
    rows: Positions, by: np.ndarray | None, options: SplitOptions, *, seed: int, labels: Sequence[str] = ()
) -> list[Split]:
    """A Split per fold: the fold in `test`, the other rows of `rows` in `train` and `validation`.

    `rows` (k,) are the rows that are not for the final judgement; `by` (n_rows of the table,) as in `make_split`.
    Folds are scikit-learn's KFold, StratifiedKFold or GroupKFold, shuffled with random_state = seed; by time those of
    TimeSeriesSplit over whole instants, so that earlier rows train and the first stretch never judges; by hash
    stretches of equal length. Validation rows are chosen as the split's kind chooses them, without the fold's rows.

    Raises DataError when a fold or its validation rows cannot be set apart.
    """
    n_folds = options.folds or 0
    check_folds(rows, by, options)
    seed = seed if options.seed is None else options.seed
    try:
        pairs = list(_pairs(rows, by, options, n_folds, seed))
    except ValueError as err:
        raise DataError(_too_few(n_folds, options, str(err))) from err
    return [_with_validation(rest, fold, by, options, seed=seed, labels=labels) for rest, fold in pairs]


def fold_numbers(
    rows: Positions, by: np.ndarray | None, options: SplitOptions, n_folds: int, *, seed: int
) -> np.ndarray:
    """The fold (k,) of each of the training rows `rows` (k,), numbers from 0; `by` and the folds as of `make_folds`.

    By hash they are stretches with as many different keys each. A label may have fewer rows than there are folds.
    `HALVES` folds of rows that need not stay together are halves of half as many: 2 n and 2 n + 1 are fold n of these.
    Raises DataError when there are fewer rows or groups.
    """
    if n_folds == HALVES and are_divided(options):
        return _halved(fold_numbers(rows, by, options, n_folds // 2, seed=seed), rows, by, options, seed=seed)
    seed = seed if options.seed is None else options.seed
    numbers = np.zeros(len(rows), np.int32)
    if options.kind in ("group", "hash"):
        check_networks(rows, by, n_folds)
    try:
        for number, (_, fold) in enumerate(_pairs(rows, by, options, n_folds, seed, rare=True)):
            numbers[np.isin(rows, fold)] = number
    except ValueError as err:
        raise DataError(_too_few_for_networks(n_folds, str(err))) from err
    return numbers


def are_divided(options: SplitOptions) -> bool:
    """Whether rows of a fold may be divided further, as none of them have to stay together."""
    return options.kind not in ("group", "hash")


def _halved(
    numbers: np.ndarray, rows: Positions, by: np.ndarray | None, options: SplitOptions, *, seed: int
) -> np.ndarray:
    """Twice as many folds: of the rows of each fold, and within it of each class, every other one by lot."""
    seed = seed if options.seed is None else options.seed
    order = seeds.stream(seed, "halves").permutation(len(numbers))
    classes = np.zeros(len(numbers), np.int64) if by is None else by[rows]
    order = order[np.lexsort((classes[order], numbers[order]))]
    halves = np.empty_like(numbers)
    halves[order] = (np.arange(len(order)) - np.searchsorted(numbers[order], numbers[order])) % 2
    together: np.ndarray = 2 * numbers + halves
    return together


def check_networks(rows: Positions, by: np.ndarray | None, n_folds: int) -> None:
    """Raise DataError where the rows have fewer groups or keys than there are networks that each leave out a fold."""
    n_groups = len(np.unique(np.asarray(by)[rows]))
    if n_groups < n_folds:
        raise DataError(_too_few_for_networks(n_folds, f"there are {n_groups} groups"))


def check_numbers(numbers: np.ndarray, n_folds: int) -> None:
    """Raise DataError where a fold of `fold_numbers` has lost all its rows, for instance because none has a weight."""
    if not np.bincount(numbers, minlength=n_folds).all():
        raise DataError(_too_few_for_networks(n_folds, "a fold has no row that can be trained on"))


def check_folds(rows: Positions, by: np.ndarray | None, options: SplitOptions) -> None:
    """Raise DataError where there are fewer rows, groups, times or rows of a label than folds; without scikit-learn."""
    n_folds, values = options.folds or 0, None if by is None else by[rows]
    n_parts, what = len(rows), "rows"
    if values is not None and options.kind in ("group", "time"):
        n_parts, what = len(np.unique(values)) - (options.kind == "time"), f"different {options.kind}s"
    elif values is not None and options.kind != "hash":
        n_parts, what = int(np.unique(values, return_counts=True)[1].min()), "rows of the rarest label"
    if n_parts < n_folds:
        raise DataError(_too_few(n_folds, options, f"there are {n_parts} {what}"))


def _pairs(
    rows: Positions, by: np.ndarray | None, options: SplitOptions, n_folds: int, seed: int, *, rare: bool = False
) -> Iterator[tuple[Positions, Positions]]:
    """The rows beside each fold and those of the fold; `rare` labels may be missing in some. ValueError: too few."""
    from sklearn import model_selection as sk

    values = None if by is None else by[rows]
    if options.kind == "time":
        yield from _by_time(rows, values, n_folds)
        return
    if options.kind == "hash":
        yield from _by_hash(rows, _ranks(values) if rare else _places(values, options), n_folds)
        return
    state = seed % 2**32
    if options.kind == "group":
        folds = sk.GroupKFold(n_folds, shuffle=True, random_state=state).split(rows, groups=values)
    elif values is not None:
        counts = np.bincount(values)
        if not rare and counts.max(initial=0) and counts[counts > 0].min() < n_folds:
            raise ValueError(f"a label has fewer than {n_folds} rows")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of labels with fewer rows than folds
            folds = list(sk.StratifiedKFold(n_folds, shuffle=True, random_state=state).split(rows, values))
    else:
        folds = sk.KFold(n_folds, shuffle=True, random_state=state).split(rows)
    yield from ((rows[rest], rows[fold]) for rest, fold in folds)


def _by_time(rows: Positions, instants: np.ndarray | None, n_folds: int) -> Iterator[tuple[Positions, Positions]]:
    from sklearn.model_selection import TimeSeriesSplit

    assert instants is not None  # noqa: S101 — our own invariant
    times = np.unique(instants)
    for rest, fold in TimeSeriesSplit(n_folds).split(times):
        yield rows[instants <= times[rest[-1]]], rows[(instants > times[rest[-1]]) & (instants <= times[fold[-1]])]


def _places(places: np.ndarray | None, options: SplitOptions) -> np.ndarray:
    """Where rows stand, from 0 to 1, in what the test rows leave of [0, 1)."""
    assert places is not None  # noqa: S101 — our own invariant
    left: np.ndarray = (places - options.test) / (1 - options.test)
    return left


def _ranks(places: np.ndarray | None) -> np.ndarray:
    """Where rows stand, from 0 to 1, among the different places."""
    different, ranks = np.unique(np.asarray(places), return_inverse=True)
    return np.asarray(ranks / len(different))


def _by_hash(rows: Positions, places: np.ndarray, n_folds: int) -> Iterator[tuple[Positions, Positions]]:
    """Equal stretches of places from 0 to 1."""
    numbers = np.minimum(places * n_folds, n_folds - 1).astype(np.int64)
    if len(np.unique(numbers)) < n_folds:
        raise ValueError("a fold has no row")
    yield from ((rows[numbers != fold], rows[numbers == fold]) for fold in range(n_folds))


def _with_validation(
    rest: Positions,
    fold: Positions,
    by: np.ndarray | None,
    options: SplitOptions,
    *,
    seed: int,
    labels: Sequence[str],
) -> Split:
    """`rest` divided once more; the seed is that of the split's validation rows."""
    inner = options.model_copy(update={"test": 0.0, "seed": None, **_inner_kind(options)})
    given = np.full(len(rest), "train")
    chosen = make_split(given, None if by is None else by[rest], inner, seed=seed, labels=labels)
    return Split(rest[chosen.train], rest[chosen.validation], np.sort(fold))


def _inner_kind(options: SplitOptions) -> dict[str, str]:
    """Places in [0, 1) are used up by the folds, so validation rows of a hash split go by group of the key."""
    return {"kind": "group"} if options.kind == "hash" else {}


def _too_few_for_networks(n_folds: int, reason: str) -> Problem:
    return Problem(
        "BP277",
        f"the training rows cannot be divided among {n_folds} networks: {reason}",
        hints=("write a smaller `model.networks`: 1 takes a share of the rows for validation instead of folds",),
        key=("model", "networks"),
    )


def _too_few(n_folds: int, options: SplitOptions, reason: str) -> Problem:
    return Problem(
        "BP277",
        f"{n_folds} folds cannot be made by {options.kind}: {reason}",
        hints=("write a smaller `split.folds`, or give more rows", "for rare labels see `clean.rare_class`"),
        key=("split", "folds"),
    )
