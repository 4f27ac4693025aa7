"""Options that every target has."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

LossWeight = Annotated[float, Field(gt=0)]
LOSS_WEIGHT = "Factor of this target's loss in the sum over targets: to make one of several targets matter more."
