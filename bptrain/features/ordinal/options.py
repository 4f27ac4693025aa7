"""Options of an ordinal column."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from bptrain.features.options import ColumnOptions


class OrdinalOptions(ColumnOptions):
    """A label from a scale, such as low, medium, high: its place in the declared order is what counts."""

    kind: Literal["ordinal"] = "ordinal"
    order: Annotated[tuple[str | int | float | bool, ...], Field(strict=False)] = Field(
        min_length=2,
        description="All labels from the lowest to the highest, for instance `[low, medium, high]`. Also those that "
        "training rows may not show: the order knows them.",
    )
    encoding: Literal["thermometer", "linear"] = Field(
        "thermometer",
        description="`thermometer`: an input for every label but the lowest, 1 from this label on, so that each step "
        "may weigh as much as it must. `linear`: one input from -1 to 1 in equal steps, for long scales and few rows.",
    )
    indicator: bool = Field(
        True,
        description="Add a 0/1 input that says the cell was missing, where training rows had missing cells. Turn it "
        "off where cells are missing by chance and rows are few.",
    )

    @model_validator(mode="after")
    def _each_once(self) -> OrdinalOptions:
        labels = [str(label) for label in self.order]
        twice = sorted({label for label in labels if labels.count(label) > 1})
        if twice:
            raise ValueError(f"`order` holds `{twice[0]}` twice")
        return self
