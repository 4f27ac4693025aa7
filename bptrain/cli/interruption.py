"""The end that a signal asks for, within seconds also while a library keeps Python from running.

A handler of Python's runs between two of its own instructions only, which an import of a large library, a compilation
or a block of training steps puts off. So the number of the signal is written to a pipe at once, and a waiting thread
ends the process when the main one did not come to it in time, or when a second signal follows.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress

ONE_SECONDS = 1.0  # signals so close together are one: `timeout` sends two
GRACE_SECONDS = 3.0  # until the last checkpoint has to do


def watch(messages: Mapping[int, str]) -> None:
    """Start the waiting thread, which writes the message of a signal. To be called in the main thread, once.

    Not on Windows, which has no such pipes.
    """
    if sys.platform == "win32":
        return
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    try:
        stderr = os.dup(2)  # libraries are kept from writing to 2 while they load
    except OSError:  # closed, as for some services
        stderr = None
    threading.Thread(target=_wait, args=(reader, stderr, messages), name="signals", daemon=True).start()


def _wait(reader: int, stderr: int | None, messages: Mapping[int, str]) -> None:
    first, came = _next(reader, messages), time.monotonic()
    while (left := came + GRACE_SECONDS - time.monotonic()) > 0 and select.select([reader], [], [], left)[0]:
        _next(reader, messages)
        if time.monotonic() - came >= ONE_SECONDS:
            break
    if stderr is not None:
        with suppress(OSError):  # nobody reads it
            os.write(stderr, f"{messages[first]}\n".encode())
    os._exit(128 + first)


def _next(reader: int, messages: Mapping[int, str]) -> int:
    """The number of the next signal that is to end the process."""
    while True:
        number = os.read(reader, 1)[0]
        if number in messages:
            return number
