"""Messages of `data`, and of the split that `fitting` settles: files, formats, cells, cleaning, splits and folds."""

from __future__ import annotations

from bptrain.messages.message import Message

# --- output files

UNKNOWN_ENDING = Message(
    "BP157",
    text="`{name}` has no ending that says its format",
    hints=("use one of {endings}",),
    title="unknown output format",
    meaning="The name of the output file does not end in a known format.",
)
OUTPUT_EXISTS = Message(
    "BP158",
    text="`{path}` exists already",
    hints=("choose another name, or add `--force`",),
    title="the output exists",
    meaning="bptrain does not replace a file unless told to.",
)
NO_OUTPUT_FOLDER = Message(
    "BP160",
    text="there is no folder `{folder}` for the output",
    hints=("make it first: mkdir -p {folder}",),
    title="no folder for the output",
    meaning="The output file is to stand in a folder that does not exist.",
)

# --- the split that a config means

STRATIFIED_WITHOUT_LABELS = Message(
    "BP155",
    text="`split: stratified` needs one target with labels",
    hints=("write `split: random`",),
    key=("split", "kind"),
    title="nothing to stratify by",
    meaning="A stratified split needs exactly one target, with labels.",
)
SEVERAL_ROLES = Message(
    "BP161",
    text="columns have the roles `group` and `time`, and `split` does not say which divides the rows",
    hints=("write `split: group` or `split: time`",),
    key=("split",),
    title="two ways to divide the rows",
    meaning="One column has the role `group` and another the role `time`, and `split` does not say which counts.",
)
NO_FOLDS_BY_PARTS = Message(
    "BP162",
    text="a split by `{kind}` says of each row which part it belongs to, so it has no folds",
    hints=("remove `folds`, or choose another kind of split",),
    key=("split", "folds"),
    title="no folds",
    meaning="A split by a column that names the part of each row cannot be divided into folds.",
)
NO_SPLIT_COLUMN = Message(
    "BP163",
    text="`split.column` names `{name}`, but the table has no such column",
    hints=("columns: {columns}",),
    key=("split", "column"),
    title="no such column to divide by",
    meaning="`split.column` names a column that the table does not have.",
)
SEVERAL_SPLIT_COLUMNS = Message(
    "BP164",
    text="several columns have the role `{kind}`: {names}",
    hints=("say which divides the rows: `split: {{kind: {kind}, column: {first}}}`",),
    key=("split",),
    title="no column to divide by",
    meaning="This kind of split looks at a column, and the config does not say at which.",
)
SPLIT_COLUMN_OPEN = Message(
    "BP164",
    text="`split: {kind}` does not say which column divides the rows",
    hints=("write `split: {{kind: {kind}, column: NAME}}`",),
    key=("split",),
)
SPLIT_COLUMN_UNUSED = Message(
    "BP165",
    text="`split.column` is given, but a split of kind `{kind}` looks at no column",
    hints=("write the kind, such as `split: {{kind: group, column: {column}}}` ({kinds}), or remove `column`",),
    key=("split", "column"),
    title="a column that nothing looks at",
    meaning="`split.column` is given, but this kind of split does not go by a column.",
)

# --- which files may be read

