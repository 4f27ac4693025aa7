"""Messages of `scaffold`."""

from __future__ import annotations

from bptrain.messages.code import Code

CODES: dict[str, Code] = {
    "BP171": Code(
        "no target is named",
        "`bptrain init` has to know which column shall be predicted.",
        "Add `--target NAME` with one of the columns listed.",
    ),
    "BP172": Code(
        "`--target` names no column",
        "The table has no column with the name given.",
        "Write one of the columns listed, with its capital letters; put a name with spaces in quotes.",
    ),
}
