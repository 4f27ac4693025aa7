"""The engine under `fit()`: compiled or plain, in one block or several, it makes the same steps."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from gradients import Subject, column_settings, draw, target_settings
from networks import mlp
from one_training import train

from bptrain.models.build import weights_of
from bptrain.models.layers import Dropout
from bptrain.models.options import ResolvedModel
from bptrain.training import trainer as engine
from bptrain.training.dataset import ArrayDataset
from bptrain.training.loops.tensorflow import TensorFlowLoop
from bptrain.training.options import AdamwOptions, TrainingOptions
from bptrain.training.state import TrainResult
from bptrain.training.trainer import compiling_pays

pytestmark = pytest.mark.usefixtures("backend")
EVERYTHING = mlp(hidden=(6, 5), dropout=0.3, normalization="batch", l2=0.01)


def subject(model: ResolvedModel = EVERYTHING, n_rows: int = 37) -> Subject:
    """All kinds of columns and all tasks, with a weight for each row."""
    by_task = {options.task: options for options in target_settings()}
    columns = [options for kind in ("numeric", "categorical") for options in column_settings(kind)]
    made = draw(model, columns, list(by_task.values()), np.random.default_rng(3), n_rows)
    weights = {name: np.linspace(0.5, 1.5, n_rows, dtype=np.float32) for name in made.examples.truths}
    return Subject(made.network, made.losses, ArrayDataset(made.examples.inputs, made.examples.truths, weights))


def trained(**options: Any) -> tuple[TrainResult, dict[str, np.ndarray]]:
    made = subject()
    chosen = TrainingOptions(
        **({"optimizer": AdamwOptions(weight_decay=0.1), "batch_size": 8, "epochs": 4, "clip_norm": 1.0} | options)
    )
    result = train(made.network, made.examples, made.examples, made.losses, chosen, seed=5)
    return result, weights_of(made.network)


def test_compiled_and_plain_steps_are_the_same() -> None:
    (plain, plain_weights), (compiled, compiled_weights) = trained(engine="plain"), trained(engine="compiled")
    for one, other in zip(plain.history, compiled.history, strict=True):
        assert one == pytest.approx(other, rel=1e-4)
    for name, weight in plain_weights.items():
        np.testing.assert_allclose(weight, compiled_weights[name], rtol=2e-3, atol=2e-4, err_msg=name)


@pytest.mark.parametrize("kind", ["plain", "compiled"])
def test_several_blocks_make_the_steps_of_one(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """To the bit when plain; XLA compiles a loop of one step otherwise than one of several."""
    whole, weights = trained(engine=kind)
    monkeypatch.setattr(engine, "BLOCK_SECONDS", 0.0)
    parts, same = trained(engine=kind)
    precision = 1e-12 if kind == "plain" else 1e-4
    for one, other in zip(parts.history, whole.history, strict=True):
        assert one["validation_loss"] == pytest.approx(other["validation_loss"], rel=precision)
        assert one["loss"] == pytest.approx(other["loss"], rel=max(precision, 1e-6))
    for name, weight in weights.items():
        np.testing.assert_allclose(weight, same[name], rtol=20 * precision, atol=2 * precision, err_msg=name)


@pytest.mark.parametrize("chosen", ["auto", "plain", "compiled"])
def test_option_decides_whether_it_is_compiled(chosen: str, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    original = TensorFlowLoop.compile
    monkeypatch.setattr(
        TensorFlowLoop, "compile", lambda self, **given: (seen.append(given["jit_compile"]), original(self, **given))
    )
    trained(engine=chosen, epochs=1)
    assert seen == [chosen == "compiled"]


def test_auto_compiles_where_it_pays() -> None:
    assert not compiling_pays(n_rows=220, batch_size=32, n_activations=128, epochs=200)
    assert compiling_pays(n_rows=20_000, batch_size=32, n_activations=128, epochs=200)
    assert not compiling_pays(n_rows=20_000, batch_size=32, n_activations=128, epochs=1)
    assert not compiling_pays(n_rows=1000, batch_size=64, n_activations=5000, epochs=200)
    assert compiling_pays(n_rows=1000, batch_size=64, n_activations=5000, epochs=200, n_trainings=5)


def test_history_is_the_mean_over_all_rows_by_weight_with_a_smaller_last_batch() -> None:
    """With a learning rate of almost nothing, every batch sees the first weights."""
    made = subject(mlp(hidden=(4,)))
    outputs = made.network(made.examples.inputs, training=False)
    weights = made.examples.weights
    assert weights is not None
    expected = sum(
        np.average(np.asarray(loss(made.examples.truths[name], outputs[name])), weights=weights[name])
        for name, loss in made.losses.items()
    )
    options = TrainingOptions(optimizer={"kind": "sgd", "learning_rate": 1e-12}, batch_size=8, epochs=1)  # type: ignore[arg-type]
    result = train(made.network, made.examples, None, made.losses, options, seed=0)
    assert result.history[0]["loss"] == pytest.approx(expected, rel=1e-5)


def test_steps_are_counted_once_however_many_layers_drop() -> None:
    made = subject(mlp(hidden=(4, 4, 4), dropout=0.2))
    options = TrainingOptions(batch_size=8, epochs=3)
    train(made.network, made.examples, None, made.losses, options, seed=0)
    counters = {id(each.step): int(each.step) for each in made.network.layers if isinstance(each, Dropout)}
    assert list(counters.values()) == [3 * 5]
