"""The life of a run directory: claim, lock, publish, discard; with real processes where locks matter."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import bptrain
from bptrain.errors import BusyError, DataError, DivergedError, Problem, RunError, StorageError, UsageError
from bptrain.runs import directory, manifest, platform, storage
from bptrain.runs.directory import acquire_run, latest_run

PRELUDE = """
import os, sys
from pathlib import Path
from bptrain.errors import BusyError, StorageError, UsageError
from bptrain.runs.directory import acquire_run
def say(text):
    print(text, flush=True)
"""


def start(code: str, cwd: Path) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(Path(bptrain.__file__).parents[1])}
    command = [sys.executable, "-c", PRELUDE + code]
    return subprocess.Popen(command, cwd=cwd, env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


HOLD = """
with acquire_run(Path("run"), stem="x") as partial:
    (partial.path / "train.log").write_text("epoch 1")
    say("claimed")
    sys.stdin.readline()
    partial.publish(latest=True, runs=Path())
    say("published")
"""


def fill(partial: directory.PartialRun) -> None:
    storage.write_text(partial.path / "config.yaml", "data: a.csv\n")
    (partial.path / "checkpoints" / "000001").mkdir(parents=True)
    (partial.path / "checkpoints" / "000001" / "weights.npz").write_bytes(b"x")


def test_publish_seals_and_renames_without_lock_and_checkpoints(tmp_path: Path) -> None:
    with acquire_run(tmp_path / "run", stem="x") as partial:
        assert partial.path == tmp_path / "run.partial"
        assert storage.read_json(partial.path / ".lock")["pid"] == os.getpid()
        assert partial.notices == ()
        fill(partial)
        (partial.path / ".tmp-0123456789abcdef").write_text("torn")
        published = partial.publish(latest=True, runs=tmp_path)
    assert published == tmp_path / "run"
    assert sorted(os.listdir(tmp_path)) == ["latest", "run"]
    assert sorted(os.listdir(published)) == ["MANIFEST.json", "config.yaml"]
    assert list(manifest.verify(published)["files"]) == ["config.yaml"]
    assert (tmp_path / "latest").read_bytes() == b"run\n"


def test_publish_leaves_latest_alone_when_not_asked(tmp_path: Path) -> None:
    with acquire_run(tmp_path / "first", stem="x") as partial:
        partial.publish(latest=True, runs=tmp_path)
    with acquire_run(tmp_path / "second", stem="x") as partial:
        partial.publish(latest=False, runs=tmp_path)
    assert latest_run(tmp_path) == tmp_path / "first"


@pytest.mark.parametrize("run", ["runs/one", "./runs/../runs/one", "link/one"])
def test_latest_names_a_run_that_lies_in_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: str) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs").mkdir()
    (tmp_path / "link").symlink_to("runs")
    with acquire_run(Path(run), stem="x") as partial:
        partial.publish(latest=True)
    assert latest_run() == Path("runs/one")


@pytest.mark.parametrize("run", ["one", "m/one", "runs/deep/one"])
def test_a_run_elsewhere_writes_no_latest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: str) -> None:
    monkeypatch.chdir(tmp_path)
    with acquire_run(Path(run), stem="x") as partial:
        partial.publish(latest=True)
    assert list(tmp_path.rglob("latest")) == []


def test_a_latest_that_cannot_be_written_is_a_warning(tmp_path: Path) -> None:
    (tmp_path / "latest").mkdir()
    told: list[Problem] = []
    with acquire_run(tmp_path / "run", stem="x") as partial:
        assert partial.publish(latest=True, runs=tmp_path, warn=told.append) == tmp_path / "run"
    manifest.verify(tmp_path / "run")
    assert [problem.code for problem in told] == ["BP517"]
    assert "is published, but is not the latest run" in told[0].message


@pytest.mark.parametrize("run", ["a/inner", "a/deep/inner", "b/../a/inner", "link/inner"])
def test_claim_refuses_a_run_inside_a_run(tmp_path: Path, run: str) -> None:
    with acquire_run(tmp_path / "a", stem="x") as partial:
        partial.publish(latest=False)
    (tmp_path / "b").mkdir()
    (tmp_path / "link").symlink_to("a")
    with pytest.raises(UsageError, match="BP516"):
        acquire_run(tmp_path / run, stem="x")
    with pytest.raises(UsageError, match="BP516"):
        acquire_run(None, stem="x", runs=tmp_path / "a" / "runs")
    manifest.verify(tmp_path / "a")


def test_publish_keeps_the_partial_when_the_final_name_has_appeared(tmp_path: Path) -> None:
    with acquire_run(tmp_path / "run", stem="x") as partial:
        fill(partial)
        (tmp_path / "run").mkdir()
        with pytest.raises(BusyError, match="BP751.*appeared while the run was being built"):
            partial.publish(latest=True)
    assert (tmp_path / "run.partial" / "config.yaml").exists()
    assert os.listdir(tmp_path / "run") == []


def test_publish_twice_is_a_mistake_of_the_program(tmp_path: Path) -> None:
    with acquire_run(tmp_path / "run", stem="x") as partial:
        partial.publish(latest=False)
        with pytest.raises(RuntimeError, match="already published"):
            partial.publish(latest=False)


def test_publish_syncs_every_file_and_folder_before_the_rename(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    events: list[str] = []
    sync_file, sync_folder, rename = platform.sync_file, platform.sync_folder, platform.rename_folder
    with acquire_run(tmp_path / "a" / "run", stem="x") as partial:
        (partial.path / "model").mkdir()
        (partial.path / "model" / "weights.npz").write_bytes(b"x")
        monkeypatch.setattr(platform, "sync_file", lambda path: (events.append(path.name), sync_file(path)))
        monkeypatch.setattr(platform, "sync_folder", lambda path: (events.append(path.name), sync_folder(path)))
        monkeypatch.setattr(platform, "rename_folder", lambda *paths: (events.append("RENAME"), rename(*paths)))
        partial.publish(latest=False)
    before, after = events[: events.index("RENAME")], events[events.index("RENAME") + 1 :]
    assert {"weights.npz", "model", "run.partial", "MANIFEST.json"} <= set(before)
    assert after == ["a", tmp_path.name]


def test_claim_refuses_a_run_that_exists(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    with pytest.raises(UsageError, match="BP511.*exists, and a published run is never changed"):
        acquire_run(tmp_path / "run", stem="x")
    assert os.listdir(tmp_path) == ["run"]


def test_claim_refuses_a_dangling_symlink_of_that_name(tmp_path: Path) -> None:
    (tmp_path / "run").symlink_to("nowhere")
    with pytest.raises(UsageError, match="BP511"):
        acquire_run(tmp_path / "run", stem="x")


@pytest.mark.parametrize("name", [".", "..", "a/..", "latest", "run.partial", "/", "a\0b"])
def test_claim_refuses_names_with_a_meaning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="BP512.*cannot be the name of a run"):
        acquire_run(Path(name), stem="x")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("kind", ["files", "file", "symlink"])
def test_claim_never_empties_what_is_not_an_unfinished_run(tmp_path: Path, kind: str) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("years of work")
    partial = tmp_path / "run.partial"
    if kind == "files":
        os.rename(tmp_path / "mine", partial)
    elif kind == "file":
        partial.write_text("years of work")
    else:
        partial.symlink_to("mine")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(UsageError, match="BP513.*run.partial"):
        acquire_run(tmp_path / "run", stem="x")
    assert sorted(tmp_path.rglob("*")) == before


def test_claim_does_not_follow_symlinks_when_it_empties_a_stale_partial(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("years of work")
    (tmp_path / "run.partial").mkdir()
    (tmp_path / "run.partial" / ".lock").touch()
    (tmp_path / "run.partial" / "link").symlink_to(tmp_path / "mine")
    with acquire_run(tmp_path / "run", stem="x") as partial:
        assert os.listdir(partial.path) == [".lock"]
    assert (tmp_path / "mine" / "thesis.tex").exists()


@pytest.mark.parametrize("error", [UsageError, DataError])
@pytest.mark.parametrize("named", [True, False])
def test_a_wrong_config_or_table_leaves_nothing_behind(
    tmp_path: Path, error: type[UsageError | DataError], named: bool
) -> None:
    run = tmp_path / "deep" / "runs" / "run" if named else None
    partial = acquire_run(run, stem="x", runs=tmp_path / "deep" / "runs")
    fill(partial)
    with pytest.raises(error, match="wrong"), partial:
        raise error(Problem("BP101", "wrong"))
    assert os.listdir(tmp_path) == []


def test_discard_keeps_folders_that_were_there_or_are_in_use(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    with acquire_run(tmp_path / "old" / "new" / "run", stem="x") as partial:
        other = acquire_run(tmp_path / "old" / "new" / "other", stem="x")
        partial.discard()
    with other:
        other.discard()
    assert [path.name for path in (tmp_path / "old").rglob("*")] == ["new"]


@pytest.mark.parametrize(
    "error", [DivergedError(Problem("BP600", "nan")), KeyboardInterrupt("stop"), RuntimeError("bug")]
)
def test_other_errors_keep_the_partial_and_release_the_lock(tmp_path: Path, error: BaseException) -> None:
    partial = acquire_run(tmp_path / "run", stem="x")
    fill(partial)
    with pytest.raises(type(error), match="nan|stop|bug"), partial:
        raise error
    assert (tmp_path / "run.partial" / "checkpoints").is_dir()
    with acquire_run(tmp_path / "run", stem="x") as partial:
        (notice,) = partial.notices
        assert notice.code == "BP515"
        assert "checkpoints, config.yaml" in notice.message
        assert os.listdir(partial.path) == [".lock"]


def test_leaving_without_publishing_keeps_the_partial(tmp_path: Path) -> None:
    with acquire_run(tmp_path / "run", stem="x") as partial:
        fill(partial)
    assert (tmp_path / "run.partial" / "config.yaml").exists()
    assert not (tmp_path / "run").exists()


def test_errors_after_publishing_leave_the_run(tmp_path: Path) -> None:
    partial = acquire_run(tmp_path / "run", stem="x")
    partial.publish(latest=False)
    with pytest.raises(UsageError, match="late"), partial:
        raise UsageError(Problem("BP101", "late"))
    manifest.verify(tmp_path / "run")


def test_claim_without_name_counts_up_from_the_highest_number(tmp_path: Path) -> None:
    for name in (
        "adult-0003",
        "adult-0007.partial",
        "adult-12",
        "adult-x",
        "adult-0009-0050",
        "other-0100",
        "adult-00",
    ):
        (tmp_path / name).mkdir()
    with acquire_run(None, stem="adult", runs=tmp_path) as partial:
        assert partial.path == tmp_path / "adult-0008.partial"
    (tmp_path / "adult-9999").mkdir()
    with acquire_run(None, stem="adult", runs=tmp_path) as partial:
        assert partial.publish(latest=True) == tmp_path / "adult-10000"


@pytest.mark.parametrize(
    ("stem", "name"),
    [
        ("adult", "adult-0001"),
        ("my config (1)", "my-config-1-0001"),
        ("../../etc/passwd", "etc-passwd-0001"),
        (".hidden", "hidden-0001"),
        ("größe", "größe-0001"),
        ("a\nb\x1b", "a-b-0001"),
        ("", "run-0001"),
        ("***", "run-0001"),
        ("[a-z]", "a-z-0001"),
    ],
)
def test_claim_makes_the_stem_safe_for_a_file_name(tmp_path: Path, stem: str, name: str) -> None:
    with acquire_run(None, stem=stem, runs=tmp_path / "runs") as partial:
        assert partial.publish(latest=False) == tmp_path / "runs" / name


def test_claim_shortens_a_stem_that_is_too_long(tmp_path: Path) -> None:
    with acquire_run(None, stem="ü" * 300, runs=tmp_path) as partial:
        assert partial.publish(latest=False).name == "ü" * 90 + "-0001"


def test_claim_makes_folders_by_the_umask(tmp_path: Path) -> None:
    previous = os.umask(0o027)
    try:
        with acquire_run(tmp_path / "runs" / "run", stem="x") as partial:
            published = partial.publish(latest=False)
    finally:
        os.umask(previous)
    assert [path.stat().st_mode & 0o777 for path in (published.parent, published)] == [0o750, 0o750]
    assert (published / "MANIFEST.json").stat().st_mode & 0o777 == 0o640


def test_a_second_claim_in_the_same_process_is_busy(tmp_path: Path) -> None:
    with acquire_run(tmp_path / "run", stem="x"):
        with pytest.raises(BusyError, match=f"BP750.*process {os.getpid()} on host"):
            acquire_run(tmp_path / "run", stem="x")
        assert (tmp_path / "run.partial").is_dir()
    with acquire_run(tmp_path / "run", stem="x") as partial:
        partial.discard()
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("content", ["", "not json", "[]", '{"pid": "a\\u001b"}'])
def test_a_damaged_lock_file_still_gives_a_message(tmp_path: Path, content: str) -> None:
    with acquire_run(tmp_path / "run", stem="x") as partial:
        (partial.path / ".lock").write_text(content)
        with pytest.raises(BusyError, match="is being written by (another process|process a)") as caught:
            acquire_run(tmp_path / "run", stem="x")
    assert "\x1b" not in str(caught.value)


def test_another_process_that_holds_the_run_is_named_and_then_publishes(tmp_path: Path) -> None:
    with start(HOLD, tmp_path) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "claimed\n"
        with pytest.raises(BusyError, match=f"process {process.pid} on host") as caught:
            acquire_run(tmp_path / "run", stem="x")
        assert caught.value.exit_code == 8
        process.communicate("go\n", timeout=20)
    assert process.returncode == 0
    assert latest_run(tmp_path) == tmp_path / "run"
    with pytest.raises(UsageError, match="BP511"):
        acquire_run(tmp_path / "run", stem="x")


def test_a_killed_process_leaves_a_partial_that_can_be_used_again(tmp_path: Path) -> None:
    with start(HOLD, tmp_path) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "claimed\n"
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=20)
    assert (tmp_path / "run.partial" / "train.log").exists()
    with acquire_run(tmp_path / "run", stem="x") as partial:
        assert [notice.code for notice in partial.notices] == ["BP515"]
        assert "train.log" in partial.notices[0].message
        partial.publish(latest=True)
    assert list(manifest.verify(tmp_path / "run")["files"]) == []


def test_a_process_killed_between_sealing_and_renaming_leaves_a_reusable_partial(tmp_path: Path) -> None:
    code = """
