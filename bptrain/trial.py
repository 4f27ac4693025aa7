"""One training, from prepared rows to a model: build, train, and train again on more rows if asked to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from bptrain.config.schema import Config
from bptrain.errors import Problem
from bptrain.journal import MODEL, REFIT, Journal
from bptrain.judging.judge import judge, score
from bptrain.judging.predictions import predictions_table
from bptrain.listener import Listener
from bptrain.predictor import Predictor
from bptrain.preparation import Prepared, Ready, final_split, prepare
from bptrain.table.frame import Frame
from bptrain.table.split import Split
from bptrain.table.spool import spooled
from bptrain.targets import prepare as targets_prepare
from bptrain.targets.tuning import tuned, tuned_as
from bptrain.warm_start import Earlier

if TYPE_CHECKING:
    from bptrain.training.batches import Examples
    from bptrain.training.course import Trained

PREDICTED_ROWS = 2**16


@dataclass(frozen=True)
class Trial:
    """A trained model and the parts it is judged on; `selection` is the training that chose the epoch of a refit."""

    ready: Ready
    model: Predictor
    trained: Trained
    selection: Trial | None = None

    @property
    def config(self) -> Config:
        return self.ready.config

    @property
    def diverged(self) -> bool:
        return self.trained.stopped_by == "diverged"

    @property
    def epoch_seconds(self) -> list[float]:
        """The seconds of each epoch, those of the selection first."""
        return [*(self.selection.trained.seconds if self.selection else []), *self.trained.seconds]

    def without_rows(self) -> Trial:
        """The same without its prepared rows, once nothing is to be predicted any more: they take most memory."""
        return replace(self, ready=replace(self.ready, parts={}))


def start(config: Config) -> None:
    """Start Keras on its backend, which takes seconds the first time in a process; `train` needs it."""
    from bptrain.network import backend

    backend.start(threads=config.training.threads)


def train_and_refit(
    ready: Ready,
    frame: Frame,
    split: Split,
    listener: Listener,
    earlier: Earlier | None = None,
    *,
    journal: Journal,
    label: str = MODEL,
    events: Path | None = None,
) -> Trial:
    """The trial of `ready`; with `training.final: refit` trained anew on training and validation rows together.

    The refit learns columns and targets anew, and takes as many epochs as the first training kept. Trainings go on
    where the `journal` has a part of one with this `label`. `events` is the folder of event files for TensorBoard, if
    these are to be written.
    """
    chosen = train(ready, listener, earlier, journal=journal, label=label, events=events)
    if ready.config.training.final == "best" or not len(split.validation) or chosen.diverged:
        return chosen
    listener.stage(f"refit on training and validation rows: {chosen.trained.best_epoch} epochs")
    again = prepare(ready.given, frame, final_split(ready.config, split), earlier, folder=ready.folder)
    refitted = train(again, listener, earlier, journal=journal, label=label + REFIT, after=chosen)
    return replace(refitted, selection=chosen)


def selection_report(selection: Trial) -> dict[str, Any]:
    """Per target the metrics of the training that chose the epoch, on the validation rows that it did not train on."""
    part = {"validation": selection.ready.parts["validation"]}
    report = judge(predictions(selection.model, part), selection.model.targets)
    return {name: target["splits"]["validation"] for name, target in report.items()}


def train(
    ready: Ready,
    listener: Listener,
    earlier: Earlier | None = None,
    *,
    journal: Journal,
    label: str = MODEL,
    after: Trial | None = None,
    events: Path | None = None,
) -> Trial:
    """Build the network and train it; with validation rows, these choose the epoch and the thresholds.

    `after` is the training whose epochs and thresholds a refit takes over.
    """
    model = _build(ready, earlier)
    trained = _train(model, ready, listener, journal, label, after, events)
    journal.done[label] = trained
    return Trial(ready, replace(model, targets=_tuned(ready, model, after)), trained)


def predictions(model: Predictor, parts: Mapping[str, Prepared], folder: Path | None = None) -> pa.Table:
    """The table of predictions for all parts, in the order of the rows; made and kept in chunks of these.

    Those of many rows lie in a file without a name on the disk of `folder`, if one is given.
    """
    last = max(int(part.rows[-1]) for part in parts.values())
    chunks = (_predictions_chunk(model, parts, first) for first in range(0, last + 1, PREDICTED_ROWS))
    return pa.concat_tables(chunks) if folder is None or last < PREDICTED_ROWS else spooled(chunks, folder)


def _predictions_chunk(model: Predictor, parts: Mapping[str, Prepared], first: int) -> pa.Table:
    """Of the row numbers from `first` on; the rows of each part are in the order of their numbers."""
    tables = []
    for name, part in parts.items():
        chosen = slice(*np.searchsorted(part.rows, [first, first + PREDICTED_ROWS]).tolist())
        outputs = model.outputs({key: array[chosen] for key, array in part.inputs.items()})
        truths = {key: truth[chosen] for key, truth in part.truths.items()}
        rows = part.rows[chosen]
        tables.append(predictions_table(model.targets, outputs, truths, rows, part.weight[chosen], [name] * len(rows)))
    table = pa.concat_tables(tables)
    return table.take(pa.array(np.argsort(table["row"].to_numpy(), kind="stable"))).combine_chunks()


def _build(ready: Ready, earlier: Earlier | None) -> Predictor:
    from bptrain.network import backend

    backend.fresh_names()
    from bptrain.network.build import build, set_weights, weight_shapes

    network = build(ready.columns, ready.targets, ready.config.model, seed=ready.config.seed)
    if earlier is not None:
        set_weights(network, earlier.weights(weight_shapes(network)))
    return Predictor(ready.columns, ready.targets, network, ready.profile)


def _train(
    model: Predictor,
    ready: Ready,
    listener: Listener,
    journal: Journal,
    label: str,
    after: Trial | None,
    events: Path | None,
) -> Trained:
    from bptrain.network.build import losses
    from bptrain.training.event_log import event_log
    from bptrain.training.train import Hooks
    from bptrain.training.train import train as train_network

    config, validation, repeated = ready.config, ready.parts.get("validation"), journal.until_step is not None
    epochs = after.trained.best_epoch if after else config.training.epochs
    with event_log(events) as log:

        def on_epoch(row: dict[str, float]) -> None:
            listener.epoch(row, epochs)
            log(row)

        def on_resume(history: list[dict[str, float]]) -> None:
            listener.resumed(history, epochs)
            for row in history:
                log(row)

        trained = train_network(
            model.network,
            _examples(ready, "train"),
            None if validation is None else _examples(ready, "validation"),
            losses(ready.targets),
            config.training.model_copy(update={"minutes": None}) if repeated else config.training,
            seed=config.seed,
            hooks=Hooks(lambda outputs: _primary_score(ready, outputs), on_epoch, on_resume, journal.warn),
            after=after.trained if after else None,
            saving=journal.saving(label),
            until_step=(journal.until_step or {}).get(label),
        )
    if validation is not None and not any(np.isfinite(row["validation_loss"]) for row in trained.history):
        listener.warning(Problem("BP601", "the loss on validation rows was never a finite number"))
    ended = f"stopped by {trained.stopped_by} after epoch {len(trained.history)}"
    listener.stage(f"{ended}, kept epoch {trained.best_epoch}")
    return trained


def _tuned(ready: Ready, model: Predictor, after: Trial | None) -> targets_prepare.Targets:
    """The targets with what validation rows choose: here, or in the training that a refit follows."""
    if after is not None:
        return tuned_as(ready.targets, after.model.targets)
    validation = ready.parts.get("validation")
    if validation is None:
        return ready.targets
    return tuned(
        ready.targets,
        ready.config.targets,
        validation.encoded,
        model.outputs(validation.inputs),
        validation.weight,
        metric=ready.config.evaluation.primary,
        seed=ready.config.seed,
    )


def _examples(ready: Ready, part: str) -> Examples:
    from bptrain.network.build import output_name
    from bptrain.training.batches import Examples

    rows = ready.parts[part]
    weights = targets_prepare.row_weights(ready.targets, rows.encoded, rows.weight)
    truths = {output_name(position): truth for position, truth in enumerate(rows.encoded)}
    streamed = ready.config.data.residence == "stream"
    if all(np.ptp(weight) == 0 for weight in weights):
        return Examples(rows.inputs, truths, streamed=streamed)
    by_name = {output_name(position): weight for position, weight in enumerate(weights)}
    return Examples(rows.inputs, truths, by_name, streamed)


def _primary_score(ready: Ready, outputs: Mapping[str, np.ndarray]) -> dict[str, float]:
    """The primary metric of the first target on validation rows."""
    from bptrain.network.build import output_name

    validation = ready.parts.get("validation")
    if validation is None:
        return {}
    name, state = next(iter(ready.targets.items()))
    metric = ready.config.evaluation.primary
    value = score(state, validation.truths[name], outputs[output_name(0)], metric, weight=validation.weight)
    return {metric: value}
