"""Messages of `features`."""

from __future__ import annotations

from bptrain.messages.message import Message

# Which columns are used

NO_COLUMN_FITS = Message(
    "BP152",
    "`columns` names `{name}`, but no column fits",
    ("columns: {names}",),
    ("columns", "{name}"),
    title="`columns` names no column",
    meaning="A name or pattern under `columns` fits no column of the table. Patterns use `*` and `?` and "
    "stand in quotes.",
)
TARGET_AMONG_COLUMNS = Message(
    "BP153",
    "`columns` names `{name}`, which is the target",
    ("remove it here: options of a target stand under `target`",),
    ("columns", "{name}"),
    title="`columns` names a target",
    meaning="The target is not one of the columns to predict from.",
)
IGNORED_EMPTY = Message(
    "BP243",
    "column `{name}` is ignored: {reason}",
    ("write `columns: {{{column}: KIND}}` with a kind to use it anyway, or `ignore` to say so yourself",),
    title="column without values",
    meaning="Every training cell of the column is missing; the column is ignored.",
)
IGNORED_CONSTANT = Message(
    "BP244",
    IGNORED_EMPTY.text,
    IGNORED_EMPTY.hints,
    title="constant column",
    meaning="Every training cell of the column has the same value; it is ignored.",
)
IGNORED_IDENTIFIER = Message(
    "BP245",
    IGNORED_EMPTY.text,
    IGNORED_EMPTY.hints,
    title="identifier",
    meaning="The column tells rows apart instead of describing them; a network would learn it by heart. It is ignored.",
)
# A comment of the config that is written.
ID_AS_AMOUNT = Message(
    "BP245",
    text="column `{name}` is read as an amount",
    hints=("if its numbers name something, write `{key_name}: categorical` or `ignore`",),
)
IGNORED_TEXT = Message(
    "BP246",
    IGNORED_EMPTY.text,
    IGNORED_EMPTY.hints,
    title="free text",
    meaning="The column holds text of several words that hardly repeats; it is ignored. It may be declared categorical "
    "if the texts are labels.",
)
NOTHING_LEFT = Message(
    "BP247",
    "no column is left to predict from: {reasons}",
    ("give at least one column a kind under `columns`: `numeric` or `categorical`",),
    ("columns",),
    title="no columns to predict from",
    meaning="Every column was ignored.",
)
NO_COLUMNS = Message(
    "BP247", "the table has no column besides the target", ("give a table with columns to predict from",)
)
IGNORED_UNREAD = Message(
    "BP248",
    IGNORED_EMPTY.text,
    ("write `columns: {{{column}: ignore}}` to say so yourself",),
    title="a column that is not read",
    meaning="The column holds lists, objects, bytes or another type that no kind of column reads. It is ignored. Each "
    "part could be stored as a column of its own.",
)

# Cells that a kind cannot use

NO_VALUE = Message(
    "BP241",
    "column `{name}` is declared {kind} but has no value in the training rows",
    ("write `columns: {{{column}: ignore}}`, or check `data.na_values`",),
    ("columns", "{name}"),
    title="a declared column without values",
    meaning="A column is declared to be of a kind, but every training cell of it is missing.",
)
NO_VALUE_IN_RANGE = Message(
    "BP241",
    "column `{name}` is declared {kind} but has no value in the training rows: all its {n_outside} numbers lie outside "
    "`range`",
    NO_VALUE.hints,
    NO_VALUE.key,
)
UNREADABLE_CELLS = Message(
    "BP255",
    "column `{name}` {said}: {examples}",
    (
        "if these cells mean missing, add them to `data.na_values`; else correct them",
        "if they are labels, write `columns: {{{column}: categorical}}`",
    ),
    title="a cell that its column's kind cannot read",
    meaning="The column was declared or inferred to be of a kind, and the message shows cells that are nothing of it: "
    "no word of a boolean column, no date of the column's format. The message says where to tell the kind how its "
    "cells are written.",
)
ALMOST_DATES = Message(
    "BP256",
    "column `{name}` holds dates written {format} except for {n_bad} of {n_present} cells: {examples}",
    (
        "if these cells mean missing, add them to `data.na_values`; else write all dates in one way",
        "if they are labels, write `columns: {{{column}: categorical}}`",
    ),
    title="almost all dates",
    meaning="A column holds dates of one format except for a few cells, or dates of several formats.",
)
OUT_OF_RANGE = Message(
    "BP254",
    "column `{name}` ranges from {low} to {high}, but {n_outside} of {n_rows} cells lie outside: {examples}",
    (
        "correct the cells or widen `range`",
        "or write `out_of_range: missing` for the column, and such cells count as missing",
    ),
    title="impossible values",
    meaning="A numeric column has cells outside its `range` where this is an error, or so many that no training row is "
    "left.",
)
NO_ROW_LEFT = Message(
    "BP254",
    "every one of the {n_rows} training rows would be left out: {reasons}",
    ("widen `range`, or do not `drop` the rows of these columns",),
    ("columns", "{name}"),
)
NO_TIME = Message(
    "BP274",
    "column `{name}` is to order the rows by time, but {n_wrong} of {n_rows} cells are no number and no date: "
    "{examples}",
    (
        "write dates as 2024-05-31, or say how they are written: "
        '`columns: {{{column}: {{kind: date, format: "%d/%m/%Y"}}}}`',
        "correct or remove rows without a time",
    ),
    title="no time",
    meaning="The split by time needs a number, a date or a date-time in every row.",
)

