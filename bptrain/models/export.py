"""model.keras: the networks as one in Keras' own layers, for use without bptrain; equal networks give equal bytes."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import keras

from bptrain.models.build import output_name
from bptrain.models.compat import KerasModel, Layer
from bptrain.models.ensemble import ensemble
from bptrain.models.layers import BatchNormalization, Dense, LayerNormalization
from bptrain.runs import storage
from bptrain.targets.task import TargetState
from bptrain.targets.tasks import TASKS

KERAS_LAYERS: dict[type[Layer], type[Layer]] = {
    Dense: keras.layers.Dense,
    BatchNormalization: keras.layers.BatchNormalization,
    LayerNormalization: keras.layers.LayerNormalization,
}
DATE = (1980, 1, 1, 0, 0, 0)  # the earliest a zip archive can hold; Keras writes the time of saving
SHARED = re.compile(r'"shared_object_id": (\d+)')  # Keras writes the address that an object had in memory


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
