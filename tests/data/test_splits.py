"""Which rows train, validate and test: scikit-learn's split, complete, disjoint and repeatable."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import get_args

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.model_selection import train_test_split
from tables import TASKS, config, make_table, write

from bptrain.config.load import config_from_mapping, load_config
from bptrain.data.files import AllowedPaths
from bptrain.data.options import SplitOptions
from bptrain.data.splits import SPLITS, Split, fold_numbers, hash_place, make_folds, make_split
from bptrain.errors import BptrainError, DataError
from bptrain.fitting import dataset
from bptrain.messages.catalogue import CATALOGUE

ROOT = Path(__file__).parents[2]
PUBLISHED = {  # sha256 of the sorted row numbers, separated by spaces
    "train": "ea05a31d28c6cc800dc7ae3b5f7734dbcc914bf494f7f543dcf85b49279b2c10",
    "validation": "53dcd817a56198646b2b36f8de07ee8e40bf8021fe44efec313aceb1b47022e6",
    "test": "1cd6d872c903dc93571b5f3b30adcc061bcbbbd2249f6b68a54f6c9ad45baaa4",
}

# The first half of the sha256 of sides, of fold numbers for 5 and 10 networks, and of folds, of the code of ad900fa.
RECORDED = {
    ("random", "one file"): ("1c15218da7c5d014", "afd206c801f5a22d", "3c065822c5cde5c8", "c4f6e821d6341825"),
    ("random", "test file"): ("0da5797770c8268f", "c326dd2cdfb76773", "650ab738040a2c85", "88f12945c63c7f93"),
    ("stratified", "one file"): ("fa0df505de1be67c", "65f72226932d8cc5", "27cb92f834a2a60b", "335d15f57f9f0f47"),
    ("stratified", "test file"): ("f1fe2e295f66cfc6", "98cd57482f2697ae", "8fc3922c9384d465", "4d7ba48efbcf4899"),
    ("group", "one file"): ("ef1aaf23b77d35ab", "4e3ef5f91986a2a9", "69f130379bae6dc5", "f0a2830f477b4c80"),
    ("group", "test file"): ("6d3d4cefa2eb02f9", "3f7e29813bda1402", "3b2f2b109db5b862", "f5674bb493a0433e"),
    ("time", "one file"): ("8d078dd85d3d675c", "910c1ed03d94da56", "a1fc396c8bbc9682", "193138c807a71ea4"),
    ("time", "test file"): ("a54fd8386b2604ad", "a995519f8a380e24", "85d0b9a4a8a6a240", "6f77df7f6df09729"),
    ("hash", "one file"): ("c1bb13e8f85eed2c", "50fc2081f34fc622", "e96174c55209446b", "6fd0c5333df8931d"),
    ("hash", "test file"): ("a9770359a53f0b4e", "cd6552f9e533ec6f", "a699e54cc61c5f11", "46e4ddaa3f8deb69"),
    ("column", "one file"): ("c2aba0e54d765b29", "d934bef77169c6ea", "48e2ee2aafb69acd", ""),
    ("column", "test file"): ("58970613393872ac", "7c35d2747ca433ce", "b1f3822b47371664", ""),
}

SHARES = st.one_of(st.just(0.0), st.floats(0.01, 0.99))
SEEDS = st.integers(0, 2**32 - 2)


@st.composite
def rows(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray | None]:
    """The part each row's file belongs to, and class numbers or None."""
    parts = draw(
        st.sampled_from([["train"], ["train", "test"], ["train", "validation"], ["train", "validation", "test"]])
    )
    given_parts = np.repeat(parts, [draw(st.integers(1, 60)) for _ in parts])
    if draw(st.booleans()):
        return given_parts, None
    n_classes = draw(st.integers(1, 4))
    return given_parts, np.random.default_rng(draw(SEEDS)).integers(0, n_classes, len(given_parts))


def expected(given_parts: np.ndarray, classes: np.ndarray | None, options: SplitOptions, seed: int) -> Split:
    """What the documentation says, by scikit-learn alone."""
    rest = np.array([row for row, part in enumerate(given_parts) if part == "train"])
    taken = {part: np.flatnonzero(given_parts == part) for part in ("validation", "test")}
    for part, share, state in (("test", options.test, seed), ("validation", options.validation, seed + 1)):
        if share and part not in given_parts:
            labels = None if classes is None else classes[rest]
            rest, taken[part] = train_test_split(rest, test_size=share, random_state=state, stratify=labels)
    return Split(np.sort(rest), np.sort(taken["validation"]), np.sort(taken["test"]))


