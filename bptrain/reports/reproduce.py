"""What `bptrain reproduce` found, for a person: the verdict, then what changed and how much it did."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bptrain.utils.text import escape

if TYPE_CHECKING:
    from bptrain.workflows.reproduce import Reproduction

VERDICTS = {
    "identical": "identical: weights, metrics and predictions are the same, bit for bit",
    "differs": "NOT REPRODUCED: nothing that results depend on changed, but they did",
    "other inputs": "NOT REPRODUCED: the config or the data is another, so nothing was trained",
    "explained": "reproduced in a different environment: other bits, metrics as near as with other seeds",
    "unexplained": "NOT REPRODUCED: in a different environment, metrics are further away than with other seeds",
}


def reproduction_text(found: Reproduction) -> str:
    """The verdict in the first line, each reason in one more."""
    lines = [VERDICTS[found.verdict]]
    lines += [f"  changed: {each}" for each in found.differences]
    if found.first_epoch is not None:
        lines.append(f"  weights differ from epoch {found.first_epoch} of the training `{escape(found.training)}` on")
    lines += [
        f"  {escape(each.target)}: {each.name} {each.now:.6g}, was {each.before:.6g}; "
        f"seeds explain a distance of {each.tolerance:.2g}{', but it is no better than trivial' * each.useless}"
        for each in found.metrics
    ]
    return "\n".join(lines)
