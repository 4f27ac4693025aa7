"""What bptrain does to the process it runs in."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from bptrain.environment import quiet_stderr


def test_quiet_stderr_silences_libraries_only_inside(capfd: pytest.CaptureFixture[str]) -> None:
    os.write(2, b"before ")
    with quiet_stderr():
        os.write(2, b"inside")
    os.write(2, b"after")
    assert capfd.readouterr().err == "before after"


@pytest.mark.parametrize("before", ["os.close(2)", "sys.stderr.close()", "sys.stderr = None; os.close(2)"])
def test_quiet_stderr_works_without_a_standard_error(before: str) -> None:
    code = f"import os, sys; from bptrain.environment import quiet_stderr; {before}\nwith quiet_stderr(): print('fine')"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout) == (0, "fine\n")
