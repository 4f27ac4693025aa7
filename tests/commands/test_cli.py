"""The command line as people and CI jobs see it: help, exit codes, what goes where, signals, what stays unchanged."""

from __future__ import annotations

import errno
import io
import json
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import tables

from bptrain import __version__
from bptrain.cli.main import COMMANDS, EXIT_CODES, cli, run
from bptrain.errors import DataError, Problem
from bptrain.messages.catalogue import CATALOGUE
from bptrain.workflows import check as check_workflow

ROOT = Path(__file__).parents[2]
CONFIG = """data: t.csv
target: label
columns: {sort: ignore, amount: ignore, code: categorical}
model: {kind: mlp, hidden: [8]}
training: {epochs: 2, batch_size: 32}
evaluation: {gates: [accuracy >= 0]}
"""


@pytest.fixture(scope="module")
def project(backend: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with t.csv, c.yaml, the run runs/c-0001, and what `fit` said: output.txt and log.txt."""
    folder = tmp_path_factory.mktemp("project")
    tables.write(tables.make_table(), folder / "t.csv")
    (folder / "c.yaml").write_text(CONFIG, encoding="utf-8")
    output, log = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(output), redirect_stderr(log):
        patch.chdir(folder)
        assert run(["fit", "c.yaml"]) == 0
    (folder / "output.txt").write_text(output.getvalue(), encoding="utf-8")
    (folder / "log.txt").write_text(log.getvalue(), encoding="utf-8")
    return folder


@pytest.fixture
def inside(project: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The project as working directory; a test may not change it."""
    before = everything(project)
    monkeypatch.chdir(project)
    yield project
    assert everything(project) == before


@pytest.fixture
def copy(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the project as working directory, to be changed."""
    shutil.copytree(project, tmp_path / "copy")
    monkeypatch.chdir(tmp_path / "copy")
    return tmp_path / "copy"


def everything(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def metric_table(output: str) -> str:
    return output.partition("gate passed")[0]


# Help and usage


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_an_example_on_one_line_and_explains_every_option(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([command, "--help"]) == 0
    output, error = capsys.readouterr()
    assert re.search(rf"^  Example: bptrain {command}\b.*", output, re.MULTILINE)
    assert error == ""
    found = cli.get_command(None, command)  # type: ignore[arg-type]
    assert found is not None
    for parameter in found.params:
        if parameter.param_type_name == "option":
            assert parameter.help, parameter.name  # type: ignore[attr-defined]
        assert max(parameter.opts, key=len) in output or parameter.make_metavar(None) in output  # type: ignore[arg-type]


@pytest.mark.parametrize("command", COMMANDS)
def test_example_in_the_help_is_a_command_line_that_is_understood(command: str) -> None:
    found = cli.get_command(None, command)  # type: ignore[arg-type]
    assert found is not None
    example = re.search(r"Example: bptrain (.+)", found.help or "")
    assert example is not None
    words = [word.strip("'") for word in re.findall(r"'[^']*'|\S+", example[1].partition(" > ")[0])]
    assert words[0] == command
    found.make_context(command, words[1:])


def test_help_lists_every_command_and_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0
    output = capsys.readouterr().out
    for name, text in COMMANDS.items():
        assert re.search(rf"^  {name} +{re.escape(text)}$", output, re.MULTILINE)
    for code, meaning in EXIT_CODES.items():
        assert re.search(rf"^  {code} +{re.escape(meaning)}$", output, re.MULTILINE)


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"bptrain, version {__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["fitt", "c.yaml"], "No such command 'fitt'. Did you mean 'fit'?"),
        (["evalaute"], "Did you mean 'evaluate'?"),
        (["nonsense"], "Try 'bptrain --help' for help"),
        (["\x1b[31mfit"], r"No such command '\x1b[31mfit'"),
        (["--verson"], "--version"),
        (["fit"], "Missing argument 'CONFIG'"),
        (["fit", "c.yaml", "--sett", "seed=1"], "--set"),
        (["fit", "c.yaml", "--set"], "'--set' requires an argument"),
        (["check", "c.yaml", "d.yaml"], "unexpected extra argument"),
        (["predict", "run", "t.csv"], "Missing option '-o' / '--out'"),
        (["predict", "run", "t.csv", "-o", "p.csv", "--chunk-rows", "0"], "'--chunk-rows': 0 is not in the range"),
    ],
)
def test_wrong_usage_ends_with_2_and_a_hint(
    arguments: list[str], says: str, inside: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == 2
    output, error = capsys.readouterr()
    assert output == ""
    assert says in error
    assert "\x1b" not in error
    assert "Traceback" not in error


LOADED = """
import json, sys
from bptrain.cli.main import run
heavy = {"tensorflow", "keras", "sklearn", "matplotlib", "scipy"}
tables = {"numpy", "pandas", "pyarrow", "pydantic", "yaml", "rich"}
for arguments in json.loads(sys.argv[1]):
    code = run(arguments)
    print(json.dumps([arguments, code, sorted((heavy | tables) & set(sys.modules))]), file=sys.stderr)
"""


def test_commands_load_only_what_they_need(project: Path) -> None:
    helps = [["--help"], ["--version"], *([name, "--help"] for name in COMMANDS)]
    lines = [
        *helps,
        ["explain", "BP103"],
        ["explain"],
        ["schema"],
        ["inspect", str(project / "runs/c-0001")],
        ["check", "configs/adult.yaml"],
        ["check", "--json", "configs/adult.yaml"],
        ["check", "configs/california.yaml"],
        ["check", "configs/no.yaml"],
        ["init", "data/telco.csv.gz", "--target", "churn"],
        ["init", "data/hotel.csv.gz", "--target", "avg_price_per_room"],
    ]
    result = subprocess.run(
        [sys.executable, "-c", LOADED, json.dumps(lines)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    loaded = [json.loads(line) for line in result.stderr.splitlines() if line.startswith("[")]
    assert [arguments for arguments, _, _ in loaded] == lines
    for arguments, code, modules in loaded:
        assert code == (2 if "configs/no.yaml" in arguments else 0)
        if arguments in helps or arguments[0] == "explain":
            assert modules == [], arguments
        elif arguments[0] in ("schema", "inspect"):
            assert set(modules) <= {"numpy", "pydantic", "yaml"}, arguments
        else:
            assert {"numpy", "pyarrow", "pydantic", "yaml"} == set(modules), arguments


# What the small commands print


def test_explain_says_what_every_code_means(capsys: pytest.CaptureFixture[str]) -> None:
    for code, entry in CATALOGUE.items():
        assert run(["explain", code.lower()]) == 0
        output = capsys.readouterr().out
        for text in (code, entry.title, entry.meaning, *entry.texts, *entry.remedies):
            assert text in output
    assert run(["explain"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == sorted(CATALOGUE)


@pytest.mark.parametrize(("code", "says"), [("BP1033", "BP103"), ("XX", "lists all codes"), ("\x1b", r"\x1b")])
def test_explain_refuses_an_unknown_code(code: str, says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", code]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error[BP159]: ")
    assert says in error


def test_schema_is_json_schema(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["schema"]) == 0
    output, error = capsys.readouterr()
    schema = json.loads(output)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert {"data", "target", "training"} <= set(schema["properties"])
    assert error == ""


def test_fit_logs_to_stderr_and_prints_the_result(project: Path) -> None:
    output, log = (project / "output.txt").read_text(), (project / "log.txt").read_text()
    assert output.startswith("label (binary, positive yes)")
    assert output.endswith("gate passed: accuracy >= 0 (measured " + output.rpartition("(measured ")[2])
    assert "\nrun: runs/c-0001\n" in output
    assert re.findall(r"^epoch (\d)/2 ", log, re.MULTILINE) == ["1", "2"]
    assert "epoch" not in output
    assert "accuracy  " not in log


def test_check_prints_every_column_with_its_kind(inside: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", "c.yaml"]) == 0
    output, error = capsys.readouterr()
    assert re.search(r"^label +binary +target$", output, re.MULTILINE)
    assert re.search(r"^size +numeric +every value is a number, 18 of 200 cells are missing$", output, re.MULTILINE)
    assert re.search(r"^code +categorical +declared$", output, re.MULTILINE)
    assert error == ""


@pytest.mark.parametrize("arguments", [["check", "c.yaml"], ["inspect"], ["inspect", "runs/c-0001"], ["evaluate"]])
def test_json_output_is_one_json_value(arguments: list[str], inside: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*arguments, "--json"]) == 0
    output, error = capsys.readouterr()
    assert json.loads(output)["format"] == (2 if arguments == ["evaluate"] else 1)
    assert error == ""


# Judging and predicting with a finished run


def test_evaluate_prints_the_table_that_fit_ended_with(inside: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fitted = (inside / "output.txt").read_text(encoding="utf-8")
    for arguments in (["evaluate"], ["evaluate", "runs/c-0001"]):
        assert run(arguments) == 0
        output, error = capsys.readouterr()
        assert metric_table(output) == metric_table(fitted)
        assert "auc" in metric_table(output)
        assert output.endswith("run: runs/c-0001\n")
        assert error == ""


def test_evaluate_judges_another_file(inside: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = tables.write(tables.make_table(50, seed=1), tmp_path / "other.parquet")
    assert run(["evaluate", "--data", str(other), "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert {name: split["n"] for name, split in content["targets"]["label"]["splits"].items()} == {"test": 50}


@pytest.mark.parametrize(
    ("columns", "rows", "code", "says"),
    [
        (["size", "label"], 20, "BP268", "6 column(s) of the model"),
        ([*tables.NUMBERS, *tables.LABELS], 20, "BP269", "lacks the target `label`"),
        (["label", *tables.NUMBERS, *tables.LABELS], 0, "BP210", "no rows"),
    ],
)
def test_evaluate_explains_rows_that_cannot_be_judged(
    columns: list[str],
    rows: int,
    code: str,
    says: str,
    inside: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    other = tables.write(tables.make_table(20).select(columns).slice(0, rows), tmp_path / "o.csv")
    assert run(["evaluate", "--data", str(other)]) == 4
    output, error = capsys.readouterr()
    assert error.startswith(f"error[{code}]: ")
    assert says in error
    assert "o.csv" in error
    assert output == ""


@pytest.mark.parametrize(("gate", "code"), [("auc >= 0", 0), ("validation.accuracy > 1", 3), ("log_loss < 0", 3)])
def test_gate_on_the_command_line_decides_the_exit_code(
    gate: str, code: int, inside: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["evaluate", "--gate", gate]) == code
    output, error = capsys.readouterr()
    assert f"gate {'FAILED' if code else 'passed'}: {gate} (measured " in output
    assert error.startswith(f"error[BP303]: the gate `{gate}` failed") is bool(code)


@pytest.mark.parametrize(
    ("gate", "code"),
    [
        ("auc", "BP300"),
        ("rmse < 1", "BP301"),
        ("other.auc > 0", "BP301"),
        ("auc > high", "BP300"),
        ("auc >= 1e999", "BP300"),
    ],
)
def test_evaluate_refuses_a_wrong_gate(gate: str, code: str, inside: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["evaluate", "--gate", gate]) == 2
    output, error = capsys.readouterr()
    assert error.startswith(f"error[{code}]: ")
    assert output == ""


def test_evaluate_writes_only_to_out(inside: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "deep/out"
    assert run(["evaluate", "--out", str(out), "--json"]) == 0
    assert sorted(path.name for path in out.iterdir()) == ["metrics.json", "predictions.parquet"]
    assert (out / "metrics.json").read_text(encoding="utf-8") == capsys.readouterr().out
    judged = (pq.read_table(out / "predictions.parquet"), pq.read_table("runs/c-0001/predictions.parquet"))
    assert judged[0].equals(judged[1])


def test_evaluate_refuses_data_that_changed(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with (copy / "t.csv").open("a", encoding="utf-8") as file:
        file.write((copy / "t.csv").read_text(encoding="utf-8").splitlines()[-1] + "\n")
    assert run(["evaluate"]) == 4
    error = capsys.readouterr().err
    assert error.startswith("error[BP270]: ")
    assert "--> t.csv" in error
    assert "evaluate RUN --data FILE" in error
    assert run(["evaluate", "--data", "t.csv"]) == 0


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_predict_writes_a_row_for_every_row(
    suffix: str, inside: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / f"p.{suffix}"
    assert run(["predict", "runs/c-0001", "t.csv", "-o", str(out), "--chunk-rows", "64"]) == 0
    output, error = capsys.readouterr()
    assert output == f"200 rows: {out}\n"
    assert error == ""
    assert out.stat().st_size > 1000


@pytest.mark.parametrize(
    ("arguments", "exit_code", "code"),
    [
        (["runs/c-0001", "t.csv", "-o", "OUT/p.xlsx"], 2, "BP157"),
        (["runs/c-0001", "no.csv", "-o", "OUT/p.csv"], 4, "BP202"),
        (["runs/c-0001", "c.yaml", "-o", "OUT/p.csv"], 4, "BP208"),
        (["runs/c-0001", "OUT/bad.csv", "-o", "OUT/p.csv"], 4, "BP268"),
        (["runs/c-0001", "OUT/ragged.csv", "-o", "OUT/p.csv"], 4, "BP213"),
        (["runs/no", "t.csv", "-o", "OUT/p.csv"], 5, "BP500"),
    ],
)
def test_predict_explains_and_leaves_no_output(
    arguments: list[str],
    exit_code: int,
    code: str,
    inside: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    lines = (inside / "t.csv").read_text(encoding="utf-8").splitlines()
    (tmp_path / "bad.csv").write_text("size\n1\n", encoding="utf-8")
    (tmp_path / "ragged.csv").write_text("\n".join([*lines, lines[-1] + ",1"]) + "\n", encoding="utf-8")
    before = everything(tmp_path)
    assert run(["predict", *(text.replace("OUT", str(tmp_path)) for text in arguments)]) == exit_code
    output, error = capsys.readouterr()
    assert error.startswith(f"error[{code}]: ")
    assert re.search(r"^  = \S", error, re.MULTILINE)
    assert output == ""
    assert everything(tmp_path) == before


def test_predict_replaces_a_file_only_when_told(
    inside: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "p.csv"
    out.write_text("mine", encoding="utf-8")
    assert run(["predict", "runs/c-0001", "t.csv", "-o", str(out)]) == 2
    assert capsys.readouterr().err.startswith("error[BP158]: ")
    assert out.read_text(encoding="utf-8") == "mine"
    assert run(["predict", "runs/c-0001", "t.csv", "-o", str(out), "--force"]) == 0
    assert out.read_text(encoding="utf-8").startswith('"row","label.prediction",')


@pytest.mark.parametrize(
    "arguments", [["inspect"], ["evaluate"], ["predict", "runs/c-0001", "t.csv", "-o", "p.csv"]], ids=lambda a: a[0]
)
@pytest.mark.parametrize(
    ("damage", "code"), [("flip", "BP502"), ("remove", "BP503"), ("add", "BP504"), ("link", "BP505")]
)
def test_damaged_run_ends_with_5(
    arguments: list[str], damage: str, code: str, copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = copy / "runs/c-0001/model/members/00/weights.npz"
    content = file.read_bytes()
    if damage == "flip":
        file.write_bytes(content[:100] + bytes([content[100] ^ 1]) + content[101:])
    elif damage == "add":
        (file.parent / "more.npz").write_bytes(content)
    else:
        file.unlink()
    if damage == "link":
        (copy / "elsewhere.npz").write_bytes(content)
        file.symlink_to(copy / "elsewhere.npz")
    assert run(arguments) == 5
    output, error = capsys.readouterr()
    assert error.startswith(f"error[{code}]: ")
    assert "members/00" in error
    assert re.search(r"^  = \S", error, re.MULTILINE)
    assert output == ""
    assert not Path("p.csv").exists()


def test_commands_without_a_run_say_how_to_make_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for command in ("inspect", "evaluate"):
        assert run([command]) == 2
        error = capsys.readouterr().err
        assert error.startswith("error[BP514]: ")
        assert "`bptrain fit CONFIG` makes one" in error
    assert list(tmp_path.iterdir()) == []


# What is raised becomes an exit code


@pytest.mark.parametrize(
    ("error", "exit_code", "code"),
    [
        (MemoryError(), 74, "BP731"),
        (OSError(errno.ENOSPC, "No space left on device", "/some/file\x1b"), 74, "BP732"),
        (KeyboardInterrupt(), 130, "BP730"),
        (DataError(Problem("BP202", "no such file: 'x'"), Problem("BP202", "no such file: 'y'")), 4, "BP202"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_errors_become_exit_codes(
    error: BaseException,
    exit_code: int,
    code: str,
    inside: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(check_workflow, "check", raiser(error))
    assert run(["check", "c.yaml"]) == exit_code
    said = capsys.readouterr().err.removeprefix("\n")  # where a terminal shows ^C
    assert said.startswith(f"error[{code}]: ")
    assert "Traceback" not in said
    assert "\x1b" not in said
    assert said.endswith("\n2 problems\n") is isinstance(error, DataError)


def test_bug_is_one_message_and_a_file_with_the_traceback(
    inside: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(check_workflow, "check", raiser(RuntimeError("it broke\nbadly\x1b")))
    assert run(["check", "c.yaml"]) == 1
    output, error = capsys.readouterr()
    (file,) = tmp_path.iterdir()
    assert error.splitlines() == [
        rf"error[BP900]: this is a bug in bptrain, please report it with {file}: RuntimeError: it broke\nbadly\x1b",
    ]
    assert output == ""
    assert "Traceback (most recent call last)" in file.read_text(encoding="utf-8")
    assert "RuntimeError: it broke" in file.read_text(encoding="utf-8")


def raiser(error: BaseException):  # type: ignore[no-untyped-def]
    def fail(*_: object, **__: object) -> None:
        raise error

    return fail


# Signals and locks


@contextmanager
def training(folder: Path, run_name: str) -> Iterator[subprocess.Popen[str]]:
    """A process that trains without end; it has shown its first epoch."""
    command = [sys.executable, "-m", "bptrain", "fit", "c.yaml", "--run", run_name]
    endless = ["--set", "training.epochs=1000000", "--set", "training.patience=null"]
    process = subprocess.Popen([*command, *endless], cwd=folder, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        assert any(line.startswith("epoch 1/") for line in process.stderr), "training did not begin"
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.mark.slow
@pytest.mark.parametrize(("number", "exit_code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupted_run_is_busy_until_it_ends_then_replaced(
    number: signal.Signals, exit_code: int, copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with training(copy, "mine") as process:
        assert run(["fit", "c.yaml", "--run", "mine"]) == 8
        error = capsys.readouterr().err
        assert error.startswith("error[BP750]: `mine.partial` is being written by ")
        assert str(process.pid) in error
        process.send_signal(number)
        _, said = process.communicate(timeout=60)
    assert process.returncode == exit_code
    assert "error[BP730]: " in said
    assert "Traceback" not in said
    assert (copy / "runs/latest").read_text(encoding="utf-8") == "c-0001\n"
    assert not (copy / "mine").exists()
    assert (copy / "mine.partial/train.log").is_file()

    assert run(["inspect", "mine"]) == 5
    assert capsys.readouterr().err.startswith("error[BP501]: ")
    assert run(["fit", "c.yaml", "--run", "mine", "--quiet"]) == 0
    assert capsys.readouterr().err.startswith("warning[BP515]: `mine.partial` was left by a run that ended early")
    assert (copy / "mine/MANIFEST.json").is_file()
    assert not (copy / "mine.partial").exists()


def test_json_of_a_failure_is_its_problems(inside: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["check", "c.yaml", "--json", "--set", "training.epoch=1", "--set", "modl=mlp"]
    assert run(arguments) == 2
    output, error = capsys.readouterr()
    problems = json.loads(output)["problems"]
    assert [problem["code"] for problem in problems] == ["BP103", "BP103"]
    assert all(problem["message"] in error for problem in problems)


@pytest.mark.parametrize(
    ("arguments", "code", "says"), [(["--version"], 0, "bptrain"), (["explain", "BP000"], 2, "BP159")]
)
def test_exit_code_survives_libraries_that_abort_at_the_end(arguments: list[str], code: int, says: str) -> None:
    program = "import atexit, os, sys; atexit.register(os.abort); from bptrain.cli.main import main; main()"
    result = subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=False)
    assert result.returncode == code
    assert says in result.stdout + result.stderr
