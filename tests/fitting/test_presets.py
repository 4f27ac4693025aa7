"""The presets: batch ensembles, several networks and learned features, from the config to the exported network."""

from __future__ import annotations

import dataclasses
import json
import math
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import tables
from builders import frame_of

from bptrain import Run, fit, open_run
from bptrain.api import RowsWarning
from bptrain.config.load import config_from_mapping
from bptrain.config.schema import Config
from bptrain.data.files import AllowedPaths
from bptrain.data.frame import Frame
from bptrain.data.options import SplitOptions
from bptrain.data.splits import Split, fold_numbers
from bptrain.errors import DataError, UsageError
from bptrain.features import preparer
from bptrain.fitting import bagging
from bptrain.fitting import fit_model as trial
from bptrain.fitting.bagging import forward_selection, n_selected
from bptrain.fitting.dataset import Dataset, load_dataset, split_rows
from bptrain.fitting.inputs import resolve_config
from bptrain.fitting.resolve import resolve_model, resolve_training
from bptrain.models import ensemble
from bptrain.models.build import losses, output_name, weights_of
from bptrain.models.options import ResolvedModel
from bptrain.models.predict import PredictFunction, predict
from bptrain.models.predictor import Predictor
from bptrain.reports.run import inspect_tables
from bptrain.reports.text import report_text
from bptrain.runs.checkpoints import Checkpoints
from bptrain.targets.regression.options import RegressionOptions
from bptrain.targets.regression.task import RegressionState, RegressionTask
from bptrain.targets.tasks import TASKS
from bptrain.training import trainer
from bptrain.training.options import AdamOptions
from bptrain.training.trainer import Trainer
from bptrain.workflows.check import check
from bptrain.workflows.reproduce import reproduce

NUMBER = RegressionTask()
PRESETS = ("strong", "ensemble", "fast", "mlp")
MEMBERS = 3
SMALL = {
    "hidden": [12, 8],
    "members": MEMBERS,
    "embedding": {"d_embedding": 3, "n_frequencies": 4, "d_periodic": 2},
}
QUICK = {"epochs": 3, "batch_size": 16, "optimizer": {"learning_rate": 0.01}}


def settings(preset: str, *targets: str, **sections: Any) -> dict[str, Any]:
    """A config with a preset that is made small."""
    model = {"kind": preset, **SMALL, **({"networks": 2} if preset in ("strong", "ensemble") else {})}
    content = tables.config("t.csv", *(targets or ("label",)))
    return {**content, "model": model, "training": QUICK, **sections}


