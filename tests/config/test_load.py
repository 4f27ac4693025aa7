"""From text and `--set` to a config, and how mistakes are told."""

from __future__ import annotations

from collections import UserString
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from bptrain.config.load import config_from_mapping, config_from_text, load_config, paths_in_overrides
from bptrain.config.nodes import MAX_BYTES
from bptrain.config.schema import Config
from bptrain.config.validation import RENAMED
from bptrain.errors import Problem, UsageError
from bptrain.messages.catalogue import CATALOGUE

SMALL = "data: a.csv\ntarget: y\n"


def problems_of(text: str, overrides: Sequence[str] = ()) -> tuple[Problem, ...]:
    with pytest.raises(UsageError, match="BP1") as caught:
        config_from_text(text, source="c.yaml", overrides=overrides)
    assert all(problem.code in CATALOGUE for problem in caught.value.problems)
    return caught.value.problems


def problem_of(text: str, overrides: Sequence[str] = ()) -> Problem:
    (problem,) = problems_of(text, overrides)
    return problem


def test_load_config_reads_a_file_with_overrides(tmp_path: Path) -> None:
    path = tmp_path / "small.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + SMALL.encode())
    config = load_config(path, overrides=["training.epochs=5"])
    assert config.data.train == ("a.csv",)
    assert config.targets["y"].task == "auto"
    assert config.training.epochs == 5
    assert config.training.batch_size == Config.model_fields["training"].default.batch_size


@pytest.mark.parametrize(
    ("short", "long"),
    [
        ("data: a.csv", "data: {train: [a.csv]}"),
        ("data: [a.csv, b.csv]", "data: {train: [a.csv, b.csv]}"),
        ("data: {train: a, validation: b, test: c}", "data: {train: [a], validation: [b], test: [c]}"),
        ("data: {train: a, na_values: NA}", "data: {train: [a], na_values: [NA]}"),
        ("target: y", "targets: {y: {task: auto}}"),
        ("target: 1", "targets: {'1': {task: auto}}"),
        ("target: {column: y}", "targets: {y: {task: auto}}"),
        ("target: {column: y, loss: mae}", "targets: {y: {task: auto, loss: {kind: mae}}}"),
        ("target: {column: y, positive: no}", "targets: {y: {task: auto, positive: 'no'}}"),
        ("target: {column: y, task: regression}", "targets: {y: {task: regression}}"),
        ("targets: [a, 1]", "targets: {a: {task: auto}, '1': {task: auto}}"),
        ("targets: {a: regression, b: {}}", "targets: {a: {task: regression}, b: {task: auto}}"),
        ("columns: {zip: categorical, '*_id': ignore}", "columns: {zip: {kind: categorical}, '*_id': {kind: ignore}}"),
        ("model: mlp", "model: {kind: mlp}"),
        ("model: {kind: mlp, hidden: [64]}", "model: {kind: mlp, hidden: [64]}"),
        ("split: stratified", "split: {kind: stratified}"),
        ("training: {optimizer: sgd}", "training: {optimizer: {kind: sgd}}"),
        ("training: {optimizer: {learning_rate: 1}}", "training: {optimizer: {kind: adam, learning_rate: 1}}"),
        ("evaluation: {gates: auc >= 0.9}", "evaluation: {gates: ['auc >= 0.9']}"),
    ],
)
def test_short_forms_mean_their_long_forms(short: str, long: str) -> None:
    def complete(text: str) -> str:
        text = text if text.startswith("data") else f"data: x\n{text}"
        return text if "target" in text else f"{text}\ntarget: t"

    assert config_from_text(complete(short)) == config_from_text(complete(long))


