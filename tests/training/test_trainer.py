"""Training: the order of the rows, what is minimised and reported, when it stops and which weights are kept."""

from __future__ import annotations

import math
import signal
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from gradients import Subject, draw, subject_of, target_settings
from networks import mlp
from one_training import train

from bptrain.features.numeric.options import NumericOptions
from bptrain.models.build import output_name, set_weights, weights_of
from bptrain.targets.classification.options import BinaryOptions
from bptrain.targets.regression.options import RegressionOptions
from bptrain.training.dataset import ArrayDataset, permutation
from bptrain.training.options import AdamOptions, SgdOptions, TrainingOptions
from bptrain.training.state import TrainResult
from bptrain.training.train_step import mean_loss
from bptrain.training.trainer import Hooks

pytestmark = pytest.mark.usefixtures("backend")

TARGET = output_name(0)
Weights = dict[str, np.ndarray]


def line(n_rows: int = 10, *, l2: float = 0.0, seed: int = 0) -> Subject:
    """A linear network with one input and a target that is nearly linear in it."""
    rng = np.random.default_rng(0)
    x = rng.normal(1.0, 1.0, n_rows)
    cells = {"x": x.tolist(), "y": (2 * x + rng.normal(0.0, 0.3, n_rows)).tolist()}
    model = mlp(hidden=(), l2=l2)
    return subject_of(cells, model, {"x": NumericOptions(scaling="none")}, {"y": RegressionOptions()}, seed=seed)


def fit(subject: Subject, validation: ArrayDataset | None = None, *, seed: int = 0, **options: Any) -> TrainResult:
    chosen = TrainingOptions(**({"optimizer": SgdOptions(learning_rate=0.05), "batch_size": "all"} | options))
    return train(subject.network, subject.examples, validation, subject.losses, chosen, seed=seed)


def fit_and_watch(
    subject: Subject, validation: ArrayDataset | None = None, **options: Any
) -> tuple[TrainResult, dict[int, Weights]]:
    """As `fit`, with the weights after each epoch; 0: the first weights."""
    seen = {0: weights_of(subject.network)}
    chosen = TrainingOptions(**({"optimizer": SgdOptions(learning_rate=0.05), "batch_size": "all"} | options))

    def note(row: dict[str, float]) -> None:
        seen[int(row["epoch"])] = weights_of(subject.network)

    trained = train(
        subject.network, subject.examples, validation, subject.losses, chosen, seed=0, hooks=Hooks(on_epoch=note)
    )
    return trained, seen


def opposite(examples: ArrayDataset) -> ArrayDataset:
    """Rows that get worse as training gets better."""
    return ArrayDataset(examples.inputs, {name: -array for name, array in examples.truths.items()})


def without_truth(examples: ArrayDataset) -> ArrayDataset:
    """Rows whose loss is no number."""
    return ArrayDataset(examples.inputs, {name: np.full_like(array, np.nan) for name, array in examples.truths.items()})


def assert_same_weights(found: Weights, expected: Weights) -> None:
    assert found.keys() == expected.keys()
    for name, array in found.items():
        np.testing.assert_array_equal(array, expected[name], err_msg=name)


# What is minimised and reported


def simulate(subject: Subject, *, batch_size: int, epochs: int, l2: float, seed: int) -> tuple[np.ndarray, list[float]]:
    """Mini-batch gradient descent of a line in NumPy: slope and intercept, and the mean loss of each epoch."""
    x = subject.examples.inputs["numeric"][:, 0].astype(np.float64)
    y = subject.examples.truths[TARGET][:, 0].astype(np.float64)
    weights = weights_of(subject.network)
    slope, intercept = float(weights["target_0/kernel"][0, 0]), float(weights["target_0/bias"][0])
    history = []
    for epoch in range(epochs):
        order, total = permutation(seed, epoch, len(x)), 0.0
        for start in range(0, len(x), batch_size):
            rows = order[start : start + batch_size]
            residual = slope * x[rows] + intercept - y[rows]
            total += float(np.sum(residual**2))
            slope -= 0.05 * (2 * float(np.mean(residual * x[rows])) + 2 * l2 * slope)
            intercept -= 0.05 * 2 * float(np.mean(residual))
        history.append(total / len(x))
    return np.array([slope, intercept]), history


