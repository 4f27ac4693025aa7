"""The catalogue of messages: every error and warning has a stable code, explained by `bptrain explain CODE`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Code:
    """What a message means and what to do about it."""

    title: str
    meaning: str
    remedy: str


CODES: dict[str, Code] = {
    # 1xx: command line and config
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
    "BP106": Code(
        "missing key",
        "A key without a default is not given.",
        "Add the key named to the section shown.",
    ),
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
    "BP112": Code(
        "the config is not UTF-8",
        "The bytes of the file are not UTF-8 text.",
        "Save the file as UTF-8.",
    ),
    "BP113": Code(
        "a Python value that a config cannot hold",
        "A config given as a mapping holds None, booleans, numbers, text, paths, lists and mappings only.",
        "Convert the value, for instance an array with `.tolist()`.",
    ),
    # 2xx: the table: files and their structure (200-229), values and columns (230-259), target and split (260-289)
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
    "BP210": Code(
        "no rows",
        "The file is empty or holds only a header.",
        "Name a file that holds a table with rows.",
    ),
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
        "wrong separator",
        "The file has one column, whose name holds another usual separator.",
        "Set `data.delimiter`.",
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
    "BP224": Code(
        "not JSON lines",
        "A line is not one JSON object.",
        "Write one flat object per line.",
    ),
    "BP225": Code(
        "nested or unsupported values",
        "A column holds lists, objects, bytes or another type that is not read.",
        "Store each part as a column of numbers, text, true/false or dates.",
    ),
    "BP226": Code(
        "several types in one column",
        "Values of a column are of types that cannot be joined, in one file or between files.",
        "Write the column with one type everywhere.",
    ),
    "BP227": Code(
        "damaged Parquet file",
        "The file is cut off or its content is not valid Parquet.",
        "Copy or write it again.",
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
    # 3xx: judging and gates
    # 5xx: run directories
    "BP500": Code(
        "not a run directory",
        "The folder given as a run has no MANIFEST.json, or does not exist.",
        "Give a folder that `bptrain fit` published, such as `runs/adult-0001`, or make one with `bptrain fit CONFIG`.",
    ),
    "BP501": Code(
        "unfinished run",
        "Only the .partial folder of this run exists: its training is going on, or ended early.",
        "Wait until `bptrain fit` has ended, or finish it with `bptrain fit CONFIG --resume`.",
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
    # 6xx: training
    # 7xx: disk, I/O, memory, signals, and other processes
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
