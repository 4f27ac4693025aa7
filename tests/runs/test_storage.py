"""Atomic writing, strict JSON, and disk errors."""

from __future__ import annotations

import errno
import os
import socket
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bptrain.errors import RunError, StorageError
from bptrain.messages.catalogue import CATALOGUE
from bptrain.runs import platform, storage

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text("aé\u2028 "),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text("abé", max_size=3), children, max_size=4),
    max_leaves=12,
)


def failing(number: int):  # type: ignore[no-untyped-def]
    def fail(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    return fail


def test_write_bytes_replaces_the_file_and_leaves_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "file.bin"
    storage.write_bytes(path, b"old")
    storage.write_bytes(path, b"new")
    assert path.read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["file.bin"]


def test_write_bytes_gives_the_mode_of_the_umask(tmp_path: Path) -> None:
    previous = os.umask(0o027)
    try:
        storage.write_bytes(tmp_path / "file", b"")
    finally:
        os.umask(previous)
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o640


def test_write_bytes_replaces_a_symlink_and_not_its_target(tmp_path: Path) -> None:
    (tmp_path / "target").write_text("kept")
    (tmp_path / "link").symlink_to("target")
    storage.write_text(tmp_path / "link", "new")
    assert (tmp_path / "target").read_text() == "kept"
    assert not (tmp_path / "link").is_symlink()


def test_write_bytes_survives_short_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: whole(descriptor, data[:3]))
    storage.write_bytes(tmp_path / "file", b"0123456789")
    assert (tmp_path / "file").read_bytes() == b"0123456789"


def test_write_bytes_syncs_the_file_before_the_rename_and_the_folder_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events: list[str] = []
    for name in ("write_all", "sync", "replace", "sync_folder"):
        original = getattr(platform, name)

        def record(*args: object, name: str = name, original=original) -> None:  # type: ignore[no-untyped-def]
            events.append(name)
            original(*args)

        monkeypatch.setattr(platform, name, record)
    storage.write_bytes(tmp_path / "file", b"data")
    assert events == ["write_all", "sync", "replace", "sync_folder"]


@pytest.mark.parametrize("call", ["write", "fsync", "replace"])
@pytest.mark.parametrize(
    ("number", "code"),
    [
        (errno.ENOSPC, "BP740"),
        (errno.EDQUOT, "BP740"),
        (errno.EACCES, "BP741"),
        (errno.EROFS, "BP742"),
        (errno.EIO, "BP743"),
        (errno.ENAMETOOLONG, "BP744"),
        (errno.EMFILE, "BP746"),
    ],
)
def test_write_bytes_keeps_the_old_file_when_the_disk_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, number: int, code: str
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    monkeypatch.setattr(os, call, failing(number))
    with pytest.raises(StorageError, match=code) as caught:
        storage.write_bytes(path, b"new")
    monkeypatch.undo()
    assert caught.value.exit_code == 74
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file"]
    assert str(path) in caught.value.problems[0].message
    assert code in CATALOGUE


def test_a_full_disk_names_what_is_needed_and_free(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "write", failing(errno.ENOSPC))
    monkeypatch.setattr(platform, "free_bytes", lambda path: 4096)
    with pytest.raises(StorageError, match="the disk is full .*12,345 bytes are needed, 4,096 bytes are free"):
        storage.write_bytes(tmp_path / "file", bytes(12345))


def test_free_bytes_is_known_for_a_path_that_does_not_exist(tmp_path: Path) -> None:
    free = platform.free_bytes(tmp_path / "no" / "such" / "file")
    assert free is not None
    assert free > 0


def test_a_name_that_is_too_long_is_a_storage_error(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="BP744.*too long"):
        storage.write_bytes(tmp_path / ("n" * 300), b"")


def test_the_longest_name_can_be_written(tmp_path: Path) -> None:
    storage.write_bytes(tmp_path / ("n" * 255), b"data")
    assert (tmp_path / ("n" * 255)).read_bytes() == b"data"


