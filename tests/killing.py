"""The command line, ending itself by SIGKILL at a chosen moment of a chosen write: `killing.py N HALF ARGUMENTS…`.

At the Nth write to the disk (from 1) half of the bytes are written and the process is killed; with HALF `after`, it is
killed once the file has been renamed.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from bptrain.cli import main
from bptrain.runs import platform

_left, _moment = int(sys.argv[1]), sys.argv[2]
_write_all, _replace = platform.write_all, platform.replace


def _kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
    signal.pause()


def write_all(descriptor: int, data: bytes | memoryview) -> None:
    global _left
    _left -= 1
    if _left == 0 and _moment == "half":
        _write_all(descriptor, memoryview(data).cast("B")[: len(data) // 2])
        _kill()
    _write_all(descriptor, data)


def replace(source: Path, target: Path) -> None:
    _replace(source, target)
    if _left == 0 and _moment == "after":
        _kill()


platform.write_all, platform.replace = write_all, replace
del sys.argv[1:3]
main.main()
