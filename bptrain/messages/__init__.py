"""The catalogue of messages: every error and warning has a stable code, explained by `bptrain explain CODE`."""

from __future__ import annotations

from types import ModuleType

from bptrain.messages import (
    cli,
    config,
    data,
    evaluation,
    features,
    fitting,
    models,
    runs,
    scaffold,
    targets,
    workflows,
)
from bptrain.messages.code import Code
from bptrain.messages.message import Message

MODULES = (cli, config, data, evaluation, features, fitting, models, runs, scaffold, targets, workflows)


def _documented(module: ModuleType) -> dict[str, Code]:
    """The entries of a module by code."""
    messages = [value for value in vars(module).values() if isinstance(value, Message) and value.title]
    own = {message.code: Code(message.title, message.meaning, message.remedy) for message in messages}
    return getattr(module, "CODES", {}) | own


CODES: dict[str, Code] = {code: entry for module in MODULES for code, entry in _documented(module).items()}

__all__ = ["CODES", "Code"]
