"""`bptrain init`: what it sees in a table, and that `fit` takes its config as it is."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow as pa
import pytest
import tables
from right_kinds import FILES, RIGHT_KINDS, TARGETS

from bptrain import fit
from bptrain.cli.main import run
from bptrain.config.load import config_from_text, load_config
from bptrain.config.schema import Config
from bptrain.data.files import AllowedPaths
from bptrain.data.options import SplitOptions
from bptrain.errors import BptrainError, DataError
from bptrain.features import kinds
from bptrain.scaffold.target import guess_target
from bptrain.targets.metrics import METRICS
from bptrain.workflows.check import check
from bptrain.workflows.init import Request, first_config

ROOT = Path(__file__).parents[2]
N = 120
SIZES = [f"{(7 * i % 60) / 8:.3f}" for i in range(N)]
AMOUNTS = [f"{(11 * i % 60) / 4:.2f}" for i in range(N)]
LABELS = ["yes" if i % 3 else "no" for i in range(N)]
COLOURS = [("red", "blue", "grey")[i % 3] for i in range(N)]


@pytest.fixture(autouse=True)
def _inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write(
    columns: dict[str, Sequence[object]], name: str = "t.csv", *, delimiter: str = ",", encoding: str = "utf-8"
) -> str:
    """A CSV with these columns in the working directory."""
    with open(name, "w", encoding=encoding, newline="") as file:
        writer = csv.writer(file, delimiter=delimiter, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))
    return name


def proposed(columns: dict[str, Sequence[object]], target: str = "y", **how: str) -> tuple[str, Config]:
    """The config for a CSV with these columns, as text and as it is read."""
    text = first_config(Request((write(columns, **how),), target=target))
    return text, config_from_text(text)


def with_cells(cells: Sequence[object], places: dict[int, object]) -> list[object]:
    return [places.get(position, cell) for position, cell in enumerate(cells)]


# The shipped tables


def checked(text: str) -> tuple[Config, dict[str, str]]:
    settled, found, _ = check(config_from_text(text), AllowedPaths.create(ROOT))
    return settled, {name: options.kind for name, options in found.options.items()}


def table_config(name: str) -> str:
    train, *test = FILES[name]
    return first_config(Request((train,), tuple(test), TARGETS[name][0], root=ROOT))


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


# How the file is read


def test_semicolons_and_decimal_commas_are_found() -> None:
    columns = {"größe": [s.replace(".", ",") for s in SIZES], "farbe": COLOURS, "y": LABELS}
    text, config = proposed(columns, delimiter=";")
    assert (config.data.delimiter, config.data.decimal) == (";", ",")
    assert 'decimal: ","   # a comma, as in `größe`' in text
    assert "numeric (1): größe" in text


def test_thousands_are_no_decimal_commas() -> None:
    columns = {"a": [f"{1 + i % 9},{100 + i}" for i in range(N)], "b": COLOURS, "y": LABELS}
    assert proposed(columns, delimiter=";")[1].data.decimal == "."


def test_decimal_points_beside_commas_are_left_alone() -> None:
    columns = {"a": [s.replace(".", ",") for s in SIZES], "b": SIZES, "y": LABELS}
    assert proposed(columns, delimiter=";")[1].data.decimal == "."


@pytest.mark.parametrize("delimiter", ["\t", "|", ";"])
def test_delimiter_is_found(delimiter: str) -> None:
    columns = {"size, in m": SIZES, "colour": COLOURS, "y": LABELS}
    assert proposed(columns, delimiter=delimiter)[1].data.delimiter == delimiter


@pytest.mark.parametrize(("encoding", "letter"), [("latin-1", "ü"), ("cp1252", "€"), ("utf-16", "ü")])
def test_encoding_is_found(encoding: str, letter: str) -> None:
    columns = {"size": SIZES, "colour": [letter, "b"] * (N // 2), "y": LABELS}
    text, config = proposed(columns, encoding=encoding)
    assert config.data.encoding == encoding
    assert f"encoding: {encoding}   # the bytes are not UTF-8" in text


def test_format_is_found_where_the_name_does_not_tell() -> None:
    assert proposed({"size": SIZES, "y": LABELS}, name="t.dat")[1].data.format == "csv"
    tables.write(tables.make_table(), Path("t.parquet"))
    os.rename("t.parquet", "p.csv")
    assert config_from_text(first_config(Request(("p.csv",), target="label"))).data.format == "parquet"


@pytest.mark.parametrize("name", ["t.csv", "t.jsonl", "t.parquet"])
def test_every_format_gives_the_same_kinds(name: str) -> None:
    tables.write(tables.make_table(), Path(name))
    config = config_from_text(first_config(Request((name,), target="label")))
    found = check(config, AllowedPaths.create())[1].options
    expected = {"size", "height", "count", "code", "amount"}
    assert {column for column, options in found.items() if options.kind == "numeric"} == expected


def test_several_files_and_a_test_file() -> None:
    for name in ("a.csv", "b.csv", "c.csv"):
        write({"size": SIZES, "y": LABELS}, name)
    config = config_from_text(first_config(Request(("a.csv", "b.csv"), ("c.csv",), "y")))
    assert (config.data.train, config.data.test) == (("a.csv", "b.csv"), ("c.csv",))


# What means missing


@pytest.mark.parametrize("word", ["?", "NA", "n/a", " ", "null", "-", ".", "unknown", "None", "not_applicable"])
def test_a_word_among_numbers_means_missing(word: str) -> None:
    text, config = proposed({"size": with_cells(SIZES, {3: word, 40: word}), "colour": COLOURS, "y": LABELS})
    assert config.data.na_values == ("", word)
    shown = "a cell of white space" if word == " " else f"`{word}`"
    assert f"# {shown} means missing in size (2)" in text
    assert "numeric (1): size" in text


@pytest.mark.parametrize("word", ["?", "NA", "n/a", "null"])
def test_a_plain_word_means_missing_among_labels(word: str) -> None:
    config = proposed({"size": SIZES, "colour": with_cells(COLOURS, {3: word}), "y": LABELS})[1]
    assert config.data.na_values == ("", word)


@pytest.mark.parametrize("word", ["-", "unknown", "none", "not applicable"])
def test_a_word_that_may_be_an_answer_stays_a_label(word: str) -> None:
    text, config = proposed({"size": SIZES, "colour": with_cells(COLOURS, {3: word}), "y": LABELS})
    assert config.data.na_values == ("",)
    assert f"# `{word}` stays a label in colour (1)" in text


def test_two_letters_among_codes_of_two_letters_stay_a_label() -> None:
    columns = {"continent": ["EU", "NA", "AS", "AF"] * (N // 4), "y": LABELS, "size": SIZES}
    assert proposed(columns)[1].data.na_values == ("",)


def test_a_label_that_a_word_elsewhere_spoils_is_said() -> None:
    columns = {"continent": ["EU", "NA", "AS", "AF"] * (N // 4), "y": LABELS, "size": with_cells(SIZES, {5: "NA"})}
    text, config = proposed(columns)
    assert config.data.na_values == ("", "NA")
    assert "# CHECK: `NA` is then missing in continent (30), too" in text


def test_a_frequent_label_of_the_target_is_never_missing() -> None:
    answers = ["NA" if i % 4 == 0 else "in" if i % 2 else "out" for i in range(N)]
    text, config = proposed({"size": with_cells(SIZES, {5: "NA"}), "kind": COLOURS, "y": answers}, "y")
    assert "NA" not in config.data.na_values
    assert config.targets["y"].task == "multiclass"
    assert "`NA` stays a label" in text


def test_odd_cells_among_numbers_are_named() -> None:
    text, config = proposed({"size": with_cells(SIZES, {7: "abc", 9: "12,5"}), "colour": COLOURS, "y": LABELS})
    assert set(config.data.na_values) == {"", "abc", "12,5"}
    assert "# CHECK: `abc` among the numbers of size (1) is taken for missing" in text


def test_many_odd_cells_make_the_column_ignored_with_the_reason() -> None:
    long = [f"{i / 7:.3f}" for i in range(400)]
    cells = with_cells(long, {i: f"x{i}" for i in range(0, 400, 40)})
    text, config = proposed({"size": cells, "other": long, "y": ["a", "b"] * 200})
    assert config.columns["size"].kind == "ignore"
    assert "numbers, but 10 of 400 cells are not: 'x0' (row 2)" in text


# The target


@pytest.mark.parametrize(
    ("cells", "positive"),
    [
        (["no", "yes", "yes"] * 40, "yes"),
        (["1", "0", "1"] * 40, "1"),
        (["true", "false", "true"] * 40, "true"),
        (["stayed", "stayed", "churned"] * 40, "churned"),
        (["alive", "dead", "alive"] * 40, "dead"),
    ],
)
def test_positive_is_the_label_that_says_yes_or_the_rarer_one(cells: list[str], positive: str) -> None:
    config = proposed({"size": SIZES, "y": cells})[1]
    assert (config.targets["y"].task, config.targets["y"].positive) == ("binary", positive)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("number", "task", "other", "because"),
    [
        (lambda i: i % 5 + 1, "multiclass", "regression", "each in at least 24 rows, are taken for labels"),
        (lambda i: i % 15, "regression", "multiclass", "there are more than 10"),
        (lambda i: (i % 5) / 2, "regression", "multiclass", "not all are whole"),
        (lambda i: i % 5 if i > 4 else 9, "regression", "multiclass", "one has 5 row(s) only"),
    ],
)
def test_few_numbers_are_labels_or_amounts_and_the_other_is_named(
    number: Callable[[int], float], task: str, other: str, because: str
) -> None:
    text, config = proposed({"size": SIZES, "y": [number(i) for i in range(N)]})
    assert config.targets["y"].task == task
    assert f"write `task: {other}`" in text
    assert because in " ".join(text.replace("# ", "").split())


def test_rows_without_target_are_dropped_and_counted() -> None:
    text, config = proposed({"size": SIZES, "y": with_cells(LABELS, {0: "", 5: "", 9: "NA"})})
    assert config.clean.missing_target == "drop"
    assert "clean: {missing_target: drop}   # 3 of 120 rows have no target and are left out" in text


def test_a_rare_label_is_pointed_out() -> None:
    text = proposed({"size": SIZES, "y": ["1" if i % 40 == 0 else "0" for i in range(N)]})[0]
    assert "`1` is rare (2.5 % of the rows)" in text
    assert "class_weights: balanced" in text


def test_labels_with_too_few_rows_are_left_out() -> None:
    text, config = proposed({"size": SIZES, "y": with_cells(COLOURS, {3: "once", 5: "twice", 8: "twice"})})
    assert config.clean.rare_class == "drop"  # type: ignore[attr-defined]
    assert "labels with fewer than 3 rows" in text


def test_numbers_are_summed_up() -> None:
    assert (
        "task: regression   # 60 different numbers from 0 to 14.75, median 7.375"
        in proposed({"a": SIZES, "y": AMOUNTS})[0]
    )


@pytest.mark.parametrize(
    ("names", "guess"),
    [
        (["a", "Target", "b"], "Target"),
        (["SalePrice", "class", "x"], "class"),
        (["y", "x"], "y"),
        (["a", "b"], "b"),
        (["is_default", "target_flag", "z"], "target_flag"),
    ],
)
def test_guess(names: list[str], guess: str) -> None:
    assert guess_target(names) == guess


# Columns and split


def test_only_columns_that_matter_have_a_line() -> None:
    columns = {
        "id": [f"id{i:05d}" for i in range(N)],
        "size": SIZES,
        "same": ["x"] * N,
        "words": [f"a long text about number {i} and more" for i in range(N)],
        "colour": COLOURS,
        "y": LABELS,
    }
    text, config = proposed(columns)
    assert {name: options.kind for name, options in config.columns.items()} == dict.fromkeys(
        ["id", "same", "words"], "ignore"
    )
    for reason in ("looks like an identifier", "one value only", "free text"):
        assert reason in text
    assert "# numeric (1): size" in text
    assert "# categorical (1): colour" in text


def test_check_gives_the_kinds_that_the_config_lists() -> None:
    tables.write(tables.make_table(), Path("t.csv"))
    text = first_config(Request(("t.csv",), target="label"))
    found = check(config_from_text(text), AllowedPaths.create())[1].options
    for kind in kinds.KINDS:
        listed = re.search(rf"^# {kind} \(\d+\): (.*)$", text, re.MULTILINE)
        names = {name for name, options in found.items() if options.kind == kind}
        assert (set(listed[1].split(", ")) if listed else set()) == names


def test_names_that_yaml_or_patterns_would_misread_are_escaped() -> None:
    names = ["a:b", "c#d", "it's", 'say "hi"', "🙂", "null", "- x", "* z", "k[1]", "k1", "yes", "a\tb", "1e3", "~"]
    columns: dict[str, Sequence[object]] = {name: [f"{i:05d}x" for i in range(N)] for name in names}
    config = proposed({**columns, "size": SIZES, "y: #": LABELS}, "y: #")[1]
    settled = check(config, AllowedPaths.create())[0]
    assert {name: options.kind for name, options in settled.columns.items()} == {
        **dict.fromkeys(names, "ignore"),
        "size": "numeric",
    }
    assert list(config.targets) == ["y: #"]


def test_a_name_with_a_wildcard_is_not_taken_for_a_pattern() -> None:
    config = proposed({"a*": [f"{i:05d}x" for i in range(N)], "ab": SIZES, "y": LABELS})[1]
    settled = check(config, AllowedPaths.create())[0]
    assert {name: options.kind for name, options in settled.columns.items()} == {"a*": "ignore", "ab": "numeric"}


def test_a_repeated_id_is_offered_as_a_group() -> None:
    text = proposed({"user_id": [1000 + i % 20 for i in range(N)], "size": SIZES, "y": LABELS})[0]
    assert "# split: {kind: group, column: user_id}" in text
    assert "if its numbers name something, write `user_id: categorical`" in " ".join(text.replace("\n# ", " ").split())


def test_an_id_of_which_one_holds_most_rows_is_not_offered_as_a_group() -> None:
    users = [1000 + max(0, i - N // 2) // 3 for i in range(N)]
    assert "kind: group" not in proposed({"user_id": users, "size": SIZES, "y": LABELS})[0]


def test_a_date_is_offered_for_a_split_by_time() -> None:
    days = [f"2024-{1 + i % 12:02d}-{1 + i % 28:02d}" for i in range(N)]
    text = proposed({"day sold": days, "size": SIZES, "y": LABELS})[0]
    assert '# split: {kind: time, column: "day sold"}' in text
    assert '"day sold": date' in text


def test_grades_show_their_order() -> None:
    text, config = proposed({"care": ["Good", "Poor", "Fair"] * (N // 3), "size": SIZES, "y": LABELS})
    assert "care: {kind: ordinal, order: [Poor, Fair, Good]}" in text
    assert config.columns["care"].order == ("Poor", "Fair", "Good")  # type: ignore[union-attr]


def test_marked_numbers_are_read_as_numbers() -> None:
    prices = [f"${1 + i % 9},{100 + i}.50" for i in range(N)]
    config = proposed({"price": prices, "size": SIZES, "y": LABELS})[1]
    assert config.columns["price"].unit == "$"  # type: ignore[union-attr]
    assert config.columns["price"].thousands == ","  # type: ignore[union-attr]


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
    text = first_config(Request(("train.csv",), ("test.csv",), "y"))
    assert "too few to set some apart: the test file judges" in text.replace("\n#", "")


def test_few_rows_all_train(backend: None, tmp_path: Path) -> None:
    text, config = proposed({"size": [1, 2, 3], "kind": ["a", "b", "a"], "y": [0.5, 0.7, 0.1]})
    assert (config.split.test, config.split.validation) == (0, 0)
    assert "3 rows are too few to set some apart" in text
    Path("c.yaml").write_text(text, encoding="utf-8")
    made = fit("c.yaml", overrides=["training.epochs=1"], run=tmp_path / "run")
    assert list(made.metrics["targets"]["y"]["splits"]) == ["train"]


def test_two_labels_of_which_one_has_a_single_row_all_train() -> None:
    config = proposed({"size": SIZES, "y": with_cells(["no"] * N, {4: "yes"})})[1]
    assert (config.split.test, config.split.validation) == (0, 0)


@pytest.mark.slow
@pytest.mark.parametrize("task", tables.TASKS)
def test_config_of_a_table_with_gaps_fits(task: str, backend: None, tmp_path: Path) -> None:
    tables.write(tables.make_table(), Path("t.csv"))
    Path("c.yaml").write_text(first_config(Request(("t.csv",), target=task)), encoding="utf-8")
    made = fit("c.yaml", overrides=["training.epochs=1", "model.hidden=[4]"], run=tmp_path / "run")
    assert made.metrics["targets"][task]["task"] == tables.TASKS[task]


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


def test_nothing_is_proposed_for_text_without_end() -> None:
    with pytest.raises(BptrainError, match="BP151.*free text"):
        proposed({"size": SIZES, "y": [f"text {i}" for i in range(N)]})


def test_parquet_dates_are_named(tmp_path: Path) -> None:
    import datetime

    days = pa.array([(datetime.date(2020, 1, 1) + datetime.timedelta(days=i)) for i in range(N)], pa.date32())
    table = pa.table({"day": days, "size": [float(s) for s in SIZES], "y": LABELS})
    tables.write(table, tmp_path / "t.parquet")
    assert "day: date" in first_config(Request(("t.parquet",), target="y"))
