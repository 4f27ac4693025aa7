"""Messages of `runs`."""

from __future__ import annotations

from bptrain.messages.code import Code

CODES: dict[str, Code] = {
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
    "BP520": Code(
        "a checkpoint was passed over",
        "A file of the newest checkpoint is damaged or missing, so training goes on from the one before it. The "
        "results are the same, as they do not depend on where training goes on.",
        "Nothing needs to be done; check the disk if it happens again.",
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
}
