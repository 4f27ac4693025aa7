"""Cleaning: each step does what it says, is counted, and holds for rows that are judged or predicted later."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import bptrain
from bptrain import Run
from bptrain.config.load import config_from_mapping
from bptrain.data.files import AllowedPaths
from bptrain.errors import DataError
from bptrain.fitting import dataset
from bptrain.fitting.resolve import resolve_from_training_rows
from bptrain.targets import preparer as targets_preparer


def table(n_rows: int = 120) -> pd.DataFrame:
    rng = np.random.default_rng(2)
    size = rng.normal(size=n_rows).round(4)
    return pd.DataFrame(
        {
            "size": size,
            "colour": rng.choice(["red", "blue", "grey"], n_rows),
            "label": np.where(size + rng.normal(0, 0.5, n_rows) > 0, "yes", "no"),
            "sort": np.array(["a", "b", "c"])[rng.integers(0, 3, n_rows)],
        }
    )


def look(
    folder: Path, frame: pd.DataFrame, *, ending: str = ".csv", target: Any = "label", **sections: Any
) -> dataset.Dataset:
    path = folder / f"t{ending}"
    frame.to_csv(path, index=False) if ending == ".csv" else frame.to_parquet(path, index=False)
    content = {"data": path.name, "target": target, **sections}
    return dataset.load_dataset(config_from_mapping(content), AllowedPaths.create(folder))


def done(found: dataset.Dataset) -> dict[tuple[str, str], tuple[int, int]]:
    return {(step.what, step.column): (step.n, step.of) for step in found.cleaned}


@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_copies_of_rows_are_dropped_and_counted(tmp_path: Path, ending: str) -> None:
    frame = pd.concat([table(), table().head(7), table().head(2)], ignore_index=True)
    found = look(tmp_path, frame, ending=ending, clean={"duplicates": "drop"})
    assert found.frame.n_rows == 120
    assert done(found) == {("copies of earlier rows dropped", ""): (9, 129)}
    assert found.frame.rows.tolist() == list(range(120))


def test_copies_that_are_kept_are_warned_of_when_they_are_many(tmp_path: Path) -> None:
    few = look(tmp_path, pd.concat([table(), table().head(1)], ignore_index=True))
    assert [warning.code for warning in few.warnings] == []
    many = look(tmp_path, pd.concat([table(), table().head(9)], ignore_index=True))
    assert [warning.code for warning in many.warnings] == ["BP271"]
    assert "9 of 129" in many.warnings[0].message
    assert many.frame.n_rows == 129


def test_rows_of_given_test_files_stay_and_shared_ones_are_warned_of(tmp_path: Path) -> None:
    table().to_csv(tmp_path / "a.csv", index=False)
    pd.concat([table().head(30), table().head(30)]).to_csv(tmp_path / "b.csv", index=False)
    content = {"data": {"train": "a.csv", "test": "b.csv"}, "target": "label", "clean": {"duplicates": "drop"}}
    found = dataset.load_dataset(config_from_mapping(content), AllowedPaths.create(tmp_path))
    assert (found.source == "test").sum() == 60
    assert [warning.code for warning in found.warnings] == ["BP272"]
    assert "60 of 60" in found.warnings[0].message


def test_rare_labels_are_dropped_or_grouped(tmp_path: Path) -> None:
    frame = table()
    frame.loc[[3, 50, 70], "sort"] = ["x", "y", "y"]
    with pytest.raises(DataError, match="BP267.*rare_class: drop.*rare_class: group"):
        dataset.check_split(look(tmp_path, frame, target="sort"))
    dropped = look(tmp_path, frame, target="sort", clean={"rare_class": "drop"})
    assert (dropped.frame.n_rows, done(dropped)) == (117, {("rows of rare labels dropped", "sort"): (3, 120)})
    clean = {"rare_class": "group", "rare_class_rows": 3}
    grouped = look(tmp_path, frame, target="sort", clean=clean)
    assert done(grouped) == {("rare labels grouped as other", "sort"): (2, 5)}
    labels = grouped.frame.texts("sort").to_pylist()
    assert [labels[row] for row in (3, 50, 70)] == ["other"] * 3
    assert set(labels) == {"a", "b", "c", "other"}
    assert (
        look(
            tmp_path, frame, target="sort", split="random", clean={"rare_class": "drop", "rare_class_rows": 2}
        ).frame.n_rows
        == 119
    )


def test_missing_targets_are_counted(tmp_path: Path) -> None:
    frame = table()
    frame.loc[[1, 2], "label"] = None
    assert done(look(tmp_path, frame, clean={"missing_target": "drop"})) == {
        ("rows without a target dropped", ""): (2, 120)
    }


@pytest.fixture(scope="module")
def dirty(backend: None, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Run]:
    def fit(name: str, frame: pd.DataFrame, **sections: Any) -> Run:
        folder = tmp_path_factory.mktemp(name)
        frame.to_csv(folder / "t.csv", index=False)
        content: dict[str, Any] = {
            "data": "t.csv",
            "target": "label",
            "columns": {"sort": "ignore"},
            "model": {"kind": "mlp", "hidden": [4]},
        }
        content["training"] = {"epochs": 2, "batch_size": 32}
        return bptrain.fit({**content, **sections}, run=folder / "run", root=folder)

    return fit


def test_white_space_and_case_do_not_count_when_told_so(dirty: Callable[..., Run]) -> None:
    """The cleaned table trains the same model as the dirty one, and dirty rows are predicted as clean ones."""
    clean, frame = table(), table()
    frame.loc[::7, "colour"] = frame.loc[::7, "colour"].str.upper()
    frame.loc[::5, "colour"] = " " + frame.loc[::5, "colour"] + "\t"
    frame.loc[::11, "label"] = frame.loc[::11, "label"].str.capitalize() + " "
    frame.loc[4, "colour"] = "  "
    clean.loc[4, "colour"] = None
    rules = {"strip": True, "case": "ignore"}
    first, second = dirty("clean", clean), dirty("dirty", frame, clean=rules)
    assert first.lock["results"] == second.lock["results"]
    assert second.metrics["targets"]["label"]["labels"] == ["no", "yes"]
    found = second.predict(frame.drop(columns="label"))
    pd.testing.assert_frame_equal(found, first.predict(clean.drop(columns="label")))
    assert second.evaluate(frame).targets == first.evaluate(clean).targets
    assert (
        dirty("kept", frame, target={"column": "label", "task": "multiclass"}, split="random").lock["results"]
        != first.lock["results"]
    )


def test_labels_that_were_grouped_are_judged_as_other(dirty: Callable[..., Run]) -> None:
    frame = table()
    frame.loc[:3, "sort"] = "rare"
    clean = {"rare_class": "group", "rare_class_rows": 5}
    run = dirty("grouped", frame, target="sort", columns={"label": "ignore"}, clean=clean, split="random")
    assert run.metrics["targets"]["sort"]["labels"] == ["a", "b", "c", "other"]
    rows = table().assign(sort="never seen")
    assert set(run.evaluate(rows).predictions["sort.target"].to_pylist()) == {"other"}


def test_constants_and_identifiers_are_kept_when_told_so(tmp_path: Path) -> None:
    frame = table().assign(same="s", name=[f"n{i}" for i in range(120)])
    for clean, kinds in (
        ({}, ["ignore", "ignore"]),
        ({"constants": "keep", "identifiers": "keep"}, ["categorical", "categorical"]),
    ):
        found = look(tmp_path, frame, clean=clean)
        settled, _ = resolve_from_training_rows(found.config, found.frame)
        assert [settled.columns[name].kind for name in ("same", "name")] == kinds


def test_rare_numbers_of_an_undeclared_target_are_no_rare_labels(tmp_path: Path) -> None:
    frame = table().assign(amount=np.arange(120) * 1.5)
    found = look(tmp_path, frame, target="amount", clean={"rare_class": "drop"})
    assert found.frame.n_rows == 120


def test_label_of_the_test_file_alone_is_rare(tmp_path: Path) -> None:
    table().to_csv(tmp_path / "a.csv", index=False)
    table().head(20).assign(sort="z").to_csv(tmp_path / "b.csv", index=False)
    content = {"data": {"train": "a.csv", "test": "b.csv"}, "target": "sort", "clean": {"rare_class": "group"}}
    found = dataset.load_dataset(config_from_mapping(content), AllowedPaths.create(tmp_path))
    assert set(found.frame.texts("sort").to_pylist()) == {"a", "b", "c", "other"}


def test_labels_of_the_config_follow_the_case_of_the_table(tmp_path: Path) -> None:
    frame = table().assign(label=lambda each: each["label"].str.capitalize())
    target = {"column": "label", "positive": "NO", "task": "binary", "class_weights": {"yes": 2}}
    found = look(tmp_path, frame, target=target, clean={"case": "ignore"})
    state = targets_preparer.learn(found.frame, found.config.targets)["label"]
    assert (state.labels, state.class_weights) == (("Yes", "No"), (2.0, 1.0))
