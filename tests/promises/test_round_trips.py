"""What is saved loads as it was: learned states, models, whole configs, and one table in several formats."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from builders import frame_of
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from networks import mlp
from tables import COLUMNS, TASKS, config, make_table, write

from bptrain import Run, fit
from bptrain.config.load import config_from_mapping
from bptrain.data.frame import Frame
from bptrain.errors import DataError
from bptrain.features import preparer
from bptrain.features.categorical.options import CategoricalOptions
from bptrain.features.drift import Profile
from bptrain.features.numeric.options import NumericOptions
from bptrain.features.options import ColumnOptions
from bptrain.models import predictor
from bptrain.models.options import ResolvedModel
from bptrain.runs.arrays import parse_arrays, write_arrays
from bptrain.runs.directory import acquire_run
from bptrain.runs.manifest import open_run
from bptrain.runs.storage import canonical_json, parse_json
from bptrain.targets import preparer as targets_preparer
from bptrain.targets.classification.options import (
    BinaryOptions,
    BrierLoss,
    CrossEntropyLoss,
    FocalLoss,
    MulticlassOptions,
)
from bptrain.targets.regression.options import RegressionOptions
from bptrain.targets.target_options import TargetOptions

TARGETS = [("label",), ("sort",), ("amount",), tuple(TASKS)]

NUMBERS = st.none() | st.floats(-1e30, 1e30) | st.integers(-(2**53), 2**53).map(float)
TEXTS = st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=6) | st.sampled_from(["a", "b", "07"])


def cells(one: st.SearchStrategy[Any], n_rows: int) -> st.SearchStrategy[list[Any]]:
    return st.lists(one, min_size=n_rows, max_size=n_rows)


def numeric_options() -> st.SearchStrategy[ColumnOptions]:
    return st.builds(NumericOptions, indicator=st.booleans(), scaling=st.sampled_from(["standard", "none"]))


def categorical_options() -> st.SearchStrategy[ColumnOptions]:
    return st.builds(
        CategoricalOptions,
        encoding=st.sampled_from(["auto", "one_hot", "embedding"]),
        min_count=st.integers(1, 3),
        one_hot_limit=st.integers(1, 4),
        dimension=st.none() | st.integers(1, 5),
    )


@st.composite
def columns(draw: st.DrawFn) -> tuple[Frame, dict[str, ColumnOptions]]:
    """A table of up to three numeric and three categorical columns, and their options."""
    n_rows = draw(st.integers(1, 12))
    names = draw(st.lists(st.text("nü.*/ '\"\n", min_size=1, max_size=5), min_size=1, max_size=6, unique=True))
    arrays: dict[str, pa.Array] = {}
    options: dict[str, ColumnOptions] = {}
    for name, numeric in zip(names, itertools.cycle([True, False]), strict=False):
        arrays[name] = pa.array(draw(cells(NUMBERS, n_rows)), pa.float64()) if numeric else text(draw, n_rows)
        options[name] = draw(numeric_options() if numeric else categorical_options())
    return frame_of(arrays), options


def text(draw: st.DrawFn, n_rows: int) -> pa.Array:
    return pa.array(draw(cells(TEXTS, n_rows)), pa.string())


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that examples write and read."""
    return tmp_path_factory.mktemp("shelf") / "preparer.npz"


@settings(max_examples=150, deadline=None)
@given(columns())
def test_columns_load_as_they_were_saved(shelf: Path, table: tuple[Frame, dict[str, ColumnOptions]]) -> None:
    frame, options = table
    try:
        learned = preparer.learn(frame, options)
    except DataError:
        assume(False)
    saved, arrays = preparer.save(learned)
    write_arrays(shelf, arrays)
    read = parse_json(canonical_json({"columns": saved}).encode(), source="preparer.json")["columns"]
    loaded = preparer.load(read, parse_arrays(shelf.read_bytes(), preparer.array_shapes(read), source="preparer.npz"))
    assert list(loaded) == list(learned)
    assert list(preparer.kinds_of_columns(loaded)) == list(preparer.kinds_of_columns(learned))
    assert [state.inputs for state in loaded.values()] == [state.inputs for state in learned.values()]
    again, arrays_again = preparer.save(loaded)
    assert again == saved
    assert same_arrays(arrays_again, arrays)
    before, after = preparer.transform(learned, frame), preparer.transform(loaded, frame)
    assert same_arrays(after.arrays, before.arrays)
    assert not before.bad
    assert not before.unknown  # nothing is new to what learned it


