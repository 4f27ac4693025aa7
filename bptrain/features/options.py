"""Options that every kind of column has, roles of columns that the model does not see, and embeddings of numbers."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from bptrain.utils.section import Section


class ColumnOptions(Section):
    """What a config may say of a column; `kind` names its kind, or its role."""

    kind: str

    cells_are_numbers: ClassVar[bool] = False  # of a role; kinds say it themselves (`ColumnKind.cells_are_numbers`)


class IgnoreOptions(ColumnOptions):
    """A column that the model does not see."""

    kind: Literal["ignore"] = "ignore"


class GroupOptions(ColumnOptions):
    """Rows with equal cells belong together: a split by group keeps them on one side. The model does not see it."""

    kind: Literal["group"] = "group"


class TimeOptions(ColumnOptions):
    """When the row happened: a split by time tests on the latest rows. The model does not see it."""

    kind: Literal["time"] = "time"


class WeightOptions(ColumnOptions):
    """How much the row counts, in training and in every metric. The model does not see it."""

    kind: Literal["weight"] = "weight"

    cells_are_numbers: ClassVar[bool] = True


class EmbeddingOptions(Section):
    """What hidden layers see of a numeric column that has `bins` or is `periodic`, instead of the number alone."""

    d_embedding: int = Field(
        8, description="Numbers that a piecewise-linear embedding makes of one; more let each bin mean more things."
    )
    n_frequencies: int = Field(16, description="Cosines of a periodic embedding.")
    frequency_init_scale: Annotated[float, Field(gt=0)] = Field(
        1.0,
        description="Standard deviation of their first frequencies, in periods per unit of the scaled column: "
        "larger where the target jumps and waves, smaller where it is smooth.",
    )
    d_periodic: int = Field(4, description="Numbers that a periodic embedding makes of its cosines.")
