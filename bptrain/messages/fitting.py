"""Messages of `fitting`."""

from __future__ import annotations

from bptrain.messages.code import Code

CODES: dict[str, Code] = {
    "BP154": Code(
        "no such target",
        "The table has no column with the target's name.",
        "Correct the name under `target`, or give the right file.",
    ),
    "BP155": Code(
        "nothing to stratify by", "A stratified split needs exactly one target, with labels.", "Write `split: random`."
    ),
    "BP156": Code(
        "no such metric",
        "`evaluation.primary` is not a metric of the first target's task.",
        "Use one of the metrics shown.",
    ),
    "BP161": Code(
        "two ways to divide the rows",
        "One column has the role `group` and another the role `time`, and `split` does not say which counts.",
        "Write `split: group` or `split: time`.",
    ),
    "BP162": Code(
        "no folds",
        "A split by a column that names the part of each row cannot be divided into folds.",
        "Remove `folds`, or choose another kind of split.",
    ),
    "BP163": Code(
        "no such column to divide by",
        "`split.column` names a column that the table does not have.",
        "Use one of the columns shown.",
    ),
    "BP164": Code(
        "no column to divide by",
        "This kind of split looks at a column, and the config does not say at which.",
        "Write `split: {kind: KIND, column: NAME}`, or give one column the role `group` or `time`.",
    ),
    "BP165": Code(
        "a column that nothing looks at",
        "`split.column` is given, but this kind of split does not go by a column.",
        "Write a kind that does, such as `group`, `time` or `hash`, or remove `column`.",
    ),
    "BP169": Code(
        "a refit of several networks",
        "`training.final: refit` trains one network anew on all rows, but there are several, each with rows of its own "
        "that choose its epoch.",
        "Remove `final: refit`, or write `model: {networks: 1}`.",
    ),
    "BP170": Code(
        "folds that know what came later",
        "The split goes by time, several networks are to choose their epochs, and `split.validation: 0` leaves them no "
        "later rows for it; folds of the training rows would be judged by networks that know what came after.",
        "Leave out `validation: 0`, or write `model: {networks: 1}`.",
    ),
    "BP174": Code(
        "members that cannot be chosen",
        "`model.ensemble_selection` lets the best members predict, but there are no more members than that, or no "
        "validation rows to tell which are best.",
        "Write `ensemble_selection: null`, so that all members predict; or give more members, or validation rows.",
    ),
    "BP181": Code(
        "not as in the run to start from",
        "`model.from` goes on with the weights of an earlier run, which fit only its own targets, columns and network.",
        "Leave out what differs, as it is taken from that run, or train anew without `model.from`.",
    ),
    "BP270": Code(
        "the data changed",
        "A file that the run was made with has other bytes now.",
        "Restore the file, or judge the new one with `bptrain evaluate RUN --data FILE`.",
    ),
    "BP273": Code(
        "no value to divide by",
        "The split goes by a column whose cells are missing in some rows.",
        "Fill these cells in, remove the rows, or divide otherwise.",
    ),
    "BP278": Code(
        "not a part",
        "The split goes by a column that must say train, validation or test in each row, and holds other words.",
        "Write these words, or divide otherwise.",
    ),
    "BP307": Code(
        "columns that the run to start from did not know",
        "With `model.from` the network has the inputs of the earlier run; other columns of the table are ignored.",
        "Nothing needs to be done; to use these columns, train without `model.from`.",
    ),
    "BP309": Code(
        "the run to start from may know the rows that judge",
        "`model.from` names a run that was trained on the same file with another split or other folds: some of its "
        "training rows now judge, so the metrics flatter the model.",
        "Use the split of that run (`split.seed` included), or judge by a file that it never saw.",
    ),
    "BP521": Code(
        "begun with other inputs",
        "`--resume` goes on with a run only with the config, the data and the environment that it was begun with.",
        "Restore what the message names, or start anew: without `--resume`, or with another `--run DIR`.",
    ),
    "BP522": Code(
        "no lock file",
        "`--locked` takes the lock.json of a run, in the format of this bptrain.",
        "Give the path of such a file, for instance `runs/adult-0001/lock.json`.",
    ),
    "BP601": Code(
        "no validation loss",
        "The loss on validation rows was never a finite number, so no epoch could be chosen by it; the last was kept.",
        "Look for extreme values in the validation rows, or lower the learning rate.",
    ),
    "BP603": Code(
        "a fold diverged",
        "In one fold of the cross-validation the loss or a weight became infinite or not a number.",
        "Lower the learning rate, or look for extreme values in the columns.",
    ),
    "BP701": Code(
        "not as locked",
        "`--locked` allows only what the lock.json was made with: config, cells of the table, package versions, "
        "Python, instructions of the processor, variables.",
        "Restore what the message names, or leave `--locked` out and keep the new run's lock.json.",
    ),
}
