"""The table of column kinds: a folder beside this file and its object here make a kind.

Columns are inferred by asking the kinds in this order, and the features of the network follow it. Nothing that is
imported here loads pyarrow or keras, as the schema of the config follows from this table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Union, cast

from pydantic import Field

from bptrain.features.boolean.kind import BOOLEAN
from bptrain.features.categorical.kind import CATEGORICAL
from bptrain.features.date.kind import DATE
from bptrain.features.kind import AnyState, ColumnKind
from bptrain.features.numeric.kind import NUMERIC
from bptrain.features.options import ColumnOptions, GroupOptions, IgnoreOptions, TimeOptions, WeightOptions
from bptrain.features.ordinal.kind import ORDINAL

_TABLE = (
    BOOLEAN,
    DATE,
    NUMERIC,
    ORDINAL,
    CATEGORICAL,
)
AnyKind = ColumnKind[ColumnOptions, AnyState]
# Each kind has options and a state of its own, and whoever finds a kind here uses both by their base classes.
KINDS: dict[str, AnyKind] = {kind.name: cast("AnyKind", kind) for kind in _TABLE}
ROLES = (IgnoreOptions, GroupOptions, TimeOptions, WeightOptions)

if TYPE_CHECKING:
    DeclaredColumn = ColumnOptions
else:  # what may stand under `columns`, for pydantic; `|` takes no list of classes that only the table knows
    DeclaredColumn = Annotated[
        Union[(*(kind.options for kind in KINDS.values()), *ROLES)],  # noqa: UP007
        Field(discriminator="kind"),
    ]
