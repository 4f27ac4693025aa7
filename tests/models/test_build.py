"""Networks: each option does what it says, and first weights depend on the seed and the name alone."""

from __future__ import annotations

import typing
from typing import Any

import numpy as np
import pytest
from gradients import subject_of
from networks import mlp
from one_training import train

from bptrain.features.kind import Features
from bptrain.features.numeric.options import NumericOptions
from bptrain.models.build import BY_ACTIVATION, INITIALIZERS, linear_part, weights_of
from bptrain.models.options import Activation, KnownInitializer
from bptrain.targets.regression.options import RegressionOptions
from bptrain.training.options import SgdOptions, TrainingOptions

pytestmark = pytest.mark.usefixtures("backend")
WIDE = 400


def subject(seed: int = 0, **model: Any) -> Any:
    rng = np.random.default_rng(0)
    cells = {f"x{i}": rng.normal(size=40).tolist() for i in range(3)} | {"y": rng.normal(size=40).tolist()}
    columns = dict.fromkeys(("x0", "x1", "x2"), NumericOptions())
    return subject_of(cells, mlp(**{"hidden": (8,), **model}), columns, {"y": RegressionOptions()}, seed=seed)


def kernel(**model: Any) -> np.ndarray:
    return weights_of(subject(**model).network)["hidden_2/kernel"]


def test_every_name_has_its_initializer() -> None:
    assert set(INITIALIZERS) == set(typing.get_args(KnownInitializer)) - {"by_activation", "uniform"}
    assert set(BY_ACTIVATION) < set(typing.get_args(Activation))


@pytest.mark.parametrize(
    ("initializer", "variance"),
    [
        ("glorot_uniform", 1 / WIDE),
        ("glorot_normal", 1 / WIDE),
        ("he_uniform", 2 / WIDE),
        ("he_normal", 2 / WIDE),
        ("lecun_uniform", 1 / WIDE),
        ("lecun_normal", 1 / WIDE),
    ],
)
def test_first_weights_have_the_variance_of_their_initializer(initializer: str, variance: float) -> None:
    found = kernel(hidden=(WIDE, WIDE), initializer=initializer)
    assert found.var() == pytest.approx(variance, rel=0.03)
    uniform = abs(found).max() < 1.001 * np.sqrt(3 * variance)
    assert uniform == initializer.endswith("uniform")


def test_orthogonal_weights_are_orthogonal() -> None:
    found = kernel(hidden=(16, 16), initializer="orthogonal")
    np.testing.assert_allclose(found @ found.T, np.eye(16), atol=1e-5)


@pytest.mark.parametrize(
    ("activation", "like"), [("relu", "he_normal"), ("selu", "lecun_normal"), ("tanh", "glorot_uniform")]
)
def test_auto_goes_by_the_activation(activation: str, like: str) -> None:
    np.testing.assert_array_equal(
        kernel(hidden=(5, 5), activation=activation), kernel(hidden=(5, 5), activation=activation, initializer=like)
    )


def test_first_weights_are_a_function_of_seed_and_name() -> None:
    np.testing.assert_array_equal(kernel(hidden=(5, 6)), kernel(hidden=(5, 6)))
    assert not np.allclose(kernel(hidden=(5, 6)), kernel(hidden=(5, 6), seed=1))
    assert not np.allclose(kernel(hidden=(6, 6, 6)), weights_of(subject(hidden=(6, 6, 6)).network)["hidden_3/kernel"])


def hidden_values(normalization: str, **more: Any) -> np.ndarray:
    """What enters the activation of the only hidden layer in training (40, 8)."""
    import keras

    made = subject(normalization=normalization, **more)
    layer = made.network.get_layer("hidden_1_activation")
    return np.asarray(keras.Model(made.network.input, layer.input)(made.examples.inputs, training=True))


def test_normalization_over_batch_or_layer() -> None:
    batch, layer, none = (hidden_values(how) for how in ("batch", "layer", "none"))
    np.testing.assert_allclose(batch.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(batch.std(axis=0), 1, atol=1e-2)
    np.testing.assert_allclose(layer.mean(axis=1), 0, atol=1e-5)
    np.testing.assert_allclose(layer.std(axis=1), 1, atol=1e-2)
    assert abs(none.mean(axis=1)).max() > 0.05
    assert abs(none.std(axis=1) - 1).max() > 0.2


def trained_kernel(**model: Any) -> np.ndarray:
    made = subject(hidden=(), **model)
    options = TrainingOptions(optimizer=SgdOptions(learning_rate=0.1), batch_size="all", epochs=300)
    train(made.network, made.examples, None, made.losses, options, seed=0)
    return weights_of(made.network)["target_0/kernel"]


def test_l1_makes_weights_zero_and_l2_makes_them_small() -> None:
    free, lasso, ridge = trained_kernel(), trained_kernel(l1=2.0), trained_kernel(l2=1.0)
    assert abs(free).min() > 0.01
    assert abs(lasso).max() < 0.3  # the step of gradient descent, around zero
    np.testing.assert_allclose(ridge, free / 2, rtol=0.25)


def test_penalties_are_in_what_is_minimised() -> None:
    made = subject(l1=0.5, l2=0.25)
    kernels = [array for name, array in weights_of(made.network).items() if name.endswith("kernel")]
    expected = sum(0.5 * np.abs(array).sum() + 0.25 * np.square(array).sum() for array in kernels)
    assert float(sum(made.network.losses)) == pytest.approx(expected, rel=1e-5)


def test_dropout_sets_its_share_to_zero_in_training_only() -> None:
    made = subject(hidden=(WIDE,), dropout=0.3, activation="sigmoid")
    import keras

    layer = made.network.get_layer("hidden_1_dropout")
    values = keras.Model(made.network.input, layer.output)
    assert np.mean(np.asarray(values(made.examples.inputs, training=True)) == 0) == pytest.approx(0.3, abs=0.02)
    assert np.mean(np.asarray(values(made.examples.inputs, training=False)) == 0) == 0


# The linear part


def linear_outputs(features: Features, **options: Any) -> Any:
    return linear_part(features, 2, mlp(**options), "target_0")


def test_linear_part_has_the_shape_of_the_members_that_have_it() -> None:
    import keras

    tensor = keras.Input((3,))
    features = Features([tensor], [1] * 3, [tensor])
    assert linear_outputs(features, linear=False, members=3) is None
    assert linear_outputs(features, linear=True, members=1).shape == (None, 2)
    assert linear_outputs(features, linear=True, members=3).shape == (None, 1, 2)
    assert linear_outputs(features, linear="half", members=3).shape == (None, 3, 2)


@pytest.mark.parametrize("members", [1, 3])
def test_columns_that_give_nothing_linear_need_no_linear_part(members: int) -> None:
    """So a kind may declare nothing linear and still be alone in a table."""
    import keras

    tensor = keras.Input((3,))
    by_column = Features([tensor], [1] * 3, [], [keras.Input((4,), batch_size=2)[:, None, :]])
    assert linear_outputs(Features([tensor], [1] * 3, []), linear=True, members=members) is None
    assert linear_outputs(by_column, linear=True, members=members) is not None