@st.composite
def targets(draw: st.DrawFn) -> tuple[Frame, dict[str, TargetOptions]]:
    n_rows = draw(st.integers(3, 10))
    labels = draw(
        st.lists(st.text(max_size=4).filter(lambda text: "\0" not in text), min_size=3, max_size=6, unique=True)
    )
    arrays = {
        "binary": pa.array((labels[:2] * n_rows)[:n_rows]),
        "multiclass": pa.array(draw(cells(st.sampled_from(labels), n_rows))),
        "codes": pa.array(draw(cells(st.integers(-3, 12), n_rows))),
        "regression": pa.array(draw(cells(st.floats(-1e30, 1e30), n_rows))),
    }
    loss = draw(st.sampled_from([CrossEntropyLoss(label_smoothing=0.1), BrierLoss(), FocalLoss()]))
    options: dict[str, TargetOptions] = {
        "binary": BinaryOptions(loss=loss, positive=draw(st.none() | st.sampled_from(labels[:2]))),
        "multiclass": MulticlassOptions(loss=loss, temperature=draw(st.just("auto") | st.floats(0.01, 100))),
        "codes": MulticlassOptions(loss=loss),
        "regression": RegressionOptions(),
    }
    chosen = draw(st.lists(st.sampled_from(sorted(options)), min_size=1, unique=True))
    return frame_of(arrays), {name: options[name] for name in chosen}


@settings(max_examples=150, deadline=None)
@given(targets())
def test_targets_load_as_they_were_saved(table: tuple[Frame, dict[str, TargetOptions]]) -> None:
    frame, options = table
    try:
        learned = targets_preparer.learn(frame, options)
    except DataError:
        assume(False)
    read = parse_json(canonical_json({"targets": targets_preparer.save(learned)}).encode(), source="x")["targets"]
    loaded = targets_preparer.load(read)
    assert list(loaded.items()) == list(learned.items())
    before, after = targets_preparer.encode(learned, frame)[0], targets_preparer.encode(loaded, frame)[0]
    assert [(a.dtype, a.tobytes()) for a in after] == [(b.dtype, b.tobytes()) for b in before]


@pytest.mark.parametrize(
    "options",
    [
        mlp(hidden=(8,)),
        mlp(hidden=()),
        mlp(hidden=(5, 4), activation="selu", dropout=0.5, normalization="batch", l2=0.01),
    ],
    ids=["plain", "linear", "everything"],
)
def test_model_loads_with_equal_outputs(backend: None, tmp_path: Path, options: ResolvedModel) -> None:
    from bptrain.models.build import build, weights_of

    frame = Frame(make_table(300), np.arange(300))
    content = config_from_mapping(config("t.csv", *TASKS))
    features = {name: NumericOptions() for name in ("size", "height", "count")}
    labels = {name: CategoricalOptions() for name in ("colour", "flag")}
    chosen = {**features, **labels, **{name: content.columns[name] for name in COLUMNS}}
    learned = preparer.learn(frame, chosen)
    judged = targets_preparer.learn(frame, content.targets)
    made = predictor.Predictor(learned, judged, [build(learned, judged, options, seed=3)], Profile(9, {}, {}))
    for number, variable in enumerate(made.model.weights):  # normalisation statistics would start as ones and zeros
        if "seed" not in variable.path:
            variable.assign(np.random.default_rng(number).uniform(0.1, 1, variable.shape))
    with acquire_run(tmp_path / "run", stem="x") as partial:
        predictor.save(made, options, partial.path)
        partial.publish(latest=False)
    loaded = predictor.load(open_run(tmp_path / "run"))
    assert same_arrays(weights_of(loaded.model), weights_of(made.model))
    inputs = preparer.transform(learned, frame).arrays
    for before, after in zip(made.outputs(inputs), loaded.outputs(inputs), strict=True):
        assert np.isfinite(before).all()
        assert before.tobytes() == after.tobytes()


SAME = ("model/preparer.json", "model/preparer.npz", "model/network.json", "model/members/00/weights.npz")
RESULTS = ("metrics.json", "history.csv", "predictions.parquet", "inputs.json", "curves.svg")


@pytest.mark.parametrize("names", TARGETS, ids=" ".join)
def test_fitting_the_config_of_a_run_is_the_same_run(
    fitted: Callable[..., Run], tmp_path: Path, names: tuple[str, ...]
) -> None:
    first = fitted(*names)
    again = fit(first.path / "config.yaml", run=tmp_path / "again", root=first.path.parent)
    assert again.lock == first.lock
    assert again.config == first.config
    for name in (*SAME, *RESULTS):
        assert again.files.read_bytes(name) == first.files.read_bytes(name), name


FORMATS = [".parquet", ".jsonl"]


