"""What the config leaves open, settled by looking at the table: tasks, the kind of split, kinds of columns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bptrain.columns import infer
from bptrain.config.schema import Config
from bptrain.errors import Problem, UsageError
from bptrain.judging.gates import Gate, check_gates, parse_gate
from bptrain.table.clean import drop_missing_targets
from bptrain.table.files import Roots
from bptrain.table.frame import Frame
from bptrain.table.load import load
from bptrain.table.split import Split, check_size, make_split
from bptrain.targets import infer as targets_infer
from bptrain.targets import tasks
from bptrain.targets.labels import codes_of, learn_labels
from bptrain.text import nearest, quote_list


@dataclass(frozen=True)
class Survey:
    """The cleaned rows, the part each row's file belongs to, file digests, and the config, tasks and split known."""

    config: Config
    frame: Frame
    given: np.ndarray
    digests: dict[str, str]
    warnings: list[Problem]


def survey(config: Config, roots: Roots) -> Survey:
    """Read and clean the table, and settle what needs no training rows.

    Raises UsageError for config mistakes that only the table shows, DataError for a table that cannot be used.
    """
    gates = [parse_gate(text) for text in config.evaluation.gates]
    warnings: list[Problem] = []
    loaded = load(config.data, roots, warn=warnings.append)
    _check_targets(loaded.frame.names, config)
    infer.match_patterns(_features(loaded.frame, config), config.columns, list(config.targets))
    frame, dropped = drop_missing_targets(loaded.frame, list(config.targets), config.clean)
    given = loaded.given[frame.rows]
    config = _settle(config, frame.take(np.flatnonzero(given == "train")), gates)
    return Survey(config, frame, given, loaded.digests, [*warnings, *dropped])


def split_rows(found: Survey) -> Split:
    """Training, validation and test rows as positions in `found.frame`."""
    return make_split(found.given, _classes(found), found.config.split, seed=found.config.seed)


def check_split(found: Survey) -> None:
    """Raise DataError when the split cannot be made, without making it."""
    options, classes = found.config.split, _classes(found)
    rows = np.flatnonzero(found.given == "train")
    for part, share in (("test", options.test), ("validation", options.validation)):
        if share and not (found.given == part).any():
            check_size(len(rows), None if classes is None else classes[rows], share, part=part)


def settle_columns(config: Config, frame: Frame) -> tuple[Config, infer.Kinds]:
    """The config with a kind for every column, from the training rows in `frame`, and why each was chosen."""
    found = infer.resolve(frame, config.columns, list(config.targets))
    return config.model_copy(update={"columns": found.options}), found


def gates_of(config: Config) -> list[Gate]:
    """The gates of a config."""
    return [parse_gate(text) for text in config.evaluation.gates]


def metrics_of(config: Config) -> dict[str, tuple[str, ...]]:
    """The metrics of each target, whose tasks are settled."""
    return {name: tasks.measures(options.task).METRICS for name, options in config.targets.items()}


def _features(frame: Frame, config: Config) -> list[str]:
    return [name for name in frame.names if name not in config.targets]


def _check_targets(names: tuple[str, ...], config: Config) -> None:
    missing = [target for target in config.targets if target not in names]
    if not missing:
        return
    problems = []
    for target in missing:
        near = nearest(target, names)
        hints = (f"did you mean {quote_list(near)}?",) if near else ()
        listed = f"columns: {quote_list(names, last='and')}"
        problems.append(Problem("BP154", f"the table has no column `{target}` to predict", hints=(*hints, listed)))
    raise UsageError(*problems)


def _settle(config: Config, frame: Frame, gates: list[Gate]) -> Config:
    targets = {name: targets_infer.resolve(frame, name, options) for name, options in config.targets.items()}
    config = config.model_copy(update={"targets": targets})
    metrics = metrics_of(config)
    check_gates(gates, metrics)
    primary = _primary(config.evaluation.primary, next(iter(metrics.values())))
    return config.model_copy(
        update={
            "split": config.split.model_copy(update={"kind": _split_kind(config)}),
            "evaluation": config.evaluation.model_copy(update={"primary": primary}),
        }
    )


def _split_kind(config: Config) -> str:
    tasks_ = [options.task for options in config.targets.values()]
    if config.split.kind != "auto":
        if config.split.kind == "stratified" and (len(tasks_) > 1 or tasks_[0] == "regression"):
            raise UsageError(
                Problem(
                    "BP155",
                    "`split: stratified` needs one target with labels",
                    hints=("write `split: random`",),
                )
            )
        return config.split.kind
    return "stratified" if len(tasks_) == 1 and tasks_[0] != "regression" else "random"


def _primary(name: str, metrics: tuple[str, ...]) -> str:
    if name == "auto":
        return metrics[0]
    if name in metrics:
        return name
    near = nearest(name, metrics)
    hints = (f"did you mean {quote_list(near)}?",) if near else ()
    raise UsageError(
        Problem(
            "BP156",
            f"`evaluation.primary` is `{name}`, which is no metric of the first target",
            hints=(*hints, f"metrics: {quote_list(metrics, last='and')}"),
        )
    )


def _classes(found: Survey) -> np.ndarray | None:
    """Class numbers (n_rows,) to stratify by, or None."""
    if found.config.split.kind != "stratified":
        return None
    target = next(iter(found.config.targets))
    return codes_of(found.frame.texts(target), learn_labels(found.frame, target))
