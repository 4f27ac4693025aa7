"""Messages of `scaffold`."""

from __future__ import annotations

from bptrain.messages.message import Message

NO_TARGET = Message(
    "BP171",
    text="which column shall be predicted is not said",
    hints=("write `--target NAME`, perhaps `--target {guess}`", "columns: {names}"),
    title="no target is named",
    meaning="`bptrain init` has to know which column shall be predicted.",
)
NO_SUCH_TARGET = Message(
    "BP172",
    text="the table has no column `{name}` to predict",
    hints=("columns: {names}",),
    title="`--target` names no column",
    meaning="The table has no column with the name given. Capital letters count; a name with spaces needs quotes.",
)
