"""Regression target: inside standardised by the training rows' mean and spread, or divided by their mean."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Literal

import numpy as np
import pyarrow as pa

from bptrain.data.frame import Frame
from bptrain.data.limits import LARGEST_NUMBER
from bptrain.errors import DataError, Problem
from bptrain.targets.regression.options import (
    AbsoluteLoss,
    PoissonLoss,
    QuantileLoss,
    RegressionLoss,
    RegressionOptions,
    SquaredLoss,
)
from bptrain.targets.state import Json
from bptrain.utils.text import escape, yaml_name

CLASSES = False
FAR = 1000.0  # times as large as the first percentile is the last one, where a logarithm is taken


@dataclass(frozen=True)
class RegressionState:
    """How the network's number becomes one in the target's own units: `mean` + `scale` times it.

    For most losses these are mean and population standard deviation of the training rows. With `link` "log", of the
    Poisson loss, the exponential of the network's number is taken first; `mean` is then 0 and `scale` the rows' mean.
    With `transform` "log", all is about the logarithm of value + `offset`, and the prediction its exponential less
    that, which is 0 unless training rows hold zeros. `least` is the smallest value that they hold.
    Predictions stay between `lowest` and `highest`, where these are given: the smallest and largest value of the
    training rows. `constant` is the best constant prediction for the loss, the trivial baseline; `loss` the section of
    the config.
    """

    mean: float
    scale: float
    link: str
    lowest: float | None
    highest: float | None
    constant: float
    loss: Json
    loss_weight: float
    transform: str = "none"
    offset: float = 0.0
    least: float = 0.0
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

    @property
    def class_weights(self) -> tuple[float, ...]:
        return ()

    def to_json(self) -> Json:
        return asdict(self)


def learn(frame: Frame, name: str, options: RegressionOptions, weight: np.ndarray) -> RegressionState:
    """Mean and spread of the training rows in `frame`; the best constant counts them by weight (n_rows,).

    Raises DataError when a cell is no finite number, all are equal, or one is negative with the Poisson loss or a
    logarithm.
    """
    values = _values(frame, name)
    constant, ends = _best_constant(values, options.loss, weight), (float(values.min()), float(values.max()))
    transform = _transform(options, values)
    offset = _offset(values) if transform == "log" else 0.0
    if transform == "log":
        _check_logarithm(frame, name, values, offset)
    learned = np.log(values + offset) if transform == "log" else values
    scale = float(np.std(learned))
    if ends[0] == ends[1] or not scale > 0:  # rounding leaves equal values a scale, tiny ones none
        raise DataError(
            Problem(
                "BP263",
                f"target `{name}` has the same value {values[0]:g} in every training row: there is nothing to learn",
                hints=("check that this is the right column and the right file",),
                key=("targets", name),
            )
        )
    mean, loss = float(np.mean(learned)), options.loss
    link = "log" if isinstance(loss, PoissonLoss) else "identity"
    if link == "log":
        _check_counts(frame, name, values)
        mean, scale = 0.0, mean
    return RegressionState(
        mean,
        scale,
        link,
        lowest=ends[0] if options.clip is True else None,
        highest=ends[1] if options.clip is True else None,
        constant=constant,
        loss=loss.model_dump(),
        loss_weight=options.loss_weight,
        transform=transform,
        offset=offset,
        least=ends[0],
    )


def with_transform(frame: Frame, name: str, options: RegressionOptions) -> RegressionOptions:
    """The options with it settled whether a logarithm is taken, by the training rows in `frame`.

    Raises DataError when a cell is no finite number.
    """
    return options.model_copy(update={"transform": _transform(options, _values(frame, name))})


def encode(state: RegressionState, frame: Frame, name: str) -> np.ndarray:
    """Values (n_rows, 1) float32 as the loss compares them. Raises DataError when a cell cannot be used.

    Where the logarithm of a cell does not exist, it is that of the smallest value of the training rows.
    """
    values = _values(frame, name)
    if state.link == "log":
        _check_counts(frame, name, values)
    if state.transform == "log":
        values = np.log(np.where(_too_low(values, state.offset), state.least, values) + state.offset)
    return ((values - state.mean) / state.scale).astype(np.float32)[:, None]


def widened(state: RegressionState, frame: Frame, name: str) -> RegressionState:
    """The state with bounds of predictions that hold the values of more training rows, too."""
    values = _values(frame, name)
    if state.transform == "log":
        hint = "correct these cells, or train anew without `model.from`: the run to start from has taken logarithms"
        _check_logarithm(frame, name, values, state.offset, hint)
    if state.lowest is None or state.highest is None:
        return state
    lowest, highest = min(state.lowest, float(values.min())), max(state.highest, float(values.max()))
    return replace(state, lowest=lowest, highest=highest)


def truth(state: RegressionState, frame: Frame, name: str) -> pa.Array:
    """The numbers (n_rows,) float64. Raises DataError when a cell is no finite number."""
    return pa.array(_values(frame, name))


def written_back(options: RegressionOptions, state: RegressionState) -> RegressionOptions:
    """The options with it settled whether predictions are clipped; a transform that is open, each training settles."""
    transform = options.transform if options.transform == "auto" else state.transform
    return options.model_copy(update={"clip": state.lowest is not None, "transform": transform})


def load(saved: Json) -> RegressionState:
    """The state that `to_json` wrote."""
    return RegressionState(**saved)


def _best_constant(values: np.ndarray, loss: RegressionLoss, weight: np.ndarray) -> float:
    """What a model without columns would predict: the median for `mae`, the quantile, else the mean."""
    share = loss.quantile if isinstance(loss, QuantileLoss) else 0.5
    if not isinstance(loss, AbsoluteLoss | QuantileLoss):
        return float(np.average(values, weights=weight))
    if np.ptp(weight) == 0:
        return float(np.quantile(values, share))
    return float(np.quantile(values, share, weights=weight, method="inverted_cdf"))


def _transform(options: RegressionOptions, values: np.ndarray) -> Literal["none", "log"]:
    """The transform, where it is open by how far the values reach."""
    if options.transform != "auto":
        return options.transform
    if not isinstance(options.loss, SquaredLoss) or options.clip is not True or not values.min() > 0:
        return "none"
    low, high = np.quantile(values, (0.01, 0.99))
    return "log" if high > FAR * low else "none"


def _offset(values: np.ndarray) -> float:
    """What is added before a logarithm is taken: nothing, or half the least value above zero where there are zeros."""
    above = values[values > 0]
    if not len(above) or values.all():
        return 0.0
    least = float(above.min())
    return least / 2 or least


def _too_low(values: np.ndarray, offset: float) -> np.ndarray:
    """Which values are below zero, or zero where nothing is added, so that a logarithm is not theirs to have."""
    low: np.ndarray = values < 0 if offset else values <= 0
    return low


def _check_logarithm(frame: Frame, name: str, values: np.ndarray, offset: float, hint: str = "") -> None:
    hint = hint or f"correct these cells, or write `transform: none` for the target {yaml_name(name)}"
    what = "below zero" if offset else "not above zero"
    _refuse(frame, name, _too_low(values, offset), code="BP291", asks="`transform: log`", what=what, hint=hint)


def _check_counts(frame: Frame, name: str, values: np.ndarray) -> None:
    hint = "counts and rates are never below zero: correct these cells, or choose another `loss`"
    _refuse(frame, name, values < 0, code="BP290", asks="the loss `poisson`", what="negative", hint=hint)


def _refuse(frame: Frame, name: str, wrong: np.ndarray, *, code: str, asks: str, what: str, hint: str) -> None:
    """Raise DataError if a cell is wrong for what the config asks for."""
    if not wrong.any():
        return
    raise DataError(
        Problem(
            code,
            f"target `{escape(name)}` has {asks}, but {int(wrong.sum())} of {frame.n_rows} cells are {what}: "
            f"{frame.examples(name, wrong)}",
            where=frame.where(int(np.flatnonzero(wrong)[0])),
            hints=(hint,),
        )
    )


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
