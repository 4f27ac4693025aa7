"""Signals while Keras trains: an exception raised anywhere in its and TensorFlow's code may be lost there."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

ENDING = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def postponed() -> Iterator[Callable[[], None]]:
    """A function to call at safe points: there a first SIGINT or SIGTERM takes effect.

    A second one does as soon as Python runs again, which it does not within a block of steps. Outside the main thread,
    where Python handles no signals, it does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda: None
        return
    seen: list[int] = []

    def note(number: int, frame: object) -> None:
        seen.append(number)
        if len(seen) > 1:
            take_effect()

    def take_effect() -> None:
        if seen:
            restore()
            signal.raise_signal(seen.pop())

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    before = {number: signal.getsignal(number) for number in ENDING}
    before = {number: handler for number, handler in before.items() if handler not in (None, signal.SIG_IGN)}
    for number in before:
        signal.signal(number, note)
    try:
        yield take_effect
    finally:
        restore()
    take_effect()
