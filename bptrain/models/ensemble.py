"""Networks of one architecture as one, in which what they have in common is computed once.

That is how they predict, and, in Keras' own layers, model.keras: for use without bptrain; equal networks give equal
bytes.
"""

from __future__ import annotations

import io
import json
import math
import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import keras
import numpy as np

from bptrain.models.build import combined, output_name
from bptrain.models.compat import HasPlainForm, KerasModel, Layer, Tensor
from bptrain.models.layers import BatchNormalization, Dense, Dropout, LayerNormalization
from bptrain.runs import storage
from bptrain.targets.task import TargetState
from bptrain.targets.tasks import TASKS
from bptrain.utils import runtime

ops = keras.ops
AT_ONCE = 4096  # numbers per row that products of several networks may make together
KERAS_LAYERS: dict[type[Layer], type[Layer]] = {
    Dense: keras.layers.Dense,
    BatchNormalization: keras.layers.BatchNormalization,
    LayerNormalization: keras.layers.LayerNormalization,
}
DATE = (1980, 1, 1, 0, 0, 0)  # the earliest a zip archive can hold; Keras writes the time of saving
SHARED = re.compile(r'"shared_object_id": (\d+)')  # Keras writes the address that an object had in memory


def ensemble(
    networks: Sequence[KerasModel],
    targets: Mapping[str, TargetState],
    classes: Mapping[type[Layer], type[Layer]] | None = None,
) -> KerasModel:
    """The mean of networks, with copies of their weights and inputs and outputs of the same names.

    What no weight enters, such as how much of each bin lies below a number, is computed once for all, and products with
    it that have no bias are one product for all. The networks are to differ in their weights alone; a single one needs
    no copy.

    Args:
        classes: classes of layers, and those that take their place; by default layers stay as they are.
    """
    if len(networks) == 1 and classes is None:
        return networks[0]
    inputs = {
        name: keras.Input(tensor.shape[1:], dtype=tensor.dtype, name=name) for name, tensor in networks[0].input.items()
    }
    if classes is None and runtime.backend() == "jax":  # to copy a layer, Keras would load TensorFlow
        outputs_of_each = [network(inputs) for network in networks]
    else:
        outputs_of_each, shared = [], dict[int, Tensor | list[Tensor]]()
        for number, network in enumerate(networks):
            copy = _Copy(networks, number, {id(tensor) for tensor in inputs.values()}, shared, classes or {})
            outputs_of_each.append(keras.models.clone_model(network, inputs, lambda layer: layer, copy.call).output)
    if len(networks) == 1:
        return keras.Model(inputs, dict(outputs_of_each[0]), name=networks[0].name)
    outputs = {name: ops.stack([each[name] for each in outputs_of_each], axis=1) for name in outputs_of_each[0]}
    return keras.Model(inputs, combined(outputs, targets), name="ensemble")


