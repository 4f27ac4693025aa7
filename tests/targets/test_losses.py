"""Every loss by hand or by a library, what it does to a fit, and weights of rows, classes and targets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from builders import frame_of
from gradients import analytic, double_precision, subject_of
from networks import mlp
from one_training import train
from scipy import special, stats
from sklearn.utils.class_weight import compute_class_weight

import bptrain
from bptrain.errors import DataError, UsageError
from bptrain.features.numeric.options import NumericOptions
from bptrain.models.build import losses, set_weights, weights_of
from bptrain.targets import preparer as targets_preparer
from bptrain.targets.classification.options import (
    BinaryOptions,
    BrierLoss,
    CrossEntropyLoss,
    FocalLoss,
    MulticlassOptions,
)
from bptrain.targets.regression.options import (
    AbsoluteLoss,
    HuberLoss,
    LogCoshLoss,
    PoissonLoss,
    QuantileLoss,
    RegressionOptions,
    SquaredLoss,
)
from bptrain.targets.tasks import TASKS
from bptrain.training.dataset import ArrayDataset
from bptrain.training.options import SgdOptions, TrainingOptions

pytestmark = pytest.mark.usefixtures("backend")

Z = np.array([-30.0, -2.0, -0.3, 0.0, 0.7, 4.0, 30.0])
P = special.expit(Z)
THREE = np.array([[1.0, 2.0, -1.0], [0.0, 0.0, 0.0], [5.0, -5.0, 3.0], [-20.0, 20.0, 0.0]])
SHARES = special.softmax(THREE, axis=1)
CLASSES = np.array([0, 2, 1, 1])
OWN = SHARES[np.arange(4), CLASSES]


def learn(options: Any, cells: list[Any]) -> targets_preparer.Targets:
    return targets_preparer.learn(frame_of({"y": cells}), {"y": options})


def computed(options: Any, cells: list[Any], truth: np.ndarray, outputs: np.ndarray) -> np.ndarray:
    (loss,) = losses(learn(options, cells)).values()
    return np.asarray(loss(truth.astype(np.float32), outputs.astype(np.float32)), np.float64)


BINARY: dict[str, tuple[Any, Any]] = {
    "cross_entropy": (CrossEntropyLoss(), lambda t: -np.log(np.where(t, P, special.expit(-Z)))),
    "smoothed": (
        CrossEntropyLoss(label_smoothing=0.2),
        lambda t: -(0.8 * t + 0.1) * special.log_expit(Z) - (0.9 - 0.8 * t) * special.log_expit(-Z),
    ),
    "mse": (BrierLoss(), lambda t: (t - P) ** 2),
    "focal": (
        FocalLoss(gamma=1.5),
        lambda t: -(np.where(t, special.expit(-Z), P) ** 1.5) * np.log(np.where(t, P, special.expit(-Z))),
    ),
    "focal 0": (FocalLoss(gamma=0.0), lambda t: -np.log(np.where(t, P, special.expit(-Z)))),
}
MULTICLASS: dict[str, tuple[Any, np.ndarray]] = {
    "cross_entropy": (CrossEntropyLoss(), -np.log(OWN)),
    "smoothed": (
        CrossEntropyLoss(label_smoothing=0.3),
        -0.7 * np.log(OWN) - 0.3 * special.log_softmax(THREE, axis=1).mean(axis=1),
    ),
    "mse": (BrierLoss(), ((np.eye(3)[CLASSES] - SHARES) ** 2).sum(axis=1)),
    "focal": (FocalLoss(gamma=2.0), -((1 - OWN) ** 2) * np.log(OWN)),
}
T, Y = np.array([-1.0, 0.0, 0.2, 1.0, 3.0, -2.0]), np.array([-1.0, 0.5, 0.1, -1.0, 0.5, 4.0])
R = T - Y
REGRESSION: dict[str, tuple[Any, np.ndarray]] = {
    "mse": (SquaredLoss(), R**2),
    "mae": (AbsoluteLoss(), np.abs(R)),
    "huber": (HuberLoss(delta=0.7), special.huber(0.7, R)),
    "log_cosh": (LogCoshLoss(), np.log(np.cosh(R))),
    "quantile": (QuantileLoss(quantile=0.9), np.where(R > 0, 0.9 * R, -0.1 * R)),
}


@pytest.mark.parametrize("positive", [0, 1])
@pytest.mark.parametrize("name", BINARY)
def test_binary_loss_is_its_formula(name: str, positive: int) -> None:
    loss, formula = BINARY[name]
    truth = np.full((len(Z), 1), float(positive))
    found = computed(BinaryOptions(loss=loss), [0, 1], truth, Z[:, None])
    np.testing.assert_allclose(found, formula(np.full(len(Z), positive)), rtol=2e-5, atol=1e-12)


@pytest.mark.parametrize("name", MULTICLASS)
def test_multiclass_loss_is_its_formula(name: str) -> None:
    loss, expected = MULTICLASS[name]
    found = computed(MulticlassOptions(loss=loss), ["a", "b", "c"], CLASSES[:, None].astype(int), THREE)
    np.testing.assert_allclose(found, expected, rtol=2e-5, atol=1e-7)


@pytest.mark.parametrize("name", REGRESSION)
def test_regression_loss_is_its_formula(name: str) -> None:
    loss, expected = REGRESSION[name]
    np.testing.assert_allclose(
        computed(RegressionOptions(loss=loss), [1.0, 2.0], T[:, None], Y[:, None]), expected, rtol=1e-5, atol=1e-6
    )


def test_poisson_loss_is_the_likelihood_up_to_a_constant() -> None:
    counts, rates = np.array([0, 1, 4, 9]), np.array([0.5, 1.0, 3.0, 20.0])
    found = computed(RegressionOptions(loss=PoissonLoss()), [1, 3], counts[:, None], np.log(rates)[:, None])
    constant = found + stats.poisson.logpmf(counts, rates) + special.gammaln(counts + 1.0)
    np.testing.assert_allclose(constant, 0.0, atol=1e-5)


# What a loss does to a fit: a network without columns' influence learns the best constant


def best_constant(loss: Any, values: np.ndarray) -> float:
    """What a linear network predicts that has no input of use."""
    cells = {"x": [1.0, 2.0] * (len(values) // 2), "y": values.tolist()}
    subject = subject_of(cells, mlp(hidden=()), {"x": NumericOptions()}, {"y": RegressionOptions(loss=loss)})
    set_weights(subject.network, {name: np.zeros_like(array) for name, array in weights_of(subject.network).items()})
    plain = ArrayDataset(
        {name: np.zeros_like(array) for name, array in subject.examples.inputs.items()}, subject.examples.truths
    )
    options = TrainingOptions(
        optimizer=SgdOptions(learning_rate=0.2), schedule={"kind": "cosine"}, batch_size="all", epochs=400
    )  # type: ignore[arg-type]
    train(subject.network, plain, None, subject.losses, options, seed=0)
    state = learn(RegressionOptions(loss=loss), values.tolist())["y"]
    outputs = np.asarray(subject.network(plain.inputs)["target_0"])[:1]
    return float(TASKS["regression"].decode(state, outputs).prediction[0].as_py())


VALUES = np.random.default_rng(0).gamma(1.0, 10.0, 400)


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        (SquaredLoss(), VALUES.mean()),
        (AbsoluteLoss(), np.median(VALUES)),
        (QuantileLoss(quantile=0.9), np.quantile(VALUES, 0.9)),
        (QuantileLoss(quantile=0.1), np.quantile(VALUES, 0.1)),
        (PoissonLoss(), VALUES.mean()),
    ],
    ids=str,
)
def test_loss_leads_to_its_constant_which_is_the_baseline(loss: Any, expected: float) -> None:
    assert best_constant(loss, VALUES) == pytest.approx(expected, rel=0.03)
    state = learn(RegressionOptions(loss=loss), VALUES.tolist())["y"]
    assert state.constant == pytest.approx(expected)  # type: ignore[attr-defined]
    assert TASKS["regression"].baseline(state, 2).prediction.to_pylist() == [state.constant] * 2  # type: ignore[attr-defined]


def test_huber_and_log_cosh_lie_between_median_and_mean() -> None:
    found = [best_constant(loss, VALUES) for loss in (HuberLoss(), LogCoshLoss())]
    assert all(np.median(VALUES) + 0.3 < value < VALUES.mean() - 0.3 for value in found)
    assert best_constant(HuberLoss(delta=0.1), VALUES) < best_constant(HuberLoss(delta=3.0), VALUES) - 0.5


def test_poisson_refuses_negative_counts() -> None:
    with pytest.raises(DataError, match="BP290.*'-1' .row 2"):
        learn(RegressionOptions(loss=PoissonLoss()), [3, -1, 2])
    state = learn(RegressionOptions(loss=PoissonLoss()), [3, 1, 2])
    with pytest.raises(DataError, match="BP290"):
        targets_preparer.encode(state, frame_of({"y": [3, -2]}))


def table(n_rows: int = 240) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    x = rng.normal(size=n_rows)
    label = np.where(x + rng.normal(0, 1.0, n_rows) > 1.2, "yes", "no")
    return pd.DataFrame(
        {
            "x": x,
            "label": label,
            "count": rng.poisson(np.exp(0.5 * x + 1)),
            "sort": pd.qcut(x, 3, labels=list("abc")).astype(str),
        }
    )


def fit(folder: Path, target: Any, *, name: str = "run", **sections: Any) -> bptrain.Run:
    table().to_csv(folder / "t.csv", index=False)
    content = {"data": "t.csv", "model": {"kind": "mlp", "hidden": [4]}, "training": {"epochs": 3, "batch_size": 32}}
    names = {"targets": target} if isinstance(target, dict) and "column" not in target else {"target": target}
    return bptrain.fit(
        {**content, **names, "columns": {"*": "ignore", "x": "numeric"}, **sections}, run=folder / name, root=folder
    )


LABELS = {"column": "label", "task": "binary"}
COUNTS = {"column": "count", "task": "regression"}


TARGETS: list[dict[str, Any]] = [
    {**LABELS, "loss": "focal"},
    {**LABELS, "loss": {"kind": "cross_entropy", "label_smoothing": 0.1}},
    {**COUNTS, "loss": "poisson"},
    {**COUNTS, "loss": {"kind": "huber", "delta": 0.5}},
    {"column": "sort", "task": "multiclass", "loss": "focal"},
]


@pytest.mark.parametrize("target", TARGETS, ids=str)
def test_run_keeps_its_loss_and_its_exported_network_gives_the_predictions(
    tmp_path: Path, target: dict[str, Any]
) -> None:
    run = fit(tmp_path, target)
    again = bptrain.fit(str(run.path / "config.yaml"), run=tmp_path / "again", root=tmp_path)
    assert again.lock["results"] == run.lock["results"]
    other = fit(tmp_path, {**target, "loss": "mse"}, name="mse")
    assert other.lock["results"] != run.lock["results"]
    import keras

    exported = keras.saving.load_model(run.path / "model.keras", compile=False)
    rows = np.linspace(-2, 2, 9)
    state = run.files.read_arrays("model/preparer.npz")
    inputs = ((rows - state["numeric/center"]) / state["numeric/scale"]).astype(np.float32)[:, None]
    found = np.asarray(exported({"numeric": inputs})["target_0"])
    frame = run.predict(pd.DataFrame({"x": rows}))
    wanted = frame[[name for name in frame if ".probability." in name] or ["count.prediction"]].to_numpy(float)
    np.testing.assert_allclose(found, wanted[:, -found.shape[1] :], rtol=1e-5, atol=1e-6)
    assert target.get("loss") != "poisson" or (wanted > 0).all()


# Weights


def test_balanced_class_weights_are_scikit_learns() -> None:
    cells = ["a"] * 7 + ["b"] * 2 + ["c"] * 3
    state = learn(MulticlassOptions(class_weights="balanced"), cells)["y"]
    expected = compute_class_weight("balanced", classes=np.array(["a", "b", "c"]), y=np.array(cells))
    np.testing.assert_allclose(state.class_weights, expected)
    given = learn(BinaryOptions(class_weights={"b": 3.0}), ["a", "b", "b"])["y"]
    assert given.class_weights == (1.0, 3.0)


def test_class_weight_of_a_label_that_is_not_there_is_refused() -> None:
    with pytest.raises(UsageError, match="BP167.*`yess`.*did you mean `yes`"):
        learn(BinaryOptions(class_weights={"yess": 3.0}), ["no", "yes"])


def test_row_weights_are_those_of_row_and_class_with_mean_one() -> None:
    targets = learn(BinaryOptions(class_weights={"b": 3.0}), ["a", "b", "b"])
    encoded, _ = targets_preparer.encode(targets, frame_of({"y": ["a", "b", "b"]}))
    (found,) = targets_preparer.row_weights(targets, encoded, np.array([2.0, 1.0, 0.0]))
    np.testing.assert_allclose(found, np.array([2.0, 3.0, 0.0]) * 3 / 5, rtol=1e-6)


def test_gradient_of_weighted_rows_is_that_of_repeated_rows() -> None:
    with double_precision():
        cells = {"x": [0.5, -1.0, 2.0], "y": [1.0, 0.0, 3.0]}
        subject = subject_of(
            cells, mlp(hidden=(3,), activation="tanh"), {"x": NumericOptions()}, {"y": RegressionOptions()}
        )
        times = np.array([1, 3, 2])
        repeated = ArrayDataset(
            *(
                {name: np.repeat(array, times, axis=0) for name, array in part.items()}
                for part in (subject.examples.inputs, subject.examples.truths)
            )
        )
        whole = analytic(type(subject)(subject.network, subject.losses, repeated))
        start = {name: array.copy() for name, array in weights_of(subject.network).items()}
        weighted = ArrayDataset(subject.examples.inputs, subject.examples.truths, {"target_0": times / times.mean()})
        options = TrainingOptions(optimizer=SgdOptions(learning_rate=1.0), batch_size="all", epochs=1)
        trained = train(subject.network, weighted, weighted, subject.losses, options, seed=0)
        for name, after in weights_of(subject.network).items():
            np.testing.assert_allclose(start[name] - after, whole[name], rtol=1e-9, atol=1e-12, err_msg=name)
    assert trained.history[0]["loss"] == pytest.approx(loss_of(repeated, start), rel=1e-6)


def loss_of(rows: ArrayDataset, weights: dict[str, np.ndarray]) -> float:
    hidden = np.tanh(rows.inputs["numeric"] @ weights["hidden_1/kernel"] + weights["hidden_1/bias"])
    outputs = hidden @ weights["target_0/kernel"] + weights["target_0/bias"]
    return float(np.mean((rows.truths["target_0"] - outputs) ** 2))


@pytest.mark.parametrize("batch_size", [1, 3, 5, 7, "all"])
def test_history_of_weighted_rows_is_the_weighted_mean_of_all_batches(batch_size: Any) -> None:
    """With a step of next to nothing; the last batch is smaller."""
    rng = np.random.default_rng(0)
    cells = {"x": rng.normal(size=7).tolist(), "y": rng.normal(size=7).tolist()}
    subject = subject_of(
        cells, mlp(hidden=(3,), activation="tanh"), {"x": NumericOptions()}, {"y": RegressionOptions()}
    )
    weight = np.array([0.0, 5.0, 0.1, 1.0, 1.0, 2.0, 0.5], np.float32)
    rows = ArrayDataset(subject.examples.inputs, subject.examples.truths, {"target_0": weight})
    options = TrainingOptions(optimizer=SgdOptions(learning_rate=1e-12), batch_size=batch_size, epochs=2)
    trained = train(subject.network, rows, rows, subject.losses, options, seed=0)
    outputs = np.asarray(subject.network(rows.inputs)["target_0"])
    expected = np.average((rows.truths["target_0"] - outputs)[:, 0] ** 2, weights=weight)
    for row in trained.history:
        assert row["loss"] == pytest.approx(expected, rel=1e-5)
        assert row["validation_loss"] == pytest.approx(expected, rel=1e-5)


def test_balanced_classes_raise_the_probability_of_the_rare_label(tmp_path: Path) -> None:
    training = {"epochs": 40, "batch_size": 32, "optimizer": {"kind": "adam", "learning_rate": 0.01}}
    plain = fit(tmp_path, LABELS, name="plain", training=training)
    balanced = fit(tmp_path, {**LABELS, "class_weights": "balanced"}, name="balanced", training=training)
    means = [run.predict(table())["label.probability.yes"].mean() for run in (plain, balanced)]
    assert means[1] > means[0] + 0.1


def test_loss_weight_moves_a_network_with_several_targets(tmp_path: Path) -> None:
    def targets(weight: float) -> dict[str, Any]:
        return {"label": {"task": "binary", "loss_weight": weight}, "count": {"task": "regression"}}

    runs = [
        fit(tmp_path, targets(weight), name=f"run{weight}", training={"epochs": 8, "batch_size": 16})
        for weight in (0.01, 100.0)
    ]
    losses_of_label = [
        run.metrics["targets"]["label"]["splits"]["train"]["metrics"]["log_loss"]["value"] for run in runs
    ]
    errors_of_count = [run.metrics["targets"]["count"]["splits"]["train"]["metrics"]["rmse"]["value"] for run in runs]
    assert losses_of_label[1] < losses_of_label[0]
    assert errors_of_count[0] < errors_of_count[1]
