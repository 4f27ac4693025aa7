"""The table of tasks: one line here and one folder beside this file make a task.

A task named `ranking` is the folder `targets/ranking/` with `options.py` (pydantic only), `prepare.py` (numpy),
`head.py` (keras) and `measures.py` (metrics, decoding, trivial baseline).
"""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Annotated, Literal, cast

from pydantic import Field

from bptrain.config.section import Section
from bptrain.targets.binary.options import BinaryOptions
from bptrain.targets.multiclass.options import MulticlassOptions
from bptrain.targets.regression.options import RegressionOptions

if TYPE_CHECKING:
    from bptrain.targets.state import Measures, Prepare


class AutoOptions(Section):
    """Inferred from the values: two labels are binary, more text labels multiclass, many numbers regression."""

    task: Literal["auto"] = "auto"
    positive: str | int | float | bool | None = Field(
        None, description="The positive label; giving it makes the task binary."
    )


TargetOptions = Annotated[
    AutoOptions | BinaryOptions | MulticlassOptions | RegressionOptions, Field(discriminator="task")
]
TASKS = ("binary", "multiclass", "regression")


def prepare(task: str) -> Prepare:
    """`prepare.py` of a task."""
    return cast("Prepare", import_module(f"bptrain.targets.{task}.prepare"))


def measures(task: str) -> Measures:
    """`measures.py` of a task."""
    return cast("Measures", import_module(f"bptrain.targets.{task}.measures"))


def head(task: str) -> ModuleType:
    """`head.py` of a task; imports keras."""
    return import_module(f"bptrain.targets.{task}.head")
