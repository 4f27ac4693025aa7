"""From learned columns and targets to a `keras.Model`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from bptrain.features.kind import Features, FeatureState
from bptrain.features.kinds import KINDS
from bptrain.models.layers.dropout import STEP
from bptrain.models.mlp import head, hidden_layers, skip, skip_of_members
from bptrain.models.options import ResolvedModel
from bptrain.targets.task import TargetState
from bptrain.targets.tasks import TASKS

ops = keras.ops
Targets = Mapping[str, TargetState]


@dataclass(frozen=True)
class Network:
    """One network as two models that share its layers.

    Inputs of both are the prepared arrays by name, (batch, …) each; outputs one array per target, named
    `output_name(position)`: logits of classes, or the standardised number. Those of `model` are (batch, n_outputs);
    those of `members`, which is trained, hold each member's own: (batch, members, n_outputs), if there are several.
    Once members are `kept`, `model` is of these alone, with a copy of their weights.
    """

    model: keras.Model
    members: keras.Model
    kept: tuple[int, ...] | None = None


def build(
    columns: Mapping[str, FeatureState], targets: Targets, options: ResolvedModel, *, seed: int, name: str = "network"
) -> Network:
    """The network, with first weights that are a function of the seed."""
    inputs = {
        name: keras.Input(shape, dtype=dtype, name=name)
        for state in columns.values()
        for name, (dtype, shape) in state.inputs.items()
    }
    features = Features.concat(
        KINDS[kind].encode(state, inputs, seed=seed, embedding=options.embedding) for kind, state in columns.items()
    )
    trunk = hidden_layers(features, options, seed)
    outputs = {}
    for position, target in enumerate(targets.values()):
        target_name = output_name(position)
        output = head(trunk, target.n_outputs, options, name=target_name, seed=seed)
        if options.n_linear and (features.linear or features.linear_by_column):
            linear = skip(features, target.n_outputs, options, f"{target_name}_skip")
            # In this order: Keras on TensorFlow takes a second summand (batch, 1, 1) for the bias of as many members.
            output = (linear if options.members == 1 else skip_of_members(linear, options, target_name)) + output
        outputs[target_name] = output
    members = keras.Model(inputs, outputs, name=name)
    if options.members == 1:
        return Network(members, members)
    return Network(keras.Model(inputs, combined(outputs, targets), name=name), members)


def keeping(
    network: Network, kept: Sequence[int], columns: Mapping[str, FeatureState], targets: Targets, options: ResolvedModel
) -> Network:
    """The network with only some of its members predicting, counted from 0; `options` are those it was built by."""
    few = build(
        columns, targets, options.model_copy(update={"members": len(kept)}), seed=0, name=network.members.name
    ).model
    shapes = weight_shapes(few)
    weights = weights_of(network.members)
    set_weights(few, {name: _chosen(weights[name], kept, shape) for name, (_, shape) in shapes.items()})
    return Network(few, network.members, tuple(kept))


def _chosen(weight: np.ndarray, kept: Sequence[int], shape: tuple[int, ...]) -> np.ndarray:
    """The part of a weight that is the kept members': the axis of members is the one that has got shorter."""
    for axis, (before, after) in enumerate(zip(weight.shape, shape, strict=True)):
        if before != after:
            return np.take(weight, kept, axis=axis)
    return weight


def losses(targets: Targets, members: int = 1) -> dict[str, Any]:
    """The loss function (truth, output) → (batch,) of each output, times the weight of its target.

    Of several members it is the mean of their own losses, as each is to be right alone.
    """
    return {output_name(position): _loss(target, members) for position, target in enumerate(targets.values())}


def combined(outputs: Mapping[str, Any], targets: Targets) -> dict[str, Any]:
    """One output of what several said, (batch, several, n_outputs) each."""
    return {
        output_name(position): TASKS[target.task].head.combine(target, outputs[output_name(position)])
        for position, target in enumerate(targets.values())
    }


def _loss(target: TargetState, members: int) -> Callable[[Any, Any], Any]:
    loss: Callable[[Any, Any], Any] = TASKS[target.task].head.loss(target)
    if members > 1:
        loss = _of_members(loss, members)
    if target.loss_weight == 1.0:
        return loss
    return lambda truth, output: target.loss_weight * loss(truth, output)


def _of_members(loss: Callable[[Any, Any], Any], members: int) -> Callable[[Any, Any], Any]:
    """The mean loss (batch,) of members' outputs (batch, members, n_outputs)."""

    def mean(truth: Any, output: Any) -> Any:
        repeated = ops.reshape(ops.repeat(truth[:, None], members, axis=1), (-1, truth.shape[-1]))
        values = loss(repeated, ops.reshape(output, (-1, output.shape[-1])))
        return ops.mean(ops.reshape(values, (-1, members)), axis=1)

    return mean


def network_name(number: int) -> str:
    """The name of one of several networks, counted from 0."""
    return f"network_{number + 1}"


def output_name(position: int) -> str:
    """The name of a target's output; target columns may have any name, layers may not."""
    return f"target_{position}"


def weights_of(network: keras.Model) -> dict[str, np.ndarray]:
    """All weights by name, `layer/variable`; normalisation statistics included, optimizer and seed state not."""
    return {name: np.asarray(variable) for name, variable in _variables(network).items()}


def set_weights(network: keras.Model, weights: Mapping[str, np.ndarray]) -> None:
    """Put weights from `weights_of` into a network of the same shape."""
    for name, variable in _variables(network).items():
        variable.assign(weights[name])


def weight_shapes(network: keras.Model) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Name → (dtype, shape) of every weight, for checking arrays before they are loaded."""
    return {
        name: (np.dtype(variable.dtype).str, tuple(variable.shape)) for name, variable in _variables(network).items()
    }


def _variables(network: keras.Model) -> dict[str, Any]:
    """Every weight by layer and variable name, in the order of the layers."""
    found: dict[str, Any] = {}
    for layer in network.layers:
        for variable in layer.weights:
            found[f"{layer.name}/{variable.name}"] = variable
    return {name: variable for name, variable in found.items() if not name.endswith(STEP)}