OUTSIDE_ROOT = Message(
    "BP200",
    text="'{name}' leads to {path}, outside the directory from which files may be read, {root}",
    hints=("pass `--root DIR` with a directory that holds all files", "or name the file on the command line"),
    title="a path outside the allowed directories",
    meaning="Files are read below the working directory or `--root`; this path leads elsewhere, by `..` or a link.",
)
NOT_LOCAL = Message(
    "BP201",
    text="not a local path: '{name}'",
    hints=("download the file first; bptrain reads local files only",),
    title="not a local path",
    meaning="The path is empty, an address such as s3:// or https://, or holds a NUL character.",
)
EMPTY_PATH = Message("BP201", text="the path is empty: '{name}'", hints=("name a file",))
PATH_WITH_NUL = Message(
    "BP201",
    text="the path holds a NUL character: '{name}'",
    hints=("write the path as it is in the file system",),
)
NO_SUCH_FILE = Message(
    "BP202",
    text="no such file: '{name}'",
    hints=("relative paths are taken from the working directory, or from `--root DIR`",),
    title="no such file",
    meaning="The path or pattern names no file.",
)
NO_MATCH = Message("BP202", text="no file matches the pattern: '{name}'", hints=NO_SUCH_FILE.hints)
IS_FOLDER = Message(
    "BP203",
    text="expected a file, but '{name}' is a directory",
    hints=("name its files, for instance '{folder}/*.csv'",),
    title="not a regular file",
    meaning="The path names a directory, a pipe, a device or a broken link.",
)
NOT_REGULAR = Message(
    "BP203",
    text="expected a file, but '{name}' is {what}",
    hints=("write the data to a regular file first",),
)
UNREADABLE = Message(
    "BP204",
    text="cannot read '{name}': {reason}",
    hints=("make the file readable for the user that runs bptrain, for instance `chmod a+r`",),
    title="the file cannot be read",
    meaning="The system refuses to open the file, often for lack of permission.",
)
CHANGED_WHILE_READ = Message(
    "BP205",
    text="the file changed while it was read (from {before} to {after} bytes)",
    hints=("wait until the program that writes it has finished, then run again",),
    title="the file changed while it was read",
    meaning="Size or time of the file were different before and after.",
)
DAMAGED_GZIP = Message(
    "BP206",
    text="the name ends in .gz, but the content is not a complete gzip file: {reason}",
    hints=("copy or download the file again", "if it is not compressed, rename it without .gz"),
    title="damaged gzip file",
    meaning="The name ends in .gz, but the content is not a complete gzip file.",
)
TOO_LARGE = Message(
    "BP207",
    text="the file decompresses to more than {limit} bytes; this is refused as a decompression bomb",
    hints=("if the file is what you expect, decompress it yourself and name the result",),
    title="too large when decompressed",
    meaning="The file decompresses to more than the limit, or to several hundred times its size.",
)

# --- formats and their content

