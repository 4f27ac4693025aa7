"""Messages of `workflows`."""

from __future__ import annotations

from bptrain.messages.code import Code

CODES: dict[str, Code] = {
    "BP233": Code(
        "no rows to predict",
        "The table has columns but no rows, so there are no predictions.",
        "Nothing, if that is as it should be.",
    ),
    "BP234": Code(
        "rows without prediction",
        "A cell is not what its column's kind can read (no finite number, no date), so its row has no prediction.",
        "Look for rows whose `status` is not `ok`; correct the cells, or add them to `data.na_values` and train again.",
    ),
    "BP235": Code(
        "labels never seen in training",
        "A category holds labels that the training rows did not have; they count as unknown.",
        "If there are many, train again with newer rows.",
    ),
    "BP236": Code(
        "a column without any usable cell",
        "No cell of the column is of the kind that it had in training, for instance a finite number.",
        "Check that it is the right column and file, and that decimal mark and missing values are as in training.",
    ),
    "BP237": Code(
        "predictions that are not finite",
        "Numbers far outside what training rows held drove the network beyond what it can represent.",
        "Look for rows whose `status` is `no finite prediction`, and correct their extreme values.",
    ),
    "BP304": Code(
        "judged on training data",
        "The file to be judged is one whose rows trained the model, so its metrics say little about new rows.",
        "Judge rows that the run has not seen, or run `bptrain evaluate` without --data for its own test rows.",
    ),
    "BP308": Code(
        "judged without weights",
        "The run was judged with a column of weights that these rows do not have, so each counts as one row.",
        "Add the column to the rows if the metrics are to be weighted.",
    ),
    "BP518": Code(
        "another split",
        "The files are those of the run, but its rows fall into other parts: another scikit-learn splits otherwise.",
        "Install the scikit-learn of the run's lock.json, or judge other data with `bptrain evaluate RUN --data FILE`.",
    ),
    "BP530": Code(
        "another format",
        "A file of the run has a format that this bptrain does not read.",
        "Use the bptrain version named in the run's lock.json, or train again.",
    ),
    "BP600": Code(
        "training diverged",
        "The loss or a weight became infinite or not a number. The run is published with the "
        "last finite weights, but not as the latest.",
        "Lower the learning rate, or look for extreme values in the columns.",
    ),
}
