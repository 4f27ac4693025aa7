"""The README's blocks, run as they stand; the page and the reference say what the code says."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path

import pytest

from bptrain.cli.main import COMMANDS, EXIT_CODES, run
from bptrain.config.load import config_from_text, load_config

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"(?:<!-- exit (?P<exit>\d+) -->\n)?```(?P<language>\w+)\n(?P<body>.*?)```", re.DOTALL)


def blocks(language: str) -> list[tuple[int, str]]:
    """Expected exit code and text of each block."""
    return [(int(m["exit"] or 0), m["body"]) for m in BLOCK.finditer(README) if m["language"] == language]


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Path]:
    for name in ("configs", "data"):
        shutil.copytree(ROOT / name, tmp_path / name)
    with chdir(tmp_path):
        yield tmp_path


@pytest.mark.slow
def test_readme_commands_print_what_it_shows(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sessions = blocks("console")
    assert len(sessions) >= 5
    for code, session in sessions:
        for command, expected in _commands(session):
            assert command[0] == "bptrain"
            assert run(command[1:]) == code, command
            captured = capsys.readouterr()
            printed = captured.out + captured.err
            for line in expected:
                assert line in printed, (command, line)


@pytest.mark.slow
def test_readme_python_runs(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sessions = blocks("python")
    assert sessions
    for _, text in sessions:
        exec(compile(text, "README.md", "exec"), {})  # noqa: S102
    assert "prediction" in capsys.readouterr().out


def test_readme_configs_are_valid() -> None:
    texts = [text for _, text in blocks("yaml") if "target" in text]
    assert len(texts) == 2
    for text in texts:
        assert config_from_text(text).targets


def test_readme_adult_config_is_the_shipped_one() -> None:
    (shown,) = (text for _, text in blocks("yaml") if "positive" in text)
    shipped = load_config(ROOT / "configs/adult.yaml")
    assert config_from_text(shown).targets == shipped.targets
    assert config_from_text(shown).model == shipped.model


def test_readme_names_every_command_and_exit_code() -> None:
    for name in COMMANDS:
        assert f"`{name}`" in README
    for code in EXIT_CODES:
        assert re.search(rf"\| {code} \|", README), code


def test_readme_names_the_two_commands_of_the_makefile() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in ("fit", "test"):
        assert f"make {target}" in README
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)
    assert "make test" in (ROOT / ".ci/run").read_text(encoding="utf-8")


def _commands(session: str) -> Iterator[tuple[list[str], list[str]]]:
    """Each `$ command` with the lines shown below it."""
    parts = re.split(r"^\$ ", session, flags=re.MULTILINE)[1:]
    for part in parts:
        first, *shown = part.strip().splitlines()
        yield shlex.split(first), [line for line in shown if line]