from bptrain.runs import platform
platform.rename_folder = lambda *paths: os.kill(os.getpid(), 9)
with acquire_run(Path("run"), stem="x") as partial:
    partial.publish(latest=True)
"""
    with start(code, tmp_path) as process:
        process.communicate(timeout=20)
    assert process.returncode == -signal.SIGKILL
    assert os.listdir(tmp_path / "run.partial") == ["MANIFEST.json"]
    with acquire_run(tmp_path / "run", stem="x") as partial:
        assert partial.notices[0].code == "BP515"
        partial.publish(latest=False)


def test_nobody_can_take_a_partial_while_it_is_being_renamed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rename = platform.rename_folder

    def interfere(source: Path, target: Path) -> None:
        assert not (source / ".lock").exists()
        with pytest.raises(BusyError, match="BP750"):
            acquire_run(target, stem="x")
        rename(source, target)

    with acquire_run(tmp_path / "run", stem="x") as partial:
        monkeypatch.setattr(platform, "rename_folder", interfere)
        partial.publish(latest=False)
    assert os.listdir(tmp_path) == ["run"]
    assert os.listdir(tmp_path / "run") == ["MANIFEST.json"]


def test_a_run_published_between_look_and_lock_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = platform.lock
    first = acquire_run(tmp_path / "run", stem="x")

    def publish_first(descriptor: int | None, *, needed: bool = True) -> bool:
        monkeypatch.setattr(platform, "lock", lock)
        first.publish(latest=False)
        return lock(descriptor, needed=needed)

    monkeypatch.setattr(platform, "lock", publish_first)
    with pytest.raises(UsageError, match="BP511"):
        acquire_run(tmp_path / "run", stem="x")
    assert os.listdir(tmp_path) == ["run"]
    manifest.verify(tmp_path / "run")


def test_a_run_published_between_look_and_mkdir_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_partial = directory._make_partial
    first = acquire_run(tmp_path / "run", stem="x")

    def publish_first(final: Path, made: list[Path]) -> bool:
        monkeypatch.setattr(directory, "_make_partial", make_partial)
        first.publish(latest=False)
        return make_partial(final, made)

    monkeypatch.setattr(directory, "_make_partial", publish_first)
    with pytest.raises(UsageError, match="BP511"):
        acquire_run(tmp_path / "run", stem="x")
    assert os.listdir(tmp_path) == ["run"]


def test_a_lock_file_removed_between_open_and_lock_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "open_folder", lambda path: None)
    lock = platform.lock
    first = acquire_run(tmp_path / "run", stem="x")

    def publish_first(descriptor: int | None, *, needed: bool = True) -> bool:
        if descriptor is not None:  # the lock file; the folder has none here
            monkeypatch.setattr(platform, "lock", lock)
            first.publish(latest=False)
        return lock(descriptor, needed=needed)

    monkeypatch.setattr(platform, "lock", publish_first)
    with pytest.raises(UsageError, match="BP511"):
        acquire_run(tmp_path / "run", stem="x")
    assert os.listdir(tmp_path) == ["run"]


def test_a_run_discarded_between_look_and_lock_is_claimed_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = platform.lock
    first = acquire_run(tmp_path / "runs" / "run", stem="x")

    def discard_first(descriptor: int | None, *, needed: bool = True) -> bool:
        monkeypatch.setattr(platform, "lock", lock)
        first.discard()
        return lock(descriptor, needed=needed)

    monkeypatch.setattr(platform, "lock", discard_first)
    with acquire_run(tmp_path / "runs" / "run", stem="x") as partial:
        partial.publish(latest=False)
    manifest.verify(tmp_path / "runs" / "run")


def test_the_lock_file_alone_guards_where_folders_cannot_be_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform, "open_folder", lambda path: None)
    with acquire_run(tmp_path / "run", stem="x") as partial:
        with pytest.raises(BusyError, match="BP750"):
            acquire_run(tmp_path / "run", stem="x")
        partial.publish(latest=False)
    manifest.verify(tmp_path / "run")


def test_eight_simultaneous_claims_get_eight_numbers(tmp_path: Path) -> None:
    code = """
