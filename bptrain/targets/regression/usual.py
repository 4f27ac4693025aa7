"""What the options of regression targets leave open, settled by the model."""

from __future__ import annotations

from collections.abc import Mapping

from bptrain.targets.regression.options import RegressionOptions
from bptrain.targets.tasks import TargetOptions


def with_usual_ends(targets: Mapping[str, TargetOptions], *, textbook: bool) -> dict[str, TargetOptions]:
    """The options of all targets with `clip` of numbers settled, and `transform` for `mlp`, which transforms nothing.

    Else the training rows settle `transform`.
    """
    return {name: _settled(options, textbook=textbook) for name, options in targets.items()}


def _settled(options: TargetOptions, *, textbook: bool) -> TargetOptions:
    if not isinstance(options, RegressionOptions):
        return options
    found: dict[str, object] = {"clip": not textbook} if options.clip == "auto" else {}
    if textbook and options.transform == "auto":
        found["transform"] = "none"
    return options.model_copy(update=found)
