"""Signals wait for a safe point of the training, but no second one does."""

from __future__ import annotations

import signal

import pytest

from bptrain.training.callbacks import deferred_signals


def test_first_signal_waits_for_a_safe_point_and_a_later_one_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    reached = []
    with pytest.raises(KeyboardInterrupt), deferred_signals() as signals:
        signal.raise_signal(signal.SIGINT)
        reached.append("after the signal")
        signals.raise_pending()
        reached.append("after the safe point")
    assert reached == ["after the signal"]
    monkeypatch.setattr("bptrain.utils.runtime.DEBOUNCE_SECONDS", 0.0)
    with pytest.raises(KeyboardInterrupt), deferred_signals():
        signal.raise_signal(signal.SIGINT)
        reached.append("again")
        signal.raise_signal(signal.SIGINT)
        reached.append("never")
    assert reached == ["after the signal", "again"]


def test_signal_without_a_safe_point_takes_effect_at_the_end_and_handlers_return() -> None:
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt), deferred_signals():
        signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before
