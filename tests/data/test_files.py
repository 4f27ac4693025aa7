"""Which files may be read, and how they are opened."""

from __future__ import annotations

import gzip
import hashlib
import os
from pathlib import Path

import pytest

from bptrain.data import files
from bptrain.data.files import AllowedPaths, DataFile, digest, open_data
from bptrain.errors import DataError
from bptrain.messages.catalogue import CATALOGUE


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "root"
    (folder / "data").mkdir(parents=True)
    for name in ("b.csv", "a.csv", "Z.csv"):
        (folder / "data" / name).write_text("x\n1\n")
    (tmp_path / "secret.csv").write_text("x\n1\n")
    return folder


def read(path: Path, **options: int) -> bytes:
    with open_data(path, **options) as stream:
        return b"".join(iter(lambda: stream.read(7), b""))


def test_resolve_takes_relative_paths_from_the_root(root: Path) -> None:
    assert AllowedPaths.create(root).resolve("data/a.csv") == (root / "data/a.csv").resolve()
    assert AllowedPaths.create(root).resolve("data/../data/a.csv").name == "a.csv"


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("../secret.csv", "BP200"),
        ("data/../../secret.csv", "BP200"),
        ("/etc/passwd", "BP200"),
        ("link.csv", "BP200"),
        ("linked/secret.csv", "BP200"),
        ("../*.csv", "BP200"),
        ("/etc/*", "BP200"),
        ("linked/*.csv", "BP200"),
        ("", "BP201"),
        ("a\0b.csv", "BP201"),
        ("s3://bucket/a.csv", "BP201"),
        ("https://example.org/a.csv", "BP201"),
        ("file:///etc/passwd", "BP201"),
        ("data/missing.csv", "BP202"),
        ("data/a.csv/b.csv", "BP202"),
        ("data/*.parquet", "BP202"),
        ("nowhere/*.csv", "BP202"),
        ("data", "BP203"),
        ("data/", "BP203"),
        ("pipe.csv", "BP203"),
    ],
)
def test_expand_refuses_a_path_with_its_code(root: Path, written: str, code: str) -> None:
    (root / "link.csv").symlink_to(root.parent / "secret.csv")
    (root / "linked").symlink_to(root.parent)
    os.mkfifo(root / "pipe.csv")
    with pytest.raises(DataError, match=code) as caught:
        AllowedPaths.create(root).expand([written])
    assert caught.value.exit_code == 4
    assert all(problem.code in CATALOGUE and problem.hints for problem in caught.value.problems)


def test_resolve_names_root_in_the_hint_when_a_path_leaves_it(root: Path) -> None:
    with pytest.raises(DataError, match="secret") as caught:
        AllowedPaths.create(root).resolve("../secret.csv")
    assert "`--root DIR`" in caught.value.problems[0].hints[0]


def test_resolve_suggests_near_names(root: Path) -> None:
    (root / "data" / "california.csv").touch()
    with pytest.raises(DataError, match="no such file") as caught:
        AllowedPaths.create(root).resolve("data/californa.csv")
    assert "`california.csv`" in caught.value.problems[0].hints[0]


def test_extras_allow_a_file_and_everything_below_a_directory(root: Path, tmp_path: Path) -> None:
    below = tmp_path / "other" / "deep"
    below.mkdir(parents=True)
    (below / "c.csv").touch()
    roots = AllowedPaths.create(root, [tmp_path / "secret.csv", tmp_path / "other"])
    assert roots.resolve("../secret.csv").name == "secret.csv"
    assert roots.resolve(below / "c.csv").name == "c.csv"
    (tmp_path / "secret.csv.bak").touch()
    with pytest.raises(DataError, match="BP200"):
        roots.resolve("../secret.csv.bak")


def test_expand_sorts_matches_bytewise_and_keeps_the_order_of_patterns(root: Path) -> None:
    (root / "data" / "sub.csv").mkdir()
    names = [file.name for file in AllowedPaths.create(root).expand(["data/b*.csv", "data/[aZ].csv"])]
    assert names == ["data/b.csv", "data/Z.csv", "data/a.csv"]
    assert [file.name for file in AllowedPaths.create(root).expand("**/*.csv")] == [
        "data/Z.csv",
        "data/a.csv",
        "data/b.csv",
    ]


def test_expand_reads_a_file_whose_name_looks_like_a_pattern(root: Path) -> None:
    (root / "data" / "[a].csv").touch()
    assert [file.name for file in AllowedPaths.create(root).expand("data/[a].csv")] == ["data/[a].csv"]


