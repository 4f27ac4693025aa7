"""The learning curves: loss by epoch on training and validation rows and the epoch that was kept, and their picture."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

import matplotlib
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from bptrain.reports.tables import Series

COLOURS = {"training": "#1f6f8b", "validation": "#d1495b"}


def learning_curves(histories: Sequence[tuple[Sequence[Mapping[str, float]], int]]) -> list[Series]:
    """The series of each network, given the rows of its history and its best epoch, 0 for none."""
    series = []
    for history, best_epoch in histories:
        epochs = [row["epoch"] for row in history]
        columns = {"training": "loss"}
        if history and "validation_loss" in history[0]:
            columns["validation"] = "validation_loss"
        for name, column in columns.items():
            losses = [row.get(column, float("nan")) for row in history]
            marked = best_epoch if best_epoch and name == list(columns)[-1] else None
            series.append(Series(name, epochs, losses, marked))
    return series


def curves_svg(series: Sequence[Series]) -> str:
    """An SVG that is the same text for the same series (no date, fixed identifiers); the legend names each once."""
    with matplotlib.rc_context({"svg.hashsalt": "bptrain", "svg.fonttype": "none", "font.family": "sans-serif"}):
        figure = Figure(figsize=(7, 4), layout="constrained")
        axes = figure.add_subplot()
        named = set()
        for curve in series:
            axes.plot(curve.x, curve.y, color=COLOURS[curve.name], label=None if curve.name in named else curve.name)
            named.add(curve.name)
            if curve.marked is not None:
                label = None if "kept" in named else f"kept: epoch {curve.marked:g}"
                axes.axvline(curve.marked, color="0.5", linestyle=":", label=label)
                named.add("kept")
        axes.set_xlabel("epoch")
        axes.set_ylabel("loss")
        axes.spines[["top", "right"]].set_visible(False)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.legend(frameon=False)
        text = io.StringIO()
        FigureCanvasSVG(figure).print_svg(text, metadata={"Date": None})
        return text.getvalue()
