"""What `evaluate --data` says of rows that are not like the training rows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import tables
from builders import frame_of

from bptrain import Run
from bptrain.cli.main import run as command
from bptrain.features.drift import Histogram, Profile, measure_drift
from bptrain.features.kind import Transformed


@pytest.fixture
def run(fitted: Callable[..., Run]) -> Run:
    return fitted("label")


def with_cells(table: pa.Table, column: str, rows: range, value: object) -> pa.Table:
    for row in rows:
        table = tables.replaced(table, column, row, value)
    return table


def test_like_rows_show_no_drift(run: Run) -> None:
    result = run.evaluate(tables.make_table(2000, seed=1).to_pandas())
    assert [change.column for change in result.drift] == list(run.predictor.profile.missing)
    assert {change.column for change in result.drift if change.notable and change.outside == 0} == set()


def test_changes_are_counted_per_column(run: Run) -> None:
    table = with_cells(tables.make_table(200, seed=1), "town", range(30), "elsewhere")
    table = with_cells(table, "size", range(40, 140), None)
    table = with_cells(table, "height", range(25), 2e6)
    found = {change.column: change for change in run.evaluate(table.to_pandas()).drift}
    assert found["town"].unknown == 30 / 200
    assert found["size"].missing > 0.5 > 0.2 > found["size"].missing_before
    assert found["height"].outside >= 25 / 200
    assert all(found[name].notable for name in ("town", "size", "height"))
    assert not found["flag"].notable
    assert found["code"].outside == 0


@pytest.mark.parametrize("column", ["colour", "size", "label"])
def test_other_shares_of_known_values_are_notable(run: Run, column: str) -> None:
    """Rows of one label, or of large numbers alone, hold nothing that training rows did not hold."""
    table = tables.make_table(400, seed=1).to_pandas()
    chosen = {"colour": table["colour"] == "blue", "size": table["size"] > 0.5, "label": table["label"] == "yes"}
    found = {change.column: change for change in run.evaluate(table[chosen[column]]).drift}
    assert found[column].notable
    assert found[column].shift > 0.4
    assert not found["flag"].notable


def test_distance_is_half_the_sum_of_differences_and_chance_is_met_on_average() -> None:
    rng = np.random.default_rng(0)
    shares, found, expected = np.array([0.5, 0.3, 0.2]), [], []
    for _ in range(300):
        before = frame_of({"a": rng.choice(["x", "y", "z"], 400, p=shares)})
        after = frame_of({"a": rng.choice(["x", "y", "z"], 100, p=shares)})
        learned = Histogram.learn(before, "a")
        assert learned is not None
        shift, chance = learned.distance(400, after, "a")
        counted = [
            abs((before.table["a"].to_pylist().count(each) / 400) - after.table["a"].to_pylist().count(each) / 100)
            for each in "xyz"
        ]
        assert shift == pytest.approx(sum(counted) / 2)
        found.append(shift)
        expected.append(chance)
    assert np.mean(found) == pytest.approx(np.mean(expected), rel=0.05)


def test_numbers_are_compared_by_deciles_of_the_training_rows() -> None:
    learned = Histogram.learn(frame_of({"a": np.arange(1000.0)}), "a")
    assert learned is not None
    assert learned.shares == pytest.approx([0.1] * 10)
    upper = frame_of({"a": np.arange(500.0, 1000.0)})
    assert learned.distance(1000, upper, "a")[0] == pytest.approx(0.5)


def test_command_prints_and_writes_it(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tables.write(with_cells(tables.make_table(200, seed=1), "town", range(30), "elsewhere"), tmp_path / "n.csv")
    assert command(["evaluate", str(run.path), "--data", str(path), "--out", str(tmp_path / "out")]) == 0
    output = capsys.readouterr().out
    line = next(line for line in output.splitlines() if line.startswith("town"))
    assert line.split()[1:-2] == ["-", "-", "15.0", "%", "-"]
    assert '"drift"' in (tmp_path / "out/metrics.json").read_text(encoding="utf-8")
    assert command(["evaluate", str(run.path), "--root", str(run.path.parent)]) == 0
    assert "drift" not in capsys.readouterr().out


def test_change_of_missing_cells_is_more_than_chance() -> None:
    def notable(n_rows: int, n_missing: int) -> bool:
        frame = frame_of({"a": pa.array([None] * n_missing + [1] * (n_rows - n_missing))})
        return measure_drift(Profile(10**6, {"a": 0.1}, {}), frame, Transformed({}))[0].notable

    assert [notable(20, 4), notable(2000, 400), notable(2000, 215), notable(100000, 10500)] == [
        False,
        True,
        False,
        False,
    ]
    empty = frame_of({"a": pa.array([], pa.int64())})
    assert measure_drift(Profile(9, {"a": 0.1}, {}), empty, Transformed({})) == []