def divide(
    given_parts: np.ndarray,
    classes: np.ndarray | None = None,
    *,
    seed: int,
    own_seed: int | None = None,
    **shares: float,
) -> Split:
    """The rows divided at random, within classes if there are some."""
    options = SplitOptions(kind="random" if classes is None else "stratified", seed=own_seed, **shares)  # type: ignore[arg-type]
    keys = np.zeros(len(given_parts), np.int8) if classes is None else classes
    return make_split(given_parts, keys, options, seed=seed)


def same(left: Split, right: Split) -> bool:
    return all(
        np.array_equal(getattr(left, part), getattr(right, part)) and getattr(left, part).dtype == np.int64
        for part in ("train", "validation", "test")
    )


@settings(max_examples=300, deadline=None)
@given(rows(), SHARES, SHARES, SEEDS, st.none() | SEEDS)
def test_split_equals_scikit_learns_and_is_refused_where_it_may_refuse(
    table: tuple[np.ndarray, np.ndarray | None], test: float, validation: float, seed: int, own_seed: int | None
) -> None:
    given_parts, classes = table
    options = SplitOptions(test=test, validation=validation, seed=own_seed)
    try:
        wanted = expected(given_parts, classes, options, seed if own_seed is None else own_seed)
    except ValueError:
        with pytest.raises(DataError, match="BP26[67]"):
            divide(given_parts, classes, seed=seed, own_seed=own_seed, test=test, validation=validation)
        return
    try:
        split = divide(given_parts, classes, seed=seed, own_seed=own_seed, test=test, validation=validation)
        assert same(split, wanted)
    except DataError:  # with another seed scikit-learn would have refused: the first division could leave one row
        assert classes is not None
        counts = np.bincount(classes[given_parts == "train"])
        assert any(count - np.ceil(count * test) < 2 for count in counts if count)


@settings(max_examples=200, deadline=None)
@given(rows(), SHARES, SHARES, SEEDS)
def test_parts_are_disjoint_complete_and_of_the_promised_size(
    table: tuple[np.ndarray, np.ndarray | None], test: float, validation: float, seed: int
) -> None:
    given_parts, classes = table
    try:
        split = divide(given_parts, classes, seed=seed, test=test, validation=validation)
    except DataError:
        assume(False)
    assert sorted([*split.train, *split.validation, *split.test]) == list(range(len(given_parts)))
    for part in ("train", "validation", "test"):
        assert np.all(np.diff(getattr(split, part)) > 0)
    n_train = int((given_parts == "train").sum())
    n_test = 0 if "test" in given_parts else int(np.ceil(n_train * test))
    n_validation = 0 if "validation" in given_parts else int(np.ceil((n_train - n_test) * validation))
    assert len(split.train) == n_train - n_test - n_validation >= 1
    assert len(split.test) == n_test + (given_parts == "test").sum()
    assert len(split.validation) == n_validation + (given_parts == "validation").sum()
    assert list(split.parts()) == [part for part in ("train", "validation", "test") if len(getattr(split, part))]


@settings(max_examples=50, deadline=None)
@given(st.integers(40, 300), st.integers(2, 4), SEEDS)
def test_stratified_parts_keep_the_share_of_each_class(n_rows: int, n_classes: int, seed: int) -> None:
    classes = np.random.default_rng(seed).permutation(np.arange(n_rows) % n_classes)
    split = divide(np.repeat("train", n_rows), classes, seed=seed)
    for part in split.parts().values():
        counts = np.bincount(classes[part], minlength=n_classes)
        assert np.all(np.abs(counts - len(part) / n_classes) < 2)


def test_every_kind_of_split_is_a_line_of_the_table() -> None:
    named = {name for name in get_args(SplitOptions.model_fields["kind"].annotation) if name != "auto"}
    assert set(SPLITS) == named
    assert all(kind.name == name for name, kind in SPLITS.items())
    assert {name for name, kind in SPLITS.items() if kind.uses_column} == {"group", "time", "column", "hash"}
    assert {name for name, kind in SPLITS.items() if kind.has_role} == {"group", "time"}
    assert {name for name, kind in SPLITS.items() if not kind.can_halve_folds} == {"group", "hash"}
    assert {name for name, kind in SPLITS.items() if not kind.folds_can_validate} == {"time", "column"}


