"""The one place that opens data files: which files may be read, and their bytes.

`AllowedPaths` turns paths as users write them into `DataFile`s, resolved once and inside the allowed directories;
`open_data` opens regular files only and notices when one changes while it is read.
"""

from __future__ import annotations

import glob
import gzip
import hashlib
import os
import re
import stat
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, Protocol

from bptrain.errors import DataError, Problem
from bptrain.runs import platform
from bptrain.utils.text import escape, nearest, quote_list

DECOMPRESSED_LIMIT = 64 * 2**30
RATIO_LIMIT = 500
RATIO_CHECKED_FROM = 2**30
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_MAGIC = re.compile(r"[*?\[]")


class ByteStream(Protocol):
    """What the readers need of an open file."""

    def read(self, size: int, /) -> bytes:
        """The next bytes: exactly `size`, fewer only at the end."""
        ...


@dataclass(frozen=True)
class DataFile:
    """A file that may be read: `path` is resolved and lies inside the allowed roots, `name` is what the user wrote."""

    path: Path
    name: str


def size(file: DataFile) -> int:
    """Bytes of a file as it lies on the disk."""
    return file.path.stat().st_size


@dataclass(frozen=True)
class AllowedPaths:
    """Where data may come from: everything below `root`, and the files and directories of `extras`; all resolved."""

    root: Path
    extras: tuple[Path, ...] = ()

    @classmethod
    def create(cls, root: str | Path | None = None, extras: Iterable[str | Path] = ()) -> AllowedPaths:
        """The paths of `--root` (else the working directory) and those on the command line, taken from it.

        A glob pattern among those allows the folder that it starts from.
        """
        base = Path(os.path.realpath(root or "."))
        return cls(base, tuple(_allowed(base, os.fspath(extra)) for extra in extras if "\0" not in os.fspath(extra)))

    def allowing(self, names: Iterable[str]) -> AllowedPaths:
        """These roots and exactly the files that `names` lead to, taken from the root."""
        return replace(self, extras=(*self.extras, *(Path(os.path.realpath(self.root / name)) for name in names)))

    def resolve(self, written: str | Path) -> Path:
        """The regular, readable file that `written` names, taken from the root.

        DataError: not a local path (BP201), outside the roots (BP200), missing (BP202), not a regular file (BP203),
        not readable (BP204).
        """
        name = os.fspath(written)
        path = self._inside(name)
        mode = _mode(path, name)
        if not stat.S_ISREG(mode):
            raise _not_regular(mode, name)
        if not os.access(path, os.R_OK):
            raise _unreadable(name, "permission denied")
        return path

    def expand(self, patterns: str | Path | Sequence[str | Path]) -> list[DataFile]:
        """The files that paths and glob patterns name, pattern by pattern, the matches of one in bytewise order.

        DataError with every problem found: those of `resolve`, a pattern without match (BP202), a file named
        twice (BP228).
        """
        files: dict[Path, DataFile] = {}
        problems: list[Problem] = []
        for written in [patterns] if isinstance(patterns, (str, Path)) else patterns:
            try:
                matches = self._matches(os.fspath(written))
            except DataError as err:
                problems += err.problems
                continue
            for file in matches:
                if file.path in files:
                    problems.append(_named_twice(files[file.path], file))
                files[file.path] = file
        if problems:
            raise DataError(*problems)
        return list(files.values())

    def _matches(self, pattern: str) -> list[DataFile]:
        _require_local(pattern)
        if not _MAGIC.search(pattern) or os.path.lexists(self.root / pattern):
            return [DataFile(self.resolve(pattern), pattern)]
        folder = self._searchable(pattern)
        names = sorted(glob.iglob(pattern, root_dir=self.root, recursive=True), key=os.fsencode)
        files = [DataFile(self.resolve(name), name) for name in names if not self._inside(name).is_dir()]
        if not files:
            raise _missing(pattern, folder, what="no file matches the pattern")
        return files

    def _searchable(self, pattern: str) -> Path:
        """The resolved folder that a pattern starts from: an allowed one, or one that holds an allowed file."""
        folder = Path(os.path.realpath(self.root / _fixed_folder(pattern)))
        if any(extra.is_relative_to(folder) for extra in self.extras):
            return folder
        return self._inside(_fixed_folder(pattern), shown=pattern)

    def folder(self, written: str | Path) -> Path:
        """The resolved folder that `written` names, which may not exist. DataError as `resolve`: BP200, BP201."""
        return self._inside(os.fspath(written))

    def _inside(self, written: str, *, shown: str | None = None) -> Path:
        """The resolved path, after the checks that do not look at what is there."""
        _require_local(written)
        path = Path(os.path.realpath(self.root / written))
        if any(path.is_relative_to(allowed) for allowed in (self.root, *self.extras)):
            return path
        raise _outside(written if shown is None else shown, path, self.root)


