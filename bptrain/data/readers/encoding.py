"""Text files as blocks of UTF-8: the declared encoding, byte order marks, and files that are no text at all."""

from __future__ import annotations

import codecs
from collections.abc import Iterator

from bptrain.data.files import ByteStream, DataFile
from bptrain.errors import DataError, Problem, UsageError
from bptrain.utils.text import escape

BLOCK = 2**20
_MARKS = (  # the longer one first: UTF-32's begins like UTF-16's
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (codecs.BOM_UTF8, "utf-8"),
)
_FOREIGN = (
    (b"PAR1", "a Parquet file"),
    (b"ARROW1", "an Arrow file"),
    (b"\x1f\x8b", "a gzip file"),
    (b"PK\x03\x04", "a zip archive or an Excel workbook (.xlsx)"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook (.xls)"),
    (b"\x28\xb5\x2f\xfd", "a zstd file"),
    (b"BZh", "a bzip2 file"),
    (b"\xfd7zXZ", "an xz file"),
    (b"7z\xbc\xaf", "a 7-Zip archive"),
    (b"\x89HDF", "an HDF5 file"),
    (b"\x93NUMPY", "a NumPy file"),
    (b"SQLite format 3\0", "an SQLite database"),
    (b"%PDF-", "a PDF document"),
    (b"\x80\x02", "a Python pickle"),
    (b"\x80\x03", "a Python pickle"),
    (b"\x80\x04", "a Python pickle"),
    (b"\x80\x05", "a Python pickle"),
    (b"<!DOCTYPE", "an HTML page"),
    (b"<!doctype", "an HTML page"),
    (b"<html", "an HTML page"),
)
_HINTS = {
    "a Parquet file": "name it .parquet or set `data.format: parquet`",
    "a gzip file": "add .gz to its name",
    "an HTML page": "the download may have returned an error page; download it again",
}


def utf8_blocks(stream: ByteStream, file: DataFile, *, encoding: str, validate: bool = True) -> Iterator[bytes]:
    """The text of an open file as UTF-8 without byte order mark, in blocks of about 1 MiB.

    `validate=False` leaves it to the caller to find bytes that are no UTF-8, when that is the encoding.
    DataError: another format (BP208), bytes that do not fit the encoding (BP211). UsageError: no such encoding (BP222).
    """
    codec = text_codec(encoding)
    block = stream.read(BLOCK)
    _require_text(block, file)
    _require_mark_of(codec, block, file)
    if codec != "utf-8" or validate:
        yield from _transcoded(block, stream, file, codec)
        return
    block = block.removeprefix(codecs.BOM_UTF8)
    while block:
        yield block
        block = stream.read(BLOCK)


def text_codec(encoding: str) -> str:
    """Python's name of a text encoding; `utf-8-sig` is `utf-8`. UsageError (BP222) when there is none."""
    try:
        codec = codecs.lookup(encoding).name
        "a".encode(codec)
    except (LookupError, UnicodeError, ValueError) as err:
        hint = "usual ones are utf-8, latin-1, cp1252 and utf-16"
        message = f"`data.encoding` is '{escape(encoding)}', which is not a text encoding"
        raise UsageError(Problem("BP222", message, hints=(hint,), key=("data", "encoding"))) from err
    return "utf-8" if codec == "utf-8-sig" else codec


def foreign_format(block: bytes) -> str | None:
    """What a file that begins with these bytes is, when it is no text: "a Parquet file"."""
    if block[257:262] == b"ustar":
        return "a tar archive"
    return next((name for magic, name in _FOREIGN if block.startswith(magic)), None)


def _require_text(block: bytes, file: DataFile) -> None:
    name = foreign_format(block)
    if name is not None:
        hint = _HINTS.get(name, "convert it to CSV or Parquet first")
        message = f"the file should hold text by its name or `data.format`, but it is {name}"
        raise DataError(Problem("BP208", message, escape(file.name), hints=(hint,)))


def _require_mark_of(codec: str, block: bytes, file: DataFile) -> None:
    marked = next((marked for mark, marked in _MARKS if block.startswith(mark)), codec)
    if not codec.startswith(marked):
        hint = f"set `data.encoding: {marked}`"
        message = f"the file begins with the byte order mark of {marked.upper()}, but it is read as {codec}"
        raise DataError(Problem("BP211", message, escape(file.name), hints=(hint,)))


def _transcoded(block: bytes, stream: ByteStream, file: DataFile, codec: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(codec)()
    consumed, lines = 0, 1
    while True:
        pending = len(decoder.getstate()[0])
        try:
            text = decoder.decode(block, final=not block)
            encoded = text.encode()
        except UnicodeDecodeError as err:
            lines += err.object[: err.start].count(b"\n")
            raise _undecodable(err, file, codec, offset=consumed - pending + err.start, line=lines) from err
        except UnicodeError as err:
            message = f"the file cannot be read as {codec}: {escape(str(err))}"
            raise DataError(Problem("BP211", message, escape(file.name), hints=("set `data.encoding`",))) from err
        if encoded:
            yield encoded if consumed else encoded.removeprefix(codecs.BOM_UTF8)
        if not block:
            return
        consumed += len(block)
        lines += encoded.count(b"\n")
        block = stream.read(BLOCK)


def _undecodable(err: UnicodeDecodeError, file: DataFile, codec: str, *, offset: int, line: int) -> DataError:
    received = err.object[err.start : err.start + 1].hex()
    near = err.object[max(0, err.start - 20) : err.start + 20].decode("latin-1")
    message = f"byte 0x{received} at offset {offset:,} is not valid {codec}, near '{escape(near)}'"
    hint = (
        "set `data.encoding`" if codec != "utf-8" else "set `data.encoding: latin-1`, or cp1252 for a file from Windows"
    )
    hints = (hint, "if only some lines are affected, the file mixes encodings: convert it to UTF-8")
    return DataError(Problem("BP211", message, f"{escape(file.name)}: line {line}", hints=hints))
