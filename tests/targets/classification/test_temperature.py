"""The temperature of probabilities: the best one on validation rows, and 1 where the gain is luck."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
import pytest
from builders import frame_of
from scipy.special import log_softmax
from sklearn.metrics import log_loss

import bptrain
from bptrain import Run
from bptrain.features import preparer
from bptrain.models.build import output_name
from bptrain.models.presets import PRESETS
from bptrain.reports.run import inspect_tables
from bptrain.reports.text import report_text
from bptrain.targets import preparer as targets_preparer
from bptrain.targets.classification.calibration import (
    HIGHEST,
    LOWEST,
    choose_temperature,
    choose_threshold,
)
from bptrain.targets.classification.options import BinaryOptions, MulticlassOptions
from bptrain.targets.classification.task import ClassificationState
from bptrain.targets.preparer import infer_task
from bptrain.targets.target_options import AutoOptions, TaskOptions
from bptrain.targets.tasks import TASKS


def temperature_of(each: Any) -> Any:
    """That of a state, or of the options of a target, whose common types have none: regression has no temperature."""
    return each.temperature


def rows(seed: int, n_rows: int, *, n_labels: int = 3, factor: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Codes drawn with the softmax of some logits, and these logits times `factor`: 1 makes them right."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0.0, 2.0, (n_rows, n_labels))
    return (logits + rng.gumbel(size=logits.shape)).argmax(axis=1), logits * factor


@pytest.mark.parametrize("n_labels", [2, 5])
@pytest.mark.parametrize("factor", [0.4, 0.7, 1.5, 3.0])
def test_factor_of_the_logits_is_found(factor: float, n_labels: int) -> None:
    found = choose_temperature(*rows(1, 5000, n_labels=n_labels, factor=factor), np.ones(5000))
    assert found == pytest.approx(factor, rel=0.1)
    assert found == round(found, 3)


def test_found_temperature_has_the_least_log_loss() -> None:
    codes, logits = rows(2, 800, factor=1.8)
    weight = np.random.default_rng(0).uniform(0.2, 3.0, 800)

    def loss(temperature: float) -> float:
        return float(log_loss(codes, np.exp(log_softmax(logits / temperature, axis=1)), sample_weight=weight))

    grid = np.geomspace(LOWEST, HIGHEST, 800)
    best = grid[np.argmin([loss(temperature) for temperature in grid])]
    assert choose_temperature(codes, logits, weight) == pytest.approx(best, rel=0.004)


@pytest.mark.parametrize(("factor", "limit"), [(50.0, HIGHEST), (0.02, LOWEST)])
def test_temperature_has_limits(factor: float, limit: float) -> None:
    assert choose_temperature(*rows(3, 500, factor=factor), np.ones(500)) == pytest.approx(limit, rel=1e-3)


@pytest.mark.parametrize("power", [0.0, 3.0])
def test_right_probabilities_mostly_keep_exactly_one(power: float) -> None:
    """Also where a few rows count for most."""
    weight = np.random.default_rng(0).exponential(size=500) ** power
    found = [choose_temperature(*rows(seed, 500, n_labels=2), weight) for seed in range(60)]
    assert np.mean([temperature == 1.0 for temperature in found]) >= 0.9


@pytest.mark.parametrize("n_rows", [1, 5, 20])
def test_few_rows_without_a_mistake_make_nothing_surer(n_rows: int) -> None:
    logits = np.tile([0.0, 3.0], (n_rows, 1))  # right in 95 rows of 100
    assert choose_temperature(np.ones(n_rows, np.int64), logits, np.ones(n_rows)) == 1.0


def test_weights_count() -> None:
    unsure, sure = rows(5, 900, factor=0.5), rows(4, 900, factor=2.0)
    codes, logits = (np.concatenate(both) for both in zip(sure, unsure, strict=True))
    first = np.repeat([1.0, 0.0], 900)
    assert choose_temperature(codes, logits, first) == choose_temperature(codes[:900], logits[:900], np.ones(900)) > 1.5
    assert choose_temperature(codes, logits, 1 - first) < 0.7


def learned(options: TaskOptions, labels: list[str]) -> Any:
    frame = frame_of({"y": labels})
    return targets_preparer.learn(frame, {"y": options})["y"]


def tuned(options: Any, *, factor: float = 2.0, metric: str = "log_loss") -> Any:
    """The state of a target after rows whose logits are so many times too large."""
    binary = options.task == "binary"
    codes, logits = rows(7, 1000, n_labels=2 if binary else 3, factor=factor)
    outputs = (logits[:, 1:] - logits[:, :1] if binary else logits).astype(np.float32)
    state = learned(options, ["a", "b"] if binary else ["a", "b", "c"])
    truth = codes[:, None].astype(np.float32 if binary else np.int32)
    return TASKS[options.task].calibrate(state, truth, outputs, np.ones(1000), metric=metric, seed=0)


@pytest.mark.parametrize("section", [BinaryOptions, MulticlassOptions])
def test_options_say_whether_it_is_chosen(section: type[Any]) -> None:
    assert learned(section(), ["a", "b"]).temperature == 1.0
    assert learned(section(temperature=1.7), ["a", "b"]).temperature == 1.7
    assert tuned(section()).temperature == pytest.approx(2.0, rel=0.15)
    assert tuned(section(temperature=1.7)).temperature == 1.7
    for weights in ("balanced", {"a": 3.0}):
        assert tuned(section(class_weights=weights)).temperature == 1.0
    state = {"y": tuned(section())}
    assert temperature_of(targets_preparer.restart(state, frame_of({"y": ["a"]}))["y"]) == 1.0
    before = tuned(section())
    again = targets_preparer.copy_calibration({"y": learned(section(), ["a", "b"])}, {"y": before})["y"]
    assert temperature_of(again) == temperature_of(before)


@pytest.mark.parametrize("section", [BinaryOptions, MulticlassOptions])
def test_logits_are_divided_by_it(section: type[Any]) -> None:
    labels = ["a", "b"] if section is BinaryOptions else ["a", "b", "c"]
    outputs = np.random.default_rng(0).normal(size=(20, 1 if section is BinaryOptions else 3)).astype(np.float32)
    decode = TASKS[section().task].decode
    cooled = decode(learned(section(temperature=0.5), labels), outputs)
    plain = decode(learned(section(), labels), 2 * outputs)
    for label in labels:
        np.testing.assert_array_equal(cooled.probabilities[label], plain.probabilities[label])
    assert cooled.prediction.equals(decode(learned(section(), labels), outputs).prediction)


def test_threshold_is_one_of_tempered_probabilities() -> None:
    codes, logits = rows(8, 1000, n_labels=2, factor=2.0)
    options = BinaryOptions()
    outputs = (logits[:, 1:] - logits[:, :1] - 4.0).astype(np.float32)  # one label is rarely called
    arguments = codes[:, None].astype(np.float32), outputs, np.ones(1000)
    state = TASKS["binary"].calibrate(learned(options, ["a", "b"]), *arguments, metric="f1", seed=3)
    assert isinstance(state, ClassificationState)
    assert state.temperature > 1.3
    probability = TASKS["binary"].decode(state, outputs).probabilities["b"]
    expected = choose_threshold(codes > 0, probability, np.ones(1000), metric="f1", seed=3)
    assert state.threshold == expected != 0.5


@pytest.mark.parametrize("section", [BinaryOptions, MulticlassOptions])
def test_the_textbook_network_has_none(section: type[Any]) -> None:
    task = TASKS[section().task]
    assert task.usual_options(PRESETS["mlp"])["temperature"] == 1.0
    assert "temperature" not in task.usual_options(PRESETS["strong"])


def test_option_makes_a_target_one_of_labels() -> None:
    frame = frame_of({"y": [1, 2, 3]})
    assert infer_task(frame, "y", AutoOptions(temperature=2.0)) == MulticlassOptions(temperature=2.0)


SMOOTHED = {"kind": "cross_entropy", "label_smoothing": 0.5}  # makes probabilities too unsure
SMALL = {"hidden": [8], "members": 2, "embedding": {"d_embedding": 3, "n_frequencies": 4, "d_periodic": 2}}
TARGETS: Mapping[str, Mapping[str, object]] = {
    "label": {"task": "binary", "loss": SMOOTHED},
    "sort": {"task": "multiclass", "loss": SMOOTHED},
}


def fit(folder: Path, name: str, *, targets: Mapping[str, object] = TARGETS, **sections: Any) -> Run:
    """A run on a table of two targets with labels that follow one column."""
    path = folder / "t.csv"
    if not path.exists():
        rng = np.random.default_rng(0)
        size = rng.normal(size=500).round(4)
        noisy = size + rng.normal(0.0, 0.4, 500)
        sort = np.array(["a", "b", "c"])[np.digitize(noisy, [-0.5, 0.5])]
        pd.DataFrame({"size": size, "label": np.where(noisy > 0, "yes", "no"), "sort": sort}).to_csv(path, index=False)
    content = {
        "data": "t.csv",
        "targets": targets,
        "model": {"kind": "fast", **SMALL},
        "training": {"epochs": 12, "batch_size": 32, "optimizer": {"learning_rate": 0.01}},
    }
    return bptrain.fit({**content, **sections}, run=folder / name, root=folder)


@pytest.fixture(scope="module")
def chosen(backend: None, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return fit(tmp_path_factory.mktemp("temperature"), "auto")


def temperatures_of(run: Run) -> dict[str, float]:
    saved = run.files.read_json("model/preparer.json")["targets"]
    return {target["name"]: target["state"]["temperature"] for target in saved}


def test_run_chooses_on_validation_rows_records_and_uses_it(chosen: Run) -> None:
    found = temperatures_of(chosen)
    assert set(found) == set(TARGETS)
    for name, temperature in found.items():
        assert temperature < 0.8
        assert chosen.metrics["targets"][name]["temperature"] == temperature
        assert temperature_of(chosen.config.targets[name]) == "auto"
        assert f"temperature {temperature:.3g} (chosen)" in report_text(inspect_tables(chosen))
    described = chosen.files.read_json("inputs.json")["outputs"]
    assert {output["target"]: output["temperature"] for output in described} == found
    assert chosen.evaluate(root=chosen.path.parent).targets == chosen.metrics["targets"]


def test_chosen_ones_make_the_log_loss_less(chosen: Run) -> None:
    fixed = {name: {**options, "temperature": 1.0} for name, options in TARGETS.items()}
    plain = fit(chosen.path.parent, "plain", targets=fixed)
    assert plain.lock["results"]["weights"] == chosen.lock["results"]["weights"]
    assert ", temperature " not in report_text(inspect_tables(plain))
    for name in TARGETS:
        for split in ("validation", "test"):
            values = [run.metrics["targets"][name]["splits"][split]["metrics"]["log_loss"] for run in (chosen, plain)]
            assert values[0]["value"] < values[1]["value"] - 0.03


def test_number_is_taken_as_it_is(chosen: Run) -> None:
    fixed = {name: {**options, "temperature": 2.5} for name, options in TARGETS.items()}
    run = fit(chosen.path.parent, "fixed", targets=fixed)
    assert temperatures_of(run) == dict.fromkeys(TARGETS, 2.5)
    assert run.lock["results"]["weights"] == chosen.lock["results"]["weights"]
    assert "temperature 2.5\n" in report_text(inspect_tables(run))


def test_exported_network_gives_the_same_probabilities(chosen: Run) -> None:
    size = np.random.default_rng(1).normal(0.0, 2.0, 60)
    table = pd.DataFrame({"size": size})
    network = keras.models.load_model(chosen.path / "model.keras", compile=False)
    arrays = preparer.transform(chosen.predictor.columns, frame_of({"size": size})).arrays
    outputs = network.predict(arrays, verbose=0)
    predicted = chosen.predict(table)
    for position, (name, labels) in enumerate({"label": ["yes"], "sort": ["a", "b", "c"]}.items()):
        expected = predicted[[f"{name}.probability.{label}" for label in labels]].to_numpy()
        np.testing.assert_allclose(outputs[output_name(position)], expected, rtol=0, atol=1e-6)
        assert expected.std(axis=0).min() > 0.05


def test_refit_takes_them_over(chosen: Run) -> None:
    sections = {"epochs": 12, "batch_size": 32, "optimizer": {"learning_rate": 0.01}, "final": "refit"}
    run = fit(chosen.path.parent, "refit", training=sections)
    assert run.metrics["training"]["final"] == "refit"
    assert run.lock["results"]["weights"] != chosen.lock["results"]["weights"]
    assert temperatures_of(run) == temperatures_of(chosen)


def test_those_of_an_earlier_run_are_not_kept(chosen: Run) -> None:
    """A run without validation rows that starts from it has nothing to choose by."""
    content = {"data": "t.csv", "targets": dict.fromkeys(TARGETS, {}), "training": {"epochs": 1, "batch_size": 32}}
    content |= {"model": {"from": "auto"}, "split": {"validation": 0}}
    run = bptrain.fit(content, run=chosen.path.parent / "later", root=chosen.path.parent)
    assert temperatures_of(run) == dict.fromkeys(TARGETS, 1.0)


def test_textbook_network_keeps_one(chosen: Run) -> None:
    run = fit(chosen.path.parent, "mlp", model={"kind": "mlp", "hidden": [8]})
    assert temperatures_of(run) == dict.fromkeys(TARGETS, 1.0)
    assert {temperature_of(options) for options in run.config.targets.values()} == {1.0}


def test_class_weights_are_not_taken_back(chosen: Run) -> None:
    weighted = {name: {**options, "class_weights": "balanced"} for name, options in TARGETS.items()}
    assert temperatures_of(fit(chosen.path.parent, "balanced", targets=weighted)) == dict.fromkeys(TARGETS, 1.0)