@contextmanager
def open_data(
    file: DataFile | Path, *, decompress: bool = True, limit: int = DECOMPRESSED_LIMIT
) -> Iterator[BinaryIO | ByteStream]:
    """The bytes of a file that `AllowedPaths` allowed; names ending in `.gz` are decompressed, up to `limit` bytes.

    DataError: not a regular file (BP203), not readable (BP204), changed while open (BP205), not complete gzip
    (BP206), too large when decompressed (BP207).
    """
    file = _as_file(file)
    with _open_regular(file) as raw:
        before = os.fstat(raw.fileno())
        try:
            yield _Gunzip(raw, file, limit) if decompress and is_gzip(file) else raw
        except DataError as err:  # a change explains whatever the reader found
            _require_unchanged(before, raw, file, cause=err)
            raise
        _require_unchanged(before, raw, file)


def digest(file: DataFile | Path) -> str:
    """sha256 of the file's bytes as they are on disk, in hexadecimal."""
    sha256 = hashlib.sha256()
    with open_data(file, decompress=False) as stream:
        while block := stream.read(2**20):
            sha256.update(block)
    return sha256.hexdigest()


def is_gzip(file: DataFile) -> bool:
    """Whether the file is decompressed while reading; its name decides."""
    return file.name.lower().endswith(".gz")


class _Gunzip:
    """A decompressing stream with a limit; every defect is a DataError."""

    def __init__(self, raw: BinaryIO, file: DataFile, limit: int) -> None:
        self._stream = gzip.GzipFile(fileobj=raw, mode="rb")
        self._file = file
        self._size = 0
        compressed = os.fstat(raw.fileno()).st_size
        self._limit = min(limit, max(RATIO_CHECKED_FROM, RATIO_LIMIT * compressed))

    def read(self, size: int, /) -> bytes:
        data = self._explained(lambda: self._stream.read(size))
        self._size += len(data)
        if self._size > self._limit:
            message = (
                f"the file decompresses to more than {self._limit:,} bytes; this is refused as a decompression bomb"
            )
            hint = "if the file is what you expect, decompress it yourself and name the result"
            raise DataError(Problem("BP207", message, escape(self._file.name), hints=(hint,)))
        return data

    def _explained(self, read: Callable[[], bytes]) -> bytes:
        try:
            return read()
        except (EOFError, gzip.BadGzipFile, zlib.error) as err:
            message = f"the name ends in .gz, but the content is not a complete gzip file: {escape(str(err))}"
            hints = ("copy or download the file again", "if it is not compressed, rename it without .gz")
            raise DataError(Problem("BP206", message, escape(self._file.name), hints=hints)) from err


def _allowed(base: Path, extra: str) -> Path:
    path = base / extra
    is_pattern = _MAGIC.search(extra) and not os.path.lexists(path)
    return Path(os.path.realpath(base / _fixed_folder(extra) if is_pattern else path))


def _fixed_folder(pattern: str) -> str:
    """What stands before the first part of a pattern that can match several names."""
    fixed = _MAGIC.split(pattern)[0].rpartition("/")[0]
    return fixed or ("/" if pattern.startswith("/") else ".")


