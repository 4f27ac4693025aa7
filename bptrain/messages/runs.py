"""Messages of `runs`: what can be wrong with a run directory, with its name, and with the disk it lies on."""

from __future__ import annotations

from bptrain.messages.message import Message

_RESTORE = ("restore the run from a copy, or train it again with `bptrain fit`",)
_RESTORE_FILE = ("restore the file from a copy of the run, or train it again with `bptrain fit`",)
_GO_ON = ("wait until `bptrain fit` has ended, or go on with it: `bptrain fit CONFIG --resume --run DIR`",)

# --- the files of a run

NOT_A_RUN = Message(
    "BP500",
    text="`{run}` is not a run directory: it has no {manifest}",
    hints=(
        "give a folder that `bptrain fit` made, for instance `runs/adult-0001`",
        "`bptrain fit CONFIG` makes one",
    ),
    title="not a run directory",
    meaning="The folder given as a run has no MANIFEST.json, or does not exist.",
)
NO_SUCH_RUN = Message("BP500", text="`{run}` is not a run directory: there is no such folder", hints=NOT_A_RUN.hints)
UNFINISHED = Message(
    "BP501",
    text="`{run}` is an unfinished run",
    hints=_GO_ON,
    title="unfinished run",
    meaning="Only the .partial folder of this run exists: its training is going on, or ended early.",
)
ONLY_PARTIAL = Message("BP501", text="the run `{run}` is unfinished: there is only `{partial}`", hints=_GO_ON)
OTHER_CONTENT = Message(
    "BP502",
    text="`{path}` is not as it was sealed: its content has changed",
    hints=_RESTORE,
    title="a file of the run has changed",
    meaning="The size or sha256 of a file differs from MANIFEST.json: it was edited or damaged after publishing.",
)
OTHER_SIZE = Message(
    "BP502",
    text="`{path}` is not as it was sealed: it has {n} bytes, {n_sealed} were sealed",
    hints=_RESTORE,
)
TOO_MANY_BYTES = Message("BP502", text="`{path}` has {n} bytes, at most {limit} were expected", hints=_RESTORE)
NOT_AS_SAVED = Message(
    "BP502", text="`{path}` is not as it was saved", remedy="nothing needs to be done: the checkpoint before it is used"
)
MISSING = Message(
    "BP503",
    text="`{path}` is missing",
    hints=_RESTORE,
    title="a file of the run is missing",
    meaning="A file that the run must have, or that MANIFEST.json lists, is not there.",
)
FILE_MISSING = Message("BP503", text="the file `{path}` is missing", hints=_RESTORE)
NO_SUCH_RUN_FILE = Message(
    "BP503",
    text="the run `{run}` has no file `{name}`",
    remedy="use a run that has it, such as one with the option that writes it",
)
ADDED = Message(
    "BP504",
    text="`{path}` was added: it is not in {manifest}",
    hints=("remove it; a published run is never changed",),
    title="a file was added to the run",
    meaning="The run holds a file that MANIFEST.json does not list; a published run is never changed.",
)
NO_FILE_OF_A_RUN = Message(
    "BP505",
    text="`{path}` is {what}; a run holds only files and folders",
    hints=("remove or rename it",),
    title="not a regular file",
    meaning="A symlink, pipe, socket or device, or a name that is not UTF-8, is where only files and folders may be.",
)
NAME_NOT_UTF8 = Message("BP505", text="`{path}` has a name that is not UTF-8", hints=NO_FILE_OF_A_RUN.hints)
NOT_REGULAR = Message(
    "BP505",
    text="`{path}` is not a regular file (a symlink, folder, pipe or device), and only those are read",
    hints=("replace it by the file itself",),
)
OTHER_FORMAT = Message(
    "BP506",
    text=(
        "`{path}` has format {found}; this is bptrain {version}, which reads format {format}: "
        "a {which} bptrain that reads format {found} is needed"
    ),
    hints=("`pip install --upgrade bptrain`",),
    title="unsupported format",
    meaning="The run was written in another format than this version of bptrain reads.",
)
OTHER_CHECKPOINT_FORMAT = Message(
    "BP506", text="`{path}` is of another version of bptrain", remedy="nothing needs to be done: training starts afresh"
)
OTHER_LOCK_RECORD = Message(
    "BP506",
    "`{path}` has format {found}, and this bptrain compares format {format}",
    ("use the bptrain version that made it, or make a new run",),
)
NOT_JSON = Message(
    "BP507",
    text="`{path}` is not valid JSON: {reason}",
    hints=_RESTORE,
    title="damaged JSON",
    meaning="A JSON file cannot be read: cut off, duplicate keys, NaN, or not what bptrain writes.",
)
DAMAGED_MANIFEST = Message("BP507", text="`{path}` is damaged: {reason}", hints=_RESTORE)
DAMAGED_ARRAY = Message(
    "BP508",
    text="array `{name}` in `{source}` {reason}",
    hints=_RESTORE_FILE,
    title="damaged arrays",
    meaning="An .npz file is cut off, fails its checksum, or holds what bptrain never writes.",
)
DAMAGED_ARRAYS = Message("BP508", text="`{source}` {reason}", hints=_RESTORE_FILE)
DAMAGED_PREDICTIONS = Message(
    "BP508",
    "`{path}` is damaged: {reason}",
    ("restore the run from a copy, or train it again with `bptrain fit`",),
)
ARRAY_LACKS = Message(
    "BP509",
    text="`{source}` lacks the array `{name}`",
    hints=("use the run as `bptrain fit` wrote it, or train it again",),
    title="unexpected arrays",
    meaning="The names, dtypes or shapes in an .npz file are not those of the run's own network and preparation.",
)
ARRAY_UNEXPECTED = Message("BP509", text="`{source}` has an unexpected array `{name}`", hints=ARRAY_LACKS.hints)
ARRAY_DIFFERS = Message(
    "BP509",
    text="array `{name}` in `{source}` has dtype {dtype} and shape {shape}, expected {wanted_dtype} and {wanted_shape}",
    hints=ARRAY_LACKS.hints,
)

