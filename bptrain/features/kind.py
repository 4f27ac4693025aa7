"""What every kind of column shares: its learned state and the arrays it makes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from bptrain.data.frame import Frame
from bptrain.errors import Problem

Json = dict[str, Any]


@dataclass(frozen=True)
class Transformed:
    """Arrays for the network, each with n_rows rows.

    `bad` holds per column a mask (n_rows,) of cells that could not be used, `unknown` the number of cells whose label
    training rows never showed, `outside` that of numbers and dates beyond those of the training rows; columns without
    such cells are left out. `changed` counts the cells that were cleaned, by what was done and column:
    {("out of range", "age"): 5}. `problems` says in words what is wrong with bad cells of a column, where it is not
    that they are no finite numbers.
    """

    arrays: dict[str, np.ndarray]
    bad: dict[str, np.ndarray] = field(default_factory=dict)
    unknown: dict[str, int] = field(default_factory=dict)
    outside: dict[str, int] = field(default_factory=dict)
    changed: dict[tuple[str, str], int] = field(default_factory=dict)
    problems: dict[str, Problem] = field(default_factory=dict)


@dataclass(frozen=True)
class Recognised:
    """The options with which a kind would read a column that the config does not declare, and why it fits."""

    options: Any
    reason: str


class State(Protocol):
    """What a kind learned on training rows for all its columns."""

    @property
    def columns(self) -> tuple[str, ...]: ...

    @property
    def inputs(self) -> dict[str, tuple[str, tuple[int, ...]]]:
        """Arrays given to the network: name → (dtype, shape of one row)."""

    @property
    def n_features(self) -> int:
        """How many numbers they are to the network, each label that has an input of its own counted."""

    def to_json(self) -> Json: ...

    def arrays(self) -> dict[str, np.ndarray]: ...


def n_numbers(inputs: Mapping[str, tuple[str, tuple[int, ...]]]) -> int:
    """How many numbers of a row the arrays of `State.inputs` hold."""
    return sum(math.prod(shape) for _, shape in inputs.values())


class Prepare(Protocol):
    """The functions of a kind's `prepare.py`."""

    def recognise(self, frame: Frame, name: str) -> Recognised | None: ...

    def check(self, frame: Frame, options: Mapping[str, Any]) -> None: ...

    def learn(self, frame: Frame, options: Mapping[str, Any]) -> State: ...

    def transform(self, state: Any, frame: Frame) -> Transformed: ...

    def load(self, saved: Json, arrays: Mapping[str, np.ndarray]) -> State: ...

    def array_shapes(self, saved: Json) -> dict[str, tuple[str, tuple[int, ...]]]: ...
