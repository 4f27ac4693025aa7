"""Nothing is learned from rows that are not for training: whatever they hold, the learned bytes stay the same."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tables import LABELS, NUMBERS, TASKS, config, make_table, replaced, write

from bptrain import Run, fit
from bptrain.config.load import config_from_mapping
from bptrain.data.files import AllowedPaths
from bptrain.features import preparer as features_preparer
from bptrain.features.drift import Profile
from bptrain.features.kinds import KINDS
from bptrain.fitting import dataset
from bptrain.fitting.resolve import resolve_from_training_rows
from bptrain.models.predictor import FORMAT
from bptrain.runs.arrays import write_arrays
from bptrain.runs.storage import canonical_json
from bptrain.targets import preparer as targets_preparer

pytestmark = pytest.mark.usefixtures("unexported")

FEATURES = (*NUMBERS, *LABELS)
TABLE = make_table(120)
CELLS: dict[str, st.SearchStrategy[object]] = {
    "size": st.none() | st.floats(-1e30, 1e30),
    "height": st.none() | st.floats(-1e30, 1e30),
    "count": st.none() | st.integers(-(2**62), 2**62),
    "flag": st.none() | st.booleans(),
    "label": st.sampled_from(["yes", "no"]),
    "sort": st.sampled_from(["a", "b", "c"]),
    "amount": st.floats(-1e30, 1e30),
}
TEXT = st.none() | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8)
Change = tuple[str, float, object]  # a column, where among the rows that may change (0 … 1), and the new cell


def changes(*columns: str) -> st.SearchStrategy[list[Change]]:
    """Cells to change, some of them in every row."""
    one = st.sampled_from(columns).flatmap(lambda name: st.tuples(st.just(name), PLACES, CELLS.get(name, TEXT)))
    return st.lists(one, min_size=1, max_size=30)


PLACES = st.floats(0, 1, exclude_max=True)


def changed(table: pa.Table, rows: np.ndarray, cells: list[Change]) -> pa.Table:
    for column, place, value in cells:
        table = replaced(table, column, int(rows[int(place * len(rows))]), value)
    return table


Learned = tuple[bytes, bytes, list[int]]
EVERYTHING: dict[str, object] = {
    "<numeric>": {"clip": "smooth"},
    "size": {"kind": "numeric", "scaling": "quantile", "outliers": "drop", "outlier_limit": 0.05},
    "height": {"kind": "numeric", "scaling": "robust", "outliers": "clip", "outlier_rule": "zscore"},
    "count": {
        "kind": "numeric",
        "scaling": "minmax",
        "missing": "mean",
        "range": [0, None],
        "out_of_range": "drop",
    },
}
CONFIGS = {
    "stratified": config("t.parquet", "label"),
    "random": config("t.parquet", *TASKS),
    "everything": config("t.parquet", *TASKS),
}
CONFIGS["everything"]["columns"] = {**CONFIGS["random"]["columns"], **EVERYTHING}


def learned(content: dict[str, Any], folder: Path) -> Learned:
    """What a fit learns before it trains, as the bytes of preparer.json and preparer.npz, and the training rows."""
    found = dataset.load_dataset(config_from_mapping(content), AllowedPaths.create(folder))
    training = found.frame.take(dataset.split_rows(found).train)
    settled, _ = resolve_from_training_rows(found.config, training)
    kept, _ = features_preparer.rows_to_train(training, settled.columns)
    saved, arrays = features_preparer.save(
        features_preparer.learn(training.take(np.flatnonzero(kept)), settled.columns)
    )
    targets = targets_preparer.save(targets_preparer.learn(training, settled.targets))
    write_arrays(folder / "preparer.npz", arrays)
    features = [name for name, options in settled.columns.items() if options.kind in KINDS]
    before = Profile.learn(training, [*features, *settled.targets]).to_json()
    content = {"format": FORMAT, "columns": saved, "targets": targets, "profile": before}
    preparer = canonical_json(content).encode()
    return preparer, (folder / "preparer.npz").read_bytes(), training.rows.tolist()


def learned_from(table: pa.Table, split: str) -> Learned:
    with tempfile.TemporaryDirectory() as folder:
        write(table, Path(folder, "t.parquet"))
        return learned(CONFIGS[split], Path(folder))


@cache
def learned_from_untouched(split: str) -> Learned:
    return learned_from(TABLE, split)


def held_out(split: str) -> np.ndarray:
    """The validation and test rows."""
    return np.setdiff1d(np.arange(TABLE.num_rows), learned_from_untouched(split)[2])


@settings(max_examples=40, deadline=None)
@given(changes(*FEATURES))
def test_features_of_held_out_rows_teach_nothing_when_the_split_is_stratified(cells: list[Change]) -> None:
    rows = held_out("stratified")
    assert len(rows) == 24 + 20
    assert learned_from(changed(TABLE, rows, cells), "stratified") == learned_from_untouched("stratified")


@settings(max_examples=40, deadline=None)
@given(changes(*FEATURES, *TASKS))
def test_features_and_targets_of_held_out_rows_teach_nothing_when_the_split_is_random(cells: list[Change]) -> None:
    table = changed(TABLE, held_out("random"), cells)
    assert learned_from(table, "random") == learned_from_untouched("random")


@settings(max_examples=40, deadline=None)
@given(changes(*NUMBERS))
def test_held_out_rows_teach_no_bound_and_no_scale(cells: list[Change]) -> None:
    table = changed(TABLE, held_out("everything"), cells)
    assert learned_from(table, "everything") == learned_from_untouched("everything")


@pytest.mark.parametrize("column", NUMBERS)
def test_training_rows_teach_bounds_and_scales(column: str) -> None:
    """So that the test above can fail."""
    table = TABLE
    for row in learned_from_untouched("everything")[2]:
        number = TABLE[column][row].as_py()
        table = replaced(table, column, row, None if number is None else number * 3)
    assert learned_from(table, "everything")[1] != learned_from_untouched("everything")[1]


@pytest.mark.parametrize("column", [*FEATURES, *TASKS])
def test_training_rows_do_teach(column: str) -> None:
    """So that the tests above can fail."""
    rows = learned_from_untouched("random")[2]
    values: dict[str, object] = {"flag": None, "label": "yes", "sort": "a", "count": 1}
    table = TABLE
    for row in rows if column == "flag" else rows[:12]:
        table = replaced(table, column, row, values.get(column, 0.5 if column in CELLS else "new"))
    assert learned_from(table, "random")[:2] != learned_from_untouched("random")[:2]


@settings(max_examples=25, deadline=None)
@given(changes(*FEATURES, *TASKS), st.permutations(["validation", "test"]))
def test_given_validation_and_test_files_teach_nothing(cells: list[Change], order: list[str]) -> None:
    table = changed(TABLE, np.arange(80, 120), cells)

    def learn(rest: pa.Table, parts: list[str]) -> Learned:
        with tempfile.TemporaryDirectory() as folder:
            pieces = {"train": TABLE[:80], parts[0]: rest[80:95], parts[1]: rest[95:]}
            data = {part: write(piece, Path(folder, f"{part}.parquet")).name for part, piece in pieces.items()}
            return learned(config(data, "label"), Path(folder))

    assert learn(table, order) == learn(TABLE, ["validation", "test"])


FIXED = {
    "training": {"epochs": 2, "batch_size": 32, "patience": None, "restore_best": False},
    "evaluation": {"primary": "log_loss"},  # for which validation rows choose no threshold, and for mlp no temperature
}
LEARNED = ("model/preparer.json", "model/preparer.npz", "model/network.json", "model/members/00/weights.npz")


@pytest.fixture(scope="module")
def trained(backend: None, tmp_path_factory: pytest.TempPathFactory) -> Callable[[pa.Table], Run]:
    def train(table: pa.Table) -> Run:
        folder = tmp_path_factory.mktemp("leakage")
        write(table, folder / "t.parquet")
        return fit(config("t.parquet", *TASKS, **FIXED), run=folder / "run", root=folder)

    return train


@pytest.fixture(scope="module")
def untouched(trained: Callable[[pa.Table], Run]) -> Run:
    return trained(TABLE)


def learned_files(run: Run) -> dict[str, bytes]:
    return {name: run.files.read_bytes(name) for name in LEARNED}


@settings(max_examples=4, deadline=None)
@given(changes(*FEATURES, *TASKS))
def test_held_out_rows_change_no_byte_of_a_fitted_model(
    trained: Callable[[pa.Table], Run], untouched: Run, cells: list[Change]
) -> None:
    run = trained(changed(TABLE, held_out("random"), cells))
    assert learned_files(run) == learned_files(untouched)
    assert run.lock["results"]["weights"] == untouched.lock["results"]["weights"]


def test_the_learned_state_is_what_a_run_holds(untouched: Run) -> None:
    preparer, arrays, _ = learned_from_untouched("random")
    assert untouched.files.read_bytes("model/preparer.json") == preparer
    assert untouched.files.read_bytes("model/preparer.npz") == arrays


def test_one_training_cell_changes_the_model(trained: Callable[[pa.Table], Run], untouched: Run) -> None:
    row = learned_from_untouched("random")[2][0]
    other = learned_files(trained(replaced(TABLE, "height", row, 1e6 + 50)))
    kept = learned_files(untouched)
    assert other["model/preparer.npz"] != kept["model/preparer.npz"]
    assert other["model/members/00/weights.npz"] != kept["model/members/00/weights.npz"]
    states = [json.loads(files["model/preparer.json"]) for files in (other, kept)]
    for state in states:
        del state["profile"]["shares"]["height"]
    assert states[0] == states[1]


def test_validation_rows_choose_the_epoch_only_when_they_may(untouched: Run) -> None:
    """With `restore_best: false` and no patience the last epoch is kept, whatever the validation rows say."""
    assert untouched.metrics["training"] == {
        "networks": [{"epochs": 2, "best_epoch": 2, "stopped_by": "epochs"}],
        "final": "best",
    }
