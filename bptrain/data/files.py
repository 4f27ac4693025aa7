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
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, Protocol

from bptrain.errors import DataError, Problem, collect_problems, raise_problems
from bptrain.messages import data as messages
from bptrain.messages.message import Message
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

    @property
    def is_gzip(self) -> bool:
        """Whether it is decompressed while reading; its name decides."""
        return self.name.lower().endswith(".gz")


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
        allowed = []
        for extra in (os.fspath(extra) for extra in extras):
            if "\0" not in extra:
                is_pattern = _MAGIC.search(extra) and not os.path.lexists(base / extra)
                allowed.append(Path(os.path.realpath(base / (_fixed_folder(extra) if is_pattern else extra))))
        return cls(base, tuple(allowed))

    def allowing(self, names: Iterable[str]) -> AllowedPaths:
        """These roots and exactly the files that `names` lead to, taken from the root."""
        return replace(self, extras=(*self.extras, *(Path(os.path.realpath(self.root / name)) for name in names)))

    def resolve(self, written: str | Path) -> Path:
        """The regular, readable file that `written` names, taken from the root.

        DataError: not a local path (BP201), outside the roots (BP200), missing (BP202), not a regular file (BP203),
        not readable (BP204).
        """
        name = os.fspath(written)
        path = self.folder(name)
        try:
            _require_regular(path.lstat().st_mode, name)
        except (FileNotFoundError, NotADirectoryError) as err:
            raise _missing(name, path.parent) from err
        except OSError as err:
            raise DataError(messages.UNREADABLE(name=name, reason=(err.strerror or str(err)).lower())) from err
        if not os.access(path, os.R_OK):
            raise DataError(messages.UNREADABLE(name=name, reason="permission denied"))
        return path

    def expand(self, patterns: str | Path | Sequence[str | Path]) -> list[DataFile]:
        """The files that paths and glob patterns name, pattern by pattern, the matches of one in bytewise order.

        DataError with every problem found: those of `resolve`, a pattern without match (BP202), a file named
        twice (BP228).
        """
        files: dict[Path, DataFile] = {}
        problems: list[Problem] = []
        for written in [patterns] if isinstance(patterns, (str, Path)) else patterns:
            with collect_problems(problems):
                pattern = os.fspath(written)
                _require_local(pattern)
                names = [pattern]
                if _MAGIC.search(pattern) and not os.path.lexists(self.root / pattern):
                    # it must start from an allowed folder, or from one that holds an allowed file
                    folder = Path(os.path.realpath(self.root / _fixed_folder(pattern)))
                    is_inside = any(folder.is_relative_to(allowed) for allowed in (self.root, *self.extras))
                    if not is_inside and not any(path.is_relative_to(folder) for path in self.extras):
                        raise DataError(messages.OUTSIDE_ROOT(name=pattern, path=folder, root=self.root))
                    names = sorted(glob.iglob(pattern, root_dir=self.root, recursive=True), key=os.fsencode)
                    names = [name for name in names if not self.folder(name).is_dir()]
                    if not names:
                        raise _missing(pattern, folder, messages.NO_MATCH)
                for file in [DataFile(self.resolve(name), name) for name in names]:
                    if file.path in files:
                        both = quote_list(sorted({files[file.path].name, file.name}), last="and")
                        problems.append(messages.NAMED_TWICE(names=both))
                    files[file.path] = file
        raise_problems(problems)
        return list(files.values())

    def folder(self, written: str | Path) -> Path:
        """The resolved path of `written`, which may not exist; what is there is not looked at.

        DataError: not a local path (BP201), outside the roots (BP200).
        """
        name = os.fspath(written)
        _require_local(name)
        path = Path(os.path.realpath(self.root / name))
        if not any(path.is_relative_to(allowed) for allowed in (self.root, *self.extras)):
            raise DataError(messages.OUTSIDE_ROOT(name=name, path=path, root=self.root))
        return path


NO_PATHS = AllowedPaths(Path(os.devnull))  # no file lies below it


