"""What bptrain does to the process it runs in."""

from __future__ import annotations

import gc
import os
import subprocess
import sys

import pytest

from bptrain.errors import UsageError
from bptrain.models.backend import require
from bptrain.utils import runtime
from bptrain.utils.runtime import quiet_stderr, without_collection


def test_quiet_stderr_silences_libraries_only_inside(capfd: pytest.CaptureFixture[str]) -> None:
    os.write(2, b"before ")
    with quiet_stderr():
        os.write(2, b"inside")
    os.write(2, b"after")
    assert capfd.readouterr().err == "before after"


@pytest.mark.parametrize("before", ["os.close(2)", "sys.stderr.close()", "sys.stderr = None; os.close(2)"])
def test_quiet_stderr_works_without_a_standard_error(before: str) -> None:
    code = (
        f"import os, sys; from bptrain.utils.runtime import quiet_stderr; {before}\nwith quiet_stderr(): print('fine')"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout) == (0, "fine\n")


@pytest.mark.parametrize("enabled", [True, False])
def test_loading_leaves_the_garbage_collector_as_it_was(enabled: bool) -> None:
    before = gc.isenabled()
    try:
        (gc.enable if enabled else gc.disable)()
        with without_collection():
            assert not gc.isenabled()
        assert gc.isenabled() is enabled
        assert gc.get_freeze_count() == 0
    finally:
        (gc.enable if before else gc.disable)()


def test_own_process_collects_after_loading_and_passes_over_what_was_loaded() -> None:
    code = (
        "import gc; from bptrain.utils import runtime as e; e.set_own_process(); assert not gc.isenabled()\n"
        "with e.without_collection(): kept = [[] for _ in range(1000)]\n"
        "assert gc.isenabled(); frozen = gc.get_freeze_count(); assert frozen > 1000\n"
        "with e.without_collection(): pass\n"
        "assert gc.isenabled(); assert gc.get_freeze_count() == frozen; print('fine')"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert result.stdout == "fine\n", result.stderr


@pytest.mark.parametrize(
    ("asked", "used"), [("", "tensorflow"), ("tensorflow", "tensorflow"), ("jax", "jax"), ("torch", "torch")]
)
def test_backend_is_what_is_asked_for_tensorflow_by_default(
    asked: str, used: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KERAS_BACKEND", asked)
    runtime.configure()
    assert os.environ["KERAS_BACKEND"] == runtime.backend() == used


def test_a_backend_that_is_not_ours_is_refused_until_the_variable_is_mended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    for _ in range(2):
        runtime.configure()
        with pytest.raises(UsageError, match="trains with tensorflow or jax"):
            require()
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")
    require()
