"""What the options of targets leave open, settled by the model."""

from __future__ import annotations

from collections.abc import Mapping

from bptrain.targets.regression.options import RegressionOptions
from bptrain.targets.tasks import TargetOptions, TaskOptions, with_tasks


def with_target_defaults(targets: Mapping[str, TargetOptions], *, textbook: bool) -> dict[str, TaskOptions]:
    """The options of all targets with `clip` settled, and for `mlp` also `transform` and `temperature`, to none.

    Else training rows settle `transform`, and validation rows choose a temperature. Tasks are known by now.
    """
    resolved: dict[str, TaskOptions] = {}
    for name, options in with_tasks(targets).items():
        if isinstance(options, RegressionOptions):
            defaults: dict[str, object] = {"clip": not textbook} | ({"transform": "none"} if textbook else {})
        else:
            defaults = {"temperature": 1.0} if textbook else {}
        is_open = {key: value for key, value in defaults.items() if getattr(options, key) == "auto"}
        resolved[name] = options.model_copy(update=is_open)
    return resolved
