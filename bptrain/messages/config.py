"""Messages of `config`."""

from __future__ import annotations

from bptrain.messages.message import Message

SMALLEST_CONFIG = "the smallest config is two lines: `data: FILE` and `target: COLUMN`"
_QUOTE = "text with `: `, ` #` or a special first character needs quotes"
_INDENT = "keys that belong together begin in the same column; every key is followed by `: `"
_QUOTED_NAME = "a name with a dot or `=` needs quotes: `--set 'columns.\"a.b\"=numeric'`"
_TARGET_FORM = "write `target: {{column: NAME, …}}`"

NO_FILE = Message(
    "BP100",
    "there is no such config file",
    title="the config cannot be opened",
    meaning="The path of the config does not name a file that can be read.",
    remedy="check the spelling, and that the path starts from the working directory",
)
NO_FOLDER = Message(
    "BP100",
    "the config cannot be read: there is no folder `{folder}`",
    ("the path starts from the working directory",),
)
IS_A_DIRECTORY = Message("BP100", "the config is a directory", ("give the YAML file itself",))
UNREADABLE = Message("BP100", "the config cannot be read: {reason}", ("check the path and its permissions",))

NOT_YAML = Message(
    "BP101",
    "this is not YAML: {reason}",
    (_QUOTE,),
    title="the config is not YAML",
    meaning="The text breaks the rules of YAML at the place shown: often an indentation, a missing quote or a tab.",
)
CHARACTER_NOT_YAML = Message(
    "BP101", "the character `{character}` cannot be used in YAML", ('inside "double quotes" it can be written `\\xNN`',)
)
TAB_INDENT = Message("BP101", "this line is indented with a tab", ("YAML is indented with spaces",))
COLON_NOT_HERE = Message("BP101", "`: ` cannot stand here", (f"{_QUOTE}; or the line is indented too far",))
QUOTES_NOT_CLOSED = Message("BP101", "the quotes opened here are never closed", ("add the closing quote",))
UNKNOWN_ESCAPE = Message(
    "BP101",
    "a backslash in double quotes begins an escape, and this one is unknown",
    ("use 'single quotes', or write the backslash twice",),
)
NO_COLON = Message("BP101", "this line has no `: ` after its key", (_INDENT,))
VALUE_MISSING = Message(
    "BP101",
    "a value is missing here, or a bracket is never closed",
    ("check the commas and the closing brackets",),
)
LIST_NOT_CLOSED = Message("BP101", "in this list `,` or `]` is missing", ("check the commas and the closing `]`",))
MAPPING_NOT_CLOSED = Message(
    "BP101", "in this mapping `,` or `}}` is missing", ("check the commas and the closing `}}`",)
)
ALIAS_BEGINS = Message("BP101", "`*` begins a YAML alias", ('a pattern such as `"*_id"` needs quotes',))
ANCHOR_BEGINS = Message("BP101", "`&` begins a YAML anchor", ("text that begins with `&` needs quotes",))
TAG_BEGINS = Message(
    "BP101", "`!` begins a YAML tag, and a config has none", ("text that begins with `!` needs quotes",)
)
TEXT_BLOCK_BEGINS = Message("BP101", "`>` or `|` begins a block of text", ('text such as `">50K"` needs quotes',))
CHARACTER_NOT_FIRST = Message("BP101", "this character cannot begin a value", (_QUOTE,))
ITEM_NOT_HERE = Message("BP101", "a list item `- ` cannot stand here", ("begin the list on its own line",))
ITEM_EXPECTED = Message(
    "BP101", "a list item `- ` is expected here", ("begin every line of a list with `- ` in one column",)
)
LINE_DOES_NOT_CONTINUE = Message("BP101", "this line does not continue the lines above", (_INDENT,))
DIRECTIVE = Message("BP101", "a line that begins with `%` is a YAML directive, and a config has none", (_QUOTE,))

ALIAS = Message(
    "BP102",
    "`{name}` is a YAML alias, and a config has none",
    ('a name or pattern that begins with `*` needs quotes: `"{name}"`',),
    title="YAML that a config does not have",
    meaning="Anchors, aliases, tags, merge keys, keys that are not text and second documents are not read.",
)
ANCHOR = Message(
    "BP102",
    "`{name}` is a YAML anchor, and a config has none",
    ("write the value where it is used; text that begins with `&` needs quotes",),
)
TAG = Message(
    "BP102",
    "`{name}` is a YAML tag, and a config has none",
    ("remove the tag; text that begins with `!` needs quotes",),
)
KEY_NOT_TEXT = Message(
    "BP102", "a key must be text, not a list or a mapping", ("begin the value on the line below its key",)
)
KEY_EMPTY = Message("BP102", "the key before `:` is missing", ('an empty name is written `""`',))
MERGE_KEY = Message("BP102", "`<<` is a YAML merge key, and a config has none", ("write the keys out",))
SECOND_DOCUMENT = Message(
    "BP102",
    "a second document begins here (`---`), but a config is one document",
    ("remove the line `---` or use two files",),
)

UNKNOWN_KEY = Message(
    "BP103",
    "unknown key `{name}` in `{path}`",
    ("keys of {section}: {keys}",),
    title="unknown key",
    meaning="The config has a closed list of keys, and this is none of the section it stands in.",
    remedy="correct the spelling or move the key to the section named; `bptrain schema` lists all keys",
)
UNKNOWN_TOP_KEY = Message(
    "BP103", "unknown key `{name}` at the top level of the config", ("keys of {section}: {keys}",)
)

