"""What the system tells: the state of the repository."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from bptrain.utils.runtime import git_state


def test_git_tells_the_commit_and_whether_files_differ(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert git_state() is None
    identity = ("-c", "user.name=a", "-c", "user.email=a@b")
    (tmp_path / "file").write_text("one")
    for arguments in (("init", "-q"), ("add", "file"), (*identity, "commit", "-qm", "x")):
        subprocess.run(["git", *arguments], check=True)
    state = git_state()
    assert state is not None
    assert len(str(state["commit"])) == 40
    assert state["dirty"] is False
    (tmp_path / "other").write_text("not tracked")
    assert git_state() == state
    (tmp_path / "file").write_text("two")
    assert git_state() == {**state, "dirty": True}
