"""Messages of `evaluation`."""

from __future__ import annotations

from bptrain.messages.code import Code

CODES: dict[str, Code] = {
    "BP300": Code(
        "not a gate",
        "A gate is a metric, one of >= <= > <, and a finite number.",
        "Write for instance `auc >= 0.9` or `validation.rmse < 3`.",
    ),
    "BP301": Code(
        "a gate on something unknown",
        "The gate names a target or metric that the run does not have.",
        "Use one of the names shown.",
    ),
    "BP302": Code(
        "a gate without rows", "The gate asks for a split that has no rows.", "Name another split, or keep rows for it."
    ),
}