@pytest.mark.parametrize(
    ("text", "override", "long"),
    [
        ("", "training.epochs=5", "training: {epochs: 5}"),
        ("training: {epochs: 3, minutes: 1}", "training.epochs=5", "training: {epochs: 5, minutes: 1}"),
        ("training:", "training.epochs=5", "training: {epochs: 5}"),
        ("training: {patience: 3}", "training.patience=", "training: {patience: null}"),
        ("training: {patience: 3}", "training={epochs: 5}", "training: {epochs: 5}"),
        (
            "training: {optimizer: sgd}",
            "training.optimizer.learning_rate=0.1",
            "training: {optimizer: {kind: sgd, learning_rate: 0.1}}",
        ),
        ("training: {optimizer: {kind: sgd, momentum: 0.5}}", "training.optimizer=sgd", "training: {optimizer: sgd}"),
        ("split: stratified", "split.test=0.1", "split: {kind: stratified, test: 0.1}"),
        ("columns: {zip: categorical}", "columns.zip.min_count=1", "columns: {zip: {kind: categorical, min_count: 1}}"),
        ("", 'columns."a.b"=numeric', "columns: {a.b: numeric}"),
        ("", "columns.'a=b'.kind=numeric", "columns: {a=b: numeric}"),
        ("", 'columns."q\\"".kind=numeric', "columns: {'q\"': numeric}"),
        ("", "columns.*_id=ignore", "columns: {'*_id': ignore}"),
        ("", "columns={a b: numeric}", "columns: {a b: numeric}"),
        ("", "evaluation.gates=auc>=0.9", "evaluation: {gates: ['auc>=0.9']}"),
        ("", "evaluation.gates=[auc >= 0.9, f1 >= 0.5]", "evaluation: {gates: ['auc >= 0.9', 'f1 >= 0.5']}"),
        ("model: mlp", "model.hidden=[]", "model: {kind: mlp, hidden: []}"),
    ],
)
def test_overrides_go_before_the_file(text: str, override: str, long: str) -> None:
    assert config_from_text(f"{SMALL}{text}", overrides=[override]) == config_from_text(f"{SMALL}{long}")


@pytest.mark.parametrize(
    ("text", "overrides", "long"),
    [
        (SMALL, ["data=b.csv"], "data: b.csv\ntarget: y"),
        (SMALL, ["data.test=b.csv"], "data: {train: a.csv, test: b.csv}\ntarget: y"),
        (SMALL, ["target=z"], "data: a.csv\ntarget: z"),
        (SMALL, ["target.positive='1'"], "data: a.csv\ntarget: {column: y, positive: '1'}"),
        (SMALL, ["targets.y.task=regression"], "data: a.csv\ntarget: {column: y, task: regression}"),
        (SMALL, ["targets.z=regression"], "data: a.csv\ntargets: {y: auto, z: regression}"),
        (SMALL, ["targets=[u, v]"], "data: a.csv\ntargets: [u, v]"),
        ("data: a\ntargets: [u, v]", ["target=z"], "data: a\ntarget: z"),
        ("data: a\ntargets: [u, v]", ["targets.v.task=binary"], "data: a\ntargets: {u: auto, v: binary}"),
        ("data: [a, b]\ntarget: y", ["data.format=csv"], "data: {train: [a, b], format: csv}\ntarget: y"),
        ("seed: 1", ["data=a", "target=y", "seed=2", "seed=3"], "data: a\ntarget: y\nseed: 3"),
    ],
)
def test_overrides_of_data_and_target_replace_them(text: str, overrides: list[str], long: str) -> None:
    assert config_from_text(text, overrides=overrides) == config_from_text(long)


@pytest.mark.parametrize(
    ("override", "code", "words"),
    [
        ("training.epochs=x", "BP104", "`training.epochs` must be a whole number >= 1 or `auto`; got 'x'"),
        ("training.epoch=5", "BP103", "unknown key `epoch` in `training`"),
        ("training", "BP109", "`training` is not a key and a value"),
        ("=5", "BP109", "is not a key and a value"),
        ("a..b=5", "BP109", "is not a key and a value"),
        (".a=5", "BP109", "is not a key and a value"),
        ('columns."a=5', "BP109", "is not a key and a value"),
        (".".join("a" * 40) + "=1", "BP109", "is not a key and a value"),
        ("seed.x=1", "BP109", "`seed` is not a mapping, so `x` cannot be set in it"),
        ("seed=[1", "BP101", "`,` or `]` is missing"),
        ("seed=*a", "BP102", "YAML alias"),
        ("target.positive=>50K", "BP101", "begins a block of text"),
        ("seed=\udcff", "BP101", "cannot be used in YAML"),
    ],
)
def test_problems_of_overrides_cite_the_override(override: str, code: str, words: str) -> None:
    problem = problem_of(SMALL + "seed: 1\n", [override])
    assert problem.code == code
    assert words in problem.message
    assert problem.where == "--set " + override.replace("\udcff", "\\udcff")
    assert problem.excerpt == ""
    assert problem.hints


