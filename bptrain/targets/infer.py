"""What a target is when the config does not say."""

from __future__ import annotations

import numpy as np
import pyarrow.compute as pc

from bptrain.errors import DataError, Problem, UsageError
from bptrain.table.frame import NEARLY_ALL, Frame
from bptrain.targets.binary.options import BinaryOptions
from bptrain.targets.labels import learn_labels
from bptrain.targets.multiclass.options import MulticlassOptions
from bptrain.targets.regression.options import RegressionOptions
from bptrain.targets.tasks import AutoOptions, TargetOptions
from bptrain.text import escape, yaml_name

MOST_LABELS = 100  # more text labels than this are hardly a target of classification
FEW_NUMBERS = 20  # up to so many distinct numbers could as well be labels: the user has to say


def resolve(frame: Frame, name: str, options: TargetOptions) -> TargetOptions:
    """The options with a task, inferred from the column's values where it is `auto`.

    Raises DataError for a column without two different values or with a few odd cells among numbers, UsageError where
    the values do not tell.
    """
    if not isinstance(options, AutoOptions):
        return options
    if options.positive is not None:
        return BinaryOptions(positive=options.positive)
    values, bad = frame.numbers(name)
    distinct = np.unique(values[~np.isnan(values)])
    if bad.any():
        _refuse_almost_numbers(frame, name, bad, len(distinct))
    elif len(distinct) > FEW_NUMBERS:
        return RegressionOptions()
    n_labels = int(pc.count_distinct(frame.keys(name), mode="only_valid").as_py())
    if n_labels < 2:
        raise _single_value(frame, name)
    if n_labels == 2:
        return BinaryOptions()
    if bad.any():
        return _text_labels(name, n_labels, mostly_numbers=bool(2 * np.count_nonzero(bad) < frame.n_present(name)))
    raise UsageError(
        Problem(
            "BP151",
            f"target `{escape(name)}` has {n_labels} different numbers: these could be labels or amounts",
            hints=(
                f"write `{_with_task(name, 'multiclass')}` for labels",
                f"write `{_with_task(name, 'regression')}` for amounts",
            ),
            key=("targets", name),
        )
    )


def _refuse_almost_numbers(frame: Frame, name: str, bad: np.ndarray, n_distinct: int) -> None:
    """Raise DataError when numbers fill nearly all cells, so that the others are rather mistakes than labels."""
    n_present = frame.n_present(name)
    if n_distinct > 1 and int(bad.sum()) <= (1 - NEARLY_ALL) * n_present:
        hint = f"if all are labels, write `{_with_task(name, 'multiclass')}`; else correct these cells"
        raise DataError(frame.almost_numbers(name, bad, n_present, what="target", hint=hint))


def _with_task(name: str, task: str) -> str:
    return f"target: {{column: {yaml_name(name)}, task: {task}}}"


def _single_value(frame: Frame, name: str) -> DataError:
    labels = learn_labels(frame, name)
    held = f"the one value `{escape(labels[0])}`" if labels else "no value"
    return DataError(
        Problem(
            "BP261",
            f"target `{escape(name)}` holds {held} in {frame.n_rows} rows: there is nothing to tell apart",
            hints=("check that this is the right column and the right file",),
            key=("targets", name),
        )
    )


def _text_labels(name: str, n_labels: int, *, mostly_numbers: bool) -> MulticlassOptions:
    if n_labels <= MOST_LABELS:
        return MulticlassOptions()
    seems = "numbers with some other text" if mostly_numbers else "free text or identifiers"
    raise UsageError(
        Problem(
            "BP151",
            f"target `{escape(name)}` has {n_labels} different texts: that looks like {seems}",
            hints=(
                "if some cells mean missing, add them to `data.na_values`",
                f"if all are labels, write `{_with_task(name, 'multiclass')}`",
            ),
            key=("targets", name),
        )
    )