WRONG_VALUE = Message(
    "BP104",
    "`{path}` must be {expected}; got {received}",
    title="wrong value",
    meaning="The value has another type, or lies outside the range, that its key needs.",
    remedy="write a value as described; numbers have no quotes, text that looks like a number needs them",
)
TARGETS_NOT_NAMES = Message(
    "BP104", "each of `targets` must be the name of a column", ("write `targets: [a, b]`, or `targets: {{a: {{…}}}}`",)
)
TARGET_IS_LIST = Message("BP104", "`target` is one column", ("several are written as `targets: [a, b]`",))
TARGET_COLUMN_NOT_NAME = Message("BP104", "`target.column` must be the name of a column", (_TARGET_FORM,))
TARGET_NOT_NAME = Message("BP104", "`target` must be the name of a column", ("write `target: NAME`",))

UNKNOWN_CHOICE = Message(
    "BP105",
    "unknown {tag} {received} in `{path}`; it must be {choices}",
    title="unknown kind or task",
    meaning="`kind` and `task` choose from a fixed list, and this name is not in it.",
    remedy="use one of the names listed",
)

KEY_MISSING = Message(
    "BP106",
    "{section} needs `{name}`",
    title="missing key",
    meaning="A key without a default is not given.",
    remedy="add the key named to the section shown",
)
NO_TARGET = Message("BP106", "the config needs a `target`", ("add `target: COLUMN`",))
TARGET_WITHOUT_COLUMN = Message("BP106", "`target` needs `column`", (_TARGET_FORM,))
CHOICE_MISSING = Message(
    "BP106", "`{path}` needs a `{tag}`: {choices}", remedy="add `KEY: NAME` with one of the names listed"
)

KEY_TWICE = Message(
    "BP107",
    "the key `{name}` is given twice",
    title="a name given twice",
    meaning="The same key stands twice in one mapping, or a target is named twice.",
    remedy="keep one of them",
)
PYTHON_KEY_TWICE = Message("BP107", "the key `{name}` is given twice", ("1 and '1' are one key: keep one of them",))
TARGET_TWICE = Message("BP107", "the target `{name}` is given twice", ("keep one of them",))

CONTRADICTION = Message(
    "BP108",
    "{statement}",
    title="values that contradict each other",
    meaning="Each value is allowed by itself, but not together with the others.",
    remedy="change or remove one of the keys that the message names",
)
TARGET_AND_TARGETS = Message(
    "BP108",
    "`target` and `targets` are both given",
    ("`target` is for one column, `targets` for several: keep one of them",),
)

NOT_AN_OVERRIDE = Message(
    "BP109",
    "`{text}` is not a key and a value",
    ("write `--set KEY.KEY=VALUE`, for instance `--set training.epochs=5`", _QUOTED_NAME),
    title="a wrong --set",
    meaning="The text after `--set` is not `KEY.KEY=VALUE`, or leads below a value that has no keys.",
)
OVERRIDE_BELOW_VALUE = Message("BP109", "`{path}` is not a mapping, so `{name}` cannot be set in it", (_QUOTED_NAME,))

NOT_A_MAPPING = Message(
    "BP110",
    "the config must be a mapping of keys such as `data:` and `target:`, not a single value or a list",
    (SMALLEST_CONFIG,),
    title="no mapping at the top of the config",
    meaning="The config is empty, or is a list or a single value.",
)
EMPTY_CONFIG = Message("BP110", "the config is empty", (SMALLEST_CONFIG,))

TOO_LARGE = Message(
    "BP111",
    "the config is larger than {size} MiB",
    ("is this the table itself? give it as `data:`",),
    title="the config is too large",
    meaning="A config has a limit on its size, its number of values and its depth.",
)
TOO_MANY_VALUES = Message(
    "BP111", "the config has more than {limit} values", ('one line per pattern, such as `"*_id"`, serves many columns',)
)
TOO_DEEP = Message(
    "BP111",
    "lists and mappings are nested deeper than {levels} levels",
    ("is this the config? it needs no more than five levels",),
)
PYTHON_TOO_DEEP = Message(
    "BP111", "values are nested deeper than {levels} levels", ("look for a value that holds itself",)
)

NOT_UTF8 = Message(
    "BP112",
    "the config is not UTF-8: byte {byte}",
    ("save the file as UTF-8",),
    title="the config is not UTF-8",
    meaning="The bytes of the file are not UTF-8 text.",
)

VALUE_NOT_HELD = Message(
    "BP113",
    "{value} cannot be part of a config",
    (
        "a config holds None, True, False, numbers, text, paths, lists and mappings",
        "convert the value, for instance an array with `.tolist()`",
    ),
    title="a Python value that a config cannot hold",
    meaning="A config given as a mapping holds None, booleans, numbers, text, paths, lists and mappings only.",
)
PYTHON_KEY_NOT_TEXT = Message("BP113", "a key must be text; got {value}", ("write the key as text",))
NO_MAPPING = Message("BP113", "a config must be a mapping; got {type}", ("give a dict, or a path to `load_config`",))
