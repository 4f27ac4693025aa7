"""A trained model as bptrain uses it: preparation and network together, and how they stand in a run directory.

model/preparer.json, preparer.npz    what training rows taught about columns and targets
model/network.json                   the options the network is rebuilt from, the shape of every weight, and which
                                     members of each network predict, if not all do
model/members/00/weights.npz         the weights of the first network
model.keras, inputs.json             the same network for others; never read back
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bptrain.errors import DataError, RunError
from bptrain.features import preparer as features_preparer
from bptrain.features.drift import Profile
from bptrain.features.kinds import KINDS
from bptrain.features.preparer import Columns
from bptrain.messages import models as messages
from bptrain.messages import workflows as run_messages
from bptrain.models.options import ResolvedModel
from bptrain.runs import arrays as npz
from bptrain.runs import storage
from bptrain.runs.manifest import RunFiles
from bptrain.runs.storage import Json
from bptrain.targets import preparer as targets_preparer
from bptrain.targets.preparer import Targets
from bptrain.utils import runtime
from bptrain.utils.text import nearest, quote_list

if TYPE_CHECKING:
    from bptrain.models.build import Network
    from bptrain.models.compat import KerasModel
    from bptrain.models.predict import PredictFunction

FORMAT = 4
WEIGHTS = "model/members/{:02}/weights.npz"


@dataclass(frozen=True)
class Predictor:
    """Columns and targets as learned, and the networks (whose inputs are the prepared columns); their mean predicts.

    `profile` tells what the training rows were like.
    """

    columns: Columns
    targets: Targets
    networks: Sequence[Network]
    profile: Profile

    @cached_property
    def model(self) -> KerasModel:
        """All networks as one."""
        from bptrain.models.ensemble import ensemble

        return ensemble([network.model for network in self.networks], self.targets)

    @cached_property
    def _any_network(self) -> PredictFunction:
        """Any one of the networks, as a function of its weights."""
        from bptrain.models.predict import PredictFunction

        return PredictFunction(self.networks[0].model)

    def outputs(self, inputs: Mapping[str, np.ndarray], network_fold: np.ndarray | None = None) -> list[np.ndarray]:
        """Outputs of the network for prepared rows.

        Args:
            inputs: arrays (n_rows, …) by name.
            network_fold: of rows that trained, the number (n_rows,) of the network that did not see the row, which
                alone predicts it.

        Returns:
            (n_rows, n_outputs) float32, one array per target.
        """
        from bptrain.models.build import output_name
        from bptrain.models.predict import predict

        names = [output_name(position) for position in range(len(self.targets))]
        if network_fold is None:
            by_name = predict(self.model, inputs)
            return [by_name[name] for name in names]
        outputs = [np.empty((len(network_fold), state.n_outputs), np.float32) for state in self.targets.values()]
        for number, network in enumerate(self.networks):
            rows = np.flatnonzero(network_fold == number)
            by_name = self._any_network.predict(
                network.model.get_weights(), {name: array[rows] for name, array in inputs.items()}
            )
            for name, output in zip(names, outputs, strict=True):
                output[rows] = by_name[name]
        return outputs

    def weights(self) -> dict[str, np.ndarray]:
        """All weights of all networks by name: `network_1/<layer>/<variable>`."""
        from bptrain.models.build import network_name, weights_of

        return {
            f"{network_name(number)}/{name}": weight
            for number, network in enumerate(self.networks)
            for name, weight in weights_of(network.members).items()
        }


def save(predictor: Predictor, options: ResolvedModel, directory: Path) -> None:
    """Write the model into a run directory that is being built."""
    from bptrain.models.build import weight_shapes, weights_of
    from bptrain.models.ensemble import exported, save_keras

    saved, arrays = features_preparer.save(predictor.columns)
    (directory / "model").mkdir(parents=True, exist_ok=True)
    preparer = {
        "format": FORMAT,
        "columns": saved,
        "targets": targets_preparer.save(predictor.targets),
        "profile": predictor.profile.to_json(),
    }
    storage.write_json(directory / "model/preparer.json", preparer)
    npz.write_arrays(directory / "model/preparer.npz", arrays)
    networks = predictor.networks
    shapes = weight_shapes(networks[0].members)
    architecture = {
        "format": FORMAT,
        "model": options.model_dump(mode="json"),
        "selected": [network.selected for network in networks],
        "weights": {name: [dtype, list(shape)] for name, (dtype, shape) in shapes.items()},
    }
    storage.write_json(directory / "model/network.json", architecture)
    for number, network in enumerate(networks):
        weights = directory / WEIGHTS.format(number)
        weights.parent.mkdir(parents=True, exist_ok=True)
        npz.write_arrays(weights, weights_of(network.members))
    with runtime.quiet_stderr():  # Keras loads TensorFlow to save a network, whatever its backend
        save_keras(exported([network.model for network in networks], predictor.targets), directory / "model.keras")
    storage.write_json(directory / "inputs.json", describe_inputs(predictor))


def load(files: RunFiles) -> Predictor:
    """The model of a verified run: rebuilt from its options, weights checked by name, dtype and shape.

    Raises:
        RunError: the files do not belong together.
    """
    from bptrain.models.build import build, network_name, select_members, set_weights, weight_shapes

    columns, targets = load_preparation(files)
    profile = Profile.load(_read_json(files, "model/preparer.json")["profile"])
    architecture = _read_json(files, "model/network.json")
    options = ResolvedModel.model_validate(architecture["model"])
    networks = []
    for number, selected in enumerate(architecture["selected"]):
        network = build(columns, targets, options, seed=0, name=network_name(number))
        set_weights(network.model, files.read_arrays(WEIGHTS.format(number), weight_shapes(network.model)))
        if selected is not None:
            network = select_members(network, selected, columns, targets, options)
        networks.append(network)
    return Predictor(columns, targets, networks, profile)


def load_preparation(files: RunFiles) -> tuple[Columns, Targets]:
    """What training rows taught about columns and targets; needs no keras.

    Raises:
        RunError: as `load`.
    """
    saved = _read_json(files, "model/preparer.json")
    shapes = features_preparer.array_shapes(saved["columns"])
    columns = features_preparer.load(saved["columns"], files.read_arrays("model/preparer.npz", shapes))
    return columns, targets_preparer.load(saved["targets"])


def check_columns(needed: Iterable[str], names: tuple[str, ...], *, source: str) -> None:
    """Raise DataError when a table lacks columns that the model needs."""
    needed = list(needed)
    missing = [name for name in needed if name not in names]
    if missing:
        others = [name for name in names if name not in set(needed)]
        near = [f"`{alike[0]}` for `{name}`" for name in missing if (alike := nearest(name, others))]
        hints = (f"rename: {', '.join(near)}?",) if near else ()
        quoted = quote_list(missing, last="and")
        raise DataError(messages.MISSING_COLUMNS(n_missing=len(missing), names=quoted, where=source, hints=hints))


def check_targets(targets: Iterable[str], names: tuple[str, ...], *, source: str) -> None:
    """Raise DataError when a table that is to be judged lacks a target."""
    missing = [name for name in targets if name not in names]
    if missing:
        raise DataError(messages.MISSING_TARGET(names=quote_list(missing, last="and"), where=source))


def describe_inputs(predictor: Predictor) -> Json:
    """What model.keras expects and gives, for people who use it without bptrain; open bounds are null."""
    saved, arrays = features_preparer.save(predictor.columns)
    return {
        "format": FORMAT,
        "inputs": {
            name: {"kind": kind, "dtype": dtype, "shape": list(shape)}
            for kind, state in predictor.columns.items()
            for name, (dtype, shape) in state.inputs.items()
        },
        "how": {kind: inspect.getdoc(KINDS[kind]) for kind in predictor.columns},
        "columns": {item["kind"]: item["state"] for item in saved},
        "numbers": {
            name: [value if np.isfinite(value) else None for value in array.tolist()] for name, array in arrays.items()
        },
        "outputs": [
            {"name": f"target_{position}", "target": name, **asdict(state)}
            for position, (name, state) in enumerate(predictor.targets.items())
        ],
    }


def _read_json(files: RunFiles, name: str) -> Json:
    """A JSON file of the run, whose format is the one that this version writes."""
    value = files.read_json(name)
    saved_format = value.get("format") if isinstance(value, dict) else None
    if saved_format != FORMAT:
        path = files.path(name)
        raise RunError(
            run_messages.OTHER_MODEL_FORMAT(file=path.name, format=repr(saved_format), readable=FORMAT, where=str(path))
        )
    return value
