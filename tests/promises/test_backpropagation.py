"""Backpropagation is right: by hand, against central differences, and by what it learns."""

from __future__ import annotations

import math
import typing
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from gradients import (
    CELLS,
    KINK_DISTANCE,
    TOLERANCE,
    TRUTHS,
    Subject,
    analytic,
    check,
    check_direction,
    column_settings,
    double_precision,
    label,
    make_subject,
    model_settings,
    near_kink,
    subject_of,
    target_settings,
    variants,
)
from networks import mlp
from one_training import train

from bptrain.features import kinds
from bptrain.features.numeric.options import NumericOptions
from bptrain.models.build import output_name, set_weights, weights_of
from bptrain.models.options import Activation
from bptrain.models.predict import predict
from bptrain.targets.classification.options import BinaryOptions, BrierLoss
from bptrain.targets.regression.options import RegressionOptions
from bptrain.targets.tasks import TASKS
from bptrain.training.dataset import ArrayDataset
from bptrain.training.options import (
    AdagradOptions,
    AdamOptions,
    AdamwOptions,
    CosineSchedule,
    KnownOptimizer,
    LionOptions,
    NadamOptions,
    RmspropOptions,
    SgdOptions,
    TrainingOptions,
)
from bptrain.training.state import TrainResult
from bptrain.training.trainer import Hooks

pytestmark = pytest.mark.usefixtures("backend")

RAW = NumericOptions(scaling="none")
NUMERIC = [NumericOptions()] * 3
EVERY_ENCODING = [options for kind in kinds.KINDS for options in column_settings(kind)]
MODEL_CASES = [
    pytest.param(model, columns, id=f"{label(model)}-{name}")
    for model in model_settings()
    for name, columns in (("numeric", NUMERIC), ("every_encoding", EVERY_ENCODING))
]
SMOOTH = ("sigmoid", "tanh", "gelu", "silu", "mish", "linear")


@pytest.fixture
def float64(backend: None) -> Iterator[None]:
    with double_precision():
        yield


# One example through a 2-2-1 network, by hand

X, TRUTH = (1.0, -0.5), 1.0
HIDDEN = ((0.15, 0.25), (-0.20, 0.30))  # from input i to hidden neuron j
HIDDEN_BIAS = (0.35, -0.10)
OUTPUT = (0.40, -0.45)  # from hidden neuron j
OUTPUT_BIAS = 0.60


def sigmoid(z: float) -> float:
    return 1.0 / (1.0 + math.exp(-z))


def worked_by_hand() -> tuple[float, dict[str, np.ndarray]]:
    """Loss and gradients by the rule of Rumelhart, Hinton & Williams 1986, Nature 323.

    delta_out = dE/dy f'(z_out);  delta_j = f'(z_j) w_j delta_out;  dE/dw_ij = x_i delta_j;  and f' = f (1 - f).
    """
    h0 = sigmoid(X[0] * HIDDEN[0][0] + X[1] * HIDDEN[1][0] + HIDDEN_BIAS[0])
    h1 = sigmoid(X[0] * HIDDEN[0][1] + X[1] * HIDDEN[1][1] + HIDDEN_BIAS[1])
    y = sigmoid(h0 * OUTPUT[0] + h1 * OUTPUT[1] + OUTPUT_BIAS)
    loss = (TRUTH - y) ** 2
    delta_out = -2 * (TRUTH - y) * y * (1 - y)
    delta_0 = h0 * (1 - h0) * OUTPUT[0] * delta_out
    delta_1 = h1 * (1 - h1) * OUTPUT[1] * delta_out
    return loss, {
        "hidden_1/kernel": np.array([[X[0] * delta_0, X[0] * delta_1], [X[1] * delta_0, X[1] * delta_1]]),
        "hidden_1/bias": np.array([delta_0, delta_1]),
        "target_0/kernel": np.array([[h0 * delta_out], [h1 * delta_out]]),
        "target_0/bias": np.array([delta_out]),
    }


