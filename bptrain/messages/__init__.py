"""The catalogue of messages: every error and warning has a stable code, explained by `bptrain explain CODE`."""

from __future__ import annotations

from bptrain.messages import config, runs, table
from bptrain.messages.code import Code

CODES: dict[str, Code] = config.CODES | table.CODES | runs.CODES

__all__ = ["CODES", "Code"]
