"""After every block of steps: count it, save the training when it is time, and let signals and the clock end it."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from bptrain.runs.checkpoints import Checkpoints, Generation
from bptrain.training.batches import Sizes
from bptrain.training.early_stopping import Keeper, values_of
from bptrain.training.signals import Postponed
from bptrain.training.state import Course

SHARE = 1 / 50  # at most so much of the time goes into saving, however large the weights are


@dataclass(frozen=True)
class Saving:
    """Where a training is saved; with `ended`, once it has ended, too: others of its job follow."""

    checkpoints: Checkpoints
    ended: bool = False


class Saver(keras.callbacks.Callback):  # type: ignore[misc]  # Keras has no types
    """Stands behind the keeper among the callbacks, so that an epoch is judged before it is saved."""

    def __init__(
        self,
        keeper: Keeper,
        saving: Saving | None,
        signals: Postponed,
        *,
        sizes: Sizes,
    ) -> None:
        super().__init__()
        self.keeper, self.saving, self.signals, self.options = keeper, saving, signals, keeper.options.checkpoints
        self.sizes = sizes
        self._losses: list[np.ndarray] | None = None
        self._has_saved, self._cost = False, 0.0

    def restore(self, saved: Generation) -> None:
        """Go on from a generation whose training had not ended; before `fit()`."""
        keeper, groups = self.keeper, {name: list(arrays.values()) for name, arrays in saved.groups.items()}
        keeper.course = Course.from_json(saved.state)
        keeper.kept, keeper.last_finite = groups["kept"], groups["finite"]
        keeper.network.set_weights(groups["weights"])
        for variable, value in zip(self.model.optimizer.variables, groups["optimizer"], strict=True):
            variable.assign(value)
        self._losses = groups["losses"] if keeper.course.block else None
        self._has_saved = True

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        self._last_saved = time.monotonic()

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self._blocks_seen, self._steps_before = 0, self.keeper.course.n_steps - self._steps()
        if self._losses is not None:  # after Keras has begun the means of the epoch anew
            for variable, value in zip(self.model.metrics_variables, self._losses, strict=True):
                variable.assign(value)
            self._losses = None

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        course = self.keeper.course
        self._blocks_seen += 1
        if self._blocks_seen <= course.block:  # made before an interruption and passed over: all is saved
            self.signals.take_effect()
            return
        course.block = self._blocks_seen
        course.n_steps = self._steps_before + self._steps()
        time_is_up = self.keeper.time_is_up()
        if self.signals.pending:
            self._save()
            self.signals.take_effect()
        if self._blocks_seen < self.sizes.n_blocks:  # else the epoch ends next
            if self._is_due():
                self._save()
            self.model.stop_training = time_is_up

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        every = self.options.epochs
        if self.keeper.course.stopped_by:
            if self.saving and (self.saving.ended or self._has_saved or self._is_due()):
                self._save()
        elif self._is_due() or (every and (epoch + 1) % every == 0):
            self._save()

    def _steps(self) -> int:
        """Steps of the epoch so far."""
        return self.sizes.steps_of(self.keeper.course.block)

    def _is_due(self) -> bool:
        if self.options.minutes is None:
            return False
        return time.monotonic() - self._last_saved >= max(60 * self.options.minutes, self._cost / SHARE)

    def _save(self) -> None:
        """Make the state durable; of a training that has ended only its result."""
        if self.saving is None:
            return
        started, keeper = time.monotonic(), self.keeper
        groups = {"kept": keeper.kept}
        if not keeper.course.stopped_by:
            self.model.synchronise()
            groups |= {"weights": values_of(keeper.network), "finite": keeper.last_finite}
            groups |= {"optimizer": _values(self.model.optimizer.variables)}
            groups |= {"losses": _values(self.model.metrics_variables)}
        named = {group: {f"{n:06d}": array for n, array in enumerate(arrays)} for group, arrays in groups.items()}
        self.saving.checkpoints.save(keeper.course.to_json(), named)
        self._has_saved, self._last_saved = True, time.monotonic()
        self._cost = self._last_saved - started


def _values(variables: Iterable[Any]) -> list[np.ndarray]:
    return [np.asarray(variable) for variable in variables]
