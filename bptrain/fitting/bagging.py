"""The networks of a model: a bag of them, built and trained one after the other, and which of their members predict.

A plain fit is a bag of one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from bptrain.evaluation.evaluate import score
from bptrain.fitting.inputs import PreparedRows, TrainingInputs
from bptrain.fitting.resolve import FEWEST_SELECTED
from bptrain.fitting.resume import FitContext
from bptrain.messages import fitting as messages
from bptrain.models.build import (
    Network,
    build_networks,
    combined,
    losses,
    network_name,
    network_seed,
    output_name,
    select_members,
    set_weights,
    weight_shapes,
)
from bptrain.models.predict import PredictFunction, validation_block
from bptrain.targets import preparer as targets_preparer
from bptrain.targets.metrics import METRICS
from bptrain.training.callbacks import validation_loss
from bptrain.training.dataset import ArrayDataset
from bptrain.training.progress import event_log
from bptrain.training.state import TrainResult
from bptrain.training.train_step import mean_loss
from bptrain.training.trainer import Hooks, Trainer

LEAST_GAIN = 0.002  # the share of the loss for which another member predicts (decision M4)


@dataclass(frozen=True)
class Bag:
    """The trained networks of a model, and how the training of each went."""

    networks: list[Network]
    results: list[TrainResult]


def fit_bag(inputs: TrainingInputs, context: FitContext, label: str, *, before: Bag | None = None) -> Bag:
    """Build the networks of a model and train each from its own first weights, functions of seed and number.

    A network is trained on the rows that are not in its fold, and the rows of its fold choose its epoch; where no folds
    are left out, validation rows do. The layers of the first network are trained for each, as its program is then
    compiled once: networks differ in their rows, in their first weights, and in the step from which dropout counts
    (decision M2).

    Args:
        inputs: prepared rows and the config.
        context: reporter, checkpoints and base run.
        label: names the trainings in checkpoints and lock.json, followed by the number of the network.
        before: the bag that chose epochs and members, which a refit takes over.
    """
    config = inputs.config
    networks = build_networks(inputs.columns, inputs.targets, config.model, seed=config.complete.seed)
    for number, network in enumerate(networks):
        if context.base_run is not None:
            set_weights(network.model, context.base_run.read_weights(number, weight_shapes(network.model)))
    workbench, training = networks[0], inputs.parts["train"]
    n_rows = len(training.rows)
    if training.network_fold is not None:
        n_rows -= int(np.bincount(training.network_fold, minlength=len(networks)).min())
    trainer = Trainer(
        workbench,
        training_examples(inputs, training),
        losses(inputs.targets, config.model.members),
        losses(inputs.targets),
        config.training,
        n_rows=n_rows,
        n_trainings=len(networks),
    )
    first_weights = [network.model.get_weights() for network in networks]
    weights, results = [], list[TrainResult]()
    for number, first in enumerate(first_weights):
        if len(networks) > 1:
            context.reporter.stage(f"network {number + 1} of {len(networks)}")
        workbench.model.set_weights(first)
        chosen = before.results[number] if before else None
        results.append(_fit_network(trainer, inputs, context, label, results, chosen, n_networks=len(networks)))
        weights.append(workbench.model.get_weights())
    for network, trained in zip(networks, weights, strict=True):
        network.model.set_weights(trained)
    selected = [network.selected for network in before.networks] if before else _select_members(inputs, networks)
    for number, members in enumerate(selected):
        if members is not None:
            networks[number] = select_members(networks[number], members, inputs.columns, inputs.targets, config.model)
    return Bag(networks, results)


def _fit_network(
    trainer: Trainer,
    inputs: TrainingInputs,
    context: FitContext,
    label: str,
    done: Sequence[TrainResult],
    chosen: TrainResult | None,
    *,
    n_networks: int,
) -> TrainResult:
    """Train one network, after those `done`; a refit makes as many epochs as the training that was `chosen`."""
    number, options, reporter = len(done), inputs.config.training, context.reporter
    label = f"{label}-{number + 1}"
    positions, validation = rows_of_network(inputs, number)
    minutes = None
    if options.minutes is not None and context.resume.until_step is None:  # repeated: the clock decides nothing
        minutes = max(0.0, options.minutes - sum(seconds for each in done for seconds in each.seconds) / 60)
    epochs = chosen.best_epoch if chosen else options.epochs
    events = context.events / network_name(number) if context.events and not chosen else None
    primary = inputs.config.complete.evaluation.primary
    monitors_primary = options.monitor == "primary" and validation is not None
    with event_log(events) as log:

        def on_epoch(row: dict[str, float]) -> None:
            reporter.epoch(row, epochs)
            log(row)

        def on_resume(history: list[dict[str, float]]) -> None:
            reporter.resumed(history, epochs)
            for row in history:
                log(row)

        result = trainer.train(
            positions,
            None if validation is None else training_examples(inputs, validation),
            seed=network_seed(inputs.config.complete.seed, number),
            minutes=minutes,
            sharing=n_networks - number,
            hooks=Hooks(
                lambda outputs: _score_primary(inputs, validation, outputs),
                partial(_primary_loss, primary) if monitors_primary else validation_loss,
                on_epoch,
                on_resume,
                context.resume.warn,
            ),
            after=chosen,
            saving=context.resume.saving(label),
            until_step=(context.resume.until_step or {}).get(label),
        )
    if validation is not None and not any(np.isfinite(row["validation_loss"]) for row in result.history):
        reporter.warning(messages.NO_VALIDATION_LOSS())
    reporter.stage(f"stopped by {result.stopped_by} after epoch {len(result.history)}, kept epoch {result.best_epoch}")
    context.resume.done[label] = result
    return result


def _primary_loss(primary: str, row: Mapping[str, float]) -> float:
    """The primary metric on validation rows in a row of the history, as something that is to be small."""
    value = row.get(f"validation_{primary}", math.nan)
    return -value if METRICS[primary].higher_is_better else value


def _score_primary(
    inputs: TrainingInputs, validation: PreparedRows | None, outputs: Mapping[str, np.ndarray]
) -> dict[str, float]:
    """The primary metric of the first target on validation rows."""
    if validation is None:
        return {}
    (target, state), primary = next(iter(inputs.targets.items())), inputs.config.complete.evaluation.primary
    truth = validation.truths[target]
    return {primary: score(state, truth, outputs[output_name(0)], primary, weight=validation.weight)}


def rows_of_network(inputs: TrainingInputs, number: int) -> tuple[np.ndarray | None, PreparedRows | None]:
    """Positions of the training rows of a network, None for all, and the rows that validate it."""
    training = inputs.parts["train"]
    if training.network_fold is None:
        return None, inputs.parts.get("validation")
    left_out = training.network_fold == number
    return np.flatnonzero(~left_out), training.take(np.flatnonzero(left_out))


def training_examples(inputs: TrainingInputs, rows: PreparedRows) -> ArrayDataset:
    """Prepared rows as `Trainer` takes them; with weights where rows or classes count differently."""
    weights = targets_preparer.row_weights(inputs.targets, rows.encoded, rows.weight)
    truths = {output_name(position): truth for position, truth in enumerate(rows.encoded)}
    streamed = inputs.config.residence == "stream"
    if all(np.ptp(weight) == 0 for weight in weights):
        return ArrayDataset(rows.inputs, truths, streamed=streamed)
    by_name = {output_name(position): weight for position, weight in enumerate(weights)}
    return ArrayDataset(rows.inputs, truths, by_name, streamed)


def _select_members(inputs: TrainingInputs, networks: Sequence[Network]) -> list[tuple[int, ...] | None]:
    """The members of each network whose mean has little loss on the rows that validate it; None for all.

    Forward selection (Caruana et al. 2004). How many is one decision for all networks, as the rows of one are few: by
    the mean of the losses over all rows (decision M4).
    """
    model, everyone = inputs.config.model, [None] * len(networks)
    validations = [validation for _, validation in (rows_of_network(inputs, n) for n in range(len(networks)))]
    if model.ensemble_selection is None or any(rows is None for rows in validations):
        return list(everyone)
    program, judged, rankings, sizes = PredictFunction(networks[0].members), losses(inputs.targets), [], []
    for network, validation in zip(networks, validations, strict=True):
        assert validation is not None  # noqa: S101 — the line above says so
        examples = training_examples(inputs, validation)
        outputs = program.predict(
            network.members.get_weights(), examples.inputs, block_rows=validation_block(examples.n_rows)
        )

        def loss(
            members: Sequence[int], examples: ArrayDataset = examples, outputs: Mapping[str, np.ndarray] = outputs
        ) -> float:
            mean = combined({name: output[:, members] for name, output in outputs.items()}, inputs.targets)
            return mean_loss(judged, examples, mean)

        rankings.append(forward_selection(model.members, loss))
        sizes.append(examples.n_rows)
    if isinstance(model.ensemble_selection, int):
        n_kept = model.ensemble_selection
    else:
        mean_losses = np.average([ranking.losses for ranking in rankings], axis=0, weights=sizes)
        n_kept = n_selected(mean_losses.tolist(), at_least=FEWEST_SELECTED, least_gain=LEAST_GAIN)
    return [tuple(sorted(ranking.order[:n_kept])) for ranking in rankings] if n_kept < model.members else list(everyone)


@dataclass(frozen=True)
class Ranking:
    """Candidates in the order in which forward selection takes them, and the loss of the first 1, 2, … together."""

    order: tuple[int, ...]
    losses: tuple[float, ...]


def forward_selection(n_candidates: int, loss: Callable[[Sequence[int]], float]) -> Ranking:
    """Rank candidates by what they do for the loss of several together: the best, then always the one that helps most.

    Caruana et al., Ensemble Selection from Libraries of Models (ICML 2004). Of equals the first is taken; a loss that
    is no number is worse than every other.

    Args:
        loss: the loss of the mean of some candidates, given their positions, rising.
    """
    order, losses = list[int](), list[float]()
    while len(order) < n_candidates:
        candidates = [candidate for candidate in range(n_candidates) if candidate not in order]
        values = [loss(sorted([*order, candidate])) for candidate in candidates]
        value, best = min(
            (math.inf if math.isnan(value) else value, candidate)
            for value, candidate in zip(values, candidates, strict=True)
        )
        order.append(best)
        losses.append(value)
    return Ranking(tuple(order), tuple(losses))


def n_selected(losses: Sequence[float], *, at_least: int, least_gain: float) -> int:
    """How many to select, of candidates whose first 1, 2, … together have these losses.

    So many as `at_least`, and more as long as each makes the loss less by more than this share of its size.
    """
    for n_chosen in range(at_least, len(losses)):
        before = losses[n_chosen - 1]
        if not losses[n_chosen] < before - least_gain * abs(before):
            return n_chosen
    return len(losses)
