"""Wrong configs and tables, as a new user makes them: what is said, where, with which exit code, and what is left."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bptrain.cli.main import run
from bptrain.messages.catalogue import CATALOGUE

ROWS = [
    [f"{(7 * i % 60) / 8:.3f}", ["red", "blue", "grey"][i % 3], "yes" if i % 2 else "no", f"{(11 * i % 60) / 4:.2f}"]
    for i in range(60)
]
HEADER = ["size", "colour", "label", "amount"]
SIMPLE = "data: t.csv\ntarget: label\n"


def table(rows: list[list[str]] = ROWS, header: list[str] = HEADER, *, delimiter: str = ",") -> bytes:
    return "".join(delimiter.join(row) + "\n" for row in [header, *rows]).encode()


def cell(row: int, column: str, text: str) -> list[list[str]]:
    """The rows with one other cell; rows are counted as an editor does, with the header as row 1."""
    rows = [list(cells) for cells in ROWS]
    rows[row - 2][HEADER.index(column)] = text
    return rows


def whole(column: str, text: Callable[[int], str]) -> list[list[str]]:
    """The rows with another column."""
    position = HEADER.index(column)
    return [[*cells[:position], text(i), *cells[position + 1 :]] for i, cells in enumerate(ROWS)]


@dataclass(frozen=True)
class Case:
    """A config and files with one mistake. `place` and `says` must be in what is written to standard error."""

    exit_code: int
    code: str
    place: str
    says: str = ""
    config: str = SIMPLE
    files: Mapping[str, bytes] = field(default_factory=lambda: {"t.csv": table()})
    arguments: tuple[str, ...] = ()
    n_problems: int = 1


def config_case(code: str, place: str, says: str, config: str, **more: object) -> Case:
    return Case(2, code, place, says, SIMPLE + config, **more)  # type: ignore[arg-type]


def table_case(code: str, place: str, says: str, content: bytes, config: str = SIMPLE) -> Case:
    return Case(4, code, place, says, config, {"t.csv": content})


CONFIGS = {
    "unknown key": config_case("BP103", "c.yaml:4:3", "did you mean `epochs`?", "training:\n  epoch: 1\n"),
    "key of another section": config_case("BP103", "c.yaml:3:12", "`training.optimizer`", "training: {momentum: 0.9}"),
    "unknown section": config_case("BP103", "c.yaml:3:1", "did you mean `training`?", "trainin: {epochs: 1}\n"),
    "text for a number": config_case("BP104", "c.yaml:4:11", "got 'ten'", "training:\n  epochs: ten\n"),
    "number out of range": config_case(
        "BP104", "c.yaml:3:20", "a whole number >= 1 or `auto`; got 0", "training: {epochs: 0}\n"
    ),
    "no value": config_case("BP104", "c.yaml:3:1", "remove the line to use the default", "seed:\n"),
    "unknown kind of column": config_case("BP105", "c.yaml:3:17", "did you mean `numeric`?", "columns: {size: number}"),
    "unknown optimizer": config_case(
        "BP105",
        "c.yaml:3:23",
        "`sgd`, `rmsprop`, `adam`, `adamw`, `nadam`, `adagrad` or `lion`",
        "training: {optimizer: lbfgs}",
    ),
    "unknown activation": config_case(
        "BP104", "c.yaml:3:32", "did you mean `relu`?", "model: {kind: mlp, activation: rellu}"
    ),
    "key given twice": config_case("BP107", "c.yaml:4:1", "line 3; keep one of them", "seed: 1\nseed: 2\n"),
    "tab": config_case("BP101", "c.yaml:4:1", "indented with spaces", "training:\n\tepochs: 1\n"),
    "unclosed list": config_case("BP101", "c.yaml:5:5", "closing `]`", "model:\n  hidden: [8, 8\nseed: 1\n"),
    "anchor": config_case("BP102", "c.yaml:3:7", "a config has none", "seed: &seed 1\n"),
    "python object": config_case("BP102", "c.yaml:3:7", "remove the tag", "seed: !!python/name:os.system 1\n"),
    "no target": Case(2, "BP106", "c.yaml:1:1", "add `target: COLUMN`", "data: t.csv\n"),
    "target given twice": Case(2, "BP107", "c.yaml:2:18", "keep one of them", "data: t.csv\ntargets: [label, label]\n"),
    "empty config": Case(2, "BP110", "c.yaml", "the smallest config is two lines", ""),
    "the table as config": Case(2, "BP110", "c.yaml:1:1", "`data:` and `target:`", table().decode()),
    "wrong target": Case(2, "BP154", "c.yaml:2:9", "did you mean `label`?", "data: t.csv\ntarget: labels\n"),
    "wrong target among several": Case(
        2, "BP154", "c.yaml:2:18", "no column `amounts`", "data: t.csv\ntargets: [label, amounts]\n"
    ),
    "wrong column": config_case("BP152", "c.yaml:4:3", "did you mean `size`?", "columns:\n  sizes: numeric\n"),
    "pattern without column": config_case("BP152", "c.yaml:3:11", "`size`, `colour`", "columns: {'*_id': ignore}\n"),
    "target under columns": config_case(
        "BP153", "c.yaml:3:11", "stand under `target`", "columns: {label: categorical}"
    ),
    "not a gate": config_case("BP300", "c.yaml:3:22", "`auc >= 0.9`", "evaluation: {gates: [auc is fine]}\n"),
    "gate with another operator": config_case(
        "BP300", "c.yaml:5:7", ">= <= > <", "evaluation:\n  gates:\n    - auc == 1\n"
    ),
    "gate on another task's metric": config_case(
        "BP301", "c.yaml:3:22", "metrics: `accuracy`", "evaluation: {gates: [rmse < 1]}\n"
    ),
    "gate on unknown metric": config_case(
        "BP301", "c.yaml:3:22", "did you mean `auc`?", "evaluation: {gates: [aucc > 0]}"
    ),
    "gate on unknown target": config_case(
        "BP301", "c.yaml:3:22", "the targets are `label`", "evaluation: {gates: [price.auc > 0]}"
    ),
    "gate on a split without rows": config_case(
        "BP302", "c.yaml:4:22", "judged: `out_of_fold`", "split: {test: 0}\nevaluation: {gates: [auc > 0]}\n"
    ),
    "unknown primary metric": config_case(
        "BP156", "c.yaml:3:23", "did you mean `auc`", "evaluation: {primary: aucc}\n"
    ),
    "wrong positive label": Case(
        2, "BP150", "c.yaml:2:35", "`no` and `yes`", "data: t.csv\ntarget: {column: label, positive: y}\n"
    ),
    "stratified regression": Case(
        2, "BP155", "c.yaml:3:8", "write `split: random`", "data: t.csv\ntarget: amount\nsplit: stratified\n"
    ),
    "loss beside the target": Case(
        2, "BP103", "c.yaml:3:1", "`targets.NAME`", "data: t.csv\ntarget: label\nloss: focal\n"
    ),
    "loss of another task": Case(
        2,
        "BP105",
        "c.yaml:2:50",
        "`mse`, `mae`, `huber`",
        "data: t.csv\ntarget: {column: amount, task: regression, loss: focal}\n",
    ),
    "quantile out of range": Case(
        2,
        "BP104",
        "c.yaml:2:77",
        "a number > 0 and < 1; got 1.5",
        "data: t.csv\ntarget: {column: amount, task: regression, loss: {kind: quantile, quantile: 1.5}}\n",
    ),
    "weight of a class that is not there": Case(
        2,
        "BP167",
        "c.yaml:2:54",
        "did you mean `yes`?",
        "data: t.csv\ntarget: {column: label, task: binary, class_weights: {yess: 2}}\n",
    ),
    "weights of classes that are no mapping": Case(
        2,
        "BP104",
        "c.yaml:2:54",
        "`none`, `balanced` or a mapping",
        "data: t.csv\ntarget: {column: label, task: binary, class_weights: some}\n",
    ),
    "two clips": config_case("BP108", "c.yaml:3:1", "keep one of them", "training: {clip_norm: 1, clip_value: 1}\n"),
    "all rows in a batch, but not in memory": Case(
        2,
        "BP108",
        "c.yaml:1:1",
        "remove one of the two",
        "data: {train: t.csv, residence: stream}\ntarget: y\ntraining: {batch_size: all}\n",
    ),
    "unknown schedule": config_case("BP105", "c.yaml:3:22", "did you mean `cosine`?", "training: {schedule: cosin}\n"),
    "unknown initializer": config_case(
        "BP104", "c.yaml:3:22", "did you mean `he_normal`?", "model: {initializer: henormal}\n"
    ),
    "defaults of an unknown kind": config_case(
        "BP105", "c.yaml:3:11", "did you mean `numeric`?", "columns: {<numerc>: {scaling: robust}}\n"
    ),
    "defaults of a kind without brackets": config_case(
        "BP152", "c.yaml:3:11", '`"<numeric>": {…}`', "columns: {numeric: {kind: numeric, scaling: robust}}\n"
    ),
    "options without a kind": config_case(
        "BP106", "c.yaml:3:11", "for instance `kind: numeric`", "columns: {size: {range: [0, 9]}}\n"
    ),
    "one number for a range": config_case(
        "BP104", "c.yaml:3:40", "got a list of 1 item", "columns: {size: {kind: numeric, range: [0]}}\n"
    ),
    "column of a split without its kind": config_case(
        "BP165", "c.yaml:3:17", "split: {kind: group, column: colour}", "split: {column: colour}\n"
    ),
    "weights of labels that are none": Case(
        2,
        "BP167",
        "c.yaml:2:",
        "names the label `nein`",
        "data: t.csv\ntarget: {column: label, task: binary, class_weights: {ja: 2, nein: 1, yes: 3}}\n",
        n_problems=2,
    ),
    "unknown scaling": config_case(
        "BP104", "c.yaml:3:42", "did you mean `robust`?", "columns: {size: {kind: numeric, scaling: robuste}}\n"
    ),
    "range with the numbers swapped": config_case(
        "BP108", "c.yaml:3:33", "write the lowest value first", "columns: {size: {kind: numeric, range: [9, 0]}}\n"
    ),
    "one mark for thousands and decimals": config_case(
        "BP250", "c.yaml:3:", "data.decimal", "columns: {size: {kind: numeric, thousands: '.'}}\n"
    ),
    "ordinal without an order": config_case("BP106", "c.yaml:3:11", "`order`", "columns: {colour: ordinal}\n"),
    "one fold": config_case("BP104", "c.yaml:3:16", "a whole number >= 2", "split: {folds: 1}\n"),
    "split by no column": config_case("BP164", "c.yaml:3:8", "column: NAME", "split: group\n"),
    "split by an unknown column": config_case(
        "BP163", "c.yaml:3:30", "did you mean `colour`?", "split: {kind: group, column: color}\n"
    ),
    "two roles for the split": config_case(
        "BP161", "", "`split: group` or `split: time`", "columns: {colour: group, size: time}\n"
    ),
    "two weights": config_case("BP180", "c.yaml:3:", "keep one", "columns: {size: weight, amount: weight}\n"),
    "unknown encoding": Case(
        2, "BP222", "c.yaml:1:32", "usual ones are utf-8", "data: {train: t.csv, encoding: klingon}\ntarget: label\n"
    ),
    "loss of numbers for labels": Case(
        2,
        "BP105",
        "c.yaml:2:45",
        "`mae` needs `task: regression`",
        "data: t.csv\ntarget: {column: label, task: binary, loss: mae}\n",
    ),
    "loss that the values do not have": Case(
        2,
        "BP168",
        "c.yaml:2:18",
        "losses of binary: `cross_entropy`, `mse` and `focal`",
        "data: t.csv\ntarget: {column: label, loss: mae}\n",
    ),
    "options of two tasks": Case(
        2,
        "BP168",
        "c.yaml:2:18",
        "`threshold` (binary) and `loss: mae` (regression)",
        "data: t.csv\ntarget: {column: label, threshold: 0.3, loss: mae}\n",
    ),
    "labels or amounts": Case(
        2,
        "BP151",
        "c.yaml:2:9",
        "task: multiclass",
        "data: t.csv\ntarget: amount\n",
        {"t.csv": table(whole("amount", lambda i: str(i % 3)))},
    ),
}
OVERRIDES = {
    "no equals sign": ("training.epochs", "BP109", "for instance `--set training.epochs=5`"),
    "no key": ("=5", "BP109", "write `--set KEY.KEY=VALUE`"),
    "unknown key": ("training.epoch=5", "BP103", "did you mean `epochs`?"),
    "wrong value": ("training.epochs=many", "BP104", "got 'many'"),
    "below a value": ("seed.of=5", "BP104", "a whole number"),
    "not YAML": ("model.hidden=[8", "BP101", "closing `]`"),
    "wrong target": ("target=labels", "BP154", "did you mean `label`?"),
    "missing file": ("data=tt.csv", "BP202", "did you mean `t.csv`?"),
}
TABLES = {
    "ragged row": table_case("BP213", "t.csv", "row 5 has 5", table(cell(5, "colour", "red,dark"))),
    "repeated column": table_case("BP215", "t.csv: row 1", "`size`", table(ROWS, ["size", "size", "label", "amount"])),
    "unnamed column": table_case(
        "BP216", "t.csv: row 1", "index=False", table(ROWS, ["", "colour", "label", "amount"])
    ),
    "semicolons": table_case("BP218", "t.csv: row 1", 'set `data.delimiter: ";"`', table(delimiter=";")),
    "Latin-1": table_case(
        "BP211", "t.csv: line 9", "data.encoding: latin-1", table(cell(9, "colour", "grün")).decode().encode("latin-1")
    ),
    "empty file": table_case("BP210", "t.csv", "the file is empty", b""),
    "header only": table_case("BP210", "t.csv", "no rows", table([])),
    "Parquet named .csv": table_case("BP208", "t.csv", "a Parquet file", b"PAR1" + bytes(100)),
    "text among numbers": table_case(
        "BP240", "t.csv: row 4", "add them to `data.na_values`", table(cell(4, "size", "n/a"))
    ),
    "text in a numeric column": table_case(
        "BP242", "t.csv: row ", "columns: {colour: categorical}", table(), SIMPLE + "columns: {colour: numeric}\n"
    ),
    "infinite cell": table_case(
        "BP242", "t.csv: row", "'inf'", table(whole("size", lambda i: ["1", "2.5", "inf"][i % 3]))
    ),
    "cell beyond 32 bits": table_case(
        "BP242", "t.csv: row", "within ±3.4e38", table(whole("size", lambda i: ["1", "2.5", "1e300"][i % 3]))
    ),
    "numeric column without cells": table_case(
        "BP241",
        "c.yaml:3:11",
        "columns: {size: ignore}",
        table(whole("size", lambda i: "")),
        SIMPLE + "columns: {size: numeric}",
    ),
    "missing target cells": table_case("BP260", "t.csv: row 7", "missing_target: drop", table(cell(7, "label", ""))),
    "one label": table_case("BP261", "c.yaml:2:9", "the one value `yes`", table(whole("label", lambda i: "yes"))),
    "one label declared binary": table_case(
        "BP262",
        "c.yaml:2:18",
        "1 label(s): `yes`",
        table(whole("label", lambda i: "yes")),
        "data: t.csv\ntarget: {column: label, task: binary}\n",
    ),
    "three labels declared binary": table_case(
        "BP262",
        "c.yaml:2:18",
        "task: multiclass",
        table(cell(7, "label", "maybe")),
        "data: t.csv\ntarget: {column: label, task: binary}\n",
    ),
    "constant amount": table_case(
        "BP263",
        "c.yaml:2:18",
        "the same value 3",
        table(whole("amount", lambda i: "3")),
        "data: t.csv\ntarget: {column: amount, task: regression}\n",
    ),
    "labels declared amounts": table_case(
        "BP265", "t.csv: row 2", "'no' (row 2)", table(), "data: t.csv\ntarget: {column: label, task: regression}\n"
    ),
    "label of one row": table_case("BP267", "rarest label `maybe`", "split: random", table(cell(7, "label", "maybe"))),
    "too few rows": table_case(
        "BP266",
        "validation rows",
        "split: {validation: 0}",
        table(ROWS[:2]),
        "data: t.csv\ntarget: {column: amount, task: regression}\n",
    ),
    "time that is none": table_case(
        "BP274", "t.csv: row 2", "write dates as 2024-05-31", table(), SIMPLE + "split: {kind: time, column: colour}\n"
    ),
    "part that is none": table_case(
        "BP278", "c.yaml:3:31", "train, validation or test", table(), SIMPLE + "split: {kind: column, column: colour}\n"
    ),
    "missing group": table_case(
        "BP273",
        "t.csv: row 5",
        "fill them in",
        table(cell(5, "colour", "")),
        SIMPLE + "split: {kind: group, column: colour}\n",
    ),
    "one group": table_case(
        "BP275",
        "",
        "rows of more groups",
        table(whole("colour", lambda i: "red")),
        SIMPLE + "split: {kind: group, column: colour}\n",
    ),
    "negative weight": table_case(
        "BP305", "t.csv: row 4", "'-1' (row 4)", table(cell(4, "amount", "-1")), SIMPLE + "columns: {amount: weight}\n"
    ),
    "cell out of its range": table_case(
        "BP254",
        "t.csv: row",
        "out_of_range: missing",
        table(),
        SIMPLE + "columns: {amount: {kind: numeric, range: [0, 1], out_of_range: error}}\n",
    ),
    "negative count": table_case(
        "BP290",
        "t.csv: row 3",
        "'-2' (row 3)",
        table(cell(3, "amount", "-2")),
        "data: t.csv\ntarget: {column: amount, task: regression, loss: poisson}\n",
    ),
    "label outside the order": table_case(
        "BP255",
        "t.csv: row",
        "`order`",
        table(),
        SIMPLE + "columns: {colour: {kind: ordinal, order: [red, blue]}}\n",
    ),
    "text in a date": table_case("BP255", "t.csv: row ", "kind: date", table(), SIMPLE + "columns: {colour: date}\n"),
    "text in a boolean": table_case(
        "BP255", "t.csv: row ", "true_values", table(), SIMPLE + "columns: {colour: boolean}\n"
    ),
    "all columns ignored": table_case(
        "BP247", "c.yaml:3:10", "`numeric` or `categorical`", table(), SIMPLE + "columns: {'*': ignore}\n"
    ),
    "nothing but the target": table_case(
        "BP247", "no column", "besides the target", table([[row[2]] for row in ROWS], ["label"])
    ),
    "missing file": Case(4, "BP202", "c.yaml:1:7", "did you mean `t.csv`?", "data: tt.csv\ntarget: label\n"),
    "missing folder": Case(4, "BP202", "c.yaml:1:7", "is missing or empty", "data: tables/t.csv\ntarget: label\n"),
    "pattern without file": Case(4, "BP202", "c.yaml:1:7", "no file matches", "data: ['*.parquet']\ntarget: label\n"),
    "a folder": Case(4, "BP203", "c.yaml:1:7", "'d/*.csv'", "data: d\ntarget: label\n", {"d/t.csv": table()}),
    "an address": Case(
        4, "BP201", "c.yaml:1:7", "download the file", "data: https://example.org/t.csv\ntarget: label\n"
    ),
    "outside by ..": Case(4, "BP200", "c.yaml:1:7", "pass `--root DIR`", "data: ../t.csv\ntarget: label\n"),
    "format not clear": Case(
        4, "BP208", "t.txt", "set `data.format`", "data: t.txt\ntarget: label\n", {"t.txt": table()}
    ),
    "test file with another label": Case(
        4,
        "BP264",
        "e.csv: row 7",
        "the model knows `no`, `yes`",
        "data: {train: t.csv, test: e.csv}\ntarget: label\n",
        {"t.csv": table(), "e.csv": table(cell(7, "label", "maybe"))},
    ),
    "test file with other columns": Case(
        4,
        "BP228",
        "e.csv",
        "is `sizes` meant to be `size`?",
        "data: {train: t.csv, test: e.csv}\ntarget: label\n",
        {"t.csv": table(), "e.csv": table(ROWS, ["sizes", *HEADER[1:]])},
    ),
    "test file with text among numbers": Case(
        4,
        "BP242",
        "e.csv: row 3",
        "'big' (row 3)",
        "data: {train: t.csv, test: e.csv}\ntarget: label\n",
        {"t.csv": table(), "e.csv": table(cell(3, "size", "big"))},
    ),
}
CASES = {
    **{f"config: {name}": case for name, case in CONFIGS.items()},
    **{
        f"--set: {name}": Case(4 if code == "BP202" else 2, code, f"--set {text}", says, arguments=("--set", text))
        for name, (text, code, says) in OVERRIDES.items()
    },
    **{f"table: {name}": case for name, case in TABLES.items()},
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory of a test; it lies in a folder of its own, so that `..` leads somewhere."""
    inside = tmp_path / "inside"
    inside.mkdir()
    monkeypatch.chdir(inside)
    return inside


