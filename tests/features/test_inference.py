"""What is inferred and warned of: defaults of kinds, useless columns that are kept, spelling, huge numbers, gaps."""

from __future__ import annotations

import unicodedata
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from builders import frame_of

from bptrain.config.load import config_from_mapping, config_from_text
from bptrain.config.yaml_writer import complete_yaml
from bptrain.data.frame import Frame
from bptrain.errors import UsageError
from bptrain.features.inference import Kinds, resolve
from bptrain.features.numeric.options import NumericOptions

CELLS: dict[str, Any] = {
    "age": [float(i % 7) for i in range(60)],
    "height": [float(i % 11) for i in range(60)],
    "town": ["a", "b", "c"] * 20,
}


def found(columns: dict[str, Any], frame: Frame | None = None, **choices: Any) -> Kinds:
    declared = config_from_mapping({"data": "t.csv", "target": "y", "columns": columns}).columns
    return resolve(frame_of(**CELLS) if frame is None else frame, declared, ["y"], **choices)


def codes(kinds: Kinds) -> list[str]:
    return [warning.code for warning in kinds.warnings]


def test_defaults_of_a_kind_reach_declared_and_inferred_columns() -> None:
    options = found({"<numeric>": {"scaling": "robust", "clip": "smooth"}, "age": "numeric"}).options
    for name in ("age", "height"):
        assert options[name] == NumericOptions(scaling="robust", clip="smooth")
    assert options["town"] == found({}).options["town"]
    assert list(options) == list(CELLS)


@pytest.mark.parametrize("name", ["age", "a*"])
def test_options_of_a_column_win_over_the_defaults_of_its_kind(name: str) -> None:
    columns = {name: {"kind": "numeric", "scaling": "standard"}, "<numeric>": {"scaling": "robust", "clip": "hard"}}
    options = found(columns).options
    assert options["age"] == NumericOptions(scaling="standard", clip="hard")
    assert options["height"] == NumericOptions(scaling="robust", clip="hard")


def test_defaults_of_a_kind_without_columns_are_no_mistake() -> None:
    frame = frame_of(age=CELLS["age"])
    assert list(found({"<categorical>": {"min_count": 3}}, frame).options) == ["age"]


def test_a_settled_config_reads_back_equal_and_needs_no_defaults() -> None:
    config = config_from_text(
        "data: t.csv\ntarget: y\ncolumns: {<numeric>: {range: [0, null], scaling: robust}, age: numeric}\n"
    )
    settled = config.model_copy(update={"columns": resolve(frame_of(**CELLS), config.columns, ["y"]).options})
    assert list(settled.columns) == list(CELLS)
    again = config_from_text(complete_yaml(settled))
    assert again == settled
    assert resolve(frame_of(**CELLS), again.columns, ["y"]).options == settled.columns


def test_a_column_may_be_called_like_the_defaults_of_a_kind() -> None:
    frame = frame_of(**{"<numeric>": CELLS["age"], "height": CELLS["height"]})
    options = found({"<numeric>": {"kind": "numeric", "scaling": "robust"}}, frame).options
    assert options == {"<numeric>": NumericOptions(scaling="robust"), "height": NumericOptions()}


def test_options_that_do_not_go_together_with_the_defaults_are_shown() -> None:
    columns = {"<numeric>": {"outlier_limit": 4, "outlier_rule": "zscore"}, "age": {"kind": "numeric"}}
    columns["age"]["outlier_rule"] = "quantile"
    with pytest.raises(UsageError, match="BP108: the options of column `age` and the defaults `<numeric>` do not"):
        found(columns)


@pytest.mark.parametrize("key", ["age", "a*", "<numeric>"])
def test_one_mark_for_thousands_and_decimals_is_refused(key: str) -> None:
    with pytest.raises(UsageError, match=r"BP250: `columns` gives `.*` the mark `\.`") as caught:
        found({key: {"kind": "numeric", "thousands": "."}})
    assert caught.value.problems[0].key == ("columns", key, "thousands")


def test_the_problem_of_a_mark_has_its_place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from bptrain.cli.main import run

    (tmp_path / "t.csv").write_text("x,y\n" + "".join(f"{i % 7},{'ab'[i % 2]}\n" for i in range(60)))
    (tmp_path / "c.yaml").write_text("data: t.csv\ntarget: y\ncolumns:\n  <numeric>: {thousands: '.'}\n")
    assert run(["check", str(tmp_path / "c.yaml"), "--root", str(tmp_path)]) == 2
    assert "c.yaml:4:26" in capsys.readouterr().err


def test_constants_and_identifiers_are_kept_when_asked() -> None:
    cells = {"one": [1.5] * 60, "id": list(range(60)), "code": [f"c{i}" for i in range(60)]}
    frame = frame_of(**CELLS, **cells)
    assert [found({}, frame).options[name].kind for name in cells] == ["ignore"] * 3
    assert codes(found({}, frame)) == ["BP244", "BP245", "BP245"]
    kept = found({}, frame, constants="keep")
    assert [kept.options[name].kind for name in cells] == ["numeric", "ignore", "ignore"]
    kept = found({}, frame, identifiers="keep")
    assert [kept.options[name].kind for name in cells] == ["ignore", "numeric", "categorical"]
    assert codes(kept) == ["BP244"]


def spelled(*labels: str) -> list[str]:
    """The messages about a column of these labels."""
    frame = frame_of(town=[labels[i % len(labels)] for i in range(60)])
    return [warning.message for warning in found({}, frame).warnings if warning.code == "BP251"]


@pytest.mark.parametrize(
    "pair", [("Paris", "paris"), ("Paris", "Paris "), ("é", unicodedata.normalize("NFD", "é")), (" STRASSE", "straße")]
)
def test_labels_that_differ_by_spelling_alone_are_pointed_out(pair: tuple[str, str]) -> None:
    (message,) = spelled(*pair, "Rome")
    assert "1 label(s) differ" in message
    assert all(f"'{label}'" in message for label in pair)


def test_labels_that_differ_otherwise_are_not() -> None:
    assert spelled("Paris", "Pari", "Par is", "París") == []


def test_spelling_is_pointed_out_in_declared_columns_too() -> None:
    assert codes(found({"town": "categorical"}, frame_of(town=["a", "A", "b"] * 20))) == ["BP251"]


@pytest.mark.parametrize(
    ("cells", "n"),
    [
        (pa.array(["1", "9007199254740993", None] * 20), 20),
        (pa.array([1, 2**53 + 1, -(2**60)] * 20), 40),
        (pa.array([1, 2**53, -(2**53)] * 20), 0),
        (pa.array([1.0, 2.0**60, 3.0] * 20), 0),
        (pa.array(["1", "1e300", "3"] * 20), 0),
    ],
)
def test_whole_numbers_that_lose_digits_are_pointed_out(cells: pa.Array, n: int) -> None:
    warnings = found({"x": "numeric"}, frame_of(x=cells)).warnings
    assert [warning.code for warning in warnings] == ["BP252"] * (n > 0)
    assert all(f"but {n} of 60 cells" in warning.message and warning.where == "row 2" for warning in warnings)


@pytest.mark.parametrize(("n_missing", "warned"), [(30, []), (31, ["BP253"])])
def test_columns_that_are_mostly_missing_are_pointed_out(n_missing: int, warned: list[str]) -> None:
    gaps = [None] * n_missing + [float(i % 5) for i in range(60 - n_missing)]
    assert codes(found({}, frame_of(x=gaps, town=CELLS["town"]))) == warned
    assert codes(found({"x": "ignore"}, frame_of(x=gaps, town=CELLS["town"]))) == []
