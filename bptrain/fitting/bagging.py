"""The networks of a model: built, and trained one after the other by one program."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bptrain.errors import Problem
from bptrain.evaluation.evaluate import score
from bptrain.fitting.inputs import Prepared, Ready
from bptrain.fitting.journal import Journal
from bptrain.fitting.model_defaults import FEWEST_KEPT, LEAST_GAIN
from bptrain.fitting.warm_start import BaseRun
from bptrain.models.build import (
    Network,
    build,
    combined,
    keeping,
    losses,
    network_name,
    output_name,
    set_weights,
    weight_shapes,
)
from bptrain.models.layers.dropout import start_at
from bptrain.models.predict import Program, fitting_block
from bptrain.targets import preparer as targets_prepare
from bptrain.targets.metrics import METRICS
from bptrain.training.batches import Examples
from bptrain.training.early_stopping import Watched, total_loss, values_of
from bptrain.training.event_log import event_log
from bptrain.training.progress import Reporter
from bptrain.training.selection import Ranking, enough, forward_selection
from bptrain.training.settled import SettledOptions
from bptrain.training.state import TrainResult
from bptrain.training.train import Hooks, Rows, Trainer
from bptrain.utils import seeds

if TYPE_CHECKING:
    History = Sequence[dict[str, float]]


def build_networks(ready: Ready, earlier: BaseRun | None) -> list[Network]:
    """All networks of a model with their first weights, functions of the seed and of their number."""
    from bptrain.models import backend

    backend.fresh_names()
    networks = []
    for number in range(ready.config.model.n_networks):
        seed = network_seed(ready.config.seed, number)
        network = build(ready.columns, ready.targets, ready.config.model, seed=seed, name=network_name(number))
        start_at(network.model, seeds.integer(seed, "dropout") if number else 0)
        if earlier is not None:
            set_weights(network.model, earlier.weights(number, weight_shapes(network.model)))
        networks.append(network)
    return networks


def keeping_best(ready: Ready, networks: Sequence[Network], before: Sequence[Network] | None) -> list[Network]:
    """TrainResult networks of which only those members predict that `model.keep` asks for, as many in each.

    Which, is told by the rows that chose the epoch, or by the networks of `before`, which began with the same weights.
    """
    options = ready.config.model
    if options.keep is None:
        return list(networks)
    chosen = [network.kept for network in before] if before is not None else _best_members(ready, networks)
    return [
        network if kept is None else keeping(network, kept, ready.columns, ready.targets, options)
        for network, kept in zip(networks, chosen, strict=True)
    ]


def _best_members(ready: Ready, networks: Sequence[Network]) -> list[tuple[int, ...] | None]:
    """The members of each network whose mean has little loss on the rows that validate it; None for all.

    How many is one decision for all networks, as the rows of one are few: by the mean of the losses over all rows.
    """
    validations = [_rows(ready, number)[1] for number in range(len(networks))]
    program = Program(networks[0].members)
    ranked = [
        _ranking(ready, program, values_of(network.members), validation)
        for network, validation in zip(networks, validations, strict=True)
        if validation is not None
    ]
    n_members, n_kept = ready.config.model.n_members, ready.config.model.keep
    if len(ranked) < len(networks):
        return [None] * len(networks)
    if n_kept == "auto":
        sizes = [len(validation.rows) for validation in validations if validation is not None]
        losses = np.average([ranking.losses for ranking in ranked], axis=0, weights=sizes)
        n_kept = enough(losses.tolist(), at_least=FEWEST_KEPT, least_gain=LEAST_GAIN)
    if n_kept is None or n_kept >= n_members:
        return [None] * len(networks)
    return [ranking.first(n_kept) for ranking in ranked]


def _ranking(ready: Ready, program: Program, weights: Sequence[np.ndarray], validation: Prepared) -> Ranking:
    """The members of a network with these weights by what they do for the loss on validation rows."""
    examples, judged = _examples(ready, validation), losses(ready.targets)
    outputs = program.predict(weights, examples.inputs, block_rows=fitting_block(examples.n_rows))

    def loss(members: Sequence[int]) -> float:
        mean = combined({name: output[:, members] for name, output in outputs.items()}, ready.targets)
        return total_loss(judged, examples.truths, mean, examples.weights)

    return forward_selection(ready.config.model.n_members, loss)


def network_seed(seed: int, number: int) -> int:
    """What the random numbers of one of several networks follow from; networks are counted from 0."""
    return seeds.integer(seed, "network", number) if number else seed


@dataclass(frozen=True)
class Trainings:
    """The trainings of the networks of a model; `after` is the one whose epochs a refit takes over."""

    networks: Sequence[Network]
    ready: Ready
    reporter: Reporter
    journal: Journal
    label: str
    after: TrainResult | None
    events: Path | None

    def train_all(self) -> list[TrainResult]:
        """Train all networks in place, each from its own first weights; tells how each training went.

        The first network's layers are trained for each, as its program is compiled once.
        """
        workbench, options = self.networks[0], self._options()
        trainer = Trainer(
            workbench,
            _examples(self.ready, self.ready.parts["train"]),
            losses(self.ready.targets, self.ready.config.model.n_members),
            losses(self.ready.targets),
            options,
            n_rows=self._most_rows(),
            n_trainings=len(self.networks),
        )
        kept, done = [], list[TrainResult]()
        for number, start in enumerate([values_of(network.model) for network in self.networks]):
            if len(self.networks) > 1:
                self.reporter.stage(f"network {number + 1} of {len(self.networks)}")
            workbench.model.set_weights(start)
            done.append(self._train(trainer, number, self._minutes_left(options, done)))
            kept.append(values_of(workbench.model))
        for network, weights in zip(self.networks, kept, strict=True):
            network.model.set_weights(weights)
        return done

    def _train(self, trainer: Trainer, number: int, minutes: float | None) -> TrainResult:
        label = self.label if len(self.networks) == 1 else f"{self.label}-{number + 1}"
        training, validation = _rows(self.ready, number)
        epochs = self.after.best_epoch if self.after else trainer.options.epochs
        with event_log(self._events(number)) as log:

            def on_epoch(row: dict[str, float]) -> None:
                self.reporter.epoch(row, epochs)
                log(row)

            def on_resume(history: list[dict[str, float]]) -> None:
                self.reporter.resumed(history, epochs)
                for row in history:
                    log(row)

            trained = trainer.train(
                Rows(training, None if validation is None else _examples(self.ready, validation)),
                seed=network_seed(self.ready.config.seed, number),
                minutes=minutes,
                sharing=len(self.networks) - number,
                hooks=Hooks(
                    lambda outputs: _primary_score(self.ready, validation, outputs),
                    self._watched(validation),
                    on_epoch,
                    on_resume,
                    self.journal.warn,
                ),
                after=self.after,
                saving=self.journal.saving(label),
                until_step=(self.journal.until_step or {}).get(label),
            )
        if validation is not None and not any(np.isfinite(row["validation_loss"]) for row in trained.history):
            self.reporter.warning(Problem("BP601", "the loss on validation rows was never a finite number"))
        ended = f"stopped by {trained.stopped_by} after epoch {len(trained.history)}"
        self.reporter.stage(f"{ended}, kept epoch {trained.best_epoch}")
        self.journal.done[label] = trained
        return trained

    def _watched(self, validation: Prepared | None) -> Watched | None:
        """The primary metric of a row of the history, less is better, if it is what chooses the epoch."""
        if self.ready.config.training.watch != "primary" or validation is None:
            return None
        metric = self.ready.config.evaluation.primary
        sign = -1.0 if METRICS[metric].higher_is_better else 1.0
        return lambda row: sign * row.get(f"validation_{metric}", math.nan)

    def _most_rows(self) -> int:
        """The training rows of the network that has most."""
        left_out = self.ready.parts["train"].left_out
        n_rows = len(self.ready.parts["train"].rows)
        if left_out is None:
            return n_rows
        return n_rows - int(np.bincount(left_out, minlength=len(self.networks)).min())

    def _options(self) -> SettledOptions:
        training = self.ready.config.training
        if self.journal.until_step is not None:  # repeated: the clock decides nothing
            training = training.model_copy(update={"minutes": None})
        return SettledOptions.model_validate(dict(training))

    def _minutes_left(self, options: SettledOptions, done: Sequence[TrainResult]) -> float | None:
        """What is left of the time, for the networks that are left."""
        if options.minutes is None:
            return None
        spent = sum(seconds for trained in done for seconds in trained.seconds) / 60
        return max(0.0, options.minutes - spent)

    def _events(self, number: int) -> Path | None:
        several = self.events is not None and len(self.networks) > 1
        return self.events / network_name(number) if self.events is not None and several else self.events


def _rows(ready: Ready, number: int) -> tuple[np.ndarray | None, Prepared | None]:
    """Positions of the training rows of a network, None for all, and the rows that validate it."""
    training = ready.parts["train"]
    if training.left_out is None:
        return None, ready.validation
    own = training.left_out == number
    return np.flatnonzero(~own), training.chosen(np.flatnonzero(own))


def _examples(ready: Ready, rows: Prepared) -> Examples:
    weights = targets_prepare.row_weights(ready.targets, rows.encoded, rows.weight)
    truths = {output_name(position): truth for position, truth in enumerate(rows.encoded)}
    streamed = ready.config.data.residence == "stream"
    if all(np.ptp(weight) == 0 for weight in weights):
        return Examples(rows.inputs, truths, streamed=streamed)
    by_name = {output_name(position): weight for position, weight in enumerate(weights)}
    return Examples(rows.inputs, truths, by_name, streamed)


def _primary_score(ready: Ready, validation: Prepared | None, outputs: Mapping[str, np.ndarray]) -> dict[str, float]:
    """The primary metric of the first target on validation rows."""
    if validation is None:
        return {}
    name, state = next(iter(ready.targets.items()))
    metric = ready.config.evaluation.primary
    value = score(state, validation.truths[name], outputs[output_name(0)], metric, weight=validation.weight)
    return {metric: value}
