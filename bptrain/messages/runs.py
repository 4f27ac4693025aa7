"""Messages of judging (3xx), run directories (5xx), training (6xx), disk and signals (7xx), and bugs (9xx)."""

from __future__ import annotations

from bptrain.messages.code import Code

CODES: dict[str, Code] = {
    "BP300": Code(
        "not a gate",
        "A gate is a metric, one of >= <= > <, and a finite number.",
        "Write for instance `auc >= 0.9` or `validation.rmse < 3`.",
    ),
    "BP301": Code(
        "a gate on something unknown",
        "The gate names a target or metric that the run does not have.",
        "Use one of the names shown.",
    ),
    "BP302": Code(
        "a gate without rows", "The gate asks for a split that has no rows.", "Name another split, or keep rows for it."
    ),
    "BP303": Code(
        "a gate failed",
        "The model is not as good as the gate demands. The run is published all the same.",
        "Improve the model, or lower the gate if the demand was too high.",
    ),
    "BP304": Code(
        "judged on training data",
        "The file to be judged is one whose rows trained the model, so its metrics say little about new rows.",
        "Judge rows that the run has not seen, or run `bptrain evaluate` without --data for its own test rows.",
    ),
    "BP305": Code(
        "unusable weights",
        "The column with the role `weight` holds cells that are missing, negative or no finite number.",
        "Correct these cells: 1 counts a row once, 0 leaves it out.",
    ),
    "BP306": Code(
        "no row has any weight",
        "The column with the role `weight` is 0 in all rows of one part, so nothing could be computed there.",
        "Give some rows a weight above 0, or declare the column otherwise.",
    ),
    "BP307": Code(
        "columns that the run to start from did not know",
        "With `model.from` the network has the inputs of the earlier run; other columns of the table are ignored.",
        "Nothing needs to be done; to use these columns, train without `model.from`.",
    ),
    "BP308": Code(
        "judged without weights",
        "The run was judged with a column of weights that these rows do not have, so each counts as one row.",
        "Add the column to the rows if the metrics are to be weighted.",
    ),
    "BP309": Code(
        "the run to start from may know the rows that judge",
        "`model.from` names a run that was trained on the same file with another split or other folds: some of its "
        "training rows now judge, so the metrics flatter the model.",
        "Use the split of that run (`split.seed` included), or judge by a file that it never saw.",
    ),
    "BP500": Code(
        "not a run directory",
        "The folder given as a run has no MANIFEST.json, or does not exist.",
        "Give a folder that `bptrain fit` published, such as `runs/adult-0001`, or make one with `bptrain fit CONFIG`.",
    ),
    "BP501": Code(
        "unfinished run",
        "Only the .partial folder of this run exists: its training is going on, or ended early.",
        "Wait until `bptrain fit` has ended, or go on with it: `bptrain fit CONFIG --resume --run DIR`.",
    ),
    "BP502": Code(
        "a file of the run has changed",
        "The size or sha256 of a file differs from MANIFEST.json: it was edited or damaged after publishing.",
        "Restore the run from a copy, or train it again with `bptrain fit`.",
    ),
    "BP503": Code(
        "a file of the run is missing",
        "A file that the run must have, or that MANIFEST.json lists, is not there.",
        "Restore the run from a copy, or train it again with `bptrain fit`.",
    ),
    "BP504": Code(
        "a file was added to the run",
        "The run holds a file that MANIFEST.json does not list; a published run is never changed.",
        "Move the file somewhere else.",
    ),
    "BP505": Code(
        "not a regular file",
        "A symlink, pipe, socket or device, or a name that is not UTF-8, is where only files and folders may be.",
        "Remove it, or replace it by the file itself.",
    ),
    "BP506": Code(
        "unsupported format",
        "The run was written in another format than this version of bptrain reads.",
        "Install the version of bptrain that the message asks for.",
    ),
    "BP507": Code(
        "damaged JSON",
        "A JSON file cannot be read: cut off, duplicate keys, NaN, or not what bptrain writes.",
        "Restore the run from a copy, or train it again with `bptrain fit`.",
    ),
    "BP508": Code(
        "damaged arrays",
        "An .npz file is cut off, fails its checksum, or holds what bptrain never writes.",
        "Restore the run from a copy, or train it again with `bptrain fit`.",
    ),
    "BP509": Code(
        "unexpected arrays",
        "The names, dtypes or shapes in an .npz file are not those of the run's own network and preparation.",
        "Use the run as `bptrain fit` wrote it, or train it again.",
    ),
    "BP511": Code(
        "the run exists",
        "The name given by `--run` is in use, and a published run is never changed.",
        "Choose another name, leave `--run` out to get the next number, or remove the old run.",
    ),
    "BP512": Code(
        "unusable run name",
        "The name given by `--run` is empty, `latest`, or ends in `.partial`; these have a meaning of their own.",
        "Choose a name such as `runs/adult-first`.",
    ),
    "BP513": Code(
        "a folder is in the way",
        "DIR.partial, where the run would be built, exists and is not an unfinished run; nothing was removed.",
        "Rename or remove it, or choose another name for `--run`.",
    ),
    "BP514": Code(
        "no latest run",
        "`runs/latest` does not exist or does not name a run beside it.",
        "Name the run, for instance `bptrain evaluate runs/adult-0001`, or make one with `bptrain fit CONFIG`.",
    ),
    "BP515": Code(
        "an unfinished run was replaced",
        "DIR.partial was left by a run that ended early; its files were removed and the run started afresh.",
        "Nothing needs to be done; to keep an unfinished run, rename its folder or choose another `--run DIR`.",
    ),
    "BP516": Code(
        "output inside a run",
        "A published run is sealed: one more file in it would make it count as damaged.",
        "Write the output to a folder outside the run.",
    ),
    "BP517": Code(
        "not the latest run",
        "The run is published, but `runs/latest` could not be written, so it still names another run or none.",
        "Name the run, or remove what is in the way of `runs/latest`.",
    ),
    "BP518": Code(
        "another split",
        "The files are those of the run, but its rows fall into other parts: another scikit-learn splits otherwise.",
        "Install the scikit-learn of the run's lock.json, or judge other data with `bptrain evaluate RUN --data FILE`.",
    ),
    "BP520": Code(
        "a checkpoint was passed over",
        "A file of the newest checkpoint is damaged or missing, so training goes on from the one before it. The "
        "results are the same, as they do not depend on where training goes on.",
        "Nothing needs to be done; check the disk if it happens again.",
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
    "BP601": Code(
        "no validation loss",
        "The loss on validation rows was never a finite number, so no epoch could be chosen by it; the last was kept.",
        "Look for extreme values in the validation rows, or lower the learning rate.",
    ),
    "BP602": Code(
        "the run's training had diverged",
        "The run that is judged holds the last finite weights of a training that failed; no judgement of it passes.",
        "Train again with a lower learning rate, or judge another run.",
    ),
    "BP603": Code(
        "a fold diverged",
        "In one fold of the cross-validation the loss or a weight became infinite or not a number.",
        "Lower the learning rate, or look for extreme values in the columns.",
    ),
    "BP700": Code(
        "not reproduced",
        "With the same inputs and in the same environment the results were others, or they are further from the run's "
        "than other seeds explain.",
        "Look at the first epoch that differs, and at what the message names; report it if nothing changed.",
    ),
    "BP701": Code(
        "not as locked",
        "`--locked` allows only what the lock.json was made with: config, cells of the table, package versions, "
        "Python, instructions of the processor, variables.",
        "Restore what the message names, or leave `--locked` out and keep the new run's lock.json.",
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
    "BP740": Code(
        "no space left",
        "The disk or your quota is full, or the file is larger than the system allows.",
        "Free some space, or write to another disk.",
    ),
    "BP741": Code(
        "no permission",
        "The system does not let you read or write this path.",
        "Choose a folder that is yours, or change its permissions.",
    ),
    "BP742": Code(
        "read-only file system",
        "The path is on a file system that cannot be written to.",
        "Choose a folder on another disk.",
    ),
    "BP743": Code(
        "input/output error",
        "The disk failed while reading or writing; what was written last may be lost.",
        "Check the disk, then run again elsewhere.",
    ),
    "BP744": Code(
        "unusable path",
        "The name is too long, is taken by a folder, or leads through a file or a loop of symlinks.",
        "Choose another path.",
    ),
    "BP745": Code(
        "the file system lacks a feature",
        "Files cannot be locked or synced there, so a run would not be safe.",
        "Put the run on a local disk.",
    ),
    "BP746": Code(
        "reading or writing failed",
        "The system refused for the reason given in brackets.",
        "Remove that cause, then run again.",
    ),
    "BP750": Code(
        "run directory busy",
        "Another process is writing this run; its process id and host are in the message.",
        "Wait until it has ended, or choose another name for `--run`.",
    ),
    "BP751": Code(
        "the run's name was taken",
        "A file or folder with the run's name appeared while it was being built; the finished run is in DIR.partial.",
        "Move the other one away and rename DIR.partial to DIR, or keep it under another name.",
    ),
    "BP900": Code(
        "a bug in bptrain",
        "Something happened that should be impossible; the traceback is in the file named.",
        "Please report it with that file.",
    ),
}
