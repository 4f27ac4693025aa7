"""What people read on a terminal: problems, and tables as aligned text or as sentences. Renders, computes nothing."""

from __future__ import annotations

from collections.abc import Iterable

from bptrain.errors import Problem
from bptrain.reports.tables import Cell, Table
from bptrain.utils.text import escape

DIGITS = 5  # of the largest number of a row


def problem_text(problem: Problem, *, severity: str = "error") -> str:
    """One problem with its place, the lines it stands in, and what to do.

    Whatever a message quotes is shown escaped; only `excerpt`, which has several lines, comes with its escapes.
    """
    lines = [f"{severity}[{problem.code}]: {escape(problem.message)}"]
    if problem.where:
        lines.append(f"  --> {escape(problem.where)}")
    if problem.excerpt:
        lines.append(problem.excerpt)
    lines += [f"  = {escape(hint)}" for hint in problem.hints]
    return "\n".join(lines)


def report_text(tables: Iterable[Table]) -> str:
    """The tables below each other: one of aligned columns stands apart by an empty line, sentences follow directly."""
    lines: list[str] = []
    for table in tables:
        if lines and not table.sentence:
            lines.append("")
        lines += table_lines(table)
    return "\n".join(lines)


def table_lines(table: Table) -> list[str]:
    """A sentence for each row where the table has one, else aligned columns with two spaces between; then the note."""
    rows = [row_texts(table, row) for row in table.rows]
    note = [escape(table.note)] if table.note else []
    if table.sentence:
        return [table.sentence.format_map(dict(zip(table.columns, row, strict=True))) for row in rows] + note
    if table.headed:
        rows.insert(0, [escape(heading) for heading in table.columns])
    widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        padded = []
        for position, (text, width) in enumerate(zip(row, widths, strict=True)):
            is_left = table.alignment[position] == "left" if table.alignment else position == 0
            padded.append(text.ljust(width) if is_left else text.rjust(width))
        lines.append("  ".join(padded).rstrip())
    return lines + note


def row_texts(table: Table, row: tuple[Cell, ...]) -> list[str]:
    """The cells of a row as text: "-" for no number, names escaped, counts as they are.

    Floats follow the format of their column; those of columns without one have as many decimals as show five digits
    of the row's largest, four at most.
    """
    largest = max((abs(cell) for cell in row if isinstance(cell, float)), default=0.0)
    n_before_point = len(str(int(largest))) if largest >= 1 else 1
    shared_format = f".{max(DIGITS - n_before_point, 0)}f"
    texts = []
    for column, cell in zip(table.columns, row, strict=True):
        if cell is None:
            texts.append("-")
        elif isinstance(cell, float):
            texts.append(format(cell, table.formats.get(column, shared_format)).replace("%", " %"))
        else:
            texts.append(escape(str(cell)))
    return texts