@settings(max_examples=60, deadline=None)
@given(value=JSON_VALUES)
def test_canonical_json_round_trips_and_is_canonical(value: object) -> None:
    text = storage.canonical_json(value)
    parsed = storage.parse_json(text.encode(), source="memory")
    assert parsed == value
    assert storage.canonical_json(parsed) == text


def test_canonical_json_is_sorted_indented_and_ends_with_a_newline() -> None:
    assert storage.canonical_json({"b": 0.1, "a": ["é", None, -0.0]}) == (
        '{\n  "a": [\n    "é",\n    null,\n    -0.0\n  ],\n  "b": 0.1\n}\n'
    )


@pytest.mark.parametrize("value", [np.float64(1), np.float32(1), np.int64(1), np.bool_(True), np.str_("a"), {1}, b"a"])
def test_canonical_json_refuses_what_is_not_json_and_says_where(value: object) -> None:
    with pytest.raises(TypeError, match=r"is not a JSON value; got .* at \$\.metrics\[0\]"):
        storage.canonical_json({"metrics": [value]})


@pytest.mark.parametrize("key", [1, None, True, np.str_("a")])
def test_canonical_json_refuses_keys_that_are_not_str(key: object) -> None:
    with pytest.raises(TypeError, match="JSON keys must be str"):
        storage.canonical_json({key: 1})


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_canonical_json_refuses_numbers_that_are_not_finite(value: float) -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        storage.canonical_json({"loss": value})


def test_write_json_writes_the_canonical_text(tmp_path: Path) -> None:
    storage.write_json(tmp_path / "a.json", {"b": 1, "a": "ü"})
    assert (tmp_path / "a.json").read_bytes() == '{\n  "a": "ü",\n  "b": 1\n}\n'.encode()
    assert storage.read_json(tmp_path / "a.json") == {"a": "ü", "b": 1}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b'{"a": 1, "a": 2}',
        b'{"a": {"b": 1, "b": 1}}',
        b"NaN",
        b"[Infinity]",
        b"[-Infinity]",
        b"1e999",
        b"9" * 5000,
        b"\xff\xfe",
        b"\xef\xbb\xbf{}",
        b"[" * 100_000,
        b"{} {}",
    ],
    ids=lambda data: repr(data[:20]),
)
def test_read_json_refuses_damage_and_names_the_file(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "broken.json").write_bytes(data)
    with pytest.raises(RunError, match=r"BP507: .*broken\.json. is not valid JSON") as caught:
        storage.read_json(tmp_path / "broken.json")
    assert caught.value.exit_code == 5


def test_read_bytes_refuses_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="BP503.*is missing"):
        storage.read_bytes(tmp_path / "none")


@pytest.mark.parametrize("kind", ["symlink", "folder", "pipe", "socket"])
def test_read_bytes_refuses_what_is_not_a_regular_file(tmp_path: Path, kind: str) -> None:
    (tmp_path / "real").write_text("secret")
    path = tmp_path / "it"
    if kind == "symlink":
        path.symlink_to("real")
    elif kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        with socket.socket(socket.AF_UNIX) as server:
            previous = Path.cwd()
            os.chdir(tmp_path)  # socket paths are limited to about 100 bytes
            try:
                server.bind("it")
            finally:
                os.chdir(previous)
    with pytest.raises(RunError, match="BP505.*not a regular file"):
        storage.read_bytes(path)


def test_read_bytes_refuses_more_than_was_asked_for(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(bytes(11))
    with pytest.raises(RunError, match="BP502.*11 bytes, at most 10"):
        storage.read_bytes(tmp_path / "large", at_most=10)


def test_reading_trouble_of_the_disk_is_a_storage_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "open_read", failing(errno.EIO))
    with pytest.raises(StorageError, match="BP743: cannot read"):
        storage.read_bytes(tmp_path / "file")


def test_every_reason_has_a_code_in_the_catalogue() -> None:
    codes = {message.code for message in storage._BY_ERRNO.values()}
    assert len(codes) >= 6
    assert codes <= CATALOGUE.keys()
    for message in storage._BY_ERRNO.values():
        problem = message(doing="write", path="a", system="as the system says", sizes="")
        assert problem.message.startswith("cannot write `a`: ")
        assert "(as the system says)" in problem.message
        assert problem.hints
