"""Date columns: which text is a date, which formats are recognised, the parts by hand, and odd cells."""

from __future__ import annotations

import datetime as dt
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from builders import frame_of
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from sklearn.preprocessing import StandardScaler
from tables import read_table, write

from bptrain import fit
from bptrain.api import RowsWarning
from bptrain.data.files import DataFile
from bptrain.data.frame import Frame
from bptrain.data.options import DataOptions
from bptrain.errors import DataError
from bptrain.features import preparer as prepare
from bptrain.features.date.kind import PARTS, DateState, read_part, seconds
from bptrain.features.date.options import DateOptions
from bptrain.features.inference import resolve

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def learn(cells: Any, **options: Any) -> DateState:
    state = prepare.learn(frame_of(c=cells), {"c": DateOptions(**options)})["date"]
    assert isinstance(state, DateState)
    return state


def made(state: DateState, cells: Any) -> dict[str, np.ndarray]:
    return prepare.transform({"date": state}, frame_of(c=cells)).arrays


def read(text: str, format: str = "iso") -> str | None:
    """The moment of a text as ISO, None for no date."""
    (found,) = seconds(pa.array([text]), format).tolist()
    return None if math.isnan(found) else (EPOCH + dt.timedelta(seconds=found)).isoformat()[:-6]


# Text to moments


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2024-05-01", "2024-05-01T00:00:00"),
        (" 2024-5-1 ", "2024-05-01T00:00:00"),
        ("2024-05-01 12:30", "2024-05-01T12:30:00"),
        ("2024-05-01T12:30:15", "2024-05-01T12:30:15"),
        ("2024-05-01 12:30:15.25", "2024-05-01T12:30:15.250000"),
        ("2024-05-01T12:30:00Z", "2024-05-01T12:30:00"),
        ("2024-05-01 12:30:00+00:00", "2024-05-01T12:30:00"),
        ("2024-05-01T01:30+02:00", "2024-04-30T23:30:00"),
        ("2024-12-31 20:00:00-0530", "2025-01-01T01:30:00"),
        ("2024-05-01T01:30:00+02", "2024-04-30T23:30:00"),
        ("2016-12-31 23:59:60", "2017-01-01T00:00:00"),
        ("2024-02-29", "2024-02-29T00:00:00"),
        ("0001-01-01", "0001-01-01T00:00:00"),
        ("1582-10-10", "1582-10-10T00:00:00"),
        ("9999-12-31 23:59:59", "9999-12-31T23:59:59"),
    ],
)
def test_iso_dates(text: str, moment: str) -> None:
    assert read(text) == moment


@pytest.mark.parametrize(
    "text",
    [
        "2024-02-30", "2023-02-29", "1900-02-29", "2024-13-01", "2024-00-01", "2024-01-00", "0000-01-01", "2024-05",
        "20240501", "2024", "24-05-01", "2024-05-01 24:00", "2024-05-01 12:60", "2024-05-01 12", "2024-05-01 12:30:61",
        "2024-05-01x", "2024-05-01 12:30+25:00", "2024/05/01", "+10000-01-01", "-0044-03-15", "today", "", "NaT",
    ],
)  # fmt: skip
def test_what_is_no_iso_date(text: str) -> None:
    assert read(text) is None


