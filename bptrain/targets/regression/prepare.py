"""Regression target: standardised inside by the training rows' mean and standard deviation."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
import pyarrow as pa

from bptrain.errors import DataError, Problem
from bptrain.table.frame import Frame
from bptrain.table.values import LARGEST_NUMBER
from bptrain.targets.regression.options import RegressionOptions
from bptrain.targets.state import Json

CLASSES = False


@dataclass(frozen=True)
class RegressionState:
    """Mean and population standard deviation of the training rows, in the target's own units."""

    mean: float
    scale: float
    loss: str
    task: str = "regression"

    @property
    def n_outputs(self) -> int:
        return 1

    @property
    def labels(self) -> tuple[str, ...]:
        return ()

    @property
    def positive(self) -> None:
        return None

    def to_json(self) -> Json:
        return asdict(self)


def learn(frame: Frame, name: str, options: RegressionOptions) -> RegressionState:
    """Mean and spread of the training rows. Raises DataError when a cell is no finite number or all are equal."""
    values = _values(frame, name)
    scale = float(np.std(values))
    if values.min() == values.max() or not scale > 0:  # rounding leaves equal values a scale, tiny ones none
        raise DataError(
            Problem(
                "BP263",
                f"target `{name}` has the same value {values[0]:g} in every training row: there is nothing to learn",
                hints=("check that this is the right column and the right file",),
                key=("targets", name),
            )
        )
    return RegressionState(float(np.mean(values)), scale, options.loss)


def encode(state: RegressionState, frame: Frame, name: str) -> np.ndarray:
    """Standardised values (n_rows, 1) float32. Raises DataError when a cell is no finite number."""
    return ((_values(frame, name) - state.mean) / state.scale).astype(np.float32)[:, None]


def truth(state: RegressionState, frame: Frame, name: str) -> pa.Array:
    """The numbers (n_rows,) float64. Raises DataError when a cell is no finite number."""
    return pa.array(_values(frame, name))


def written_back(options: RegressionOptions, state: RegressionState) -> RegressionOptions:
    """Nothing was left open."""
    return options


def load(saved: Json) -> RegressionState:
    """The state that `to_json` wrote."""
    return RegressionState(**saved)


def _values(frame: Frame, name: str) -> np.ndarray:
    values, bad = frame.numbers(name)
    bad = bad | ~(np.abs(values) <= LARGEST_NUMBER)
    if bad.any():
        raise DataError(
            Problem(
                "BP265",
                f"target `{name}` is a regression target, but {int(bad.sum())} of {frame.n_rows} cells are no finite "
                f"number within ±3.4e38: {frame.examples(name, bad)}",
                where=frame.where(int(np.flatnonzero(bad)[0])),
                hints=("for labels write `task: binary` or `task: multiclass`; else correct or remove these rows",),
            )
        )
    return values
