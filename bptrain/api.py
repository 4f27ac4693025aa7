"""The Python API: the same words as the command line."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bptrain.config.load import config_from_mapping, load_config, paths_in_overrides, with_source_locations
from bptrain.data.files import AllowedPaths
from bptrain.errors import BptrainError
from bptrain.training.progress import NullReporter, Reporter
from bptrain.workflows import run as record
from bptrain.workflows.evaluate import evaluate
from bptrain.workflows.fit import fit as fit_config
from bptrain.workflows.predict import predict_frame

if TYPE_CHECKING:
    import pandas as pd

    from bptrain.workflows.run import Evaluation

__all__ = ["BptrainError", "Run", "fit", "open_run"]


class RowsWarning(UserWarning):
    """Something about rows that were predicted; its text begins with a code that `bptrain explain` knows."""


class Run(record.Run):
    """A sealed run directory; every file is checked against its manifest before it is used."""

    def evaluate(
        self,
        data: str | Path | pd.DataFrame | None = None,
        *,
        gates: Sequence[str] = (),
        root: str | Path | None = None,
    ) -> Evaluation:
        """Judge the model on the rows of its config, read anew, or on `data`: a file or a frame with the target.

        Raises DataError when the config's files changed or `data` cannot be used, UsageError for a wrong gate, and
        RunError when the rows are no longer split as the run was.
        """
        extras = [data] if isinstance(data, (str, Path)) else []
        return evaluate(self, data, gates=gates, roots=AllowedPaths.create(root, extras=extras))

    def predict(self, data: pd.DataFrame) -> pd.DataFrame:
        """Predictions for the rows of a frame, one row each, in its order, with its index.

        Warns (`RowsWarning`) of rows without a prediction and of new labels. Raises DataError for a frame that lacks
        columns, or in which a numeric column has no usable cell.
        """
        predictions, summary = predict_frame(self, data)
        for problem in summary.warnings():
            warnings.warn(f"{problem.code}: {problem.message}", RowsWarning, stacklevel=2)
        return predictions


def fit(
    config: str | Path | Mapping[str, object],
    *,
    overrides: Sequence[str] = (),
    run: str | Path | None = None,
    root: str | Path | None = None,
    reporter: Reporter | None = None,
    resume: bool = False,
    locked: str | Path | None = None,
) -> Run:
    """Train, judge and seal a run.

    `config` is the path of a YAML file or the same content as a mapping; `overrides` are texts such as
    `training.epochs=5`. The run is written to `run`, by default the next `runs/<config>-NNNN`. Data paths start from
    `root`, by default the working directory, and only those in `overrides` may leave it. With `resume`, a run that was
    interrupted goes on; `locked` is the lock.json of a run whose inputs must be the same. Raises the errors of
    `bptrain.errors`; failed gates raise nothing, they are in `run.metrics["gates"]` and `run.passed`.
    """
    if isinstance(config, Mapping):
        loaded, stem = config_from_mapping(config, overrides=overrides), "run"
    else:
        loaded, stem = load_config(Path(config), overrides=overrides), Path(config).stem
    target, roots = Path(run) if run else None, AllowedPaths.create(root, extras=paths_in_overrides(overrides))
    lock = Path(locked) if locked else None
    with with_source_locations(config if isinstance(config, Mapping) else Path(config), overrides):
        made = fit_config(
            loaded, run=target, stem=stem, roots=roots, reporter=reporter or NullReporter(), resume=resume, locked=lock
        )
    return Run.open(made)


def open_run(path: str | Path) -> Run:
    """A run that was made before. Raises RunError when it is damaged, unfinished or no run."""
    return Run.open(path)
