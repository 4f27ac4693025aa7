"""What the interface of kinds allows, shown by small kinds: files, arrays of any rank, no share in the linear model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from builders import frame_of
from networks import mlp
from tables import write

from bptrain.data.files import AllowedPaths, DataFile, open_data
from bptrain.data.frame import Frame
from bptrain.data.load import load
from bptrain.data.options import CleanOptions, DataOptions
from bptrain.errors import DataError
from bptrain.features import kinds, preparer
from bptrain.features.kind import (
    ColumnKind,
    Features,
    FeatureState,
    Inferred,
    Inputs,
    Json,
    LearnedColumn,
    Transformed,
)
from bptrain.features.options import ColumnOptions, EmbeddingOptions
from bptrain.models.build import build, losses
from bptrain.targets import preparer as targets_preparer
from bptrain.targets.regression.options import RegressionOptions

SHAPE = (2, 3)


class TinyPictureOptions(ColumnOptions):
    """The name of a file with six bytes."""

    kind: Literal["tiny_picture"] = "tiny_picture"


@dataclass(frozen=True, kw_only=True)
class TinyPictureState(FeatureState[LearnedColumn]):
    kind = "tiny_picture"

    mean_: np.ndarray

    @property
    def inputs(self) -> Inputs:
        return dict.fromkeys(self.columns, ("uint8", SHAPE))


class TinyPictureKind(ColumnKind[TinyPictureOptions, TinyPictureState]):
    """Opens the file of each cell; the network sees its bytes in hidden layers alone."""

    name = "tiny_picture"
    options = TinyPictureOptions
    state = TinyPictureState

    def infer(self, frame: Frame, name: str) -> Inferred[TinyPictureOptions] | None:
        return None

    def learn(self, frame: Frame, options: Mapping[str, TinyPictureOptions], paths: AllowedPaths) -> TinyPictureState:
        pictures = [read_pictures(frame, name, paths) for name in options]
        mean = np.array([picture.mean() for picture in pictures])
        return TinyPictureState(learned=tuple(map(LearnedColumn, options)), mean_=mean)

    def transform(self, state: TinyPictureState, frame: Frame, paths: AllowedPaths) -> Transformed:
        return Transformed({name: read_pictures(frame, name, paths) for name in state.columns})

    def array_shapes(self, saved: Json) -> Inputs:
        return {"mean": ("<f8", (len(saved["columns"]),))}

    def encode(
        self, state: TinyPictureState, inputs: dict[str, Any], *, seed: int, embedding: EmbeddingOptions
    ) -> Features:
        import keras

        pixels = [keras.ops.cast(inputs[name], "float32") / 255 for name in state.columns]
        flat = [keras.layers.Flatten()(pixel) for pixel in pixels]
        hidden = [keras.layers.Dense(2, name=f"look_{number}")(each) for number, each in enumerate(flat)]
        return Features(hidden, [2] * len(hidden), [])


def read_pictures(frame: Frame, name: str, paths: AllowedPaths) -> np.ndarray:
    """The bytes (n_rows, *SHAPE) of the files that the cells name."""
    pictures = np.zeros((frame.n_rows, *SHAPE), np.uint8)
    for row, cell in enumerate(frame.texts(name).to_pylist()):
        with open_data(DataFile(paths.resolve(cell), cell)) as file:
            pictures[row] = np.frombuffer(file.read(6), np.uint8).reshape(SHAPE)
    return pictures


@pytest.fixture
def frame(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Frame:
    """Rows with a file each, and the kind in the table."""
    for number in range(12):
        (tmp_path / f"{number}.bin").write_bytes(bytes(range(number, number + 6)))
    monkeypatch.setitem(kinds.KINDS, "tiny_picture", TinyPictureKind())
    cells = {"picture": [f"{number}.bin" for number in range(12)], "y": np.arange(12.0)}
    return frame_of(cells)


def test_a_kind_opens_files_through_the_allowed_paths(frame: Frame, tmp_path: Path) -> None:
    frame = replace(frame, paths=AllowedPaths.create(tmp_path))
    columns = preparer.learn(frame, {"picture": TinyPictureOptions()})
    made = preparer.transform_or_raise(columns, frame).arrays["picture"]
    assert (made.dtype, made.shape) == (np.uint8, (12, *SHAPE))
    assert made[3].tolist() == [[3, 4, 5], [6, 7, 8]]
    saved, arrays = preparer.save(columns)
    loaded = preparer.load(saved, arrays)
    again = preparer.transform(loaded, frame.take(np.array([3]))).arrays["picture"]
    np.testing.assert_array_equal(again, made[3:4])


def test_no_file_is_opened_that_is_not_allowed(frame: Frame, tmp_path: Path) -> None:
    options = {"picture": TinyPictureOptions()}
    (tmp_path / "inside").mkdir()
    outside = frame_of({"picture": ["../0.bin"]})
    with pytest.raises(DataError, match="BP200"):
        preparer.learn(replace(outside, paths=AllowedPaths.create(tmp_path / "inside")), options)
    with pytest.raises(DataError, match="BP20[02]"):
        preparer.learn(frame, options)  # no path is allowed unless some are given
    absolute = frame_of({"picture": [str(tmp_path / "0.bin")]})
    with pytest.raises(DataError, match="BP200"):
        preparer.learn(absolute, options)


@pytest.mark.parametrize("members", [1, 3])
def test_a_kind_with_nothing_linear_trains_alone(frame: Frame, tmp_path: Path, members: int) -> None:
    import keras

    frame = replace(frame, paths=AllowedPaths.create(tmp_path))
    columns = preparer.learn(frame, {"picture": TinyPictureOptions()})
    targets = targets_preparer.learn(frame, {"y": RegressionOptions(transform="none", clip=False)})
    network = build(columns, targets, mlp(hidden=(4,), members=members, linear=True), seed=0).members
    network.compile(optimizer=keras.optimizers.SGD(0.1), loss=dict(losses(targets, members)), jit_compile=False)
    inputs = preparer.transform(columns, frame).arrays
    truth = dict(zip(["target_0"], targets_preparer.encode(targets, frame)[0], strict=True))
    before = [weight.copy() for weight in network.get_weights()]
    if members > 1:  # Keras itself knows no members
        assert network(inputs)["target_0"].shape == (12, members, 1)
        return
    assert np.isfinite(network.fit(inputs, truth, epochs=2, verbose=0).history["loss"]).all()
    assert any((old != new).any() for old, new in zip(before, network.get_weights(), strict=True))


def test_rows_that_are_loaded_know_which_files_may_be_opened(frame: Frame, tmp_path: Path) -> None:
    write(frame.table, tmp_path / "t.csv")
    paths = AllowedPaths.create(tmp_path)
    loaded = load(DataOptions(train=("t.csv",)), CleanOptions(), paths).frame
    assert loaded.paths == loaded.take(np.arange(3)).paths == paths
    columns = preparer.learn(loaded, {"picture": TinyPictureOptions()})
    assert preparer.transform(columns, loaded).arrays["picture"].shape == (12, *SHAPE)
