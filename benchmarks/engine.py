"""Samples per second of training: bptrain's engine against plain Keras, scikit-learn and loops written by hand.

python benchmarks/engine.py [rounds]          every contestant in a process of its own, interleaved, median of `rounds`
python benchmarks/engine.py --one NAME NET    one contestant: prints samples per second and the share of CPU used
python benchmarks/engine.py --tiny            few rows, two contestants, nothing is written: does the script still run?

Writes benchmarks/engine.md; exit 1 if a bound does not hold. PyTorch and JAX take part where they are installed.
"""

from __future__ import annotations

import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parent / "engine.md"
THREADS = 2
LEARNING_RATE = 1e-3


@dataclass(frozen=True)
class Net:
    """A regression MLP of relu layers, its made table, and how many epochs are timed after the first."""

    widths: tuple[int, ...]
    batch: int
    n_rows: int
    n_columns: int
    epochs: int

    @property
    def flops(self) -> int:
        """Of forward and backward pass and one sample: 6 per weight."""
        return 6 * sum(a * b for a, b in pairwise((self.n_columns, *self.widths, 1)))


NETS = {
    "2x64": Net((64, 64), 32, 50_000, 32, 8),
    "2x256": Net((256, 256), 256, 100_000, 32, 4),
    "3x1024": Net((1024, 1024, 1024), 1024, 200_000, 64, 1),
}
TINY = {"2x64": Net((8, 8), 32, 320, 4, 2)}
TINY_CONTESTANTS = ("keras", "bptrain")
SLOW = {"keras": 2, "keras_best": 3, "scikit_learn": 2, "torch": 2}  # epochs that are enough for those


def main() -> int:
    """Measure everything and write the page."""
    arguments = [argument for argument in sys.argv[1:] if argument != "--tiny"]
    tiny = "--tiny" in sys.argv[1:]
    nets, contestants = (TINY, TINY_CONTESTANTS) if tiny else (NETS, tuple(CONTESTANTS))
    if arguments[:1] == ["--one"]:
        print(json.dumps(CONTESTANTS[arguments[1]](nets[arguments[2]], *map(float, arguments[3:]))))
        return 0
    rounds = 1 if tiny else int(arguments[0]) if arguments else 5
    found: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for number in range(rounds):
        for net in nets:
            for name in contestants:
                measured = _measured(name, net, tiny=tiny)
                if measured is not None:
                    found.setdefault((name, net), []).append(measured)
                    print(f"round {number + 1} {net} {name}: {measured[0]:.0f}/s at {measured[1]:.0%} CPU", flush=True)
    medians = {
        key: (statistics.median(a for a, _ in values), statistics.median(b for _, b in values))
        for key, values in found.items()
    }
    if tiny:
        print(_page(medians, [], rounds))
        return 0 if len(medians) == len(contestants) else 1
    bounds = list(_bounds(medians))
    PAGE.write_text(_page(medians, bounds, rounds), encoding="utf-8")
    print(PAGE.read_text(encoding="utf-8"))
    return 0 if all(holds for _, _, holds in bounds) else 1


def _measured(name: str, net: str, *, tiny: bool) -> tuple[float, float] | None:
    command = [sys.executable, str(Path(__file__)), "--one", name, net, *(["--tiny"] if tiny else [])]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        print(f"{net} {name}: {done.stderr.strip().splitlines()[-1]}", flush=True)
        return None
    speed, cpu = json.loads(done.stdout.strip().splitlines()[-1])
    return speed, cpu


def _bounds(medians: dict[tuple[str, str], tuple[float, float]]) -> Iterator[tuple[str, float, bool]]:
    """Each promise, what was measured, and whether it holds."""

    def ratio(net: str, name: str) -> float:
        return medians["bptrain", net][0] / medians[name, net][0]

    for net, of_default, of_best in (("2x64", 25, 8), ("2x256", 2.5, 2)):
        yield f"{net}: at least {of_default} × Keras' defaults", ratio(net, "keras"), ratio(net, "keras") >= of_default
        yield (
            f"{net}: at least {of_best} × Keras at its best",
            ratio(net, "keras_best"),
            ratio(net, "keras_best") >= of_best,
        )
        best = max(medians[name, net][0] for name in ("xla_loop", "jax_scan") if (name, net) in medians)
        value = medians["bptrain", net][0] / best
        yield f"{net}: at least 0.9 × the better loop written by hand", value, value >= 0.9
    large = ratio("3x1024", "keras_best")
    yield "3x1024: at least 1.0 × Keras at its best", large, large >= 1.0
    speed, cpu = medians["bptrain", "3x1024"]
    gflops, gemm_cpu = medians["sgemm", "3x1024"]
    value = (speed * NETS["3x1024"].flops / cpu) / (gflops / gemm_cpu)
    yield "3x1024: at least 0.9 × sgemm of 1024³ per CPU-second", value, value >= 0.9
    yield "3x1024: both cores busy, at least 160 % CPU", cpu, cpu >= 1.6
    for net in NETS:
        cost = medians["bptrain", net][0] / medians["bptrain_dropout", net][0] - 1
        yield f"{net}: dropout 0.1 costs at most 15 %", cost, cost <= 0.15


