"""k-fold cross-validation: the whole training, once per fold, judged on rows that chose nothing.

In each fold, its rows only judge: columns are learned on the fold's training rows, inner validation rows choose the
epoch, the temperature and the threshold, and with `training.final: refit` the fold's model is refitted as the published
one is. So the folds estimate what the same procedure gives on new rows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from bptrain.data.splits import Split
from bptrain.errors import DataError
from bptrain.evaluation.evaluate import evaluate_predictions
from bptrain.evaluation.folds import summarize
from bptrain.fitting.dataset import Dataset, split_folds
from bptrain.fitting.fit_model import fit_model, predict_parts
from bptrain.fitting.inputs import learn_preparation, transform_parts
from bptrain.fitting.resolve import ResolvedConfig
from bptrain.fitting.resume import FitContext
from bptrain.messages import fitting as messages
from bptrain.runs.storage import Json


@dataclass(frozen=True)
class Folds:
    """The `cross_validation` part of metrics.json, and the predictions of every row by the model of its fold."""

    summary: dict[str, Json]
    predictions: pa.Table


def cross_validate(
    dataset: Dataset,
    config: ResolvedConfig,
    context: FitContext,
    *,
    published: Split,
    folder: Path | None = None,
) -> Folds:
    """Train and judge once per fold.

    All folds are prepared before the first is trained, so that no training is lost to what a later one cannot use.

    Args:
        dataset: the table.
        config: that of the published model, which gives the folds its kinds of columns and its sizes.
        context: reporter, checkpoints and base run.
        published: the split of the published model.
        folder: where large arrays may be kept.

    Raises:
        DataError: when the folds cannot be made, or one cannot be prepared.
    """
    frame, prepared = dataset.frame, []
    splits = split_folds(replace(dataset, config=config.complete))
    for number, split in enumerate(splits, start=1):
        try:
            learned = learn_preparation(config.complete, frame, split, context.base_run, published=published)
            prepared.append(transform_parts(config, learned, frame, folder))
        except DataError as error:
            named = (replace(problem, message=f"fold {number}: {problem.message}") for problem in error.problems)
            raise DataError(*named) from error
    context = replace(context, events=None)
    reports, tables, n_trained, n_judged = [], [], [], []
    for number, (split, inputs) in enumerate(zip(splits, prepared, strict=True), start=1):
        context.reporter.stage(f"fold {number} of {len(splits)}")
        model = fit_model(inputs, frame, split, context, published=published, label=f"fold-{number}", folder=folder)
        if model.diverged:
            context.reporter.warning(messages.FOLD_DIVERGED(number=number))
        part = {"test": model.inputs.parts["test"]}
        table = predict_parts(model.predictor, part)
        reports.append(evaluate_predictions(table, model.predictor.targets))
        numbers = pa.array(np.full(table.num_rows, number, np.int32))
        tables.append(table.set_column(1, "fold", numbers))  # instead of `split`
        n_trained.append(len(model.inputs.parts["train"].rows))
        n_judged.append(len(part["test"].rows))
    context.reporter.stage("the published model")  # is trained next
    # A label that a fold's training rows did not hold has no probability there.
    predictions = pa.concat_tables(tables, promote_options="default").sort_by("row")
    return Folds(summarize(reports, n_trained=n_trained, n_judged=n_judged), predictions)
