"""Options of a numeric column."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from bptrain.config.section import Section


class NumericOptions(Section):
    """A number: missing cells take the training median and raise an indicator; then standard scaling."""

    kind: Literal["numeric"] = "numeric"
    missing: Literal["median"] = Field("median", description="Value for missing cells, learned on training rows.")
    indicator: bool = Field(
        True, description="Add a 0/1 input that says the cell was missing, where training rows had missing cells."
    )
    scaling: Literal["standard", "none"] = Field(
        "standard", description="`standard`: minus mean, divided by standard deviation of training rows."
    )
