"""Names for the objects of Keras and TensorFlow, and every place where bptrain leans on the insides of these libraries.

Keras has no types, so its objects are `Any` to a type checker; they are named here once, and elsewhere by these names.
What stands below leans on more than the documented interface. tests/models/test_compat.py has a test of each piece that
fails when a library changes it, and pyproject.toml bounds both libraries above: raise a bound after these tests pass.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeAlias, cast, runtime_checkable

import keras

KerasModel: TypeAlias = keras.Model
Layer: TypeAlias = keras.layers.Layer
LayerArgument: TypeAlias = Any  # of a layer's constructor: an initializer, a regularizer, or the name of one
Optimizer: TypeAlias = keras.optimizers.Optimizer
Variable: TypeAlias = keras.Variable
Tensor: TypeAlias = Any  # of the backend, or symbolic: keras.KerasTensor
Shape: TypeAlias = Any  # a tuple of lengths; within a program a length may be a tensor
Loss: TypeAlias = Callable[
    [Tensor, Tensor], Tensor
]  # (truth, output), each (batch, …), to the loss of each row (batch,)

FIRST_STEPS = 10.0  # the running mean of weights remembers no more than about a tenth of the steps, so many at least


@runtime_checkable
class HasPlainForm(Protocol):
    """A layer of ours that has a plainer form: what an ensemble and an exported network hold in its place.

    A layer with weights also has `plain_weights()`, the weights of that form.
    """

    def plain(self, name: str) -> Callable[[Tensor], Tensor]:
        """A layer of Keras that does the same, or a function of its operations."""


def optimization_barrier(tensor: Tensor) -> Tensor:
    """The same tensor of TensorFlow, which XLA has to make as it stands there. Only inside a program that XLA compiles.

    TensorFlow has this operation in its bridge to XLA alone, which is no public module.
    """
    from tensorflow.compiler.tf2xla.python.xla import optimization_barrier as barrier

    return barrier(tensor)[0]


def functional_optimizer(kind: type[Optimizer]) -> type[Optimizer]:
    """The class of an optimizer with the arithmetic all backends share, which `keras.StatelessScope` makes a function.

    On TensorFlow, Keras overrides some methods of `BaseOptimizer` in `TFOptimizer`, for training on several devices, by
    assigning to TensorFlow's variables: what `StatelessScope` does not see. Those methods are put back, and the running
    mean of the weights (`use_ema`) follows `_update_running_means`.
    """
    bases: dict[str, Mapping[str, Any]] = {base.__name__: vars(base) for base in kind.__mro__}
    common, overridden = bases["BaseOptimizer"], bases.get("TFOptimizer", {})
    methods = {name: common[name] for name in overridden if callable(common.get(name)) and name != "__init__"}
    methods["_update_model_variables_moving_average"] = _update_running_means
    shared = type("Shared", (keras.optimizers.Optimizer,), methods)
    return cast("type[Optimizer]", type(kind.__name__, (kind, shared), {}))


def _update_running_means(self: Optimizer, weights: Sequence[Variable]) -> None:
    """After step t, from 0, mean = d · mean + (1 - d) · weight with d = min(momentum, t / (t + 10)): first ones fade.

    Deviation from Keras, whose d is constant, so that it remembers first weights for long; the formula is that of
    TensorFlow 1's ExponentialMovingAverage with `num_updates`.
    """
    step = keras.ops.cast(self.iterations, "float32")
    decay = keras.ops.minimum(self.ema_momentum, step / (step + FIRST_STEPS))
    for weight, mean in zip(weights, self._model_variables_moving_average, strict=True):
        mean.assign(mean + (weight - mean) * (1.0 - decay))


def running_means(optimizer: Optimizer, weights: Sequence[Variable]) -> dict[int, Variable]:
    """The variables that hold the running means, by the `id` of the weight; none without `use_ema`.

    Args:
        weights: those that the optimizer was built for, in their order.
    """
    means = optimizer._model_variables_moving_average if optimizer.use_ema else []
    return {id(weight): mean for weight, mean in zip(weights, means, strict=False)}
