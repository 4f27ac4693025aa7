"""Options of a regression target."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from bptrain.config.section import Section


class RegressionOptions(Section):
    """A number, standardised inside by training rows and reported in its own units."""

    task: Literal["regression"] = "regression"
    loss: Literal["mse"] = Field("mse", description="Mean squared error of the standardised target.")