# --- names and lives of run directories

RUN_EXISTS = Message(
    "BP511",
    text="`{run}` exists, and a published run is never changed",
    hints=("choose another name for `--run`, or leave it out to get the next number", "or remove it first"),
    title="the run exists",
    meaning="The name given by `--run` is in use, and a published run is never changed.",
)
UNUSABLE_NAME = Message(
    "BP512",
    text="`{run}` cannot be the name of a run directory",
    hints=(
        "choose a name such as `runs/adult-first`",
        "`{latest}` and names ending in `{suffix}` have a meaning of their own",
    ),
    title="unusable run name",
    meaning="The name given by `--run` is empty, `latest`, or ends in `.partial`; these have a meaning of their own.",
)
NOT_A_FOLDER = Message(
    "BP513",
    text="`{partial}` is not a folder; bptrain builds the run there and would have to remove it",
    hints=("rename or remove it, or choose another name for `--run`",),
    title="a folder is in the way",
    meaning="DIR.partial, where the run would be built, exists and is not an unfinished run; nothing was removed.",
)
NOT_UNFINISHED = Message(
    "BP513",
    text=(
        "`{partial}` holds files, but none that show it to be an unfinished run; bptrain builds the run there and "
        "would have to remove it"
    ),
    hints=NOT_A_FOLDER.hints,
)
NO_LATEST = Message(
    "BP514",
    text="there is no latest run: `{pointer}` does not exist",
    hints=("name the run: `bptrain evaluate runs/NAME`", "`bptrain fit CONFIG` makes one"),
    title="no latest run",
    meaning="`runs/latest` does not exist or does not name a run beside it.",
)
DAMAGED_LATEST = Message(
    "BP514", text="`{pointer}` is not the one-line text file that bptrain writes", hints=NO_LATEST.hints
)
LATEST_NOWHERE = Message(
    "BP514", text="`{pointer}` names `{name}`, which is not a folder in `{runs}`", hints=NO_LATEST.hints
)
PARTIAL_REPLACED = Message(
    "BP515",
    text="`{partial}` was left by a run that ended early; its files were removed: {names}",
    hints=("`--resume` would have gone on with it; to keep an unfinished run, choose another `--run DIR`",),
    title="an unfinished run was replaced",
    meaning="DIR.partial was left by a run that ended early; its files were removed and the run started afresh.",
)
INSIDE_A_RUN = Message(
    "BP516",
    text="the output would be inside the run {run}, which is sealed and never changes",
    hints=("write it to another folder",),
    title="output inside a run",
    meaning="A published run is sealed: one more file in it would make it count as damaged.",
)
NOT_THE_LATEST = Message(
    "BP517",
    text="`{run}` is published, but is not the latest run: {reason}",
    title="not the latest run",
    meaning="The run is published, but `runs/latest` could not be written, so it still names another run or none.",
    hints=("name the run: `bptrain evaluate {run}`",),
)
CHECKPOINT_PASSED_OVER = Message(
    "BP520",
    text="the checkpoint `{path}` cannot be used and is passed over: {reason}",
    title="a checkpoint was passed over",
    meaning="A file of the newest checkpoint is damaged or missing, so training goes on from the one before it. The "
    "results are the same, as they do not depend on where training goes on.",
    remedy="nothing needs to be done; check the disk if it happens again",
)
STARTS_AFRESH = Message(
    "BP520",
    "`{path}` cannot be used, so training starts afresh: {reason}",
    ("nothing needs to be done; check the disk if it happens again",),
)
BUSY = Message(
    "BP750",
    text="`{partial}` is being written by {holder}",
    hints=("wait until it has ended, or choose another name for `--run`",),
    title="run directory busy",
    meaning="Another process is writing this run; its process id and host are in the message.",
)
NAME_TAKEN = Message(
    "BP751",
    text="`{run}` appeared while the run was being built, so the run was not published",
    hints=("the finished run is in `{partial}`: move `{run}` away and rename it",),
    title="the run's name was taken",
    meaning="A file or folder with the run's name appeared while it was being built; the finished run is in "
    "DIR.partial.",
)