@dataclass
class _Copy:
    """One of several networks as a function of new inputs, its layers named after it where there are several.

    Args:
        weightless: the `id`s of tensors that no weight entered; at first the inputs.
        shared: what is computed once, by the place of its operation in the walk through a network, which is the same in
            each: results that no weight enters, and lists of what each network has of a product. The first copy fills
            it.
    """

    networks: Sequence[KerasModel]
    number: int
    weightless: set[int]
    shared: dict[int, Tensor | list[Tensor]]
    classes: Mapping[type[Layer], type[Layer]]
    _places: count[int] = field(default_factory=count)

    def call(self, operation: Layer, *arguments: Tensor, **named: Tensor) -> Tensor:
        """What `keras.models.clone_model` calls in the place of each operation of the network."""
        place = next(self._places)
        if place in self.shared:
            result = self.shared[place]
            return result[self.number] if isinstance(result, list) else result
        weights = getattr(operation, "weights", [])
        tensors = [leaf for leaf in keras.tree.flatten(arguments) if isinstance(leaf, keras.KerasTensor)]
        if self.number == 0 and self.weightless.issuperset(map(id, tensors)):
            if not weights:
                result = self.shared[place] = operation(*arguments, **named)
                self.weightless.add(id(result))
                return result
            if self._is_one_product(operation):
                results = self.shared[place] = self._products(operation, *arguments)
                return results[0]
        if not isinstance(operation, keras.layers.Layer):
            return operation(*arguments, **named)
        prefix = f"{self.networks[self.number].name}_" if len(self.networks) > 1 else ""
        name = f"{prefix}{operation.name}"
        if isinstance(operation, Dropout):  # which does nothing outside training
            layer = keras.layers.Dropout(operation.rate, seed=0, name=name)
        elif isinstance(operation, HasPlainForm):  # which may be a function
            layer = operation.plain(name)
        else:
            kind = self.classes.get(type(operation), type(operation))
            layer = kind.from_config({**operation.get_config(), "name": name})
        result = layer(*arguments, **named)
        if weights and not isinstance(operation, Dropout):
            layer.set_weights(getattr(operation, "plain_weights", operation.get_weights)())
        return result

    def _is_one_product(self, layer: Layer) -> bool:
        """Whether kernels of all networks may stand beside each other: their last axis is their own, and no bias.

        Memory must have room for the results of every network at once, too.
        """
        if not isinstance(layer, keras.layers.EinsumDense) or layer.bias is not None:
            return False
        if layer.activation is not keras.activations.linear:
            return False
        inputs, kernel, result = layer.equation.replace("->", ",").split(",")
        n_numbers = math.prod(length for length in layer.output.shape if length is not None)
        fits = 1 < len(self.networks) <= AT_ONCE // n_numbers
        return bool(fits and kernel[-1] == result[-1] and kernel[-1] not in inputs)

    def _products(self, layer: Layer, inputs: Tensor) -> list[Tensor]:
        """What each network's layer of this name makes of `inputs`, by one layer with the kernels beside each other."""
        kernels = [network.get_layer(layer.name).get_weights()[0] for network in self.networks]
        kernel = np.concatenate(kernels, axis=-1)
        joint = keras.layers.EinsumDense(
            layer.equation, (*layer.partial_output_shape[:-1], kernel.shape[-1]), name=layer.name
        )
        result = joint(inputs)
        joint.set_weights([kernel])
        return list(ops.split(result, len(kernels), axis=-1))


def exported(networks: Sequence[KerasModel], targets: Mapping[str, TargetState]) -> KerasModel:
    """The mean of networks in Keras' own layers, with probabilities or the target's own units as outputs."""
    network, outputs = ensemble(networks, targets, KERAS_LAYERS), {}
    for position, target in enumerate(targets.values()):
        name = output_name(position)
        outputs[name] = TASKS[target.task].head.export(target, network.output[name], f"{name}_decoded")
    return keras.Model(network.input, outputs, name="exported")


def save_keras(network: KerasModel, path: Path) -> None:
    """Save in Keras' own format, without what differs from one saving to the next: times and addresses."""
    network.save(path)
    archive = io.BytesIO()
    with zipfile.ZipFile(path) as saved, zipfile.ZipFile(archive, "w") as lasting:
        for name in sorted(saved.namelist()):
            content = saved.read(name)
            if name == "metadata.json":
                metadata = {key: value for key, value in json.loads(content).items() if key != "date_saved"}
                content = json.dumps(metadata, sort_keys=True).encode()
            elif name == "config.json":
                content = _numbered(content.decode()).encode()
            lasting.writestr(zipfile.ZipInfo(name, DATE), content)
    storage.write_bytes(path, archive.getvalue())


def _numbered(config: str) -> str:
    """Objects that layers share are numbered as they appear."""
    numbers = {address: number for number, address in enumerate(dict.fromkeys(SHARED.findall(config)))}
    return SHARED.sub(lambda match: f'"shared_object_id": {numbers[match[1]]}', config)