def two_two_one() -> tuple[Subject, dict[str, np.ndarray]]:
    """The network with the weights above and its one example. A second row taught the other label."""
    cells = {"x0": [X[0], 0.0], "x1": [X[1], 0.0], "y": [1, 0]}
    model = mlp(hidden=(2,), activation="sigmoid")
    both = subject_of(cells, model, {"x0": RAW, "x1": RAW}, {"y": BinaryOptions(loss=BrierLoss())})
    weights = {
        "hidden_1/kernel": np.array(HIDDEN),
        "hidden_1/bias": np.array(HIDDEN_BIAS),
        "target_0/kernel": np.array(OUTPUT)[:, None],
        "target_0/bias": np.array([OUTPUT_BIAS]),
    }
    set_weights(both.network, weights)
    return Subject(both.network, both.losses, first_rows(both.examples, 1)), weights


def first_rows(examples: ArrayDataset, n_rows: int) -> ArrayDataset:
    return ArrayDataset(
        {name: array[:n_rows] for name, array in examples.inputs.items()},
        {name: array[:n_rows] for name, array in examples.truths.items()},
    )


@pytest.mark.usefixtures("float64")
def test_gradient_equals_the_one_worked_by_hand() -> None:
    subject, _ = two_two_one()
    loss, expected = worked_by_hand()
    found = analytic(subject)
    assert float(subject.loss()) == pytest.approx(loss, abs=1e-10)
    assert sum(gradient.size for gradient in found.values()) == 9
    assert found.keys() == expected.keys()
    for name, gradient in found.items():
        np.testing.assert_allclose(gradient, expected[name], rtol=0, atol=1e-10, err_msg=name)


@pytest.mark.usefixtures("float64")
def test_training_step_goes_down_the_gradient_worked_by_hand() -> None:
    subject, weights = two_two_one()
    loss, gradients = worked_by_hand()
    options = TrainingOptions(optimizer=SgdOptions(learning_rate=0.5), batch_size="all", epochs=1)
    trained = train(subject.network, subject.examples, None, subject.losses, options, seed=0)
    assert trained.history[0]["loss"] == pytest.approx(loss, abs=1e-10)
    for name, found in weights_of(subject.network).items():
        np.testing.assert_allclose(found, weights[name] - 0.5 * gradients[name], rtol=0, atol=1e-10, err_msg=name)


# Central differences for everything that can be configured


def test_cases_cover_the_schema() -> None:
    assert set(CELLS) == set(kinds.KINDS)
    assert set(TRUTHS) == set(TASKS)
    chosen = {(case.values[0].activation, case.values[0].normalization) for case in MODEL_CASES}
    assert chosen == {(name, how) for name in typing.get_args(Activation) for how in ("none", "batch", "layer")}
    assert len(MODEL_CASES) >= 10 * 3
    assert {options.task for options in target_settings()} == set(TASKS)
    assert len(target_settings()) >= 3 + 3 + 6
    assert len(EVERY_ENCODING) >= 5
    assert set(SMOOTH) < set(typing.get_args(Activation))


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize(("model", "columns"), MODEL_CASES)
def test_gradient_of_every_model_equals_central_differences(model: Any, columns: list[Any]) -> None:
    assert check(make_subject(model, columns, [RegressionOptions()], seed=1)) <= TOLERANCE


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("target", target_settings(), ids=label)
def test_gradient_of_every_loss_equals_central_differences(target: Any) -> None:
    subject = make_subject(mlp(hidden=(4, 3), activation="tanh"), NUMERIC, [target], seed=2)
    assert check(subject) <= TOLERANCE


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("model", model_settings(l2=0.1, activation="tanh"), ids=label)
def test_gradient_of_the_penalty_equals_central_differences(model: Any) -> None:
    subject = make_subject(model, NUMERIC, [RegressionOptions()], seed=3)
    weights = weights_of(subject.network)  # among them a mask, which is not trained
    kernels = [array for name, array in weights.items() if name.endswith("/kernel") and "mask" not in name]
    assert len(kernels) == 3 + bool(model.linear)
    assert float(sum(subject.network.losses)) == pytest.approx(0.1 * sum(np.sum(kernel**2) for kernel in kernels))
    assert check(subject) <= TOLERANCE


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("hidden", [(), (1,), (3, 3, 3, 3)], ids=str)
def test_gradient_at_every_depth_equals_central_differences(hidden: tuple[int, ...]) -> None:
    subject = make_subject(mlp(hidden=hidden, activation="tanh"), NUMERIC, [RegressionOptions()], seed=4)
    assert check(subject) <= TOLERANCE


