"""A training that was interrupted and goes on ends as one that was not: the same weights, history and digests."""

from __future__ import annotations

import dataclasses
import itertools
import math
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gradients import Subject, subject_of
from networks import mlp
from one_training import train

from bptrain.features.numeric.options import NumericOptions
from bptrain.models.build import weights_of
from bptrain.runs.arrays import arrays_digest
from bptrain.runs.checkpoints import Checkpoints
from bptrain.targets.classification.options import BinaryOptions
from bptrain.training import callbacks
from bptrain.training import trainer as train_module
from bptrain.training.callbacks import Saving, TimeLimit
from bptrain.training.dataset import ArrayDataset, EpochPlan, blocks
from bptrain.training.options import AdamOptions, CheckpointOptions, PlateauSchedule, SgdOptions, TrainingOptions
from bptrain.training.state import EarlyStoppingState, PlateauState, TrainResult, TrainState
from bptrain.training.trainer import Hooks

pytestmark = pytest.mark.usefixtures("backend")

N_ROWS = 70
OPTIONS = TrainingOptions(optimizer=AdamOptions(learning_rate=0.01), batch_size=8, epochs=6, patience=3, engine="plain")


def subject() -> tuple[Subject, ArrayDataset]:
    """A network with everything that has a state, and validation rows."""
    rng = np.random.default_rng(3)
    cells = {"x": rng.normal(size=N_ROWS).tolist(), "z": rng.normal(size=N_ROWS).tolist()}
    cells["y"] = [int(value > 0) for value in rng.normal(size=N_ROWS)]
    columns = {"x": NumericOptions(), "z": NumericOptions()}
    model = mlp(hidden=(8, 8), dropout=0.2, normalization="batch")
    made = subject_of(cells, model, columns, {"y": BinaryOptions()}, seed=1)
    some = {name: array[:20] for name, array in made.examples.inputs.items()}
    return made, ArrayDataset(some, {name: array[:20] for name, array in made.examples.truths.items()})


def run(
    folder: Path | None = None, options: TrainingOptions = OPTIONS, *, validated: bool = True, ended: bool = False
) -> tuple[TrainResult, str]:
    """How a training went, and the digest of its weights."""
    made, validation = subject()
    saving = None if folder is None else Saving(Checkpoints(folder), ended=ended)
    trained = train(
        made.network,
        made.examples,
        validation if validated else None,
        made.losses,
        options,
        seed=5,
        hooks=Hooks(lambda outputs: {"mean": float(np.mean(next(iter(outputs.values()))))}),
        saving=saving,
    )
    return dataclasses.replace(trained, seconds=[]), arrays_digest(weights_of(made.network))


class Killed(BaseException):
    """Stands for the end of the process."""


@pytest.fixture
def short_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of 3 steps: an epoch has three, and one of the 6 rows that are left."""
    monkeypatch.setattr(train_module, "most_steps", lambda *_: 3)
    monkeypatch.setattr(callbacks, "SAVING_SHARE", math.inf)


def killed_after(monkeypatch: pytest.MonkeyPatch, n_saved: int) -> None:
    """Let the process end right after so many checkpoints."""
    save, left = Checkpoints.save, itertools.count(n_saved - 1, -1)

    def save_and_die(self: Checkpoints, *arguments: Any) -> None:
        save(self, *arguments)
        if next(left) <= 0:
            raise Killed

    monkeypatch.setattr(Checkpoints, "save", save_and_die)


ALWAYS = {"checkpoints": CheckpointOptions(minutes=0)}
CASES: dict[str, dict[str, Any]] = {
    "adam": {},
    "sgd with momentum": {"optimizer": SgdOptions(momentum=0.9, learning_rate=0.1)},
    "plateau": {"schedule": PlateauSchedule(patience=1)},
    "warmup and cosine": {"warmup": 1.0, "schedule": {"kind": "cosine"}},
    "compiled": {"engine": "compiled", "epochs": 3},
    "last weights": {"restore_best": False, "patience": None},
}


@pytest.mark.parametrize("case", CASES)
def test_goes_on_from_every_checkpoint(
    case: str, short_blocks: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Checkpoints stand after every block but an epoch's last, and after every epoch.

    One training is killed after its first checkpoint, in the middle and at the end of an epoch, and at its own end.
    """
    options = TrainingOptions.model_validate(OPTIONS.model_dump() | ALWAYS | CASES[case])
    expected = run(options=options)
    n_checkpoints = 4 * len(expected[0].history)
    assert len(expected[0].history) >= 3
    after = (3, n_checkpoints) if case == "compiled" else (1, 3, 4, 6, n_checkpoints)
    for before, number in itertools.pairwise((0, *after)):
        with monkeypatch.context() as patch, pytest.raises(Killed):
            killed_after(patch, number - before)
            run(tmp_path, options)
    assert run(tmp_path, options) == expected


