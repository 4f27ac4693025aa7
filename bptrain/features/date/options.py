"""Options of a date column."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from bptrain.features.options import ColumnOptions
from bptrain.utils.section import Contradiction

Part = Literal[
    "year",
    "quarter",
    "month",
    "week",
    "weekday",
    "weekend",
    "day_of_month",
    "day_of_year",
    "hour",
    "minute",
]
ISO = "iso"
FIELDS = "YymdHMSfz"  # what may follow % in a format


class DateOptions(ColumnOptions):
    """A date, or a date with a time of day: parts of the calendar, and the days since the earliest training date."""

    kind: Literal["date"] = "date"
    format: str = Field(
        ISO,
        description="How cells are written: `iso` (2024-05-01, 2024-05-01 12:30, 2024-05-01T12:30:00Z), or numeric "
        "fields of strptime, for instance `%d.%m.%Y`, `%m/%d/%y` or `%Y%m%d` (there are %Y %y %m %d %H %M %S %f %z). "
        "Set it where day and month could be mistaken for each other; cells are never guessed one by one.",
    )
    parts: Annotated[tuple[Part, ...], Field(strict=False)] | None = Field(
        None,
        description="Parts of the calendar that become inputs; by default month, day_of_month, weekday and "
        "day_of_year, and hour where training cells have a time of day. Name the few that matter when rows are few, "
        "add year, quarter, week, weekend or minute where they do; `[]` leaves only `elapsed`.",
    )
    cyclic: bool = Field(
        True,
        description="Periodic parts as sine and cosine, so that December is beside January. Without, each part is one "
        "standardised number, for when its ends are not alike: the minute of a school lesson, the month of a tax year.",
    )
    elapsed: bool = Field(
        True,
        description="Add the days since the earliest training date, standardised, so that a trend can be learned. Turn "
        "it off when only the season counts, or when the rows to predict are later than all training rows.",
    )
    indicator: bool = Field(
        True,
        description="Add a 0/1 input that says the cell was missing, where training rows had missing cells. Turn it "
        "off where cells are missing by chance and rows are few.",
    )

    @field_validator("format")
    @classmethod
    def _known_fields(cls, value: str) -> str:
        if value == ISO:
            return value
        fields = [piece[:1] for piece in value.replace("%%", "").split("%")[1:]]
        unknown = sorted(set(fields) - set(FIELDS))
        if unknown:
            raise ValueError(f"`%{unknown[0]}` is no field of a date format; there are %{' %'.join(FIELDS)} (and %%)")
        if len(set(fields)) < len(fields):
            raise ValueError("a field may stand in a date format once only")
        if len({"Y", "y"} & set(fields)) != 1:
            raise ValueError("a date format needs the year, %Y or %y, once")
        if "d" in fields and "m" not in fields:
            raise ValueError("a date format with %d needs %m")
        return value

    @model_validator(mode="after")
    def _something_left(self) -> DateOptions:
        if self.parts == () and not self.elapsed:
            raise Contradiction("nothing of the date is left", "name some `parts` or write `elapsed: true`")
        return self
