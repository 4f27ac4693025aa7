"""Networks of one architecture as one, in which what they have in common is computed once."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

import keras
import numpy as np

from bptrain.models.build import combined, output_name
from bptrain.models.layers.dense import Dense
from bptrain.models.layers.dropout import Dropout
from bptrain.models.layers.normalization import BatchNormalization, LayerNormalization
from bptrain.targets.task import TargetState
from bptrain.targets.tasks import TASKS
from bptrain.utils import runtime

ops = keras.ops
AT_ONCE = 4096  # numbers per row that products of several networks may make together
KERAS_LAYERS: dict[type, type] = {
    Dense: keras.layers.Dense,
    BatchNormalization: keras.layers.BatchNormalization,
    LayerNormalization: keras.layers.LayerNormalization,
}


def ensemble(
    networks: Sequence[keras.Model], targets: Mapping[str, TargetState], kinds: Mapping[type, type] | None = None
) -> keras.Model:
    """The mean of networks, with copies of their weights and inputs and outputs of the same names.

    What no weight enters, such as how much of each bin lies below a number, is computed once for all, and products with
    it that have no bias are one product for all. The networks are to differ in their weights alone. `kinds` are classes
    of layers that take the place of others.
    """
    inputs = {
        name: keras.Input(tensor.shape[1:], dtype=tensor.dtype, name=name) for name, tensor in networks[0].input.items()
    }
    if kinds is None and runtime.backend() == "jax":  # to copy a layer, Keras would load TensorFlow
        every = [network(inputs) for network in networks]
    else:
        every = _copies(networks, inputs, kinds or {})
    if len(every) == 1:
        return keras.Model(inputs, every[0], name=networks[0].name)
    outputs = {name: ops.stack([each[name] for each in every], axis=1) for name in every[0]}
    return keras.Model(inputs, combined(outputs, targets), name="ensemble")


def exported(networks: Sequence[keras.Model], targets: Mapping[str, TargetState]) -> keras.Model:
    """The mean of networks in Keras' own layers, with probabilities or the target's own units as outputs."""
    network, outputs = ensemble(networks, targets, KERAS_LAYERS), {}
    for position, target in enumerate(targets.values()):
        name = output_name(position)
        outputs[name] = TASKS[target.task].head.export(target, network.output[name], f"{name}_decoded")
    return keras.Model(network.input, outputs, name="exported")


def _copies(
    networks: Sequence[keras.Model], inputs: dict[str, Any], kinds: Mapping[type, type]
) -> list[dict[str, Any]]:
    """The outputs of every network, layers named after their network where there are several."""
    common: dict[int, Any] = {}
    return [_Copy(networks, number, inputs, common, kinds).outputs() for number in range(len(networks))]


def _is_product(operation: Any) -> bool:
    """Whether kernels of several such layers may stand beside each other: their last axis is their own, and no bias."""
    if not isinstance(operation, keras.layers.EinsumDense):
        return False
    if operation.bias is not None or operation.activation is not keras.activations.linear:
        return False
    known, kernel, result = operation.equation.replace("->", ",").split(",")
    return bool(kernel[-1] == result[-1] and kernel[-1] not in known)


@dataclass
class _Copy:
    """One of several networks, its layers' names with a prefix, as a function of new inputs.

    `common` holds what is computed once, by the place of its operation in the walk through a network, which is the same
    in each: results that no weight enters, and lists of what each network has of a product. The first copy fills it.
    """

    networks: Sequence[keras.Model]
    number: int
    inputs: dict[str, Any]
    common: dict[int, Any]
    kinds: Mapping[type, type]

    def __post_init__(self) -> None:
        self._places = count()
        self._known = {id(tensor) for tensor in self.inputs.values()}

    def outputs(self) -> dict[str, Any]:
        """Its outputs by name."""
        network = self.networks[self.number]
        return dict(keras.models.clone_model(network, self.inputs, lambda layer: layer, self._call).output)

    def _call(self, operation: Any, *arguments: Any, **named: Any) -> Any:
        place = next(self._places)
        if place in self.common:
            result = self.common[place]
            return result[self.number] if isinstance(result, list) else result
        weights = getattr(operation, "weights", [])
        if self.number == 0 and self._is_known(arguments):
            if not weights:
                result = self.common[place] = operation(*arguments, **named)
                self._known.add(id(result))
                return result
            if _is_product(operation) and self._are_few(operation):
                results = self.common[place] = self._products(operation, *arguments)
                return results[0]
        if not isinstance(operation, keras.layers.Layer):
            return operation(*arguments, **named)
        prefix = f"{self.networks[self.number].name}_" if len(self.networks) > 1 else ""
        layer = self._copied(operation, f"{prefix}{operation.name}")
        result = layer(*arguments, **named)
        if weights and not isinstance(operation, Dropout):
            layer.set_weights(getattr(operation, "plain_weights", operation.get_weights)())
        return result

    def _is_known(self, arguments: Any) -> bool:
        """Whether no weight entered what an operation is given."""
        tensors = [each for each in keras.tree.flatten(arguments) if isinstance(each, keras.KerasTensor)]
        return self._known.issuperset(map(id, tensors))

    def _are_few(self, layer: Any) -> bool:
        """Whether memory has room for the results of such a layer of every network at once."""
        n_numbers = math.prod(length for length in layer.output.shape if length is not None)
        return bool(1 < len(self.networks) <= AT_ONCE // n_numbers)

    def _products(self, layer: Any, known: Any) -> list[Any]:
        """What each network's layer of this name makes of `known`, by one layer with the kernels beside each other."""
        kernels = [network.get_layer(layer.name).get_weights()[0] for network in self.networks]
        kernel = np.concatenate(kernels, axis=-1)
        together = keras.layers.EinsumDense(
            layer.equation, (*layer.partial_output_shape[:-1], kernel.shape[-1]), name=layer.name
        )
        result = together(known)
        together.set_weights([kernel])
        return list(ops.split(result, len(kernels), axis=-1))

    def _copied(self, layer: Any, name: str) -> Any:
        """A new layer that does the same outside training, or what `layer.plain` says to have in its place."""
        if isinstance(layer, Dropout):
            return keras.layers.Dropout(layer.rate, seed=0, name=name)
        if hasattr(layer, "plain"):
            return layer.plain(name)
        kind: Any = self.kinds.get(type(layer), type(layer))
        return kind.from_config({**layer.get_config(), "name": name})