@pytest.fixture(scope="module")
def folder(backend: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("presets")
    tables.write(tables.make_table(240), folder / "t.csv")
    return folder


@pytest.fixture(scope="module")
def strong(folder: Path) -> Run:
    content = settings("strong", *tables.TASKS)
    return fit({**content, "model": {**content["model"], "ensemble_selection": 2}}, run=folder / "strong", root=folder)


@pytest.mark.usefixtures("unexported")
def test_the_default_is_strong(folder: Path) -> None:
    run = fit({"data": "t.csv", "target": "label", "training": {"epochs": 1}}, run=folder / "default", root=folder)
    model = run.config.model
    assert (model.kind, model.networks, model.linear) == ("strong", 5, "half")
    assert run.config.training.ema_momentum == 0.998
    assert len(run.metrics["training"]["networks"]) == 5
    numeric = [options for options in run.config.columns.values() if options.kind == "numeric"]
    assert {(options.bins, options.periodic) for options in numeric} == {(48, True)}
    again = fit(run.path / "config.yaml", run=folder / "again", root=folder)
    assert again.lock["results"] == run.lock["results"]


def test_training_rows_are_judged_out_of_fold(strong: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each by the network that left it out, as the other networks have seen it."""
    monkeypatch.chdir(folder)
    table = pq.read_table(strong.path / "predictions.parquet")
    counts = {each["values"]: each["counts"] for each in table["split"].value_counts().to_pylist()}
    assert counts == {"out_of_fold": 192, "test": 48}
    assert set(strong.metrics["targets"]["label"]["splits"]) == {"out_of_fold", "test"}
    assert "192 training (out of fold)" in report_text(inspect_tables(strong))
    judged = strong.evaluate()
    assert judged.targets == strong.metrics["targets"]
    predicted = strong.predict(pd.read_csv(folder / "t.csv", dtype=str))
    own = table.to_pandas().set_index("row")["amount.prediction"]
    test = own.index[table["split"].to_numpy() == "test"]
    np.testing.assert_array_equal(predicted["amount.prediction"].to_numpy()[test], own[test])
    rest = own.index.difference(test)
    assert not np.allclose(predicted["amount.prediction"].to_numpy()[rest], own[rest], rtol=1e-6)


def test_each_network_leaves_out_its_fold_and_starts_otherwise(strong: Run) -> None:
    first, second = (weights_of(network.model) for network in strong.predictor.networks)
    assert first.keys() == second.keys()
    alike = {name for name in first if np.array_equal(first[name], second[name])}
    assert alike == {f"{output_name(position)}_skip_mask/kernel" for position in range(len(tables.TASKS))}
    assert set(strong.lock["training"]) == {"model-1", "model-2"}
    lines = (strong.path / "history.csv").read_text().splitlines()
    assert [line.split(",")[:2] for line in lines[1:]] == [[str(n), str(e)] for n in (1, 2) for e in (1, 2, 3)]


def test_prediction_is_the_mean_over_members_and_networks(strong: Run) -> None:
    """Of probabilities for labels, of numbers for amounts, whatever the output's scale."""
    predictor = strong.predictor
    arrays = preparer.transform(predictor.columns, Frame(tables.make_table(240), np.arange(240))).arrays
    each = [
        {name: output.numpy()[:, network.selected] for name, output in network.members(arrays).items()}
        for network in predictor.networks
    ]
    whole = predictor.outputs(arrays)
    for position, (state, found) in enumerate(zip(predictor.targets.values(), whole, strict=True)):
        outputs = np.concatenate([np.asarray(one[output_name(position)], np.float64) for one in each], axis=1)
        assert outputs.shape == (240, 2 * 2, state.n_outputs)
        if state.task == "binary":
            expected = (1 / (1 + np.exp(-outputs))).mean(axis=1)
            found = 1 / (1 + np.exp(-found.astype(np.float64)))
        elif state.task == "multiclass":
            expected = np.exp(outputs - np.log(np.exp(outputs).sum(axis=2, keepdims=True))).mean(axis=1)
            found = np.exp(found) / np.exp(found).sum(axis=1, keepdims=True)
        else:
            expected = outputs.mean(axis=1)
        np.testing.assert_allclose(found, expected, rtol=2e-5, atol=1e-6)


def test_networks_share_what_no_weight_enters(strong: Run) -> None:
    """All but the first leave numbers to bins and labels to one-hot inputs to the first; their own weights stay."""
    import keras

    exported = keras.models.load_model(strong.path / "model.keras", compile=False)
    for whole in (strong.predictor.model, exported):
        kinds = [type(operation).__name__ for operation in whole.operations]
        assert (kinds.count("Maximum"), kinds.count("Equal"), kinds.count("Cos")) == (1, 1, 2)
        names = [operation.name for operation in whole.operations]
        assert [name for name in names if "bends" in name] == ["numeric_bends"]


def test_products_of_many_columns_stay_apart(strong: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """As their results together would take as many times the memory as there are networks."""
    predictor = strong.predictor
    arrays = preparer.transform(predictor.columns, Frame(tables.make_table(240), np.arange(240))).arrays
    together = ensemble.ensemble([network.model for network in predictor.networks], predictor.targets)
    monkeypatch.setattr(ensemble, "AT_ONCE", 10)
    apart = ensemble.ensemble([network.model for network in predictor.networks], predictor.targets)
    assert len([layer for layer in apart.layers if "bends" in layer.name]) == 2
    for name, expected in together.predict(arrays, verbose=0).items():
        np.testing.assert_allclose(apart.predict(arrays, verbose=0)[name], expected, rtol=1e-5, atol=1e-6)


@pytest.mark.slow
def test_blocks_of_rows_computed_at_once_are_the_same(folder: Path) -> None:
    """The command computes several at a time on its own threads, the API one after the other on all of them."""
    run = fit({**settings("strong"), "training": {**QUICK, "threads": 3}}, run=folder / "at-once", root=folder)
    rows = pd.concat([tables.make_table(240).to_pandas()] * 60, ignore_index=True)
    rows.to_parquet(folder / "many.parquet")
    out = folder / "predicted.parquet"
    arguments = ["predict", str(run.path), "many.parquet", "-o", str(out), "--root", str(folder)]
    subprocess.run([sys.executable, "-m", "bptrain", *arguments], check=True, capture_output=True, cwd=folder)
    with pytest.warns(RowsWarning, match="BP235"):
        expected = run.predict(rows)
    found = pd.read_parquet(out)
    np.testing.assert_array_equal(found["label.probability.yes"], expected["label.probability.yes"])


@pytest.mark.parametrize("n_rows", [1, 2, MEMBERS, MEMBERS + 1])
def test_a_row_is_predicted_alike_in_batches_of_every_size(n_rows: int, strong: Run) -> None:
    """Keras guesses from sizes what is a bias: a batch of as many rows as there are members is none."""
    import keras

    predictor = strong.predictor
    arrays = preparer.transform(predictor.columns, Frame(tables.make_table(240), np.arange(240))).arrays
    few = {name: array[:n_rows] for name, array in arrays.items()}
    exported = keras.models.load_model(strong.path / "model.keras", compile=False)
    first = predictor.networks[0]
    for network in (first.model, first.members, predictor.model, exported):
        for name, output in network(arrays).items():
            np.testing.assert_allclose(network(few)[name], output[:n_rows], rtol=1e-5, atol=1e-6)


def test_loss_of_members_is_the_mean_of_their_own(strong: Run) -> None:
    targets = strong.predictor.targets
    rng = np.random.default_rng(0)
    for position, state in enumerate(targets.values()):
        outputs = rng.normal(size=(7, 3, state.n_outputs)).astype(np.float32)
        truth = rng.integers(2, size=(7, 1)).astype(np.float32)
        alone = TASKS[state.task].head.loss(state)
        expected = np.mean([np.asarray(alone(truth, outputs[:, member])) for member in range(3)], axis=0)
        found = losses(targets, 3)[output_name(position)](truth, outputs)
        np.testing.assert_allclose(np.asarray(found), expected, rtol=1e-5)


@pytest.mark.slow
def test_exported_networks_open_without_bptrain(folder: Path) -> None:
    runs, arguments, rng = {}, [], np.random.default_rng(1)
    for preset in PRESETS:
        run = fit(settings(preset, *tables.TASKS), run=folder / f"{preset}-exported", root=folder)
        shapes = {name: shape for state in run.predictor.columns.values() for name, shape in state.inputs.items()}
        inputs = {}
        for name, (dtype, shape) in shapes.items():
            numbers = rng.integers(0, 3, (50, *shape)) if dtype == "int32" else rng.normal(size=(50, *shape))
            inputs[name] = numbers.astype(dtype)
        assert preparer.kinds_of_columns(run.predictor.columns)
        np.savez(folder / f"{preset}-inputs.npz", **inputs)
        runs[preset] = run, inputs
        arguments += [run.path / "model.keras", folder / f"{preset}-inputs.npz", folder / f"{preset}-outputs.npz"]
    code = (
        "import keras, numpy, sys\n"
        "for path, inputs, outputs in zip(*[iter(sys.argv[1:])] * 3):\n"
        "    network = keras.models.load_model(path, compile=False)\n"
        "    numpy.savez(outputs, **network.predict(dict(numpy.load(inputs)), verbose=0))\n"
        "assert not [name for name in sys.modules if name.startswith('bptrain')]\n"
    )
    subprocess.run([sys.executable, "-c", code, *arguments], check=True, capture_output=True, cwd=folder)
    for preset, (run, inputs) in runs.items():
        found = np.load(folder / f"{preset}-outputs.npz")
        for position, (state, output) in enumerate(
            zip(run.predictor.targets.values(), run.predictor.outputs(inputs), strict=True)
        ):
            decoded = TASKS[state.task].decode(state, output)
            if state.labels:
                every = np.stack([decoded.probabilities[label] for label in state.labels], axis=1)
                expected = every[:, -found[output_name(position)].shape[1] :]
            else:
                expected = decoded.prediction.to_numpy()[:, None]
            given = found[output_name(position)]
            np.testing.assert_allclose(given, expected, rtol=1e-5, atol=1e-6, err_msg=preset)


@pytest.mark.usefixtures("unexported")
def test_given_validation_rows_choose_for_every_network(folder: Path) -> None:
    content = settings("strong", split={"validation": 0.25})
    run = fit(content, run=folder / "validated", root=folder)
    splits = run.metrics["targets"]["label"]["splits"]
    assert {name: part["n"] for name, part in splits.items()} == {"train": 144, "validation": 48, "test": 48}
    assert len(run.predictor.networks) == 2


@pytest.mark.usefixtures("unexported")
def test_few_groups_have_one_network(folder: Path) -> None:
    """Whose validation rows are a group of their own, as five networks would find no folds."""
    content = settings("strong", split={"kind": "group", "column": "town"})
    del content["model"]["networks"]
    run = fit(content, run=folder / "grouped", root=folder)
    assert run.config.model.networks == 1
    assert set(run.metrics["targets"]["label"]["splits"]) == {"train", "validation", "test"}


def test_a_refit_of_several_networks_is_refused(folder: Path) -> None:
    with pytest.raises(UsageError, match="trains one network anew, but `model.networks` is 2"):
        fit(settings("strong", training={**QUICK, "final": "refit"}), run=folder / "refused", root=folder)


def test_numbers_stay_among_those_of_training_rows(strong: Run, folder: Path) -> None:
    rows = pd.read_csv(folder / "t.csv").assign(size=1e6)
    state = strong.predictor.targets["amount"]
    assert isinstance(state, RegressionState)
    assert state.lowest is not None
    assert state.highest is not None
    predicted = strong.predict(rows)["amount.prediction"]
    assert predicted.between(state.lowest, state.highest).all()


@pytest.mark.usefixtures("unexported")
def test_running_means_are_kept_not_the_weights(folder: Path) -> None:
    """With a mean that forgets at once the weights are the same."""
    forgetful, plain = (
        fit(
            settings("fast", training={**QUICK, "ema_momentum": average}),
            run=folder / f"average {average}",
            root=folder,
        )
        for average in (0.0, None)
    )
    assert forgetful.lock["results"]["weights"] == plain.lock["results"]["weights"]
    steady = fit(settings("fast"), run=folder / "steady", root=folder)
    assert steady.lock["results"]["weights"] != plain.lock["results"]["weights"]


def test_inspect_tells_of_networks_and_members(strong: Run) -> None:
    text = report_text(inspect_tables(strong))
    assert "network: strong [12, 8], 2 networks, 3 members, 2 of them kept" in text
    assert len(json.loads((strong.path / "model/network.json").read_text())["selected"]) == 2


def test_kept_members_are_the_best_on_validation_rows(folder: Path) -> None:
    """The best alone, then the one that helps it most; weights of all are saved, for runs that start from them."""
    given = {"model": {**SMALL, "kind": "fast", "ensemble_selection": 2}, "seed": 3}
    run = fit({**settings("fast", "amount"), **given}, run=folder / "kept", root=folder)
    whole = fit(settings("fast", "amount", seed=3), run=folder / "whole", root=folder)
    assert run.lock["results"]["weights"] == whole.lock["results"]["weights"]
    (network,), (state,) = run.predictor.networks, run.predictor.targets.values()
    table = pq.read_table(run.path / "predictions.parquet").to_pandas().set_index("row")
    validation = table[table["split"] == "validation"]
    arrays = preparer.transform(run.predictor.columns, Frame(tables.make_table(240), np.arange(240))).arrays
    outputs = np.asarray(network.members(arrays)["target_0"])[validation.index, :, 0] * state.scale + state.mean
    truth = pd.read_csv(folder / "t.csv")["amount"].to_numpy()[validation.index]

    def loss(members: Sequence[int]) -> float:
        return float(np.mean((outputs[:, members].mean(axis=1) - truth) ** 2))

    first = min(range(MEMBERS), key=lambda member: loss([member]))
    pair = min(([first, other] for other in range(MEMBERS) if other != first), key=loss)
    assert network.selected == tuple(sorted(pair))
    np.testing.assert_allclose(validation["amount.prediction"], outputs[:, pair].mean(axis=1), rtol=1e-4)


@pytest.mark.parametrize(("skip", "with_it"), [("half", [True, True, False]), (True, [True] * 3), (False, [False] * 3)])
@pytest.mark.usefixtures("unexported")
def test_members_have_the_linear_model(skip: bool | str, with_it: list[bool], folder: Path) -> None:
    """Beside whatever their hidden layers say; and which have it is kept with the members."""
    model = {**SMALL, "kind": "fast", "linear": skip, "ensemble_selection": 2}
    run = fit({**settings("fast", "amount"), "model": model}, run=folder / f"skip-{skip}", root=folder)
    (network,) = run.predictor.networks
    arrays = preparer.transform(run.predictor.columns, Frame(tables.make_table(240), np.arange(240))).arrays
    before = np.asarray(network.members(arrays)["target_0"])[..., 0]
    few = np.asarray(network.model(arrays)["target_0"])[:, 0]
    np.testing.assert_allclose(few, before[:, list(network.selected or ())].mean(axis=1), rtol=1e-4, atol=1e-6)
    if skip:
        bias = network.members.get_layer("target_0_skip").bias
        bias.assign(np.asarray(bias) + 1)
    moved = np.asarray(network.members(arrays)["target_0"])[..., 0] - before
    np.testing.assert_allclose(moved, np.tile(np.float32(with_it), (240, 1)), atol=1e-5)


def test_forward_selection_takes_the_best_and_then_whom_it_helps_most() -> None:
    numbers = [3.0, 1.0, 5.0, math.nan, -4.0]  # whose mean is to be 0

    def loss(chosen: Sequence[int]) -> float:
        return abs(float(np.mean([numbers[each] for each in chosen])))

    ranking = forward_selection(5, loss)
    assert ranking.order == (1, 4, 0, 2, 3)
    assert ranking.losses == (1.0, 1.5, 0.0, 1.25, math.inf)
    assert [tuple(sorted(ranking.order[:n])) for n in (1, 2, 5)] == [(1,), (1, 4), (0, 1, 2, 3, 4)]


@pytest.mark.parametrize(
    ("losses", "least_gain", "n_chosen"),
    [
        ([10.0, 9.0, 8.5, 8.45, 8.0], 0.1, 2),  # gains of a tenth, 5.6 %, .6 %, 5.3 %
        ([10.0, 9.0, 8.5, 8.45, 8.0], 0.05, 3),
        ([10.0, 9.0, 8.5, 8.45, 8.0], 0.005, 5),
        ([0.0, 0.0, 0.0], 0.002, 2),
        ([-13.0, -13.05, -13.04], 0.002, 2),
        ([-13.0, -13.05, -13.2], 0.002, 3),
        ([math.inf, math.inf, 1.0], 0.002, 2),
    ],
)
def test_members_are_enough_where_another_gains_little(losses: list[float], least_gain: float, n_chosen: int) -> None:
    assert n_selected(losses, at_least=2, least_gain=least_gain) == n_chosen


def test_all_networks_decide_how_many_members_they_keep(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the mean of their losses over validation rows; each network counts alike, here and in model.keras."""
    import keras

    asked: list[Any] = []

    def three(losses: list[float], **given: float) -> int:
        asked.append((losses, given))
        return 3

    monkeypatch.setattr(bagging, "n_selected", three)
    content = {**settings("strong", "amount"), "model": {**SMALL, "members": 5, "networks": 3}}
    run = open_run(fit(content, run=folder / "as-many", root=folder).path)
    assert run.config.model.ensemble_selection == "by_loss"
    assert "5 members, 3 of them kept" in report_text(inspect_tables(run))
    ((losses, given),) = asked
    assert given == {"least_gain": 0.002, "at_least": 2}
    predictor, (state,) = run.predictor, run.predictor.targets.values()
    arrays = preparer.transform(predictor.columns, Frame(tables.make_table(240), np.arange(240))).arrays
    outputs = [np.asarray(network.members(arrays)["target_0"])[:, :, 0] for network in predictor.networks]
    expected = np.mean(
        [output[:, network.selected].mean(axis=1) for output, network in zip(outputs, predictor.networks, strict=True)],
        axis=0,
    )
    np.testing.assert_allclose(predictor.outputs(arrays)[0][:, 0], expected, rtol=1e-4, atol=1e-6)
    exported = keras.models.load_model(run.path / "model.keras", compile=False).predict(arrays, verbose=0)
    expected = np.clip(expected * state.scale + state.mean, state.lowest, state.highest)
    np.testing.assert_allclose(exported["target_0"][:, 0], expected, rtol=1e-4)
    table = pq.read_table(run.path / "predictions.parquet").to_pandas().set_index("row")
    rows = table[table["split"] == "out_of_fold"]
    own = np.stack(
        [
            output[rows.index][:, network.selected].mean(axis=1)
            for output, network in zip(outputs, predictor.networks, strict=True)
        ]
    )
    given_values = np.clip(own * state.scale + state.mean, state.lowest, state.highest)
    number = np.abs(given_values - rows["amount.prediction"].to_numpy()).argmin(axis=0)
    truth = (pd.read_csv(folder / "t.csv")["amount"].to_numpy()[rows.index] - state.mean) / state.scale
    squares = (own[number, np.arange(len(rows))] - truth) ** 2
    assert losses[2] == pytest.approx(squares.mean(), rel=1e-3)


def test_blocks_of_steps_know_what_members_cost(strong: Run) -> None:
    from bptrain.training.trainer import most_steps

    network = strong.predictor.networks[0]
    ratio = most_steps(network.model, 10**5) / most_steps(network.members, 10**5)
    assert ratio == pytest.approx(MEMBERS, rel=0.1)


@pytest.mark.parametrize(
    ("kind", "n_features", "n_rows", "hidden", "members"),
    [
        ("strong", 150, 5000, (256, 256), 4),
        ("strong", 149, 5000, (128, 128), 8),
        ("strong", 150, 4999, (128, 128), 8),
        ("ensemble", 150, 5000, (256, 256), 8),
        ("ensemble", 10, 5000, (128, 128), 16),
        ("fast", 150, 5000, (256, 256), 2),
        ("fast", 10, 10, (128, 128), 2),
        ("mlp", 150, 5000, (256, 256), 1),
    ],
)
def test_layers_are_wide_where_rows_give_much(
    kind: str, n_features: int, n_rows: int, hidden: tuple[int, ...], members: int
) -> None:
    model = resolved({"kind": kind}, n_features, n_rows, split="group")
    linear: bool | str = kind != "mlp" and (True if n_features >= 150 and n_rows >= 5000 else "half")
    networks = {"strong": 5, "ensemble": 10, "fast": 1, "mlp": 1}[kind]
    assert (model.hidden, model.members, model.networks, model.linear) == (hidden, members, networks, linear)


def config_of(model: dict[str, Any], split: str = "random") -> Config:
    """A config of one target of numbers."""
    target = {"column": "y", "task": "regression"}
    return config_from_mapping({"data": "t.csv", "target": target, "model": model, "split": split})


def resolved(
    model: dict[str, Any], n_features: int, n_rows: int = 5000, *, labels: bool = False, split: str = "random"
) -> ResolvedModel:
    """The section `model` for a table where a row gives so many numbers."""
    config = config_of(model, split)
    return resolve_model(config, n_features=n_features, n_rows=n_rows, labels=labels, has_validation=True)


@pytest.mark.parametrize(
    ("given", "members", "networks"),
    [
        ({}, 2, 10),
        ({"ensemble_selection": None}, 2, 10),
        ({"ensemble_selection": 2}, 4, 5),
        ({"members": 4}, 4, 5),
        ({"networks": 5}, 4, 5),
        ({"hidden": [256, 256]}, 8, 5),
        ({"kind": "ensemble"}, 8, 10),
        ({"kind": "fast"}, 2, 1),
    ],
)
def test_wide_layers_have_more_networks_of_fewer_members(given: dict[str, Any], members: int, networks: int) -> None:
    """Where nothing else is asked for, and folds may be halved."""
    wide, narrow = (resolved({"kind": "strong", **given}, n_features) for n_features in (150, 149))
    assert (wide.members, wide.networks) == (members, networks)
    assert narrow.networks == {"ensemble": 10, "fast": 1}.get(narrow.kind, 5)


@pytest.mark.parametrize(
    ("kind", "n_features", "of_numbers", "of_labels"),
    [("strong", 149, 0.0, 0.1), ("strong", 150, 0.1, 0.1), ("ensemble", 150, 0.1, 0.1), ("mlp", 150, 0.0, 0.0)],
)
def test_labels_and_wide_layers_have_dropout(kind: str, n_features: int, of_numbers: float, of_labels: float) -> None:
    for labels, dropout in ((False, of_numbers), (True, of_labels)):
        assert resolved({"kind": kind, "dropout": "auto"}, n_features, labels=labels).dropout == dropout


@pytest.mark.parametrize(("hidden", "dropout"), [([128], 0.0), ([64, 129], 0.1)])
def test_given_layers_have_dropout_by_their_width(hidden: list[int], dropout: float) -> None:
    assert resolved({"kind": "strong", "hidden": hidden}, 500).dropout == dropout


@pytest.mark.parametrize(
    ("n_rows", "of_numbers", "of_labels"),
    [(4499, 64, 64), (4500, 128, 128), (6400, 128, 256), (26_999, 128, 256), (27_000, 256, 256), (10**6, 1024, 1024)],
)
def test_the_batch_goes_by_rows(n_rows: int, of_numbers: int, of_labels: int) -> None:
    for labels, size in ((False, of_numbers), (True, of_labels)):
        options = resolve_training(config_of({}), n_rows=n_rows, labels=labels, hidden=[])
        assert options.batch_size == size


@pytest.mark.parametrize(
    ("n_rows", "wide", "of_numbers", "of_labels"),
    [
        (4499, False, 0.001, 0.001),
        (6399, False, 0.003, 0.002),
        (6400, False, 0.006, 0.004),
        (23_999, False, 0.006, 0.004),
        (23_999, True, 0.003, 0.002),
        (24_000, False, 0.003, 0.002),
    ],
)
def test_the_rate_goes_by_rows_and_width(n_rows: int, wide: bool, of_numbers: float, of_labels: float) -> None:
    for labels, rate in ((False, of_numbers), (True, of_labels)):
        options = resolve_training(config_of({}), n_rows=n_rows, labels=labels, hidden=[129 if wide else 128])
        assert options.optimizer == AdamOptions(learning_rate=rate)


@pytest.mark.parametrize(("hidden", "rate"), [([128, 128], 0.006), ([], 0.006), ([64, 129], 0.003)])
def test_the_rate_of_a_fit_goes_by_its_layers(hidden: list[int], rate: float) -> None:
    """7999 rows per network: of 12 500, a fifth are for testing, and another fifth is left out."""
    frame = frame_of({"x": np.arange(12_500.0), "y": np.arange(12_500.0)})
    config = config_from_mapping(
        {
            "data": "t.csv",
            "target": {"column": "y", "task": "regression"},
            "columns": {"x": {"kind": "numeric"}},
            "model": {"kind": "strong", "hidden": hidden, "networks": 5},
        }
    )
    split = Split(np.arange(10_000), np.arange(0), np.arange(10_000, 12_500), network_fold=np.arange(10_000) % 5)
    dataset = Dataset(config, frame, np.full(12_500, "train"), {}, [], [])
    training = resolve_config(dataset, split, None)[0].training
    assert training.optimizer == AdamOptions(learning_rate=rate)


@pytest.mark.parametrize("compiled", [False, True])
def test_one_program_gives_the_outputs_of_every_network(
    compiled: bool, strong: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the weights of each, none of which it changes; traced once for all."""
    first, second = (network.model for network in strong.predictor.networks)
    table = Frame(tables.make_table(240), np.arange(240))
    arrays = preparer.transform(strong.predictor.columns, table).arrays
    traced, outputs_of = [], PredictFunction._outputs

    def tracing(*given: Any) -> Any:
        traced.append(given)
        return outputs_of(*given)

    monkeypatch.setattr(PredictFunction, "_outputs", tracing)
    program, before = PredictFunction(first, compiled=compiled), [first.get_weights(), second.get_weights()]
    for network in (first, second):
        found = program.predict(network.get_weights(), arrays, block_rows=64)
        for name, expected in predict(network, arrays, block_rows=64).items():
            np.testing.assert_allclose(found[name], expected, rtol=1e-5, atol=1e-6)
    assert len(traced) == 1
    for network, weights in zip((first, second), before, strict=True):
        for value, same in zip(network.get_weights(), weights, strict=True):
            np.testing.assert_array_equal(value, same)


@pytest.mark.usefixtures("unexported")
def test_networks_share_what_compiling_costs(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def noted(**given: Any) -> bool:
        asked.append(given["n_trainings"])
        return False

    monkeypatch.setattr(trainer, "compiling_pays", noted)
    fit(settings("strong", "amount", training={**QUICK, "epochs": 1}), run=folder / "shared", root=folder)
    assert asked == [2]


def test_no_rows_have_no_outputs(strong: Run) -> None:
    network = strong.predictor.networks[0].model
    arrays = {name: np.empty((0, *tensor.shape[1:]), tensor.dtype) for name, tensor in network.input.items()}
    for found in (predict(network, arrays), PredictFunction(network).predict(network.get_weights(), arrays)):
        assert {name: output.shape for name, output in found.items()} == {
            name: (0, output.shape[-1]) for name, output in network.output.items()
        }


@pytest.mark.usefixtures("unexported")
def test_rows_that_tune_are_predicted_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Out of fold, or as validation rows: their outputs are kept until predictions are written."""
    counts = []
    outputs = Predictor.outputs

    def counted(self: Predictor, inputs: Any, left_out: Any = None) -> Any:
        counts.append(len(next(iter(inputs.values()))))
        return outputs(self, inputs, left_out)

    monkeypatch.setattr(Predictor, "outputs", counted)
    fit(settings("strong", "amount"), run=folder / "once", root=folder)
    assert sorted(counts) == [48, 192]
    counts.clear()
    fit({**settings("strong", "amount"), "model": {**SMALL, "networks": 1}}, run=folder / "once-1", root=folder)
    assert sorted(counts) == [39, 48, 153]
    counts.clear()
    one = {**settings("strong", "amount"), "model": {**SMALL, "networks": 1}}
    one["training"] = {**QUICK, "final": "refit"}
    fit(one, run=folder / "once-2", root=folder)
    assert sorted(counts) == [39, 48, 192]


@pytest.mark.usefixtures("unexported")
def test_rows_of_several_chunks_are_predicted_alike_when_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their last bits depend on the place in a block, as products outside XLA treat its last rows otherwise."""
    monkeypatch.setattr(trial, "PREDICTED_ROWS", 15_000)
    tables.write(tables.make_table(30_000), tmp_path / "t.csv")
    content = settings("strong", "amount", split={"test": 0.2})
    run = fit({**content, "training": {"epochs": 1, "batch_size": 1024}}, run=tmp_path / "run", root=tmp_path)
    monkeypatch.chdir(tmp_path)
    assert run.evaluate().predictions.equals(pq.read_table(run.path / "predictions.parquet"))


def test_given_sizes_stay() -> None:
    given = {"hidden": (7,), "members": 3, "networks": 4, "linear": False, "dropout": 0.2}
    model = resolved({"kind": "strong", **given}, 1000, 100_000)
    assert {name: getattr(model, name) for name in given} == given


def test_as_many_members_as_are_to_be_kept() -> None:
    """Else `check` would allow what `fit` then refuses: only the latter knows how much a row gives."""
    for keep, members in ((2, 4), (3, 4), (4, 8), (7, 8)):
        assert resolved({"kind": "strong", "ensemble_selection": keep}, 1000, 100_000).members == members


def test_ten_folds_are_halves_of_five() -> None:
    """Of as many rows of each class, so that either can be taken once the width of layers is known."""
    rows, by = np.arange(0, 240, 2), np.arange(240) // 2 % 12 == 0
    for kind, labels in (("random", np.zeros(240, np.int8)), ("stratified", by.astype(np.int64))):
        options = SplitOptions(kind=kind)
        fives, tens = (fold_numbers(rows, labels, options, n_folds, seed=3) for n_folds in (5, 10))
        np.testing.assert_array_equal(tens // 2, fives)
        np.testing.assert_array_equal(np.bincount(tens), [12] * 10)
        assert (tens != fold_numbers(rows, labels, options, 10, seed=4)).any()
        own = options.model_copy(update={"seed": 3})
        np.testing.assert_array_equal(tens, fold_numbers(rows, labels, own, 10, seed=4))
    np.testing.assert_array_equal(np.bincount(tens[by[rows]]), [1] * 10)
    groups = np.arange(240) // 12
    numbers = fold_numbers(rows, groups, SplitOptions(kind="group"), 10, seed=3)
    assert all(len(set(numbers[groups[rows] == group])) == 1 for group in range(20))


@pytest.mark.usefixtures("unexported")
def test_a_run_says_its_sizes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a fifth of the rows left out by each network, or a tenth, and a label of 190 levels."""
    rows = pd.DataFrame({"label": [f"k{n % 190}" for n in range(8000)], "y": np.arange(8000.0)})
    rows.to_csv(folder / "wide.csv", index=False)
    content = {
        "data": "wide.csv",
        "target": "y",
        "columns": {"label": {"kind": "categorical", "one_hot_limit": 200}},
        "training": {"epochs": 1},
    }
    run = fit(content, run=folder / "wide", root=folder)
    model, trained = run.config.model, run.metrics["training"]["networks"]
    assert (model.hidden, model.members, model.networks, len(trained)) == ((256, 256), 2, 10, 10)
    monkeypatch.chdir(folder)
    assert run.evaluate().predictions.equals(pq.read_table(run.path / "predictions.parquet"))
    fewer = model_of({**content, "split": {"test": 0.3}}, folder)
    assert (fewer.hidden, fewer.members) == ((128, 128), 8)
    grouped = {**content, "split": {"kind": "hash", "column": "label", "test": 0.1}}
    grouped["columns"] = {**grouped["columns"], "label": {"kind": "categorical", "one_hot_limit": 200}}
    whole = model_of(grouped, folder)
    assert (whole.hidden, whole.members, whole.networks) == ((256, 256), 4, 5)


def model_of(content: dict[str, Any], folder: Path) -> ResolvedModel:
    """The section `model` that a fit resolves, without training."""
    rows = load_dataset(config_from_mapping(content), AllowedPaths.create(folder))
    return resolve_config(rows, split_rows(rows), None)[0].model


# What a few rows, odd splits and refits ask of several networks

OWN: dict[str, Any] = {"targets": {"y": {"task": "regression"}}, "columns": {}}


@pytest.mark.parametrize("n_rows", [41, 57, 79])
@pytest.mark.usefixtures("unexported")
def test_networks_of_few_rows_end(n_rows: int, tmp_path: Path) -> None:
    """One of the folds is larger than others, so its network has fewer rows than a batch of all rows of another."""
    tables.write(tables.make_table(n_rows), tmp_path / "t.csv")
    content = settings("strong", "amount", training={"epochs": 2}, split={"test": 0.0})
    run = fit({**content, "model": {**content["model"], "networks": 5}}, run=tmp_path / "run", root=tmp_path)
    assert [network["epochs"] for network in run.metrics["training"]["networks"]] == [2] * 5


@pytest.mark.usefixtures("unexported")
def test_a_batch_of_all_rows_of_networks_of_several_sizes(folder: Path) -> None:
    content = settings("strong", "amount", training={"epochs": 2, "batch_size": "all"}, split={"test": 0.03})
    run = fit({**content, "model": {**content["model"], "networks": 5}}, run=folder / "all", root=folder)
    assert [network["epochs"] for network in run.metrics["training"]["networks"]] == [2] * 5


@pytest.mark.usefixtures("unexported")
def test_a_column_names_training_and_test_rows_only(folder: Path) -> None:
    rows = pd.read_csv(folder / "t.csv")
    rows.assign(part=np.where(np.arange(240) % 4, "train", "test")).to_csv(folder / "parts.csv", index=False)
    content = settings("strong", split={"kind": "column", "column": "part"}) | {"data": "parts.csv"}
    run = fit(content, run=folder / "parts", root=folder)
    assert set(run.metrics["targets"]["label"]["splits"]) == {"out_of_fold", "test"}


@pytest.mark.usefixtures("unexported")
def test_networks_within_folds_by_hash(folder: Path) -> None:
    """Each fold of cross-validation has used up a part of the keys' places."""
    rows = pd.read_csv(folder / "t.csv")
    rows.assign(key=np.arange(240) // 2).to_csv(folder / "keys.csv", index=False)
    split = {"kind": "hash", "column": "key", "folds": 2}
    content = settings("strong", training={"epochs": 1, "batch_size": 16}, split=split) | {"data": "keys.csv"}
    run = fit(content, run=folder / "hash", root=folder)
    assert len(run.metrics["training"]["networks"]) == 2


def test_fewer_groups_than_networks_are_told_by_check_too(folder: Path) -> None:
    rows = pd.read_csv(folder / "t.csv")
    rows.assign(key=np.arange(240) % 6).to_csv(folder / "groups.csv", index=False)
    content = settings("strong", split={"kind": "group", "column": "key"}) | {"data": "groups.csv"}
    content["model"] = {**content["model"], "networks": 7}
    (folder / "groups.yaml").write_text(json.dumps(content))
    for command in (["check"], ["fit", "--run", str(folder / "groups")]):
        arguments = [sys.executable, "-m", "bptrain", command[0], "groups.yaml", *command[1:]]
        done = subprocess.run(arguments, cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 4
        assert "divided among 7 networks: there are" in done.stderr


def test_groups_are_not_counted_where_validation_rows_are_given(folder: Path) -> None:
    rows = pd.read_csv(folder / "t.csv").assign(key=np.arange(240) % 3)
    for name, part in (("some", rows[:160]), ("others", rows[160:])):
        part.to_csv(folder / f"{name}.csv", index=False)
    data = {"train": "some.csv", "validation": "others.csv"}
    content = {**settings("strong", split={"kind": "group", "column": "key", "test": 0.0}), "data": data}
    (folder / "given.yaml").write_text(json.dumps({**content, "model": {**content["model"], "networks": 7}}))
    arguments = [sys.executable, "-m", "bptrain", "check", "given.yaml"]
    assert subprocess.run(arguments, cwd=folder, capture_output=True, check=False).returncode == 0


def test_a_fold_whose_rows_have_no_weight_is_refused(folder: Path) -> None:
    rows = pd.read_csv(folder / "t.csv")
    rows.assign(key=np.arange(240) // 120, weight=np.arange(240) // 120).to_csv(folder / "weights.csv", index=False)
    content = settings("strong", split={"kind": "group", "column": "key", "test": 0.0}) | {"data": "weights.csv"}
    with pytest.raises(DataError, match="a fold has no row that can be trained on"):
        fit({**content, "columns": {"weight": "weight"}}, run=folder / "weights", root=folder)


@pytest.mark.usefixtures("unexported")
def test_a_network_never_trains_on_its_fold(tmp_path: Path) -> None:
    """Other targets in a fold leave the weights of its network as they are, and no others.

    Targets are exchanged within the fold and have a mean of exactly zero, so that their scale stays, too.
    """
    rows = np.random.default_rng(0).permutation(np.repeat([-2.0, -1.0, 1.0, 2.0], 30))
    split = SplitOptions(kind="random", test=0.0, validation=0.0)
    numbers = fold_numbers(np.arange(120), np.zeros(120), split, 2, seed=0)
    weights = []
    for name in ("before", "after"):
        frame = pd.DataFrame({"x": np.arange(120) % 17, "y": rows})
        frame.to_csv(tmp_path / "t.csv", index=False)
        content = settings("strong", training={**QUICK, "epochs": 1}, split={"test": 0.0}, **OWN)
        run = fit(content, run=tmp_path / name, root=tmp_path)
        weights.append([weights_of(network.members) for network in run.predictor.networks])
        own = np.flatnonzero(numbers == 1)
        rows[own] = rows[own[::-1]]
    assert [all_equal(*pair) for pair in zip(*weights, strict=True)] == [False, True]


def all_equal(first: dict[str, np.ndarray], second: dict[str, np.ndarray]) -> bool:
    return all(np.array_equal(first[name], second[name]) for name in first)


@pytest.mark.usefixtures("unexported")
def test_networks_do_not_judge_by_folds_what_came_later(folder: Path) -> None:
    rows = pd.read_csv(folder / "t.csv")
    days = pd.date_range("2024-01-01", periods=240).strftime("%Y-%m-%d")
    rows.assign(day=days).to_csv(folder / "days.csv", index=False)
    split = {"kind": "time", "column": "day", "validation": 0.0}
    content = settings("strong", split=split) | {"data": "days.csv"}
    with pytest.raises(UsageError, match="2 networks need later rows"):
        fit(content, run=folder / "days", root=folder)
    content["model"] = {name: value for name, value in content["model"].items() if name != "networks"}
    run = fit(content, run=folder / "days", root=folder)
    assert run.config.model.networks == 1


@pytest.mark.usefixtures("unexported")
def test_a_refit_keeps_the_sizes_that_chose_its_epochs(folder: Path) -> None:
    rows = pd.DataFrame({"x": np.arange(5700) % 31, "y": np.arange(5700) % 7})
    rows.to_csv(folder / "refit.csv", index=False)
    content = {
        **settings("fast", training={"epochs": 1, "final": "refit"}, **OWN),
        "data": "refit.csv",
    }
    run = fit(content, run=folder / "refit", root=folder)
    assert run.config.training.batch_size == 64  # as 3648 rows want it; the refit has 4560


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (
            {"kind": "mlp", "hidden": [4], "ensemble_selection": 4},
            "`model.ensemble_selection` is 4, but there is 1 member",
        ),
        (
            {"kind": "strong", **SMALL, "ensemble_selection": 3},
            "`model.ensemble_selection` is 3, but there are 3 members",
        ),
        (
            {"kind": "fast", **SMALL, "ensemble_selection": 2},
            "`model.ensemble_selection` is 2, but there are no validation rows to choose them by",
        ),
    ],
)
def test_members_that_cannot_be_chosen_are_refused(model: dict[str, Any], message: str, folder: Path) -> None:
    content = {**settings("fast", split={"validation": 0.0}), "model": model}
    with pytest.raises(UsageError, match=message):
        fit(content, run=folder / "keep", root=folder)
    with pytest.raises(UsageError, match=message):  # without training
        check(config_from_mapping(content), AllowedPaths.create(folder))


@pytest.mark.usefixtures("unexported")
def test_where_no_members_are_chosen_the_config_says_so(folder: Path) -> None:
    run = fit(settings("fast", split={"validation": 0.0}, training={"epochs": 1}), run=folder / "none", root=folder)
    assert run.config.model.ensemble_selection is None


@pytest.mark.usefixtures("unexported")
def test_a_logarithm_taken_by_itself_refuses_no_judged_row(folder: Path) -> None:
    values = np.geomspace(0.01, 1e6, 200)
    parts = np.where(np.arange(200) % 5, "train", "test")
    values[0] = 0.0  # a test row
    pd.DataFrame({"x": np.arange(200), "part": parts, "y": values}).to_csv(folder / "wide.csv", index=False)
    content = settings("fast", split={"kind": "column", "column": "part"}, **OWN) | {"data": "wide.csv"}
    run = fit({**content, "model": {**content["model"], "ensemble_selection": None}}, run=folder / "log", root=folder)
    assert "target: y, regression, loss {kind: mse}, transform log (chosen)" in report_text(inspect_tables(run))
    assert run.evaluate(root=folder).targets == run.metrics["targets"]  # its config says `auto` again
    assert reproduce(run, AllowedPaths.create(folder)).verdict == "identical"


@pytest.mark.parametrize(
    ("ends", "others", "transform"),
    [
        ((0.01, 1e6), {}, "log"),
        ((0.0, 1e6), {}, "none"),
        ((10, 1000), {}, "none"),
        ((0.01, 1e6), {"clip": False}, "none"),
    ],
)
def test_a_logarithm_is_taken_of_amounts_over_decades(
    ends: tuple[float, float], others: dict[str, Any], transform: str
) -> None:
    values = np.geomspace(max(ends[0], 0.01), ends[1], 160)
    values[0] = ends[0]
    frame = frame_of({"y": values})
    options = RegressionOptions.model_validate({"clip": True, **others})
    assert NUMBER.learn(frame, "y", NUMBER.resolve(options, frame, "y"), np.ones(160)).transform == transform


def test_the_least_number_has_a_logarithm() -> None:
    values = np.array([0.0, 5e-324, 1.0])
    options = RegressionOptions(transform="log", clip=True)
    state = NUMBER.learn(frame_of({"y": values}), "y", options, np.ones(3))
    assert np.isfinite([state.mean, state.scale]).all()


def test_a_target_that_says_nothing_is_told_in_its_own_units() -> None:
    frame = frame_of({"y": [5.0, 5.0]})
    with pytest.raises(DataError, match="has the same value 5 in every training row"):
        NUMBER.learn(frame, "y", RegressionOptions(transform="log"), np.ones(2))


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ([-0.1, 0.0, 2.0, 300.0], "1 of 4 cells are below zero"),
        ([-0.1, 1.0, 2.0, 300.0], "1 of 4 cells are not above zero"),
        ([0.0, 0.0, -1.0, 0.0], "4 of 4 cells are not above zero"),
    ],
)
def test_a_logarithm_refuses_what_is_below_zero(values: list[float], told: str) -> None:
    """Though what is added for zeros would lift some of it above."""
    frame = frame_of({"y": values})
    with pytest.raises(DataError, match=told):
        NUMBER.learn(frame, "y", RegressionOptions(transform="log"), np.ones(4))


@pytest.mark.parametrize("clip", [True, False])
@pytest.mark.parametrize(("least", "judged"), [(0.0, -0.1), (0.5, -0.1), (0.5, 0.0)])
def test_a_judged_row_without_a_logarithm_counts_as_the_lowest_one_that_trained(
    least: float, judged: float, clip: bool
) -> None:
    frame = frame_of({"y": [least, 2.0, 300.0]})
    state = NUMBER.learn(frame, "y", RegressionOptions(transform="log", clip=clip), np.ones(3))
    encoded, _ = NUMBER.encode(state, frame_of({"y": [judged]}), "y")
    decoded = NUMBER.decode(state, encoded)
    assert decoded.prediction.to_pylist() == [pytest.approx(least, abs=1e-6)]
    below = (encoded - 9).astype(np.float32)  # of any amount
    assert NUMBER.decode(state, below).prediction.to_pylist()[0] >= 0
    assert np.asarray(TASKS[state.task].head.export(state, below, "y")).item() >= 0  # as the exported network does


def test_a_zero_is_learned_and_predicted(folder: Path) -> None:
    """By the run and by what it exports."""
    import keras

    values = np.where(np.arange(300) % 30 == 7, 0.0, np.geomspace(0.004, 1e5, 300))
    pd.DataFrame({"x": np.arange(300), "y": values}).to_csv(folder / "zeros.csv", index=False)
    content = settings("fast", **OWN) | {"data": "zeros.csv"}
    content["targets"] = {"y": {"task": "regression", "clip": False, "transform": "log"}}
    run = fit({**content, "model": {**content["model"], "ensemble_selection": None}}, run=folder / "zeros", root=folder)
    assert "target: y, regression, loss {kind: mse}, transform log" in report_text(inspect_tables(run))
    state = run.predictor.targets["y"]
    smallest = values[values > 0].min()
    assert 0.5 * smallest <= state.offset < 10 * smallest
    encoded, _ = NUMBER.encode(state, frame_of({"y": values}), "y")
    decoded = NUMBER.decode(state, encoded).prediction.to_numpy()
    np.testing.assert_allclose(decoded, values, rtol=1e-4, atol=1e-6)
    arrays = preparer.transform(run.predictor.columns, frame_of({"x": np.arange(300)}))
    exported = keras.models.load_model(run.path / "model.keras", compile=False)
    found = exported.predict(dict(arrays.arrays), verbose=0)
    expected = run.predict(pd.DataFrame({"x": np.arange(300)}))["y.prediction"]
    np.testing.assert_allclose(next(iter(found.values()))[:, 0], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.usefixtures("unexported")
def test_training_on_reaches_as_far_as_the_new_rows(folder: Path) -> None:
    for name, top in (("low", 10.0), ("high", 1000.0)):
        rows = pd.DataFrame({"x": np.arange(100), "y": np.linspace(1.0, top, 100)})
        rows.to_csv(folder / f"{name}.csv", index=False)
    content = settings("fast", split={"test": 0.0}, **OWN)
    first = fit({**content, "data": "low.csv"}, run=folder / "low", root=folder)
    model = {"from": "low", "hidden": "auto", "members": "auto"}  # as the earlier run has them
    second = fit({**content, "data": "high.csv", "model": model}, run=folder / "high", root=folder)
    ends = [run.predictor.targets["y"].highest for run in (first, second)]
    assert ends[0] <= 10.0 < 700.0 < ends[1] <= 1000.0


@pytest.mark.usefixtures("unexported")
def test_killed_in_the_second_network_it_goes_on_there(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = {**settings("strong"), "training": {**QUICK, "checkpoints": {"epochs": 1}}}
    expected, save, trained = fit(config, run=folder / "undisturbed", root=folder), Checkpoints.save, list[str]()

    def save_and_die(self: Checkpoints, *arguments: Any) -> None:
        save(self, *arguments)
        trained.append(self.folder.name)
        if trained.count("model-2") == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Checkpoints, "save", save_and_die)
        fit(config, run=folder / "killed", root=folder)
    before, trained = set(trained), []
    with monkeypatch.context() as patch:
        patch.setattr(Checkpoints, "save", lambda self, *_: trained.append(self.folder.name))
        found = fit(config, run=folder / "killed", root=folder, resume=True)
    assert before == {"model-1", "model-2"}
    assert set(trained) == {"model-2"}
    assert found.lock["results"] == expected.lock["results"]


@pytest.mark.usefixtures("unexported")
def test_networks_divide_the_time_among_them(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[tuple[float | None, int]] = []
    train = Trainer.train

    def note(self: Trainer, *rows: Any, minutes: float | None, sharing: int, **others: Any) -> Any:
        given.append((minutes, sharing))
        trained = train(self, *rows, minutes=None, **others)
        return dataclasses.replace(trained, seconds=[6.0] if len(given) == 1 else [24.0])

    monkeypatch.setattr(Trainer, "train", note)
    model = {**settings("strong")["model"], "networks": 3}
    fit({**settings("strong"), "model": model, "training": {**QUICK, "minutes": 1}}, run=folder / "time", root=folder)
    assert given == [(pytest.approx(left), number) for left, number in ((1.0, 3), (0.9, 2), (0.5, 1))]
