"""Small tables in the working directory, and the configs that `bptrain init` writes for them."""

from __future__ import annotations

import csv
from collections.abc import Sequence

from bptrain.config.load import config_from_text
from bptrain.config.schema import Config
from bptrain.workflows.init import init

N = 120
SIZES = [f"{(7 * i % 60) / 8:.3f}" for i in range(N)]
AMOUNTS = [f"{(11 * i % 60) / 4:.2f}" for i in range(N)]
LABELS = ["yes" if i % 3 else "no" for i in range(N)]
COLOURS = [("red", "blue", "grey")[i % 3] for i in range(N)]


def write(
    columns: dict[str, Sequence[object]], name: str = "t.csv", *, delimiter: str = ",", encoding: str = "utf-8"
) -> str:
    """A CSV with these columns in the working directory."""
    with open(name, "w", encoding=encoding, newline="") as file:
        writer = csv.writer(file, delimiter=delimiter, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))
    return name


def proposed(columns: dict[str, Sequence[object]], target: str = "y", **how: str) -> tuple[str, Config]:
    """The config for a CSV with these columns, as text and as it is read."""
    text = init((write(columns, **how),), target=target).text
    return text, config_from_text(text)


def with_cells(cells: Sequence[object], places: dict[int, object]) -> list[object]:
    return [places.get(position, cell) for position, cell in enumerate(cells)]