FORMAT_UNCLEAR = Message(
    "BP208",
    text="the format is not clear from the name '{name}'",
    hints=("set `data.format`, or let the name end in {endings}",),
    title="another or an unknown format",
    meaning="The content is not what the name or `data.format` says, or the name says nothing.",
)
NOT_TEXT = Message("BP208", text="the file should hold text by its name or `data.format`, but it is {format}")
GZIPPED_PARQUET = Message(
    "BP208",
    text="Parquet files are compressed inside; they are not read from .gz",
    hints=("decompress the file with gunzip",),
)
NOT_PARQUET = Message(
    "BP208",
    text="the file should be Parquet by its name or `data.format`, but it is {format}",
    hints=("set `data.format` or rename the file",),
)
SPACES_IN_NAMES = Message(
    "BP209",
    text="{n} column names begin or end with a space: {names}",
    hints=("write the name in quotes, with its spaces, in the config",),
    title="column names with spaces at the ends",
    meaning="Names are compared exactly, so these are easily mistyped.",
)
EMPTY_FILE = Message(
    "BP210",
    text="the file is empty",
    hints=("name a file that holds a table",),
    title="no rows",
    meaning="The file is empty or holds only a header.",
)
NO_VALUES = Message("BP210", text="the file holds no values", hints=EMPTY_FILE.hints)
NO_ROWS = Message("BP210", text="the file has columns but no rows", hints=("name a file that holds rows",))
NO_ROWS_TO_JUDGE = Message(
    "BP210",
    "there are no rows to judge: {n} were given, none has a target",
    ("give rows with a target, or use `bptrain predict`",),
)
UNDECODABLE = Message(
    "BP211",
    text="byte 0x{byte} at offset {offset} is not valid {codec}, near '{near}'",
    hints=("if only some lines are affected, the file mixes encodings: convert it to UTF-8",),
    title="bytes that do not fit the encoding",
    meaning="The text is not written in `data.encoding` (UTF-8 by default), or begins with the mark of another one.",
)
OTHER_BYTE_ORDER_MARK = Message(
    "BP211",
    text="the file begins with the byte order mark of {marked}, but it is read as {codec}",
    hints=("set `data.encoding: {encoding}`",),
)
NO_SUCH_TEXT = Message("BP211", text="the file cannot be read as {codec}: {reason}", hints=("set `data.encoding`",))
NUL_IN_CELLS = Message(
    "BP212",
    text="column {name} holds a NUL character",
    hints=("remove it from the data",),
    title="NUL character in the data",
    meaning="Text does not hold NUL; the file is damaged, binary or UTF-16.",
)
NUL_IN_ROWS = Message(
    "BP212",
    text="{n} rows hold a NUL byte: {rows}",
    hints=("if the file is UTF-16, set `data.encoding: utf-16`", "otherwise export it again; it may be damaged"),
)
RAGGED_ROWS = Message(
    "BP213",
    text="{n} of {n_rows} rows do not have {n_columns} cells: {rows}",
    hints=("quote cells that hold the separator, and give every row one cell per column",),
    title="rows of different length",
    meaning="Some rows do not have one cell per column of the header.",
)
ROWS_LONGER_BY_ONE = Message(
    "BP213",
    text=RAGGED_ROWS.text,
    hints=("every row has one cell more than the header: name the first column, or remove a separator at the end",),
)
QUOTES = Message(
    "BP214",
    text="{problems}",
    hints=('close every quoted cell with a quote, and write a quote inside it twice: "5"" pipe"',),
    title="quotes that do not match",
    meaning="A quoted cell is never closed, or text follows its closing quote, so rows would run together.",
)
REPEATED_NAMES = Message(
    "BP215",
    text="column names occur more than once: {names}",
    hints=("give every column its own name",),
    title="repeated column name",
    meaning="Two columns have the same name, so the config could not tell them apart.",
)
EMPTY_NAMES = Message(
    "BP216",
    text="{n} of {n_columns} columns have no name: column {numbers}",
    hints=("name every column in the header",),
    title="column without name",
    meaning="A cell of the header is empty, often by an index that pandas wrote or a separator at the end of the rows.",
)
ALIKE_NAMES = Message(
    "BP217",
    text="column names differ only by case, spaces or Unicode form: {names}",
    hints=("rename or remove all but one",),
    title="column names that look alike",
    meaning="Names differ only by case, spaces or Unicode form.",
)
OTHER_SEPARATOR = Message(
    "BP218",
    text="with {separator} as separator the file has one column, '{name}'",
    hints=('its cells look separated by {other}: set `data.delimiter: "{character}"`',),
    title="wrong separator",
    meaning="The file has one column, whose name holds another usual separator.",
)
HEADER_REPEATED = Message(
    "BP219",
    text="the header is repeated in row {rows}",
    hints=("remove these rows",),
    title="header repeated",
    meaning="A row below the header repeats all column names, or a file said to have no header begins with one.",
)
NAMES_IN_ROWS = Message(
    "BP219",
    text=HEADER_REPEATED.text,
    hints=("set `data.header: true` and remove `data.names`",),
)
TOO_MANY_COLUMNS = Message(
    "BP220",
    text="the file has {n} columns; at most {limit} are read",
    hints=("remove columns, or store long vectors otherwise",),
    title="too many columns",
    meaning="More columns than are read from one file.",
)
NAMES_DO_NOT_FIT = Message(
    "BP221",
    text="`data.names` lists {n_names} columns, but the first row has {n_cells} cells",
    hints=("list one name per column, in the order of the file",),
    title="names that do not fit the rows",
    meaning="`data.names` has another number of names than the first row has cells.",
)
NO_SUCH_ENCODING = Message(
    "BP222",
    text="`data.encoding` is '{encoding}', which is not a text encoding",
    hints=("usual ones are utf-8, latin-1, cp1252 and utf-16",),
    key=("data", "encoding"),
    title="text option that cannot be used",
    meaning="`data.encoding` is no text encoding, or `data.delimiter` is not one ASCII character.",
)
NO_SUCH_SEPARATOR = Message(
    "BP222",
    text="`data.delimiter` is '{delimiter}'; expected one ASCII character, not a quote or a line end",
    hints=("usual ones are `,`, `;`, `|` and `\\t`",),
)
UNPARSABLE = Message(
    "BP223",
    text="the rows cannot be read: {reason}",
    hints=("check the quotes and the separator; long texts or binary data belong in files of their own",),
    title="rows that cannot be read",
    meaning="A row is longer than the limit or cannot be separated into cells.",
)
LONG_LINE = Message(
    "BP223",
    text="a line is longer than {limit} MiB",
    hints=("write one object per line, or convert the file to Parquet",),
)
NOT_JSON = Message(
    "BP224",
    text="not a JSON object: {reason}: {line}",
    hints=('write one object per line: {{"age": 39, "income": "low"}}',),
    title="not JSON lines",
    meaning="A line is not one JSON object.",
)
NOT_AN_OBJECT = Message("BP224", text="expected a JSON object, got {line}", hints=NOT_JSON.hints)
NOT_FLAT = Message(
    "BP224",
    text="the lines are not one flat JSON object each",
    remedy="write one object per line, without objects in it",
)
INVALID_JSON = Message("BP224", text="not valid JSON: {reason}", hints=("write one object per line, each key once",))
COLUMN_NOT_READ = Message(
    "BP225",
    text="column `{name}` is used, but holds values that are not read: {type}",
    hints=(
        "store numbers, text, true/false or dates: one column per value",
        "if the model shall not see it, write `columns: {{{written}: ignore}}`",
    ),
    title="nested or unsupported values",
    meaning="A column that is used holds lists, objects, bytes or another type that is not read.",
)
NESTED = Message(
    "BP225", text="columns hold lists or objects: {names}", hints=("write each part as a column of its own",)
)
SEVERAL_TYPES = Message(
    "BP226",
    text="column {name} has several types: {types}",
    hints=("write the column with one type in all files",),
    title="several types in one column",
    meaning="Values of a column are of types that cannot be joined, in one file or between files.",
)
TYPES_CHANGE = Message("BP226", text="columns change their type: {reason}", remedy="write all values of a column alike")
TYPES_IN_FILE = Message(
    "BP226",
    text="column {name} holds values of several types: {first} and {second}",
    hints=("write all values of a column alike, for instance all in quotes",),
)
DAMAGED_PARQUET = Message(
    "BP227",
    text="the Parquet file is damaged or incomplete: {reason}",
    hints=("copy or write the file again",),
    title="damaged Parquet file",
    meaning="The file is cut off or its content is not valid Parquet.",
)
OTHER_NAMES = Message(
    "BP228",
    text="its columns are not those of {first}: it {differences}",
    hints=("files of one table need the same column names, in any order",),
    title="files that do not fit together",
    meaning="Files of one table have different columns, or one is named twice.",
)
NAMED_TWICE = Message(
    "BP228",
    text="the same file is named twice: {names}",
    hints=("remove one of the two: its rows would count twice",),
)
LINE_ENDS = Message(
    "BP229",
    text="rows end in different ways: {ends}",
    hints=("all were read as row ends; if rows were glued together from several files, check them",),
    title="different line ends",
    meaning="Rows end in LF and in CRLF or CR within one file; all count as row ends.",
)