@pytest.mark.usefixtures("float64")
def test_gradient_of_all_targets_together_equals_central_differences() -> None:
    model = mlp(hidden=(4, 3), activation="tanh", l2=0.01)
    assert check(make_subject(model, EVERY_ENCODING, target_settings(), seed=5)) <= TOLERANCE


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("model", model_settings(hidden=(64, 64)), ids=label)
def test_gradient_of_wide_models_equals_a_directional_difference(model: Any) -> None:
    subject = make_subject(model, EVERY_ENCODING, target_settings(), seed=6)
    assert check_direction(subject, seed=7) <= TOLERANCE


@tf.custom_gradient  # type: ignore[untyped-decorator]
def right_tanh(z: Any) -> Any:
    y = tf.tanh(z)
    return y, lambda upstream: upstream * (1 - y * y)


@tf.custom_gradient  # type: ignore[untyped-decorator]
def wrong_tanh(z: Any) -> Any:
    y = tf.tanh(z)
    return y, lambda upstream: upstream * (1 - y * y) * (1 + 1e-5)


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize(("activation", "right"), [(right_tanh, True), (wrong_tanh, False)], ids=["right", "wrong"])
def test_central_differences_reject_a_slightly_wrong_derivative(activation: Any, right: bool) -> None:
    model = mlp().model_copy(update={"hidden": (4, 3), "activation": activation})
    subject = make_subject(model, NUMERIC, [RegressionOptions()], seed=8)
    assert (check(subject) <= TOLERANCE) is right
    assert (check_direction(subject, seed=9) <= TOLERANCE) is right


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("distance", [0.0, 0.9, -0.9, 3.0, -3.0], ids=str)
@pytest.mark.parametrize("activation", typing.get_args(Activation))
def test_draws_close_to_a_kink_are_rejected(activation: str, distance: float) -> None:
    """One weight of 1 and no bias: the pre-activation is the input."""
    cells = {"x": [distance * KINK_DISTANCE, 1.0], "y": [1.0, 2.0]}
    model = mlp(hidden=(1,), activation=activation)  # type: ignore[arg-type]
    subject = subject_of(cells, model, {"x": RAW}, {"y": RegressionOptions()})
    ones = {name: np.full(array.shape, float("kernel" in name)) for name, array in weights_of(subject.network).items()}
    set_weights(subject.network, ones)
    assert near_kink(subject) == (activation not in SMOOTH and abs(distance) < 1)


@pytest.mark.usefixtures("float64")
def test_no_draw_left_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gradients.near_kink", lambda subject: True)
    with pytest.raises(AssertionError, match="each of 2 draws came close to a kink of mlp-relu"):
        make_subject(mlp(hidden=(2,)), NUMERIC, [RegressionOptions()], seed=0, tries=2)


# The optimizers, step by step

LINEAR = mlp(hidden=())


def linear_cells(rng: np.random.Generator, n_rows: int) -> dict[str, list[float]]:
    """Three correlated columns and a target that is nearly linear in them."""
    base = rng.normal(0.5, 1.0, size=(n_rows, 3))
    x = base + 0.5 * base[:, [1, 2, 0]]
    y = x @ [1.0, -2.0, 0.5] + 3.0 + rng.normal(0.0, 0.5, n_rows)
    return {"x0": x[:, 0].tolist(), "x1": x[:, 1].tolist(), "x2": x[:, 2].tolist(), "y": y.tolist()}