say("ready")
sys.stdin.readline()
with acquire_run(None, stem="adult") as partial:
    say(partial.publish(latest=True).name)
"""
    processes = [start(code, tmp_path) for _ in range(8)]
    names = []
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        output, _ = process.communicate(timeout=30)
        assert process.returncode == 0
        names.append(output.strip())
    assert sorted(names) == [f"adult-{number:04d}" for number in range(1, 9)]
    assert latest_run(tmp_path / "runs").name in names
    for name in names:
        manifest.verify(tmp_path / "runs" / name)


def test_simultaneous_claims_of_one_name_have_one_winner(tmp_path: Path) -> None:
    code = """
say("ready")
sys.stdin.readline()
try:
    with acquire_run(Path("deep/run"), stem="x") as partial:
        (partial.path / "pid").write_text(str(os.getpid()))
        partial.publish(latest=False)
        say("won")
except (BusyError, UsageError) as error:
    say(error.problems[0].code)
"""
    processes = [start(code, tmp_path) for _ in range(3)]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    outcomes = [process.communicate(timeout=30)[0].strip() for process in processes]
    assert outcomes.count("won") == 1
    assert set(outcomes) <= {"won", "BP750", "BP511"}
    winner = processes[outcomes.index("won")].pid
    assert manifest.open_run(tmp_path / "deep" / "run").read_bytes("pid") == str(winner).encode()
    assert os.listdir(tmp_path / "deep") == ["run"]


def test_a_read_only_parent_is_a_storage_error(tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    code = """
if os.geteuid() == 0:
    os.seteuid(65534)  # root may write everywhere
