"""What the options of targets leave open, settled by the model."""

from __future__ import annotations

from collections.abc import Mapping

from bptrain.targets.regression.options import RegressionOptions
from bptrain.targets.tasks import AutoOptions, TargetOptions


def with_usual_options(targets: Mapping[str, TargetOptions], *, textbook: bool) -> dict[str, TargetOptions]:
    """The options of all targets with `clip` settled, and for `mlp` also `transform` and `temperature`, to none.

    Else training rows settle `transform`, and validation rows choose a temperature.
    """
    return {name: _settled(options, textbook=textbook) for name, options in targets.items()}


def _settled(options: TargetOptions, *, textbook: bool) -> TargetOptions:
    found: dict[str, object] = {}
    if isinstance(options, RegressionOptions):
        if options.clip == "auto":
            found["clip"] = not textbook
        if textbook and options.transform == "auto":
            found["transform"] = "none"
    elif not isinstance(options, AutoOptions) and textbook and options.temperature == "auto":
        found["temperature"] = 1.0
    return options.model_copy(update=found)
