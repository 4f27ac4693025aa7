"""Whether backpropagation is right: the gradient of the training loss against central differences.

What is checked is listed by the config's schema, so a later activation, layer, loss, head or kind is checked as soon as
it can be configured. Everything runs in float64 (fixture `float64`) on networks that `bptrain.models.build` makes
from states learned on random rows, with the loss that training minimises: penalties included, training mode.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from typing import Any

import keras
import numpy as np
import pyarrow as pa
import tensorflow as tf

from bptrain.data.frame import Frame
from bptrain.features import kinds, preparer
from bptrain.models.build import build, losses, output_name, set_weights, weights_of
from bptrain.models.options import ResolvedModel
from bptrain.targets import preparer as targets_preparer
from bptrain.targets.target_options import TargetOptions
from bptrain.targets.tasks import TASKS
from bptrain.training.dataset import ArrayDataset
from bptrain.training.train_step import Batch, objective
from bptrain.utils.section import Section

TOLERANCE = 1e-7
STEP = 1e-5  # near the cube root of float64's precision, where truncation and rounding are about equally small
TWO_POINTS = {1.0: 0.5, -1.0: -0.5}  # second order
FOUR_POINTS = {1.0: 2 / 3, -1.0: -2 / 3, 2.0: -1 / 12, -2.0: 1 / 12}  # fourth order: Fornberg 1988, table 1
KINK_DISTANCE = 1e-4  # in units of a pre-activation: several steps, as these have weights of order 1
CHANGE_INPUTS = {"encoding", "indicator", "cyclic"}  # the other options of a kind change numbers, which are random here
SMALL = {"hidden": (4, 3), "initializer": "auto"}  # first weights are drawn by the tests

CELLS: dict[str, Callable[[np.random.Generator, int], list[Any]]] = {  # per kind: cells that use all of its inputs
    "boolean": lambda rng, n_rows: [None, True, False, *rng.choice([True, False], n_rows - 3).tolist()],
    "date": lambda rng, n_rows: [None, *(f"2024-{m:02}-17 0{m % 9}:30" for m in rng.integers(1, 13, n_rows - 1))],
    "numeric": lambda rng, n_rows: [None, *rng.normal(2.0, 3.0, n_rows - 1).tolist()],
    "ordinal": lambda rng, n_rows: [None, *rng.choice(["low", "mid", "high"], n_rows - 1).tolist()],
    "categorical": lambda rng, n_rows: [None, *rng.choice(["red", "green", "blue", "grey"], n_rows - 1).tolist()],
}
TRUTHS: dict[str, Callable[[np.random.Generator, int], list[Any]]] = {  # per task: cells with every label
    "binary": lambda rng, n_rows: rng.permutation(np.arange(n_rows) % 2).tolist(),
    "multiclass": lambda rng, n_rows: np.array(["a", "b", "c"])[rng.permutation(np.arange(n_rows) % 3)].tolist(),
    "regression": lambda rng, n_rows: rng.gamma(4.0, 2.0, n_rows).tolist(),  # above zero, for counts
}


# What can be configured


def variants(union: Any) -> tuple[type[Section], ...]:
    """The option classes of a section: those of a union, or the one."""
    if typing.get_origin(union) is typing.Annotated:
        return variants(typing.get_args(union)[0])
    if typing.get_origin(union) in (typing.Union, types.UnionType):
        return tuple(variant for part in typing.get_args(union) for variant in variants(part))
    return (union,)


def settings(options: type[Section], fixed: Mapping[str, Any] | None = None) -> Iterator[Section]:
    """The options with every combination of their switches and named choices; the rest at its default or `fixed`."""
    own = {name: value for name, value in (fixed or {}).items() if name in options.model_fields}
    choices = {name: _choices(field.annotation) for name, field in options.model_fields.items() if name not in own}
    open_ = {name: values for name, values in choices.items() if len(values) > 1}
    for chosen in product(*open_.values()):
        yield options(**own, **dict(zip(open_, chosen, strict=True)))


def model_settings(**fixed: Any) -> list[Any]:
    """Every combination of activation and normalisation, and of members and a skip for one of them, at a small size.

    Presets differ in what they put for `auto` alone.
    """
    one = {"kind": "mlp", "networks": 1, "dropout": 0.0, "ensemble_selection": None, "initializer": "by_activation"}
    plain = settings(ResolvedModel, SMALL | one | {"members": 1, "linear": False} | fixed)
    others = [settings(ResolvedModel, SMALL | one | {"members": n, "activation": "tanh"} | fixed) for n in (1, 3)]
    several = (each for part in others for each in part if each.linear or each.members > 1)
    return [*plain, *(each for each in several if each.linear != "half" or each.members > 1)]


def column_settings(kind: str) -> list[Any]:
    """Every combination of a kind's options that change its inputs, such as encodings and indicators."""
    options = kinds.KINDS[kind].options
    fixed = {"min_count": 1, "parts": ("month", "year"), "order": ("low", "mid", "high")}  # where a kind has them
    others = {name: field.default for name, field in options.model_fields.items() if name not in CHANGE_INPUTS}
    return list(settings(options, others | fixed))