def test_killed_after_every_single_checkpoint(
    short_blocks: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = OPTIONS.model_copy(update={**ALWAYS, "epochs": 2})
    expected, times = run(options=options), 0
    while True:
        with monkeypatch.context() as patch:
            killed_after(patch, 1)
            try:
                found = run(tmp_path, options)
                break
            except Killed:
                times += 1
    assert (found, times) == (expected, 8)


def test_time_before_an_interruption_counts(
    short_blocks: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a clock that only goes on, by 100 seconds, when a training looks whether its time is up."""
    options, now = OPTIONS.model_copy(update={**ALWAYS, "epochs": 2}), [0]
    is_up = TimeLimit.is_up

    def up(self: TimeLimit) -> bool:
        now[0] += 100
        return bool(is_up(self))

    def seconds_of(folder: Path) -> list[float]:
        made, validation = subject()
        saving = Saving(Checkpoints(folder))
        return train(made.network, made.examples, validation, made.losses, options, seed=5, saving=saving).seconds

    monkeypatch.setattr(TimeLimit, "is_up", up)
    monkeypatch.setattr(callbacks.time, "monotonic", lambda: now[0])
    expected = seconds_of(tmp_path / "whole")
    with monkeypatch.context() as patch, pytest.raises(Killed):
        killed_after(patch, 6)
        seconds_of(tmp_path / "killed")
    assert seconds_of(tmp_path / "killed") == expected


def test_a_share_of_minutes_is_the_same_after_an_interruption(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first epoch of each process takes four minutes and others one: of 20, twelve are left for three trainings."""
    options = OPTIONS.model_copy(
        update={**ALWAYS, "batch_size": "all", "epochs": 20, "patience": None, "minutes": 20.0}
    )
    now, slow = [0], [True]
    monkeypatch.setattr(callbacks.time, "monotonic", lambda: now[0])

    def score(outputs: Any) -> dict[str, float]:
        now[0] += 240 if slow.pop() else 60
        slow.append(False)
        return {}

    def seconds() -> list[float]:
        slow[0] = True
        made, validation = subject()
        saving = Saving(Checkpoints(tmp_path))
        return train(
            made.network,
            made.examples,
            validation,
            made.losses,
            options,
            seed=5,
            hooks=Hooks(score),
            saving=saving,
            sharing=3,
        ).seconds

    with monkeypatch.context() as patch, pytest.raises(Killed):
        killed_after(patch, 1)
        seconds()
    assert seconds() == [240, 240, 60, 60, 60, 60]


def test_result_of_a_training_that_ended_is_kept(tmp_path: Path) -> None:
    options = OPTIONS.model_copy(update={"checkpoints": CheckpointOptions(minutes=None)})
    expected = run(tmp_path / "none", options)
    assert not (tmp_path / "none").exists()
    assert run(tmp_path / "some", options, ended=True) == expected
    told: list[int] = []
    made, validation = subject()
    hooks = Hooks(on_epoch=lambda row: told.append(-1), on_resume=lambda history: told.append(len(history)))
    saving = Saving(Checkpoints(tmp_path / "some"), ended=True)
    again = train(made.network, made.examples, validation, made.losses, options, seed=5, hooks=hooks, saving=saving)
    assert told == [len(expected[0].history)]
    assert (dataclasses.replace(again, seconds=[]), arrays_digest(weights_of(made.network))) == expected


def test_divergence_survives_an_interruption(
    short_blocks: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = OPTIONS.model_copy(update={**ALWAYS, "optimizer": SgdOptions(learning_rate=1e12)})
    options = options.model_copy(update={"batch_size": 64, "patience": None, "epochs": 40})
    expected = run(options=options, validated=False)
    assert expected[0].stopped_by == "diverged"
    with monkeypatch.context() as patch, pytest.raises(Killed):
        killed_after(patch, 1)
        run(tmp_path, options, validated=False)
    assert run(tmp_path, options, validated=False) == expected


@pytest.mark.parametrize("after", [1, 2, 3, 4, 7])
def test_signal_saves_at_the_end_of_the_block(
    after: int, short_blocks: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when neither time nor epochs ask for a checkpoint."""
    options = OPTIONS.model_copy(update={"checkpoints": CheckpointOptions(minutes=None)})
    expected, made, validation = run(options=options), *subject()
    seen = itertools.count(1)

    def interrupt(self: TimeLimit, batch: int, logs: object = None) -> None:
        if next(seen) == after:
            os.kill(os.getpid(), signal.SIGINT)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(TimeLimit, "on_train_batch_begin", interrupt)
        saving = Saving(Checkpoints(tmp_path))
        train(made.network, made.examples, validation, made.losses, options, seed=5, saving=saving)
    saved = Checkpoints(tmp_path).newest()
    assert saved is not None
    assert (saved.number, saved.state["block"] + 4 * len(saved.state["history"])) == (1, after)
    assert _without_scores(run(tmp_path, options)) == _without_scores(expected)


def _without_scores(found: tuple[TrainResult, str]) -> tuple[list[str], str]:
    return found[0].digests, found[1]


def test_time_stops_within_an_epoch_and_steps_repeat_it(short_blocks: None, monkeypatch: pytest.MonkeyPatch) -> None:
    options = OPTIONS.model_copy(update={"minutes": 6.0, "patience": None})

    def up(self: TimeLimit) -> bool:
        limit = self.until_step
        return self.state.n_steps >= (15 if limit is None else limit)

    with monkeypatch.context() as patch:
        patch.setattr(TimeLimit, "is_up", up)
        stopped = run(options=options)
    assert (stopped[0].stopped_by, stopped[0].n_steps, len(stopped[0].history)) == ("minutes", 15, 2)
    made, validation = subject()
    hooks = Hooks(lambda outputs: {"mean": float(np.mean(next(iter(outputs.values()))))})
    repeated = train(made.network, made.examples, validation, made.losses, options, seed=5, hooks=hooks, until_step=15)
    assert (dataclasses.replace(repeated, seconds=[]), arrays_digest(weights_of(made.network))) == stopped


@pytest.mark.parametrize(
    ("n_rows", "batch_size", "most", "keep_last"),
    list(itertools.product([7, 64, 70], [1, 8, 64], [1, 3, 100], [True, False])),
)
def test_blocks_go_on_where_they_were(n_rows: int, batch_size: int, most: int, keep_last: bool) -> None:
    """Blocks that were made have no steps left, and the others are the same."""
    sizes = EpochPlan.of(n_rows, min(batch_size, n_rows), most_steps=most, keep_last=keep_last)
    in_epoch = sizes.n_blocks

    def of(after: tuple[int, int]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        return blocks(sizes, seed=2, after=after)

    whole = list(itertools.islice(of((0, 0)), 3 * in_epoch))
    for done in range(in_epoch + 1):
        rest = list(itertools.islice(of((1, done)), 2 * in_epoch))
        assert [int(steps[0]) for _, steps in rest[:done]] == [0] * done
        for (rows, steps), (expected_rows, expected_steps) in zip(rest[done:], whole[in_epoch + done :], strict=True):
            assert steps == expected_steps
            np.testing.assert_array_equal(rows, expected_rows)
        made = sum(int(steps[0]) for _, steps in whole[:done])
        assert sizes.steps_of(done) == made
    assert sizes.steps_of(in_epoch) == sizes.n_steps


def test_state_reads_back_equal() -> None:
    state = TrainState(
        early_stopping=EarlyStoppingState(best_epoch=1, best_loss=0.1 + 0.2),
        plateau=PlateauState(factor=0.1, wait=2),
        history=[{"epoch": 1, "loss": float("inf"), "x": 1e-320}, {"epoch": 2, "loss": -0.0}],
        seconds=[0.1],
        digests=["a"],
        n_steps=7,
        block=2,
        stopped_by="patience",
    )
    assert TrainState.from_json(state.to_json()) == state
    assert TrainState.from_json(TrainState().to_json()) == TrainState()
