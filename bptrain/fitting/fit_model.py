"""From prepared rows to a trained model: build, train, choose what validation rows choose, train again if asked to.

And what such a model predicts of its parts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from bptrain.data.frame import Frame
from bptrain.data.memory import memory_map_table
from bptrain.data.splits import Split
from bptrain.evaluation.evaluate import evaluate_predictions, predictions_table
from bptrain.evaluation.options import OUT_OF_FOLD
from bptrain.fitting.inputs import PreparedRows, TrainingInputs, final_split, learn_preparation, transform_parts
from bptrain.fitting.resume import FitContext
from bptrain.models.predictor import Predictor
from bptrain.runs.storage import Json
from bptrain.targets import preparer as targets_preparer

if TYPE_CHECKING:
    from bptrain.fitting.bagging import Bag

PREDICTED_ROWS = 2**16
REFIT = "-refit"
Outputs = Mapping[str, Sequence[np.ndarray]]  # by part: outputs (n_rows, n_outputs) per target


@dataclass(frozen=True)
class TrainedModel:
    """A trained model and the parts that it is judged on.

    Attributes:
        inputs: what it was trained on.
        predictor: the model.
        bag: its networks, and how the training of each went.
        selection: the training that chose the epoch of a refit.
        outputs: what calibration has computed already, by part and target.
    """

    inputs: TrainingInputs
    predictor: Predictor
    bag: Bag
    selection: TrainedModel | None = None
    outputs: Outputs = field(default_factory=dict)

    @property
    def diverged(self) -> bool:
        """Whether a training left the finite numbers."""
        return any(result.stopped_by == "diverged" for result in self.bag.results)


def fit_model(
    inputs: TrainingInputs,
    frame: Frame,
    split: Split,
    context: FitContext,
    *,
    published: Split,
    label: str = "model",
    folder: Path | None = None,
) -> TrainedModel:
    """Train the model of prepared rows; with `training.final: refit` anew on training and validation rows together.

    Validation rows, or the fold that each network leaves out, choose its epoch, its members, temperatures and
    thresholds. The refit learns columns and targets anew, and takes over all of these, and the number of epochs.

    Args:
        inputs: prepared rows and the config.
        frame, split: the table, and which of its rows these are.
        context: reporter, checkpoints and base run.
        published: the split of the model that is published, whose training rows settle the kinds of columns.
        label: names the trainings in checkpoints and lock.json.
        folder: where large arrays may be kept.
    """
    config = inputs.config
    from bptrain.fitting.bagging import fit_bag  # here, as it loads Keras

    bag = fit_bag(inputs, context, label)
    predictor = Predictor(inputs.columns, inputs.targets, bag.networks, inputs.profile)
    outputs = dict[str, list[np.ndarray]]()
    part = "validation" if inputs.parts["train"].network_fold is None else "train"
    if part in inputs.parts:  # its rows chose the epochs
        rows = inputs.parts[part]
        outputs[part] = _outputs_in_chunks(predictor, rows)
        targets = targets_preparer.calibrate(
            inputs.targets,
            rows.encoded,
            outputs[part],
            rows.weight,
            metric=config.complete.evaluation.primary,
            seed=config.complete.seed,
        )
        predictor = replace(predictor, targets=targets)
    model = TrainedModel(inputs, predictor, bag, outputs=outputs)
    if config.training.final == "best" or not len(split.validation) or model.diverged:
        return model
    context.reporter.stage(f"refit on training and validation rows: {bag.results[0].best_epoch} epochs")
    learned = learn_preparation(
        config.complete, frame, final_split(config.complete, split), context.base_run, published=published
    )
    again = transform_parts(config, learned, frame, folder)
    bag = fit_bag(again, context, label + REFIT, before=bag)
    targets = targets_preparer.copy_calibration(again.targets, predictor.targets)
    return TrainedModel(again, Predictor(again.columns, targets, bag.networks, again.profile), bag, selection=model)


def predict_parts(
    predictor: Predictor,
    parts: Mapping[str, PreparedRows],
    folder: Path | None = None,
    *,
    known: Outputs = MappingProxyType({}),
) -> pa.Table:
    """The table of predictions for all parts, in the order of the rows; made and kept in chunks of these.

    Training rows of which each network left out a fold are the part `out_of_fold`, as that network alone predicts them.
    Outputs that are `known` are not computed again. Predictions of many rows lie in a file without a name on the disk
    of `folder`, if one is given.
    """

    def chunk(first: int) -> pa.Table:
        """Of the row numbers from `first` on; the rows of each part are in the order of their numbers."""
        tables = []
        for name, part in parts.items():
            chosen = slice(*np.searchsorted(part.rows, [first, first + PREDICTED_ROWS]).tolist())
            outputs = [each[chosen] for each in known[name]] if name in known else _outputs(predictor, part, chosen)
            truths = {key: truth[chosen] for key, truth in part.truths.items()}
            rows = part.rows[chosen]
            names = [name if part.network_fold is None else OUT_OF_FOLD] * len(rows)
            tables.append(predictions_table(predictor.targets, outputs, truths, rows, part.weight[chosen], names))
        table = pa.concat_tables(tables)
        return table.take(pa.array(np.argsort(table["row"].to_numpy(), kind="stable"))).combine_chunks()

    last = max(int(part.rows[-1]) for part in parts.values())
    chunks = (chunk(first) for first in range(0, last + 1, PREDICTED_ROWS))
    return pa.concat_tables(chunks) if folder is None or last < PREDICTED_ROWS else memory_map_table(chunks, folder)


def report_selection(selection: TrainedModel) -> dict[str, Json]:
    """Per target the metrics of the training that chose the epoch, on the validation rows that it did not train on."""
    part = {"validation": selection.inputs.parts["validation"]}
    report = evaluate_predictions(
        predict_parts(selection.predictor, part, known=selection.outputs), selection.predictor.targets
    )
    return {name: target["splits"]["validation"] for name, target in report.items()}


def _outputs_in_chunks(predictor: Predictor, rows: PreparedRows) -> list[np.ndarray]:
    """Outputs in the chunks of `predict_parts`, as the last bits of one depend on where its chunk begins."""
    starts = range(0, int(rows.rows[-1]) + 1, PREDICTED_ROWS)
    slices = (slice(*np.searchsorted(rows.rows, [first, first + PREDICTED_ROWS]).tolist()) for first in starts)
    chunks = [_outputs(predictor, rows, chosen) for chosen in slices]
    return [np.concatenate(every) for every in zip(*chunks, strict=True)]


def _outputs(predictor: Predictor, part: PreparedRows, chosen: slice) -> list[np.ndarray]:
    fold = None if part.network_fold is None else part.network_fold[chosen]
    return predictor.outputs({name: array[chosen] for name, array in part.inputs.items()}, fold)
