"""Messages of `evaluation`."""

from __future__ import annotations

from bptrain.messages.message import Message

NOT_A_GATE = Message(
    "BP300",
    "`{text}` is not a gate",
    ("write a metric, one of >= <= > <, and a finite number: `auc >= 0.9` or `validation.rmse < 3`",),
    title="not a gate",
    meaning="A gate is a metric, one of >= <= > <, and a finite number.",
)
NO_SUCH_METRIC = Message(
    "BP301",
    "the gate `{text}` names no metric of target `{target}`",
    ("use one of its metrics: {metrics}",),
    title="a gate on something unknown",
    meaning="The gate names a target or metric that the run does not have.",
)
NO_SUCH_TARGET = Message("BP301", "the gate `{text}` names no target of this run", ("the targets are {targets}",))
WHICH_TARGET = Message("BP301", "the gate `{text}` does not say which target", ("write `{example}`",))
NO_ROWS = Message(
    "BP302",
    "the gate `{text}` asks for {split} rows, but there are none",
    ("rows that are judged: {splits}; name one of these",),
    title="a gate without rows",
    meaning="The gate asks for a split that has no rows, such as `validation` where networks judge rows `out_of_fold`.",
)