@contextmanager
def open_data(
    file: DataFile | Path, *, decompress: bool = True, limit: int = DECOMPRESSED_LIMIT
) -> Iterator[BinaryIO | ByteStream]:
    """The bytes of a file that `AllowedPaths` allowed; names ending in `.gz` are decompressed, up to `limit` bytes.

    DataError: not a regular file (BP203), not readable (BP204), changed while open (BP205), not complete gzip
    (BP206), too large when decompressed (BP207).
    """
    file = file if isinstance(file, DataFile) else DataFile(file, file.name)
    try:
        descriptor = platform.open_read(file.path)
    except FileNotFoundError as err:
        raise _missing(file.name, file.path.parent) from err
    except OSError as err:
        raise DataError(messages.UNREADABLE(name=file.name, reason=(err.strerror or str(err)).lower())) from err
    before = os.fstat(descriptor)
    if not stat.S_ISREG(before.st_mode):
        os.close(descriptor)
        _require_regular(before.st_mode, file.name)
    with os.fdopen(descriptor, "rb") as raw:
        cause = None
        try:
            yield _Gunzip(raw, file, limit) if decompress and file.is_gzip else raw
        except DataError as err:  # a change explains whatever the reader found
            cause = err
        after = os.fstat(descriptor)
        if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
            old, new = f"{before.st_size:,}", f"{after.st_size:,}"
            raise DataError(messages.CHANGED_WHILE_READ(before=old, after=new, where=file.name)) from cause
        if cause is not None:
            raise cause


def digest(file: DataFile | Path) -> str:
    """sha256 of the file's bytes as they are on disk, in hexadecimal."""
    sha256 = hashlib.sha256()
    with open_data(file, decompress=False) as stream:
        while block := stream.read(2**20):
            sha256.update(block)
    return sha256.hexdigest()


class _Gunzip:
    """A decompressing stream with a limit; every defect is a DataError."""

    def __init__(self, raw: BinaryIO, file: DataFile, limit: int) -> None:
        self._stream = gzip.GzipFile(fileobj=raw, mode="rb")
        self._file = file
        self._size = 0
        compressed = os.fstat(raw.fileno()).st_size
        self._limit = min(limit, max(RATIO_CHECKED_FROM, RATIO_LIMIT * compressed))

    def read(self, size: int, /) -> bytes:
        """The next bytes: exactly `size`, fewer only at the end."""
        try:
            data = self._stream.read(size)
        except (EOFError, gzip.BadGzipFile, zlib.error) as err:
            raise DataError(messages.DAMAGED_GZIP(reason=err, where=self._file.name)) from err
        self._size += len(data)
        if self._size > self._limit:
            raise DataError(messages.TOO_LARGE(limit=f"{self._limit:,}", where=self._file.name))
        return data


def _fixed_folder(pattern: str) -> str:
    """What stands before the first part of a pattern that can match several names."""
    fixed = _MAGIC.split(pattern)[0].rpartition("/")[0]
    return fixed or ("/" if pattern.startswith("/") else ".")


def _require_local(written: str) -> None:
    if not written:
        raise DataError(messages.EMPTY_PATH(name=written))
    if "\0" in written:
        raise DataError(messages.PATH_WITH_NUL(name=written))
    if _URL.match(written) or written.startswith("\\\\"):
        raise DataError(messages.NOT_LOCAL(name=written))


def _require_regular(mode: int, name: str) -> None:
    if stat.S_ISDIR(mode):
        raise DataError(messages.IS_FOLDER(name=name, folder=name.rstrip("/")))
    if not stat.S_ISREG(mode):
        kinds = {stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket", stat.S_IFLNK: "a symbolic link that leads nowhere"}
        raise DataError(messages.NOT_REGULAR(name=name, what=kinds.get(stat.S_IFMT(mode), "a device")))


def _missing(name: str, folder: Path, message: Message = messages.NO_SUCH_FILE) -> DataError:
    """The error of a name that nothing has, with what its folder holds."""
    try:
        siblings = sorted(sibling for sibling in os.listdir(folder) if not sibling.startswith("."))
    except OSError:
        siblings = []
    if near := nearest(os.path.basename(name), siblings):
        hint = f"did you mean {quote_list(near)}?"
    elif siblings:
        hint = f"{escape(folder)} holds {quote_list(siblings[:5], last='and')}"
    else:
        hint = f"{escape(folder)} is missing or empty"
    return DataError(message(name=name, hints=(hint,)))