def test_the_excerpt_has_a_gutter_carets_and_a_suggestion() -> None:
    text = SMALL + "# \n" * 9 + "training:\n  optimizer:\n    learning_rat: 0.01\n"
    problem = problem_of(text)
    assert problem.code == "BP103"
    assert problem.message == "unknown key `learning_rat` in `training.optimizer`"
    assert problem.where == "c.yaml:14:5"
    assert problem.excerpt == ("14 |     learning_rat: 0.01\n   |     ^^^^^^^^^^^^ did you mean `learning_rate`?")
    assert problem.hints == (
        "keys of `training.optimizer` with `kind: adam`: `kind`, `learning_rate`, `beta_1` and `beta_2`",
    )


@pytest.mark.parametrize(
    ("line", "code", "column", "message", "note"),
    [
        ("epochs: 5", "BP103", 1, "unknown key `epochs` at the top level of the config", "belongs in `training`"),
        (
            "epoch: 5",
            "BP103",
            1,
            "unknown key `epoch` at",
            "did you mean `epochs` in `training`",
        ),
        ("spilt: {}", "BP103", 1, "unknown key `spilt` at", "did you mean `split`?"),
        ("model: {seed: 1}", "BP103", 9, "unknown key `seed` in `model`", "belongs at the top level or in `split`"),
        ("training: {optimizer: {momentum: 0.9}}", "BP103", 24, "unknown key `momentum`", "needs `kind: sgd` or"),
        ("training: {optimizer: {kind: adma}}", "BP105", 30, "unknown kind 'adma' in", "did you mean `adam`?"),
        (
            "training: {optimizer: adams}",
            "BP105",
            23,
            "it must be `auto`, `sgd`, `rmsprop`, `adam`, `adamw`, `nadam`, `adagrad` or `lion`",
            "did you mean `adam`?",
        ),
        ("columns: {a: catgorical}", "BP105", 14, "unknown kind 'catgorical' in `columns.a`", "`categorical`?"),
        ("columns: {a: 3}", "BP105", 14, "unknown kind 3 in `columns.a`", ""),
        ("columns: {a.b: {}}", "BP106", 11, '`columns."a.b"` needs a `kind`: ', ""),
        ("columns: {numeric: {kind: numeric, missing: 1}}", "BP104", 45, "`columns.numeric.missing` must be", ""),
        ("columns: {a: {kind: numeric, numeric: 1}}", "BP103", 30, "unknown key `numeric` in `columns.a`", ""),
        (
            "columns: {<numerc>: {scaling: none}}",
            "BP105",
            11,
            "unknown kind 'numerc' in `columns.<numerc>`",
            "`numeric`?",
        ),
        (
            "columns: {<numeric>: {scalin: none}}",
            "BP103",
            23,
            "unknown key `scalin` in `columns.<numeric>`",
            "`scaling`?",
        ),
        ("columns: {<numeric>: {min_count: 1}}", "BP103", 23, "unknown key `min_count`", "needs `kind: categorical`"),
        ("columns: {<numeric>: robust}", "BP105", 22, "unknown kind 'robust' in `columns.<numeric>`", ""),
        ("columns: {a: {kind: numeric, range: 5}}", "BP104", 37, "must be a list of 2 items (a number or `null`)", ""),
        ("columns: {a: {kind: numeric, range: [2, 1]}}", "BP108", 30, "no number can lie in it", ""),
        ("model: {kind: mpl}", "BP104", 15, "must be `strong`, `ensemble`, `fast` or `mlp`", "did you mean `mlp`?"),
        ("model: {kind: mlp, activation: rellu}", "BP104", 32, "got 'rellu'", "did you mean `relu`?"),
        ("model: {kind: mlp, dropout: 1}", "BP104", 29, "must be a number >= 0 and < 1 or `auto`; got 1", ""),
        ("model: {l2: .nan}", "BP104", 13, "must be a finite number >= 0; got .nan", ""),
        ("model: {kind: mlp, hidden: 64}", "BP104", 28, "must be a list of whole numbers >= 1 or `auto`; got 64", ""),
        ("model: {kind: mlp, hidden: [8, 0]}", "BP104", 32, "`model.hidden[1]` must be a whole number >= 1; got 0", ""),
        (
            "model: []",
            "BP104",
            8,
            "must be a mapping with keys such as `hidden`; got an empty list",
            "",
        ),
        ("training: {batch_size: ten}", "BP104", 24, "must be a whole number >= 1, `all` or `auto`; got 'ten'", ""),
        ("training: {batch_size: {}}", "BP104", 24, "`all` or `auto`; got an empty mapping", ""),
        ("training: {batch_size: 0}", "BP104", 24, "must be a whole number >= 1, `all` or `auto`; got 0", ""),
        ("training: {threads: 300}", "BP104", 21, "must be a whole number from 1 to 256; got 300", ""),
        ("training: {minutes: 0}", "BP104", 21, "must be a number > 0 or `null`; got 0", ""),
        ("training:", "BP104", 1, "`training` must be a mapping with keys such as `optimizer`; got nothing", ""),
        ("training: {epochs: }", "BP104", 12, "got nothing", ""),
        ("training: {epochs: null}", "BP104", 20, "got null", ""),
        ('training: {epochs: "5"}', "BP104", 20, "must be a whole number >= 1 or `auto`; got '5'", ""),
        ("seed: true", "BP104", 7, "must be a whole number >= 0 and < 4294967296; got true", ""),
        ("seed: 1.5", "BP104", 7, "got 1.5", ""),
        ("evaluation: {gates: [1]}", "BP104", 22, "`evaluation.gates[0]` must be text; got 1", ""),
        ("columns: 3", "BP104", 10, "`columns` must be a mapping of names; got 3", ""),
    ],
)
def test_mistakes_are_told_in_our_words(line: str, code: str, column: int, message: str, note: str) -> None:
    problem = problem_of(SMALL + line)
    assert problem.code == code
    assert problem.where == f"c.yaml:3:{column}"
    assert message in problem.message
    shown, carets = problem.excerpt.splitlines()
    assert shown == f"3 | {line}"
    assert carets.index("^") == 3 + column
    assert note in carets
    assert "Input should" not in problem.message