@pytest.mark.parametrize("l2", [0.0, 0.1])
@pytest.mark.parametrize(
    ("batch_size", "rows"), [("all", 10), (1, 1), (4, 4), (5, 5), (9, 9), (10, 10), (256, 10)], ids=str
)
def test_training_takes_the_batches_in_order(batch_size: Any, rows: int, l2: float) -> None:
    """Ten rows: with batches of 4, the last one has 2. The loss in the history is without the penalty."""
    subject = line(10, l2=l2)
    expected, losses = simulate(subject, batch_size=rows, epochs=3, l2=l2, seed=5)
    trained = fit(subject, batch_size=batch_size, epochs=3, seed=5)
    found = np.concatenate([array.ravel() for array in weights_of(subject.network).values()])
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)
    np.testing.assert_allclose([row["loss"] for row in trained.history], losses, rtol=1e-5)


def test_history_of_all_targets_together_is_the_sum_of_their_losses() -> None:
    """With a step of next to nothing, the mean over batches is the loss of all rows."""
    model = mlp(hidden=(3,), activation="tanh", l2=0.1)
    subject = draw(model, [NumericOptions()] * 2, target_settings(), np.random.default_rng(0), n_rows=14)
    trained = fit(subject, subject.examples, batch_size=4, epochs=2, optimizer=SgdOptions(learning_rate=1e-12))
    outputs = {name: np.asarray(array) for name, array in subject.network(subject.examples.inputs).items()}
    expected = mean_loss(subject.losses, subject.examples, outputs)
    assert len(subject.losses) == len(target_settings())
    for row in trained.history:
        assert row["loss"] == pytest.approx(expected, rel=1e-5)
        assert row["validation_loss"] == pytest.approx(expected, rel=1e-5)


def test_history_has_one_row_per_epoch_with_scores() -> None:
    subject = line()
    seen: list[dict[str, float]] = []
    trained = train(
        subject.network,
        subject.examples,
        subject.examples,
        subject.losses,
        TrainingOptions(epochs=3),
        seed=0,
        hooks=Hooks(lambda outputs: {"mean": float(np.mean(outputs[TARGET]))}, on_epoch=seen.append),
    )
    assert trained.history == seen
    assert [row["epoch"] for row in seen] == [1, 2, 3]
    assert all(list(row) == ["epoch", "loss", "validation_loss", "validation_mean", "learning_rate"] for row in seen)
    assert len(trained.seconds) == 3
    assert trained.stopped_by == "epochs"


def test_training_depends_on_the_seed_alone() -> None:
    found = []
    for seed in (1, 1, 2):
        subject = line(seed=0)
        trained = fit(subject, batch_size=3, epochs=3, seed=seed, optimizer=AdamOptions())
        found.append((weights_of(subject.network), trained.history))
    assert_same_weights(found[0][0], found[1][0])
    assert found[0][1] == found[1][1]
    assert found[0][1] != found[2][1]


# When it stops and which weights are kept


@pytest.mark.parametrize(("restore_best", "kept"), [(True, 1), (False, 4)])
def test_patience_stops_and_restore_best_chooses_the_weights(restore_best: bool, kept: int) -> None:
    subject = line()
    set_weights(subject.network, {name: np.zeros_like(array) for name, array in weights_of(subject.network).items()})
    trained, seen = fit_and_watch(subject, opposite(subject.examples), epochs=50, patience=3, restore_best=restore_best)
    losses = [row["validation_loss"] for row in trained.history]
    assert losses == sorted(losses)
    assert (trained.stopped_by, len(losses), trained.best_epoch) == ("patience", 4, kept)
    assert_same_weights(weights_of(subject.network), seen[kept])


def test_best_epoch_in_the_middle_is_restored() -> None:
    """Validation rows lie half way: training passes them by."""
    subject = line()
    half = ArrayDataset(subject.examples.inputs, {TARGET: 0.5 * subject.examples.truths[TARGET]})
    trained, seen = fit_and_watch(subject, half, epochs=60, patience=None)
    losses = [row["validation_loss"] for row in trained.history]
    best = int(np.argmin(losses)) + 1
    assert 1 < best < 60
    assert (trained.stopped_by, trained.best_epoch) == ("epochs", best)
    assert_same_weights(weights_of(subject.network), seen[best])


def test_last_epoch_is_kept_without_validation_rows() -> None:
    subject = line()
    trained, seen = fit_and_watch(subject, epochs=20, patience=1)
    assert (trained.stopped_by, trained.best_epoch) == ("epochs", 20)
    assert "validation_loss" not in trained.history[0]
    assert_same_weights(weights_of(subject.network), seen[20])


