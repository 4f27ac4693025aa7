"""The same training twice: through bptrain's engine, and in a plain loop over batches with Keras alone.

`python plain_loop.py FILE` writes the weights that the engine finds with every optimizer, and some masks of dropout, to
FILE, so that a test can run it with another KERAS_BACKEND.
"""

from __future__ import annotations

import sys
import typing
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
from builders import frame_of
from networks import mlp
from one_training import train

from bptrain.features import preparer
from bptrain.features.categorical.options import CategoricalOptions
from bptrain.features.numeric.options import NumericOptions
from bptrain.models.build import build, losses, output_name, set_weights, weights_of
from bptrain.models.layers import STEP, Dropout
from bptrain.targets import preparer as targets_preparer
from bptrain.targets.classification.options import MulticlassOptions
from bptrain.targets.regression.options import RegressionOptions
from bptrain.training import dataset as batches
from bptrain.training.dataset import ArrayDataset, permutation
from bptrain.training.options import KnownOptimizer, TrainingOptions

N_ROWS, BATCH, EPOCHS, SEED = 45, 8, 3, 7  # the last batch of an epoch has 5 rows
MODEL = mlp(hidden=(9,), activation="tanh", l2=0.01)
KINDS = [kind.model_fields["kind"].default for kind in typing.get_args(typing.get_args(KnownOptimizer)[0])]
RATES = {"sgd": 0.02, "adagrad": 0.05, "lion": 0.003}
BY_KERAS: dict[str, Any] = {
    "sgd": lambda rate, **rest: keras.optimizers.SGD(rate, momentum=0.9, nesterov=True, **rest),
    "rmsprop": lambda rate, **rest: keras.optimizers.RMSprop(rate, momentum=0.5, **rest),
    "adam": lambda rate, **rest: keras.optimizers.Adam(rate, **rest),
    "adamw": lambda rate, **rest: keras.optimizers.AdamW(rate, weight_decay=0.1, **rest),
    "nadam": lambda rate, **rest: keras.optimizers.Nadam(rate, **rest),
    "adagrad": lambda rate, **rest: keras.optimizers.Adagrad(rate, **rest),
    "lion": lambda rate, **rest: keras.optimizers.Lion(rate, **rest),
}
OURS: dict[str, dict[str, Any]] = {
    "sgd": {"momentum": 0.9, "nesterov": True},
    "rmsprop": {"momentum": 0.5},
    "adamw": {"weight_decay": 0.1},
}
Weights = dict[str, np.ndarray]


def by_the_engine(kind: str, *, engine: str = "auto", streamed: bool = False, **options: Any) -> Weights:
    """The weights after training as `bptrain fit` does."""
    network, functions, examples = _made()
    optimizer = {"kind": kind, "learning_rate": RATES.get(kind, 0.01)} | OURS.get(kind, {})
    steps = {"optimizer": optimizer, "batch_size": BATCH, "epochs": EPOCHS, "patience": None, "engine": engine}
    chosen = TrainingOptions.model_validate(steps | options)
    given = ArrayDataset(examples.inputs, examples.truths, examples.weights, streamed)
    with small_shuffle_buffers():
        train(network, given, None, functions, chosen, seed=SEED)
    return weights_of(network)


@contextmanager
def small_shuffle_buffers() -> Iterator[None]:
    """Streamed rows in several chunks and windows, few as they are."""
    before = batches.CHUNK_ROWS, batches.BUFFER_BYTES
    batches.CHUNK_ROWS, batches.BUFFER_BYTES = 4, 600
    try:
        yield
    finally:
        batches.CHUNK_ROWS, batches.BUFFER_BYTES = before


def order(epoch: int, *, streamed: bool, examples: ArrayDataset) -> np.ndarray:
    """The documented order of rows in an epoch."""
    if not streamed:
        return permutation(SEED, epoch, N_ROWS)
    with small_shuffle_buffers():
        window_rows = ArrayDataset(examples.inputs, examples.truths, examples.weights, streamed).shuffle_buffer_rows
        assert window_rows is not None
        assert batches.CHUNK_ROWS < window_rows < N_ROWS / 2
        return np.concatenate(list(batches.shuffle_buffers(SEED, epoch, N_ROWS, window_rows)))