@pytest.mark.parametrize(
    ("text", "code", "where", "message"),
    [
        ("target: y", "BP106", "1:1", "the config needs `data`"),
        ("data: x", "BP106", "1:1", "the config needs a `target`"),
        ("data: {}\ntarget: y", "BP106", "1:1", "`data` needs `train`"),
        ("target: y\ndata: {train: []}", "BP104", "2:15", "`data.train` must be a list of texts with at least 1 item"),
        ("data: x\ntargets: {}", "BP104", "2:10", "`targets` must be a mapping of names with at least 1 entry; got an"),
        ("data: x\ntargets: []", "BP104", "2:10", "`targets` must be a mapping of names with at least 1 entry"),
        ("data: x\ntargets: y", "BP104", "2:10", "`targets` must be a mapping of names with at least 1 entry; got 'y'"),
        ("data: x\ntargets: [a, a]", "BP107", "2:14", "the target `a` is given twice"),
        ("data: x\ntargets: [a, [b]]", "BP104", "2:14", "each of `targets` must be the name of a column"),
        ("data: x\ntarget: y\ntargets: [y]", "BP108", "2:1", "`target` and `targets` are both given"),
        ("data: x\ntarget: [y]", "BP104", "2:9", "`target` is one column"),
        ("data: x\ntarget:", "BP104", "2:1", "`target` must be the name of a column"),
        ("data: x\ntarget: {task: auto}", "BP106", "2:1", "`target` needs `column`"),
        ("data: x\ntarget: {column: {}}", "BP104", "2:18", "`target.column` must be the name of a column"),
        ("data: x\ntarget: {column: y, task: binray}", "BP105", "2:27", "unknown task 'binray' in `target`"),
        (
            "data: x\ntarget: {column: y, positive: []}",
            "BP104",
            "2:31",
            "`target.positive` must be text, a number, `true`",
        ),
        ("data: x\ntargets: {y: {positive: []}}", "BP104", "2:25", "`targets.y.positive` must be text, a number"),
        ("data: {train: x, names: [a]}\ntarget: y", "BP108", "1:1", "`data`: `names` is for files without a header"),
        (
            "data: {train: x, delimiter: ab}\ntarget: y",
            "BP104",
            "1:29",
            "must be text of 1 character or `null`; got 'ab'",
        ),
    ],
)
def test_mistakes_in_data_and_target_are_told(text: str, code: str, where: str, message: str) -> None:
    problem = problem_of(text)
    assert (problem.code, problem.where) == (code, f"c.yaml:{where}")
    assert message in problem.message