def _as_file(file: DataFile | Path) -> DataFile:
    return file if isinstance(file, DataFile) else DataFile(file, file.name)


def _open_regular(file: DataFile) -> BinaryIO:
    try:
        descriptor = platform.open_read(file.path)
    except FileNotFoundError as err:
        raise _missing(file.name, file.path.parent) from err
    except OSError as err:
        raise _unreadable(file.name, err.strerror or str(err)) from err
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        os.close(descriptor)
        raise _not_regular(mode, file.name)
    return os.fdopen(descriptor, "rb")


def _require_unchanged(
    before: os.stat_result, raw: BinaryIO, file: DataFile, *, cause: DataError | None = None
) -> None:
    after = os.fstat(raw.fileno())
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        message = f"the file changed while it was read (from {before.st_size:,} to {after.st_size:,} bytes)"
        hint = "wait until the program that writes it has finished, then run again"
        raise DataError(Problem("BP205", message, escape(file.name), hints=(hint,))) from cause


def _require_local(written: str) -> None:
    if not written:
        reason, hint = "the path is empty", "name a file"
    elif "\0" in written:
        reason, hint = "the path holds a NUL character", "write the path as it is in the file system"
    elif _URL.match(written) or written.startswith("\\\\"):
        reason, hint = "not a local path", "download the file first; bptrain reads local files only"
    else:
        return
    raise DataError(Problem("BP201", f"{reason}: '{escape(written)}'", hints=(hint,)))


def _mode(path: Path, name: str) -> int:
    try:
        return path.lstat().st_mode
    except (FileNotFoundError, NotADirectoryError) as err:
        raise _missing(name, path.parent) from err
    except OSError as err:
        raise _unreadable(name, err.strerror or str(err)) from err


def _outside(name: str, path: Path, root: Path) -> DataError:
    message = (
        f"'{escape(name)}' leads to {escape(str(path))}, outside the directory from which files may be read, "
        f"{escape(str(root))}"
    )
    hints = ("pass `--root DIR` with a directory that holds all files", "or name the file on the command line")
    return DataError(Problem("BP200", message, hints=hints))


def _missing(name: str, folder: Path, *, what: str = "no such file") -> DataError:
    try:
        siblings = sorted(each for each in os.listdir(folder) if not each.startswith("."))
    except OSError:
        siblings = []
    near = nearest(os.path.basename(name), siblings)
    if near:
        hint = f"did you mean {quote_list(near)}?"
    elif siblings:
        hint = f"{escape(str(folder))} holds {quote_list(siblings[:5], last='and')}"
    else:
        hint = f"{escape(str(folder))} is missing or empty"
    hints = (hint, "relative paths are taken from the working directory, or from `--root DIR`")
    return DataError(Problem("BP202", f"{what}: '{escape(name)}'", hints=hints))


def _not_regular(mode: int, name: str) -> DataError:
    if stat.S_ISDIR(mode):
        what, hint = "a directory", f"name its files, for instance '{escape(name.rstrip('/'))}/*.csv'"
    else:
        kinds = {stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket", stat.S_IFLNK: "a symbolic link that leads nowhere"}
        what, hint = kinds.get(stat.S_IFMT(mode), "a device"), "write the data to a regular file first"
    return DataError(Problem("BP203", f"expected a file, but '{escape(name)}' is {what}", hints=(hint,)))


def _unreadable(name: str, reason: str) -> DataError:
    hint = "make the file readable for the user that runs bptrain, for instance `chmod a+r`"
    return DataError(Problem("BP204", f"cannot read '{escape(name)}': {escape(reason.lower())}", hints=(hint,)))


def _named_twice(first: DataFile, second: DataFile) -> Problem:
    names = quote_list(sorted({first.name, second.name}), last="and")
    hint = "remove one of the two: its rows would count twice"
    return Problem("BP228", f"the same file is named twice: {names}", hints=(hint,))
