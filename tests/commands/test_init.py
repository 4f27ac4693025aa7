"""`bptrain init`: what it says of the shipped tables, and that `fit` takes its config as it is."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
import tables
from first_configs import COLOURS, LABELS, SIZES, N, proposed, with_cells, write
from right_kinds import FILES, RIGHT_KINDS, TARGETS

from bptrain import fit
from bptrain.cli.main import run
from bptrain.config.load import config_from_text, load_config
from bptrain.config.schema import Config
from bptrain.data.files import AllowedPaths
from bptrain.data.options import SplitOptions
from bptrain.errors import DataError
from bptrain.features import kinds
from bptrain.targets.metrics import METRICS
from bptrain.workflows.check import check
from bptrain.workflows.init import init

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


# The shipped tables


def checked(text: str) -> tuple[Config, dict[str, str]]:
    settled, found, _ = check(config_from_text(text), AllowedPaths.create(ROOT))
    return settled, {name: options.kind for name, options in found.options.items()}


def table_config(name: str) -> str:
    train, *test = FILES[name]
    return init((train,), test=tuple(test), target=TARGETS[name][0], root=ROOT).text


@pytest.mark.parametrize("name", TARGETS)
def test_kinds_are_right(name: str) -> None:
    settled, found = checked(table_config(name))
    column, task = TARGETS[name]
    assert settled.targets[column].task == task
    right = RIGHT_KINDS[name]
    assert set(found) == set(right)
    wrong = {column: kind for column, kind in found.items() if kind not in right[column]}
    assert len(wrong) <= 0.05 * len(right), wrong


@pytest.mark.slow
@pytest.mark.parametrize("name", TARGETS)
def test_config_fits_unedited_and_beats_the_trivial_baseline(name: str, tmp_path: Path, backend: None) -> None:
    (tmp_path / "c.yaml").write_text(table_config(name), encoding="utf-8")
    short = ["training.epochs=3", "model.networks=1"]
    made = fit(tmp_path / "c.yaml", overrides=short, run=tmp_path / "run", root=ROOT)
    assert made.metrics["status"] == "completed"
    judged = made.metrics["targets"][TARGETS[name][0]]["splits"]["test"]
    primary = made.metrics["primary"]
    value, trivial = judged["metrics"][primary]["value"], judged["baselines"]["trivial"][primary]
    assert value > trivial if METRICS[primary].higher_is_better else value < trivial


def test_adult_says_what_was_seen() -> None:
    text = table_config("adult")
    assert "# `?` means missing in workclass (" in text
    config = config_from_text(text)
    assert config.data.na_values == ("", "?")
    assert config.data.test == (FILES["adult"][1],)
    assert config.targets["income"].positive == ">50K"  # type: ignore[union-attr]
    assert config.split.kind == "stratified"


def test_hotel_names_the_splits_by_time_and_group() -> None:
    text = table_config("hotel")
    assert "# split: {kind: time, column: arrival_date}" in text
    assert "# split: {kind: group, column: agent}" in text
    assert "`not_applicable` stays a label in agent (3443) and company (14012)" in text
    assert config_from_text(text).split.kind == "random"


@pytest.mark.parametrize("path", sorted((ROOT / "configs").glob("*.yaml")), ids=lambda path: path.stem)
def test_shipped_configs_have_no_problem(path: Path) -> None:
    assert run(["check", str(path), "--root", str(ROOT)]) == 0


# Rows that can hardly be divided


def test_few_rows_all_train(backend: None, tmp_path: Path) -> None:
    text, config = proposed({"size": [1, 2, 3], "kind": ["a", "b", "a"], "y": [0.5, 0.7, 0.1]})
    assert (config.split.test, config.split.validation) == (0, 0)
    assert "3 rows are too few to set some apart" in text
    Path("c.yaml").write_text(text, encoding="utf-8")
    made = fit("c.yaml", overrides=["training.epochs=1"], run=tmp_path / "run")
    assert list(made.metrics["targets"]["y"]["splits"]) == ["train"]


@pytest.mark.slow
@pytest.mark.parametrize("task", tables.TASKS)
def test_config_of_a_table_with_gaps_fits(task: str, backend: None, tmp_path: Path) -> None:
    tables.write(tables.make_table(), Path("t.csv"))
    Path("c.yaml").write_text(init(("t.csv",), target=task).text, encoding="utf-8")
    made = fit("c.yaml", overrides=["training.epochs=1", "model.hidden=[4]"], run=tmp_path / "run")
    assert made.metrics["targets"][task]["task"] == tables.TASKS[task]


def test_a_label_of_one_row_says_why_no_rows_are_set_apart() -> None:
    text, config = proposed({"size": SIZES, "y": ["fraud", *["fine"] * (N - 1)]})
    assert (config.split.test, config.split.validation) == (0, 0)
    why = "rows of the rarest label are too few to set some apart: each network judges the rows that it leaves out"
    assert why in text.replace("\n#", "")
    with pytest.raises(DataError) as raised:
        check(config.model_copy(update={"split": SplitOptions()}), AllowedPaths.create())
    (problem,) = raised.value.problems
    assert problem.code == "BP267"
    assert "rare_class" not in " ".join(problem.hints)  # one label would be left


def test_a_test_file_judges_where_no_rows_are_set_apart() -> None:
    write({"size": SIZES[:45], "y": ["fraud", *["fine"] * 44]}, name="train.csv")
    write({"size": SIZES[:60], "y": ["fine"] * 60}, name="test.csv")
    text = init(("train.csv",), test=("test.csv",), target="y").text
    assert "too few to set some apart: the test file judges" in text.replace("\n#", "")


def test_two_labels_of_which_one_has_a_single_row_all_train() -> None:
    config = proposed({"size": SIZES, "y": with_cells(["no"] * N, {4: "yes"})})[1]
    assert (config.split.test, config.split.validation) == (0, 0)


def test_check_gives_the_kinds_that_the_config_lists() -> None:
    tables.write(tables.make_table(), Path("t.csv"))
    text = init(("t.csv",), target="label").text
    found = check(config_from_text(text), AllowedPaths.create())[1].options
    for kind in kinds.KINDS:
        listed = re.search(rf"^# {kind} \(\d+\): (.*)$", text, re.MULTILINE)
        names = {name for name, options in found.items() if options.kind == kind}
        assert (set(listed[1].split(", ")) if listed else set()) == names


# The command


def test_config_is_printed_or_written(capsys: pytest.CaptureFixture[str]) -> None:
    write({"size": SIZES, "y": LABELS}, "my table.csv")
    assert run(["init", "my table.csv", "--target", "y"]) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    assert printed.out.startswith("# Written by: bptrain init 'my table.csv' --target y -o 'my table.yaml'\n")
    assert os.listdir() == ["my table.csv"]
    assert run(["init", "my table.csv", "--target", "y", "-o", "c.yaml"]) == 0
    assert capsys.readouterr().out == "wrote c.yaml; go on with: bptrain fit c.yaml\n"
    assert Path("c.yaml").read_text(encoding="utf-8").splitlines()[5:] == printed.out.splitlines()[5:]
    assert load_config(Path("c.yaml")).data.train == ("my table.csv",)
    assert run(["check", "c.yaml"]) == 0


def test_an_existing_config_is_kept_unless_told(capsys: pytest.CaptureFixture[str]) -> None:
    write({"size": SIZES, "y": LABELS})
    Path("c.yaml").write_text("precious")
    assert run(["init", "t.csv", "--target", "y", "-o", "c.yaml"]) == 2
    assert "BP158" in capsys.readouterr().err
    assert Path("c.yaml").read_text() == "precious"
    assert run(["init", "t.csv", "--target", "y", "-o", "c.yaml", "--force"]) == 0
    assert load_config(Path("c.yaml"))


def test_a_file_outside_the_working_directory_goes_with_its_root(capsys: pytest.CaptureFixture[str]) -> None:
    write({"size": SIZES, "y": LABELS})
    (Path.cwd() / "below").mkdir()
    os.chdir("below")
    assert run(["init", str(Path("..").resolve() / "t.csv"), "--target", "y", "-o", "c.yaml"]) == 0
    command = capsys.readouterr().out.partition("go on with: bptrain fit ")[2].split()
    assert run(["check", *command]) == 0


@pytest.mark.parametrize(
    ("arguments", "exit_code", "says"),
    [
        (["t.csv"], 2, ["BP171", "`--target y`", "`size`, `colour` and `y`"]),
        (["t.csv", "--target", "Y"], 2, ["BP172", "did you mean `y`?"]),
        (["t.csv", "--target", "y", "-o", "no/c.yaml"], 2, ["BP160", "mkdir -p no"]),
        (["u.csv", "--target", "y"], 4, ["BP202", "did you mean `t.csv`"]),
        (["empty.csv", "--target", "y"], 4, ["BP210"]),
        (["norows.csv", "--target", "y"], 4, ["BP210"]),
        (["twice.csv", "--target", "y"], 4, ["BP215", "`a`"]),
        (["one.csv", "--target", "y"], 4, ["BP247"]),
        (["constant.csv", "--target", "y"], 4, ["BP261"]),
        (["ragged.csv", "--target", "y"], 4, ["row 3"]),
        ([], 2, ["Missing argument"]),
    ],
)
def test_what_cannot_be_used_is_said_as_by_check(
    arguments: list[str], exit_code: int, says: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    write({"size": SIZES, "colour": COLOURS, "y": LABELS})
    write({"y": LABELS}, "one.csv")
    write({"size": SIZES, "y": ["1"] * N}, "constant.csv")
    Path("empty.csv").touch()
    Path("norows.csv").write_text("a,y\n")
    Path("twice.csv").write_text("a,a,y\n1,2,3\n")
    Path("ragged.csv").write_text("a,y\n1,2\n1,2,3\n")
    before = set(os.listdir())
    assert run(["init", *arguments]) == exit_code
    output, error = capsys.readouterr()
    assert output == ""
    assert "Traceback" not in error
    for text in says:
        assert text in error
    assert set(os.listdir()) == before


def test_problems_of_the_table_are_those_of_check(capsys: pytest.CaptureFixture[str]) -> None:
    Path("twice.csv").write_text("a,a,y\n1,2,3\n")
    Path("c.yaml").write_text("data: twice.csv\ntarget: y\n")
    assert run(["init", "twice.csv", "--target", "y"]) == run(["check", "c.yaml"]) == 4
    first, second = capsys.readouterr().err.split("error[BP215]")[1:]
    assert first == second
