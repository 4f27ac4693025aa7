"""An entry of the catalogue of messages."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Code:
    """What a message means and what to do about it."""

    title: str
    meaning: str
    remedy: str
