"""Messages of `data`."""

from __future__ import annotations

from bptrain.messages.code import Code

CODES: dict[str, Code] = {
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
    "BP240": Code(
        "almost all numbers",
        "A column or target holds numbers except for a few cells, so its kind is not clear.",
        "If these cells mean missing, add them to `data.na_values`; else declare the kind, or correct the cells.",
    ),
    "BP242": Code(
        "not a finite number",
        "A numeric column has cells that are text, infinite, or beyond ±3.4e38, the largest 32-bit number.",
        "Correct the cells, add what means missing to `data.na_values`, or declare the column categorical.",
    ),
    "BP260": Code(
        "rows without target",
        "Rows whose target is missing can neither train nor judge.",
        "Write `clean: {missing_target: drop}` to leave them out, or fill them in.",
    ),
    "BP267": Code(
        "labels too rare to stratify",
        "A label has too few rows to be in every part.",
        "Use `split: random`, merge or remove rare labels, or give more rows.",
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
}
