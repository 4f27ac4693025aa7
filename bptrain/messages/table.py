"""Messages of the table: files and structure (200-229), values and columns (230-259), target and split (260-289)."""

from __future__ import annotations

from bptrain.messages.code import Code

CODES: dict[str, Code] = {
    "BP200": Code(
        "a path outside the allowed directories",
        "Files are read below the working directory or `--root`; this path leads elsewhere, by `..` or a link.",
        "Pass `--root DIR` with a directory that holds all files, or name the file on the command line.",
    ),
    "BP201": Code(
        "not a local path",
        "The path is empty, an address such as s3:// or https://, or holds a NUL character.",
        "Download the file and give its local path.",
    ),
    "BP202": Code(
        "no such file",
        "The path or pattern names no file.",
        "Check the spelling; relative paths are taken from the working directory or `--root`.",
    ),
    "BP203": Code(
        "not a regular file",
        "The path names a directory, a pipe, a device or a broken link.",
        "Name files, or a pattern such as `data/*.csv`.",
    ),
    "BP204": Code(
        "the file cannot be read",
        "The system refuses to open the file, often for lack of permission.",
        "Make it readable for the user that runs bptrain.",
    ),
    "BP205": Code(
        "the file changed while it was read",
        "Size or time of the file were different before and after.",
        "Wait until the program that writes it has finished, then run again.",
    ),
    "BP206": Code(
        "damaged gzip file",
        "The name ends in .gz, but the content is not a complete gzip file.",
        "Copy or download it again, or rename it if it is not compressed.",
    ),
    "BP207": Code(
        "too large when decompressed",
        "The file decompresses to more than the limit, or to several hundred times its size.",
        "If the content is right, decompress it yourself and name the result.",
    ),
    "BP208": Code(
        "another or an unknown format",
        "The content is not what the name or `data.format` says, or the name says nothing.",
        "Set `data.format`, rename the file, or convert it to CSV, JSON lines or Parquet.",
    ),
    "BP209": Code(
        "column names with spaces at the ends",
        "Names are compared exactly, so these are easily mistyped.",
        "Write them in quotes in the config, or rename the columns.",
    ),
    "BP210": Code("no rows", "The file is empty or holds only a header.", "Name a file that holds a table with rows."),
    "BP211": Code(
        "bytes that do not fit the encoding",
        "The text is not written in `data.encoding` (UTF-8 by default), or begins with the mark of another one.",
        "Set `data.encoding`, for instance `latin-1`, `cp1252` or `utf-16`, or convert the file.",
    ),
    "BP212": Code(
        "NUL character in the data",
        "Text does not hold NUL; the file is damaged, binary or UTF-16.",
        "Set `data.encoding: utf-16` if that is so, else export the file again.",
    ),
    "BP213": Code(
        "rows of different length",
        "Some rows do not have one cell per column of the header.",
        "Quote cells that hold the separator; correct or remove the rows shown.",
    ),
    "BP214": Code(
        "quotes that do not match",
        "A quoted cell is never closed, or text follows its closing quote, so rows would run together.",
        "Close every quoted cell; write a quote inside it twice.",
    ),
    "BP215": Code(
        "repeated column name",
        "Two columns have the same name, so the config could not tell them apart.",
        "Give every column its own name.",
    ),
    "BP216": Code(
        "column without name",
        "A cell of the header is empty, often by an index that pandas wrote or a separator at the end of the rows.",
        "Name the column or remove it.",
    ),
    "BP217": Code(
        "column names that look alike",
        "Names differ only by case, spaces or Unicode form.",
        "Rename or remove all but one.",
    ),
    "BP218": Code(
        "wrong separator", "The file has one column, whose name holds another usual separator.", "Set `data.delimiter`."
    ),
    "BP219": Code(
        "header repeated",
        "A row below the header repeats all column names, or a file said to have no header begins with one.",
        "Remove these rows, or set `data.header: true`.",
    ),
    "BP220": Code(
        "too many columns",
        "More columns than are read from one file.",
        "Remove columns, or store long vectors otherwise.",
    ),
    "BP221": Code(
        "names that do not fit the rows",
        "`data.names` has another number of names than the first row has cells.",
        "List one name per column in the order of the file.",
    ),
    "BP222": Code(
        "text option that cannot be used",
        "`data.encoding` is no text encoding, or `data.delimiter` is not one ASCII character.",
        "Choose for instance utf-8 and `,`.",
    ),
    "BP223": Code(
        "rows that cannot be read",
        "A row is longer than the limit or cannot be separated into cells.",
        "Check quotes and separator; keep long texts and binary data in files of their own.",
    ),
    "BP224": Code("not JSON lines", "A line is not one JSON object.", "Write one flat object per line."),
    "BP225": Code(
        "nested or unsupported values",
        "A column that is used holds lists, objects, bytes or another type that is not read.",
        "Store each part as a column of numbers, text, true/false or dates, or ignore the column.",
    ),
    "BP226": Code(
        "several types in one column",
        "Values of a column are of types that cannot be joined, in one file or between files.",
        "Write the column with one type everywhere.",
    ),
    "BP227": Code(
        "damaged Parquet file", "The file is cut off or its content is not valid Parquet.", "Copy or write it again."
    ),
    "BP228": Code(
        "files that do not fit together",
        "Files of one table have different columns, or one is named twice.",
        "Use the same column names in all files, each file once.",
    ),
    "BP229": Code(
        "different line ends",
        "Rows end in LF and in CRLF or CR within one file; all count as row ends.",
        "Check that rows are complete, if the file was glued together from several.",
    ),
    "BP233": Code(
        "no rows to predict",
        "The table has columns but no rows, so there are no predictions.",
        "Nothing, if that is as it should be.",
    ),
    "BP234": Code(
        "rows without prediction",
        "A cell is not what its column's kind can read (no finite number, no date), so its row has no prediction.",
        "Look for rows whose `status` is not `ok`; correct the cells, or add them to `data.na_values` and train again.",
    ),
    "BP235": Code(
        "labels never seen in training",
        "A category holds labels that the training rows did not have; they count as unknown.",
        "If there are many, train again with newer rows.",
    ),
    "BP236": Code(
        "a column without any usable cell",
        "No cell of the column is of the kind that it had in training, for instance a finite number.",
        "Check that it is the right column and file, and that decimal mark and missing values are as in training.",
    ),
    "BP237": Code(
        "predictions that are not finite",
        "Numbers far outside what training rows held drove the network beyond what it can represent.",
        "Look for rows whose `status` is `no finite prediction`, and correct their extreme values.",
    ),
    "BP240": Code(
        "almost all numbers",
        "A column or target holds numbers except for a few cells, so its kind is not clear.",
        "If these cells mean missing, add them to `data.na_values`; else declare the kind, or correct the cells.",
    ),
    "BP241": Code(
        "a declared column without values",
        "A column is declared to be of a kind, but every training cell of it is missing.",
        "Ignore the column, or check `data.na_values` and the file.",
    ),
    "BP242": Code(
        "not a finite number",
        "A numeric column has cells that are text, infinite, or beyond ±3.4e38, the largest 32-bit number.",
        "Correct the cells, add what means missing to `data.na_values`, or declare the column categorical.",
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
    "BP260": Code(
        "rows without target",
        "Rows whose target is missing can neither train nor judge.",
        "Write `clean: {missing_target: drop}` to leave them out, or fill them in.",
    ),
    "BP261": Code(
        "a target with one value",
        "The target does not vary, so there is nothing to learn.",
        "Check the column, the file and the split.",
    ),
    "BP262": Code(
        "not two labels",
        "A binary target must have exactly two labels in the training rows.",
        "Use `task: multiclass` for more labels; check `data.na_values` if one of them means missing.",
    ),
    "BP263": Code(
        "a constant target",
        "A regression target has the same value in every training row.",
        "Check the column and the file.",
    ),
    "BP264": Code(
        "unknown target label",
        "Rows for validation, test or evaluation have a label that no training row has.",
        "Correct or remove these rows, or train with rows of every label.",
    ),
    "BP265": Code(
        "a target that is no number",
        "A regression target has cells that are text, infinite, or beyond ±3.4e38, the largest 32-bit number.",
        "Correct the cells, or declare the task if these are labels.",
    ),
    "BP266": Code(
        "too few rows to split",
        "There are not enough rows for the parts that the config asks for.",
        "Give more rows, or lower `split.test` and `split.validation`.",
    ),
    "BP267": Code(
        "labels too rare to stratify",
        "A label has too few rows to be in every part.",
        "Use `split: random`, merge or remove rare labels, or give more rows.",
    ),
    "BP268": Code(
        "missing columns",
        "The table lacks columns that the model was trained with.",
        "Rename or add the columns; extra columns and order do not matter.",
    ),
    "BP269": Code(
        "no target to judge by",
        "A table to be evaluated must have the target.",
        "Use `bptrain predict` for rows without a target.",
    ),
    "BP270": Code(
        "the data changed",
        "A file that the run was made with has other bytes now.",
        "Restore the file, or judge the new one with `bptrain evaluate RUN --data FILE`.",
    ),
    "BP290": Code(
        "a count below zero",
        "The Poisson loss is for counts and rates, but the target holds negative numbers.",
        "Correct these cells, or choose another loss.",
    ),
    "BP291": Code(
        "a logarithm of what is too low",
        "The target has `transform: log`, but some cells of the training files are negative, or none is above zero.",
        "Correct these cells, or write `transform: none`.",
    ),
    "BP271": Code(
        "copies of rows",
        "Many rows repeat an earlier one in every column; a copy on the other side of the split flatters the model.",
        "If they are copies made by mistake, write `clean: {duplicates: drop}`.",
    ),
    "BP272": Code(
        "rows on both sides",
        "Validation or test files hold rows that the training files hold as well, so the model may know them by heart.",
        "Remove these rows from one of the files.",
    ),
    "BP273": Code(
        "no value to divide by",
        "The split goes by a column whose cells are missing in some rows.",
        "Fill these cells in, remove the rows, or divide otherwise.",
    ),
    "BP274": Code(
        "no time",
        "The split by time needs a number, a date or a date-time in every row.",
        "Write dates as 2024-05-31, say how they are written (`kind: date`, `format`), or remove rows without a time.",
    ),
    "BP275": Code(
        "too few groups or times",
        "Each part of the split needs a group, or a time, of its own.",
        "Give rows of more groups or times, or keep no test or validation rows.",
    ),
    "BP276": Code(
        "no training rows",
        "The split leaves no row to train on.",
        "Look at the column that divides the rows, and at the shares.",
    ),
    "BP277": Code(
        "folds cannot be made",
        "There are too few rows, labels, groups or times for so many folds.",
        "Write a smaller `split.folds`, or give more rows.",
    ),
    "BP279": Code(
        "a part of another size",
        "A split by group, time or hash keeps groups, instants or keys together, and one of them is so large that a "
        "part has less than half or more than twice the rows of its share.",
        "Divide by another column; or accept it, if the part still has rows enough to judge on.",
    ),
    "BP278": Code(
        "not a part",
        "The split goes by a column that must say train, validation or test in each row, and holds other words.",
        "Write these words, or divide otherwise.",
    ),
}
