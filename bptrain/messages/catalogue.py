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
    messages: dict[str, list[Message]] = {}
    explanations: dict[str, Explanation] = {}
    for module in MODULES:
        for message in vars(module).values():
            if isinstance(message, Message):
                messages.setdefault(message.code, []).append(message)
        for code, entry in getattr(module, "CODES", {}).items():  # until the module has messages only
            explanations[code] = Explanation(entry.title, entry.meaning, (), (entry.remedy,))
    for code, ones in messages.items():
        texts = dict.fromkeys(in_capitals(message.text) for message in ones)
        remedies = [hint for message in ones for hint in (message.remedy, *message.hints) if hint]
        hints = dict.fromkeys(map(in_capitals, remedies))
        first = ones[0]
        bridge = explanations.get(code, Explanation("", "", (), ()))  # until the module has messages only
        title, meaning, others = first.title or bridge.title, first.meaning or bridge.meaning, bridge.remedies
        explanations[code] = Explanation(title, meaning, tuple(texts), tuple(hints) or others)
    return dict(sorted(explanations.items()))


CATALOGUE: dict[str, Explanation] = _catalogue()