def _page(
    medians: dict[tuple[str, str], tuple[float, float]], bounds: list[tuple[str, float, bool]], rounds: int
) -> str:
    names = [name for name in CONTESTANTS if name != "sgemm"]
    lines = [
        "# Speed of training",
        "",
        f"`make bench-engine`: samples per second once a program is compiled, {THREADS} threads, median of {rounds}",
        "rounds of processes that follow one another; CPU in brackets. Compare columns of one run only.",
        "",
        "| contestant | " + " | ".join(f"{net}, batch {each.batch}" for net, each in NETS.items()) + " |",
        "|---|" + "---|" * len(NETS),
    ]
    for name in names:
        cells = [medians.get((name, net)) for net in NETS]
        shown = ["-" if cell is None else f"{cell[0]:,.0f} ({cell[1]:.0%})" for cell in cells]
        lines.append(f"| {name} | {' | '.join(shown)} |")
    lines += ["", "| promise | measured | holds |", "|---|---|---|"]
    lines += [f"| {text} | {value:.2f} | {'yes' if holds else 'NO'} |" for text, value, holds in bounds]
    return "\n".join(lines) + "\n"


# The contestants: each makes its data, trains, and gives (samples per second, CPU seconds per second)


def data(net: Net) -> tuple[Any, Any]:
    import numpy as np

    rng = np.random.default_rng(0)
    columns = rng.normal(size=(net.n_rows, net.n_columns)).astype(np.float32)
    truth = np.tanh(columns[:, :1]) + 0.1 * rng.normal(size=(net.n_rows, 1)).astype(np.float32)
    return columns, truth.astype(np.float32)


