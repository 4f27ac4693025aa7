"""Options of a multiclass target."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from bptrain.config.section import Section


class MulticlassOptions(Section):
    """Three labels or more, each row having exactly one."""

    task: Literal["multiclass"] = "multiclass"
    loss: Literal["cross_entropy", "mse"] = Field(
        "cross_entropy", description="`cross_entropy`, or `mse` between the probabilities and the one-hot label."
    )
