"""What a task is: how one column to predict becomes the network's target, and its outputs become predictions."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Generic, Protocol, TypeVar

import numpy as np
import pyarrow as pa

from bptrain.data.frame import Frame
from bptrain.runs.storage import Json
from bptrain.utils.section import Section

if TYPE_CHECKING:
    from bptrain.models.compat import Loss, Tensor
    from bptrain.models.presets import Preset


@dataclass(frozen=True)
class Decoded:
    """Predictions of one target in the user's terms.

    `prediction` (n_rows,) holds labels (text) or numbers (float64); `probabilities` maps each label to (n_rows,)
    float64.
    """

    prediction: pa.Array
    probabilities: dict[str, np.ndarray] = field(default_factory=dict)


UNREPORTED: Json = dict.fromkeys(("positive", "threshold", "temperature", "transform"))


@dataclass(frozen=True, kw_only=True)
class TargetState(ABC):
    """What a task learned on training rows; the base of each task's own, all of whose fields JSON can hold.

    Args:
        task: the key of the task in `TASKS`.
        loss: the section `loss` of the target's options.
        loss_weight: factor of this loss in the sum over targets.
        labels: the classes in the order of their codes; empty for numbers.
        class_weights: how much the rows of each class count in training; empty for numbers.

    `calibrated` are the fields that validation rows choose.
    """

    calibrated: ClassVar[tuple[str, ...]] = ()

    task: str
    loss: Json
    loss_weight: float
    labels: tuple[str, ...] = ()
    class_weights: tuple[float, ...] = ()

    @property
    def n_outputs(self) -> int:
        """How many numbers the network gives for a row."""
        return 1

    @abstractmethod
    def report(self) -> Json:
        """What metrics.json says of the target beside its labels: `UNREPORTED` and what the task has of it."""


Options = TypeVar("Options", bound=Section)
State = TypeVar("State", bound=TargetState)


StateOfHead = TypeVar("StateOfHead", bound=TargetState, contravariant=True)


class Head(Protocol[StateOfHead]):
    """What a task's `head.py` has, in Keras."""

    def loss(self, state: StateOfHead) -> Loss:
        """The loss (batch,) of y_true (batch, width) and outputs (batch, n_outputs)."""

    def combine(self, state: StateOfHead, outputs: Tensor) -> Tensor:
        """One output (batch, n_outputs) that predicts the mean of what several (batch, several, n_outputs) do."""

    def export(self, state: StateOfHead, outputs: Tensor, name: str) -> Tensor:
        """Probabilities or numbers in the target's own units, for the exported network; `name` is that of the layer."""


class Task(ABC, Generic[Options, State]):
    """One kind of target. A subclass says what is below; an object of it stands in `TASKS`.

    A task is a folder: `options.py` (pydantic only), `task.py` (numpy and pyarrow) and `head.py` (Keras, which
    `head` imports when it is asked for).

    The rooms that are kept free for what comes, none of which changes the methods:
    - y_true of any rank: `encode` gives (n_rows, …), as a picture or a sequence would need; only the head's
      `loss` and `decode` know what the axes mean.
    - several labels in one cell: `labels` with `encode` (n_rows, n_labels) of zeros and ones.
    - metrics over groups of rows (users, texts): `measure` gets all rows of a part at once and, then, their groups.
    - baselines of its own: `baseline` gives any prediction that needs no columns.
    - predictions that are no text or number: `Decoded.prediction` is any arrow array.
    - a target made from another one: `learn` and `encode` see the whole frame, not the one column.
    """

    name: str  # in a config's `task`, in files of a run, and in METRICS
    options: type[Options]
    state: type[State]
    metrics: tuple[str, ...]  # those that it has; the first is the primary one where a config names none
    predicts_labels: bool  # whether rows can be stratified by it, and have an accuracy rather than an error
    settled: tuple[str, ...] = ()  # options that may be open and are settled by learning, as `report` says
    settled_anew: tuple[str, ...] = ()  # those of them that a run's config leaves open, for each training to settle
    many_labels: bool = False  # whether there may be more than two, so that rare ones can be left out or grouped

    # From the config to a state

    def usual_options(self, preset: Preset) -> Json:
        """What the preset puts where options say `auto`; the rows settle what is left then."""
        return {}

    def resolve(self, options: Options, frame: Frame, name: str) -> Options:
        """The options with what the values of rows in `frame` settle before anything is learned.

        Raises DataError for cells of which nothing can be learned.
        """
        return options

    @abstractmethod
    def learn(self, frame: Frame, name: str, options: Options, weight: np.ndarray) -> State:
        """What the training rows in `frame` teach; `weight` (n_rows,) is how much each counts.

        Raises:
            DataError: rows of which nothing can be learned.
            UsageError: options that name what the rows do not have.
        """

    def load(self, saved: Json) -> State:
        """The state that was saved as JSON, whose lists were tuples."""
        fields: Json = {name: tuple(value) if isinstance(value, list) else value for name, value in saved.items()}
        return self.state(**fields)

    def restart(self, state: State, frame: Frame, name: str) -> State:
        """The state of a run to start from: as before `calibrate`, and with bounds that hold the values of `frame`."""
        return state

    # From rows to what the network is to give, and back

    @abstractmethod
    def encode(self, state: State, frame: Frame, name: str) -> tuple[np.ndarray, pa.Array]:
        """y_true as the loss compares it, (n_rows, width), and in the user's terms (n_rows,), as `Decoded.prediction`.

        Raises DataError for cells that cannot be used, such as a label that training rows never showed.
        """

    @abstractmethod
    def decode(self, state: State, outputs: np.ndarray) -> Decoded:
        """Predictions of the network's outputs (n_rows, n_outputs)."""

    @abstractmethod
    def baseline(self, state: State, n_rows: int) -> Decoded:
        """The best prediction without columns, for every row."""

    # What validation rows choose once the network is trained

    def calibrate(
        self, state: State, encoded: np.ndarray, outputs: np.ndarray, weight: np.ndarray, *, metric: str, seed: int
    ) -> State:
        """The state with what is best for `metric` on rows that were not trained on.

        Args:
            state: the state as learned.
            encoded: y_true of these rows as of `encode`.
            outputs: (n_rows, n_outputs), what the network gives.
            weight: (n_rows,), how much each row counts.
            metric: the primary metric.
            seed: what random draws follow from.
        """
        return state

    # How good predictions are

    @abstractmethod
    def measure(
        self, state: State, y_true: pa.Array, predicted: Decoded, weight: np.ndarray, names: Sequence[str]
    ) -> dict[str, float]:
        """The metrics of these names; NaN where one is not defined for the rows."""

    def label_tables(self, state: State, y_true: pa.Array, predicted: Decoded, weight: np.ndarray) -> Json:
        """`confusion` and `per_label` of metrics.json; null for numbers."""
        return {"confusion": None, "per_label": None}

    @property
    @abstractmethod
    def head(self) -> Head[State]:
        """The part of the network that is its own; imports Keras."""
