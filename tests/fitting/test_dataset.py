"""Splits by group, time, column and hash, and folds: what they promise, whatever the table."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn import model_selection as sk
from tables import write

from bptrain.config.load import config_from_mapping
from bptrain.data.files import AllowedPaths
from bptrain.data.options import SplitOptions
from bptrain.data.splits import Split, hash_place, make_folds, make_split, uneven_parts
from bptrain.errors import DataError, UsageError
from bptrain.fitting import dataset
from bptrain.fitting.resolve import resolve_from_training_rows

SEEDS = st.integers(0, 2**32 - 2)
SHARES = st.sampled_from([0.0, 0.1, 0.2, 0.34, 0.5])
NUMBERS = st.lists(st.integers(0, 12), min_size=1, max_size=80).map(np.array)


def split(by: np.ndarray, kind: str, *, seed: int = 0, given: np.ndarray | None = None, **options: Any) -> Split:
    given = np.full(len(by), "train") if given is None else given
    return make_split(given, by, SplitOptions(kind=kind, **options), seed=seed)  # type: ignore[arg-type]


def complete(made: Split, n_rows: int) -> bool:
    rows = np.concatenate([made.train, made.validation, made.test])
    return sorted(rows.tolist()) == list(range(n_rows)) and len(made.train) > 0


# Group


@settings(max_examples=200, deadline=None)
@given(NUMBERS, SHARES, SHARES, SEEDS)
def test_groups_are_never_shared(groups: np.ndarray, test: float, validation: float, seed: int) -> None:
    try:
        made = split(groups, "group", seed=seed, test=test, validation=validation)
    except DataError as error:
        assert error.problems[0].code == "BP275"
        assert len(np.unique(groups)) <= 3
        return
    assert complete(made, len(groups))
    parts = [set(groups[rows].tolist()) for rows in made.parts().values()]
    assert sum(map(len, parts)) == len(set().union(*parts))
    assert (len(made.test) > 0, len(made.validation) > 0) == (test > 0, validation > 0)


def test_parts_far_from_their_share_are_told() -> None:
    groups = np.repeat(np.arange(21), [900, *[5] * 20])
    given = np.full(len(groups), "train")
    options = SplitOptions(kind="group", test=0.2, validation=0.2)
    made = make_split(given, groups, options, seed=1)
    told = uneven_parts(made, given, options)
    assert [problem.message.split(",")[0] for problem in told] == [
        f"{len(made.test)} of 1000 rows are test rows",
        f"{len(made.validation)} of {1000 - len(made.test)} rows are validation rows",
    ]
    even = np.repeat(np.arange(50), 20)
    assert not uneven_parts(make_split(given, even, options, seed=1), given, options)
    files = np.where(np.arange(1000) < 30, "test", "train")
    made = make_split(files, groups, options, seed=1)
    told = uneven_parts(made, files, options)
    assert [problem.message.split(" rows")[0] for problem in told] == [f"{len(made.validation)} of 970"]


def test_groups_are_those_that_scikit_learn_takes() -> None:
    groups = np.random.default_rng(0).integers(0, 40, 300)
    kept, taken = next(sk.GroupShuffleSplit(1, test_size=0.2, random_state=5).split(groups, groups=groups))
    made = split(groups, "group", seed=5, validation=0)
    np.testing.assert_array_equal(made.test, taken)
    np.testing.assert_array_equal(made.train, kept)


# Time


@settings(max_examples=300, deadline=None)
@given(NUMBERS, SHARES, SHARES)
def test_training_is_always_before_validation_before_test(times: np.ndarray, test: float, validation: float) -> None:
    try:
        made = split(times, "time", test=test, validation=validation)
    except DataError as error:
        assert error.problems[0].code == "BP275"
        assert len(np.unique(times)) < 1 + (test > 0) + (validation > 0)
        return
    assert complete(made, len(times))
    parts = list(made.parts().values())
    for earlier, later in zip(parts, parts[1:], strict=False):
        assert times[earlier].max() < times[later].min()
    assert (len(made.test) > 0, len(made.validation) > 0) == (test > 0, validation > 0)


def test_shares_of_time_are_met_where_instants_allow() -> None:
    made = split(np.random.default_rng(0).permutation(1000).astype(float), "time", test=0.2, validation=0.25)
    assert [len(rows) for rows in made.parts().values()] == [600, 200, 200]
    tied = split(np.repeat([1.0, 2.0, 3.0], [700, 290, 10]), "time", test=0.2, validation=0)
    assert [len(rows) for rows in tied.parts().values()] == [700, 300]


# Hash


def test_place_is_the_documented_function() -> None:
    digest = hashlib.blake2b(b"7\0customer-1", digest_size=8).digest()
    assert hash_place("customer-1", 7) == (int.from_bytes(digest, "big") >> 11) / 2**53
    places = [hash_place(str(number), 0) for number in range(20_000)]
    assert 0 <= min(places) < max(places) < 1
    np.testing.assert_allclose(np.histogram(places, bins=10, range=(0, 1))[0] / 2000, 1, atol=0.1)


KEYS = st.lists(st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=6), min_size=1, max_size=60)


def parts_by_key(keys: list[str], folder: Path, ending: str, seed: int) -> dict[str, str]:
    """The part of each key when rows are divided by it, read from a file."""
    table = pa.table(
        {
            "key": pa.array(keys),
            "x": pa.array(np.arange(len(keys)) * 1.5),
            "y": pa.array(np.arange(len(keys)) % 7 * 1.0),
        }
    )
    write(table, folder / f"t{ending}")
    content = {
        "data": f"t{ending}",
        "target": {"column": "y", "task": "regression"},
        "columns": {"key": "ignore"},
        "model": "fast",  # one network, however many keys there are: folds would take the place of validation rows
    }
    made = dataset.load_dataset(
        config_from_mapping({**content, "split": {"kind": "hash", "column": "key", "test": 0.3}, "seed": seed}),
        AllowedPaths.create(folder),
    )
    parts: dict[str, str] = {}
    for name, rows in dataset.split_rows(made).parts().items():
        for row in rows:
            assert parts.setdefault(keys[int(made.frame.rows[row])], name) == name
    return parts


@settings(max_examples=60, deadline=None)
@given(KEYS, KEYS, SEEDS, st.randoms())
def test_rows_never_move_when_rows_are_added(keys: list[str], more: list[str], seed: int, random: Any) -> None:
    """Nor when they are shuffled, or come from another format."""
    grown = [*keys, *more]
    random.shuffle(grown)
    assume(len(set(keys)) > 1)
    with tempfile.TemporaryDirectory() as folder:
        try:
            before = parts_by_key(keys, Path(folder), ".csv", seed)
            after = parts_by_key(grown, Path(folder), ".parquet", seed)
        except DataError as error:
            assert error.problems[0].code in ("BP276", "BP263", "BP261")
            return
    assert {key: after[key] for key in before} == before


# Column


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(["train", "validation", "test"]), min_size=1, max_size=30).map(np.array))
def test_column_says_the_part(cells: np.ndarray) -> None:
    if "train" not in cells:
        with pytest.raises(DataError, match="BP276"):
            split(cells, "column")
        return
    made = split(cells, "column")
    for name in ("train", "validation", "test"):
        np.testing.assert_array_equal(getattr(made, name), np.flatnonzero(cells == name))


# From the config


def fit_free(folder: Path, table: dict[str, Any], **sections: Any) -> dataset.Dataset:
    write(pa.table(table), folder / "t.csv")
    content = {"data": "t.csv", "target": {"column": "y", "task": "regression"}, **sections}
    return dataset.load_dataset(config_from_mapping(content), AllowedPaths.create(folder))


N = 60
TABLE = {
    "x": np.arange(N) * 0.37 % 1,
    "y": np.arange(N) * 0.61 % 1,
    "who": [f"w{i % 9}" for i in range(N)],
    "when": [f"2024-{1 + i % 12:02d}-{1 + i % 28:02d}" for i in range(N)],
    "part": [["TRAIN", "val", "Test", "training", "dev"][i % 5] for i in range(N)],
    "number": [i % 13 for i in range(N)],
}


def test_roles_choose_the_split(tmp_path: Path) -> None:
    group = fit_free(tmp_path, TABLE, columns={"who": "group"})
    assert (group.config.split.kind, group.config.split.column) == ("group", "who")
    parts = dataset.split_rows(group).parts()
    names = {name: {TABLE["who"][row] for row in rows} for name, rows in parts.items()}
    assert not names["train"] & names["test"]
    time = fit_free(tmp_path, TABLE, columns={"when": "time"})
    rows = dataset.split_rows(time)
    assert time.config.split.kind == "time"
    assert max(TABLE["when"][row] for row in rows.train) < min(TABLE["when"][row] for row in rows.test)
    with pytest.raises(UsageError, match="BP161"):
        fit_free(tmp_path, TABLE, columns={"when": "time", "who": "group"})


@pytest.mark.parametrize(("column", "format"), [("when", None), ("number", None), ("us", "%m/%d/%Y")])
def test_time_is_read_from_dates_and_numbers(tmp_path: Path, column: str, format: str | None) -> None:
    table = {**TABLE, "us": [f"{cell[5:7]}/{cell[8:]}/{cell[:4]}" for cell in TABLE["when"]]}
    columns = {"us": {"kind": "date", "format": format}} if format else {}
    found = fit_free(tmp_path, table, split={"kind": "time", "column": column}, columns=columns)
    made = dataset.split_rows(found)
    order = [TABLE["when"][row] if column != "number" else TABLE["number"][row] for row in range(N)]
    assert max(order[row] for row in made.train) < min(order[row] for row in made.validation)
    assert max(order[row] for row in made.validation) < min(order[row] for row in made.test)


def test_column_of_words_divides_and_is_no_feature(tmp_path: Path) -> None:
    found = fit_free(tmp_path, TABLE, split={"kind": "column", "column": "part"})
    made = dataset.split_rows(found)
    assert [len(made.train), len(made.validation), len(made.test)] == [24, 24, 12]
    settled, _ = resolve_from_training_rows(found.config, found.frame.take(made.train))
    assert settled.columns["part"].kind == "ignore"


@pytest.mark.parametrize(
    ("sections", "error", "said"),
    [
        ({"split": "group"}, UsageError, "BP164.*column: NAME"),
        ({"split": {"kind": "time", "column": "wehn"}}, UsageError, "BP163.*did you mean `when`"),
        ({"split": {"kind": "column", "column": "part", "folds": 3}}, UsageError, "BP162"),
        ({"columns": {"who": "group", "part": "group"}, "split": "group"}, UsageError, "BP164.*several columns"),
        ({"split": {"kind": "column", "column": "who"}}, DataError, "BP278.*`w0`"),
        ({"split": {"kind": "time", "column": "who"}}, DataError, "BP274.*'w0' .row 2"),
        ({"split": {"kind": "group", "column": "same"}}, DataError, "BP275.*groups"),
        ({"split": {"kind": "hash", "column": "gaps"}}, DataError, "BP273.*1 of 60"),
        ({"split": {"kind": "group", "column": "who", "folds": 12}}, DataError, "BP277"),
        ({"split": {"kind": "time", "column": "when", "folds": 70}}, DataError, "BP277"),
    ],
)
def test_split_that_cannot_be_made_is_refused(tmp_path: Path, sections: Any, error: type[Exception], said: str) -> None:
    table = {**TABLE, "same": ["a"] * N, "gaps": [None, *"b" * (N - 1)]}
    with pytest.raises(error, match=said):
        found = fit_free(tmp_path, table, **sections)
        dataset.check_split(found)
        dataset.split_folds(found) if found.config.split.folds else dataset.split_rows(found)


# Folds


def folds(by: np.ndarray, kind: str, k: int, n_rows: int, **options: Any) -> list[Split]:
    return make_folds(np.arange(n_rows), by, SplitOptions(kind=kind, folds=k, **options), seed=3)  # type: ignore[arg-type]


@settings(max_examples=120, deadline=None)
@given(st.sampled_from(["random", "stratified", "group", "time", "hash"]), NUMBERS, st.integers(2, 5), SHARES)
def test_folds_are_disjoint_complete_and_keep_their_promise(
    kind: str, by: np.ndarray, k: int, validation: float
) -> None:
    values = np.array([hash_place(str(i), 0) for i in range(len(by))]) if kind == "hash" else by
    if kind == "stratified":
        values = by % 2
    try:
        made = folds(values, kind, k, len(by), validation=validation, test=0.0)
    except DataError as error:
        assert error.problems[0].code in ("BP277", "BP275", "BP266", "BP267", "BP276")
        return
    assert len(made) == k
    judged = np.concatenate([each.test for each in made])
    assert len(np.unique(judged)) == len(judged)
    assert kind == "time" or len(judged) == len(by)
    for each in made:
        beside = np.concatenate([each.train, each.validation])
        assert not set(beside) & set(each.test)
        assert kind == "time" or len(beside) + len(each.test) == len(by)
        if kind == "group":
            assert not set(by[beside]) & set(by[each.test])
            assert not set(by[each.train]) & set(by[each.validation])
        if kind == "time":
            assert by[beside].max() < by[each.test].min()
            assert not len(each.validation) or by[each.train].max() < by[each.validation].min()


def test_folds_are_those_of_scikit_learn() -> None:
    classes = np.random.default_rng(0).integers(0, 3, 90)
    made = folds(classes, "stratified", 5, 90)
    expected = sk.StratifiedKFold(5, shuffle=True, random_state=3).split(classes, classes)
    for each, (_, fold) in zip(made, expected, strict=True):
        np.testing.assert_array_equal(each.test, fold)


def test_folds_leave_the_test_rows_alone(tmp_path: Path) -> None:
    found = fit_free(tmp_path, TABLE, split={"kind": "random", "folds": 4})
    test = dataset.split_rows(found).test
    made = dataset.split_folds(found)
    assert len(made) == 4
    assert sorted(np.concatenate([each.test for each in made]).tolist()) == sorted(set(range(N)) - set(test.tolist()))
    assert all(not set(test) & set(np.concatenate([each.train, each.validation])) for each in made)


# What must not be lost between config, files and parts


def test_role_given_by_pattern_divides_the_rows(tmp_path: Path) -> None:
    found = fit_free(tmp_path, TABLE, columns={"wh?": "group"})
    assert (found.config.split.kind, found.config.split.column) == ("group", "who")


def test_rows_that_say_test_never_train_also_beside_a_test_file(tmp_path: Path) -> None:
    write(pa.table({name: cells[:20] for name, cells in TABLE.items()}), tmp_path / "h.csv")
    data = {"train": "t.csv", "test": "h.csv"}
    found = fit_free(tmp_path, TABLE, data=data, split={"kind": "column", "column": "part"})
    train = dataset.split_rows(found).train
    assert {TABLE["part"][row] for row in found.frame.rows[train]} == {"TRAIN", "training"}


def test_hash_uses_all_places_beside_a_test_file(tmp_path: Path) -> None:
    table = {**TABLE, "id": [f"i{i}" for i in range(N)]}
    write(pa.table(table), tmp_path / "h.csv")
    data = {"train": "t.csv", "test": "h.csv"}
    found = fit_free(tmp_path, table, data=data, split={"kind": "hash", "column": "id", "folds": 3, "validation": 0.5})
    made = dataset.split_folds(found)
    assert sorted(np.concatenate([each.test for each in made]).tolist()) == list(range(N))
    assert 20 <= len(dataset.split_rows(found).validation) <= 40


def test_gate_on_a_part_that_no_cell_names_is_refused_before_training(tmp_path: Path) -> None:
    table = {**TABLE, "part": ["train", "val"] * (N // 2)}
    found = fit_free(tmp_path, table, split={"kind": "column", "column": "part"}, evaluation={"gates": ["r2 > 0"]})
    with pytest.raises(UsageError, match="BP302"):
        dataset.split_rows(found)


def test_column_that_nothing_looks_at_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="BP165.*kind: group"):
        fit_free(tmp_path, TABLE, split={"column": "who"})


@pytest.mark.parametrize(("kind", "column"), [("random", None), ("group", "who"), ("time", "number")])
def test_too_many_folds_are_refused_without_training(tmp_path: Path, kind: str, column: str | None) -> None:
    found = fit_free(tmp_path, TABLE, split={"kind": kind, "column": column, "folds": 100})
    with pytest.raises(DataError, match="BP277.*there are"):
        dataset.check_split(found)
