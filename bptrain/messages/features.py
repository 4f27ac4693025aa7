"""Messages of `features`."""

from __future__ import annotations

from bptrain.messages.code import Code

CODES: dict[str, Code] = {
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
    "BP180": Code(
        "several weights",
        "More than one column has the role `weight`; a row has one weight.",
        "Keep one of them, and declare the others `ignore` or with a kind.",
    ),
    "BP241": Code(
        "a declared column without values",
        "A column is declared to be of a kind, but every training cell of it is missing.",
        "Ignore the column, or check `data.na_values` and the file.",
    ),
    "BP243": Code(
        "column without values",
        "Every training cell of the column is missing; the column is ignored.",
        "Nothing; or write `ignore` for the column to say so yourself.",
    ),
    "BP244": Code(
        "constant column",
        "Every training cell of the column has the same value; it is ignored.",
        "Nothing; or write `ignore` for the column to say so yourself.",
    ),
    "BP245": Code(
        "identifier",
        "The column tells rows apart instead of describing them; a network would learn it by heart. It is ignored.",
        "Declare its kind under `columns` if it does describe the rows.",
    ),
    "BP246": Code(
        "free text",
        "The column holds text of several words that hardly repeats; it is ignored.",
        "Declare it categorical if the texts are labels; otherwise leave it out.",
    ),
    "BP247": Code(
        "no columns to predict from", "Every column was ignored.", "Give at least one column a kind under `columns`."
    ),
    "BP248": Code(
        "a column that is not read",
        "The column holds lists, objects, bytes or another type that no kind of column reads. It is ignored.",
        "Nothing; or write `ignore` for the column to say so yourself, or store each part as a column of its own.",
    ),
    "BP249": Code(
        "looks like numbers or dates",
        "A text column holds what looks like dates, or numbers with a decimal comma, thousands separators, a currency "
        "or percent sign. It is read as labels, or ignored.",
        "Declare the column numeric with its `unit` and `thousands`, or set `data.decimal`; declare it categorical if "
        "labels are meant.",
    ),
    "BP250": Code(
        "one mark for two purposes",
        "A column has the same mark between thousands and before decimals, so 1.200 could be either.",
        "Give the column the other mark as `thousands`, or set `data.decimal`.",
    ),
    "BP251": Code(
        "labels that differ by spelling alone",
        "Labels of a column differ only by letter case, white space at the ends or Unicode normal form; each counts as "
        "a label of its own.",
        "Write `clean: {strip: true, case: ignore}` if they mean the same.",
    ),
    "BP252": Code(
        "whole numbers beyond 2^53",
        "A numeric column holds whole numbers so large that they lose their last digits; they are mostly codes.",
        "Declare the column categorical or `ignore`; nothing, if the last digits do not matter.",
    ),
    "BP253": Code(
        "mostly missing",
        "More than half of the training cells of a column are missing.",
        "Nothing, if what is missing tells something; else write `ignore` for the column.",
    ),
    "BP254": Code(
        "impossible values",
        "A numeric column has cells outside its `range` where this is an error, or so many that no training row is "
        "left.",
        "Correct the cells or widen `range`; with `out_of_range: missing` such cells count as missing.",
    ),
    "BP255": Code(
        "a cell that its column's kind cannot read",
        "The column was declared or recognised to be of a kind, and the message shows cells that are nothing of it: no "
        "word of a boolean column, no date of the column's format.",
        "Correct the cells, add what means missing to `data.na_values`, tell the kind how its cells are written (the "
        "message says where), or declare another kind.",
    ),
    "BP256": Code(
        "almost all dates",
        "A column holds dates of one format except for a few cells, or dates of several formats.",
        "Write all dates in one way, add what means missing to `data.na_values`, or declare the column categorical.",
    ),
    "BP257": Code(
        "a range that few cells keep to",
        "More than a fifth of the cells of a numeric column lie outside its `range`.",
        "Check the bounds and their unit; nothing, if so many cells are impossible indeed.",
    ),
    "BP274": Code(
        "no time",
        "The split by time needs a number, a date or a date-time in every row.",
        "Write dates as 2024-05-31, say how they are written (`kind: date`, `format`), or remove rows without a time.",
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
}
