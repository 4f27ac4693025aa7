"""What happens between blocks of steps and after each epoch, as callbacks of Keras over one `TrainState`.

Their order counts: `EpochMetrics` makes the row of the history that the others judge, then come `ReduceLROnPlateau`,
`EarlyStopping` and `TimeLimit`, of which the first that stops names the reason, and `Checkpoint` saves what they left.
They have the names of Keras' own callbacks, but all their state is plain data, so that a training that was killed goes
on to the same bits (decision T7), and a loss that is no number is worse than every other. Signals take effect between
blocks (`DeferredSignals`).
"""

from __future__ import annotations

import hashlib
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import KW_ONLY, dataclass, field

import keras
import numpy as np

from bptrain.models.compat import Variable
from bptrain.models.predict import PredictFunction, validation_block
from bptrain.runs.arrays import arrays_digest
from bptrain.runs.checkpoints import Checkpoints, Generation
from bptrain.training.dataset import ArrayDataset, EpochPlan
from bptrain.training.optimizers import Schedule
from bptrain.training.options import CheckpointOptions, PlateauSchedule
from bptrain.training.state import Arrays, TrainState
from bptrain.training.train_step import DATA_LOSS, Losses, mean_loss
from bptrain.utils import runtime

Row = dict[str, float]  # of the history
Score = Callable[[Mapping[str, np.ndarray]], Row]
Monitor = Callable[[Row], float]

ENDING = (signal.SIGINT, signal.SIGTERM)
SAVING_SHARE = 1 / 50  # at most so much of the time goes into saving, however large the weights are


def validation_loss(row: Row) -> float:
    """The loss on validation rows, or on training rows where there are no others."""
    return row.get("validation_loss", row["loss"])


@dataclass(eq=False)
class StateCallback(keras.callbacks.Callback):  # type: ignore[misc]  # Keras has no types
    """A callback that reads and changes the state of the training."""

    state: TrainState

    def __post_init__(self) -> None:
        super().__init__()

    def stop(self, reason: str) -> None:
        """End the training after this epoch; the first reason counts."""
        self.state.stopped_by = self.state.stopped_by or reason
        self.model.stop_training = True


@dataclass(eq=False)
class EpochMetrics(StateCallback):
    """After each epoch: validates, and adds the row of the history. Ends a training that diverged, as TerminateOnNaN.

    Args:
        network: as a function of its weights, which validates them.
        validation: rows that do not train, if there are any.
        losses: by output of `network`.
        score: further columns of the history, from outputs on validation rows that are finite.
        means: by the `id` of a weight the variable with its running mean, which is validated and kept instead.
    """

    network: PredictFunction
    validation: ArrayDataset | None
    losses: Losses
    score: Score
    schedule: Schedule
    means: Mapping[int, Variable]

    def on_epoch_end(self, epoch: int, logs: Row | None = None) -> None:
        state = self.state
        row = {"epoch": epoch + 1, "loss": sum(value for name, value in (logs or {}).items() if DATA_LOSS in name)}
        state.weights = [np.asarray(self.means.get(id(weight), weight)) for weight in self.network.network.weights]
        if self.validation is not None:
            block_rows = validation_block(self.validation.n_rows)
            outputs = self.network.predict(state.weights, self.validation.inputs, block_rows=block_rows)
            row["validation_loss"] = mean_loss(self.losses, self.validation, outputs)
            if all(np.isfinite(output).all() for output in outputs.values()):
                row |= {f"validation_{name}": value for name, value in self.score(outputs).items()}
        row["learning_rate"] = float(self.schedule((epoch + 1) * self.schedule.steps_per_epoch - 1))
        state.history.append(row)
        digest = arrays_digest({f"{number:06d}": weight for number, weight in enumerate(state.weights)})
        before = state.digests[-1] if state.digests else ""
        state.digests.append(hashlib.sha256(f"{before}\0{digest}".encode()).hexdigest())
        if np.isfinite(row["loss"]) and all(np.isfinite(weight).all() for weight in state.weights):
            state.finite_weights = state.weights
        else:
            state.best_weights, state.best_epoch = state.finite_weights, epoch
            self.stop("diverged")


@dataclass(eq=False)
class ReduceLROnPlateau(StateCallback):
    """Lets the learning rate fall after `patience` epochs without a better loss; with other schedules it does nothing.

    Args:
        repeated: the factors of a training whose rates a refit takes over, by epoch.
    """

    schedule: Schedule
    monitor: Monitor
    repeated: list[float] | None = None

    def on_epoch_begin(self, epoch: int, logs: Row | None = None) -> None:
        if len(self.state.plateaus) == epoch:  # else the epoch goes on after an interruption
            self.state.plateaus.append(self.state.plateau.factor if self.repeated is None else self.repeated[epoch])
        self.schedule.plateau.assign(self.state.plateaus[-1])

    def on_epoch_end(self, epoch: int, logs: Row | None = None) -> None:
        options, plateau = self.schedule.options, self.state.plateau
        if self.state.stopped_by or not isinstance(options, PlateauSchedule):
            return
        loss = self.monitor(self.state.history[-1])
        if loss < plateau.best_loss:
            plateau.best_loss, plateau.wait = loss, 0
            return
        plateau.wait += 1
        if plateau.wait >= options.patience:
            plateau.factor, plateau.wait = max(plateau.factor * options.factor, options.minimum), 0


