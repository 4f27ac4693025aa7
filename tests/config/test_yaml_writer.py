"""A config as complete YAML."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from bptrain.config.load import config_from_mapping, config_from_text
from bptrain.config.nodes import parse_yaml, to_python
from bptrain.config.schema import Config
from bptrain.config.yaml_writer import complete_yaml, flow_yaml

ODD = [
    "no",
    "1",
    "1e-3",
    "",
    " ",
    "~",
    "a: b",
    "a #b",
    "- a",
    "'",
    '"',
    "\\",
    "😀",
    "a\nb",
    "\t",
    "\x00",
    "\x85",
    "\u2028",
]
ODD += [
    "*_id",
    "&a",
    "!a",
    "%a",
    "@a",
    "`a",
    "<<",
    "{a}",
    "[a]",
    "a,b",
    "---",
    "...",
    "\ufeff",
    "\ufffe",
    "null",
    "True",
]
ODD += [
    "010",
    "0x1f",
    "2020-01-01",
    "12:30:00",
    "größe",
    "a" * 1500,
    "é" * 400 + '"' * 400,
    "kind",
    "x ",
    "=",
    "?",
    ">50K",
]

texts = st.sampled_from(ODD) | st.text(max_size=12)
fractions = st.floats(0, 0.99)


@st.composite
def configs(draw: st.DrawFn) -> Config:
    column = st.one_of(
        st.builds(
            dict,
            kind=st.just("numeric"),
            indicator=st.booleans(),
            scaling=st.sampled_from(["standard", "none"]),
            range=st.sampled_from([None, (None, 3), (-1.5, None), (0, 1e300)]),
            thousands=st.sampled_from([None, ",", " ", "'"]),
            unit=st.sampled_from([None, "$", "%", "p. a.", "'\""]),
        ),
        st.builds(
            dict, kind=st.just("categorical"), dimension=st.none() | st.integers(1, 99), min_count=st.integers(1)
        ),
        st.just({"kind": "ignore"}),
    )
    label = (
        st.none()
        | texts
        | st.booleans()
        | st.integers(-(10**30), 10**30)
        | st.floats(allow_nan=False, allow_infinity=False)
    )
    target = st.one_of(
        st.builds(dict, task=st.sampled_from(["auto", "binary"]), positive=label),
        st.builds(dict, task=st.sampled_from(["multiclass", "regression"])),
    )
    optimizer = st.one_of(
        st.builds(dict, kind=st.just("sgd"), momentum=fractions),
        st.builds(dict, kind=st.just("adam"), learning_rate=st.floats(1e-300, 1e300)),
    )
    files = st.lists(texts, max_size=3)
    data = st.builds(dict, train=st.lists(texts, min_size=1, max_size=12), test=files, na_values=files, encoding=texts)
    training = st.builds(
        dict, optimizer=optimizer, batch_size=st.integers(1) | st.just("all"), minutes=st.none() | st.floats(1, 9)
    )
    mapping = {
        "data": draw(data),
        "targets": draw(st.dictionaries(texts, target, min_size=1, max_size=3)),
        "columns": draw(st.dictionaries(texts | st.sampled_from(["<numeric>", "<odd>"]), column, max_size=4)),
        "model": {
            "kind": "mlp",
            "hidden": draw(st.lists(st.integers(1, 10**6), max_size=40)),
            "dropout": draw(fractions),
        },
        "training": draw(training),
        "evaluation": {"gates": draw(files)},
    }
    return Config.model_validate(mapping)


@given(configs())
@settings(max_examples=100, deadline=None)
def test_complete_yaml_reads_back_equal(config: Config) -> None:
    text = complete_yaml(config)
    again = config_from_text(text)
    assert again == config
    assert list(again.columns) == list(config.columns)
    assert complete_yaml(again) == text


@pytest.mark.parametrize("name", ODD)
def test_complete_yaml_reads_back_odd_names(name: str) -> None:
    config = config_from_mapping({"data": name, "target": name, "columns": {name: "numeric"}})
    notes = {("columns", name): f"note {name}", ("targets", name): name, ("targets", name, "positive"): "x"}
    assert config_from_text(complete_yaml(config, notes=notes)) == config


@given(
    texts
    | st.booleans()
    | st.none()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
)
@settings(max_examples=150, deadline=None)
def test_scalar_yaml_reads_back_with_its_type(value: object) -> None:
    read = to_python(parse_yaml(flow_yaml(value), source=""))
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize("text", ["no", "on", "y", "Null", "1_000", "12:30:00", "2020-01-01", "=", "<<", "1e3", "0b1"])
def test_scalar_yaml_is_text_for_other_readers_too(text: str) -> None:
    assert yaml.safe_load(flow_yaml(text)) == text


def test_complete_yaml_names_every_key_once_with_its_description() -> None:
    text = complete_yaml(config_from_text("data: a.csv\ntarget: {column: income, task: regression}\n"))
    assert text.endswith("seed: 0\n")
    assert "\r" not in text
    blocks = [block.split("\n") for block in text.rstrip("\n").split("\n\n")]
    assert [next(line for line in block if line[0] not in "# ").split(":")[0] for block in blocks] == list(
        Config.model_fields
    )
    lines = text.splitlines()
    assert max(map(len, lines)) <= 100
    keys = [number for number, line in enumerate(lines) if line and not line.lstrip().startswith("#")]
    uncommented = [lines[number].strip() for number in keys if not lines[number - 1].lstrip().startswith("#")]
    assert uncommented == ["income:"]  # the name of a target has no description of its own


def test_complete_yaml_writes_one_line_per_column_with_its_note() -> None:
    config = config_from_text("data: a.csv\ntarget: y\ncolumns: {age: numeric, '*_id': ignore}\n")
    lines = complete_yaml(config, notes={("columns", "age"): "inferred:\n3 values"}).splitlines()
    start = lines.index("columns:")
    assert lines[start + 1 : start + 3] == [
        r"  age: {kind: numeric, missing: median, fill: 0.0, indicator: true, scaling: auto, clip: none, "
        r"clip_limit: 3.0, bins: auto, periodic: auto, range: null, out_of_range: missing, outliers: keep, "
        r"outlier_rule: quantile, outlier_limit: null, thousands: null, unit: null}  # inferred:\n3 values",
        '  "*_id": {kind: ignore}',
    ]


def test_complete_yaml_writes_notes_behind_other_keys() -> None:
    config = config_from_text("data: a.csv\ntarget: y\n")
    lines = complete_yaml(config, notes={("targets", "y", "task"): "inferred", ("split",): "by time"}).splitlines()
    assert "    task: auto  # inferred" in lines
    assert "split:  # by time" in lines


def test_complete_yaml_breaks_long_lists() -> None:
    config = config_from_mapping({"data": [f"part-{i:04}.parquet" for i in range(20)], "target": "y"})
    assert "\n    - part-0019.parquet\n" in complete_yaml(config)
