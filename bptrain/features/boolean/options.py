"""Options of a boolean column."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from bptrain.features.options import ColumnOptions

Words = Annotated[tuple[str | int | float | bool, ...], Field(strict=False)]


class BooleanOptions(ColumnOptions):
    """True or false: one input, +1 for true, -1 for false and 0 for missing. Cells may say true and false, yes and no,
    y and n, t and f, on and off, 1 and 0, in any letter case."""

    kind: Literal["boolean"] = "boolean"
    true_values: Words = Field(
        (),
        description="Further words that mean true, for columns that say it in other words: `[ja]`, or `[2]` where "
        "a code book says so. They come before the usual ones.",
    )
    false_values: Words = Field((), description="Further words that mean false, for instance `[nein]`.")
    indicator: bool = Field(
        True,
        description="Add a 0/1 input that says the cell was missing, where training rows had missing cells. Turn it "
        "off where cells are missing by chance and rows are few.",
    )

    @model_validator(mode="after")
    def _not_both(self) -> BooleanOptions:
        both = {str(word).lower() for word in self.true_values} & {str(word).lower() for word in self.false_values}
        if both:
            raise ValueError(f"`{min(both)}` cannot be in both `true_values` and `false_values`")
        return self