@pytest.mark.parametrize("ending", FORMATS)
def test_formats_of_one_table_give_the_same_run(fitted: Callable[..., Run], tmp_path: Path, ending: str) -> None:
    first = fitted(*TASKS)
    write(make_table(), tmp_path / f"t{ending}")
    other = fit(config(f"t{ending}", *TASKS), run=tmp_path / "run", root=tmp_path)
    assert other.lock["results"] == first.lock["results"]
    assert other.lock["config"] == first.lock["config"]
    for name in (*SAME, *RESULTS):
        assert other.files.read_bytes(name) == first.files.read_bytes(name), name


@pytest.mark.parametrize("ending", FORMATS)
def test_formats_keep_leading_zeros_and_read_numbers_alike(
    fitted: Callable[..., Run], tmp_path: Path, ending: str
) -> None:
    saved = fitted(*TASKS).files.read_json("model/preparer.json")
    (categorical,) = (item["state"] for item in saved["columns"] if item["kind"] == "categorical")
    (code,) = (column for column in categorical["columns"] if column["name"] == "code")
    assert code["levels"] == ["007", "07", "10", "7"]
    run = fitted("amount")
    left = run.evaluate(write(make_table(80, seed=5), tmp_path / "t.csv"))
    right = run.evaluate(write(make_table(80, seed=5), tmp_path / f"t{ending}"))
    assert right.targets == left.targets
    assert right.predictions.equals(left.predictions)


@pytest.fixture
def odd_cells() -> dict[str, tuple[pa.DataType, list[object]]]:
    """Columns by name: their Parquet type and cells that formats may spell in several ways."""
    return {
        "wide": (pa.int64(), [2**53, -(2**53), 0, None]),
        "small": (pa.int8(), [-128, 127, 0, None]),
        "tiny": (pa.float64(), [5e-324, -0.0, 1e-7, None]),
        "round": (pa.float64(), [1.0, 2.0, 1e16, None]),
        "exact": (pa.float64(), [0.1, 1 / 3, 123456789.123456789, None]),
        "flag": (pa.bool_(), [True, False, True, None]),
        "text": (pa.string(), ["True", "1.0", " spaces ", None]),
    }


def test_every_spelling_of_a_cell_is_the_same_number_and_label(
    odd_cells: dict[str, tuple[pa.DataType, list[object]]], tmp_path: Path
) -> None:
    from tables import read_table

    from bptrain.data.files import DataFile
    from bptrain.data.options import DataOptions

    table = pa.table({name: pa.array(cells, kind) for name, (kind, cells) in odd_cells.items()})
    frames = []
    for ending in (".csv", *FORMATS):
        path = write(table, tmp_path / f"t{ending}")
        read = read_table([DataFile(path, path.name)], DataOptions(train=(path.name,)))
        frames.append(frame_of(read))
    for name in odd_cells:
        texts = [frame.texts(name).to_pylist() for frame in frames]
        assert texts[1:] == texts[:-1], name
        numbers = [frame.numbers(name) for frame in frames]
        for values, bad in numbers[1:]:
            assert values.tobytes() == numbers[0][0].tobytes(), name
            assert bad.tolist() == numbers[0][1].tolist(), name
        assert len({(frame.n_present(name), frame.n_unique(name)) for frame in frames}) == 1, name


def test_a_missing_number_written_as_nan_is_missing_like_an_empty_cell(tmp_path: Path) -> None:
    plain = pa.array([1.0, None, 2.0, None])
    with_nan = pa.array(np.array([1.0, np.nan, 2.0, np.nan]))
    frames = [frame_of({"x": cells}) for cells in (plain, with_nan)]
    pq.write_table(frames[1].table, tmp_path / "t.parquet")
    frames.append(Frame(pq.read_table(tmp_path / "t.parquet"), np.arange(4)))
    assert {(frame.n_present("x"), frame.n_unique("x")) for frame in frames} == {(2, 2)}
    assert [frame.is_missing("x").tolist() for frame in frames] == [[False, True, False, True]] * 3
    assert len({tuple(frame.texts("x").to_pylist()) for frame in frames}) == 1


def same_arrays(left: Any, right: Any) -> bool:
    return list(left) == list(right) and all(
        left[name].dtype == right[name].dtype
        and left[name].shape == right[name].shape
        and left[name].tobytes() == right[name].tobytes()
        for name in left
    )


def test_equal_runs_have_equal_files_but_for_times(tmp_path: Path, backend: None) -> None:
    write(make_table(), tmp_path / "t.csv")
    runs = [fit(config("t.csv", "label"), run=tmp_path / name, root=tmp_path) for name in ("a", "b")]
    first, second = (run.files.files for run in runs)
    assert first.keys() == second.keys()
    assert {name for name in first if first[name] != second[name]} == {"timing.json"}
