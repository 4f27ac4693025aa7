"""Which data paths an override names, in every form that a config may have."""

from __future__ import annotations

import pytest

from bptrain.config.load import paths_in_overrides


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        ([], []),
        (["seed=1", "target=x"], []),
        (["data=/x.csv"], ["/x.csv"]),
        (['data="/x y.csv"'], ["/x y.csv"]),
        (["data='/x/*.csv'"], ["/x/*.csv"]),
        (["data=[/a.csv, '/b.csv']"], ["/a.csv", "/b.csv"]),
        (["data={train: /a.csv, test: [/b.csv]}"], ["/a.csv", "/b.csv"]),
        (["data.validation=/v.csv", "data.train = [/a.csv]"], ["/a.csv", "/v.csv"]),
        (["data=/a.csv", "data.test=/t.csv"], ["/a.csv", "/t.csv"]),
        (["data=/a.csv", "data=/b.csv"], ["/b.csv"]),
        (["data.format=csv", "data.na_values=[/x]"], []),
        (["data=", "data=3", "data.train={a: /x}", "data.train=[1, {b: /y}]"], []),
        (["data=[/a.csv", "data.test=/t.csv", "="], ["/t.csv"]),
    ],
)
def test_given_paths_are_those_of_the_data_section(overrides: list[str], expected: list[str]) -> None:
    assert paths_in_overrides(overrides) == expected
