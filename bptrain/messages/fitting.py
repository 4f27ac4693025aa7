"""Messages of `fitting`."""

from __future__ import annotations

from bptrain.messages.message import Message

NO_SUCH_TARGET = Message(
    "BP154",
    "the table has no column `{name}` to predict",
    ("columns: {columns}",),
    key=("targets", "{name}"),
    title="no such target",
    meaning="The table has no column with the target's name: it is misspelt under `target`, or this is another file.",
)
NO_SUCH_PRIMARY = Message(
    "BP156",
    "`evaluation.primary` is `{name}`, which is no metric of the first target",
    ("metrics: {metrics}",),
    key=("evaluation", "primary"),
    title="no such metric",
    meaning="`evaluation.primary` is not a metric of the first target's task.",
)
REFIT_OF_SEVERAL = Message(
    "BP169",
    "`training.final: refit` trains one network anew, but `model.networks` is {networks}",
    ("remove `final: refit`: each of several networks has rows of its own that choose its epoch",),
    key=("training", "final"),
    title="a refit of several networks",
    meaning="`training.final: refit` trains one network anew on all rows, but there are several, each with rows of its "
    "own that choose its epoch. Remove `final: refit`, or write `model: {networks: 1}`.",
)
NO_LATER_ROWS = Message(
    "BP170",
    "{networks} networks need later rows to choose their epochs, but `split.validation` is 0",
    ("leave out `validation: 0`, or write `model: {{networks: 1}}`",),
    key=("split", "validation"),
    title="folds that know what came later",
    meaning="The split goes by time, several networks are to choose their epochs, and `split.validation: 0` leaves "
    "them no later rows for it; folds of the training rows would be judged by networks that know what came after.",
)
TOO_FEW_MEMBERS = Message(
    "BP174",
    "`model.ensemble_selection` is {n}, but {why}",
    ("write `ensemble_selection: null`: all members then predict",),
    key=("model", "ensemble_selection"),
    title="members that cannot be chosen",
    meaning="`model.ensemble_selection` lets the best members predict, but there are no more members than that, or no "
    "validation rows to tell which are best. Give more of them, or let all members predict.",
)
_DIFFERS = {
    "title": "not as in the run to start from",
    "meaning": "`model.from` goes on with the weights of an earlier run, which fit only its own targets, columns and "
    "network. Leave out what differs, as it is taken from that run, or train anew without `model.from`.",
}
OTHER_TARGETS = Message(
    "BP181",
    "the run to start from predicts {theirs}, the config {ours}",
    ("predict the same columns, or train anew without `model.from`",),
    key=("model", "from"),
    **_DIFFERS,
)
OTHER_TARGET_OPTION = Message(
    "BP181",
    "`targets.{name}.{field}` is {now}, but {before} in the run to start from",
    ("leave it out to take it from that run",),
    key=("targets", "{name}", "{field}"),
)
OTHER_MODEL_OPTION = Message(
    "BP181",
    "`model.{field}` is {now}, but {before} in the run to start from, so its weights do not fit",
    ("leave it out to take it from that run, or train anew without `model.from`",),
    key=("model", "{field}"),
)
OTHER_KIND = Message(
    "BP181",
    "column `{name}` is declared `{kind}`, but is `{before}` in the run to start from",
    ("leave it out to take it from that run, or train anew without `model.from`",),
    key=("columns", "{name}"),
)
OTHER_COLUMN_OPTION = Message(
    "BP181",
    "`columns.{name}.{field}` is {now}, but {before} in the run to start from",
    ("leave it out: the preparation of that run is kept, as its weights need it",),
    key=("columns", "{name}"),
)
CHANGED_FILE = Message(
    "BP270",
    "this file is not the one that the run was made with: its sha256 differs",
    ("judge other data with `bptrain evaluate RUN --data FILE`, or restore the file",),
    title="the data changed",
    meaning="A file that the run was made with has other bytes now, or is gone.",
)
GONE_FILE = Message(
    "BP270",
    "this file of the run is no longer among its data",
    ("restore the file, or judge other data with `bptrain evaluate RUN --data FILE`",),
)
UNKNOWN_COLUMNS = Message(
    "BP307",
    "{n} column(s) are ignored, as the run to start from did not know them: {names}",
    ("train without `model.from` to use them",),
    title="columns that the run to start from did not know",
    meaning="With `model.from` the network has the inputs of the earlier run; other columns of the table are ignored.",
)
SHARED_ROWS = Message(
    "BP309",
    "the run to start from read the same file, so it may have been trained on rows that judge now",
    (
        "use that run's `data`, `clean`, `split` and `seed`, without folds, and start from a run that was not refitted",
        "or judge by a file that it never saw",
    ),
    title="the run to start from may know the rows that judge",
    meaning="`model.from` names a run that was trained on the same file with another split or other folds: some of its "
    "training rows now judge, so the metrics flatter the model.",
)
OTHER_INPUTS = Message(
    "BP521",
    "`{run}` was begun with something else: {difference}",
    ("restore that, or start anew without `--resume` or with another `--run DIR`",),
    title="begun with other inputs",
    meaning="`--resume` goes on with a run only with the config, the data and the environment that it was begun with.",
)
NO_LOCK_FILE = Message(
    "BP522",
    "`{path}` is no lock.json: {reason}",
    title="no lock file",
    meaning="`--locked` takes the lock.json of a run, in the format of this bptrain, such as "
    "`runs/adult-0001/lock.json`.",
)
OTHER_LOCK_FORMAT = Message(
    "BP522",
    "the file given by `--locked` is not a lock.json of format {format}",
    ("give the lock.json of a run that this bptrain made",),
)
NO_VALIDATION_LOSS = Message(
    "BP601",
    "the loss on validation rows was never a finite number",
    ("look for extreme values in the validation rows, or lower `training.optimizer.learning_rate`",),
    title="no validation loss",
    meaning="The loss on validation rows was never a finite number, so no epoch could be chosen by it; the last was "
    "kept.",
)
FOLD_DIVERGED = Message(
    "BP603",
    "the training of fold {number} diverged, so its metrics are undefined",
    ("lower `training.optimizer.learning_rate`, or look for extreme values in the columns",),
    title="a fold diverged",
    meaning="In one fold of the cross-validation the loss or a weight became infinite or not a number.",
)
NOT_AS_LOCKED = Message(
    "BP701",
    "not as locked: {difference}",
    ("use what the lock was made with, or leave `--locked` out",),
    title="not as locked",
    meaning="`--locked` allows only what the lock.json was made with: config, cells of the table, package versions, "
    "Python, instructions of the processor, variables.",
)