def target_settings() -> list[Any]:
    """Every loss of every task."""
    fixed = {"transform": "none", "clip": False}  # both are no part of the loss
    chosen = (options for task in variants(TargetOptions) for options in settings(task, fixed))
    return [options for options in chosen if options.task in TASKS]


def label(options: Section) -> str:
    """What a setting changes from the defaults, for the name of a test."""
    changed = options.model_dump(exclude_defaults=True, exclude=set(SMALL) | {"kind", "task", "loss", "activation"})
    named = [str(getattr(options, name)) for name in ("kind", "task", "activation") if hasattr(options, name)]
    if isinstance(loss := getattr(options, "loss", None), Section):
        named.append("-".join(str(value) for value in loss.model_dump().values()))
    return "-".join(named + [f"{name}={value}" for name, value in changed.items()])


def _choices(annotation: Any) -> tuple[Any, ...]:
    """Every value of a switch or a named choice, and every variant of a section with its own choices."""
    if annotation is bool:
        return (False, True)
    if typing.get_origin(annotation) is typing.Literal:
        return typing.get_args(annotation)
    parts = typing.get_args(annotation)
    if len(parts) == 2 and parts[0] is bool:  # a switch with further positions
        return tuple(choice for part in parts for choice in _choices(part))
    sections = [each for each in variants(annotation) if isinstance(each, type) and issubclass(each, Section)]
    return tuple(made for each in sections for made in settings(each))


# A network and rows for it


@dataclass(frozen=True)
class Subject:
    """A network compiled as for training, its loss functions, and rows away from the kinks of its activations."""

    network: keras.Model
    losses: Mapping[str, Callable[[Any, Any], Any]]
    examples: ArrayDataset

    def loss(self) -> Any:
        """The scalar that training minimises on these rows, penalties included."""
        weights = [variable.value for variable in self.network.trainable_variables]
        others = [variable.value for variable in self.network.non_trainable_variables]
        batch = Batch(self.examples.inputs, self.examples.truths, {})
        return objective(self.network, self.losses, weights, others, batch)[0]


def make_subject(
    model: Any, columns: Iterable[Any], targets: Iterable[Any], *, seed: int, n_rows: int = 12, tries: int = 100
) -> Subject:
    """A network with random weights and random rows, drawn again while any pre-activation is close to a kink.

    Raises AssertionError when no draw is left.
    """
    columns, targets = list(columns), list(targets)
    for attempt in range(tries):
        found = draw(model, columns, targets, np.random.default_rng([seed, attempt]), n_rows)
        _require_float64(found)
        if not near_kink(found):
            return found
    raise AssertionError(f"each of {tries} draws came close to a kink of {label(model)}")


def draw(model: Any, columns: Sequence[Any], targets: Sequence[Any], rng: np.random.Generator, n_rows: int) -> Subject:
    """A network with random weights, and random rows."""
    cells = {f"column_{i}": CELLS[options.kind](rng, n_rows) for i, options in enumerate(columns)}
    cells |= {f"target_{i}": TRUTHS[options.task](rng, n_rows) for i, options in enumerate(targets)}
    found = subject_of(
        cells,
        model,
        {f"column_{i}": options for i, options in enumerate(columns)},
        {f"target_{i}": options for i, options in enumerate(targets)},
    )
    set_weights(found.network, random_weights(found.network, rng))
    return found


