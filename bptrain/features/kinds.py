"""The table of column kinds: a folder beside this file and its object here make a kind.

Columns are inferred by asking the kinds in this order, and the features of the network follow it. Nothing that is
imported here loads pyarrow or keras, as the schema of the config follows from this table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Union

from pydantic import Field

from bptrain.features.boolean.kind import BOOLEAN
from bptrain.features.categorical.kind import CATEGORICAL
from bptrain.features.date.kind import DATE
from bptrain.features.kind import ColumnKind, FeatureState
from bptrain.features.numeric.kind import NUMERIC
from bptrain.features.options import ColumnOptions, GroupOptions, IgnoreOptions, TimeOptions, WeightOptions
from bptrain.features.ordinal.kind import ORDINAL

# Any: each kind has options and a state of its own, and whoever finds a kind here uses both by their base classes.
_TABLE: tuple[ColumnKind[Any, Any], ...] = (
    BOOLEAN,
    DATE,
    NUMERIC,
    ORDINAL,
    CATEGORICAL,
)
AnyKind = ColumnKind[ColumnOptions, FeatureState]
KINDS: dict[str, AnyKind] = {kind.name: kind for kind in _TABLE}
ROLES = (IgnoreOptions, GroupOptions, TimeOptions, WeightOptions)

if TYPE_CHECKING:
    DeclaredColumn = ColumnOptions
else:  # what may stand under `columns`, for pydantic
    DeclaredColumn = Annotated[
        Union[(*(kind.options for kind in _TABLE), *ROLES)],  # noqa: UP007
        Field(discriminator="kind"),
    ]


def is_feature(options: ColumnOptions) -> bool:
    """Whether the model sees the column; the others are ignored or have a role."""
    return options.kind in KINDS


def kind_of(options: ColumnOptions) -> AnyKind | None:
    """The kind of a column that the model sees; None for one that is ignored or has a role."""
    return KINDS.get(options.kind)
