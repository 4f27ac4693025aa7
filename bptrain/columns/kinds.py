"""The table of column kinds: one line here and one folder beside this file make a kind.

A kind named `geo` is the folder `columns/geo/` with `options.py` (pydantic only), `prepare.py` (numpy) and `encode.py`
(keras).
"""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Annotated, Literal, cast

from pydantic import Field

from bptrain.columns.categorical.options import CategoricalOptions
from bptrain.columns.numeric.options import NumericOptions
from bptrain.config.section import Section

if TYPE_CHECKING:
    from bptrain.columns.state import Prepare


class IgnoreOptions(Section):
    """A column that the model does not see."""

    kind: Literal["ignore"] = "ignore"


ColumnOptions = Annotated[NumericOptions | CategoricalOptions | IgnoreOptions, Field(discriminator="kind")]
# with the options of an inferred column; inference asks the kinds in this order
KINDS: dict[str, ColumnOptions] = {"numeric": NumericOptions(), "categorical": CategoricalOptions()}


def prepare(kind: str) -> Prepare:
    """`prepare.py` of a kind."""
    return cast("Prepare", import_module(f"bptrain.columns.{kind}.prepare"))


def encode(kind: str) -> ModuleType:
    """`encode.py` of a kind; imports keras."""
    return import_module(f"bptrain.columns.{kind}.encode")