@pytest.mark.parametrize(
    ("text", "format", "moment"),
    [
        ("31.12.2024", "%d.%m.%Y", "2024-12-31T00:00:00"),
        ("1.2.2024", "%d.%m.%Y", "2024-02-01T00:00:00"),
        ("5/13/24", "%m/%d/%y", "2024-05-13T00:00:00"),
        ("5/13/69", "%m/%d/%y", "1969-05-13T00:00:00"),
        ("5/13/68", "%m/%d/%y", "2068-05-13T00:00:00"),
        ("20160702", "%Y%m%d", "2016-07-02T00:00:00"),
        ("2016-07", "%Y-%m", "2016-07-01T00:00:00"),
        ("2016", "%Y", "2016-01-01T00:00:00"),
        ("at 07h05 on 2/1/2024", "at %Hh%M on %d/%m/%Y", "2024-01-02T07:05:00"),
        ("20240501123015.5", "%Y%m%d%H%M%S.%f", "2024-05-01T12:30:15.500000"),
        ("2024-05-01 12:30 +0200", "%Y-%m-%d %H:%M %z", "2024-05-01T10:30:00"),
        ("100% 2024", "100%% %Y", "2024-01-01T00:00:00"),
        ("2024.05", "%Y.%m", "2024-05-01T00:00:00"),
        ("2024x05", "%Y.%m", None),
        ("2016712", "%Y%m%d", None),
        ("30.02.2024", "%d.%m.%Y", None),
        ("12/31/2024", "%d/%m/%Y", None),
        ("2024-05-01", "%d.%m.%Y", None),
    ],
)
def test_formats_of_numeric_fields(text: str, format: str, moment: str | None) -> None:
    assert read(text, DateOptions(format=format).format) == moment


@given(st.datetimes(timezones=st.timezones()))
@settings(max_examples=200, deadline=None)
def test_every_moment_is_read_as_python_reads_it(moment: dt.datetime) -> None:
    text = moment.isoformat(sep=" ")
    offset = moment.utcoffset()
    assert offset is not None
    if offset.total_seconds() % 60 == 0:  # historic zones had seconds, which ISO 8601 does not write
        naive = (moment.replace(tzinfo=None) - dt.datetime(1970, 1, 1)) / dt.timedelta(seconds=1)
        (found,) = seconds(pa.array([text]), "iso")
        assert found == pytest.approx(naive - offset.total_seconds(), abs=1e-4)


