"""Messages of `cli`."""

from __future__ import annotations

from bptrain.messages.message import Message

_GO_ON = ("a fit that was interrupted goes on with `--resume`",)

NO_SUCH_CODE = Message(
    "BP159",
    "there is no message with the code `{code}`",
    ("`bptrain explain` lists all codes",),
    title="no such code",
    meaning="`bptrain explain` was asked for a code that no message has.",
)
GATE_FAILED = Message(
    "BP303",
    "the gate `{gate}` failed on {split} rows: {measured}",
    ("improve the model, or lower the gate if it asks too much; the run itself is complete",),
    title="a gate failed",
    meaning="The model is not as good as the gate demands. The run is published all the same.",
)
DIVERGED_RUN = Message(
    "BP602",
    "the training of this run diverged; what it holds are the last finite weights",
    ("train again with a lower `training.optimizer.learning_rate`, or judge another run",),
    title="the run's training had diverged",
    meaning="The run that is judged holds the last finite weights of a training that failed; no judgement of it "
    "passes.",
)
NOT_REPRODUCED = Message(
    "BP700",
    "`{run}` is not reproduced: {causes}",
    title="not reproduced",
    meaning="With the same inputs and in the same environment the results were others, or they are further from the "
    "run's than other seeds explain.",
    remedy="look at the first epoch that differs, and at what the message names; report it if nothing changed",
)
INTERRUPTED = Message(
    "BP730",
    "interrupted",
    _GO_ON,
    title="interrupted",
    meaning="A signal ended the run; its last checkpoint is in DIR.partial, and nothing was published. Resumed, it "
    "ends as if nothing had happened.",
)
TERMINATED = Message("BP730", "terminated", _GO_ON)
OUT_OF_MEMORY = Message(
    "BP731",
    "out of memory",
    ("use a machine with more memory, or fewer rows or columns",),
    title="out of memory",
    meaning="The machine has not enough memory for the table or the network.",
)
SYSTEM_REFUSED = Message(
    "BP732",
    "the system refused: {reason}",
    ("look at the reason and the path; a run that was not finished stays in its `.partial` directory",),
    title="an operation of the system failed",
    meaning="Reading or writing failed for the reason shown.",
)
BUG = Message(
    "BP900",
    "this is a bug in bptrain, please report it with {file}: {error}",
    title="a bug in bptrain",
    meaning="Something happened that should be impossible; the traceback is in the file named.",
    remedy="please report it with that file",
)