def linear_subject(n_rows: int) -> Subject:
    columns = dict.fromkeys(("x0", "x1", "x2"), RAW)  # not centred: the bias, too, has something to learn
    return subject_of(linear_cells(np.random.default_rng(0), n_rows), LINEAR, columns, {"y": RegressionOptions()})


def numpy_step(options: Any, gradient: np.ndarray, memory: dict[str, Any]) -> np.ndarray:
    """What an optimizer adds to the weights, by Keras' formulas with epsilon 1e-7."""
    memory["step"] = memory.get("step", 0) + 1
    return STEPS[options.kind](options, gradient, memory)


def mean(memory: dict[str, Any], name: str, decay: float, value: np.ndarray) -> np.ndarray:
    """A running mean that begins with zero."""
    memory[name] = decay * memory.get(name, 0.0) + (1 - decay) * value
    return memory[name]


def sgd_step(options: Any, gradient: np.ndarray, memory: dict[str, Any]) -> np.ndarray:
    step = -options.learning_rate * gradient
    memory["velocity"] = options.momentum * memory.get("velocity", 0.0) + step
    return options.momentum * memory["velocity"] + step if options.nesterov else memory["velocity"]


def rmsprop_step(options: Any, gradient: np.ndarray, memory: dict[str, Any]) -> np.ndarray:
    increment = options.learning_rate * gradient / np.sqrt(mean(memory, "square", options.rho, gradient**2) + 1e-7)
    memory["velocity"] = options.momentum * memory.get("velocity", 0.0) + increment
    return -memory["velocity"]


def adam_step(options: Any, gradient: np.ndarray, memory: dict[str, Any]) -> np.ndarray:
    average = mean(memory, "mean", options.beta_1, gradient)
    square = mean(memory, "square", options.beta_2, gradient**2)
    step = memory["step"]
    corrected = options.learning_rate * math.sqrt(1 - options.beta_2**step) / (1 - options.beta_1**step)
    return -corrected * average / (np.sqrt(square) + 1e-7)


def nadam_step(options: Any, gradient: np.ndarray, memory: dict[str, Any]) -> np.ndarray:
    """Dozat 2016, algorithm 8, with the momentum schedule of its section 3."""
    average = mean(memory, "mean", options.beta_1, gradient)
    square = mean(memory, "square", options.beta_2, gradient**2)
    now, following = (options.beta_1 * (1 - 0.5 * 0.96 ** (memory["step"] + ahead)) for ahead in (0, 1))
    memory["product"] = product = memory.get("product", 1.0) * now
    ahead = following * average / (1 - product * following) + (1 - now) * gradient / (1 - product)
    return -options.learning_rate * ahead / (np.sqrt(square / (1 - options.beta_2 ** memory["step"])) + 1e-7)


def adagrad_step(options: Any, gradient: np.ndarray, memory: dict[str, Any]) -> np.ndarray:
    memory["sum"] = memory.get("sum", options.initial_accumulator_value) + gradient**2
    return -options.learning_rate * gradient / np.sqrt(memory["sum"] + 1e-7)


def lion_step(options: Any, gradient: np.ndarray, memory: dict[str, Any]) -> np.ndarray:
    before = memory.get("mean", 0.0)
    mean(memory, "mean", options.beta_2, gradient)
    return -options.learning_rate * np.sign(options.beta_1 * before + (1 - options.beta_1) * gradient)


STEPS = {
    "sgd": sgd_step,
    "rmsprop": rmsprop_step,
    "adam": adam_step,
    "adamw": adam_step,
    "nadam": nadam_step,
    "adagrad": adagrad_step,
    "lion": lion_step,
}


