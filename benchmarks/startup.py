"""How long commands take before they do anything, against importing what they need.

    python benchmarks/startup.py [--tiny]

Each command line runs nine times, in turns with the others so that a busy moment meets all of them, with bytecode
cached as in every installation. Writes benchmarks/startup.md; ends with exit 1 when a ratio is above its bound.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from statistics import median

from shared import ROOT, TINY, write_page

ROUNDS = 1 if TINY else 9
COMMANDS = {
    "import click": ["-c", "import click"],
    "bptrain --help": ["-m", "bptrain", "--help"],
    "import pandas, pyarrow, pydantic": ["-c", "import pandas, pyarrow, pydantic"],
    "bptrain check configs/adult.yaml": ["-m", "bptrain", "check", "configs/adult.yaml"],
}
BOUNDS = (  # command, what it is compared with, most times as long
    ("bptrain --help", "import click", 3.0),
    ("bptrain check configs/adult.yaml", "import pandas, pyarrow, pydantic", 1.6),
)
if TINY:
    COMMANDS, BOUNDS = dict(list(COMMANDS.items())[:2]), BOUNDS[:1]


def main() -> int:
    """Measure, print and write the figures."""
    with tempfile.TemporaryDirectory() as bytecode:
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        environment["PYTHONPYCACHEPREFIX"] = bytecode
        for arguments in COMMANDS.values():
            seconds_of(arguments, environment)  # writes the bytecode
        rounds = [
            {name: seconds_of(arguments, environment) for name, arguments in COMMANDS.items()} for _ in range(ROUNDS)
        ]
    medians = {name: median(times[name] for times in rounds) for name in COMMANDS}
    ratios = {name: medians[name] / medians[base] for name, base, _ in BOUNDS}
    text = report(medians, ratios)
    write_page("startup.md", f"# Start of commands\n\n{text}")
    return 0 if TINY or all(ratios[name] <= bound for name, _, bound in BOUNDS) else 1


def seconds_of(arguments: list[str], environment: dict[str, str]) -> float:
    """Wall time of one process."""
    started = time.perf_counter()
    subprocess.run([sys.executable, *arguments], cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - started


def report(medians: dict[str, float], ratios: dict[str, float]) -> str:
    """The figures as Markdown."""
    rows = "".join(f"| `{name}` | {seconds:.3f} |\n" for name, seconds in medians.items())
    lines = "".join(
        f"- `{name}` takes {ratios[name]:.2f} times as long as `{base}` (bound: {bound:g}).\n"
        for name, base, bound in BOUNDS
    )
    return (
        f"`make bench-startup`: wall time of a whole process, median of {ROUNDS} runs in turns.\n\n"
        f"| process | seconds |\n|---|---|\n{rows}\n{lines}"
    )


if __name__ == "__main__":
    sys.exit(main())
