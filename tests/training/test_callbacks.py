"""The callbacks one by one, on a state made by hand: early stopping, the clock, and the plateau."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import pytest
from one_training import resolved

from bptrain.training.callbacks import EarlyStopping, ReduceLROnPlateau, TimeLimit, validation_loss
from bptrain.training.optimizers import Schedule
from bptrain.training.options import CosineSchedule, PlateauSchedule, TrainingOptions
from bptrain.training.state import EarlyStoppingState, TrainState

pytestmark = pytest.mark.usefixtures("backend")


@pytest.mark.parametrize(
    ("options", "state", "reason"),
    [
        ({}, {}, None),
        ({"epochs": 5}, {}, "epochs"),
        ({"epochs": 6}, {}, None),
        ({"stop_at_loss": 0.5}, {}, "loss"),
        ({"stop_at_loss": 0.4}, {}, None),
        ({"stop_at_loss": 0.5}, {"training_loss": math.nan}, None),
        ({"patience": 3}, {}, "patience"),
        ({"patience": 4}, {}, None),
        ({"patience": None}, {}, None),
        ({"patience": 3}, {"validated": False}, None),
        ({}, {"time_is_up": True}, "minutes"),
        ({"epochs": 5, "patience": 1, "stop_at_loss": 1.0}, {"time_is_up": True}, "loss"),
    ],
    ids=str,
)
def test_reason_to_stop_is_the_first_that_holds(
    options: dict[str, Any], state: dict[str, Any], reason: str | None
) -> None:
    """After epoch 5 with a loss of 0.5 and three epochs without gain."""
    row = {"epoch": 5, "loss": state.get("training_loss", 0.5), "validation_loss": 0.5}
    progress = TrainState(early_stopping=EarlyStoppingState(best_epoch=2, best_loss=0.1, wait=2), history=[row])
    chosen = resolved(TrainingOptions(**options))
    patience = chosen.patience if state.get("validated", True) else None
    limit = TimeLimit(progress, epochs=chosen.epochs, minutes=0.0 if state.get("time_is_up") else None)
    stopping = EarlyStopping(progress, validation_loss, patience=patience, stop_at_loss=chosen.stop_at_loss)
    limit.on_train_begin()
    model = SimpleNamespace(stop_training=False)
    for callback in (stopping, limit):
        callback.set_model(model)
        callback.on_epoch_begin(4)
        callback.on_epoch_end(4)
    assert progress.stopped_by == (reason or "")
    assert model.stop_training == (reason is not None)


def test_best_epoch_is_never_one_whose_loss_is_no_number() -> None:
    losses = [math.nan, 3.0, math.nan, 3.0, 2.0, math.inf, 2.0, math.nan]
    state, best = TrainState(), []
    callback = EarlyStopping(state, validation_loss, patience=None)
    for epoch, loss in enumerate(losses):
        state.history.append({"epoch": epoch + 1, "loss": loss})
        callback.on_epoch_end(epoch)
        best.append(state.best_epoch)
    assert best == [1, 2, 2, 2, 5, 5, 5, 5]
    assert state.early_stopping == EarlyStoppingState(best_epoch=5, best_loss=2.0, wait=3)


def factors_after(options: Any, losses: tuple[float, ...]) -> list[float]:
    """What the callback has made of the learning rate after epochs with these losses."""
    state, factors = TrainState(), []
    callback = ReduceLROnPlateau(
        state, Schedule(0.2, options, warmup=0.0, steps_per_epoch=8, n_steps=80), validation_loss
    )
    for epoch, loss in enumerate(losses):
        callback.on_epoch_begin(epoch)
        state.history.append({"epoch": epoch + 1, "loss": loss})
        callback.on_epoch_end(epoch)
        factors.append(state.plateau.factor)
    assert state.plateaus == [1.0, *factors[:-1]]
    assert float(callback.schedule.plateau) == pytest.approx(state.plateaus[-1])
    return factors


def test_plateau_falls_after_patience_and_not_below_its_minimum() -> None:
    options = PlateauSchedule(factor=0.5, patience=2, minimum=0.2)
    factors = factors_after(options, (1.0, 0.9, 0.95, 0.9, 0.8, math.nan, math.inf, 0.8, 0.8, 0.1))
    assert factors == [1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 0.25, 0.25, 0.2, 0.2]


def test_other_schedules_know_no_plateau() -> None:
    assert factors_after(CosineSchedule(), (1.0, 2.0, 3.0)) == [1.0, 1.0, 1.0]
