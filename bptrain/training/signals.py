"""Signals while Keras trains: an exception raised anywhere in its and TensorFlow's code may be lost there."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

ENDING = (signal.SIGINT, signal.SIGTERM)
DEBOUNCE_SECONDS = 1.0  # signals so close together are one: `timeout` sends two


class DeferredSignals:
    """Signals that came and have not taken effect yet."""

    def __init__(self) -> None:
        self._seen: list[int] = []
        self._first = 0.0  # when
        self._before: dict[int, signal._HANDLER] = {}

    @property
    def pending(self) -> bool:
        """Whether `raise_pending` would end the training."""
        return bool(self._seen)

    def raise_pending(self) -> None:
        """At a safe point: do what a first SIGINT or SIGTERM would have done; nothing without one."""
        if self._seen:
            self.restore()
            number = self._seen.pop()
            handler = self._before[number]
            if callable(handler):
                handler(number, None)  # not by another signal: a second one means to end at once
            else:
                signal.raise_signal(number)

    def note(self, number: int, frame: object) -> None:
        """Handle a signal: a later one takes effect at once, as soon as Python runs."""
        if not self._seen:
            self._seen, self._first = [number], time.monotonic()
        elif time.monotonic() - self._first >= DEBOUNCE_SECONDS:
            self.raise_pending()

    def install(self) -> None:
        """Put `note` in the place of the handlers that there are; ignored signals stay ignored."""
        handlers = {number: signal.getsignal(number) for number in ENDING}
        self._before = {
            number: handler for number, handler in handlers.items() if handler not in (None, signal.SIG_IGN)
        }
        for number in self._before:
            signal.signal(number, self.note)

    def restore(self) -> None:
        """Put the handlers back that there were."""
        for number, handler in self._before.items():
            signal.signal(number, handler)


@contextmanager
def deferred_signals() -> Iterator[DeferredSignals]:
    """Signals take effect at safe points only; outside the main thread, where Python handles none, nothing changes."""
    signals = DeferredSignals()
    if threading.current_thread() is not threading.main_thread():
        yield signals
        return
    signals.install()
    try:
        yield signals
    finally:
        signals.restore()
    signals.raise_pending()
