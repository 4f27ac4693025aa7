"""The seal of a run directory: whatever is changed, missing or added is named."""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bptrain
from bptrain.errors import RunError, UsageError
from bptrain.runs import arrays, manifest, storage


@pytest.fixture
def run(tmp_path: Path) -> Path:
    directory = tmp_path / "adult-0001"
    (directory / "model").mkdir(parents=True)
    storage.write_text(directory / "config.yaml", "data: a.csv\n")
    storage.write_json(directory / "metrics.json", {"format": 1})
    arrays.write_arrays(directory / "model" / "weights.npz", {"dense/kernel": np.ones((2, 3), dtype="f4")})
    manifest.write_manifest(directory)
    return directory


def reseal(run: Path, value: Any) -> None:
    (run / "MANIFEST.json").write_text(storage.canonical_json(value), encoding="utf-8")


def test_write_manifest_lists_size_and_sha256_of_every_file(run: Path) -> None:
    text = (run / "MANIFEST.json").read_text()
    found = json.loads(text)
    assert found["format"] == 1
    assert list(found["files"]) == ["config.yaml", "metrics.json", "model/weights.npz"]
    data = (run / "config.yaml").read_bytes()
    assert found["files"]["config.yaml"] == {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
    assert text == storage.canonical_json(found)


def test_write_manifest_leaves_out_itself_and_what_it_is_told(run: Path) -> None:
    (run / ".lock").write_text("{}")
    before = (run / "MANIFEST.json").read_bytes()
    manifest.write_manifest(run, leave_out=frozenset({".lock"}))
    assert (run / "MANIFEST.json").read_bytes() == before


def test_verify_returns_the_manifest(run: Path) -> None:
    assert manifest.verify(run) == json.loads((run / "MANIFEST.json").read_text())


def test_verify_names_every_difference_at_once(run: Path) -> None:
    (run / "config.yaml").write_text("data: b.csv\n")
    (run / "metrics.json").unlink()
    (run / "model" / "weights.npz").write_bytes((run / "model" / "weights.npz").read_bytes() + b"x")
    (run / "model" / "extra.txt").write_text("")
    (run / "link").symlink_to("config.yaml")
    os.mkfifo(run / "pipe")
    with pytest.raises(RunError, match="not as it was sealed") as caught:
        manifest.verify(run)
    found = {Path(problem.where).relative_to(run).as_posix(): problem.code for problem in caught.value.problems}
    assert found == {
        "link": "BP505",
        "pipe": "BP505",
        "config.yaml": "BP502",
        "metrics.json": "BP503",
        "model/weights.npz": "BP502",
        "model/extra.txt": "BP504",
    }
    assert caught.value.exit_code == 5


def test_verify_refuses_a_file_replaced_by_a_symlink_to_the_same_bytes(run: Path, tmp_path: Path) -> None:
    os.rename(run / "config.yaml", tmp_path / "elsewhere")
    (run / "config.yaml").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RunError, match="config.yaml` is a symlink") as caught:
        manifest.verify(run)
    assert [problem.code for problem in caught.value.problems] == ["BP505"]


def test_verify_refuses_a_folder_replaced_by_a_symlink(run: Path, tmp_path: Path) -> None:
    os.rename(run / "model", tmp_path / "model")
    (run / "model").symlink_to(tmp_path / "model")
    with pytest.raises(RunError, match="model` is a symlink.*weights.npz` is missing"):
        manifest.verify(run)


def test_verify_detects_every_flipped_bit_of_the_manifest(run: Path) -> None:
    path = run / "MANIFEST.json"
    data = path.read_bytes()
    for bit in range(0, 8 * len(data), 7):
        damaged = bytearray(data)
        damaged[bit // 8] ^= 1 << bit % 8
        path.write_bytes(damaged)
        with pytest.raises(RunError, match="BP50"):
            manifest.verify(run)


@pytest.mark.parametrize("format_", [2, 99])
def test_verify_says_which_bptrain_a_newer_run_needs(run: Path, format_: int) -> None:
    reseal(run, {"format": format_, "layout": "unknown"})
    message = f"format {format_}; this is bptrain {bptrain.__version__}, which reads format 1: a newer bptrain"
    with pytest.raises(RunError, match=f"BP506.*{message}"):
        manifest.verify(run)


ENTRY = {"sha256": "0" * 64, "bytes": 0}


@pytest.mark.parametrize(
    "value",
    [
        [],
        {},
        {"format": True, "files": {}},
        {"format": 1.0, "files": {}},
        {"format": "1", "files": {}},
        {"format": 1},
        {"format": 1, "files": []},
        {"format": 1, "files": {}, "more": 1},
        {"format": 1, "files": {"a": 1}},
        {"format": 1, "files": {"a": {"sha256": "0" * 64}}},
        {"format": 1, "files": {"a": {**ENTRY, "bytes": -1}}},
        {"format": 1, "files": {"a": {**ENTRY, "bytes": True}}},
        {"format": 1, "files": {"a": {**ENTRY, "sha256": "A" * 64}}},
        {"format": 1, "files": {"../a": ENTRY}},
        {"format": 1, "files": {"/etc/passwd": ENTRY}},
        {"format": 1, "files": {"a//b": ENTRY}},
        {"format": 1, "files": {"": ENTRY}},
    ],
    ids=str,
)
def test_verify_refuses_a_manifest_of_another_shape(run: Path, value: Any) -> None:
    reseal(run, value)
    with pytest.raises(RunError, match="BP507.*MANIFEST.json` is damaged"):
        manifest.verify(run)


def test_verify_refuses_a_manifest_that_is_not_canonical(run: Path) -> None:
    value = json.loads((run / "MANIFEST.json").read_text())
    (run / "MANIFEST.json").write_text(json.dumps(value))
    with pytest.raises(RunError, match="BP507.*not written the way bptrain writes it"):
        manifest.verify(run)


def test_verify_explains_a_folder_that_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="BP500.*is not a run directory: it has no MANIFEST.json") as caught:
        manifest.verify(tmp_path)
    assert any("bptrain fit" in hint for hint in caught.value.problems[0].hints)


