"""Layers of ours beside those of Keras: the same to rounding, and masks of dropout that are a function of the step."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from bptrain.models.build import NORMALIZATIONS
from bptrain.models.ensemble import KERAS_LAYERS
from bptrain.models.layers import Dense, Dropout, compiled_by_xla, dropout_step, hashed

pytestmark = pytest.mark.usefixtures("backend")


def test_no_product_of_a_compiled_gradient_reads_its_left_operand_transposed() -> None:
    """XLA has fast kernels for the others."""
    layer = Dense(5)
    layer.build((None, 3, 7))
    rows = tf.constant(np.random.default_rng(0).normal(size=(4, 3, 7)), tf.float32)

    @tf.function(jit_compile=True)
    def gradients(fenced: bool, rows: Any, kernel: Any) -> Any:
        with compiled_by_xla(fenced), tf.GradientTape() as tape:
            tape.watch([rows, kernel])
            outputs, _ = layer.stateless_call([kernel, layer.bias], [], rows)
            loss = tf.reduce_sum(tf.square(outputs))
        return tape.gradient(loss, [rows, kernel])

    def transposed(fenced: bool) -> bool:
        program = gradients.experimental_get_compiler_ir(fenced, rows, layer.kernel.value)(stage="optimized_hlo")
        return "lhs_contracting_dims={0}" in program

    assert not transposed(True)
    assert transposed(False)
    for ours, keras_own in zip(
        gradients(True, rows, layer.kernel.value), gradients(False, rows, layer.kernel.value), strict=True
    ):
        np.testing.assert_allclose(ours, keras_own, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("kind", ["batch", "layer"])
@pytest.mark.parametrize("training", [False, True])
def test_normalization_is_that_of_keras(kind: str, training: bool) -> None:
    """To rounding, with weights that are not the first ones; and so are the moving averages afterwards."""
    rng = np.random.default_rng(0)
    rows = rng.normal(3.0, 2.0, (40, 5)).astype(np.float32)
    own = NORMALIZATIONS[kind]()
    plain = KERAS_LAYERS[type(own)]()
    for layer in (own, plain):
        layer.build(rows.shape)
    weights = [rng.uniform(0.5, 2.0, weight.shape).astype(np.float32) for weight in own.get_weights()]
    own.set_weights(weights)
    plain.set_weights(weights)
    more = {"training": training} if kind == "batch" else {}
    np.testing.assert_allclose(np.asarray(own(rows, **more)), np.asarray(plain(rows, **more)), rtol=2e-6, atol=2e-6)
    for one, other in zip(own.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6)


# Dropout


def layer(name: str = "hidden_1_dropout", *, seed: int = 1, rate: float = 0.25) -> Dropout:
    return Dropout(rate, seed=seed, name=name, step=dropout_step(), counts=True)


def mask(made: Dropout, step: int, shape: tuple[int, int] = (64, 128)) -> np.ndarray:
    made.step.assign(step)
    return np.asarray(made.mask(shape))


def test_mask_is_a_function_of_seed_name_and_step() -> None:
    first = mask(layer(), 7)
    np.testing.assert_array_equal(first, mask(layer(), 7))
    others = [mask(layer(), 8), mask(layer("hidden_2_dropout"), 7), mask(layer(seed=2), 7)]
    for other in others:
        assert 0.3 < np.mean(first != other) < 0.45  # 2 · 0.25 · 0.75 for independent masks


def test_mask_is_the_same_in_a_compiled_program() -> None:
    made = layer()
    compiled = tf.function(lambda: made.mask((64, 128)), jit_compile=True)
    for step in (0, 1, 2**31 - 1):
        np.testing.assert_array_equal(mask(made, step), np.asarray(compiled()))


def test_masks_have_their_share_and_no_correlation() -> None:
    made = layer(rate=0.1)
    dropped = 1.0 - np.array([mask(made, step).ravel() for step in range(150)])
    assert dropped.mean() == pytest.approx(0.1, abs=4 * np.sqrt(0.09 / dropped.size))
    assert dropped.mean(axis=1).std() == pytest.approx(np.sqrt(0.09 / dropped.shape[1]), rel=0.3)
    between_steps = np.corrcoef(dropped)[~np.eye(150, dtype=bool)]
    between_units = np.corrcoef(dropped.T[:400])[~np.eye(400, dtype=bool)]
    assert between_steps.std() == pytest.approx(dropped.shape[1] ** -0.5, rel=0.1)
    assert between_units.std() == pytest.approx(150**-0.5, rel=0.1)


def test_hash_is_that_of_the_source() -> None:
    """Values of lowbias32 computed with Python's integers."""

    def lowbias32(word: int) -> int:
        word = (word ^ word >> 16) * 0x7FEB352D % 2**32
        word = (word ^ word >> 15) * 0x846CA68B % 2**32
        return word ^ word >> 16

    words = np.array([0, 1, 2, 0xDEADBEEF, 2**32 - 1], np.uint32)
    found = np.asarray(hashed(keras.ops.convert_to_tensor(words)))
    assert found.tolist() == [lowbias32(int(word)) for word in words]