def subject_of(
    cells: Mapping[str, list[Any]], model: Any, columns: Mapping[str, Any], targets: Mapping[str, Any], *, seed: int = 0
) -> Subject:
    """Learn from a table, build and compile: the way of `bptrain fit`, the table being one part."""
    frame = Frame(pa.table(dict(cells)), np.arange(len(next(iter(cells.values())))))
    column_states, target_states = preparer.learn(frame, columns), targets_preparer.learn(frame, targets)
    arrays, _ = targets_preparer.encode(target_states, frame)
    truths = {output_name(i): _as_computed(array) for i, array in enumerate(arrays)}
    network = build(column_states, target_states, model, seed=seed).members
    functions = losses(target_states, model.members)
    network.compile(optimizer=keras.optimizers.SGD(1.0), loss=dict(functions), jit_compile=False)
    return Subject(network, functions, ArrayDataset(preparer.transform(column_states, frame).arrays, truths))


def _as_computed(array: np.ndarray) -> np.ndarray:
    """Class numbers as they are; numbers in the float type that networks compute in."""
    return array.astype(keras.config.floatx()) if array.dtype.kind == "f" else array


def random_weights(network: keras.Model, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Weights of order 1, none at a special value as first biases are; variances positive."""
    return {
        name: rng.uniform(0.5, 1.5, array.shape)
        if "variance" in name or "gamma" in name
        else rng.normal(0.0, array.shape[0] ** -0.5, array.shape)
        for name, array in weights_of(network).items()
    }


def near_kink(subject: Subject) -> bool:
    """Whether an activation, a loss or a penalty has a kink within KINK_DISTANCE of what enters it, for any row.

    An activation is any layer without weights that maps one array to one of the same shape. Its third difference at
    distance d is of order d^3 where it is smooth, but d at a kink and d^2 where its second derivative jumps; so no
    list of activations and their kinks is needed.
    """
    if _loss_is_bent(subject) or _penalty_is_bent(subject):
        return True
    layers = {layer.name: layer for layer in subject.network.layers if _is_activation(layer)}
    if not layers:
        return False
    entering = keras.Model(subject.network.input, {name: layer.input for name, layer in layers.items()})
    values = entering(subject.examples.inputs, training=True)
    return any(_is_bent(layer, values[name]) for name, layer in layers.items())


def _is_activation(layer: Any) -> bool:
    if layer.weights or isinstance(layer, keras.layers.InputLayer) or not isinstance(layer.output, keras.KerasTensor):
        return False
    return getattr(layer.input, "shape", None) == layer.output.shape


def _loss_is_bent(subject: Subject) -> bool:
    """Of each row's loss as a function of its outputs."""
    outputs = subject.network(subject.examples.inputs, training=True)
    return any(
        _is_bent(lambda value, truth=subject.examples.truths[name], loss=loss: loss(truth, value), outputs[name])
        for name, loss in subject.losses.items()
    )


def _penalty_is_bent(subject: Subject) -> bool:
    """The sum of absolute weights has a kink where a weight is zero."""
    penalised = [layer for layer in subject.network.layers if getattr(layer, "kernel_regularizer", None) is not None]
    kernels = [np.asarray(layer.kernel) for layer in penalised if layer.kernel_regularizer.l1]
    return any(np.abs(kernel).min() < KINK_DISTANCE for kernel in kernels)


def _is_bent(layer: Any, value: Any) -> bool:
    shifts = KINK_DISTANCE * np.linspace(-1.5, 1.5, 5)
    values = np.stack([np.asarray(layer(value + shift)) for shift in shifts])
    third_differences = np.diff(values, n=3, axis=0)  # two: one alone is zero for a kink in its exact middle
    return bool(np.max(np.abs(third_differences)) > 20 * KINK_DISTANCE**3)


# The comparison


def analytic(subject: Subject) -> dict[str, np.ndarray]:
    """Gradients by variable path, from the tape that Keras trains with."""
    variables = subject.network.trainable_variables
    with tf.GradientTape() as tape:
        loss = subject.loss()
    found = tape.gradient(loss, [variable.value for variable in variables])
    assert all(gradient is not None for gradient in found), "a weight is not connected to the loss"
    return {v.path: np.asarray(tf.convert_to_tensor(g)) for v, g in zip(variables, found, strict=True)}


def numeric(subject: Subject, weights: Mapping[float, float] = TWO_POINTS) -> dict[str, np.ndarray]:
    """Central differences for every single weight; `weights` are those of the values at multiples of STEP."""
    loss = tf.function(subject.loss)
    found = {}
    for variable in subject.network.trainable_variables:
        start = variable.numpy()
        gradient = np.empty(start.size)
        for position in range(start.size):
            direction = np.zeros(start.size)
            direction[position] = 1.0
            gradient[position] = _slope(loss, [(variable, direction.reshape(start.shape))], weights)
        found[variable.path] = gradient.reshape(start.shape)
    return found


def relative_error(
    found: Mapping[str, np.ndarray], expected: Mapping[str, np.ndarray], *, resolution: float = 0.0
) -> float:
    """Norm of the difference over the sum of the norms: of all weights together, or of the worst variable.

    A variable's own norm counts at least a thousandth of the whole, as the true gradient of some is zero (the bias
    before a batch normalisation), and at least `resolution`.
    """
    assert found.keys() == expected.keys()
    assert found
    whole = _norm(found) + _norm(expected)
    assert whole > 0
    parts = [
        np.linalg.norm(found[name] - expected[name])
        / max(np.linalg.norm(found[name]) + np.linalg.norm(expected[name]), 1e-3 * whole, resolution)
        for name in found
    ]
    return float(max(_norm({name: found[name] - expected[name] for name in found}) / max(whole, resolution), *parts))


def check(subject: Subject) -> float:
    """The relative error of backpropagation, every weight compared.

    Where it is near the bound, by differences of fourth order, whose truncation is smaller.
    """
    found, resolution = analytic(subject), _resolution(subject)
    error = relative_error(found, numeric(subject), resolution=resolution)
    if error < TOLERANCE / 10:
        return error
    return relative_error(found, numeric(subject, FOUR_POINTS), resolution=resolution)


def _resolution(subject: Subject) -> float:
    """The smallest gradient that differences tell to TOLERANCE: each loss is rounded, and they are STEP apart.

    A quantile's gradient, for instance, is that small where as many rows lie above it as below.
    """
    return 4 * float(np.finfo(np.float64).eps) * abs(float(subject.loss())) / STEP / TOLERANCE


def check_direction(subject: Subject, *, seed: int) -> float:
    """The relative error along one random direction through all weights, for networks too large for `check`."""
    rng = np.random.default_rng(seed)
    variables = subject.network.trainable_variables
    direction = {variable.path: rng.normal(size=variable.shape) for variable in variables}
    length = _norm(direction)
    gradients = analytic(subject)
    found = sum(float(np.vdot(gradients[path], part)) for path, part in direction.items()) / length
    along = [(variable, direction[variable.path] / length) for variable in variables]
    expected = _slope(subject.loss, along)
    return abs(found - expected) / (abs(found) + abs(expected))


@contextmanager
def double_precision() -> Iterator[None]:
    """Networks built inside compute in float64, as the fixture `float64`."""
    before = keras.config.floatx(), keras.config.dtype_policy()
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    try:
        yield
    finally:
        keras.config.set_floatx(before[0])
        keras.config.set_dtype_policy(before[1])


def _slope(
    loss: Callable[[], Any],
    direction: Sequence[tuple[Any, np.ndarray]],
    weights: Mapping[float, float] = TWO_POINTS,
) -> float:
    """The central difference of the loss along a direction, given as variables and their parts of it."""
    start = [variable.numpy() for variable, _ in direction]
    slope = 0.0
    for multiple, weight in weights.items():
        for (variable, part), array in zip(direction, start, strict=True):
            variable.assign(array + multiple * STEP * part)
        slope += weight * float(loss())
    for (variable, _), array in zip(direction, start, strict=True):
        variable.assign(array)
    return slope / STEP


def _norm(arrays: Mapping[str, np.ndarray]) -> float:
    return float(np.sqrt(sum(np.sum(np.square(array)) for array in arrays.values())))


def _require_float64(subject: Subject) -> None:
    assert {variable.dtype for variable in subject.network.trainable_variables} == {"float64"}
    assert subject.loss().dtype == tf.float64
