"""model.keras: the network for use without bptrain, the same bytes for the same network."""

from __future__ import annotations

import io
import json
import re
import zipfile
from pathlib import Path

import keras

from bptrain.runs import storage

DATE = (1980, 1, 1, 0, 0, 0)  # the earliest a zip archive can hold; Keras writes the time of saving
SHARED = re.compile(r'"shared_object_id": (\d+)')  # Keras writes the address that an object had in memory


def save_keras(network: keras.Model, path: Path) -> None:
    """Save in Keras' own format, without what differs from one saving to the next: times and addresses."""
    network.save(path)
    archive = io.BytesIO()
    with zipfile.ZipFile(path) as saved, zipfile.ZipFile(archive, "w") as lasting:
        for name in sorted(saved.namelist()):
            lasting.writestr(zipfile.ZipInfo(name, DATE), _lasting(name, saved.read(name)))
    storage.write_bytes(path, archive.getvalue())


def _lasting(name: str, content: bytes) -> bytes:
    if name == "metadata.json":
        metadata = {key: value for key, value in json.loads(content).items() if key != "date_saved"}
        return json.dumps(metadata, sort_keys=True).encode()
    return _numbered(content.decode()).encode() if name == "config.json" else content


def _numbered(config: str) -> str:
    """Objects that layers share are numbered as they appear."""
    numbers = {address: number for number, address in enumerate(dict.fromkeys(SHARED.findall(config)))}
    return SHARED.sub(lambda match: f'"shared_object_id": {numbers[match[1]]}', config)
