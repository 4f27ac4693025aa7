"""Messages of `workflows`."""

from __future__ import annotations

from bptrain.messages.message import Message

NO_ROWS_TO_PREDICT = Message(
    "BP233",
    "the table has no rows, so there are no predictions",
    ("nothing needs to be done if that is as it should be",),
    title="no rows to predict",
    meaning="The table has columns but no rows, so there are no predictions.",
)
ROWS_WITHOUT_PREDICTION = Message(
    "BP234",
    "column `{name}`: {n} of {n_rows} cells are {unusable}; their rows have no prediction",
    ("their `status` says so; see `data.na_values` for missing",),
    title="rows without prediction",
    meaning="A cell is not what its column's kind can read (no finite number, no date), so its row has no prediction. "
    "Correct the cells, or add them to `data.na_values` and train again.",
)
UNKNOWN_LABELS = Message(
    "BP235",
    "column `{name}`: {n} of {n_rows} cells hold labels that training rows never showed",
    title="labels never seen in training",
    meaning="A category holds labels that the training rows did not have; they count as unknown.",
    remedy="if there are many, train again with newer rows",
)
NO_USABLE_CELL = Message(
    "BP236",
    "column `{name}` was {kind} in training, but every cell of it is {unusable} here",
    ("check the column, `data.decimal` and `data.na_values`",),
    title="a column without any usable cell",
    meaning="No cell of the column is of the kind that it had in training, for instance a finite number: it may be "
    "another column or file, or decimal mark and missing values are not as in training.",
)
NOT_FINITE = Message(
    "BP237",
    "{n} of {n_rows} rows hold numbers so extreme that the prediction is not finite",
    ("their `status` says so; look for extreme values",),
    title="predictions that are not finite",
    meaning="Numbers far outside what training rows held drove the network beyond what it can represent.",
)
TRAINED_ON = Message(
    "BP304",
    "this file is one that the model was trained on: its metrics flatter the model",
    ("judge rows that the run has not seen; without --data its own test rows are judged",),
    title="judged on training data",
    meaning="The file to be judged is one whose rows trained the model, so its metrics say little about new rows.",
)
NO_WEIGHTS = Message(
    "BP308",
    "the rows have no column `{name}`, the weights of the run, so all rows count alike",
    ("add the column if the metrics are to be weighted",),
    title="judged without weights",
    meaning="The run was judged with a column of weights that these rows do not have, so each counts as one row.",
)
OTHER_SPLIT = Message(
    "BP518",
    "the rows are not split as when the run was made: another scikit-learn splits otherwise",
    (
        "use the version that made the run: `pip install scikit-learn=={version}`",
        "the run's own judgement stands: `bptrain inspect` shows it",
    ),
    title="another split",
    meaning="The files are those of the run, but its rows fall into other parts: another scikit-learn splits "
    "otherwise. Other data can be judged with `bptrain evaluate RUN --data FILE`.",
)
OTHER_FORMAT = Message(
    "BP530",
    "`{path}` has a lock.json of format {format}, which cannot be made again",
    ("use the bptrain version named in its lock.json",),
    title="another format",
    meaning="A file of the run has a format that this bptrain does not read.",
)
OTHER_MODEL_FORMAT = Message(
    "BP530",
    "{file} has format {format}; this bptrain reads format {readable}",
    ("use the bptrain version that made the run (see its lock.json), or train again",),
)
DIVERGED = Message(
    "BP600",
    "training diverged: the loss or a weight was no finite number in epoch {epoch}",
    (
        "lower `training.optimizer.learning_rate`, for instance to a tenth",
        "look for extreme values in the columns; the run holds the last finite weights",
    ),
    title="training diverged",
    meaning="The loss or a weight became infinite or not a number. The run is published with the last finite weights, "
    "but not as the latest.",
)
