"""One training, from rows to a model: prepare on training rows, build, train, and train again on more if asked to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from bptrain import survey
from bptrain.columns import prepare as columns_prepare
from bptrain.columns import refusal
from bptrain.columns.drift import Profile, profile
from bptrain.columns.infer import Kinds
from bptrain.columns.weights import row_weights, weight_column
from bptrain.config.schema import Config
from bptrain.errors import Problem
from bptrain.judging.judge import judge, score
from bptrain.judging.predictions import predictions_table
from bptrain.listener import Listener
from bptrain.predictor import Predictor
from bptrain.table import space
from bptrain.table.frame import Frame
from bptrain.table.report import Cleaned
from bptrain.table.split import Split
from bptrain.table.spool import spooled
from bptrain.targets import prepare as targets_prepare
from bptrain.targets.tuning import tuned, tuned_as, untuned
from bptrain.warm_start import Earlier

if TYPE_CHECKING:
    from bptrain.training.batches import Examples
    from bptrain.training.train import Trained

PREDICTED_ROWS = 2**16


@dataclass(frozen=True)
class Prepared:
    """One part, ready for the network: its row numbers, network inputs, targets as numbers and labels, and weights.

    `changed` counts the cells that were cleaned on the way, by (what was done, column).
    """

    rows: np.ndarray
    inputs: Mapping[str, np.ndarray]
    encoded: list[np.ndarray]
    truths: Mapping[str, pa.Array]
    weight: np.ndarray
    changed: Mapping[tuple[str, str], int]


@dataclass(frozen=True)
class Ready:
    """What training starts from: the settled config, what training rows taught, and every part prepared by it.

    `given` is the config before the kinds of columns were settled: a refit settles them by its own rows.
    `profile` tells what the training rows were like, `cleaned` what was done to rows and cells of all parts. `folder`
    is where large arrays may be kept.
    """

    given: Config
    config: Config
    kinds: Kinds
    columns: columns_prepare.Columns
    targets: targets_prepare.Targets
    parts: Mapping[str, Prepared]
    profile: Profile
    cleaned: list[Cleaned]
    folder: Path | None = None


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


def prepare(
    config: Config, frame: Frame, split: Split, earlier: Earlier | None = None, *, folder: Path | None = None
) -> Ready:
    """Settle the kinds of columns, learn from the training rows, and prepare all parts.

    Prepared rows that are to be streamed lie in files without names on the disk of `folder`; without one all are in
    memory. Raises UsageError and DataError for columns and cells that cannot be used.
    """
    given = config
    config, kinds = survey.settle_columns(config, frame.take(split.train))
    row_weights(frame, weight_column(config.columns))  # wrong ones of all parts in one message
    split, left_out = trained_split(config, frame, split)
    training = frame.take(split.train)
    columns, targets = _learn(config, training, earlier)
    config = config.model_copy(update={"targets": targets_prepare.written_back(config.targets, targets)})
    weight = weight_column(config.columns)
    config = _with_residence(config, columns, targets, frame.n_rows)
    room = folder if config.data.residence == "stream" else None
    parts = {name: prepared(columns, targets, frame.take(rows), weight, room) for name, rows in split.parts().items()}
    before = profile(training, [*columns_prepare.used_columns(columns), *targets])
    cleaned = [*_ignored(kinds), *left_out, *_changed(parts)]
    return Ready(given, config, kinds, columns, targets, parts, before, cleaned, folder)


def _with_residence(
    config: Config, columns: columns_prepare.Columns, targets: targets_prepare.Targets, n_rows: int
) -> Config:
    """The config with it settled whether prepared rows are streamed, by their bytes, those of all folds included.

    A step on all rows needs them in memory.
    """
    if config.data.residence != "auto":
        return config
    n_bytes = n_rows * (columns_prepare.row_bytes(columns) + targets_prepare.row_bytes(targets))
    too_large = n_bytes * (1 + (config.split.folds or 0)) > config.data.memory_limit * 2**20
    residence = "stream" if too_large and config.training.batch_size != "all" else "memory"
    return config.model_copy(update={"data": config.data.model_copy(update={"residence": residence})})


def trained_split(config: Config, frame: Frame, split: Split) -> tuple[Split, list[Cleaned]]:
    """The split without the training rows that have no weight or that options of columns leave out, and how many."""
    kept, reasons = columns_prepare.rows_to_train(frame.take(split.train), config.columns)
    steps = [
        Cleaned(f"rows with a cell that is {what} not trained on", n, len(kept), "rows", column)
        for what, column, n in reasons
    ]
    weight = row_weights(frame.take(split.train), weight_column(config.columns))
    if not weight.all():
        steps.append(Cleaned("rows of weight 0 not trained on", int((weight == 0).sum()), len(kept), "rows"))
    kept &= weight > 0
    return (split if kept.all() else replace(split, train=split.train[kept])), steps


def _ignored(kinds: Kinds) -> list[Cleaned]:
    """The columns that inference left out, counted by why."""
    whys = {
        "BP243": "columns without values",
        "BP244": "constant columns",
        "BP245": "identifiers",
        "BP246": "free text",
    }
    codes = [warning.code for warning in kinds.warnings if warning.message.find("is ignored") >= 0]
    counts = {code: codes.count(code) for code in whys if code in codes}
    return [Cleaned(f"{whys[code]} ignored", n, len(kinds.options), "columns") for code, n in counts.items()]


def _changed(parts: Mapping[str, Prepared]) -> list[Cleaned]:
    """Cells that were cleaned while columns were transformed, over all parts."""
    n_rows = sum(len(part.rows) for part in parts.values())
    totals: Counter[tuple[str, str]] = Counter()
    for part in parts.values():
        totals.update(part.changed)
    return [Cleaned(what, n, n_rows, "cells", column) for (what, column), n in totals.items()]


def prepared(
    columns: columns_prepare.Columns,
    targets: targets_prepare.Targets,
    frame: Frame,
    weight: str | None,
    folder: Path | None = None,
) -> Prepared:
    """The rows of `frame`, ready for the network; `weight` is the column of weights.

    With a `folder`, large arrays lie in files on its disk. Raises DataError as `prepare`.
    """
    allocate = space.in_memory if folder is None else space.in_files(folder)
    transformed = refusal.transform_strictly(columns, frame, allocate)
    return Prepared(
        frame.rows,
        transformed.arrays,
        [space.moved(each, allocate) for each in targets_prepare.encode(targets, frame)],
        targets_prepare.truths(targets, frame),
        row_weights(frame, weight),
        transformed.changed,
    )


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
    events: Path | None = None,
) -> Trial:
    """The trial of `ready`; with `training.final: refit` trained anew on training and validation rows together.

    The refit learns columns and targets anew, and takes as many epochs as the first training kept. `events` is the
    folder of event files for TensorBoard, if these are to be written.
    """
    chosen = train(ready, listener, earlier, events=events)
    if ready.config.training.final == "best" or not len(split.validation) or chosen.diverged:
        return chosen
    listener.stage(f"refit on training and validation rows: {chosen.trained.best_epoch} epochs")
    again = prepare(ready.given, frame, final_split(ready.config, split), earlier, folder=ready.folder)
    return replace(train(again, listener, earlier, after=chosen), selection=chosen)


def final_split(config: Config, split: Split) -> Split:
    """The rows as the published model sees them: after a refit, validation rows are training rows."""
    if config.training.final == "best" or not len(split.validation):
        return split
    return Split(np.sort(np.concatenate([split.train, split.validation])), split.validation[:0], split.test)


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
    after: Trial | None = None,
    events: Path | None = None,
) -> Trial:
    """Build the network and train it; with validation rows, these choose the epoch and the thresholds.

    `after` is the training whose epochs and thresholds a refit takes over.
    """
    model = _build(ready, earlier)
    trained = _train(model, ready, listener, after, events)
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


def describe(ready: Ready) -> str:
    """How many rows each part has, and how many columns each kind."""
    rows = ", ".join(f"{len(part.rows)} {name}" for name, part in ready.parts.items())
    kinds = ", ".join(f"{len(state.columns)} {kind}" for kind, state in ready.columns.items())
    return f"{rows} rows; columns: {kinds}"


def _learn(
    config: Config, training: Frame, earlier: Earlier | None
) -> tuple[columns_prepare.Columns, targets_prepare.Targets]:
    if earlier is not None:  # its weights mean something only together with its preparation
        return earlier.columns, untuned(earlier.targets, config.targets)
    weight = row_weights(training, weight_column(config.columns))
    return columns_prepare.learn(training, config.columns), targets_prepare.learn(training, config.targets, weight)


def _build(ready: Ready, earlier: Earlier | None) -> Predictor:
    from bptrain.network import backend

    backend.fresh_names()
    from bptrain.network.build import build, set_weights, weight_shapes

    network = build(ready.columns, ready.targets, ready.config.model, seed=ready.config.seed)
    if earlier is not None:
        set_weights(network, earlier.weights(weight_shapes(network)))
    return Predictor(ready.columns, ready.targets, network, ready.profile)


def _train(model: Predictor, ready: Ready, listener: Listener, after: Trial | None, events: Path | None) -> Trained:
    from bptrain.network.build import losses
    from bptrain.training.event_log import event_log
    from bptrain.training.train import train as train_network

    config, validation = ready.config, ready.parts.get("validation")
    with event_log(events) as log:

        def on_epoch(row: dict[str, float]) -> None:
            listener.epoch(row, after.trained.best_epoch if after else config.training.epochs)
            log(row)

        trained = train_network(
            model.network,
            _examples(ready, "train"),
            None if validation is None else _examples(ready, "validation"),
            losses(ready.targets),
            config.training,
            seed=config.seed,
            score=lambda outputs: _primary_score(ready, outputs),
            on_epoch=on_epoch,
            after=after.trained if after else None,
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
