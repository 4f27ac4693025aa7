"""From learned columns and targets to a `keras.Model`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np

from bptrain.columns import kinds
from bptrain.columns.state import State
from bptrain.network.dropout import STEP, Dropout
from bptrain.network.mlp import dense, mlp
from bptrain.network.normalization import BatchNormalization, LayerNormalization
from bptrain.network.options import MlpOptions
from bptrain.targets import tasks
from bptrain.targets.state import TargetState

KERAS_LAYERS: dict[type, type] = {
    BatchNormalization: keras.layers.BatchNormalization,
    LayerNormalization: keras.layers.LayerNormalization,
}


def build(
    columns: Mapping[str, State], targets: Mapping[str, TargetState], options: MlpOptions, *, seed: int
) -> keras.Model:
    """The network, with first weights that are a function of the seed.

    Its inputs are the prepared arrays by name, (batch, …) each; its outputs are one array (batch, n_outputs) per
    target, named `output_name(position)`: logits of classes, or the standardised number.
    """
    inputs = {
        name: keras.Input(shape, dtype=dtype, name=name)
        for state in columns.values()
        for name, (dtype, shape) in state.inputs.items()
    }
    features = [
        feature for kind, state in columns.items() for feature in kinds.encode(kind).encode(state, inputs, seed)
    ]
    joined = keras.layers.Concatenate(name="features")(features) if len(features) > 1 else features[0]
    trunk = mlp(joined, options, seed)
    outputs = {
        output_name(position): dense(
            trunk, target.n_outputs, options, name=output_name(position), activation="linear", seed=seed
        )
        for position, target in enumerate(targets.values())
    }
    return keras.Model(inputs, outputs, name="network")


def losses(targets: Mapping[str, TargetState]) -> dict[str, Any]:
    """The loss function (truth, output) → (batch,) of each output, times the weight of its target."""
    return {output_name(position): _loss(target) for position, target in enumerate(targets.values())}


def _loss(target: TargetState) -> Callable[[Any, Any], Any]:
    loss: Callable[[Any, Any], Any] = tasks.head(target.task).loss(target)
    if target.loss_weight == 1.0:
        return loss
    return lambda truth, output: target.loss_weight * loss(truth, output)


def output_name(position: int) -> str:
    """The name of a target's output; target columns may have any name, layers may not."""
    return f"target_{position}"


def exported(network: keras.Model, targets: Mapping[str, TargetState]) -> keras.Model:
    """The network with probabilities or the target's own units as outputs, in Keras' own layers, with its weights."""
    plain = keras.models.clone_model(network, clone_function=_own_layer)
    set_weights(plain, weights_of(network))
    network, outputs = plain, {}
    for position, target in enumerate(targets.values()):
        name = output_name(position)
        outputs[name] = tasks.head(target.task).decode(target, network.output[name], f"{name}_decoded")
    return keras.Model(network.input, outputs, name="exported")


def _own_layer(layer: Any) -> Any:
    """A new layer of Keras that does the same outside training."""
    if isinstance(layer, Dropout):
        return keras.layers.Dropout(layer.rate, seed=0, name=layer.name)
    plain: Any = KERAS_LAYERS.get(type(layer), type(layer))
    return plain.from_config(layer.get_config())


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
