"""Messages of `cli`."""

from __future__ import annotations

from bptrain.messages.code import Code

CODES: dict[str, Code] = {
    "BP159": Code(
        "no such code",
        "`bptrain explain` was asked for a code that no message has.",
        "Run `bptrain explain` for the list.",
    ),
    "BP303": Code(
        "a gate failed",
        "The model is not as good as the gate demands. The run is published all the same.",
        "Improve the model, or lower the gate if the demand was too high.",
    ),
    "BP602": Code(
        "the run's training had diverged",
        "The run that is judged holds the last finite weights of a training that failed; no judgement of it passes.",
        "Train again with a lower learning rate, or judge another run.",
    ),
    "BP700": Code(
        "not reproduced",
        "With the same inputs and in the same environment the results were others, or they are further from the run's "
        "than other seeds explain.",
        "Look at the first epoch that differs, and at what the message names; report it if nothing changed.",
    ),
    "BP730": Code(
        "interrupted",
        "A signal ended the run; its last checkpoint is in DIR.partial, and nothing was published.",
        "Go on with `bptrain fit CONFIG --resume`; it ends as if nothing had happened.",
    ),
    "BP731": Code(
        "out of memory",
        "The machine has not enough memory for the table or the network.",
        "Use a larger machine, fewer rows or columns, or a smaller network.",
    ),
    "BP732": Code(
        "an operation of the system failed",
        "Reading or writing failed for the reason shown.",
        "Look at the path and the reason.",
    ),
    "BP900": Code(
        "a bug in bptrain",
        "Something happened that should be impossible; the traceback is in the file named.",
        "Please report it with that file.",
    ),
}