# What is odd about cells and options

LOOKS_LIKE = Message(
    "BP249",
    "column `{name}` holds what looks like {what}, for instance '{example}', but is not read so",
    title="looks like numbers or dates",
    meaning="A text column holds what looks like dates, or numbers with a decimal comma, thousands separators, a "
    "currency or percent sign. It is read as labels, or ignored.",
    remedy="declare it numeric with its `unit` and `thousands`, or set `data.decimal`; declare it categorical if "
    "labels are meant",
)
THOUSANDS_ARE_DECIMAL = Message(
    "BP250",
    "`columns` gives `{name}` the mark `{decimal}` between thousands, which is the decimal mark, too",
    ("write `thousands: '{other}'`, or set the other one as `data.decimal`",),
    ("columns", "{name}", "thousands"),
    title="one mark for two purposes",
    meaning="A column has the same mark between thousands and before decimals, so 1.200 could be either.",
)
SPELLED_DIFFERENTLY = Message(
    "BP251",
    "column `{name}`: {n_pairs} label(s) differ from another only by letter case, white space at the ends or Unicode "
    "form, for instance '{first}' and '{second}'",
    ("if they mean the same, write `clean: {{strip: true, case: ignore}}`",),
    title="labels that differ by spelling alone",
    meaning="Labels of a column differ only by letter case, white space at the ends or Unicode normal form; each "
    "counts as a label of its own.",
)
HUGE_NUMBERS = Message(
    "BP252",
    "column `{name}` is numeric, but {n_huge} of {n_rows} cells are whole numbers beyond 2^53, which lose their last "
    "digits: {examples}",
    ("if they are codes, write `columns: {{{column}: categorical}}`, if identifiers, `ignore`",),
    title="whole numbers beyond 2^53",
    meaning="A numeric column holds whole numbers so large that they lose their last digits; they are mostly codes.",
)
MOSTLY_MISSING = Message(
    "BP253",
    "column `{name}`: {n_missing} of {n_rows} training cells are missing",
    ("if it tells nothing, write `columns: {{{column}: ignore}}`",),
    title="mostly missing",
    meaning="More than half of the training cells of a column are missing.",
)
DOUBTFUL_RANGE = Message(
    "BP257",
    "column `{name}`: {n_outside} of {n_present} cells lie outside its `range`: {examples}",
    ("check the bounds and the unit they are in; such cells count as missing or are left out",),
    ("columns", "{name}", "range"),
    title="a range that few cells keep to",
    meaning="More than a fifth of the cells of a numeric column lie outside its `range`.",
)

# Weights

SEVERAL_WEIGHTS = Message(
    "BP180",
    "only one column can be the weight of a row; {names} are declared so",
    ("keep one, and declare the others `ignore` or with a kind",),
    ("columns", "{name}"),
    title="several weights",
    meaning="More than one column has the role `weight`; a row has one weight.",
)
UNUSABLE_WEIGHTS = Message(
    "BP305",
    "column `{name}` holds weights, but {n_wrong} of {n_rows} cells are no finite number >= 0{examples}",
    ("correct these cells: 1 counts a row once, 0 leaves it out",),
    title="unusable weights",
    meaning="The column with the role `weight` holds cells that are missing, negative or no finite number.",
)
NO_WEIGHT = Message(
    "BP306",
    "column `{name}` gives each of {n_rows} rows the weight 0",
    ("a weight of 0 leaves a row out: give some rows more",),
    title="no row has any weight",
    meaning="The column with the role `weight` is 0 in all rows of one part, so nothing could be computed there.",
)
