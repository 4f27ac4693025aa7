"""Messages of `config`."""

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
}
