"""The Python API: the same words as the command line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from bptrain import pipeline
from bptrain.config.given_paths import given_paths
from bptrain.config.load import config_from_mapping, load_config
from bptrain.config.places import placed
from bptrain.errors import BptrainError
from bptrain.listener import Listener, Silent
from bptrain.run import Run
from bptrain.table.files import Roots

__all__ = ["BptrainError", "Run", "fit", "open_run"]


def fit(
    config: str | Path | Mapping[str, object],
    *,
    overrides: Sequence[str] = (),
    run: str | Path | None = None,
    root: str | Path | None = None,
    listener: Listener | None = None,
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
    target, roots = Path(run) if run else None, Roots.create(root, extras=given_paths(overrides))
    lock = Path(locked) if locked else None
    with placed(config if isinstance(config, Mapping) else Path(config), overrides):
        made = pipeline.fit(
            loaded, run=target, stem=stem, roots=roots, listener=listener or Silent(), resume=resume, locked=lock
        )
    return Run.open(made)


def open_run(path: str | Path) -> Run:
    """A run that was made before. Raises RunError when it is damaged, unfinished or no run."""
    return Run.open(path)