OPTIMIZERS = [
    SgdOptions(learning_rate=0.1),
    SgdOptions(learning_rate=0.1, momentum=0.9),
    SgdOptions(learning_rate=0.1, momentum=0.9, nesterov=True),
    RmspropOptions(),
    RmspropOptions(learning_rate=0.01, rho=0.5, momentum=0.9),
    AdamOptions(),
    AdamOptions(learning_rate=0.1, beta_1=0.5, beta_2=0.9),
    AdamwOptions(learning_rate=0.01),
    AdamwOptions(learning_rate=0.1, beta_2=0.9, weight_decay=0.5),
    NadamOptions(learning_rate=0.1),
    NadamOptions(learning_rate=0.1, beta_1=0.5, beta_2=0.9),
    AdagradOptions(learning_rate=0.1),
    AdagradOptions(learning_rate=0.1, initial_accumulator_value=2.0),
    LionOptions(learning_rate=0.1),
    LionOptions(learning_rate=0.1, beta_1=0.1, beta_2=0.5),
]
AROUND: list[dict[str, Any]] = [{}, {"weight_decay": 0.3}, {"clip_norm": 0.5}, {"clip_value": 0.1}]


def test_optimizer_cases_cover_the_schema() -> None:
    assert {type(options) for options in OPTIMIZERS} == set(variants(KnownOptimizer))
    assert {options.kind for options in OPTIMIZERS} == set(STEPS)


@pytest.mark.parametrize("around", AROUND, ids=str)
@pytest.mark.parametrize("options", OPTIMIZERS, ids=label)
def test_first_steps_equal_plain_numpy(options: Any, around: dict[str, float]) -> None:
    """Weights decay before the step, the bias does not; the gradient of all weights is clipped as one."""
    subject = linear_subject(20)
    design, truth = design_of(subject), subject.examples.truths[output_name(0)][:, 0].astype(np.float64)
    found = [coefficients(subject)]
    training = TrainingOptions(optimizer=options, batch_size="all", epochs=4, **around)  # type: ignore[arg-type]
    train(
        subject.network,
        subject.examples,
        None,
        subject.losses,
        training,
        seed=0,
        hooks=Hooks(on_epoch=lambda row: found.append(coefficients(subject))),
    )
    decay = around.get("weight_decay", getattr(options, "weight_decay", 0.0)) * options.learning_rate
    kept = np.array([1 - decay] * (len(found[0]) - 1) + [1.0])
    expected, memory = found[0], {}
    assert len(found) == 5
    for after in found[1:]:
        gradient = clipped(2 / len(truth) * design.T @ (design @ expected - truth), around)
        expected = expected * kept + numpy_step(options, gradient, memory)
        np.testing.assert_allclose(after, expected, rtol=0, atol=1e-6)


def clipped(gradient: np.ndarray, around: dict[str, float]) -> np.ndarray:
    if "clip_value" in around:
        return np.clip(gradient, -around["clip_value"], around["clip_value"])
    return gradient * min(1.0, around.get("clip_norm", math.inf) / float(np.linalg.norm(gradient)))


def design_of(subject: Subject) -> np.ndarray:
    """The numeric inputs with a column of ones (n_rows, n_columns + 1)."""
    inputs = subject.examples.inputs["numeric"].astype(np.float64)
    return np.column_stack([inputs, np.ones(len(inputs))])


def coefficients(subject: Subject) -> np.ndarray:
    """Kernel and bias of a linear network with one output (n_columns + 1,)."""
    weights = weights_of(subject.network)
    return np.append(weights["target_0/kernel"][:, 0], weights["target_0/bias"]).astype(np.float64)


# What training reaches


def fit(subject: Subject, options: TrainingOptions, *, seed: int = 0) -> TrainResult:
    return train(subject.network, subject.examples, None, subject.losses, options, seed=seed)