@pytest.mark.parametrize(("old", "new"), RENAMED.items())
def test_a_renamed_key_is_told_its_new_name(old: str, new: str) -> None:
    """In the YAML and in `--set`; and the new key exists."""
    section, _, key = old.rpartition(".")
    lines = [f"{'  ' * depth}{name}:" for depth, name in enumerate(old.split("."))]
    for problem in (problem_of(SMALL + "\n".join(lines) + " 1"), problem_of(SMALL, [f"{old}=1"])):
        assert (problem.code, problem.message) == ("BP103", f"unknown key `{key}` in `{section}`")
        assert f"`{key}` is called `{new}` now" in (problem.excerpt or problem.hints[0])
    assert problem_of(SMALL, [f"{section}.{new}={{}}"]).code == "BP104"


def test_an_option_of_another_optimizer_asks_for_its_kind() -> None:
    problem = problem_of("data: x\ntarget: y\ntraining: {optimizer: {momentum: 0.9}}")
    assert problem.message == "unknown key `momentum` in `training.optimizer`"
    assert "needs `kind: sgd`" in problem.excerpt
    assert problem.hints[0] == "the default is `kind: adam`: name the `kind`"


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("training: {restore_best: no}", "write `false`"),
        ('training: {patience: "5"}', "write it without quotes: `5`"),
        ("data: {train: x, na_values: -999}", 'write it in quotes: `"-999"`'),
        ("seed: 1e3", "write `1000`"),
        ("split:", "remove the line to use the default"),
    ],
)
def test_hints_say_how_to_write_it(line: str, hint: str) -> None:
    text = f"{line}\ntarget: y" if line.startswith("data") else SMALL + line
    assert problem_of(text).hints[0] == hint


def test_a_number_is_not_to_be_quoted_where_only_words_of_a_list_are_texts() -> None:
    hints = problem_of(SMALL + "training: {batch_size: -4}").hints
    assert len(hints) == 1
    assert hints[0].startswith("`training.batch_size`: Rows per step")


def test_all_problems_are_told_at_once_and_in_order() -> None:
    text = (
        "target: {column: y, los: mse}\nsplit: {tset: 0.1, test: 2}\n"
        "data: {train: x, names: [a]}\nseed: -1\nmodle: mlp\n"
    )
    found = problems_of(text, ["training.epochs=0", "clean.x=1", "seed.y=1"])
    assert [problem.where for problem in found] == [
        "c.yaml:1:21",
        "c.yaml:2:9",
        "c.yaml:2:26",
        "c.yaml:3:1",
        "c.yaml:4:7",
        "c.yaml:5:1",
        "--set training.epochs=0",
        "--set clean.x=1",
        "--set seed.y=1",
    ]