# --- the disk: `system` is what the system says in its own words

_CANNOT = "cannot {doing} `{path}`: "

DISK_FULL = Message(
    "BP740",
    text=_CANNOT + "the disk is full ({system}){sizes}",
    hints=("free some space or choose another disk with `--run DIR`",),
    title="no space left",
    meaning="The disk or your quota is full, or the file is larger than the system allows.",
)
QUOTA_USED = Message(
    "BP740",
    text=_CANNOT + "your disk quota is used up ({system}){sizes}",
    hints=("delete files of yours or ask for a larger quota",),
)
FILE_TOO_LARGE = Message(
    "BP740",
    text=_CANNOT + "the file is larger than the system allows ({system}){sizes}",
    hints=("raise the limit (`ulimit -f`)",),
)
NO_PERMISSION = Message(
    "BP741",
    text=_CANNOT + "you have no permission ({system})",
    hints=("choose a folder that you may write to, or change its mode",),
    title="no permission",
    meaning="The system does not let you read or write this path.",
)
NOT_PERMITTED = Message(
    "BP741",
    text=_CANNOT + "the system does not permit it ({system})",
    hints=("choose a folder that you may write to",),
)
READ_ONLY = Message(
    "BP742",
    text=_CANNOT + "the file system is read-only ({system})",
    hints=("choose a folder on another disk",),
    title="read-only file system",
    meaning="The path is on a file system that cannot be written to.",
)
DISK_ERROR = Message(
    "BP743",
    text=_CANNOT + "the disk reported an input/output error ({system})",
    hints=("check the disk; what was written may be lost",),
    title="input/output error",
    meaning="The disk failed while reading or writing; what was written last may be lost.",
)
NAME_TOO_LONG = Message(
    "BP744",
    text=_CANNOT + "the name is too long ({system})",
    hints=("choose a shorter name",),
    title="unusable path",
    meaning="The name is too long, is taken by a folder, or leads through a file or a loop of symlinks.",
)
FILE_IN_PATH = Message(
    "BP744",
    text=_CANNOT + "a part of the path is a file, not a folder ({system})",
    hints=("choose another path",),
)
FOLDER_OF_THAT_NAME = Message(
    "BP744",
    text=_CANNOT + "a folder has that name ({system})",
    hints=("choose another name or remove the folder",),
)
SYMLINK_LOOP = Message(
    "BP744",
    text=_CANNOT + "it is a symlink, or the path has a loop of them ({system})",
    hints=("give the path without symlinks",),
)
NAME_NOT_ACCEPTED = Message(
    "BP744",
    text=_CANNOT + "the file system does not accept that name ({system})",
    hints=("choose a name in plain letters",),
)
NO_LOCKS = Message(
    "BP745",
    text=_CANNOT + "the file system cannot lock files ({system})",
    hints=("put the run on a local disk",),
    title="the file system lacks a feature",
    meaning="Files cannot be locked or synced there, so a run would not be safe.",
)
NOT_SUPPORTED = Message("BP745", text=_CANNOT + "the file system does not support it ({system})", hints=NO_LOCKS.hints)
REFUSED = Message(
    "BP746",
    text=_CANNOT + "the system refused ({system})",
    hints=("look at the reason in brackets",),
    title="reading or writing failed",
    meaning="The system refused for the reason given in brackets.",
)
