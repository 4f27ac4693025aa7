"""The catalogue of messages: every error and warning has a stable code, explained by `bptrain explain CODE`."""

from __future__ import annotations

from dataclasses import dataclass

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
from bptrain.messages.message import Message, in_capitals

MODULES = (cli, config, data, evaluation, features, fitting, models, runs, scaffold, targets, workflows)


@dataclass(frozen=True)
class Explanation:
    """All that is said of a code: what it means, what its messages say (values as NAMES), and what to do."""

    title: str
    meaning: str
    texts: tuple[str, ...]
    remedies: tuple[str, ...]


def _catalogue() -> dict[str, Explanation]:
    """The explanation of every code, from the messages of all modules."""
    by_code: dict[str, list[Message]] = {}
    for module in MODULES:
        for message in vars(module).values():
            if isinstance(message, Message):
                by_code.setdefault(message.code, []).append(message)
    explanations = {}
    for code, messages in sorted(by_code.items()):
        texts = dict.fromkeys(in_capitals(message.text) for message in messages)
        remedies = [hint for message in messages for hint in (message.remedy, *message.hints) if hint]
        hints = dict.fromkeys(map(in_capitals, remedies))
        explanations[code] = Explanation(messages[0].title, messages[0].meaning, tuple(texts), tuple(hints))
    return explanations


CATALOGUE: dict[str, Explanation] = _catalogue()
