"""Prepared rows in a file: the order in which they are read, and that nothing else differs from rows in memory."""

from __future__ import annotations

import hashlib
import itertools
import json
from contextlib import chdir
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tables import config, make_table, write

from bptrain import fit
from bptrain.config.load import config_from_mapping
from bptrain.data import load as loading
from bptrain.data import memory
from bptrain.errors import StorageError
from bptrain.fitting import fit_model as trial
from bptrain.fitting import resolve
from bptrain.runs import platform
from bptrain.targets.regression.options import RegressionOptions
from bptrain.training import dataset as batches
from bptrain.training.dataset import ArrayDataset, EpochPlan, blocks, shuffle_buffers
from bptrain.workflows.run import Run


def documented_order(seed: int, epoch: int, n_rows: int, chunk: int, window: int) -> list[int]:
    """The order as `windows` documents it, in plain words."""

    def generator(*names: str | int) -> np.random.Generator:
        digest = hashlib.sha256("\0".join(map(str, names)).encode()).digest()[:16]
        words = np.frombuffer(digest, "<u4").tolist()
        return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, *words])))

    chunks = [list(range(first, min(first + chunk, n_rows))) for first in range(0, n_rows, chunk)]
    shuffled = [chunks[number] for number in generator("chunks", epoch).permutation(len(chunks))]
    order = []
    for number, first in enumerate(range(0, len(shuffled), window // chunk)):
        rows = [row for each in shuffled[first : first + window // chunk] for row in each]
        order += [rows[place] for place in generator("order", epoch, number).permutation(len(rows))]
    return order


@pytest.mark.parametrize(("n_rows", "window"), [(1, 4), (4, 4), (23, 8), (64, 16)])
def test_order_is_the_documented_function(n_rows: int, window: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "CHUNK_ROWS", 4)
    for seed, epoch in itertools.product((0, 7), (0, 1, 199)):
        made = np.concatenate(list(shuffle_buffers(seed, epoch, n_rows, window)))
        assert made.tolist() == documented_order(seed, epoch, n_rows, 4, window)


def test_every_epoch_has_an_order_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "CHUNK_ROWS", 4)
    orders = {tuple(np.concatenate(list(shuffle_buffers(0, epoch, 50, 16))).tolist()) for epoch in range(40)}
    assert len(orders) == 40
    assert all(sorted(order) == list(range(50)) for order in orders)


@settings(deadline=None, max_examples=100)
@given(st.integers(1, 60), st.integers(1, 50), st.integers(1, 8), st.integers(1, 6))
def test_blocks_hold_the_windows_one_after_the_other(n_rows: int, batch_size: int, most: int, together: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batches, "CHUNK_ROWS", 4)
        sizes = EpochPlan.of(n_rows, batch_size, most_steps=most)
        made = blocks(sizes, seed=3, shuffle_buffer_rows=4 * together)
        for epoch in range(3):
            part = list(itertools.islice(made, sizes.n_blocks))
            rows = np.concatenate([block[:steps].ravel() for block, (steps,) in part])
            np.testing.assert_array_equal(rows, np.concatenate(list(shuffle_buffers(3, epoch, n_rows, 4 * together))))


def test_blocks_and_windows_of_rows_in_a_file_are_bounded_by_bytes() -> None:
    rows = ArrayDataset(
        {"x": np.zeros((40_000, 100), np.float32)}, {"y": np.zeros((40_000, 1), np.float32)}, streamed=True
    )
    assert rows.row_bytes == 404
    assert rows.shuffle_buffer_rows == 20 * 2**13
    assert rows.shuffle_buffer_rows * rows.row_bytes <= 2**26
    assert rows.most_steps(1000, 10**9) == 2**26 // 404_000
    assert rows.most_steps(1000, 3) == 3
    assert ArrayDataset(rows.inputs, rows.truths).shuffle_buffer_rows is None


@pytest.mark.parametrize("shape", [(0, 3), (5, 2), (2**18, 3)])
def test_room_in_memory_and_in_files_holds_what_is_written(shape: tuple[int, ...], tmp_path: Path) -> None:
    array = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    for allocate in (memory.in_memory, memory.memory_mapped(tmp_path)):
        made = memory.copy_into(array, allocate)
        np.testing.assert_array_equal(made, array)
        assert made.dtype == array.dtype
        assert made.ctypes.data % memory.ALIGNMENT == 0 or array.nbytes < memory.LARGE_BYTES
    assert not list(tmp_path.iterdir())


def test_a_full_disk_ends_with_what_is_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int, n_bytes: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(platform, "reserve", full)
    with pytest.raises(StorageError, match="BP740"):
        memory.memory_mapped(tmp_path)((2**20,), "f8")


@pytest.mark.parametrize(("limit", "expected"), [(1, "stream"), (2, "memory")])
def test_auto_streams_what_the_limit_does_not_hold(limit: int, expected: str) -> None:
    settled = config_from_mapping(config({"train": "t.csv", "memory_limit": limit}, "amount"))
    settled = settled.model_copy(update={"targets": {"amount": RegressionOptions()}})

    def residence(n_rows: int) -> str:
        known = {"n_features": 1, "row_bytes": 8, "folds": False, "has_validation": True}
        sizes = resolve.Sizes(n_rows=n_rows, n_train=n_rows, **known)
        return resolve.resolve_sizes(settled, settled.targets, sizes).residence

    assert residence(2**20 // 8 + 1) == expected
    assert residence(2**20 // 8) == "memory"


@pytest.fixture(scope="module")
def runs(backend: None, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    """The same training in memory and streamed, of a table read in chunks, and both again with one row order."""
    folder = tmp_path_factory.mktemp("runs")
    write(make_table(500), folder / "t.csv")
    options: dict[str, Any] = {"epochs": 3, "batch_size": 16, "optimizer": {"kind": "adam", "learning_rate": 0.01}}
    made = {}
    with chdir(folder), pytest.MonkeyPatch.context() as patch:
        patch.setattr(loading, "MAPPED_BYTES", 1000)
        patch.setattr(loading, "CHUNK_ROWS", 64)
        patch.setattr(memory, "LARGE_BYTES", 64)
        patch.setattr(batches, "CHUNK_ROWS", 32)
        patch.setattr(batches, "BUFFER_BYTES", 4000)
        for name in ("memory", "stream", "again"):
            residence = "stream" if name == "again" else name
            made[name] = fit(
                config({"train": "t.csv", "residence": residence}, "label", "amount", training=options),
                run=folder / name,
            )
    return made


def test_streamed_training_is_repeated_to_the_byte(runs: dict[str, Run]) -> None:
    for name in ("history.csv", "predictions.parquet", "metrics.json", "model/members/00/weights.npz"):
        assert (runs["stream"].path / name).read_bytes() == (runs["again"].path / name).read_bytes(), name


def test_streamed_rows_are_the_rows_in_memory(runs: dict[str, Run]) -> None:
    for name in ("model/preparer.json", "model/preparer.npz", "cleaning.json"):
        assert (runs["stream"].path / name).read_bytes() == (runs["memory"].path / name).read_bytes(), name


def test_streamed_training_learns_as_well_in_another_order(runs: dict[str, Run]) -> None:
    losses = [
        [float(line.split(",")[2]) for line in (runs[name].path / "history.csv").read_text().splitlines()[1:]]
        for name in ("memory", "stream")
    ]
    assert losses[0] != losses[1]
    assert losses[0] == pytest.approx(losses[1], rel=0.05)


def test_run_says_how_its_rows_lay_and_evaluates_to_the_same(runs: dict[str, Run]) -> None:
    assert "residence: stream" in (runs["stream"].path / "config.yaml").read_text()
    assert {path.name for path in runs["stream"].path.iterdir()} == {
        path.name for path in runs["memory"].path.iterdir()
    }
    with chdir(runs["stream"].path.parent):
        judged = runs["stream"].evaluate()
    assert json.dumps(judged.targets, sort_keys=True) == json.dumps(runs["stream"].metrics["targets"], sort_keys=True)


def test_predictions_in_parts_are_those_of_the_whole(
    runs: dict[str, Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the rows of a whole part are left out, here copies of one row."""
    table = make_table(60)
    rows = [*range(30), *[0] * 40, *range(30, 60)]
    monkeypatch.chdir(runs["memory"].path.parent)
    write(table.take(pa.array(rows)), Path("gap.csv"))
    given = config("gap.csv", "label", "amount", clean={"duplicates": "drop"})
    whole = fit(given, run=tmp_path / "whole")
    monkeypatch.setattr(trial, "PREDICTED_ROWS", 8)
    parts = fit(given, run=tmp_path / "parts")
    found = [pq.read_table(run.path / "predictions.parquet") for run in (whole, parts)]
    assert found[0].num_rows == 60
    assert found[0].equals(found[1])
    assert whole.metrics == parts.metrics
