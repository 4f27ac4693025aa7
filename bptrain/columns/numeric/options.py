"""Options of a numeric column."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from bptrain.config.section import Section


class NumericOptions(Section):
    """A number: marks removed, impossible and extreme values handled, missing cells filled, then scaled."""

    kind: Literal["numeric"] = "numeric"
    thousands: Literal[",", ".", " ", "'", "_"] | None = Field(
        None, description="Mark between groups of three digits, as in 1,234.50: where the table was written for people."
    )
    unit: str | None = Field(
        None,
        min_length=1,
        description='Text before or after numbers that means nothing to the model, such as "$", "%" or "kg".',
    )
    range: tuple[float | None, float | None] | None = Field(
        None,
        strict=False,
        description="Smallest and largest possible value, such as [0, 120]; null for no bound. Cells beyond are wrong, "
        "see `out_of_range`: where 999 or -1 stand for unknown, or typing errors occur.",
    )
    out_of_range: Literal["missing", "error", "drop"] = Field(
        "missing",
        description="Impossible cells count as `missing`, or refuse the table (`error`), or also leave their row out "
        "of training (`drop`).",
    )
    outliers: Literal["keep", "clip", "drop"] = Field(
        "keep",
        description="Extreme values, by bounds learned on training rows: `clip` sets them to the bound; `drop` leaves "
        "their rows out of training (never out of validation, test or prediction).",
    )
    outlier_rule: Literal["quantile", "zscore"] = Field(
        "quantile",
        description="`quantile`: the share `outlier_limit` of values at either end is extreme; `zscore`: values more "
        "than `outlier_limit` standard deviations from the mean.",
    )
    outlier_limit: Annotated[float, Field(gt=0)] | None = Field(
        None, description="See `outlier_rule`; by default 0.005 for quantile and 4 for zscore."
    )
    missing: Literal["median", "mean", "constant"] = Field(
        "median",
        description="Value for missing cells, learned on training rows: `median` resists extreme values; `constant` is "
        "`fill`, where missing means a number, such as none sold.",
    )
    fill: float = Field(0.0, description="With `missing: constant`: the value of missing cells.")
    indicator: bool = Field(
        True, description="Add a 0/1 input that says the cell was missing, where training rows had missing cells."
    )
    scaling: Literal["standard", "minmax", "robust", "quantile", "log1p", "none"] = Field(
        "standard",
        description="By training rows. `standard`: minus mean, divided by standard deviation; `minmax`: to 0 … 1; "
        "`robust`: minus median, divided by the interquartile range, for long tails; `quantile`: to a normal "
        "distribution by rank, for any shape; `log1p`: sign(x) log(1 + |x|), then standard, for amounts over many "
        "powers of ten; `none`: as they are.",
    )
    clip: Literal["none", "hard", "smooth"] = Field(
        "none",
        description="After scaling: `hard` sets numbers beyond ±`clip_limit` to it (minmax: beyond 0 and 1); `smooth` "
        "is x / sqrt(1 + (x / clip_limit)^2), which keeps their order (Holzmüller et al. 2024). So that single "
        "values of new rows cannot dominate.",
    )
    clip_limit: Annotated[float, Field(gt=0)] = Field(3.0, description="Where clipping begins, after scaling.")

    @model_validator(mode="after")
    def _check(self) -> NumericOptions:
        low, high = self.range or (None, None)
        if low is not None and high is not None and low >= high:
            raise ValueError("`range` needs the smaller number first: [low, high]")
        if self.outlier_rule == "quantile" and self.outlier_limit is not None and self.outlier_limit >= 0.5:
            raise ValueError("with `outlier_rule: quantile`, `outlier_limit` is the share at either end, below 0.5")
        return self

    @property
    def bounds(self) -> tuple[float, float]:
        """The range, infinite where it is open."""
        low, high = self.range or (None, None)
        return float("-inf") if low is None else low, float("inf") if high is None else high

    @property
    def limit(self) -> float:
        """`outlier_limit` with its default."""
        return self.outlier_limit or {"quantile": 0.005, "zscore": 4.0}[self.outlier_rule]
