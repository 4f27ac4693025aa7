"""Real processes that are killed and signalled: the run goes on and has the bytes of one that was left alone."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import tables
import yaml
from forking import Forked, Server

import bptrain
from bptrain.cli.interruption import GRACE_SECONDS

KILLING = Path(__file__).parents[1] / "killing.py"
CONFIG = tables.config(
    "t.csv",
    "label",
    model={"kind": "mlp", "hidden": [8], "dropout": 0.2, "normalization": "batch"},
    training={"epochs": 6, "batch_size": 32, "checkpoints": {"epochs": 1}},
)


Process = Forked | subprocess.Popen[str]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, forks: Server) -> Path:
    """A folder with a table, a config, and `expected`, the run that nothing disturbed."""
    made = tmp_path_factory.mktemp("interrupted")
    tables.write(tables.make_table(), made / "t.csv")
    (made / "c.yaml").write_text(yaml.safe_dump(CONFIG), encoding="utf-8")
    assert finish(fit(made, "expected", forks=forks)) == 0
    return made


def start(folder: Path, program: list[str], *arguments: str) -> subprocess.Popen[str]:
    variables = os.environ | {"PYTHONPATH": str(Path(bptrain.__file__).parents[1])}
    return subprocess.Popen(
        [sys.executable, *program, *arguments], cwd=folder, env=variables, text=True, stderr=subprocess.PIPE
    )


def fit(folder: Path, run: str, *more: str, program: list[str] | None = None, forks: Server | None = None) -> Process:
    """A new process, or one that is forked."""
    program, arguments = program or ["-m", "bptrain"], ["fit", "c.yaml", "--run", run, "-q", *more]
    if forks is not None:
        return forks.start([*program, *arguments], cwd=folder)
    return start(folder, program, *arguments)


def finish(process: Process) -> int:
    _, said = process.communicate(timeout=120)
    assert "Traceback" not in said
    return process.returncode


def assert_as_expected(folder: Path, run: str) -> None:
    """Every file but the times, and the manifest that holds their digest."""
    expected = {path.relative_to(folder / "expected") for path in (folder / "expected").rglob("*") if path.is_file()}
    assert {path.relative_to(folder / run) for path in (folder / run).rglob("*") if path.is_file()} == expected
    for name in expected - {Path("timing.json"), Path("MANIFEST.json")}:
        assert (folder / run / name).read_bytes() == (folder / "expected" / name).read_bytes(), name


def test_killed_again_and_again_inside_writes(folder: Path, forks: Server) -> None:
    """At the write with that number: in the first checkpoints, and while the run is written and sealed."""
    for number, moment in ((3, "half"), (7, "after"), (9, "half"), (18, "after"), (16, "half")):
        program = [str(KILLING), str(number), moment]
        assert finish(fit(folder, "killed", "--resume", program=program, forks=forks)) == -signal.SIGKILL
    assert finish(fit(folder, "killed", "--resume", forks=forks)) == 0
    assert_as_expected(folder, "killed")
    assert not (folder / "killed.partial").exists()


def test_killed_between_sealing_and_the_name(folder: Path, forks: Server) -> None:
    """Nothing is trained again: only the name is missing."""
    stop = "import os, signal; from bptrain.runs import platform; platform.rename_folder = lambda *_: os.kill(0, 9)"
    program = ["-c", f"from bptrain.cli import main; {stop.replace('kill(0', 'kill(os.getpid()')}; main.main()"]
    assert finish(fit(folder, "sealed", program=program, forks=forks)) == -signal.SIGKILL
    sealed = (folder / "sealed.partial/MANIFEST.json").read_bytes()
    assert finish(fit(folder, "sealed", "--resume", forks=forks)) == 0
    assert (folder / "sealed/MANIFEST.json").read_bytes() == sealed
    assert_as_expected(folder, "sealed")


@pytest.mark.parametrize(
    ("number", "code", "after"), [(signal.SIGTERM, 143, 0.5), (signal.SIGINT, 130, 2.5), (signal.SIGTERM, 143, None)]
)
def test_signal_ends_soon_and_the_run_goes_on(
    number: signal.Signals, code: int, after: float | None, folder: Path, forks: Server
) -> None:
    """While libraries load, or once a checkpoint is there (None)."""
    name = f"signalled-{number}-{after}"
    process = fit(folder, name, "--resume", "--set", "training.epochs=6", forks=forks if after is None else None)
    if after is not None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(after)
    checkpoints = folder / f"{name}.partial/checkpoints/model-1"
    while after is None and process.poll() is None and not list(checkpoints.glob("*.json")):
        time.sleep(0.005)
    process.send_signal(number)
    time.sleep(0.02)
    process.send_signal(number)  # as `timeout` does: two that are one
    sent = time.monotonic()
    assert finish(process) in {code, 0}
    assert after is not None or list(checkpoints.glob("*.json")) or (folder / name).exists()
    assert time.monotonic() - sent < GRACE_SECONDS + 2
    assert finish(fit(folder, name, "--resume", forks=forks)) == 0
    assert_as_expected(folder, name)


@pytest.mark.parametrize("second", [None, 1.2])
def test_signal_while_python_cannot_run(second: float | None, folder: Path) -> None:
    """The waiting thread ends the process, at once when a second signal follows later."""
    work = "hashlib.pbkdf2_hmac('sha256', b'', b'', 10**9)"
    busy = f"import hashlib; from bptrain.cli import main; main.run = lambda _: {work}; main.main()"
    process = start(folder, ["-c", busy])
    time.sleep(1.5)
    process.send_signal(signal.SIGTERM)
    sent = time.monotonic()
    if second:
        time.sleep(second)
        process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 143
    assert "BP730" in said
    assert time.monotonic() - sent < (GRACE_SECONDS if second else GRACE_SECONDS + 1.5)


def test_simultaneous_starts_have_one_winner(folder: Path, forks: Server) -> None:
    codes = [finish(process) for process in [fit(folder, "together", forks=forks) for _ in range(6)]]
    assert sorted(codes) == [0, 8, 8, 8, 8, 8]


def test_repeats_have_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    """Other hash seed, time zone, locale, folder, umask and number of cores: one, and all."""
    draw = random.Random(1)
    for number, cores in enumerate(({0}, set(range(os.cpu_count() or 1)))):
        variables = {"PYTHONHASHSEED": str(draw.randrange(1000)), "TZ": "Asia/Kolkata", "LC_ALL": "C"}
        code = f"import os; os.umask(0o077); os.sched_setaffinity(0, {cores})"
        program = f"{code}; from bptrain.cli import main; main.main()"
        arguments = ["fit", str(folder / "c.yaml"), "--root", str(folder), "--run", str(folder / f"again-{number}")]
        done = subprocess.run(
            [sys.executable, "-c", program, *arguments, "-q"],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": str(Path(bptrain.__file__).parents[1])} | variables,
            check=False,
            capture_output=True,
        )
        assert done.returncode == 0, done.stderr
        assert_as_expected(folder, f"again-{number}")
