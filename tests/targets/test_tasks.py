"""Targets: which task is inferred, which spellings are one label, and what every task's modules offer."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
import pytest
import yaml
from builders import frame_of

from bptrain.data import frame as frame_module
from bptrain.data.frame import unread
from bptrain.errors import DataError, UsageError
from bptrain.evaluation.evaluate import evaluate_predictions, predictions_table
from bptrain.fitting.resolve import learned_options
from bptrain.runs.storage import canonical_json, parse_json
from bptrain.targets import preparer as prepare
from bptrain.targets.classification.options import BinaryOptions, MulticlassOptions
from bptrain.targets.preparer import infer_task
from bptrain.targets.regression.options import RegressionOptions
from bptrain.targets.target_options import AutoOptions, TargetOptions, TaskOptions
from bptrain.targets.tasks import TASKS


def task_of(cells: Any) -> str:
    return infer_task(frame_of(y=cells), "y", AutoOptions()).task


@pytest.mark.parametrize(
    ("cells", "task"),
    [
        (["a", "b"], "binary"),
        ([0, 1, 1], "binary"),
        (["1", "1.0", "2"], "binary"),
        (["7", "07"], "binary"),
        ([True, False], "binary"),
        (["a", "b", "c"], "multiclass"),
        (["1", "2", "c"], "multiclass"),
        (["1"] * 97 + ["?"] * 3, "binary"),
        ([number / 4 for number in range(21)], "regression"),
        ([str(number) for number in range(21)], "regression"),
    ],
)
def test_task_is_inferred_from_the_cells(cells: list[object], task: str) -> None:
    assert task_of(cells) == task


@pytest.mark.parametrize(
    ("cells", "given", "task"),
    [
        ([1, 2, 3], {"loss": {"kind": "mae"}}, "regression"),
        ([1, 2, 3], {"loss": {"kind": "focal", "gamma": 1.0}}, "multiclass"),
        ([1, 2, 3], {"class_weights": "balanced"}, "multiclass"),
        ([0, 1, 1], {"loss": {"kind": "quantile", "quantile": 0.9}}, "regression"),
        ([0, 1, 1], {"loss": {"kind": "mse"}}, "binary"),
        (["a", "b"], {"threshold": 0.3, "class_weights": "balanced"}, "binary"),
        ([1, 2, 3], {"temperature": 1.5}, "multiclass"),
        (["a", "b", "c"], {"loss": {"kind": "cross_entropy", "label_smoothing": 0.1}}, "multiclass"),
        ([number / 4 for number in range(21)], {"loss": {"kind": "mse"}, "loss_weight": 2.0}, "regression"),
    ],
)
def test_given_options_decide_what_values_leave_open(cells: list[object], given: dict[str, Any], task: str) -> None:
    options = infer_task(frame_of(y=cells), "y", AutoOptions.model_validate(given))
    assert options.task == task
    for key, value in given.items():
        assert options.model_dump()[key] == value


def test_numbers_with_a_few_odd_cells_are_a_mistake() -> None:
    cells = [str(number % 60) for number in range(998)]
    cells[6:6] = ["?"]
    cells[20:20] = ["n.a."]
    with pytest.raises(
        DataError, match="BP240: target `y` .* 2 of 1000 cells: '\\?' \\(row 7\\), 'n.a.' \\(row 21\\)"
    ) as err:
        task_of(cells)
    assert err.value.problems[0].where == "row 7"
    assert "`target: {column: y, task: multiclass}`" in err.value.problems[0].hints[1]


def test_declared_task_takes_odd_cells_as_labels() -> None:
    cells = ["0", "1", "2", "?"] * 2 + ["1"] * 100
    learned = prepare.learn(frame_of(y=cells), {"y": MulticlassOptions()})
    assert learned["y"].labels == ("0", "1", "2", "?")


def test_many_different_numbers_are_not_spelled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frame_module, "texts", lambda column: pytest.fail("every number was spelled"))
    assert task_of(np.random.default_rng(0).normal(size=1000)) == "regression"


@pytest.mark.parametrize("cells", [[0.1] * 10, [1e300 / 3e299] * 7, [5.0] * 3])
def test_constant_numbers_are_refused_although_their_mean_is_rounded(cells: list[float]) -> None:
    with pytest.raises(DataError, match="BP263"):
        prepare.learn(frame_of(y=cells), {"y": RegressionOptions()})


def test_nearly_constant_numbers_can_be_learned() -> None:
    frame = frame_of(y=[0.1, 0.1, np.nextafter(0.1, 1)])
    (encoded,), _ = prepare.encode(prepare.learn(frame, {"y": RegressionOptions()}), frame)
    assert np.isfinite(encoded).all()


@pytest.mark.parametrize("name", ["a: b", "x\x1b", "größe"])
def test_hints_name_a_target_in_valid_yaml(name: str) -> None:
    with pytest.raises(UsageError, match="BP151") as few:
        infer_task(frame_of({name: [1, 2, 3]}), name, AutoOptions())
    with pytest.raises(UsageError, match="BP151") as many:
        infer_task(frame_of({name: [f"text {number}" for number in range(200)]}), name, AutoOptions())
    with pytest.raises(DataError, match="BP240") as odd:
        infer_task(frame_of({name: [*map(str, range(99)), "?"]}), name, AutoOptions())
    hints = [hint for error in (few, many, odd) for hint in error.value.problems[0].hints if "`target: " in hint]
    assert len(hints) == 4
    for hint in hints:
        written = hint.partition("`target: ")[2].partition("}`")[0] + "}"
        assert yaml.safe_load(written)["column"] == name


OPTIONS: dict[str, TaskOptions] = {
    "binary": BinaryOptions(),
    "multiclass": MulticlassOptions(),
    "regression": RegressionOptions(),
}
LEARNED_FROM: dict[str, list[object]] = {
    "binary": [1, 0, 1, 0],
    "multiclass": [3, 1, 2, 3],
    "regression": [0.5, 1.0, 3.0, 2.0],
}


def test_every_task_has_options_here() -> None:
    assert set(OPTIONS) == set(TASKS)


@pytest.mark.parametrize("task", TASKS)
def test_task_offers_what_the_others_ask_for(task: str) -> None:
    frame = frame_of(y=LEARNED_FROM[task])
    learned = prepare.learn(frame, {"y": OPTIONS[task]})
    state = learned["y"]
    positive = state.report()["positive"]
    assert bool(state.labels) == TASKS[task].predicts_labels
    assert positive is None or positive in state.labels
    assert TASKS[task].load(parse_json(canonical_json(asdict(state)).encode(), source="x")) == state
    written = learned_options({"y": OPTIONS[task]}, learned, anew=True)["y"]
    assert prepare.learn(frame, {"y": written}) == learned
    assert getattr(written, "positive", None) == positive


@pytest.mark.parametrize("task", ["binary", "multiclass"])
@pytest.mark.parametrize("spell", [lambda cell: float(cell), lambda cell: f"{cell}.0", lambda cell: f"{cell}.00"])
def test_truths_are_spelled_as_the_labels_were_learned(task: str, spell: Any) -> None:
    cells = LEARNED_FROM[task]
    learned = prepare.learn(frame_of(y=cells), {"y": OPTIONS[task]})
    other = frame_of(y=[spell(cell) for cell in cells])
    ((encoded,), truths), ((expected,), _) = prepare.encode(learned, other), prepare.encode(learned, frame_of(y=cells))
    np.testing.assert_array_equal(encoded, expected)
    assert truths["y"].to_pylist() == [str(cell) for cell in cells]
    outputs = [np.zeros((4, learned["y"].n_outputs), np.float32)]
    table = predictions_table(learned, outputs, truths, np.arange(4), np.ones(4), ["test"] * 4)
    assert set(table["y.prediction"].to_pylist()) <= set(table["y.target"].to_pylist())
    report = evaluate_predictions(table, learned)["y"]
    assert report["labels"] == list(learned["y"].labels)
    assert report["positive"] == (learned["y"].labels[1] if task == "binary" else None)


def test_truth_of_an_unknown_label_is_refused() -> None:
    learned = prepare.learn(frame_of(y=["a", "b"]), {"y": BinaryOptions()})
    with pytest.raises(DataError, match="BP264"):
        prepare.encode(learned, frame_of(y=["a", "c"]))


@pytest.mark.parametrize(
    ("cells", "positive", "label"),
    [(["true", "false"], True, "true"), (["0.0", "1.0"], 1, "1.0"), ([0, 1], 0.0, "0"), (["no", "yes"], "no", "no")],
)
def test_positive_label_may_be_spelled_otherwise(cells: list[object], positive: Any, label: str) -> None:
    assert prepare.learn(frame_of(y=cells), {"y": BinaryOptions(positive=positive)})["y"].labels[1] == label


@pytest.mark.parametrize("options", [AutoOptions(), *OPTIONS.values()], ids=["auto", *OPTIONS])
def test_target_that_is_not_read_is_refused(options: TargetOptions) -> None:
    frame = frame_of(y=unread("list<item: int64>", 30))
    with pytest.raises(DataError, match="BP225: column `y` is used.*list<item: int64>"):
        prepare.learn(frame, {"y": infer_task(frame, "y", options)})