# --- cells

ALMOST_NUMBERS = Message(
    "BP240",
    text="{what} `{name}` holds numbers except for {n} of {n_present} cells: {examples}",
    hints=("if these cells mean missing, add them to `data.na_values`", "{declare}"),
    title="almost all numbers",
    meaning="A column or target holds numbers except for a few cells, so its kind is not clear.",
)
NOT_A_NUMBER = Message(
    "BP242",
    text="column `{name}` is numeric, but {n} of {n_rows} cells are no finite number within ±3.4e38: {examples}",
    hints=(
        "if these cells mean missing, add them to `data.na_values`; else correct them",
        "if they are labels, write `columns: {{{written}: categorical}}`",
    ),
    title="not a finite number",
    meaning="A numeric column has cells that are text, infinite, or beyond ±3.4e38, the largest 32-bit number.",
)

# --- cleaning

NO_TARGET = Message(
    "BP260",
    text="{n} of {n_rows} rows have no target value",
    hints=("write `clean: {{missing_target: drop}}` to leave these rows out, or fill them in",),
    title="rows without target",
    meaning="Rows whose target is missing can neither train nor judge.",
)
NO_TARGET_DROPPED = Message(
    "BP260",
    text="{n} of {n_rows} rows have no target and were dropped",
    remedy="nothing needs to be done if that is as it should be",
)
COPIES_KEPT = Message(
    "BP271",
    text=("{n} of {n_rows} rows repeat an earlier row in every column; copies may be on both sides of the split"),
    hints=("if they are copies made by mistake, write `clean: {{duplicates: drop}}`",),
    title="copies of rows",
    meaning="Many rows repeat an earlier one in every column; a copy on the other side of the split flatters the "
    "model.",
)
SHARED_ROWS = Message(
    "BP272",
    text="{n} of {n_rows} rows of the validation and test files are also in the training files",
    hints=("remove them from one side: a model may know them by heart, so its metrics flatter it",),
    title="rows on both sides",
    meaning="Validation or test files hold rows that the training files hold as well, so the model may know them by "
    "heart.",
)

