"""One training, from prepared rows to a model: build, train, and train again on more rows if asked to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from bptrain.config.schema import Config
from bptrain.data.frame import Frame
from bptrain.data.split import Split
from bptrain.data.spool import spooled
from bptrain.evaluation.evaluate import evaluate
from bptrain.evaluation.predictions import OUT_OF_FOLD, predictions_table
from bptrain.fitting.inputs import Prepared, Ready, final_split, prepare
from bptrain.fitting.journal import MODEL, REFIT, Journal
from bptrain.fitting.warm_start import BaseRun
from bptrain.models.predictor import Predictor
from bptrain.targets import preparer as targets_prepare
from bptrain.training.progress import Reporter

if TYPE_CHECKING:
    from bptrain.training.state import TrainResult

PREDICTED_ROWS = 2**16
Known = Mapping[str, Sequence[np.ndarray]]  # by part: outputs (n_rows, n_outputs) per target


@dataclass(frozen=True)
class Trial:
    """A trained model and the parts it is judged on; `selection` is the training that chose the epoch of a refit.

    `trained` tells of each network how its training went. `known` holds the outputs that tuning has computed, by
    part and target.
    """

    ready: Ready
    model: Predictor
    trained: Sequence[TrainResult]
    selection: Trial | None = None
    known: Known = field(default_factory=dict)

    @property
    def config(self) -> Config:
        return self.ready.config

    @property
    def diverged(self) -> bool:
        return any(each.stopped_by == "diverged" for each in self.trained)

    @property
    def epoch_seconds(self) -> list[float]:
        """The seconds of each epoch, those of the selection first."""
        every = [*(self.selection.trained if self.selection else []), *self.trained]
        return [seconds for each in every for seconds in each.seconds]

    def without_rows(self) -> Trial:
        """The same without its prepared rows, once nothing is to be predicted any more: they take most memory."""
        return replace(self, ready=replace(self.ready, parts={}), known={})


def start(config: Config) -> None:
    """Start Keras on its backend, which takes seconds the first time in a process; `train` needs it."""
    from bptrain.models import backend

    backend.start(threads=config.training.threads)


def train_and_refit(
    ready: Ready,
    frame: Frame,
    split: Split,
    reporter: Reporter,
    earlier: BaseRun | None = None,
    *,
    journal: Journal,
    label: str = MODEL,
    events: Path | None = None,
) -> Trial:
    """The trial of `ready`; with `training.final: refit` trained anew on training and validation rows together.

    The refit learns columns and targets anew, and takes their kinds, the network, batches, rates and number of epochs
    of the first training. Trainings go on where the `journal` has a part of one with this `label`. `events` is the
    folder of event files for TensorBoard, if these are to be written.
    """
    chosen = train(ready, reporter, earlier, journal=journal, label=label, events=events)
    if ready.config.training.final == "best" or not len(split.validation) or chosen.diverged:
        return chosen
    reporter.stage(f"refit on training and validation rows: {chosen.trained[0].best_epoch} epochs")
    rows = final_split(ready.config, split)
    again = prepare(ready.config, frame, rows, earlier, folder=ready.folder, published=ready.published)
    again = replace(again, kinds=ready.kinds)  # with the reasons for them
    refitted = train(again, reporter, earlier, journal=journal, label=label + REFIT, after=chosen)
    return replace(refitted, selection=chosen)


def selection_report(selection: Trial) -> dict[str, Any]:
    """Per target the metrics of the training that chose the epoch, on the validation rows that it did not train on."""
    part = {"validation": selection.ready.parts["validation"]}
    report = evaluate(predictions(selection.model, part, known=selection.known), selection.model.targets)
    return {name: target["splits"]["validation"] for name, target in report.items()}


def train(
    ready: Ready,
    reporter: Reporter,
    earlier: BaseRun | None = None,
    *,
    journal: Journal,
    label: str = MODEL,
    after: Trial | None = None,
    events: Path | None = None,
) -> Trial:
    """Build the networks and train them; validation rows, or the fold that each leaves out, choose its epoch.

    They choose temperatures and thresholds, too. `after` is the training from which a refit takes over all of these.
    """
    from bptrain.fitting.bagging import Trainings, build_networks, keeping_best

    networks = build_networks(ready, earlier)
    chosen_epoch = after.trained[0] if after else None
    trained = Trainings(networks, ready, reporter, journal, label, chosen_epoch, events).train_all()
    networks = keeping_best(ready, networks, after.model.networks if after else None)
    model = Predictor(ready.columns, ready.targets, networks, ready.profile)
    if after is not None:
        return Trial(
            ready, replace(model, targets=targets_prepare.copy_calibration(ready.targets, after.model.targets)), trained
        )
    known = _outputs_to_tune_by(ready, model)
    return Trial(ready, replace(model, targets=_tuned(ready, known)), trained, known=known)


def predictions(
    model: Predictor, parts: Mapping[str, Prepared], folder: Path | None = None, *, known: Known = MappingProxyType({})
) -> pa.Table:
    """The table of predictions for all parts, in the order of the rows; made and kept in chunks of these.

    Training rows of which each network left out a fold are `out_of_fold` here, as that network alone predicts them.
    Outputs that are `known` are not computed again.

    Those of many rows lie in a file without a name on the disk of `folder`, if one is given.
    """
    last = max(int(part.rows[-1]) for part in parts.values())
    chunks = (_predictions_chunk(model, parts, known, first) for first in _firsts(last))
    return pa.concat_tables(chunks) if folder is None or last < PREDICTED_ROWS else spooled(chunks, folder)


def _predictions_chunk(model: Predictor, parts: Mapping[str, Prepared], known: Known, first: int) -> pa.Table:
    """Of the row numbers from `first` on; the rows of each part are in the order of their numbers."""
    tables = []
    for name, part in parts.items():
        chosen = _chunk(part, first)
        outputs = [each[chosen] for each in known[name]] if name in known else _outputs(model, part, chosen)
        truths = {key: truth[chosen] for key, truth in part.truths.items()}
        rows = part.rows[chosen]
        split = [name if part.left_out is None else OUT_OF_FOLD] * len(rows)
        tables.append(predictions_table(model.targets, outputs, truths, rows, part.weight[chosen], split))
    table = pa.concat_tables(tables)
    return table.take(pa.array(np.argsort(table["row"].to_numpy(), kind="stable"))).combine_chunks()


def _firsts(last: int) -> range:
    """The first row number of each chunk of rows up to the `last`."""
    return range(0, last + 1, PREDICTED_ROWS)


def _chunk(part: Prepared, first: int) -> slice:
    """The positions of the rows of a chunk."""
    return slice(*np.searchsorted(part.rows, [first, first + PREDICTED_ROWS]).tolist())


def _outputs(model: Predictor, part: Prepared, chosen: slice) -> list[np.ndarray]:
    left_out = None if part.left_out is None else part.left_out[chosen]
    return model.outputs({name: array[chosen] for name, array in part.inputs.items()}, left_out)


def _outputs_to_tune_by(ready: Ready, model: Predictor) -> Known:
    """Outputs on the rows that validate, if there are such; in the chunks of `predictions`.

    The last bits of an output depend on the row's place in a block, and so on where a chunk begins.
    """
    rows = ready.validation
    if rows is None:
        return {}
    chunks = [_outputs(model, rows, _chunk(rows, first)) for first in _firsts(int(rows.rows[-1]))]
    return {ready.validating_part: [np.concatenate(every) for every in zip(*chunks, strict=True)]}


def _tuned(ready: Ready, known: Known) -> targets_prepare.Targets:
    """The targets with what validation rows choose."""
    validation = ready.validation
    if validation is None:
        return ready.targets
    return targets_prepare.calibrate(
        ready.targets,
        validation.encoded,
        known[ready.validating_part],
        validation.weight,
        metric=ready.config.evaluation.primary,
        seed=ready.config.seed,
    )
