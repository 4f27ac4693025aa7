"""Generations: at any fault and any crash the old or the new one loads, and nothing damaged ever does."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from faulty_disk import FAULTS, Crash, Disk, faults_of

from bptrain.errors import Problem, StorageError
from bptrain.runs import platform
from bptrain.runs.checkpoints import KEPT, Checkpoints, Generation


def content(number: int) -> tuple[dict[str, Any], dict[str, dict[str, np.ndarray]]]:
    """A state and its arrays; the best weights change with every second generation only."""
    live = np.arange(12, dtype=np.float32).reshape(3, 4) + number
    return {"epoch": number, "losses": ["inf", "0.25"]}, {
        "weights": {"a": live, "b/c": np.array(number, np.int32)},
        "kept": {"a": np.full(3, number // 2, np.float32)},
    }


def save(folder: Path, number: int) -> None:
    Checkpoints(folder).save(*content(number))


def number_in(folder: Path) -> int | None:
    """The number of the newest generation, which must be whole."""
    found = Checkpoints(folder).newest()
    if found is None:
        return None
    assert_is(found, found.state["epoch"])
    return int(found.state["epoch"])


def assert_is(found: Generation | None, number: int) -> None:
    assert found is not None
    state, groups = content(number)
    assert found.state == state
    assert {name: sorted(arrays) for name, arrays in found.groups.items()} == {
        name: sorted(arrays) for name, arrays in groups.items()
    }
    for name, arrays in groups.items():
        for key, array in arrays.items():
            np.testing.assert_array_equal(found.groups[name][key], array)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "model"


def test_newest_of_none(folder: Path) -> None:
    assert Checkpoints(folder).newest() is None


def test_keeps_two_and_their_arrays(folder: Path) -> None:
    for number in range(1, 6):
        save(folder, number)
        assert number_in(folder) == number
    names = sorted(path.name for path in folder.iterdir())
    assert [name for name in names if name.endswith(".json")] == ["00000004.json", "00000005.json"]
    assert sum(name.startswith("weights-") for name in names) == KEPT
    assert sum(name.startswith("kept-") for name in names) == 1  # 4 // 2 == 5 // 2: written once


def test_goes_on_counting_after_a_damaged_one(folder: Path) -> None:
    for number in (1, 2):
        save(folder, number)
    (folder / "00000002.json").write_text("{")
    told: list[Problem] = []
    assert_is(Checkpoints(folder).newest(told.append), 1)
    assert [problem.code for problem in told] == ["BP520"]
    save(folder, 3)
    assert number_in(folder) == 3


def test_arrays_that_were_damaged_are_written_again(folder: Path) -> None:
    save(folder, 1)
    for path in folder.glob("*.npz"):
        path.write_bytes(b"\0" * path.stat().st_size)
    assert number_in(folder) is None
    save(folder, 1)
    assert number_in(folder) == 1


def test_every_changed_byte_is_noticed(folder: Path) -> None:
    save(folder, 2)
    save(folder, 4)
    newest = [path for path in folder.iterdir() if path.name not in _files_of(folder, 2)]
    assert len(newest) == 3
    for path in newest:
        data = path.read_bytes()
        for place in range(0, len(data), max(1, len(data) // 150)):
            changed = bytearray(data)
            changed[place] ^= 1 << (place % 8)
            path.write_bytes(changed)
            assert number_in(folder) == 2, (path.name, place)
        path.write_bytes(data[:-1])
        assert number_in(folder) == 2
        path.write_bytes(data)
    assert number_in(folder) == 4


def _files_of(folder: Path, number: int) -> set[str]:
    """The names of the files of the first generation, when `number` is in it."""
    content = (folder / "00000001.json").read_text()
    assert f'"epoch": {number}' in content
    return {"00000001.json"} | {path.name for path in folder.glob("*.npz") if path.stem.split("-")[1] in content}


# Faults and crashes


def disk_with(folder: Path, monkeypatch: pytest.MonkeyPatch, at: int | None = None, fault: str = "") -> Disk:
    """A disk on which generations 1 to 3 are, as the module `os` of the platform calls."""
    for number in (1, 2, 3):
        save(folder, number)
    disk = Disk(folder.parent, at, fault)
    monkeypatch.setattr(platform, "os", disk)
    return disk


def outcomes(root: Path, at: int, fault: str, monkeypatch: pytest.MonkeyPatch) -> list[int | None]:
    """What loads after a fault while generation 4 is saved beside 2 and 3; afterwards another one can be saved."""
    root.mkdir()
    with monkeypatch.context() as patch:
        disk = disk_with(root / "model", patch, at, fault)
        try:
            save(root / "model", 4)
        except StorageError:
            assert fault in FAULTS
        except Crash:
            assert fault.startswith("crash")
        else:  # a rest that cannot be removed, once all is well, is no failure
            assert fault == "short" or disk.calls[at] == "remove temporary file"
            assert number_in(root / "model") == 4
    folders = [root / "model"] if not disk.crashed else list(_left(disk, root))
    found = [number_in(folder) for folder in folders]
    for folder in folders:
        save(folder, 5)
        assert number_in(folder) == 5
    shutil.rmtree(root)
    return found


def _left(disk: Disk, root: Path) -> Iterator[Path]:
    for number, files in enumerate(disk.after_crash()):
        for path, data in files.items():
            target = root / f"left-{number}" / path.relative_to(root)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
        yield root / f"left-{number}" / "model"


def test_every_fault_at_every_call_leaves_the_old_or_the_new(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "plain").mkdir()
    with monkeypatch.context() as patch:
        calls = disk_with(tmp_path / "plain" / "model", patch).calls
        save(tmp_path / "plain" / "model", 4)
    assert {"write", "sync folder", "sync temporary file", "rename to manifest", "remove manifest"} <= set(calls)
    found = [number for at, fault in faults_of(calls) for number in outcomes(tmp_path / "case", at, fault, monkeypatch)]
    assert (len(found), set(found)) == (len(found), {3, 4})
    assert len(found) > 2 * len(faults_of(calls))


@pytest.mark.parametrize("left_out", ["", "sync_folder", "sync"])
def test_what_was_saved_survives_a_crash_because_it_is_synced(
    left_out: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without one kind of syncing the newest generation may be lost, which the simulated disk shows."""
    with monkeypatch.context() as patch:
        disk = disk_with(tmp_path / "model", patch)
        if left_out:
            patch.setattr(platform, left_out, lambda *_: None)
        save(tmp_path / "model", 4)
    found = {number_in(folder) for folder in _left(disk, tmp_path)}
    assert found == ({3, 4} if left_out else {4})