def test_linear_network_reaches_least_squares() -> None:
    subject = linear_subject(60)
    optimizer = SgdOptions(learning_rate=0.1, momentum=0.9)
    fit(subject, TrainingOptions(optimizer=optimizer, batch_size="all", epochs=300))
    truth = subject.examples.truths[output_name(0)][:, 0]
    expected = np.linalg.lstsq(design_of(subject), truth, rcond=None)[0]
    np.testing.assert_allclose(coefficients(subject), expected, rtol=0, atol=1e-5)


def test_linear_network_reaches_logistic_regression() -> None:
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(0)
    cells = linear_cells(rng, 200)
    cells["y"] = (np.array(cells["y"]) + rng.logistic(3.0, 2.0, 200) > 6.0).tolist()
    columns = {name: NumericOptions() for name in ("x0", "x1", "x2")}
    subject = subject_of(cells, LINEAR, columns, {"y": BinaryOptions()})
    optimizer = SgdOptions(learning_rate=0.5, momentum=0.9)
    fit(subject, TrainingOptions(optimizer=optimizer, batch_size="all", epochs=300))
    model = LogisticRegression(C=np.inf, tol=1e-8).fit(design_of(subject)[:, :-1], cells["y"])
    expected = np.append(model.coef_[0], model.intercept_)
    np.testing.assert_allclose(coefficients(subject), expected, rtol=0, atol=1e-3)


def learn_xor(hidden: tuple[int, ...], seed: int) -> float:
    """Share of the four rows predicted right."""
    cells = {"a": [0.0, 0.0, 1.0, 1.0], "b": [0.0, 1.0, 0.0, 1.0], "y": [0, 1, 1, 0]}
    model = mlp(hidden=hidden, activation="tanh")
    columns = {"a": NumericOptions(), "b": NumericOptions()}
    subject = subject_of(cells, model, columns, {"y": BinaryOptions()}, seed=seed)
    fit(subject, TrainingOptions(optimizer=AdamOptions(learning_rate=0.05), batch_size="all", stop_at_loss=0.01))
    return accuracy(subject)


def accuracy(subject: Subject) -> float:
    """Share of rows whose label is predicted right, for one binary or multiclass target."""
    name = output_name(0)
    logits = predict(subject.network, subject.examples.inputs)[name]
    predicted = logits.argmax(axis=1) if logits.shape[1] > 1 else logits[:, 0] > 0
    return float(np.mean(predicted == subject.examples.truths[name][:, 0]))


@pytest.mark.parametrize("seed", range(3))
def test_xor_is_learnt(seed: int) -> None:
    assert learn_xor((8,), seed) == 1.0


def test_xor_is_not_learnt_without_a_hidden_layer() -> None:
    assert learn_xor((), 0) < 1.0


def least_loss(subject: Subject, target: Any) -> float:
    """The mean loss of a network that gives every truth: t - t log t for counts, else zero."""
    truth = subject.examples.truths[output_name(0)].astype(np.float64)
    return float(np.mean(truth - truth * np.log(truth))) if target.loss.kind == "poisson" else 0.0


@pytest.mark.parametrize("target", target_settings(), ids=label)
def test_random_labels_of_32_rows_are_learnt_by_heart(target: Any) -> None:
    rng = np.random.default_rng(0)
    columns = {f"x{i}": rng.normal(size=32).tolist() for i in range(8)}
    subject = subject_of(
        columns | {"y": TRUTHS[target.task](rng, 32)},
        mlp(hidden=(64, 64)),
        dict.fromkeys(columns, NumericOptions()),
        {"y": target},
    )
    optimizer = AdamOptions(learning_rate=0.01)
    options = TrainingOptions(optimizer=optimizer, batch_size="all", epochs=300, schedule=CosineSchedule())
    trained = fit(subject, options)
    assert trained.history[-1]["loss"] - least_loss(subject, target) <= 2e-3
    if target.task != "regression":
        assert accuracy(subject) == 1.0