class Watch:
    """Seconds and CPU seconds of every epoch, the first left out: it compiles."""

    def __init__(self) -> None:
        self.times: list[tuple[float, float]] = []

    def __call__(self) -> None:
        usage = resource.getrusage(resource.RUSAGE_SELF)
        self.times.append((time.perf_counter(), usage.ru_utime + usage.ru_stime))

    def result(self, net: Net) -> tuple[float, float]:
        """Of the fastest half of the epochs: others were disturbed."""
        epochs = sorted((b[0] - a[0], b[1] - a[1]) for a, b in pairwise(self.times))[: max(1, len(self.times) // 2)]
        seconds, cpu = (sum(parts) for parts in zip(*epochs, strict=True))
        return len(epochs) * net.n_rows / seconds, cpu / seconds


def _keras_network(net: Net) -> Any:
    import keras

    inputs = hidden = keras.Input((net.n_columns,))
    for units in net.widths:
        hidden = keras.layers.Dense(units, activation="relu")(hidden)
    return keras.Model(inputs, keras.layers.Dense(1)(hidden))


def _few(name: str, net: Net) -> int:
    """Epochs to time after the first, of a slow contestant."""
    return min(SLOW[name], net.epochs)


def _start() -> None:
    """TensorFlow with these threads and nothing else of bptrain's settings."""
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(THREADS)


def _keras(net: Net, epochs: int, **options: Any) -> tuple[float, float]:
    _start()
    import keras

    watch, network = Watch(), _keras_network(net)
    network.compile(optimizer=keras.optimizers.Adam(LEARNING_RATE), loss="mse", **options)
    callback = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: watch())
    network.fit(*data(net), batch_size=net.batch, epochs=epochs + 1, verbose=0, callbacks=[callback])
    return watch.result(net)


def keras(net: Net) -> tuple[float, float]:
    """Plain Keras, its defaults."""
    return _keras(net, _few("keras", net))


def keras_best(net: Net) -> tuple[float, float]:
    """Keras with XLA, at the best of three numbers of steps per execution."""
    n_steps = net.n_rows // net.batch
    numbers = sorted({min(number, n_steps // 2) for number in (50, 200, 1000)})
    epochs = _few("keras_best", net)
    return max(_keras(net, epochs, jit_compile=True, steps_per_execution=number) for number in numbers)


def scikit_learn(net: Net) -> tuple[float, float]:
    """scikit-learn's MLPRegressor, an epoch at a time."""
    from sklearn.neural_network import MLPRegressor

    columns, truth = data(net)
    settings = {"batch_size": net.batch, "learning_rate_init": LEARNING_RATE}
    model, watch = MLPRegressor(hidden_layer_sizes=net.widths, **settings), Watch()
    for _ in range(_few("scikit_learn", net) + 1):
        model.partial_fit(columns, truth[:, 0])
        watch()
    return watch.result(net)


def torch(net: Net) -> tuple[float, float]:
    """A loop in PyTorch, rows taken by a permutation of resident tensors."""
    import torch

    torch.set_num_threads(THREADS)
    columns, truth = map(torch.from_numpy, data(net))
    layers: list[Any] = []
    for a, b in pairwise((net.n_columns, *net.widths)):
        layers += [torch.nn.Linear(a, b), torch.nn.ReLU()]
    model, watch = torch.nn.Sequential(*layers, torch.nn.Linear(net.widths[-1], 1)), Watch()
    chosen = torch.optim.Adam(model.parameters(), LEARNING_RATE)
    for _ in range(_few("torch", net) + 1):
        for rows in torch.randperm(net.n_rows).split(net.batch):
            loss = torch.nn.functional.mse_loss(model(columns[rows]), truth[rows])
            chosen.zero_grad()
            loss.backward()
            chosen.step()
        watch()
    return watch.result(net)


def _shapes(net: Net) -> list[tuple[int, ...]]:
    return [shape for a, b in pairwise((net.n_columns, *net.widths, 1)) for shape in ((a, b), (b,))]


def _first_weights(net: Net) -> list[Any]:
    import numpy as np

    rng = np.random.default_rng(1)
    return [
        (rng.normal(size=shape) * (2 / shape[0]) ** 0.5 * (len(shape) > 1)).astype(np.float32) for shape in _shapes(net)
    ]


def xla_loop(net: Net) -> tuple[float, float]:
    """TensorFlow's operations, gradients and Adam written out, an epoch in one compiled loop on resident data."""
    _start()
    import numpy as np
    import tensorflow as tf

    columns, truth = map(tf.constant, data(net))
    weights = [tf.constant(weight) for weight in _first_weights(net)]
    state = (weights, [tf.zeros_like(w) for w in weights], [tf.zeros_like(w) for w in weights], tf.constant(0.0))

    def forward(weights: Any, rows: Any) -> Any:
        hidden = tf.gather(columns, rows)
        for position in range(0, len(weights) - 2, 2):
            hidden = tf.nn.relu(hidden @ weights[position] + weights[position + 1])
        return tf.reduce_mean((hidden @ weights[-2] + weights[-1] - tf.gather(truth, rows)) ** 2)

    @tf.function(jit_compile=True)
    def epoch(state: Any, order: Any) -> Any:
        def step(number: Any, state: Any) -> Any:
            weights, first, second, time_ = state
            with tf.GradientTape() as tape:
                tape.watch(weights)
                loss = forward(weights, order[number])
            gradients = tape.gradient(loss, weights)
            time_ = time_ + 1
            first = [0.9 * m + 0.1 * g for m, g in zip(first, gradients, strict=True)]
            second = [0.999 * v + 0.001 * g * g for v, g in zip(second, gradients, strict=True)]
            rate = LEARNING_RATE * tf.sqrt(1 - 0.999**time_) / (1 - 0.9**time_)
            weights = [w - rate * m / (tf.sqrt(v) + 1e-7) for w, m, v in zip(weights, first, second, strict=True)]
            return number + 1, (weights, first, second, time_)

        return tf.while_loop(lambda number, state: number < tf.shape(order)[0], step, (0, state))[1]

    return _epochs(net, lambda order: epoch(state, tf.constant(order.astype(np.int32)))[3].numpy())


def jax_scan(net: Net) -> tuple[float, float]:
    """The same in JAX: an epoch is one `lax.scan`."""
    import jax
    import jax.numpy as jnp
    import numpy as np

    columns, truth = map(jnp.asarray, data(net))
    weights = [jnp.asarray(weight) for weight in _first_weights(net)]
    state = (weights, [jnp.zeros_like(w) for w in weights], [jnp.zeros_like(w) for w in weights], 0.0)

    def loss(weights: Any, rows: Any) -> Any:
        hidden = columns[rows]
        for position in range(0, len(weights) - 2, 2):
            hidden = jax.nn.relu(hidden @ weights[position] + weights[position + 1])
        return jnp.mean((hidden @ weights[-2] + weights[-1] - truth[rows]) ** 2)

    def step(state: Any, rows: Any) -> Any:
        weights, first, second, time_ = state
        gradients = jax.grad(loss)(weights, rows)
        time_ = time_ + 1
        first = [0.9 * m + 0.1 * g for m, g in zip(first, gradients, strict=True)]
        second = [0.999 * v + 0.001 * g * g for v, g in zip(second, gradients, strict=True)]
        rate = LEARNING_RATE * jnp.sqrt(1 - 0.999**time_) / (1 - 0.9**time_)
        weights = [w - rate * m / (jnp.sqrt(v) + 1e-7) for w, m, v in zip(weights, first, second, strict=True)]
        return (weights, first, second, time_), None

    epoch = jax.jit(lambda order: jax.lax.scan(step, state, order)[0])
    return _epochs(net, lambda order: epoch(jnp.asarray(order.astype(np.int32)))[3].block_until_ready())


def _epochs(net: Net, run: Callable[[Any], Any]) -> tuple[float, float]:
    import numpy as np

    watch, n_steps = Watch(), net.n_rows // net.batch
    for number in range(net.epochs + 1):
        order = np.random.default_rng(number).permutation(net.n_rows)[: n_steps * net.batch]
        run(order.reshape(n_steps, net.batch))
        watch()
    return watch.result(net)


def bptrain(net: Net, dropout: float = 0.0) -> tuple[float, float]:
    """What `bptrain fit` trains with, through Keras' `fit()`."""
    from bptrain.models import backend

    backend.start(threads=THREADS)
    import numpy as np
    import pyarrow as pa

    from bptrain.data.frame import Frame
    from bptrain.features.numeric.options import NumericOptions
    from bptrain.features.preparer import learn
    from bptrain.models.build import build, losses, output_name
    from bptrain.models.options import ResolvedModel
    from bptrain.targets import preparer as targets_preparer
    from bptrain.targets.regression.options import RegressionOptions
    from bptrain.training.dataset import ArrayDataset
    from bptrain.training.options import AdamOptions, ResolvedTraining
    from bptrain.training.trainer import Hooks, Trainer

    columns, truth = data(net)
    names = [f"x{number}" for number in range(net.n_columns)]
    few = pa.table({**{name: columns[:100, i] for i, name in enumerate(names)}, "y": truth[:100, 0]})
    frame, watch = Frame(few, np.arange(100)), Watch()
    states = learn(frame, dict.fromkeys(names, NumericOptions()))
    targets = targets_preparer.learn(frame, {"y": RegressionOptions()})
    model = ResolvedModel(
        kind="mlp",
        hidden=net.widths,
        initializer="by_activation",
        dropout=dropout,
        linear=False,
        members=1,
        ensemble_selection=None,
        networks=1,
    )
    network = build(states, targets, model, seed=0)
    options = ResolvedTraining(
        optimizer=AdamOptions(learning_rate=LEARNING_RATE),
        batch_size=net.batch,
        last_batch="keep",
        epochs=net.epochs + 1,
        patience=16,
        ema_momentum=None,
        monitor="loss",
        engine="compiled",
    )
    examples = ArrayDataset({"numeric": columns}, {output_name(0): truth})
    trainer = Trainer(network, examples, losses(targets), losses(targets), options, n_rows=examples.n_rows)
    trainer.train(None, None, seed=0, hooks=Hooks(on_epoch=lambda row: watch()))
    return watch.result(net)


def bptrain_dropout(net: Net) -> tuple[float, float]:
    """The same with dropout 0.1."""
    return bptrain(net, dropout=0.1)


def bptrain_jax(net: Net) -> tuple[float, float]:
    """The same on JAX, without dropout."""
    import os

    os.environ["KERAS_BACKEND"] = "jax"
    return bptrain(net)


def sgemm(net: Net) -> tuple[float, float]:
    """Not a contestant: FLOP per second of NumPy's product of two matrices of 1024 × 1024."""
    import os

    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = str(THREADS)
    import numpy as np

    a = np.random.default_rng(0).normal(size=(1024, 1024)).astype(np.float32)
    watch = Watch()
    for _ in range(20):
        for _ in range(10):
            a @ a
        watch()
    per_round = Net((1,), 1, 10, 1, 1)  # 10 products a round
    speed, cpu = watch.result(per_round)
    return speed * 2 * 1024**3, cpu


CONTESTANTS: dict[str, Callable[..., tuple[float, float]]] = {
    each.__name__: each
    for each in (
        keras,
        keras_best,
        scikit_learn,
        torch,
        jax_scan,
        xla_loop,
        bptrain,
        bptrain_dropout,
        bptrain_jax,
        sgemm,
    )
}

if __name__ == "__main__":
    sys.exit(main())
