"""The end that a signal asks for, within seconds also while a library keeps Python from running.

A handler of Python's runs between two of its own instructions only, which an import of a large library, a compilation
or a block of training steps puts off. So the number of the signal is written to a pipe at once, and a waiting thread
ends the process when the main one did not come to it in time, or when a later signal follows.
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
from types import FrameType

from bptrain.utils.runtime import DEBOUNCE_SECONDS

GRACE_SECONDS = 3.0  # until the last checkpoint has to do

_taken: list[tuple[int, float]] = []  # signals that took effect, and when


def install_handlers(messages: Mapping[int, str]) -> None:
    """Let the signals that have a message end the process. To be called in the main thread, once.

    They raise KeyboardInterrupt, which libraries let pass rather than other exceptions; those that are ignored, as in
    what shells start in the background, stay so. The waiting thread writes the message. There is none on Windows, which
    has no such pipes.
    """
    for number in messages:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _interrupt)
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


def ending_signal() -> int | None:
    """The number of the signal that ends this process, whatever became of its exception in a library."""
    return _taken[0][0] if _taken else None


def _interrupt(number: int, frame: FrameType | None) -> None:
    now = time.monotonic()
    if _taken and now - _taken[-1][1] < DEBOUNCE_SECONDS:
        return
    _taken.append((number, now))
    raise KeyboardInterrupt


def _wait(reader: int, stderr: int | None, messages: Mapping[int, str]) -> None:
    first, came = _next(reader, messages), time.monotonic()
    while (left := came + GRACE_SECONDS - time.monotonic()) > 0 and select.select([reader], [], [], left)[0]:
        _next(reader, messages)
        if time.monotonic() - came >= DEBOUNCE_SECONDS:
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
