"""k-fold cross-validation: the whole training, once per fold, judged on rows that chose nothing.

In each fold, its rows only judge: columns are learned on the fold's training rows, inner validation rows choose the
epoch, the temperature and the threshold, and with `training.final: refit` the fold's model is refitted as the published
one is. So the folds estimate what the same procedure gives on new rows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from bptrain.data.split import Split
from bptrain.errors import DataError, Problem
from bptrain.evaluation.evaluate import evaluate
from bptrain.evaluation.folds import summarize
from bptrain.fitting import dataset as survey
from bptrain.fitting import fit_model as trial
from bptrain.fitting import inputs as preparation
from bptrain.fitting.journal import Journal
from bptrain.fitting.warm_start import BaseRun
from bptrain.training.progress import Reporter


@dataclass(frozen=True)
class Folds:
    """The `cross_validation` part of metrics.json, and the predictions of every row by the model of its fold."""

    summary: dict[str, Any]
    predictions: pa.Table


def run(
    found: survey.Dataset,
    published: Split,
    earlier: BaseRun | None,
    reporter: Reporter,
    journal: Journal,
    *,
    folder: Path | None = None,
) -> Folds | None:
    """Train and judge once per fold; None without `split.folds`. Raises DataError when the folds cannot be made.

    The kinds of columns are those of the model that has the split `published`.
    `folder` is where large arrays may be kept; trainings go on where the `journal` has a part of them.
    """
    if not found.config.split.folds:
        return None
    splits = survey.folds(found)
    prepared = [
        _prepare(found, split, published, number, earlier, folder) for number, split in enumerate(splits, start=1)
    ]
    reports, tables, trained, judged = [], [], [], []
    for number, (split, ready) in enumerate(zip(splits, prepared, strict=True), start=1):
        reporter.stage(f"fold {number} of {len(splits)}")
        made = trial.train_and_refit(
            ready, found.frame, split, reporter, earlier, journal=journal, label=f"fold-{number}"
        )
        if made.diverged:
            reporter.warning(Problem("BP603", f"the training of fold {number} diverged, so its metrics are undefined"))
        part = {"test": made.ready.parts["test"]}
        tables.append(trial.predictions(made.model, part))
        trained.append(len(made.ready.parts["train"].rows))
        judged.append(len(part["test"].rows))
        reports.append(evaluate(tables[-1], made.model.targets))
    return Folds(summarize(reports, n_trained=trained, n_judged=judged), _joined(tables))


def _prepare(
    found: survey.Dataset,
    split: Split,
    published: Split,
    number: int,
    earlier: BaseRun | None,
    folder: Path | None,
) -> preparation.Ready:
    """A fold ready to be trained; all are made before the first is, so that none is lost to what one cannot use."""
    try:
        return preparation.prepare(found.config, found.frame, split, earlier, folder=folder, published=published)
    except DataError as error:
        told = (replace(problem, message=f"fold {number}: {problem.message}") for problem in error.problems)
        raise DataError(*told) from error


def _joined(tables: list[pa.Table]) -> pa.Table:
    """All predictions with the number of their fold instead of their split, in the order of the rows.

    A label that a fold's training rows did not hold has no probability there.
    """
    numbered = [
        table.set_column(1, "fold", pa.array(np.full(table.num_rows, number, np.int32)))
        for number, table in enumerate(tables, start=1)
    ]
    return pa.concat_tables(numbered, promote_options="default").sort_by("row")
