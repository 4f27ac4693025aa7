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
from tables import read_table, write

from bptrain.data.files import DataFile
from bptrain.data.frame import Frame
from bptrain.data.load import from_pandas
from bptrain.data.options import DataOptions
from bptrain.errors import DataError
from bptrain.features import kinds
from bptrain.features import preparer as prepare
from bptrain.features.categorical.kind import Levels
from bptrain.features.categorical.options import CategoricalOptions
from bptrain.features.inference import resolve
from bptrain.features.numeric.options import NumericOptions
from bptrain.features.options import ColumnOptions, IgnoreOptions


def frame_of(**columns: Any) -> Frame:
    table = pa.table(columns)
    return Frame(table, np.arange(table.num_rows))


def learn_levels(cells: Any, **options: Any) -> Levels:
    learned = prepare.learn(frame_of(c=cells), {"c": CategoricalOptions(**options)})
    column: Levels = learned["categorical"].learned[0]  # type: ignore[assignment]
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
        resolve(Frame(pa.table({name: cells}), np.arange(31)), {}, [])
    with pytest.raises(DataError, match="BP242") as declared:
        prepare.learn(Frame(pa.table({name: cells}), np.arange(31)), {name: NumericOptions()})
    with pytest.raises(DataError, match="BP241") as empty:
        prepare.learn(Frame(pa.table({name: pa.nulls(3)}), np.arange(3)), {name: NumericOptions()})
    ignored = resolve(Frame(pa.table({name: ["x"] * 30, "c": ["a", "b"] * 15}), np.arange(30)), {}, []).warnings
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
