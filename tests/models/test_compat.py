"""Every inside of Keras and TensorFlow that bptrain leans on: these tests fail when a library changes it.

They are the reason for the upper bounds in pyproject.toml: raise a bound after they pass, and see what they say first.
"""

from __future__ import annotations

import inspect
import tomllib
from importlib.metadata import version
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from bptrain.models.compat import (
    FIRST_STEPS,
    HasPlainForm,
    functional_optimizer,
    optimization_barrier,
    running_means,
)
from bptrain.models.layers import Dense, LinearBatchEnsemble
from bptrain.training.optimizers import OPTIMIZERS

pytestmark = pytest.mark.usefixtures("backend")

# What Keras overrides on TensorFlow, for training on several devices, of the methods that all backends share.
OVERRIDDEN = {
    "_apply_weight_decay",
    "_backend_increment_gradient_accumulators",
    "_backend_update_step",
    "_clip_by_norm",
    "_overwrite_model_variables_with_average_value",
    "_var_key",
    "add_variable_from_reference",
    "assign",
    "assign_add",
    "assign_sub",
    "stateless_apply",
}


def test_versions_are_those_within_the_bounds() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    bounds = {name: bound for name in ("keras", "tensorflow") for bound in project["dependencies"] if name in bound}
    assert bounds == {"keras": "keras>=3.15.1,<3.16", "tensorflow": "tensorflow>=2.21,<2.22"}
    assert version("keras").startswith("3.15.")
    assert version("tensorflow").startswith("2.21.")


def test_barrier_is_one_of_xla_and_changes_nothing() -> None:
    numbers = tf.constant(np.random.default_rng(0).normal(size=(3, 5)), tf.float32)

    @tf.function(jit_compile=True)
    def fenced(tensor: Any) -> Any:
        return optimization_barrier(tf.transpose(tensor))

    np.testing.assert_array_equal(fenced(numbers), np.transpose(numbers))
    assert "opt-barrier" in fenced.experimental_get_compiler_ir(numbers)(stage="hlo")


def test_methods_of_optimizers_that_tensorflow_overrides_are_known() -> None:
    bases = {base.__name__: vars(base) for base in keras.optimizers.Adam.__mro__}
    assert {"BaseOptimizer", "TFOptimizer"} <= bases.keys()
    common = bases["BaseOptimizer"]
    overridden = {name for name in bases["TFOptimizer"] if callable(common.get(name))} - {"__init__"}
    assert overridden == OVERRIDDEN
    made = functional_optimizer(keras.optimizers.Adam)
    for name in overridden:
        if name not in vars(keras.optimizers.Adam):
            assert inspect.getattr_static(made, name) is common[name], name


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_functional_optimizers_make_the_steps_of_keras_as_functions_of_values(name: str) -> None:
    """In a scope without state, which leaves the variables alone."""
    kind = OPTIMIZERS[name]
    start, gradient = np.array([1.0, -2.0], np.float32), np.array([0.5, 0.25], np.float32)
    theirs, plain = kind(0.1), keras.Variable(start)
    ours, variable = functional_optimizer(kind)(0.1), keras.Variable(start)
    ours.build([variable])
    values = [tf.constant(start), *(tf.convert_to_tensor(each.value) for each in ours.variables)]
    for _ in range(3):
        theirs.apply([tf.constant(gradient)], [plain])
        variables = [variable, *ours.variables]
        with keras.StatelessScope(list(zip(variables, values, strict=True))) as scope:
            ours.apply([tf.constant(gradient)])
        values = [scope.get_current_value(each) for each in variables]
    np.testing.assert_allclose(values[0], np.asarray(plain), rtol=1e-6)
    np.testing.assert_array_equal(np.asarray(variable), start)
    assert int(ours.iterations) == 0


def test_running_means_are_found_in_the_order_of_the_weights_and_forget_the_first() -> None:
    weights = [keras.Variable([1.0]), keras.Variable([10.0])]
    optimizer = functional_optimizer(keras.optimizers.SGD)(1.0, use_ema=True, ema_momentum=0.5)
    optimizer.build(weights)
    means = running_means(optimizer, weights)
    assert [float(np.asarray(means[id(weight)])[0]) for weight in weights] in ([1.0, 10.0], [0.0, 0.0])
    expected = np.array([np.asarray(means[id(weight)])[0] for weight in weights])
    for step in range(3):
        optimizer.apply([tf.constant([0.25]), tf.constant([0.5])], weights)
        decay = min(0.5, step / (step + FIRST_STEPS))
        expected = decay * expected + (1 - decay) * np.array([np.asarray(weight)[0] for weight in weights])
    np.testing.assert_allclose([np.asarray(means[id(weight)])[0] for weight in weights], expected, rtol=1e-6)
    plain = functional_optimizer(keras.optimizers.SGD)(1.0)
    plain.build(weights)
    assert running_means(plain, weights) == {}


def test_layers_with_a_plain_form_are_those_of_ours() -> None:
    ensemble = LinearBatchEnsemble(4, 3, [1, 2], kernel="zeros", bias="zeros", penalty=None, seed=0, name="first")
    assert isinstance(ensemble, HasPlainForm)
    assert not isinstance(Dense(3), HasPlainForm)
    assert not any(
        isinstance(layer, HasPlainForm) for layer in (keras.layers.Dense(3), keras.layers.Activation("relu"))
    )
    ensemble.build((None, 3))
    plain = ensemble.plain("plain")
    rows = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
    plain.build((None, 3))
    plain.set_weights(ensemble.plain_weights())
    np.testing.assert_allclose(plain(rows), ensemble(rows), rtol=1e-5, atol=1e-6)


def test_the_loop_of_jax_finds_what_it_overrides() -> None:
    trainer = pytest.importorskip("keras.src.backend.jax.trainer").JAXTrainer
    assert list(inspect.signature(trainer.make_train_function).parameters) == ["self", "force"]
    assert list(inspect.signature(trainer.train_step).parameters) == ["self", "state", "data"]
    assert list(inspect.signature(trainer.jax_state_sync).parameters) == ["self"]
