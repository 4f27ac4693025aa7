"""The table of column kinds: one line here and one folder beside this file make a kind.

A kind named `geo` is the folder `columns/geo/` with `options.py` (pydantic only), `prepare.py` (numpy) and `encode.py`
(keras).
"""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Annotated, Literal, cast

from pydantic import Field

from bptrain.features.boolean.options import BooleanOptions
from bptrain.features.categorical.options import CategoricalOptions
from bptrain.features.date.options import DateOptions
from bptrain.features.numeric.options import NumericOptions
from bptrain.features.ordinal.options import OrdinalOptions
from bptrain.utils.section import Section

if TYPE_CHECKING:
    from bptrain.features.kind import Prepare


class IgnoreOptions(Section):
    """A column that the model does not see."""

    kind: Literal["ignore"] = "ignore"


class GroupOptions(Section):
    """Rows with equal cells belong together: a split by group keeps them on one side. The model does not see it."""

    kind: Literal["group"] = "group"


class TimeOptions(Section):
    """When the row happened: a split by time tests on the latest rows. The model does not see it."""

    kind: Literal["time"] = "time"


class WeightOptions(Section):
    """How much the row counts, in training and in every metric. The model does not see it."""

    kind: Literal["weight"] = "weight"


# Inference asks the kinds in this order, and the network's features follow it.
Feature = BooleanOptions | DateOptions | NumericOptions | OrdinalOptions | CategoricalOptions
KINDS: dict[str, type[Feature]] = {
    "boolean": BooleanOptions,
    "date": DateOptions,
    "numeric": NumericOptions,
    "ordinal": OrdinalOptions,
    "categorical": CategoricalOptions,
}
ColumnOptions = Annotated[
    Feature | IgnoreOptions | GroupOptions | TimeOptions | WeightOptions, Field(discriminator="kind")
]


def is_feature(options: ColumnOptions) -> bool:
    """Whether the model sees the column; the others are ignored or have a role."""
    return options.kind in KINDS


def prepare(kind: str) -> Prepare:
    """`prepare.py` of a kind."""
    return cast("Prepare", import_module(f"bptrain.features.{kind}.prepare"))


def encode(kind: str) -> ModuleType:
    """`encode.py` of a kind; imports keras."""
    return import_module(f"bptrain.features.{kind}.encode")
