"""The commit of the repository that the work is done in, for the record: no result depends on it."""

from __future__ import annotations

import subprocess

SECONDS = 5


def state() -> dict[str, str | bool] | None:
    """The commit and whether tracked files differ from it; None outside a repository, or without git."""
    commit = _told("rev-parse", "HEAD")
    changes = _told("status", "--porcelain", "--untracked-files=no")
    return None if commit is None or changes is None else {"commit": commit, "dirty": bool(changes)}


def _told(*arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", *arguments], capture_output=True, text=True, timeout=SECONDS, check=True, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return None
    return done.stdout.strip()