def test_very_many_problems_are_cut() -> None:
    found = problems_of(SMALL + "".join(f"key{i}: 1\n" for i in range(130)))
    assert len(found) == 100
    assert found[-1].hints[-1] == "30 more problems of the config are not shown"


def test_config_from_mapping_equals_the_same_text() -> None:
    mapping = {
        "data": Path("a.csv"),
        "target": {"column": "y", "positive": True},
        "columns": {1: "numeric"},
        "model": {"kind": "mlp", "hidden": (np.int64(8), 4), "dropout": np.float32(0.5)},
    }
    text = (
        "data: a.csv\ntarget: {column: y, positive: true}\ncolumns: {1: numeric}\n"
        "model: {kind: mlp, hidden: [8, 4], dropout: 0.5}"
    )
    assert config_from_mapping(mapping) == config_from_text(text)
    overridden = config_from_mapping(mapping, overrides=["columns.1=ignore"])
    assert overridden.columns["1"].kind == "ignore"


@pytest.mark.parametrize(
    ("changes", "code", "where", "words"),
    [
        ({"training": {"epochs": 0}}, "BP104", "training.epochs", "got 0"),
        ({"training": {"restore_best": None}}, "BP104", "training.restore_best", "got null"),
        ({"modle": {}}, "BP103", "modle", "unknown key `modle`"),
        ({"seed": np.array([1])}, "BP113", "seed", "type `ndarray`"),
        ({"seed": 1 << 5000}, "BP113", "seed", "type `int`"),
        ({"target": UserString("y")}, "BP113", "target", "type `UserString`"),
        ({"target": "y\udcff"}, "BP113", "target", "not Unicode text"),
        ({"columns": {None: "numeric"}}, "BP113", "columns.None", "a key must be text"),
        ({"columns": {1: "numeric", "1": "numeric"}}, "BP107", "columns.1", "given twice"),
    ],
)
def test_config_from_mapping_names_the_dotted_path(
    changes: dict[str, object], code: str, where: str, words: str
) -> None:
    with pytest.raises(UsageError, match=words) as caught:
        config_from_mapping({"data": "x", "target": "y", **changes})
    (problem,) = caught.value.problems
    assert (problem.code, problem.where) == (code, where)


def test_config_from_mapping_refuses_a_value_that_holds_itself() -> None:
    loop: list[object] = []
    loop.append(loop)
    with pytest.raises(UsageError, match="deeper than 32"):
        config_from_mapping({"data": loop, "target": "y"})


@pytest.mark.parametrize(
    ("name", "code", "words"),
    [
        ("adlut.yaml", "BP100", "no such config file"),
        ("nowhere/adult.yaml", "BP100", "there is no folder"),
        ("adult.yaml/x", "BP100", "there is no folder"),
        ("folder", "BP100", "is a directory"),
        ("a\0b", "BP100", "cannot be read"),
        ("latin.yaml", "BP112", "not UTF-8: byte 0xe4"),
        ("utf16.yaml", "BP112", "not UTF-8: byte 0xff"),
        ("large.yaml", "BP111", "larger than 8 MiB"),
    ],
)
def test_load_config_says_why_a_file_cannot_be_read(tmp_path: Path, name: str, code: str, words: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "adult.yaml").write_text(SMALL)
    (tmp_path / "latin.yaml").write_bytes("data: x\ntarget: ä\n".encode("latin-1"))
    (tmp_path / "utf16.yaml").write_bytes(SMALL.encode("utf-16"))
    (tmp_path / "large.yaml").write_bytes(b"#" * MAX_BYTES + b"\n")
    with pytest.raises(UsageError, match=words) as caught:
        load_config(tmp_path / name)
    (problem,) = caught.value.problems
    assert problem.code == code
    if name == "adlut.yaml":
        assert problem.hints == ("did you mean `adult.yaml`?",)
    if name == "latin.yaml":
        assert problem.where.endswith("latin.yaml:2:9")


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
def test_paths_in_overrides_are_those_of_the_data_section(overrides: list[str], expected: list[str]) -> None:
    assert paths_in_overrides(overrides) == expected
