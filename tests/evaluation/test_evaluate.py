"""The columns of predictions: one shape for one target and for many, and no two of one name."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from builders import frame_of
from hypothesis import given
from hypothesis import strategies as st

from bptrain.evaluation.evaluate import column_name, evaluate_predictions, predictions_table, read_target
from bptrain.evaluation.options import OUT_OF_FOLD, PARTS
from bptrain.targets import preparer
from bptrain.targets.classification.options import BinaryOptions, MulticlassOptions
from bptrain.targets.preparer import Targets
from bptrain.targets.regression.options import RegressionOptions

OWN = {"row", "split", "fold", "weight", "status"}
HOSTILE = ["a", "a.prediction", "a.probability", "a.probability.x", "a%2Eprediction", "", ".", "%", "%25", "row", "a.b"]
LABELS = ["x", "prediction", "target", "x.prediction", ".prediction", "%2E", "", " ", "a.prediction"]


def columns_of(targets: dict[str, list[str]]) -> list[str]:
    return [
        column
        for target, labels in targets.items()
        for column in (
            column_name(target, "target"),
            column_name(target, "prediction"),
            *(column_name(target, "probability", label) for label in labels),
        )
    ]


def test_hostile_names_give_no_column_twice() -> None:
    columns = columns_of(dict.fromkeys(HOSTILE, LABELS))
    assert len(set(columns)) == len(columns) == len(HOSTILE) * (2 + len(LABELS))
    assert not OWN & set(columns)


@given(st.dictionaries(st.text(alphabet="a.%25Eprobilty_", max_size=14), st.lists(st.text(max_size=8), unique=True)))
def test_any_names_give_no_column_twice(targets: dict[str, list[str]]) -> None:
    columns = columns_of(targets)
    assert len(set(columns)) == len(columns)
    assert not OWN & set(columns)


def test_plain_names_stay_as_they_are() -> None:
    assert column_name("income", "prediction") == "income.prediction"
    assert column_name("income", "probability", "<=50K") == "income.probability.<=50K"
    assert column_name("sepal.length", "target") == "sepal%2Elength.target"


def learned(names: tuple[str, ...]) -> tuple[Targets, pa.Table]:
    """The states of some targets of a small table, and their predictions from outputs of zero."""
    cells = {"label": ["a", "b"] * 3, "so.rt": ["a", "b.prediction", "c"] * 2, "amount": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]}
    options = {"label": BinaryOptions(), "so.rt": MulticlassOptions(), "amount": RegressionOptions()}
    frame = frame_of({name: cells[name] for name in names})
    targets = preparer.learn(frame, {name: options[name] for name in names})
    outputs = [np.zeros((6, state.n_outputs), np.float32) for state in targets.values()]
    _, y_true = preparer.encode(targets, frame)
    split = [OUT_OF_FOLD] * 4 + ["test"] * 2
    return targets, predictions_table(targets, outputs, y_true, np.arange(6), np.ones(6), split)


@pytest.mark.parametrize("names", [("label",), ("so.rt",), ("amount",), ("label", "so.rt", "amount")], ids=" ".join)
def test_shape_is_the_same_for_one_target_and_for_several(names: tuple[str, ...]) -> None:
    targets, table = learned(names)
    every = {"label": "label", "so.rt": "so%2Ert", "amount": "amount"}
    labels = {"label": ["a", "b"], "so.rt": ["a", "b.prediction", "c"], "amount": []}
    expected = ["row", "split", *(f"{every[name]}.target" for name in names), "weight"]
    for name in names:
        expected += [f"{every[name]}.prediction", *(f"{every[name]}.probability.{label}" for label in labels[name])]
    assert table.column_names == expected
    for name in names:
        y_true, predicted, weight = read_target(table, targets, name, pa.chunked_array([[True] * 6]))
        assert y_true.equals(table[f"{every[name]}.target"].combine_chunks())
        assert list(predicted.probabilities) == labels[name]
        assert weight.tolist() == [1.0] * 6


def test_rows_out_of_fold_are_a_part_of_their_own() -> None:
    targets, table = learned(("label",))
    splits = evaluate_predictions(table, targets)["label"]["splits"]
    assert {part: report["n"] for part, report in splits.items()} == {"out_of_fold": 4, "test": 2}
    assert list(splits) == [part for part in PARTS if part in splits]