def test_verify_explains_a_folder_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="BP500.*there is no such folder"):
        manifest.verify(tmp_path / "none")


@pytest.mark.parametrize("name", ["adult-0002", "adult-0002.partial"])
def test_verify_explains_an_unfinished_run(tmp_path: Path, name: str) -> None:
    (tmp_path / "adult-0002.partial").mkdir()
    with pytest.raises(RunError, match="BP501.*unfinished") as caught:
        manifest.verify(tmp_path / name)
    assert any("--resume" in hint for hint in caught.value.problems[0].hints)


def test_verify_shows_hostile_names_escaped(run: Path) -> None:
    (run / "a\n::set-output\x1b").write_text("")
    with pytest.raises(RunError, match=r"a\\n::set-output\\x1b") as caught:
        manifest.verify(run)
    assert "\n" not in str(caught.value)


def test_write_manifest_refuses_symlinks_and_names_that_are_not_utf8(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("nowhere")
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff")).touch()
    with pytest.raises(RunError, match="BP505") as caught:
        manifest.write_manifest(tmp_path)
    assert len(caught.value.problems) == 2
    assert not (tmp_path / "MANIFEST.json").exists()


def test_open_run_reads_what_was_sealed(run: Path) -> None:
    files = manifest.open_run(run)
    assert files.read_json("metrics.json") == {"format": 1}
    assert files.read_bytes("config.yaml") == b"data: a.csv\n"
    assert files.path("config.yaml") == run / "config.yaml"
    loaded = files.read_arrays("model/weights.npz", {"dense/kernel": ("float32", (2, 3))})
    assert loaded["dense/kernel"].tolist() == [[1, 1, 1], [1, 1, 1]]


@pytest.mark.parametrize("content", ["data: b.csv\n", "data: a.csv\nx", "", None])
def test_open_run_notices_a_change_after_opening(run: Path, content: str | None) -> None:
    files = manifest.open_run(run)
    (run / "config.yaml").unlink()
    if content is not None:
        (run / "config.yaml").write_text(content)
    with pytest.raises(RunError, match=r"BP50[23].*config\.yaml"):
        files.read_bytes("config.yaml")


@pytest.mark.parametrize("name", ["other.json", "../adult-0001/config.yaml", "MANIFEST.json", "/etc/passwd"])
def test_open_run_reads_only_files_of_the_manifest(run: Path, name: str) -> None:
    files = manifest.open_run(run)
    with pytest.raises(RunError, match="BP503.*has no file"):
        files.read_bytes(name)
    with pytest.raises(RunError, match="BP503.*has no file"):
        files.path(name)


def test_open_run_follows_a_symlink_to_the_run_itself(run: Path, tmp_path: Path) -> None:
    (tmp_path / "best").symlink_to(run)
    assert manifest.open_run(tmp_path / "best").read_json("metrics.json") == {"format": 1}


@pytest.mark.parametrize("path", ["adult-0001/out.csv", "adult-0001/new/out.csv", "b/../adult-0001/x", "link/x"])
def test_an_output_that_leads_into_a_run_is_refused(run: Path, path: str) -> None:
    (run.parent / "link").symlink_to(run.name)
    (run.parent / "b").mkdir()
    with pytest.raises(UsageError, match="BP516"):
        manifest.refuse_inside_run(run.parent / path)


def test_an_output_beside_a_run_is_allowed_however_it_is_written(run: Path) -> None:
    manifest.refuse_inside_run(run / "../out.csv")
    manifest.refuse_inside_run(run / "model/../../out.csv")


@pytest.mark.parametrize(("content", "is_run"), [("{}", False), ("[1]", False), ('{"name": "x"}', False), ("?", True)])
def test_a_manifest_of_another_program_makes_no_run(tmp_path: Path, content: str, is_run: bool) -> None:
    (tmp_path / "MANIFEST.json").write_text(content)
    with pytest.raises(UsageError, match="BP516") if is_run else nullcontext():
        manifest.refuse_inside_run(tmp_path / "out.csv")