def write(folder: Path, config: str, files: Mapping[str, bytes]) -> None:
    for name, content in {**files, "c.yaml": config.encode()}.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(content)


def everything(folder: Path) -> dict[str, bytes | None]:
    """Every file with its content, and every folder."""
    return {str(path): path.read_bytes() if path.is_file() else None for path in folder.parent.rglob("*")}


def require_message(error: str, *, code: str, n_problems: int = 1) -> None:
    """The form of every message: its code, and a line or a note behind the carets that says what to do."""
    assert "Traceback" not in error
    assert re.findall(r"^error\[(BP\d{3})\]: \S", error, re.MULTILINE) == [code] * n_problems, error
    assert len(re.findall(r"^  = \S|\^ \S", error, re.MULTILINE)) >= n_problems, error
    assert all(len(line) <= 400 for line in error.splitlines()), error


@pytest.mark.parametrize("command", ["check", "fit"])
@pytest.mark.parametrize("name", CASES)
def test_wrong_input_is_explained_and_leaves_nothing(
    name: str, command: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    case = CASES[name]
    write(folder, case.config, case.files)
    before = everything(folder)
    assert run([command, "c.yaml", *case.arguments]) == case.exit_code
    output, error = capsys.readouterr()
    require_message(error, code=case.code, n_problems=case.n_problems)
    assert case.place in error, error
    assert case.says in error, error
    assert output == ""
    assert everything(folder) == before


def test_wrong_input_has_many_cases_and_each_code_is_explained() -> None:
    assert len(CASES) >= 100
    assert {case.code for case in CASES.values()} <= set(CATALOGUE)


@pytest.mark.parametrize("command", ["check", "fit"])
def test_symlink_out_of_the_root_is_refused(command: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder.parent / "outside.csv").write_bytes(table())
    (folder / "t.csv").symlink_to("../outside.csv")
    write(folder, SIMPLE, {})
    assert run([command, "c.yaml"]) == 4
    error = capsys.readouterr().err
    require_message(error, code="BP200")
    assert "'t.csv' leads to " in error
    assert "outside.csv" in error
    assert "c.yaml:1:7" in error


def test_path_on_the_command_line_may_lie_outside(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder.parent / "outside.csv").write_bytes(table())
    write(folder, SIMPLE, {})
    assert run(["check", "c.yaml", "--set", "data=../outside.csv"]) == 0
    assert run(["check", "c.yaml", "--set", "data.train=../outside.csv"]) == 0
    assert run(["check", "c.yaml", "--root", "..", "--set", "data=outside.csv"]) == 0
    (folder / "below").mkdir()
    assert run(["check", "c.yaml", "--root", "below", "--set", "data=../../outside.csv"]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("cc.yaml", "did you mean `c.yaml`?"),
        ("configs/c.yaml", "starts from the working directory"),
        (".", "give the YAML file itself"),
    ],
)
@pytest.mark.parametrize("command", ["check", "fit"])
def test_wrong_path_of_the_config(
    command: str, path: str, says: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(folder, SIMPLE, {})
    assert run([command, path]) == 2
    error = capsys.readouterr().err
    require_message(error, code="BP100")
    assert f"--> {path}" in error
    assert says in error


def test_all_mistakes_of_a_config_are_shown_at_once_in_order(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = (
        "data: t.csv\ntarget: label\nseed: -1\ntraining:\n  epochs: ten\n  optimizer: {kind: adam, momentum: 0.9}\n"
    )
    write(folder, config + "modle: {hidden: [8]}\n", {"t.csv": table()})
    assert run(["check", "c.yaml", "--set", "split.test=2"]) == 2
    error = capsys.readouterr().err
    places = re.findall(r"^  --> (.+)", error, re.MULTILINE)
    assert places == ["c.yaml:3:7", "c.yaml:5:11", "c.yaml:6:27", "c.yaml:7:1", "--set split.test=2"]
    assert re.findall(r"BP\d{3}", error) == ["BP104", "BP104", "BP103", "BP103", "BP104"]
    assert error.endswith("5 problems\n")


def test_all_wrong_names_are_shown_at_once(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(folder, "data: t.csv\ntarget: labels\ncolumns: {sizes: numeric, 'x*': ignore}\n", {"t.csv": table()})
    assert run(["check", "c.yaml"]) == 2
    error = capsys.readouterr().err
    assert re.findall(r"^  --> (.+)", error, re.MULTILINE) == ["c.yaml:2:9", "c.yaml:3:11", "c.yaml:3:27"]
    assert re.findall(r"BP\d{3}", error) == ["BP154", "BP152", "BP152"]


def test_all_wrong_gates_are_shown_at_once(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    gates = "evaluation: {gates: [auc is fine, auc > 0, 90% accuracy]}\n"
    write(folder, SIMPLE + gates, {"t.csv": table()})
    assert run(["fit", "c.yaml", "--gate", "nonsense"]) == 2
    error = capsys.readouterr().err
    require_message(error, code="BP300", n_problems=3)
    assert re.findall(r"^  --> (.+)", error, re.MULTILINE) == ["c.yaml:3:22", "c.yaml:3:44"]


@pytest.mark.parametrize("command", ["check", "fit"])
def test_all_wrong_cells_are_shown_at_once(command: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [["1" if i else "inf", "2" if i else "-inf", *row[2:]] for i, row in enumerate(ROWS)]
    config = "data: {train: t.csv, test: e.csv}\ntarget: label\ncolumns: {size: numeric, colour: numeric}\n"
    write(folder, config + "split: {validation: 0}\n", {"t.csv": table(rows), "e.csv": table(rows)})
    assert run([command, "c.yaml"]) == 4
    error = capsys.readouterr().err
    require_message(error, code="BP242", n_problems=2)
    assert "column `size`" in error
    assert "column `colour`" in error


def test_mistakes_in_a_mapping_name_its_key(folder: Path) -> None:
    import bptrain

    write(folder, "", {"t.csv": table()})
    with pytest.raises(bptrain.BptrainError, match="no column fits") as caught:
        bptrain.fit({"data": "t.csv", "target": "label", "columns": {"sizes": "numeric"}})
    assert caught.value.problems[0].where == "columns.sizes"


def test_values_from_the_table_are_escaped(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = {"t.csv": table(cell(8, "size", "\x1b[31mred\u202e"))}
    write(folder, SIMPLE, files)
    assert run(["check", "c.yaml"]) == 4
    error = capsys.readouterr().err
    assert r"\x1b[31mred\u202e" in error
    assert "\x1b" not in error


def test_existing_run_is_not_replaced(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(folder, SIMPLE, {"t.csv": table(), "mine/notes.txt": b"keep me"})
    before = everything(folder)
    assert run(["fit", "c.yaml", "--run", "mine"]) == 2
    error = capsys.readouterr().err
    require_message(error, code="BP511")
    assert "--> mine" in error
    assert everything(folder) == before


TINY = SIMPLE + "model: {kind: mlp, hidden: [4]}\ntraining: {epochs: 2, batch_size: 16}\n"


def test_failed_gate_ends_with_3_and_the_run_is_published(
    backend: None, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(folder, TINY + "evaluation: {gates: [auc > 1, accuracy >= 0]}\n", {"t.csv": table()})
    assert run(["fit", "c.yaml", "--quiet"]) == 3
    output, error = capsys.readouterr()
    require_message(error, code="BP303")
    assert "`auc > 1`" in error
    assert "gate FAILED: auc > 1" in output
    assert "gate passed: accuracy >= 0" in output
    assert sorted(os.listdir("runs")) == ["c-0001", "latest"]
    gates = json.loads(Path("runs/c-0001/metrics.json").read_bytes())["gates"]
    assert [gate["passed"] for gate in gates] == [False, True]


@pytest.mark.parametrize(
    ("target", "primary", "rate"),
    [("label", "auc", "1e30"), ("label", "auc", "1e38"), ("colour", "auc", "1e30"), ("amount", "mae", "1e38")],
)
def test_diverged_training_ends_with_6_and_is_not_the_latest(
    backend: None, target: str, primary: str, rate: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(folder, TINY, {"t.csv": table()})
    optimizer = f"training.optimizer={{kind: sgd, learning_rate: {rate}}}"
    changes = [
        optimizer,
        f"target={target}",
        f"evaluation.primary={primary}",
        "evaluation.gates=['train." + primary + " < 1']",
    ]
    assert run(["fit", "c.yaml", "--quiet", *(text for change in changes for text in ("--set", change))]) == 6
    error = capsys.readouterr().err
    require_message(error, code="BP600")
    assert "--> runs/c-0001" in error
    assert "learning_rate" in error
    assert os.listdir("runs") == ["c-0001"]
    assert json.loads(Path("runs/c-0001/metrics.json").read_bytes())["status"] == "diverged"
    assert run(["inspect", "runs/c-0001"]) == 0
    assert run(["evaluate"]) == 2
    require_message(capsys.readouterr().err, code="BP514")
