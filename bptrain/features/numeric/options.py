"""Options of a numeric column."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from bptrain.features.options import ColumnOptions
from bptrain.utils.section import Contradiction

Range = Annotated[tuple[float | None, ...], Field(strict=False, min_length=2, max_length=2)]
Thousands = Literal[",", ".", " ", "'", "_"]


class NumericOptions(ColumnOptions):
    """A number. In this order: marks are removed, impossible values and outliers dealt with, missing cells filled,
    then scaling and clipping. What is learned is learned on training rows."""

    kind: Literal["numeric"] = "numeric"
    missing: Literal["median", "mean", "constant"] = Field(
        "median",
        description="Value for missing cells: `median` for most columns, `mean` for columns without long tails, "
        "`constant` (see `fill`) where missing means a known value, such as none sold.",
    )
    fill: float = Field(0.0, description="Value for missing cells with `missing: constant`.")
    indicator: bool = Field(
        True,
        description="Add a 0/1 input that says the cell was missing, where training rows had missing cells; turn it "
        "off where cells are missing by pure chance.",
    )
    scaling: Literal["auto", "standard", "minmax", "robust", "quantile", "log1p", "none"] = Field(
        "auto",
        description="`auto`: `standard` for mlp, else `robust` with `clip: smooth`. `standard`: mean 0, standard "
        "deviation 1; for most columns. `minmax`: training values lie in "
        "[0, 1]; for hard bounds. `robust`: minus median, divided by the interquartile range (where that is 0, by half "
        "the width; a constant column becomes 0); for outliers. `quantile`: ranks made normal; for odd or very skew "
        "shapes. `log1p`: sign(x) log(1 + |x|), then `standard`; for counts and amounts with a long tail. `none`: for "
        "columns that are scaled already.",
    )
    clip: Literal["none", "hard", "smooth"] = Field(
        "none",
        description="After scaling. `hard`: to ±`clip_limit` (with `minmax` to [0, 1]), so that one extreme cell "
        "cannot rule the prediction. `smooth`: x / sqrt(1 + (x / `clip_limit`)^2), which keeps the order of extreme "
        "cells (RealMLP); goes well with `robust`.",
    )
    clip_limit: Annotated[float, Field(gt=0)] = Field(
        3.0, description="Largest size of a clipped value; lower it to tame outliers more."
    )
    bins: Annotated[int, Field(ge=0, le=1024)] | Literal["auto"] = Field(
        "auto",
        description="Bins of a piecewise-linear embedding: the network learns a function of the column that bends at "
        "their edges, which are quantiles of the training rows, and all values where there are few. 0: it gets the "
        "scaled number alone. `auto`: as the model wants it, none for mlp.",
    )
    periodic: bool | Literal["auto"] = Field(
        "auto",
        description="Also give the network cosines of the scaled number, whose frequencies it learns, for functions "
        "that turn sharply. `auto`: as the model wants it, false for mlp.",
    )
    range: Range | None = Field(
        None,
        description="Lowest and highest possible value, both included; either may be null. Write it where other values "
        "can only be mistakes: `[0, 120]` for an age.",
    )
    out_of_range: Literal["missing", "error", "drop"] = Field(
        "missing",
        description="Cells outside `range`: count as `missing`; are an `error` that shows them, where a mistake must "
        "stop the job; or `drop` their training rows, where such a row cannot be trusted (in other rows they count as "
        "missing).",
    )
    outliers: Literal["keep", "clip", "drop"] = Field(
        "keep",
        description="Values beyond the bounds of `outlier_rule`: `clip` sets them to the bound in all rows, where "
        "extreme values are real but too rare to learn from; `drop` leaves their rows out of training (never out of "
        "validation, test or prediction), where they are mistakes.",
    )
    outlier_rule: Literal["quantile", "zscore"] = Field(
        "quantile",
        description="Bounds for `outliers`: `quantile` cuts the same share from each tail, whatever the shape; "
        "`zscore` is the mean ± some standard deviations, for columns that are about normal.",
    )
    outlier_limit: Annotated[float, Field(gt=0)] | None = Field(
        None,
        description="With `quantile` the share in each tail (by default 0.005), with `zscore` the number of standard "
        "deviations (by default 4).",
    )
    thousands: Thousands | None = Field(
        None,
        description="Mark between groups of three digits: with `,` the cell `1,200.50` is 1200.5. A space stands for "
        "no-break and thin spaces, too, `'` for the curly one. It cannot be `data.decimal`.",
    )
    unit: Annotated[str, Field(min_length=1)] | None = Field(
        None,
        description="Text that is removed at the beginning or the end of each cell, such as `$`, `%` or `kg`: `$5` and "
        "`5 $` are 5. Cells without it are read, too.",
    )

    @field_validator("range")
    @classmethod
    def _low_then_high(cls, value: tuple[float | None, ...] | None) -> tuple[float | None, ...] | None:
        if value is not None:
            low, high = value
            if low is None and high is None:
                raise ValueError("give at least one bound, such as `[0, null]`")
            if low is not None and high is not None and low > high:
                raise Contradiction("no number can lie in it", "write the lowest value first, then the highest")
        return value

    @field_validator("unit")
    @classmethod
    def _no_part_of_a_number(cls, value: str | None) -> str | None:
        if value is not None and (not value.strip(" .,") or any(c in "+-" or c.isdigit() for c in value)):
            raise ValueError("a unit is a sign or a word without digits, `+` and `-`, such as `$` or `kg`")
        return value

    @model_validator(mode="after")
    def _share_of_a_tail(self) -> NumericOptions:
        if self.outlier_rule == "quantile" and (self.outlier_limit or 0) >= 0.5:
            raise Contradiction(
                "with `outlier_rule: quantile` the `outlier_limit` is the share in each tail, less than 0.5",
                "standard deviations need `outlier_rule: zscore`",
            )
        return self


class ResolvedNumericOptions(NumericOptions):
    """The options of a numeric column with nothing left open; `fitting/` decides, and states keep these."""

    scaling: Literal["standard", "minmax", "robust", "quantile", "log1p", "none"]
    bins: Annotated[int, Field(ge=0, le=1024)]
    periodic: bool