def masks() -> dict[str, np.ndarray]:
    """Masks of dropout at some steps."""
    layer = Dropout(
        0.25,
        seed=1,
        name="hidden_1_dropout",
        step=keras.Variable(0, trainable=False, dtype="int32", name=STEP),
        counts=True,
    )
    found = {}
    for step in (0, 1, 2**31 - 1):
        layer.step.assign(step)
        found[str(step)] = np.asarray(layer.mask((33, 65)))
    return found


def by_keras(kind: str, *, streamed: bool = False, **options: Any) -> Weights:
    """The weights after `train_on_batch` on the same batches, with Keras' own losses and optimizer."""
    network, _, examples = _made()
    optimizer = BY_KERAS[kind](RATES.get(kind, 0.01), **options)
    if optimizer.weight_decay:
        optimizer.exclude_from_weight_decay(var_names=["bias"])
    its_losses = [
        keras.losses.MeanSquaredError(),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    ]
    network.compile(optimizer, {output_name(i): loss for i, loss in enumerate(its_losses)}, run_eagerly=True)
    for epoch in range(EPOCHS):
        rows_in_order = order(epoch, streamed=streamed, examples=examples)
        for start in range(0, N_ROWS, BATCH):
            rows = rows_in_order[start : start + BATCH]
            batch = [{name: array[rows] for name, array in part.items()} for part in examples.parts]
            network.train_on_batch(*batch)
    return weights_of(network)


def difference(found: Weights, expected: Weights) -> float:
    """Norm of the difference, of all weights together, over the norm of what is expected."""
    assert found.keys() == expected.keys()
    return _norm({name: found[name] - expected[name] for name in expected}) / _norm(expected)


def _norm(weights: Weights) -> float:
    return float(np.sqrt(sum(np.sum(np.square(weight, dtype=np.float64)) for weight in weights.values())))


def _made() -> tuple[keras.Model, Any, ArrayDataset]:
    """A network with two outputs, its losses, and rows with weights; the same each time."""
    rng, float_type = np.random.default_rng(0), keras.config.floatx()
    cells = {
        "x": rng.normal(size=N_ROWS),
        "z": rng.normal(size=N_ROWS),
        "c": rng.choice(["red", "green", "blue"], N_ROWS),
        "number": rng.normal(size=N_ROWS),
        "label": np.array(["a", "b", "c"])[np.arange(N_ROWS) % 3],
    }
    frame = frame_of(cells)
    columns = {"x": NumericOptions(), "z": NumericOptions(), "c": CategoricalOptions(min_count=1)}
    targets = {"number": RegressionOptions(), "label": MulticlassOptions()}
    column_states, target_states = preparer.learn(frame, columns), targets_preparer.learn(frame, targets)
    arrays, _ = targets_preparer.encode(target_states, frame)
    truths = {output_name(i): a.astype(float_type) if a.dtype.kind == "f" else a for i, a in enumerate(arrays)}
    weights = {name: rng.uniform(0.2, 3.0, N_ROWS).astype(float_type) for name in truths}
    inputs = preparer.transform(column_states, frame).arrays
    inputs = {name: a.astype(float_type) if a.dtype.kind == "f" else a for name, a in inputs.items()}
    network = build(column_states, target_states, MODEL, seed=SEED).model
    first = {name: rng.normal(0.0, 0.5, array.shape) for name, array in weights_of(network).items()}
    set_weights(network, first)  # those of the initializer depend on the backend
    return network, losses(target_states), ArrayDataset(inputs, truths, weights)


if __name__ == "__main__":
    from bptrain.models import backend

    backend.start(threads=2)
    found = {kind: by_the_engine(kind) for kind in KINDS} | {"streamed": by_the_engine("adam", streamed=True)}
    found["masks"] = masks()
    np.savez(sys.argv[1], **{f"{kind}:{name}": array for kind, part in found.items() for name, array in part.items()})
