"""What a report shows, as values: tables, of which `text.py` makes text, and series, which are drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

Cell = str | int | float | None


@dataclass(frozen=True)
class Table:
    """Rows of cells below named columns; the first column names the row.

    Cells are values: names as they stand in the user's table (a renderer escapes them in its own way), numbers
    unrounded, None where there is no number.

    Args:
        columns: the headings, one for each cell of a row.
        rows: their cells.
        alignment: of each column; empty means the first to the left and the others to the right.
        formats: how floats of a column are written, as in `format(number, ".1%")`. Without one, the floats of a row
            have equally many decimals.
        headed: whether a renderer shows the headings.
        sentence: how a row is said where text is read line by line, with columns in braces: "{what}: {value}".
        note: what follows the last row, such as how many rows are left out.
    """

    columns: tuple[str, ...]
    rows: Sequence[tuple[Cell, ...]]
    alignment: tuple[Literal["left", "right"], ...] = ()
    formats: Mapping[str, str] = field(default_factory=dict)
    headed: bool = True
    sentence: str = ""
    note: str = ""


@dataclass(frozen=True)
class Series:
    """A curve: values `y` over `x`, both (n,), and the x that is marked on it, if one is."""

    name: str
    x: Sequence[float]
    y: Sequence[float]
    marked: float | None = None
