"""The learning rate: every schedule against its formula, the plateau, warm-up, and a refit that repeats it."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
import pytest
from gradients import Subject, subject_of, variants
from networks import mlp
from one_training import train

from bptrain.features.numeric.options import NumericOptions
from bptrain.models.build import weights_of
from bptrain.targets.regression.options import RegressionOptions
from bptrain.training.dataset import ArrayDataset
from bptrain.training.optimizers import Schedule
from bptrain.training.options import (
    ConstantSchedule,
    CosineSchedule,
    CyclicSchedule,
    ExponentialSchedule,
    OneCycleSchedule,
    PlateauSchedule,
    ScheduleOptions,
    SgdOptions,
    StepSchedule,
    TrainingOptions,
)
from bptrain.training.state import TrainResult

pytestmark = pytest.mark.usefixtures("backend")

PER_EPOCH, EPOCHS = 8, 10
STEPS = PER_EPOCH * EPOCHS


def half_cosine(progress: float, first: float, last: float) -> float:
    return last + (first - last) * (1 + math.cos(math.pi * progress)) / 2


def one_cycle(step: int) -> float:
    """Up to step 24 of 80, then down to the last step."""
    return half_cosine(step / 24, 0.1, 1.0) if step < 24 else half_cosine((step - 24) / 55, 1.0, 0.01)


def three_cycles(step: int) -> float:
    """Zero after a seventh and three sevenths of the steps, the full rate between."""
    return (1 - math.cos(2 * math.pi * math.log2(1 + 7 * step / STEPS))) / 2


FORMULAS: dict[str, tuple[Any, Any]] = {
    "constant": (ConstantSchedule(), lambda step: 1.0),
    "step": (StepSchedule(every=2.5, factor=0.5), lambda step: 0.5 ** (step // 20)),
    "exponential": (ExponentialSchedule(factor=0.8), lambda step: 0.8 ** (step / PER_EPOCH)),
    "cosine": (CosineSchedule(final=0.1), lambda step: half_cosine(step / STEPS, 1.0, 0.1)),
    "one_cycle": (OneCycleSchedule(rise=0.3, start=0.1, final=0.01), one_cycle),
    "cyclic": (CyclicSchedule(cycles=3), three_cycles),
    "plateau": (PlateauSchedule(), lambda step: 1.0),
}


def made(options: Any, *, warmup: float = 0.0) -> Schedule:
    return Schedule(0.2, options, warmup=warmup, steps_per_epoch=PER_EPOCH, n_steps=STEPS)


def test_formulas_cover_the_schema() -> None:
    assert {type(options) for options, _ in FORMULAS.values()} == set(variants(ScheduleOptions))


@pytest.mark.parametrize("name", FORMULAS)
@pytest.mark.parametrize("warmup", [0.0, 1.5])
def test_rate_is_the_formula_at_every_step(name: str, warmup: float) -> None:
    options, formula = FORMULAS[name]
    schedule = made(options, warmup=warmup)
    for step in range(STEPS):
        expected = 0.2 * formula(step) * (min(1.0, (step + 1) / 12) if warmup else 1.0)
        nearly_zero = 1e-8 if name == "cyclic" else None  # between cycles, where a float32 logarithm tells no more
        assert float(schedule(step)) == pytest.approx(expected, rel=2e-5, abs=nearly_zero), step


def test_cosine_is_that_of_keras() -> None:
    theirs = keras.optimizers.schedules.CosineDecay(0.2, STEPS, alpha=0.1)
    ours = made(CosineSchedule(final=0.1))
    assert [float(ours(step)) for step in range(STEPS)] == pytest.approx(
        [float(theirs(step)) for step in range(STEPS)], rel=1e-6
    )


def line(n_rows: int = 24) -> Subject:
    rng = np.random.default_rng(0)
    x = rng.normal(size=n_rows)
    cells = {"x": x.tolist(), "y": (2 * x + rng.normal(0.0, 0.3, n_rows)).tolist()}
    return subject_of(cells, mlp(hidden=()), {"x": NumericOptions()}, {"y": RegressionOptions()})


def fit(
    subject: Subject, *, validation: ArrayDataset | None = None, after: TrainResult | None = None, **given: Any
) -> TrainResult:
    options = TrainingOptions(optimizer=SgdOptions(learning_rate=0.05), **({"batch_size": 8, "epochs": 6} | given))
    return train(subject.network, subject.examples, validation, subject.losses, options, seed=0, after=after)


@pytest.mark.parametrize("name", [name for name in FORMULAS if name not in ("constant", "plateau")])
def test_schedule_changes_the_weights_and_stands_in_the_history(name: str) -> None:
    plain, scheduled = line(), line()
    fit(plain)
    trained = fit(scheduled, schedule=FORMULAS[name][0])
    assert not np.allclose(
        weights_of(plain.network)["target_0/kernel"], weights_of(scheduled.network)["target_0/kernel"]
    )
    schedule = Schedule(0.05, FORMULAS[name][0], warmup=0.0, steps_per_epoch=3, n_steps=18)
    assert [row["learning_rate"] for row in trained.history] == [float(schedule(3 * epoch + 2)) for epoch in range(6)]


def test_warmup_makes_first_steps_small() -> None:
    plain, warmed = line(), line()
    before = weights_of(plain.network)["target_0/kernel"]
    fit(plain, epochs=1)
    fit(warmed, epochs=1, warmup=100.0)
    moved = [float(np.abs(weights_of(each.network)["target_0/kernel"] - before)[0, 0]) for each in (plain, warmed)]
    assert 0 < moved[1] < 0.05 * moved[0]


def opposite(subject: Subject) -> ArrayDataset:
    """Validation rows that get worse as training gets better."""
    return ArrayDataset(subject.examples.inputs, {name: -truth for name, truth in subject.examples.truths.items()})


def test_plateau_of_the_validation_loss_lowers_the_rate() -> None:
    subject = line()
    options = PlateauSchedule(factor=0.1, patience=2)
    trained = fit(subject, validation=opposite(subject), schedule=options, patience=None)
    rates = [row["learning_rate"] for row in trained.history]
    assert rates == pytest.approx([0.05, 0.05, 0.05, 0.005, 0.005, 0.0005])
    assert trained.plateaus == pytest.approx([1, 1, 1, 0.1, 0.1, 0.01])


def test_plateau_without_validation_rows_watches_the_training_loss() -> None:
    trained = fit(line(), schedule=PlateauSchedule(factor=0.1, patience=1), epochs=40)
    assert trained.plateaus[-1] < 1


# A refit


@pytest.mark.parametrize("options", [PlateauSchedule(factor=0.1, patience=2), CosineSchedule()], ids=lambda o: o.kind)
def test_refit_makes_the_chosen_epochs_with_the_rates_of_the_first_training(options: Any) -> None:
    """On the same rows, so that it must end with the weights of the epoch that was kept."""
    first, second = line(), line()
    half = ArrayDataset(first.examples.inputs, {name: 0.9 * truth for name, truth in first.examples.truths.items()})
    chosen = fit(first, validation=half, schedule=options, patience=3, epochs=30)
    assert 2 < chosen.best_epoch < len(chosen.history)
    refit = fit(second, after=chosen, schedule=options, patience=1, epochs=30, stop_at_loss=1e6, minutes=1e-9)
    assert (len(refit.history), refit.best_epoch, refit.stopped_by) == (chosen.best_epoch, chosen.best_epoch, "epochs")
    assert [row["learning_rate"] for row in refit.history] == [
        row["learning_rate"] for row in chosen.history[: chosen.best_epoch]
    ]
    for name, array in weights_of(first.network).items():
        np.testing.assert_array_equal(weights_of(second.network)[name], array)