def test_expand_collects_all_problems(root: Path) -> None:
    with pytest.raises(DataError, match="named twice") as caught:
        AllowedPaths.create(root).expand(["gone.csv", "data/a.csv", "data/*.csv", "s3://x/y"])
    assert [problem.code for problem in caught.value.problems] == ["BP202", "BP228", "BP201"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_resolve_refuses_an_unreadable_file(root: Path) -> None:
    (root / "data" / "a.csv").chmod(0)
    with pytest.raises(DataError, match="BP204"):
        AllowedPaths.create(root).resolve("data/a.csv")


def test_open_data_reports_what_the_system_refuses(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(files.os, "open", refuse)
    with pytest.raises(DataError, match="BP204.*permission denied"):
        read(root / "data" / "a.csv")


def test_open_data_follows_no_link_and_opens_no_pipe(root: Path) -> None:
    (root / "link.csv").symlink_to(root / "data" / "a.csv")
    os.mkfifo(root / "pipe.csv")
    with pytest.raises(DataError, match="BP204"):
        read(root / "link.csv")
    with pytest.raises(DataError, match="BP203.*a pipe"):
        read(root / "pipe.csv")


def test_open_data_decompresses_by_the_name_the_user_wrote(tmp_path: Path) -> None:
    (tmp_path / "blob").write_bytes(gzip.compress(b"a,b\n" * 100))
    assert read(DataFile(tmp_path / "blob", "table.csv.GZ")) == b"a,b\n" * 100  # type: ignore[arg-type]
    assert read(tmp_path / "blob")[:2] == b"\x1f\x8b"


@pytest.mark.parametrize("cut", [1, 5, 20])
def test_open_data_refuses_truncated_gzip(tmp_path: Path, cut: int) -> None:
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(os.urandom(1000))[:-cut])
    with pytest.raises(DataError, match="BP206"):
        read(tmp_path / "a.csv.gz")


@pytest.mark.parametrize("content", [b"a,b\n1,2\n", gzip.compress(b"x" * 100, mtime=0)[:-8] + b"12345678"])
def test_open_data_refuses_what_is_not_gzip(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.csv.gz").write_bytes(content)
    with pytest.raises(DataError, match="BP206"):
        read(tmp_path / "a.csv.gz")


def test_open_data_stops_at_the_limit(tmp_path: Path) -> None:
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(b"0" * 10_000))
    assert len(read(tmp_path / "a.csv.gz", limit=10_000)) == 10_000
    with pytest.raises(DataError, match="BP207.*9,999"):
        read(tmp_path / "a.csv.gz", limit=9_999)


def test_open_data_stops_at_an_extreme_ratio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "RATIO_CHECKED_FROM", 1000)
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(b"0" * 1_000_000))
    with pytest.raises(DataError, match="BP207"):
        read(tmp_path / "a.csv.gz")


@pytest.mark.parametrize("fails", [False, True])
def test_open_data_notices_a_file_that_changes(tmp_path: Path, fails: bool) -> None:
    path = tmp_path / "a.csv"
    path.write_text("a\n1\n")

    def change() -> None:
        with open_data(path) as stream:
            stream.read(2)
            with path.open("a") as file:
                file.write("2\n")
            if fails:
                raise DataError()

    with pytest.raises(DataError, match="BP205.*from 4 to 6 bytes"):
        change()


def test_digest_is_sha256_of_the_bytes_on_disk(tmp_path: Path) -> None:
    content = gzip.compress(b"a\n" * 10)
    (tmp_path / "a.csv.gz").write_bytes(content)
    assert digest(tmp_path / "a.csv.gz") == hashlib.sha256(content).hexdigest()


def test_a_pattern_given_by_hand_allows_the_folder_that_it_starts_from(root: Path, tmp_path: Path) -> None:
    (tmp_path / "other/deep").mkdir(parents=True)
    for name in ("other/x.csv", "other/deep/y.csv"):
        (tmp_path / name).write_text("x\n1\n")
    pattern = str(tmp_path / "other/**/*.csv")
    found = AllowedPaths.create(root, extras=[pattern]).expand(pattern)
    assert sorted(file.path.name for file in found) == ["x.csv", "y.csv"]
    with pytest.raises(DataError, match="BP200"):
        AllowedPaths.create(root, extras=[pattern]).expand(str(tmp_path / "secret.csv"))


def test_allowing_adds_exactly_the_named_files(root: Path, tmp_path: Path) -> None:
    secret = str(tmp_path / "secret.csv")
    (tmp_path / "second.csv").touch()
    roots = AllowedPaths.create(root).allowing([secret, "data/a.csv"])
    assert roots.resolve("../secret.csv") == Path(secret).resolve()
    assert [file.name for file in roots.expand(str(tmp_path / "secr*.csv"))] == [secret]
    for pattern in ("../second.csv", str(tmp_path / "s*.csv"), str(tmp_path / "root/../../*")):
        with pytest.raises(DataError, match="BP200"):
            roots.expand(pattern)


def test_files_are_opened_where_the_system_has_no_posix_flags(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for flag in ("O_CLOEXEC", "O_NOFOLLOW", "O_NONBLOCK"):
        monkeypatch.delattr(os, flag)
    assert read(root / "data/a.csv") == b"x\n1\n"
