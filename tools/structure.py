"""Size of the package and length of the ways through it, before the restructuring and now: benchmarks/structure.md.

Run as `python tools/structure.py`; takes a few minutes, most of it for two traced fits of each code.
"""

from __future__ import annotations

import sys
from pathlib import Path

import before
import path
import size

PAGE = path.ROOT / "benchmarks/structure.md"
NOT_COUNTED = {"__init__.py", "__main__.py", "py.typed", "__pycache__"}
AT_MOST = {  # shares of the figure before that are aimed at
    "statement lines": 1.0,
    "functions per 1000 statement lines": 0.72,
    "fit: functions": 0.65,
    "fit: files": 0.6,
    "fit: returns": 0.5,
}


def measure(root: Path) -> dict[str, float]:
    """All figures of one checkout, by what they are."""
    package = root / "bptrain"
    counted = size.count(package)
    figures: dict[str, float] = {
        "entries of bptrain/": sum(entry.name not in NOT_COUNTED for entry in package.iterdir()),
        "modules": counted.files,
        "statement lines": counted.lines,
        "functions": counted.functions,
        "functions per 1000 statement lines": counted.functions_per_1000,
        "helpers of one caller, at most 3 lines": len(counted.helpers),
    }
    for way in path.WAYS:
        functions = [call for call in path.traced(root, way) if call[2]]
        for name, figure in zip(("functions", "files", "returns"), path.figures(functions), strict=True):
            figures[f"{way}: {name}"] = figure
    return figures


def page(old: dict[str, float], new: dict[str, float]) -> str:
    """benchmarks/structure.md."""
    lines = [
        "# Size of the package, and the way of a fit through it",
        "",
        f"`make structure`: the code before the restructuring (commit {before.COMMIT}) and now. `tools/size.py`",
        "counts sizes; `tools/path.py` traces `bptrain fit configs/hotel.yaml` with the default preset (fit), and a",
        "fit of one numeric column up to the first layer (cell): distinct functions and files in the order of their",
        "first call, and returns to a file left before. Both say in their first lines what exactly they count.",
        "",
        "| figure | before | now | share | at most |",
        "|---|---|---|---|---|",
    ]
    for name, figure in old.items():
        bound = f"{100 * AT_MOST[name]:.0f} %" if name in AT_MOST else ""
        values = [f"{value:.1f}" if isinstance(value, float) else f"{value:,}" for value in (figure, new[name])]
        lines.append(f"| {name} | {values[0]} | {values[1]} | {100 * new[name] / figure:.0f} % | {bound} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Measure both and write the page."""
    PAGE.write_text(page(measure(before.checkout()), measure(path.ROOT)), encoding="utf-8")
    print(PAGE.read_text(encoding="utf-8"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
