"""Options of a categorical column."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from bptrain.features.options import ColumnOptions


class CategoricalOptions(ColumnOptions):
    """A label from a set learned on training rows, with own places for missing, unknown and rare labels."""

    kind: Literal["categorical"] = "categorical"
    encoding: Literal["auto", "one_hot", "embedding"] = Field(
        "auto",
        description="`one_hot` for few levels, `embedding` (a learned vector per level) for many; "
        "`auto` decides by `one_hot_limit`.",
    )
    one_hot_limit: Annotated[int, Field(ge=1)] = Field(
        64, description="With `auto`: most levels for which one-hot is used."
    )
    dimension: Annotated[int, Field(ge=1)] | None = Field(
        None, description="Length of an embedding; by default min(50, max(1, round(1.6 * levels^0.56)))."
    )
    min_count: Annotated[int, Field(ge=1)] | None = Field(
        None,
        description="Levels with fewer training rows share one level `rare`; by default 5, in tables of less than 500 "
        "training rows one in a hundred (at least 1); where more levels than `one_hot_limit` have so many, 1.",
    )
