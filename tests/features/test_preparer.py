"""Columns: which kind is inferred, what kinds learn, and that the type of a file makes no difference."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import yaml
from builders import frame_of
from sklearn import metrics
from tables import read_table, write

import bptrain
from bptrain import Run
from bptrain.data.files import DataFile
from bptrain.data.frame import Frame
from bptrain.data.load import from_pandas
from bptrain.data.options import DataOptions
from bptrain.errors import DataError, UsageError
from bptrain.features import kinds
from bptrain.features import preparer as prepare
from bptrain.features.categorical.kind import Levels
from bptrain.features.categorical.options import CategoricalOptions
from bptrain.features.inference import resolve
from bptrain.features.numeric.options import NumericOptions
from bptrain.features.options import ColumnOptions, IgnoreOptions
from bptrain.reports.run import inspect_tables, metrics_tables
from bptrain.reports.text import report_text


def learn_levels(cells: Any, **options: Any) -> Levels:
    learned = prepare.learn(frame_of(c=cells), {"c": CategoricalOptions(**options)})
    column = learned["categorical"].learned[0]
    assert isinstance(column, Levels)
    return column


@pytest.mark.parametrize("ending", [".csv", ".jsonl", ".parquet"])
def test_empty_column_has_no_value_in_any_format(tmp_path: Path, ending: str) -> None:
    path = write(pa.table({"a": ["x", "y"] * 15, "void": pa.nulls(30)}), tmp_path / f"t{ending}")
    table = read_table([DataFile(path, path.name)], DataOptions(train=(path.name,)))
    frame = Frame(table, np.arange(30))
    assert (frame.n_unique("void"), frame.n_present("void")) == (0, 0)
    found = resolve(frame, {}, ["target"])
    assert {name: options.kind for name, options in found.options.items()} == {"a": "categorical", "void": "ignore"}
    assert [warning.code for warning in found.warnings] == ["BP243"]


SPELLINGS: dict[str, tuple[pa.Array, ...]] = {
    "whole numbers": (
        pa.array([3, 40, 10**16]),
        pa.array([3.0, 40.0, 1e16]),
        pa.array(["3", "40", "10000000000000000"]),
        pa.array(["3.0", "40.0", "1e+16"]),
    ),
    "yes and no": (
        pa.array([True, False, True]),
        pa.array(["true", "false", "true"]),
        pa.array(["TRUE", "FALSE", "TRUE"]),
    ),
}


@pytest.mark.parametrize("name", SPELLINGS)
def test_category_is_the_same_whichever_type_spells_it(name: str) -> None:
    options: Mapping[str, ColumnOptions] = {"c": CategoricalOptions(min_count=1)}
    for cells in SPELLINGS[name]:
        learned = prepare.learn(frame_of(c=cells), options)
        expected = prepare.transform(learned, frame_of(c=cells)).arrays["categorical"]
        assert expected.min() > 0
        for others in SPELLINGS[name]:
            made = prepare.transform(learned, frame_of(c=others))
            assert not made.unknown
            np.testing.assert_array_equal(made.arrays["categorical"], expected)


def test_category_beside_a_missing_cell_is_still_known() -> None:
    learned = prepare.learn(frame_of(c=pa.array([3, 4, 5])), {"c": CategoricalOptions(min_count=1)})
    made = prepare.transform(learned, frame_of(c=pa.array([4.0, None])))
    assert made.arrays["categorical"].tolist() == [[2], [0]]
    assert not made.unknown


def test_cells_with_a_rare_label_are_counted() -> None:
    cells = ["a"] * 6 + ["b"] * 4 + [None]
    learned = prepare.learn(frame_of(c=cells), {"c": CategoricalOptions(min_count=5)})
    made = prepare.transform(learned, frame_of(c=[*cells, "new"]))
    assert made.changed == {("rare label", "c"): 4}
    assert made.unknown == {"c": 1}
    assert not prepare.transform(learned, frame_of(c=["a", None])).changed


def test_codes_with_leading_zeros_stay_apart() -> None:
    assert learn_levels(["007", "07", "7", "7.0"], min_count=1).levels == ("007", "07", "7")


@pytest.mark.parametrize(
    ("n_rows", "n_labels", "kept"), [(40, 10, 10), (100, 100, 100), (300, 150, 0), (1000, 200, 200)]
)
def test_rare_is_measured_by_the_size_of_the_table(n_rows: int, n_labels: int, kept: int) -> None:
    labels = [f"l{number % n_labels}" for number in range(n_rows)]
    assert len(learn_levels(labels).levels) == kept


def test_rare_is_as_declared_also_in_small_tables() -> None:
    column = learn_levels(["a"] * 6 + ["b"] * 4, min_count=5)
    assert (column.levels, column.rare_labels) == (("a",), ("b",))


def test_embedding_that_was_asked_for_has_a_length_without_levels() -> None:
    assert learn_levels(["a", "b"], min_count=5, encoding="embedding").dimension == 1


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (["yes", None] * 15, "categorical"),
        ([1.5, None] * 15, "numeric"),
        (["yes"] * 30, "ignore"),
        ([1.5] * 30, "ignore"),
    ],
)
def test_one_value_is_useless_only_where_nothing_is_missing(cells: list[object], kind: str) -> None:
    found = resolve(frame_of(c=cells, other=["a", "b"] * 15), {}, [])
    assert found.options["c"].kind == kind
    assert [warning.code for warning in found.warnings] == (["BP244"] if kind == "ignore" else [])
    assert prepare.transform(
        prepare.learn(frame_of(c=cells, other=["a", "b"] * 15), found.options), frame_of(c=cells, other=["a", "b"] * 15)
    )


@pytest.mark.parametrize("name", ["a: b", "x\x1b[31m\ny", '"', "größe"])
def test_hints_name_a_column_in_valid_yaml(name: str) -> None:
    cells = pa.array(["1.5"] * 15 + ["2.5"] * 15 + ["?"])
    with pytest.raises(DataError, match="BP240") as inferred:
        resolve(frame_of({name: cells}), {}, [])
    with pytest.raises(DataError, match="BP242") as declared:
        prepare.learn(frame_of({name: cells}), {name: NumericOptions()})
    with pytest.raises(DataError, match="BP241") as empty:
        prepare.learn(frame_of({name: pa.nulls(3)}), {name: NumericOptions()})
    ignored = resolve(frame_of({name: ["x"] * 30, "c": ["a", "b"] * 15}), {}, []).warnings
    for problem in (*inferred.value.problems, *declared.value.problems, *empty.value.problems, *ignored):
        (hint,) = (hint for hint in problem.hints if "`columns: " in hint)
        written = hint.partition("`columns: ")[2].partition("}`")[0] + "}"
        assert list(yaml.safe_load(written)) == [name]
        assert problem.message.isprintable()


NESTED = pa.array([[1], [2]] * 15)


def unread_frame() -> Frame:
    from bptrain.data.frame import unread

    return frame_of(tags=unread(NESTED.type, 30), c=["a", "b"] * 15)


def test_column_that_is_not_read_is_ignored_with_a_warning() -> None:
    found = resolve(unread_frame(), {}, [])
    assert found.options["tags"] == IgnoreOptions()
    assert [warning.code for warning in found.warnings] == ["BP248"]
    learned = prepare.learn(unread_frame(), found.options)
    assert list(prepare.kinds_of_columns(learned)) == ["c"]


def test_column_that_is_not_read_may_be_declared_ignored() -> None:
    assert resolve(unread_frame(), {"tags": IgnoreOptions()}, []).warnings == []


@pytest.mark.parametrize("options", [CategoricalOptions(), NumericOptions()])
def test_column_that_is_not_read_cannot_be_declared_otherwise(options: ColumnOptions) -> None:
    with pytest.raises(DataError, match="BP225: column `tags` is used.*list<"):
        resolve(unread_frame(), {"tags": options}, [])


def test_columns_load_in_the_order_of_learning(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = frame_of(n=[1.0, 2.0], c=["a", "b"])
    options: dict[str, ColumnOptions] = {"n": NumericOptions(), "c": CategoricalOptions()}
    saved, arrays = prepare.save(prepare.learn(frame, options))
    assert [item["kind"] for item in saved] == ["numeric", "categorical"]
    monkeypatch.setattr(kinds, "KINDS", dict(reversed(kinds.KINDS.items())))
    assert list(prepare.load(saved, arrays)) == ["numeric", "categorical"]


def test_inputs_have_the_shape_of_their_arrays() -> None:
    frame = frame_of(n=[1.0, None], m=[1.0, 2.0], c=["a", "b"])
    learned = prepare.learn(frame, {"n": NumericOptions(), "m": NumericOptions(), "c": CategoricalOptions()})
    arrays = prepare.transform(learned, frame).arrays
    inputs = {name: form for state in learned.values() for name, form in state.inputs.items()}
    assert inputs == {name: (str(array.dtype), array.shape[1:]) for name, array in arrays.items()}


@pytest.mark.parametrize("cells", [[[1], [2]], [1j, 2j], [b"x", b"y"], [{"k": 1}, {"k": 2}]])
def test_frame_column_that_is_not_read_is_refused_only_when_it_is_used(cells: list[object]) -> None:
    table = from_pandas(pd.DataFrame({"n": [1.5, None], "odd": cells}), na_values=())
    frame = Frame(table, np.arange(2))
    assert frame.numbers("n")[0][0] == 1.5
    assert not frame.is_missing("odd").any()
    with pytest.raises(DataError, match="BP225: column `odd`"):
        frame.texts("odd")


# The role `weight`: rows count by it in training and in every metric


def table(n_rows: int = 160) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    size = rng.normal(size=n_rows)
    label = np.where(size + rng.normal(0, 1.0, n_rows) > 0, "yes", "no")
    return pd.DataFrame({"size": size, "label": label, "amount": 3 * size + 1, "w": rng.integers(0, 5, n_rows)})


def fit(folder: Path, frame: pd.DataFrame, name: str = "run", **sections: Any) -> Run:
    frame.to_csv(folder / "t.csv", index=False)
    content = {
        "data": "t.csv",
        "target": "label",
        "columns": {"w": "weight", "amount": "ignore"},
        "model": {"kind": "mlp", "hidden": [4]},
        "training": {"epochs": 3, "batch_size": 32},
    }
    return bptrain.fit({**content, **sections}, run=folder / name, root=folder)


@pytest.fixture(scope="module")
def weighted(backend: None, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return fit(tmp_path_factory.mktemp("weights"), table())


def test_metrics_are_scikit_learns_weighted_ones(weighted: Run) -> None:
    rows = weighted.evaluate(root=weighted.path.parent).predictions.to_pandas().query("split == 'test'")
    report = weighted.metrics["targets"]["label"]["splits"]["test"]
    assert report["weight"] == rows["weight"].sum() == table()["w"][rows["row"]].sum()
    assert report["n"] == len(rows) == 32
    truth, weight = rows["label.target"] == "yes", rows["weight"]
    found = {name: metric["value"] for name, metric in report["metrics"].items()}
    assert found["accuracy"] == pytest.approx(
        metrics.accuracy_score(rows["label.target"], rows["label.prediction"], sample_weight=weight)
    )
    assert found["auc"] == pytest.approx(
        metrics.roc_auc_score(truth, rows["label.probability.yes"], sample_weight=weight)
    )
    assert found["auc"] != pytest.approx(metrics.roc_auc_score(truth, rows["label.probability.yes"]))


def test_terminal_says_that_metrics_are_weighted(weighted: Run) -> None:
    assert "\nweight (metrics are weighted)  " in report_text(metrics_tables(weighted.metrics["targets"]))
    assert ", metrics weighted by " in report_text(inspect_tables(weighted))


def test_weight_is_no_feature(weighted: Run) -> None:
    assert weighted.features == ("size",)


def test_rows_without_weight_change_no_weight_of_the_network(weighted: Run, tmp_path: Path) -> None:
    """Full batches, so that a row of weight 0 has no part in any step."""
    whole = {"epochs": 3, "batch_size": "all", "optimizer": "sgd"}
    frame = table()
    frame.loc[frame["w"] == 0, "label"] = np.where(frame.loc[frame["w"] == 0, "label"] == "yes", "no", "yes")
    runs = [
        fit(
            tmp_path,
            each,
            f"run{number}",
            training=whole,
            split="random",
            target={"column": "label", "threshold": 0.5, "task": "binary"},
        )
        for number, each in enumerate((table(), frame))
    ]
    assert runs[0].lock["results"]["weights"] == runs[1].lock["results"]["weights"]
    assert (
        runs[0].metrics["targets"]["label"]["splits"]["train"]["metrics"]
        == runs[1].metrics["targets"]["label"]["splits"]["train"]["metrics"]
    )


def test_weights_change_what_is_trained(weighted: Run, tmp_path: Path) -> None:
    plain = fit(tmp_path, table(), columns={"w": "ignore", "amount": "ignore"})
    assert plain.lock["results"]["weights"] != weighted.lock["results"]["weights"]
    doubled = table()
    doubled["w"] *= 8  # only ratios count
    again = fit(tmp_path, doubled, "doubled")
    assert again.lock["results"]["weights"] == weighted.lock["results"]["weights"]


def test_rows_to_be_judged_may_lack_the_column(weighted: Run) -> None:
    frame = table().drop(columns="w")
    result = weighted.evaluate(frame)
    assert [warning.code for warning in result.warnings] == ["BP308"]
    assert result.targets["label"]["splits"]["test"]["weight"] == 160
    assert weighted.evaluate(table()).targets["label"]["splits"]["test"]["weight"] == table()["w"].sum()


@pytest.mark.parametrize(("cell", "said"), [(-1, "'-1'"), (None, "1 of them missing"), ("much", "'much'")])
def test_unusable_weight_is_refused(backend: None, tmp_path: Path, cell: object, said: str) -> None:
    frame = table().astype({"w": object})
    frame.loc[7, "w"] = cell
    with pytest.raises(DataError, match=f"BP305.*{said}"):
        fit(tmp_path, frame)


def test_part_without_any_weight_is_refused(backend: None, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="BP306"):
        fit(tmp_path, table().assign(w=0))


def test_two_weights_are_refused(backend: None, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="BP180.*`amount` and `w`|BP180.*`w` and `amount`"):
        fit(tmp_path, table().assign(amount=1), columns={"w": "weight", "amount": "weight"})


def test_baseline_is_weighted_as_the_metrics_are(weighted: Run) -> None:
    rows = weighted.evaluate(root=weighted.path.parent).predictions.to_pandas()
    train, test = (rows.query(f"split == '{split}'") for split in ("train", "test"))
    share = np.average(train["label.target"] == "yes", weights=train["weight"])
    loss = -np.average(np.log(np.where(test["label.target"] == "yes", share, 1 - share)), weights=test["weight"])
    found = weighted.metrics["targets"]["label"]["splits"]["test"]["baselines"]["trivial"]["log_loss"]
    assert found == pytest.approx(loss)
    assert (train["weight"] > 0).all()


def test_label_without_weight_counts_for_nothing(weighted: Run) -> None:
    frame = table().assign(w=lambda each: (each["label"] == "yes") * 1)
    metrics_ = weighted.evaluate(frame).targets["label"]["splits"]["test"]["metrics"]
    assert metrics_["balanced_accuracy"]["value"] == metrics_["accuracy"]["value"]
    assert metrics_["auc"]["value"] is None
    assert metrics_["pr_auc"]["value"] is None
