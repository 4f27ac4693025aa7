"""A trained model as bptrain uses it: preparation and network together, and how they stand in a run directory.

model/preparer.json, preparer.npz    what training rows taught about columns and targets
model/network.json                   the options the network is rebuilt from, the shape of every weight, and which
                                     members of each network predict, if not all do
model/members/00/weights.npz         the weights
model.keras, inputs.json             the same network for others; never read back
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bptrain.errors import DataError, Problem, RunError
from bptrain.features import preparer as columns_prepare
from bptrain.features.drift import Profile
from bptrain.features.kinds import KINDS
from bptrain.features.preparer import Columns
from bptrain.models.options import ResolvedModel
from bptrain.runs import arrays as run_arrays
from bptrain.runs import storage
from bptrain.runs.manifest import RunFiles
from bptrain.targets import preparer as targets_prepare
from bptrain.targets.preparer import Targets
from bptrain.utils import runtime
from bptrain.utils.text import nearest, quote_list

if TYPE_CHECKING:
    import keras

    from bptrain.models.build import Network
    from bptrain.models.predict import Program

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
    def model(self) -> keras.Model:
        """All networks as one."""
        from bptrain.models.ensemble import ensemble

        networks = [network.model for network in self.networks]
        return ensemble(networks, self.targets) if len(networks) > 1 else networks[0]

    @cached_property
    def _program(self) -> Program:
        """Any one of the networks, as a function of its weights."""
        from bptrain.models.predict import Program

        return Program(self.networks[0].model)

    def outputs(self, inputs: Mapping[str, np.ndarray], left_out: np.ndarray | None = None) -> list[np.ndarray]:
        """Outputs (n_rows, n_outputs) float32, one array per target.

        Of rows that trained, `left_out` (n_rows,) says which network did not: this one alone predicts the row.
        """
        from bptrain.models.build import output_name
        from bptrain.models.predict import predict

        names = [output_name(position) for position in range(len(self.targets))]
        if left_out is None:
            by_name = predict(self.model, inputs)
            return [by_name[name] for name in names]
        outputs = [np.empty((len(left_out), state.n_outputs), np.float32) for state in self.targets.values()]
        for number, network in enumerate(self.networks):
            rows = np.flatnonzero(left_out == number)
            by_name = self._program.predict(
                network.model.get_weights(), {name: array[rows] for name, array in inputs.items()}
            )
            for name, output in zip(names, outputs, strict=True):
                output[rows] = by_name[name]
        return outputs

    def weights(self) -> dict[str, np.ndarray]:
        """All weights of all networks by name."""
        from bptrain.models.build import weights_of

        if len(self.networks) == 1:
            return weights_of(self.networks[0].members)
        return {
            f"{number}/{name}": weight
            for number, network in enumerate(self.networks, start=1)
            for name, weight in weights_of(network.members).items()
        }


def save(predictor: Predictor, options: ResolvedModel, directory: Path) -> None:
    """Write the model into a run directory that is being built."""
    from bptrain.models.build import weight_shapes, weights_of
    from bptrain.models.ensemble import exported
    from bptrain.models.keras_file import save_keras

    saved, arrays = columns_prepare.save(predictor.columns)
    (directory / "model").mkdir(parents=True, exist_ok=True)
    preparer = {
        "format": FORMAT,
        "columns": saved,
        "targets": targets_prepare.save(predictor.targets),
        "profile": predictor.profile.to_json(),
    }
    storage.write_json(directory / "model/preparer.json", preparer)
    run_arrays.write_arrays(directory / "model/preparer.npz", arrays)
    networks = predictor.networks
    spec = {
        "format": FORMAT,
        "model": options.model_dump(mode="json"),
        "networks": len(networks),
        "kept": [network.kept for network in networks],
        "weights": {name: [kind, list(shape)] for name, (kind, shape) in weight_shapes(networks[0].members).items()},
    }
    storage.write_json(directory / "model/network.json", spec)
    for number, network in enumerate(networks):
        weights = directory / WEIGHTS.format(number)
        weights.parent.mkdir(parents=True, exist_ok=True)
        run_arrays.write_arrays(weights, weights_of(network.members))
    with runtime.quiet_stderr():  # Keras loads TensorFlow to save a network, whatever its backend
        save_keras(exported([network.model for network in networks], predictor.targets), directory / "model.keras")
    storage.write_json(directory / "inputs.json", describe_inputs(predictor))


def load(files: RunFiles) -> Predictor:
    """The model of a verified run: rebuilt from its options, weights checked by name, dtype and shape.

    Raises RunError when the files do not belong together.
    """
    from bptrain.models.build import build, keeping, network_name, set_weights, weight_shapes

    columns, targets = load_preparation(files)
    profile = Profile.load(_read_json(files, "model/preparer.json")["profile"])
    spec = _read_json(files, "model/network.json")
    options = ResolvedModel.model_validate(spec["model"])
    networks = []
    for number, kept in enumerate(spec["kept"]):
        network = build(columns, targets, options, seed=0, name=network_name(number))
        set_weights(network.model, files.read_arrays(WEIGHTS.format(number), weight_shapes(network.model)))
        networks.append(network if kept is None else keeping(network, kept, columns, targets, options))
    return Predictor(columns, targets, networks, profile)


def load_preparation(files: RunFiles) -> tuple[Columns, Targets]:
    """What training rows taught about columns and targets; needs no keras. Raises RunError as `load`."""
    saved = _read_json(files, "model/preparer.json")
    shapes = columns_prepare.array_shapes(saved["columns"])
    columns = columns_prepare.load(saved["columns"], files.read_arrays("model/preparer.npz", shapes))
    return columns, targets_prepare.load(saved["targets"])


def check_columns(needed: Iterable[str], names: tuple[str, ...], *, source: str) -> None:
    """Raise DataError when a table lacks columns that the model needs."""
    needed = list(needed)
    missing = [name for name in needed if name not in names]
    if not missing:
        return
    others = [name for name in names if name not in set(needed)]
    near = [f"`{found[0]}` for `{name}`" for name in missing if (found := nearest(name, others))]
    hints = (f"rename: {', '.join(near)}?",) if near else ()
    raise DataError(
        Problem(
            "BP268",
            f"the table lacks {len(missing)} column(s) of the model: {quote_list(missing, last='and')}",
            where=source,
            hints=(*hints, "columns are found by name; their order does not matter"),
        )
    )


def check_targets(targets: Iterable[str], names: tuple[str, ...], *, source: str) -> None:
    """Raise DataError when a table that is to be judged lacks a target."""
    missing = [name for name in targets if name not in names]
    if missing:
        raise DataError(
            Problem(
                "BP269",
                f"the table lacks the target {quote_list(missing, last='and')}, so its rows cannot be judged",
                where=source,
                hints=("use `bptrain predict` for rows without a target",),
            )
        )


def describe_inputs(predictor: Predictor) -> dict[str, Any]:
    """What model.keras expects and gives, for people who use it without bptrain."""
    saved, arrays = columns_prepare.save(predictor.columns)
    return {
        "format": FORMAT,
        "inputs": {
            name: {"kind": kind, "dtype": dtype, "shape": list(shape)}
            for kind, state in predictor.columns.items()
            for name, (dtype, shape) in state.inputs.items()
        },
        "how": {kind: inspect.getdoc(KINDS[kind]) for kind in predictor.columns},
        "columns": {item["kind"]: item["state"] for item in saved},
        "numbers": {name: _finite(array) for name, array in arrays.items()},
        "outputs": [
            {"name": f"target_{position}", "target": name, **state.to_json()}
            for position, (name, state) in enumerate(predictor.targets.items())
        ],
    }


def _finite(array: np.ndarray) -> list[float | None]:
    """The numbers of an array, null where one is infinite: a bound that is open."""
    return [value if math.isfinite(value) else None for value in array.tolist()]


def _read_json(files: RunFiles, name: str) -> Any:
    value = files.read_json(name)
    _check_format(files.path(name), value)
    return value


def _check_format(path: Path, value: Any) -> None:
    if isinstance(value, dict) and value.get("format") == FORMAT:
        return
    found = value.get("format") if isinstance(value, dict) else None
    raise RunError(
        Problem(
            "BP530",
            f"{path.name} has format {found!r}; this bptrain reads format {FORMAT}",
            where=str(path),
            hints=("use the bptrain version that made the run (see its lock.json), or train again",),
        )
    )