@pytest.mark.parametrize(("kind", "files"), RECORDED)
def test_sides_and_folds_are_those_that_were_recorded(kind: str, files: str) -> None:
    """So that a run of an earlier version divides its rows as it did."""
    n_rows, random = 137, np.random.default_rng(7)
    words = np.array(["train", "validation", "test"])
    keys = {
        "random": np.zeros(n_rows, np.int8),
        "stratified": random.integers(0, 3, n_rows),
        "group": random.integers(0, 23, n_rows),
        "time": random.integers(0, 60, n_rows) * 10**9,
        "hash": np.array([hash_place(f"key {n}", 5) for n in random.integers(0, 70, n_rows)]),
        "column": words[random.integers(0, 3, n_rows)],
    }[kind]
    given_parts = np.repeat(["train", "test"], [110, 27]) if files == "test file" else np.repeat("train", n_rows)
    n_folds = None if kind == "column" else 4
    options = SplitOptions(kind=kind, test=0.25, validation=0.2, folds=n_folds)  # type: ignore[arg-type]
    split = make_split(given_parts, keys, options, seed=5)
    digests = [digest(split.train, split.validation, split.test)]
    digests += [digest(fold_numbers(split.train, keys, options, n, seed=5)) for n in (5, 10)]
    folds = []
    if n_folds:
        rows = np.setdiff1d(np.arange(n_rows), split.test)
        folds = make_folds(rows, keys, options, seed=5, test_files=files == "test file")
    arrays = [part for fold in folds for part in (fold.train, fold.validation, fold.test)]
    assert (*digests, digest(*arrays) if arrays else "") == RECORDED[kind, files]


def digest(*arrays: np.ndarray) -> str:
    texts = ["".join((" ".join(map(str, array.tolist())), ";")) for array in arrays]
    return hashlib.sha256("".join(texts).encode()).hexdigest()[:16]


def test_split_is_a_function_of_the_seed() -> None:
    everything = np.repeat("train", 100)
    first = divide(everything, seed=3)
    assert same(first, divide(everything, seed=3))
    assert same(first, divide(everything, seed=8, own_seed=3))
    assert not same(first, divide(everything, seed=4))


def test_largest_seed_splits() -> None:
    everything = np.repeat("train", 20)
    split = divide(everything, seed=2**32 - 1)
    rest, test = train_test_split(np.arange(20), test_size=0.2, random_state=2**32 - 1)
    assert np.array_equal(split.test, np.sort(test))
    assert np.array_equal(split.validation, np.sort(train_test_split(rest, test_size=0.2, random_state=0)[1]))


@pytest.mark.parametrize(("test", "validation"), [(0, 0), (0, 0.2), (0.2, 0)])
def test_share_of_zero_keeps_no_rows(test: float, validation: float) -> None:
    split = divide(np.repeat("train", 50), seed=0, test=test, validation=validation)
    assert [len(split.test) > 0, len(split.validation) > 0] == [test > 0, validation > 0]


def test_given_files_are_their_parts_whatever_the_shares(tmp_path: Path) -> None:
    table = make_table(90)
    pieces = {"train": table[:50], "validation": table[50:60], "test": table[60:]}
    data = {part: [write(piece, tmp_path / f"{part}.csv").name] for part, piece in pieces.items()}
    split = surveyed(config(data, "label", split={"test": 0.5, "validation": 0}), tmp_path)
    assert [part.tolist() for part in (split.train, split.validation, split.test)] == [
        list(range(50)),
        list(range(50, 60)),
        list(range(60, 90)),
    ]


def test_rows_dropped_before_the_split_are_in_no_part(tmp_path: Path) -> None:
    table = make_table(90)
    labels = table["label"].to_pylist()
    gone = [0, 17, 89]
    for row in gone:
        labels[row] = None
    table = table.set_column(table.column_names.index("label"), "label", pa.array(labels))
    options = config(write(table, tmp_path / "t.csv").name, "label", clean={"missing_target": "drop"})
    found = dataset.load_dataset(config_from_mapping(options), AllowedPaths.create(tmp_path))
    split = dataset.split_rows(found)
    kept = found.frame.rows[np.sort(np.concatenate([split.train, split.validation, split.test]))]
    assert kept.tolist() == [row for row in range(90) if row not in gone]
    with pytest.raises(DataError, match="BP260"):
        surveyed(config("t.csv", "label"), tmp_path)


