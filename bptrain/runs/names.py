"""The names of run directories: which may be given, which number is next, and which run is the latest."""

from __future__ import annotations

import os
import re
import unicodedata
from pathlib import Path

from bptrain.errors import Problem, RunError, UsageError
from bptrain.runs import manifest, platform, storage
from bptrain.utils.text import escape

LATEST = "latest"
RUNS = Path("runs")


def latest_run(runs: Path = RUNS) -> Path:
    """The run that `runs/latest` names; raises UsageError when there is none, or it names no run in `runs`."""
    pointer = runs / LATEST
    where = escape(pointer)
    hints = ("name the run: `bptrain evaluate runs/NAME`", "`bptrain fit CONFIG` makes one")
    if not os.path.lexists(pointer):
        raise UsageError(Problem("BP514", f"there is no latest run: `{where}` does not exist", where, hints=hints))
    try:
        name = storage.read_bytes(pointer, at_most=4096).decode("utf-8").removesuffix("\n")
    except (RunError, UnicodeDecodeError) as err:
        raise UsageError(
            Problem("BP514", f"`{where}` is not the one-line text file that bptrain writes", where, hints=hints)
        ) from err
    plain = name not in {"", ".", ".."} and name.isprintable() and not set(name) & {"/", "\\", ":"}
    if not plain or (runs / name).is_symlink() or not (runs / name).is_dir():
        message = f"`{where}` names `{escape(name)}`, which is not a folder in `{escape(runs)}`"
        raise UsageError(Problem("BP514", message, where, hints=hints))
    return runs / name


def safe_stem(stem: str) -> str:
    """Letters, digits, `.`, `_` and `-` of a stem, short enough for every file system, never empty or hidden."""
    kept = re.sub(r"[^\w.-]+", "-", unicodedata.normalize("NFC", stem)).strip(".-_")
    return kept.encode("utf-8", "ignore")[:180].decode("utf-8", "ignore") or "run"


def check_name(run: Path) -> None:
    """Raise UsageError for a path that cannot be a run directory."""
    name, shown = run.name, escape(run)
    if name in {"", "..", LATEST} or name.endswith(manifest.PARTIAL_SUFFIX) or "\0" in str(run):
        message = f"`{shown}` cannot be the name of a run directory"
        taken = f"`{LATEST}` and names ending in `{manifest.PARTIAL_SUFFIX}` have a meaning of their own"
        raise UsageError(Problem("BP512", message, shown, hints=("choose a name such as `runs/adult-first`", taken)))


def refuse_existing(final: Path) -> None:
    """Raise UsageError when there is something at the path."""
    if os.path.lexists(final):
        where = escape(final)
        message = f"`{where}` exists, and a published run is never changed"
        hints = ("choose another name for `--run`, or leave it out to get the next number", "or remove it first")
        raise UsageError(Problem("BP511", message, where, hints=hints))


def highest_number(runs: Path, stem: str) -> int:
    """The highest of `numbers`, or 0."""
    return max(numbers(runs, stem), default=0)


def numbers(runs: Path, stem: str, *, only_partial: bool = False) -> list[int]:
    """The numbers of runs with that stem, finished or not."""
    suffix = re.escape(manifest.PARTIAL_SUFFIX)
    pattern = re.compile(rf"{re.escape(stem)}-([0-9]{{4,}})({suffix}){'' if only_partial else '?'}")
    with storage.disk_errors(runs, doing="read"):
        matches = [pattern.fullmatch(name) for name in platform.names_in(runs)]
    return [int(match[1]) for match in matches if match]