# --- splits and folds

TOO_FEW_ROWS = Message(
    "BP266",
    text="{n_rows} row(s) are too few to keep {share} of them as {part} rows and train on the others",
    hints=("write `split: {{{part}: 0}}` to keep none, or give more rows",),
    key=("split", "{part}"),
    title="too few rows to split",
    meaning="There are not enough rows for the parts that the config asks for.",
)
RARE_LABELS = Message(
    "BP267",
    text=(
        "a stratified split needs at least 2 rows of each label and room for each of the {n_labels} labels among the "
        "{part} rows; the rarest label{label} has {n_rarest} row(s) to divide and {part} would have {n_taken}"
    ),
    hints=(
        "give more rows of them, or keep a larger share",
        "or write `split: random`, which may leave a rare label out of the training rows",
    ),
    title="labels too rare to stratify",
    meaning="A label has too few rows to be in every part.",
)
RARE_LABELS_LEFT = Message(
    "BP267",
    text="the rows cannot be divided by label: {reason}",
    hints=("give more rows of rare labels, or try another `split.seed`, or write `split: random`",),
)
MISSING_KEYS = Message(
    "BP273",
    text="the rows are divided by column `{column}`, but {n} of {n_rows} cells are missing",
    hints=("fill them in or remove these rows; `split: {kind}` needs a value in each",),
    title="no value to divide by",
    meaning="The split goes by a column whose cells are missing in some rows.",
)
TOO_FEW_GROUPS = Message(
    "BP275",
    text="there are too few {things} to keep some as {part} rows and train on others",
    hints=("give rows of more {things}, or write `split: {{kind: {kind}, {part}: 0}}` to keep none",),
    key=("split", "{part}"),
    title="too few groups or times",
    meaning="Each part of the split needs a group, or a time, of its own.",
)
PART_WITHOUT_ROWS = Message(
    "BP276",
    text="the split by {kind} leaves no {part} rows",
    hints=("check the column that divides the rows, and the shares",),
    key=("split",),
    title="no training rows",
    meaning="The split leaves no row to train on.",
)
TOO_FEW_FOR_FOLDS = Message(
    "BP277",
    text="{n_folds} folds cannot be made by {kind}: {reason}",
    hints=("write a smaller `split.folds`, or give more rows", "for rare labels see `clean.rare_class`"),
    key=("split", "folds"),
    title="folds cannot be made",
    meaning="There are too few rows, labels, groups or times for so many folds.",
)
TOO_FEW_FOR_NETWORKS = Message(
    "BP277",
    text="the training rows cannot be divided among {n_folds} networks: {reason}",
    hints=("write a smaller `model.networks`: 1 takes a share of the rows for validation instead of folds",),
    key=("model", "networks"),
)
NOT_A_PART = Message(
    "BP278",
    text="column `{column}` says which part each row belongs to, but holds {words}",
    hints=("write train, validation or test in each cell", "or divide otherwise, for instance `split: random`"),
    key=("split", "column"),
    title="not a part",
    meaning="The split goes by a column that must say train, validation or test in each row, and holds other words.",
)
UNEVEN_PART = Message(
    "BP279",
    text=(
        "{n} of {n_rows} rows are {part} rows, where `split.{part}` asks for {share}: `split: {kind}` keeps together "
        "what belongs together, and some of it is large"
    ),
    hints=("divide by another column, or by `random`; a judgement on few rows says little",),
    key=("split",),
    title="a part of another size",
    meaning="A split by group, time or hash keeps groups, instants or keys together, and one of them is so large that "
    "a part has less than half or more than twice the rows of its share.",
)
