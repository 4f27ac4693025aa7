"""The code before the restructuring, to compare with: a git worktree of its own, made when first asked for."""

from __future__ import annotations

import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
COMMIT = "ad900fa"
FOLDER = ROOT / ".proof/before"


def checkout() -> Path:
    """The folder of the code before, as it was committed."""
    if not (FOLDER / "bptrain").is_dir():
        _git("worktree", "prune")  # of a worktree whose folder somebody removed
        _git("worktree", "add", "--quiet", "--detach", "--force", str(FOLDER), COMMIT)
    if _git("-C", str(FOLDER), "status", "--porcelain"):
        raise SystemExit(f"{FOLDER} is not as committed: remove it, it is made anew")
    return FOLDER


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"git {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout.strip()