@pytest.mark.parametrize(
    ("format", "said"),
    [
        ("%d.%b.%Y", "`%b` is no field"),
        ("%d.%m", "needs the year"),
        ("%Y %y", "needs the year"),
        ("%Y-%m-%m", "once only"),
        ("%Y-%d", "needs %m"),
        ("%Y-%", "`%` is no field"),
        ("ISO", "needs the year"),
    ],
)
def test_formats_that_cannot_be_used_are_refused(format: str, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        DateOptions(format=format)


# Parts


@given(st.dates(), st.integers(0, 86399))
@settings(max_examples=300, deadline=None)
def test_parts_are_those_of_pythons_calendar(day: dt.date, second: int) -> None:
    moment = dt.datetime(day.year, day.month, day.day) + dt.timedelta(seconds=second)
    value = np.array([(moment - dt.datetime(1970, 1, 1)) / dt.timedelta(seconds=1), np.nan])
    expected = {
        "year": day.year,
        "quarter": math.ceil(day.month / 3),
        "month": day.month,
        "week": day.isocalendar().week,
        "weekday": day.weekday(),
        "weekend": day.weekday() >= 5,
        "day_of_month": day.day,
        "day_of_year": day.timetuple().tm_yday,
        "hour": moment.hour,
        "minute": moment.minute,
    }
    assert expected.keys() == PARTS.keys()
    for name, number in expected.items():
        found = read_part(name, value)
        assert found[0] == number, name
        assert np.isnan(found[1])
        first, period = PARTS[name]
        assert not period or first <= found[0] < first + period


def test_periodic_parts_are_points_on_a_circle() -> None:
    state = learn(["2024-01-01", "2024-07-01"], parts=("month", "weekday"), elapsed=False)
    assert state.to_json()["features"] == ["c: month sine", "c: month cosine", "c: weekday sine", "c: weekday cosine"]
    np.testing.assert_allclose(  # a Monday in April, a Sunday in December
        made(state, ["2024-04-01", "2024-12-01"])["date"],
        [[1, 0, 0, 1], [-0.5, math.sqrt(0.75), math.sin(2 * math.pi * 6 / 7), math.cos(2 * math.pi * 6 / 7)]],
        atol=1e-6,
    )
    assert state.arrays()["mean"].shape == (0,)


def test_other_parts_and_elapsed_days_are_standardised_as_scikit_learn_does() -> None:
    cells = ["2024-01-01", None, "2024-03-01 12:00", "2026-01-31"]
    state = learn(cells, parts=("year", "month", "weekend"), cyclic=False)
    raw = np.array([[2024, 1, 0, 0], [np.nan] * 4, [2024, 3, 0, 60.5], [2026, 1, 1, 761]])
    expected = np.nan_to_num(StandardScaler().fit_transform(raw))
    assert state.to_json()["features"] == ["c: year", "c: month", "c: weekend", "c: elapsed"]
    np.testing.assert_allclose(made(state, cells)["date"], expected, atol=1e-6)
    assert state.origin_.tolist() == [(dt.date(2024, 1, 1) - dt.date(1970, 1, 1)).days]
    np.testing.assert_array_equal(made(state, cells)["date_missing"], [[0], [1], [0], [0]])


@pytest.mark.parametrize(
    ("options", "features"),
    [
        ({}, ["month", "day_of_month", "weekday", "day_of_year", "elapsed"]),
        ({"parts": ("hour",)}, ["hour", "elapsed"]),
        ({"parts": (), "elapsed": True}, ["elapsed"]),
        ({"elapsed": False}, ["month", "day_of_month", "weekday", "day_of_year"]),
    ],
)
def test_parts_and_elapsed_choose_the_features(options: dict[str, Any], features: list[str]) -> None:
    state = learn(["2024-01-01", "2024-05-02"], cyclic=False, **options)
    assert state.to_json()["features"] == [f"c: {name}" for name in features]
    assert state.inputs["date"] == ("float32", (len(features),))


def test_the_hour_is_used_where_training_cells_have_a_time_of_day() -> None:
    assert "c: hour sine" in learn(["2024-01-01", "2024-05-02 06:00"]).to_json()["features"]
    assert "c: hour sine" not in learn(["2024-01-01 00:00", "2024-05-02"]).to_json()["features"]


def test_indicators_are_of_columns_with_missing_training_cells() -> None:
    cells = ["2024-01-01", None, "2024-05-02"]
    assert learn(cells).indicators == ("c",)
    assert learn(cells, indicator=False).indicators == ()
    whole = learn(["2024-01-01", "2024-05-02"])
    assert set(made(whole, cells)) == {"date"}
    assert made(whole, cells)["date"][1].tolist() == [0.0] * len(whole.to_json()["features"])


def test_nothing_of_the_date_is_refused() -> None:
    with pytest.raises(ValidationError, match="nothing of the date is left"):
        DateOptions(parts=(), elapsed=False)


def test_constant_and_far_dates_have_finite_features() -> None:
    every = tuple(PARTS)
    for cyclic in (True, False):
        state = learn(["2024-05-01", "2024-05-01"], parts=every, cyclic=cyclic)
        values = made(state, ["0001-01-01", "1677-09-21", "2262-04-12 12:00", "9999-12-31"])["date"]
        assert np.isfinite(values).all()
        assert made(state, ["2024-05-01"])["date"].any() == cyclic
    far = pa.array([dt.date(1, 1, 1), dt.date(9999, 12, 31)])
    assert np.isfinite(made(learn(far), far)["date"]).all()


# What is recognised


def kind_of(cells: Any) -> tuple[str, str | None]:
    """The kind and format that are found, beside a numeric column."""
    found = resolve(frame_of(c=cells, other=[0.5, 1.5] * (len(cells) // 2)), {}, [])
    return found.options["c"].kind, getattr(found.options["c"], "format", None)


@pytest.mark.parametrize(
    ("cells", "format"),
    [
        (["2024-05-01", "2024-05-02"], "iso"),
        (["2024-05-01", "2024-05-02 13:15"], "iso"),
        (["2024-05-01T00:00:00Z", None], "iso"),
        ([dt.date(2024, 5, 1), None], "iso"),
        ([dt.datetime(2024, 5, 1, 7), dt.datetime(2024, 5, 2)], "iso"),
        (["13/05/2024", "01/02/2024"], "%d/%m/%Y"),
        (["05/13/2024", "01/02/2024"], "%m/%d/%Y"),
        (["13.5.2024", "1.2.2024"], "%d.%m.%Y"),
        (["13-05-2024 12:00", "01-02-2024 13:30"], "%d-%m-%Y %H:%M"),
        (["2024/05/01", "2024/05/02"], "%Y/%m/%d"),
        (["2024.05.01 12:00:01", "2024.05.02 12:00:02"], "%Y.%m.%d %H:%M:%S"),
    ],
    ids=str,
)
def test_dates_are_recognised(cells: Any, format: str) -> None:
    assert kind_of(cells * 20) == ("date", format)


def test_the_reason_says_why_a_number_is_the_day() -> None:
    found = resolve(frame_of(c=["01/02/2024", "13/05/2024"] * 20, other=[0.5, 1.5] * 20), {}, [])
    assert found.reasons["c"] == "every value is a date written %d/%m/%Y: 13/05/2024 is none the other way round"
    assert found.warnings == []


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (["01/02/2024", "03/04/2024"], "categorical"),
        (["01.02.24", "13.04.24"], "categorical"),
        (["20160702", "20160703"], "numeric"),
        ([20160702, 20160703], "numeric"),
        ([2016, 2017], "numeric"),
        (["12:30:00", "13:30:00"], "categorical"),
        (["5/13/2024 2:30 PM", "5/14/2024 2:30 PM"], "categorical"),
        (["7732-18-5", "1310-73-2"], "categorical"),
        (["2024-05", "2024-06"], "categorical"),
    ],
    ids=str,
)
def test_what_is_no_date_or_could_be_another_is_not_recognised(cells: Any, kind: str) -> None:
    assert kind_of(cells * 20) == (kind, None)


@pytest.mark.parametrize("cells", [["01/02/2024", "03/04/2024"], ["01.02.24", "13.04.24"]])
def test_dates_that_are_not_recognised_are_pointed_out(cells: list[str]) -> None:
    found = resolve(frame_of(c=cells * 20, other=[0.5, 1.5] * 20), {}, [])
    (warning,) = found.warnings
    assert (warning.code, "looks like dates" in warning.message) == ("BP249", True)
    assert "format" in warning.hints[0]


@pytest.mark.parametrize(
    ("cells", "bad"),
    [
        (["2024-05-01"] * 39 + ["unknown"], "1 of 40"),
        (["2024-05-01"] * 39 + ["2024-02-30"], "1 of 40"),
        (["13/05/2024", "05/13/2024"] * 20, "20 of 40"),
        (["2024-05-01", "13/05/2024"] * 20, "20 of 40"),
        (["2024-05-01"] * 19 + ["01/02/2024"] * 21, "19 of 40"),
    ],
)
def test_almost_dates_and_two_formats_are_refused(cells: list[str], bad: str) -> None:
    with pytest.raises(DataError, match=f"BP256: column `c` holds dates written .* except for {bad} cells") as caught:
        resolve(frame_of(c=cells, other=[0.5, 1.5] * 20), {}, [])
    assert any("categorical" in hint for hint in caught.value.problems[0].hints)


def test_one_odd_cell_among_dates_that_could_be_months_is_left_to_the_warning() -> None:
    assert kind_of(["01/02/2024", "03/04/2024"] * 19 + ["unknown", "01/02/2024"])[0] == "categorical"


# Cells that cannot be used


def test_training_cells_must_be_dates() -> None:
    with pytest.raises(DataError, match="BP255: column `c` is a date, but 1 of 3 cells .*'soon' \\(row 2\\)") as caught:
        learn(["2024-05-01", "soon", None])
    assert caught.value.problems[0].where == "row 2"
    assert "%d.%m.%Y" in " ".join(caught.value.problems[0].hints)
    with pytest.raises(DataError, match="BP255"):
        prepare.check(frame_of(c=["2024-05-01", "soon"]), {"c": DateOptions()}, training=False)


def test_a_column_without_values_is_refused() -> None:
    with pytest.raises(DataError, match="BP241: column `c` is declared a date"):
        learn(pa.nulls(3))
    with pytest.raises(DataError, match="BP241"):
        prepare.check(frame_of(c=pa.nulls(3)), {"c": DateOptions()}, training=True)


def test_in_other_rows_what_is_no_date_is_bad_and_counts_as_missing() -> None:
    state = learn(["2024-05-01", None, "2024-05-03"])
    result = prepare.transform({"date": state}, frame_of(c=["2024-05-02", "soon", None]))
    assert result.bad["c"].tolist() == [False, True, False]
    assert not result.arrays["date"][1:].any()
    assert result.arrays["date_missing"].tolist() == [[0], [1], [1]]
    assert prepare.kinds_of_columns({"date": state})["c"].unusable == "no date"
    with pytest.raises(DataError, match="BP255"):
        prepare.transform_or_raise({"date": state}, frame_of(c=["2024-05-02", "soon"]))


# Files and saved states


TYPES = {
    "day": (pa.date32(), [dt.date(2024, 5, 1), dt.date(1999, 12, 31), None]),
    "moment": (pa.timestamp("us"), [dt.datetime(2024, 5, 1, 12, 30), dt.datetime(2024, 5, 1, 7, 0, 0, 250000), None]),
    "zoned": (pa.timestamp("ms", tz="Europe/Berlin"), [dt.datetime(2024, 5, 1, 12, tzinfo=dt.UTC), None, None]),
}


@pytest.mark.parametrize("ending", [".csv", ".jsonl", ".parquet"])
def test_formats_agree_and_a_saved_state_transforms_alike(tmp_path: Path, ending: str) -> None:
    table = pa.table({name: pa.array(cells * 8, kind) for name, (kind, cells) in TYPES.items()})
    direct = Frame(table, np.arange(24))
    texts = pa.table({name: direct.texts(name) for name in TYPES})
    path = write(table if ending == ".parquet" else texts, tmp_path / f"t{ending}")
    frame = Frame(read_table([DataFile(path, path.name)], DataOptions(train=(path.name,))), np.arange(24))
    found = resolve(frame, {}, [])
    assert {options.kind for options in found.options.values()} == {"date"}
    learnt = prepare.learn(frame, found.options)
    saved, arrays = prepare.save(learnt)
    assert {name: (array.dtype.str, array.shape) for name, array in arrays.items()} == prepare.array_shapes(saved)
    loaded = prepare.load(saved, arrays)
    expected = prepare.transform(prepare.learn(direct, found.options), direct).arrays
    for columns in (learnt, loaded):
        result = prepare.transform(columns, frame).arrays
        assert {name: array.tobytes() for name, array in result.items()} == {
            name: array.tobytes() for name, array in expected.items()
        }
    assert {name: (str(array.dtype), array.shape[1:]) for name, array in expected.items()} == learnt["date"].inputs


def test_whole_numbers_are_dates_when_the_format_says_so() -> None:
    state = learn([20160702, 20160704], format="%Y%m%d", parts=(), indicator=False)
    for cells in ([20160703], [20160703.0], ["20160703"]):
        assert made(state, cells)["date"].tolist() == [[0.0]]


def test_the_written_state_is_all_that_another_program_needs() -> None:
    """Features by the words of the module, in plain Python."""
    cells = ["2024-05-01", "2024-06-15", "2025-05-31"]
    state = learn(cells)
    columns, arrays = state.to_json()["columns"], state.arrays()
    (column,) = columns
    period = {"month": (1, 12), "day_of_month": (1, 31), "weekday": (0, 7), "day_of_year": (1, 366)}
    assert tuple(column["parts"]) == tuple(period)
    for cell, found in zip(cells, made(state, cells)["date"], strict=True):
        day = dt.date.fromisoformat(cell)
        numbers = (day.month, day.day, day.weekday(), day.timetuple().tm_yday)
        angles = [2 * math.pi * (n - first) / p for n, (first, p) in zip(numbers, period.values(), strict=True)]
        expected = [function(angle) for angle in angles for function in (math.sin, math.cos)]
        elapsed = (day - dt.date(1970, 1, 1)).days - arrays["origin"][0]
        expected.append((elapsed - arrays["mean"][0]) / arrays["scale"][0])
        np.testing.assert_allclose(found, expected, atol=1e-6)


@given(st.lists(st.dates().map(str) | st.none(), min_size=1, max_size=20))
@settings(max_examples=50, deadline=None)
def test_rows_that_are_not_for_training_teach_nothing(cells: list[str | None]) -> None:
    training = ["2024-05-01", "2024-08-01", "2025-05-31"]
    frame = frame_of(c=pa.array([*training, *cells], pa.string()))
    state = prepare.learn(frame.take(np.arange(3)), {"c": DateOptions()})["date"]
    alone = learn(training)
    assert state.to_json() == alone.to_json()
    assert {k: v.tobytes() for k, v in state.arrays().items()} == {k: v.tobytes() for k, v in alone.arrays().items()}
    result = made(alone, pa.array(cells, pa.string()))["date"]
    assert np.isfinite(result).all()


def test_fit_predict_and_the_exported_network_agree(backend: None, tmp_path: Path) -> None:
    import keras

    days = np.datetime64("2023-01-01") + np.arange(120)
    cells = [f"{day.day}.{day.month}.{day.year}" for day in days.astype(object)]
    table = pa.table({"day": [None, *cells[1:]], "kind": ["yes", "no"] * 60, "sales": (np.arange(120) % 7).tolist()})
    write(table, tmp_path / "t.csv")
    content = {
        "data": "t.csv",
        "target": {"column": "sales", "task": "regression"},
        "columns": {"day": {"kind": "date", "format": "%d.%m.%Y"}},
        "training": {"epochs": 2},
    }
    run = fit(content, run=tmp_path / "run", root=tmp_path)
    described = run.files.read_json("inputs.json")
    assert described["columns"]["date"]["features"][:2] == ["day: month sine", "day: month cosine"]
    assert "2 pi (part - first) / period" in described["how"]["date"]
    rows = pd.DataFrame({"day": ["3.4.2024", "29.2.2024"], "kind": ["no", "yes"]})
    frame = frame_of({name: list(rows[name]) for name in rows})
    network = keras.models.load_model(run.path / "model.keras", compile=False)
    inputs = prepare.transform(run.predictor.columns, frame).arrays
    np.testing.assert_allclose(
        network.predict(inputs, verbose=0)["target_0"][:, 0], run.predict(rows)["sales.prediction"], rtol=1e-6
    )
    odd = pd.DataFrame({"day": ["3.4.2024", "30.2.2024"], "kind": ["maybe", "yes"]})
    with pytest.warns(RowsWarning, match="BP234: column `.*`: 1 of 2 cells are n"):
        status = run.predict(odd)["status"].tolist()
    assert status == ["neither true nor false: kind", "no date: day"]


CHECK = """
import sys
from pathlib import Path
from bptrain.config.load import config_from_mapping
from bptrain.workflows.check import check
from bptrain.data.files import AllowedPaths

config = {"data": "t.csv", "target": "y", "columns": {"b": {"kind": "date", "format": "%d.%m.%Y"}}}
settled, _, _ = check(config_from_mapping(config), AllowedPaths.create(Path(".")))
print(*(options.kind for options in settled.columns.values()))
print(*sorted({"pandas", "sklearn", "scipy", "keras", "tensorflow"} & set(sys.modules)))
"""


def test_check_reads_dates_without_pandas_and_scikit_learn(tmp_path: Path) -> None:
    cells = {
        "a": ["2024-05-01", "2024-05-02 12:30Z"],
        "b": ["1.2.2024", "2.3.2024"],
        "c": ["y", "n"],
        "y": ["1.5", "2"],
    }
    write(pa.table({name: both * 30 for name, both in cells.items()}), tmp_path / "t.csv")
    done = subprocess.run([sys.executable, "-c", CHECK], cwd=tmp_path, check=True, capture_output=True, text=True)
    assert done.stdout.splitlines() == ["date date boolean", ""]
