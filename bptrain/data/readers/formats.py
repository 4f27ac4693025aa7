"""The table of file formats, and which of them a file has."""

from __future__ import annotations

from bptrain.data.files import DataFile
from bptrain.data.options import DataOptions
from bptrain.data.readers.csv import CsvFormat
from bptrain.data.readers.format import Format
from bptrain.data.readers.jsonl import JsonLinesFormat
from bptrain.data.readers.parquet import ParquetFormat
from bptrain.errors import DataError
from bptrain.messages import data as messages

FORMATS: dict[str, Format] = {
    "csv": CsvFormat("csv", ",", (".csv",), ".csv"),
    "tsv": CsvFormat("tsv", "\t", (".tsv",)),
    "jsonl": JsonLinesFormat(),
    "parquet": ParquetFormat(),
}


def format_of(file: DataFile, options: DataOptions) -> Format:
    """By `data.format`, else by the file's name. Raises DataError (BP208) when that says nothing."""
    chosen = FORMATS.get(options.format) or format_by_name(file)
    if chosen is None:
        endings = ", ".join(suffix for format in FORMATS.values() for suffix in format.suffixes)
        raise DataError(messages.FORMAT_UNCLEAR(name=file.name, endings=endings))
    return chosen


def format_by_name(file: DataFile) -> Format | None:
    """The format that the end of a file's name tells, or None."""
    name = file.name.lower().removesuffix(".gz")
    return next((format for format in FORMATS.values() if name.endswith(format.suffixes)), None)