@pytest.mark.parametrize(("targets", "stratified"), [(["label"], True), (["sort"], True), (["amount"], False)])
def test_one_classification_target_is_stratified_by_default(
    tmp_path: Path, targets: list[str], stratified: bool
) -> None:
    table = make_table(100)
    split = surveyed(config(write(table, tmp_path / "t.parquet").name, *targets, seed=11), tmp_path)
    labels = np.array(table[targets[0]].to_pylist()) if stratified else None
    rest, test = train_test_split(np.arange(100), test_size=0.2, random_state=11, stratify=labels)
    assert np.array_equal(split.test, np.sort(test))
    labels = labels[rest] if labels is not None else None
    assert np.array_equal(
        split.validation, np.sort(train_test_split(rest, test_size=0.2, random_state=12, stratify=labels)[1])
    )


def test_several_targets_are_split_at_random(tmp_path: Path) -> None:
    split = surveyed(config(write(make_table(60), tmp_path / "t.csv").name, *TASKS), tmp_path)
    assert np.array_equal(split.test, np.sort(train_test_split(np.arange(60), test_size=0.2, random_state=0)[1]))


def test_california_is_split_as_published() -> None:
    loaded = load_config(ROOT / "configs/california.yaml")
    split = dataset.split_rows(dataset.load_dataset(loaded, AllowedPaths.create(ROOT)))
    rest, test = train_test_split(np.arange(20640), test_size=0.2, random_state=0)
    train, validation = train_test_split(rest, test_size=0.2, random_state=1)
    assert (len(train), len(validation), len(test)) == (13209, 3303, 4128)
    for part, digest in PUBLISHED.items():
        assert hashlib.sha256(" ".join(map(str, getattr(split, part))).encode()).hexdigest() == digest
    assert same(split, Split(np.sort(train), np.sort(validation), np.sort(test)))


def test_another_seed_leaves_the_published_split_alone() -> None:
    roots = AllowedPaths.create(ROOT)
    first, second = (
        dataset.split_rows(
            dataset.load_dataset(load_config(ROOT / "configs/california.yaml", overrides=[f"seed={seed}"]), roots)
        )
        for seed in (0, 7)
    )
    assert same(first, second)


@pytest.mark.parametrize(
    ("labels", "options", "code", "says"),
    [
        (["a"] * 30 + ["b"] * 30 + ["rare"], {}, "BP267", r"the rarest label `rare` has 1 row\(s\)"),
        (["a", "a", "b", "b", "c", "c"], {}, "BP267", "room for each of the 3 labels among the test rows"),
        (["a", "b", "c"] * 6, {"test": 0}, None, ""),
        (["a", "b", "c"] * 4, {"test": 0, "validation": 0.1}, "BP267", "among the validation rows"),
        (
            ["a"] * 3 + ["b"] * 3,
            {"kind": "random", "test": 0.9, "validation": 0},
            "BP266",
            r"6 row\(s\) are too few to keep 0.9 of them as test rows",
        ),
    ],
)
def test_rare_labels_and_short_tables_are_refused_with_a_way_out(
    tmp_path: Path, labels: list[str], options: dict[str, object], code: str | None, says: str
) -> None:
    table = make_table(len(labels)).drop_columns(["sort"]).append_column("sort", pa.array(labels))
    content = config(write(table, tmp_path / "t.csv").name, "sort", split=options)
    if code is None:
        assert len(surveyed(content, tmp_path).validation)
        return
    with pytest.raises(BptrainError, match=f"{code}: .*{says}") as caught:
        surveyed(content, tmp_path)
    assert code in CATALOGUE
    assert all(problem.hints for problem in caught.value.problems)
    with pytest.raises(DataError, match=code):
        dataset.check_split(dataset.load_dataset(config_from_mapping(content), AllowedPaths.create(tmp_path)))


def surveyed(content: dict[str, object], root: Path) -> Split:
    return dataset.split_rows(dataset.load_dataset(config_from_mapping(content), AllowedPaths.create(root)))