@dataclass(eq=False)
class EarlyStopping(StateCallback):
    """Keeps the weights of the best epoch, and stops after `patience` epochs without a better one, or at a low loss.

    Args:
        monitor: what is to be small, from a row of the history.
        patience: None: never stop for it.
        stop_at_loss: the training loss that is low enough; None: none is.
        restore_best_weights: else those of the last epoch are kept, as while no epoch has a loss that is a number.
    """

    monitor: Monitor
    _: KW_ONLY
    patience: int | None
    stop_at_loss: float | None = None
    restore_best_weights: bool = True

    def on_epoch_end(self, epoch: int, logs: Row | None = None) -> None:
        state, progress, row = self.state, self.state.early_stopping, self.state.history[-1]
        if state.stopped_by:
            return
        loss = self.monitor(row)
        is_best = loss < progress.best_loss
        if is_best:
            progress.best_epoch, progress.best_loss, progress.wait = epoch + 1, loss, 0
        else:
            progress.wait += 1
        if is_best or not self.restore_best_weights or not progress.best_epoch:
            state.best_weights, state.best_epoch = state.weights, epoch + 1
        if self.stop_at_loss is not None and row["loss"] <= self.stop_at_loss:
            self.stop("loss")
        elif self.patience is not None and progress.wait >= self.patience:
            self.stop("patience")


@dataclass(eq=False)
class TimeLimit(StateCallback):
    """Stops when the `minutes` or the `epochs` are over; `Checkpoint` asks it between blocks, too.

    Args:
        sharing: so many trainings share the minutes: this one has its part of what is left once the first block of its
            process is made, which may have waited for a program to be compiled for all of them.
        until_step: time is up after so many steps, whatever the clock says: a training is repeated.
    """

    _: KW_ONLY
    epochs: int
    minutes: float | None = None
    sharing: int = 1
    until_step: int | None = None

    def on_train_begin(self, logs: Row | None = None) -> None:
        state = self.state
        self._began = time.monotonic() - state.seconds_spent
        self._first_epoch, self._first_block = len(state.history), state.block + 1
        self._seconds_spent, self._seconds_started = state.seconds_spent, state.seconds_started

    def on_epoch_begin(self, epoch: int, logs: Row | None = None) -> None:
        self._epoch = epoch

    def on_epoch_end(self, epoch: int, logs: Row | None = None) -> None:
        if self.is_up():
            self.stop("minutes")
        elif epoch + 1 >= self.epochs:
            self.stop("epochs")
        self.state.seconds.append(time.monotonic() - self._began - sum(self.state.seconds))

    def is_up(self) -> bool:
        """Whether the training has had its time, interruptions not counted."""
        state = self.state
        state.seconds_spent = time.monotonic() - self._began
        if self.until_step is not None:
            return state.n_steps >= self.until_step
        if self.minutes is None:
            return False
        if self._epoch == self._first_epoch and state.block <= self._first_block:  # and the validation after that block
            state.seconds_started = self._seconds_started + state.seconds_spent - self._seconds_spent
        return state.seconds_spent >= state.seconds_started + (60 * self.minutes - state.seconds_started) / self.sharing


# Signals, which must not raise inside Keras


@dataclass
class DeferredSignals:
    """Signals that came and have not taken effect yet.

    An exception that a handler raises anywhere in Keras' and TensorFlow's code may be lost there.

    Attributes:
        seen: the number of one that `raise_pending` would let take effect.
        handlers: those that there were before, of the signals that are not ignored.
    """

    seen: list[int] = field(default_factory=list)
    handlers: dict[int, signal._HANDLER] = field(default_factory=dict)
    _first: float = 0.0  # when it came

    def raise_pending(self) -> None:
        """At a safe point: do what a first SIGINT or SIGTERM would have done; nothing without one."""
        if self.seen:
            self.restore()
            number = self.seen.pop()
            handler = self.handlers[number]
            if callable(handler):
                handler(number, None)  # not by another signal: a second one means to end at once
            else:
                signal.raise_signal(number)

    def note(self, number: int, frame: object) -> None:
        """Handle a signal: a later one takes effect at once, as soon as Python runs."""
        if not self.seen:
            self.seen, self._first = [number], time.monotonic()
        elif time.monotonic() - self._first >= runtime.DEBOUNCE_SECONDS:
            self.raise_pending()

    def restore(self) -> None:
        """Put the handlers back that there were."""
        for number, handler in self.handlers.items():
            signal.signal(number, handler)