def test_stop_at_loss_stops_after_the_first_epoch_that_reaches_it() -> None:
    losses = [row["loss"] for row in fit(line(), epochs=6).history]
    assert losses == sorted(losses, reverse=True)
    trained = fit(line(), epochs=6, stop_at_loss=losses[3])
    assert (trained.stopped_by, len(trained.history)) == ("loss", 4)


def test_minutes_stop_after_the_epoch_in_which_they_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each epoch takes one minute of a clock of our own."""
    clock = SimpleNamespace(now=1000.0)
    monkeypatch.setattr("bptrain.training.callbacks.time", SimpleNamespace(monotonic=lambda: clock.now))

    def score(outputs: Any) -> dict[str, float]:
        clock.now += 60
        return {}

    subject = line()
    options = TrainingOptions(epochs=10, minutes=2.5)
    trained = train(
        subject.network, subject.examples, subject.examples, subject.losses, options, seed=0, hooks=Hooks(score)
    )
    assert (trained.stopped_by, len(trained.history)) == ("minutes", 3)
    assert trained.seconds == [60, 60, 60]


def test_minutes_are_shared_once_a_program_is_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first epoch takes four minutes and others one: of ten, six are left for three trainings."""
    clock = SimpleNamespace(now=1000.0)
    monkeypatch.setattr("bptrain.training.callbacks.time", SimpleNamespace(monotonic=lambda: clock.now))
    subject, options = line(), TrainingOptions(epochs=10, minutes=10)

    def score(outputs: Any) -> dict[str, float]:
        clock.now += 240 if clock.now == 1000 else 60
        return {}

    hooks = Hooks(score)
    trained = train(
        subject.network, subject.examples, subject.examples, subject.losses, options, seed=0, hooks=hooks, sharing=3
    )
    assert (trained.stopped_by, trained.seconds) == ("minutes", [240, 60, 60])


@pytest.mark.parametrize("restore_best", [True, False])
def test_validation_loss_that_is_no_number_stops_and_keeps_the_last_epoch(restore_best: bool) -> None:
    subject = line()
    trained, seen = fit_and_watch(
        subject, without_truth(subject.examples), epochs=50, patience=4, restore_best=restore_best
    )
    assert all(math.isnan(row["validation_loss"]) for row in trained.history)
    assert (trained.stopped_by, len(trained.history), trained.best_epoch) == ("patience", 4, 4)
    assert_same_weights(weights_of(subject.network), seen[4])


# Divergence


@pytest.mark.parametrize("validated", [False, True], ids=["no_validation", "validation"])
@pytest.mark.parametrize(("learning_rate", "batch_size"), [(1e30, "all"), (10.0, "all"), (10.0, 1)])
def test_divergence_ends_with_the_last_finite_weights(learning_rate: float, batch_size: Any, validated: bool) -> None:
    subject = line()
    validation = subject.examples if validated else None
    optimizer = SgdOptions(learning_rate=learning_rate)
    trained, seen = fit_and_watch(subject, validation, optimizer=optimizer, batch_size=batch_size, epochs=100)
    weights = weights_of(subject.network)
    assert trained.stopped_by == "diverged"
    assert len(trained.history) < 100
    assert trained.best_epoch == len(trained.history) - 1
    assert all(np.isfinite(array).all() for array in weights.values())
    assert_same_weights(weights, seen[trained.best_epoch])


def test_divergence_does_not_score_what_is_no_number() -> None:
    """Metrics of scikit-learn raise for NaN; training must end as diverged all the same."""
    cells = {"x": [-1.0, 0.5, 1.0, 2.0], "y": [0, 1, 0, 1]}
    columns = {"x": NumericOptions(scaling="none")}
    subject = subject_of(cells, mlp(hidden=(4,)), columns, {"y": BinaryOptions()})

    def score(outputs: Any) -> dict[str, float]:
        assert np.isfinite(outputs[TARGET]).all()
        return {}

    options = TrainingOptions(optimizer=SgdOptions(learning_rate=1e30), epochs=20)
    trained = train(
        subject.network, subject.examples, subject.examples, subject.losses, options, seed=0, hooks=Hooks(score)
    )
    assert trained.stopped_by == "diverged"


# Signals


def fit_until_signal() -> None:
    subject = line()
    options = TrainingOptions(epochs=10**6, patience=None)
    interrupt = lambda row: signal.raise_signal(signal.SIGINT)  # noqa: E731
    train(subject.network, subject.examples, None, subject.losses, options, seed=0, hooks=Hooks(on_epoch=interrupt))


def test_training_ends_between_blocks() -> None:
    with pytest.raises(KeyboardInterrupt):
        fit_until_signal()
