"""Targets that are numbers: inside standardised by the training rows' mean and spread, or divided by their mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from bptrain.data.frame import Frame
from bptrain.data.limits import LARGEST_NUMBER
from bptrain.errors import DataError
from bptrain.messages import targets as messages
from bptrain.messages.message import Message
from bptrain.runs.storage import Json
from bptrain.targets import metrics
from bptrain.targets.metrics import METRICS
from bptrain.targets.regression.options import (
    AbsoluteLoss,
    PoissonLoss,
    QuantileLoss,
    RegressionOptions,
    ResolvedRegressionOptions,
    SquaredLoss,
)
from bptrain.targets.task import UNREPORTED, Decoded, Head, TargetState, Task
from bptrain.utils.text import yaml_name

if TYPE_CHECKING:
    from bptrain.models.presets import Preset

FAR = 1000.0  # times as large as the first percentile is the last one, where a logarithm is taken


@dataclass(frozen=True, kw_only=True)
class RegressionState(TargetState):
    """How the network's number becomes one in the target's own units: `mean` + `scale` times it.

    Args:
        mean: of the training rows; 0 with `link` "log".
        scale: their population standard deviation; with `link` "log" their mean.
        link: "log" for the Poisson loss, where the exponential of the network's number is taken first; else "identity".
        lowest: predictions stay from here, the smallest value of the training rows, where the config asks for it,
        highest: up to here.
        constant: the best constant prediction for the loss, the trivial baseline.
        transform: with "log", all of this is about the logarithm of value + `offset`; else "none".
        offset: 0 unless training rows hold zeros.
        least: the smallest value of the training rows.
    """

    mean: float
    scale: float
    link: str
    lowest: float | None
    highest: float | None
    constant: float
    transform: str = "none"
    offset: float = 0.0
    least: float = 0.0

    def report(self) -> Json:
        return UNREPORTED | {"transform": self.transform}


class RegressionTask(Task[RegressionOptions, RegressionState]):
    """One number."""

    name = "regression"
    metrics = tuple(name for name, metric in METRICS.items() if "regression" in metric.tasks)
    options = RegressionOptions
    state = RegressionState
    predicts_labels = False
    settled = settled_anew = ("transform",)

    def usual_options(self, preset: Preset) -> Json:
        clip = {"clip": preset.clips_predictions}
        return clip if preset.learns_logarithm else clip | {"transform": "none"}

    def resolve(self, options: RegressionOptions, frame: Frame, name: str) -> ResolvedRegressionOptions:
        """The options with it settled whether a logarithm is taken, by how far the values reach."""
        values = _values(frame, name)
        low, high = np.quantile(values, (0.01, 0.99))
        may = isinstance(options.loss, SquaredLoss) and options.clip is True and values.min() > 0
        transform = "log" if may and high > FAR * low else "none"
        return ResolvedRegressionOptions.model_validate(options.values_by_key(transform=transform, clip=False))

    def learn(self, frame: Frame, name: str, options: RegressionOptions, weight: np.ndarray) -> RegressionState:
        """Mean and spread of the training rows; the best constant counts them by weight.

        Raises DataError when a cell is no finite number, all are equal, or one is negative with the Poisson loss or a
        logarithm.
        """
        values = _values(frame, name)
        least, greatest, offset = float(values.min()), float(values.max()), 0.0
        loss, scaled = options.loss, values
        if options.transform == "log":
            above = values[values > 0]
            if len(above) and not values.all():  # zeros: half the least value above zero is added
                offset = float(above.min()) / 2 or float(above.min())
            too_low, what = (values < 0, "below zero") if offset else (values <= 0, "not above zero")
            _check(frame, name, too_low, messages.NO_LOGARITHM, what)
            scaled = np.log(values + offset)
        mean, scale = float(np.mean(scaled)), float(np.std(scaled))
        if least == greatest or not scale > 0:  # rounding leaves equal values a scale, tiny ones none
            raise DataError(messages.CONSTANT_NUMBER(name=name, value=f"{values[0]:g}"))
        is_rate = isinstance(loss, PoissonLoss)
        if is_rate:
            _check(frame, name, values < 0, messages.NEGATIVE_COUNT)
        if not isinstance(loss, AbsoluteLoss | QuantileLoss):
            constant = np.average(values, weights=weight)
        else:
            share = loss.quantile if isinstance(loss, QuantileLoss) else 0.5
            constant = np.quantile(values, share)
            if np.ptp(weight):
                constant = np.quantile(values, share, weights=weight, method="inverted_cdf")
        return RegressionState(
            task=self.name,
            loss=loss.model_dump(),
            loss_weight=options.loss_weight,
            mean=0.0 if is_rate else mean,
            scale=mean if is_rate else scale,
            link="log" if is_rate else "identity",
            lowest=least if options.clip is True else None,
            highest=greatest if options.clip is True else None,
            constant=float(constant),
            transform=options.transform,
            offset=offset,
            least=least,
        )

    def restart(self, state: RegressionState, frame: Frame, name: str) -> RegressionState:
        values = _values(frame, name)
        if state.transform == "log":
            too_low, what = (values < 0, "below zero") if state.offset else (values <= 0, "not above zero")
            _check(frame, name, too_low, messages.NO_LOGARITHM_IN_BASE_RUN, what)
        if state.lowest is None or state.highest is None:
            return state
        lowest, highest = min(state.lowest, float(values.min())), max(state.highest, float(values.max()))
        return replace(state, lowest=lowest, highest=highest)

    def encode(self, state: RegressionState, frame: Frame, name: str) -> tuple[np.ndarray, pa.Array]:
        """(n_rows, 1) float32.

        Where the logarithm of a cell does not exist, it is that of the smallest value of the training rows.
        """
        numbers = values = _values(frame, name)
        if state.link == "log":
            _check(frame, name, values < 0, messages.NEGATIVE_COUNT)
        if state.transform == "log":
            too_low = values < 0 if state.offset else values <= 0
            numbers = np.log(np.where(too_low, state.least, values) + state.offset)
        # not by `pa.array`, which imports pandas
        truth = pa.Array.from_buffers(pa.float64(), len(values), [None, pa.py_buffer(np.ascontiguousarray(values))])
        return ((numbers - state.mean) / state.scale).astype(np.float32)[:, None], truth

    def decode(self, state: RegressionState, outputs: np.ndarray) -> Decoded:
        numbers = outputs[:, 0].astype(np.float64)
        with np.errstate(over="ignore"):  # infinite after training that diverged
            numbers = np.exp(numbers) if state.link == "log" else numbers
            numbers = numbers * state.scale + state.mean
            if state.transform == "log":
                numbers = np.maximum(np.exp(numbers) - state.offset, 0.0)
        if state.lowest is not None:
            numbers = np.clip(numbers, state.lowest, state.highest)
        return Decoded(pa.array(numbers))

    def baseline(self, state: RegressionState, n_rows: int) -> Decoded:
        """The best constant of the training rows for the loss: the median for `mae`, the quantile, else the mean."""
        return Decoded(pa.array(np.full(n_rows, state.constant)))

    def measure(
        self, state: RegressionState, y_true: pa.Array, predicted: Decoded, weight: np.ndarray, names: Sequence[str]
    ) -> dict[str, float]:
        true_numbers, numbers = y_true.to_numpy(), predicted.prediction.to_numpy()
        return {name: metrics.number_metric(name, true_numbers, numbers, weight) for name in names}

    @property
    def head(self) -> Head[RegressionState]:
        from bptrain.targets.regression import head

        return head


def _values(frame: Frame, name: str) -> np.ndarray:
    """The numbers (n_rows,) float64. Raises DataError when a cell is no finite number."""
    values, bad = frame.numbers(name)
    _check(frame, name, bad | ~(np.abs(values) <= LARGEST_NUMBER), messages.NOT_A_NUMBER)
    return values


def _check(frame: Frame, name: str, wrong: np.ndarray, message: Message, what: str = "") -> None:
    """Raise DataError if a cell is `wrong` (n_rows,); `what` says how."""
    if wrong.any():
        raise DataError(
            message(
                name=name,
                n=int(wrong.sum()),
                n_rows=frame.n_rows,
                examples=frame.examples(name, wrong),
                where=frame.where(int(np.flatnonzero(wrong)[0])),
                what=what,
                column=yaml_name(name),
            )
        )
