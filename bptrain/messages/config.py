"""Messages of the command line and the config."""

from __future__ import annotations

from bptrain.messages.code import Code

CODES: dict[str, Code] = {
    "BP100": Code(
        "the config cannot be opened",
        "The path of the config does not name a file that can be read.",
        "Check the spelling, and that the path is given from the working directory.",
    ),
    "BP101": Code(
        "the config is not YAML",
        "The text breaks the rules of YAML at the place shown: often an indentation, a missing quote or a tab.",
        "Correct the line shown; put text with special characters in quotes.",
    ),
    "BP102": Code(
        "YAML that a config does not have",
        "Anchors, aliases, tags, merge keys, keys that are not text and second documents are not read.",
        "Write values out where they are used, and put names that begin with `*`, `&` or `!` in quotes.",
    ),
    "BP103": Code(
        "unknown key",
        "The config has a closed list of keys, and this is none of the section it stands in.",
        "Correct the spelling or move the key to the section named; `bptrain schema` lists all keys.",
    ),
    "BP104": Code(
        "wrong value",
        "The value has another type, or lies outside the range, that its key needs.",
        "Write a value as described; numbers have no quotes, text that looks like a number needs them.",
    ),
    "BP105": Code(
        "unknown kind or task",
        "`kind` and `task` choose from a fixed list, and this name is not in it.",
        "Use one of the names listed.",
    ),
    "BP106": Code("missing key", "A key without a default is not given.", "Add the key named to the section shown."),
    "BP107": Code(
        "a name given twice",
        "The same key stands twice in one mapping, or a target is named twice.",
        "Keep one of them.",
    ),
    "BP108": Code(
        "values that contradict each other",
        "Each value is allowed by itself, but not together with the others.",
        "Follow the message: change or remove one of the keys it names.",
    ),
    "BP109": Code(
        "a wrong --set",
        "The text after `--set` is not `KEY.KEY=VALUE`, or leads below a value that has no keys.",
        "Write for instance `--set training.epochs=5`; a name with a dot or `=` is written in quotes.",
    ),
    "BP110": Code(
        "no mapping at the top of the config",
        "The config is empty, or is a list or a single value.",
        "Begin with two lines: `data: FILE` and `target: COLUMN`.",
    ),
    "BP111": Code(
        "the config is too large",
        "A config has a limit on its size, its number of values and its depth.",
        'Use patterns such as `"*_id"` for many columns; check that the file is the config and not the table.',
    ),
    "BP112": Code("the config is not UTF-8", "The bytes of the file are not UTF-8 text.", "Save the file as UTF-8."),
    "BP113": Code(
        "a Python value that a config cannot hold",
        "A config given as a mapping holds None, booleans, numbers, text, paths, lists and mappings only.",
        "Convert the value, for instance an array with `.tolist()`.",
    ),
    "BP150": Code(
        "no such positive label",
        "`positive` names a label that the target does not have.",
        "Write one of the labels shown, as text if it looks like a number.",
    ),
    "BP151": Code(
        "the task is not clear",
        "The target's values could be labels or amounts, or look like neither.",
        "Write `target: {column: NAME, task: binary}`, `multiclass` or `regression`.",
    ),
    "BP152": Code(
        "`columns` names no column",
        "A name or pattern under `columns` fits no column of the table.",
        "Correct the name; patterns use `*` and `?` and must be in quotes.",
    ),
    "BP153": Code(
        "`columns` names a target",
        "The target is not one of the columns to predict from.",
        "Remove it from `columns`; options of a target stand under `target`.",
    ),
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
    "BP157": Code(
        "unknown output format",
        "The name of the output file does not end in a known format.",
        "Let the name end in .csv, .jsonl or .parquet.",
    ),
    "BP158": Code(
        "the output exists", "bptrain does not replace a file unless told to.", "Choose another name, or add `--force`."
    ),
    "BP160": Code(
        "no folder for the output",
        "The output file is to stand in a folder that does not exist.",
        "Make the folder, or choose another place.",
    ),
    "BP159": Code(
        "no such code",
        "`bptrain explain` was asked for a code that no message has.",
        "Run `bptrain explain` for the list.",
    ),
    "BP180": Code(
        "several weights",
        "More than one column has the role `weight`; a row has one weight.",
        "Keep one of them, and declare the others `ignore` or with a kind.",
    ),
    "BP181": Code(
        "not as in the run to start from",
        "`model.from` goes on with the weights of an earlier run, which fit only its own targets, columns and network.",
        "Leave out what differs, as it is taken from that run, or train anew without `model.from`.",
    ),
    "BP191": Code(
        "backend that cannot be used",
        "The variable KERAS_BACKEND asks for a backend of Keras that is not installed, or that bptrain does not know.",
        'Install it, as with `pip install "bptrain[jax]"`, or unset the variable: TensorFlow is always there.',
    ),
    "BP192": Code(
        "Keras has another backend",
        "Keras was loaded in this process before bptrain, with another backend than KERAS_BACKEND asks for.",
        "Set KERAS_BACKEND before anything imports keras; one process can use one backend.",
    ),
    "BP167": Code(
        "no such label",
        "`class_weights` names a label that no training row has.",
        "Write the labels as the data spells them.",
    ),
    "BP168": Code(
        "options of another task",
        "A target without `task` has options, such as a loss, that the task of its values does not have.",
        "Remove the option, or write one of that task; name the `task` if the values mislead.",
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
        "`model.keep` lets the best members predict, but there are no more members than that, or no validation rows to "
        "tell which are best.",
        "Write `keep: null`, so that all members predict; or give more members, or validation rows.",
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
    "BP165": Code(
        "a column that nothing looks at",
        "`split.column` is given, but this kind of split does not go by a column.",
        "Write a kind that does, such as `group`, `time` or `hash`, or remove `column`.",
    ),
}
