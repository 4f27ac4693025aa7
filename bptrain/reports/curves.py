"""The learning curves as a picture: loss by epoch on training and validation rows, and the epoch that was kept."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

import matplotlib
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

TRAINING, VALIDATION = "#1f6f8b", "#d1495b"


def curves_svg(history: Sequence[Mapping[str, float]], best_epoch: int) -> str:
    """An SVG that is the same text for the same history (no date, fixed identifiers)."""
    with matplotlib.rc_context({"svg.hashsalt": "bptrain", "svg.fonttype": "none", "font.family": "sans-serif"}):
        figure = Figure(figsize=(7, 4), layout="constrained")
        axes = figure.add_subplot()
        epochs = [row["epoch"] for row in history]
        axes.plot(epochs, [row["loss"] for row in history], color=TRAINING, label="training")
        if history and "validation_loss" in history[0]:
            losses = [row.get("validation_loss", float("nan")) for row in history]
            axes.plot(epochs, losses, color=VALIDATION, label="validation")
        if best_epoch:
            axes.axvline(best_epoch, color="0.5", linestyle=":", label=f"kept: epoch {best_epoch}")
        axes.set_xlabel("epoch")
        axes.set_ylabel("loss")
        axes.spines[["top", "right"]].set_visible(False)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.legend(frameon=False)
        text = io.StringIO()
        FigureCanvasSVG(figure).print_svg(text, metadata={"Date": None})
        return text.getvalue()