for run in (Path("run"), Path("deep/run"), None):
    try:
        acquire_run(run, stem="x")
    except StorageError as error:
        say(f"{error.exit_code} {error.problems[0].code} {error.problems[0].message}")
"""
    with start(code, tmp_path) as process:
        output, _ = process.communicate(timeout=20)
    tmp_path.chmod(0o755)
    lines = output.splitlines()
    assert len(lines) == 3
    assert all(line.startswith("74 BP741 cannot write `") for line in lines)
    assert os.listdir(tmp_path) == []


def test_a_parent_that_is_a_file_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="BP744.*a part of the path is a file"):
        acquire_run(tmp_path / "file" / "run", stem="x")


def test_a_name_too_long_leaves_no_parents_behind(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="BP744.*too long"):
        acquire_run(tmp_path / "new" / ("n" * 252), stem="x")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("call", ["write", "fsync", "rename"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO])
def test_a_failing_disk_at_publishing_keeps_the_partial(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, number: int
) -> None:
    def fail(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    partial = acquire_run(tmp_path / "run", stem="x")
    storage.write_text(partial.path / "config.yaml", "data: a.csv\n")
    monkeypatch.setattr(os, call, fail)
    with pytest.raises(StorageError, match="BP74[03]"), partial:
        partial.publish(latest=True)
    monkeypatch.undo()
    assert os.listdir(tmp_path) == ["run.partial"]
    assert (tmp_path / "run.partial" / "config.yaml").read_text() == "data: a.csv\n"


def test_a_full_disk_at_claiming_is_a_storage_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "write", fail)
    with pytest.raises(StorageError, match="BP740.*the disk is full"):
        acquire_run(tmp_path / "runs" / "run", stem="x")
    monkeypatch.undo()
    with acquire_run(tmp_path / "runs" / "run", stem="x") as partial:
        assert partial.notices == ()


def test_a_partial_with_a_symlink_is_not_published(tmp_path: Path) -> None:
    partial = acquire_run(tmp_path / "run", stem="x")
    (partial.path / "link").symlink_to("/etc/passwd")
    with pytest.raises(RunError, match="BP505.*is a symlink"), partial:
        partial.publish(latest=True)
    assert os.listdir(tmp_path) == ["run.partial"]


def test_latest_run_follows_the_last_publication(tmp_path: Path) -> None:
    for number in (1, 2):
        with acquire_run(None, stem="adult", runs=tmp_path) as partial:
            partial.publish(latest=True, runs=tmp_path)
        assert latest_run(tmp_path) == tmp_path / f"adult-000{number}"


def test_latest_run_says_what_to_do_when_there_is_none(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="BP514.*there is no latest run") as caught:
        latest_run(tmp_path / "runs")
    assert any("bptrain fit" in hint for hint in caught.value.problems[0].hints)


@pytest.mark.parametrize(
    "content",
    [
        b"gone\n",
        b"../outside\n",
        b"/etc\n",
        b".\n",
        b"..\n",
        b"\n",
        b"",
        b"link\n",
        b"a\0b\n",
        b"run\nrun\n",
        b"\xff",
        b"n" * 5000,
    ],
)
def test_latest_run_refuses_a_pointer_to_nowhere_or_outside(tmp_path: Path, content: bytes) -> None:
    runs = tmp_path / "runs"
    (runs / "run").mkdir(parents=True)
    (tmp_path / "outside").mkdir()
    (runs / "link").symlink_to(tmp_path / "outside")
    (runs / "latest").write_bytes(content)
    with pytest.raises(UsageError, match="BP514"):
        latest_run(runs)


def test_latest_run_refuses_a_symlink_as_pointer(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "latest").symlink_to("run")
    with pytest.raises(UsageError, match="BP514.*one-line text file"):
        latest_run(tmp_path)
