"""How large the package is: statement lines, functions, and private helpers that only one place calls.

A statement line is each line of a simple statement and the first line of a compound one; docstrings, comments and blank
lines do not count. A helper is a private function of at most `HELPER_LINES` statement lines, its header aside, whose
name stands in one other place of the package.

Run as `python tools/size.py [--helpers] [FOLDER …]`; without a folder it counts `bptrain/`.
"""

from __future__ import annotations

import ast
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

HELPER_LINES = 3
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
COMPOUND = (
    *FUNCTIONS,
    ast.ClassDef,
    ast.If,
    ast.For,
    ast.AsyncFor,
    ast.While,
    ast.With,
    ast.AsyncWith,
    ast.Try,
    ast.TryStar,
    ast.ExceptHandler,
    ast.Match,
)


@dataclass
class Size:
    """What was counted in some files."""

    files: int = 0
    lines: int = 0
    functions: int = 0
    helpers: list[str] = field(default_factory=list)

    @property
    def functions_per_1000(self) -> float:
        """Functions per 1000 statement lines."""
        return 1000 * self.functions / max(1, self.lines)


def statement_lines(tree: ast.AST) -> set[int]:
    """The numbers of the statement lines below a node."""
    lines: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, COMPOUND):
            lines.add(node.lineno)
        elif isinstance(node, ast.stmt) and not is_text(node):
            lines |= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return lines


def is_text(node: ast.stmt) -> bool:
    """Whether a statement is a text alone, as a docstring is."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def used_names(trees: list[ast.Module]) -> Counter[str]:
    """How often each name is read, called or taken as an attribute."""
    names: Counter[str] = Counter()
    for tree in trees:
        for node in ast.walk(tree):
            if isinstance(node, ast.Name):
                names[node.id] += 1
            elif isinstance(node, ast.Attribute):
                names[node.attr] += 1
    return names


def helpers(path: str, tree: ast.Module, used: Counter[str]) -> Iterator[str]:
    """The helpers of a file, as `path:line name`."""
    for node in ast.walk(tree):
        if not isinstance(node, FUNCTIONS) or not node.name.startswith("_") or node.name.endswith("__"):
            continue
        is_short = len(statement_lines(node)) - 1 <= HELPER_LINES
        if is_short and used[node.name] == 1 and not node.decorator_list:
            yield f"{path}:{node.lineno} {node.name}"


def count(folder: Path) -> Size:
    """The size of all Python files below a folder."""
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in sorted(folder.rglob("*.py"))}
    used, size = used_names(list(trees.values())), Size()
    for path, tree in trees.items():
        size.files += 1
        size.lines += len(statement_lines(tree))
        size.functions += sum(isinstance(node, FUNCTIONS) for node in ast.walk(tree))
        size.helpers += helpers(path.as_posix(), tree, used)
    return size


def main(arguments: list[str]) -> None:
    """Print a line for each folder."""
    shown = "--helpers" in arguments
    for folder in [argument for argument in arguments if not argument.startswith("--")] or ["bptrain"]:
        size = count(Path(folder))
        print(
            f"{folder}: {size.files} files, {size.lines} statement lines, {size.functions} functions, "
            f"{size.functions_per_1000:.1f} per 1000 lines, {len(size.helpers)} helpers of one caller"
        )
        if shown:
            print("\n".join(f"  {helper}" for helper in size.helpers))


if __name__ == "__main__":
    main(sys.argv[1:])
