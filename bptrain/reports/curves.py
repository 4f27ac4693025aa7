"""The learning curves as a picture: loss by epoch on training and validation rows, and the epoch that was kept."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

TRAINING, VALIDATION = "#1f6f8b", "#d1495b"


def curves_svg(histories: Sequence[tuple[Sequence[Mapping[str, float]], int]]) -> str:
    """An SVG that is the same text for the same histories, each with its best epoch (no date, fixed identifiers)."""
    with matplotlib.rc_context({"svg.hashsalt": "bptrain", "svg.fonttype": "none", "font.family": "sans-serif"}):
        figure = Figure(figsize=(7, 4), layout="constrained")
        axes = figure.add_subplot()
        for number, (history, best_epoch) in enumerate(histories):
            _draw(axes, history, best_epoch, named=number == 0)
        axes.set_xlabel("epoch")
        axes.set_ylabel("loss")
        axes.spines[["top", "right"]].set_visible(False)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.legend(frameon=False)
        text = io.StringIO()
        FigureCanvasSVG(figure).print_svg(text, metadata={"Date": None})
        return text.getvalue()


def _draw(axes: Axes, history: Sequence[Mapping[str, float]], best_epoch: int, *, named: bool) -> None:
    """The curves of one network; `named` in the legend."""
    epochs = [row["epoch"] for row in history]
    axes.plot(epochs, [row["loss"] for row in history], color=TRAINING, label="training" if named else None)
    if history and "validation_loss" in history[0]:
        losses = [row.get("validation_loss", float("nan")) for row in history]
        axes.plot(epochs, losses, color=VALIDATION, label="validation" if named else None)
    if best_epoch:
        label = f"kept: epoch {best_epoch}" if named else None
        axes.axvline(best_epoch, color="0.5", linestyle=":", label=label)
