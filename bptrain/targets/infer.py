"""What a target is when the config does not say."""

from __future__ import annotations

import numpy as np

from bptrain.errors import DataError, Problem, UsageError
from bptrain.table.frame import Frame
from bptrain.targets.binary.options import BinaryOptions
from bptrain.targets.labels import learn_labels
from bptrain.targets.multiclass.options import MulticlassOptions
from bptrain.targets.regression.options import RegressionOptions
from bptrain.targets.tasks import AutoOptions, TargetOptions

MOST_LABELS = 100  # more text labels than this are hardly a target of classification
FEW_NUMBERS = 20  # up to so many distinct numbers could as well be labels: the user has to say


def resolve(frame: Frame, name: str, options: TargetOptions) -> TargetOptions:
    """The options with a task, inferred from the column's values where it is `auto`.

    Raises DataError for a column without two different values, UsageError where the values do not tell.
    """
    if not isinstance(options, AutoOptions):
        return options
    if options.positive is not None:
        return BinaryOptions(positive=options.positive)
    labels = learn_labels(frame, name)
    if len(labels) < 2:
        raise _single_value(frame, name, labels)
    if len(labels) == 2:
        return BinaryOptions()
    _, bad = frame.numbers(name)
    if bad.any():
        return _text_labels(name, len(labels), int(np.count_nonzero(~bad)))
    if len(labels) > FEW_NUMBERS:
        return RegressionOptions()
    raise UsageError(
        Problem(
            "BP151",
            f"target `{name}` has {len(labels)} different numbers: these could be labels or amounts",
            hints=(
                f"write `target: {{column: {name}, task: multiclass}}` for labels",
                f"write `target: {{column: {name}, task: regression}}` for amounts",
            ),
            key=("targets", name),
        )
    )


def _single_value(frame: Frame, name: str, labels: tuple[str, ...]) -> DataError:
    held = f"the one value `{labels[0]}`" if labels else "no value"
    return DataError(
        Problem(
            "BP261",
            f"target `{name}` holds {held} in {frame.n_rows} rows: there is nothing to tell apart",
            hints=("check that this is the right column and the right file",),
            key=("targets", name),
        )
    )


def _text_labels(name: str, n_labels: int, n_numbers: int) -> MulticlassOptions:
    if n_labels <= MOST_LABELS:
        return MulticlassOptions()
    seems = "numbers with some other text" if n_numbers > n_labels / 2 else "free text or identifiers"
    raise UsageError(
        Problem(
            "BP151",
            f"target `{name}` has {n_labels} different texts: that looks like {seems}",
            hints=(
                "if some cells mean missing, add them to `data.na_values`",
                f"if all are labels, write `target: {{column: {name}, task: multiclass}}`",
            ),
            key=("targets", name),
        )
    )
