"""What every task shares: its learned state, the predictions it decodes, and how they are measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import pyarrow as pa

from bptrain.data.frame import Frame

Json = dict[str, Any]


@dataclass(frozen=True)
class Decoded:
    """Predictions of one target in the user's terms.

    `prediction` (n_rows,) holds labels (text) or numbers (float64); `probabilities` maps each label to (n_rows,)
    float64.
    """

    prediction: pa.Array
    probabilities: dict[str, np.ndarray] = field(default_factory=dict)


class TargetState(Protocol):
    """What a task learned on training rows."""

    @property
    def task(self) -> str: ...

    @property
    def n_outputs(self) -> int: ...

    @property
    def loss(self) -> Json:
        """The section `loss` of the config."""

    @property
    def loss_weight(self) -> float: ...

    @property
    def class_weights(self) -> tuple[float, ...]:
        """How much the rows of each class count in training, in the order of their codes; empty for numbers."""

    @property
    def labels(self) -> tuple[str, ...]:
        """The classes in the order of their codes; empty for numbers."""

    @property
    def positive(self) -> str | None:
        """The label whose probability is the prediction, in tasks that have one."""

    def to_json(self) -> Json: ...


class Prepare(Protocol):
    """What a task's `prepare.py` has; `CLASSES` says whether its targets are labels, to stratify rows by."""

    CLASSES: bool

    def learn(self, frame: Frame, name: str, options: Any, weight: np.ndarray) -> TargetState: ...

    def encode(self, state: Any, frame: Frame, name: str) -> np.ndarray: ...

    def truth(self, state: Any, frame: Frame, name: str) -> pa.Array: ...

    def written_back(self, options: Any, state: Any) -> Any: ...

    def load(self, saved: Json) -> TargetState: ...


class Measures(Protocol):
    """The functions of a task's `measures.py`."""

    METRICS: tuple[str, ...]

    def decode(self, state: Any, outputs: np.ndarray) -> Decoded: ...

    def baseline(self, state: Any, n_rows: int) -> Decoded: ...

    def tune(
        self,
        state: Any,
        options: Any,
        truth: np.ndarray,
        outputs: np.ndarray,
        weight: np.ndarray,
        *,
        metric: str,
        seed: int,
    ) -> TargetState:
        """The state with what validation rows choose for `metric`."""

    def untuned(self, state: Any, options: Any) -> TargetState:
        """The state as before validation rows chose anything."""

    def tune_as(self, state: Any, before: Any) -> TargetState:
        """The state with what was chosen in `before`."""

    def measure(
        self, state: Any, truth: pa.Array, predicted: Decoded, weight: np.ndarray, names: Sequence[str]
    ) -> dict[str, float]: ...

    def confusion(self, state: Any, truth: pa.Array, predicted: Decoded) -> list[list[int]] | None: ...