@contextmanager
def deferred_signals() -> Iterator[DeferredSignals]:
    """Signals take effect at safe points only; outside the main thread, where Python handles none, nothing changes."""
    signals = DeferredSignals()
    if threading.current_thread() is not threading.main_thread():
        yield signals
        return
    for number in ENDING:
        if (handler := signal.getsignal(number)) not in (None, signal.SIG_IGN):
            signals.handlers[number] = handler
            signal.signal(number, signals.note)
    try:
        yield signals
    finally:
        signals.restore()
    signals.raise_pending()


# Saving


@dataclass(frozen=True)
class Saving:
    """Where a training is saved; with `ended`, once it has ended, too: others of its job follow."""

    checkpoints: Checkpoints
    ended: bool = False


@dataclass(eq=False)
class Checkpoint(StateCallback):
    """Between blocks: counts them, saves when it is time, and lets signals and the clock end the training.

    As Keras' BackupAndRestore, but at any block, with everything that has a state, and in `runs.checkpoints`, which no
    badly timed kill tears (decision T7).

    Args:
        variables: what is restored, by group: those of the network and of the optimizer.
        plan: how an epoch is cut into blocks.
        saving: None: nothing is saved.
    """

    variables: Mapping[str, Sequence[Variable]]
    plan: EpochPlan
    options: CheckpointOptions
    _: KW_ONLY
    saving: Saving | None
    signals: DeferredSignals
    time_limit: TimeLimit
    _loss_sums: Arrays | None = field(default=None, init=False)
    _has_saved: bool = field(default=False, init=False)
    _cost: float = field(default=0.0, init=False)

    def restore(self, saved: Generation) -> None:
        """Go on from a generation whose training had not ended; before `fit()`."""
        state, groups = self.state, {name: list(arrays.values()) for name, arrays in saved.groups.items()}
        vars(state).update(vars(TrainState.from_json(saved.state)))
        state.best_weights, state.finite_weights = groups["best"], groups["finite"]
        for group, variables in self.variables.items():
            for variable, value in zip(variables, groups[group], strict=True):
                variable.assign(value)
        self._loss_sums = groups["losses"] if state.block else None
        self._has_saved = True

    def on_train_begin(self, logs: Row | None = None) -> None:
        self._last_saved = time.monotonic()

    def on_epoch_begin(self, epoch: int, logs: Row | None = None) -> None:
        self._blocks_seen, self._steps_before = 0, self.state.n_steps - self.plan.steps_of(self.state.block)
        if self._loss_sums is not None:  # after Keras has begun the means of the epoch anew
            for variable, value in zip(self.model.metrics_variables, self._loss_sums, strict=True):
                variable.assign(value)
            self._loss_sums = None

    def on_train_batch_end(self, batch: int, logs: Row | None = None) -> None:
        state = self.state
        self._blocks_seen += 1
        if self._blocks_seen <= state.block:  # made before an interruption and passed over: all is saved
            self.signals.raise_pending()
            return
        state.block = self._blocks_seen
        state.n_steps = self._steps_before + self.plan.steps_of(state.block)
        time_is_up = self.time_limit.is_up()
        if self.signals.seen:
            self._save()
            self.signals.raise_pending()
        if self._blocks_seen < self.plan.n_blocks:  # else the epoch ends next
            if self._is_due():
                self._save()
            self.model.stop_training = time_is_up

    def on_epoch_end(self, epoch: int, logs: Row | None = None) -> None:
        self.state.block = 0
        every = self.options.epochs
        if self.state.stopped_by:
            if self.saving and (self.saving.ended or self._has_saved or self._is_due()):
                self._save()
        elif self._is_due() or (every and (epoch + 1) % every == 0):
            self._save()

    def _is_due(self) -> bool:
        if self.options.minutes is None:
            return False
        return time.monotonic() - self._last_saved >= max(60 * self.options.minutes, self._cost / SAVING_SHARE)

    def _save(self) -> None:
        """Make the state durable; of a training that has ended only its result."""
        if self.saving is None:
            return
        started, groups = time.monotonic(), {"best": self.state.best_weights}
        if not self.state.stopped_by:
            self.model.synchronise()
            variables = {**self.variables, "losses": self.model.metrics_variables}
            groups |= {name: [np.asarray(variable) for variable in group] for name, group in variables.items()}
            groups["finite"] = self.state.finite_weights
        named = {group: {f"{n:06d}": array for n, array in enumerate(arrays)} for group, arrays in groups.items()}
        self.saving.checkpoints.save(self.state.to_json(), named)
        self._has_saved, self._last_saved = True, time.monotonic()
        self._cost = self._last_saved - started
