"""Well-known scales: columns of these labels are recognised as ordinal. Each entry is one place, lowest first.

Labels are compared by their letters and digits alone, so `Very_Good`, `very good` and `VERY-GOOD` are one. Several
words at one place are alternatives. A scale may be used in part, but a label that it does not have is no scale.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

LEAST_LABELS = 3

SCALES: tuple[tuple[str, ...], ...] = (
    ("very low", "low", "medium|moderate|mid|average|normal", "high", "very high"),
    ("none", "mild", "moderate", "severe", "very severe|critical"),
    (
        "xxs|extra extra small",
        "xs|extra small",
        "s|small",
        "m|medium|mid",
        "l|large",
        "xl|extra large",
        "xxl|2xl",
        "xxxl|3xl",
    ),
    (
        "very poor",
        "poor",
        "fair",
        "below average",
        "average|typical",
        "above average",
        "good",
        "very good",
        "excellent",
        "very excellent|outstanding",
    ),
    ("fair", "good", "very good", "premium", "ideal"),  # the cut of diamonds
    ("never", "rarely|seldom", "sometimes|occasionally", "often|frequently", "usually", "always"),
    ("strongly disagree", "disagree", "neutral|neither agree nor disagree|undecided", "agree", "strongly agree"),
    ("very dissatisfied", "dissatisfied", "neutral", "satisfied", "very satisfied"),
)


def order_of(labels: Sequence[str]) -> tuple[str, ...] | None:
    """The labels from the lowest to the highest if one scale has them all, each in a place of its own."""
    if len(labels) < LEAST_LABELS:
        return None
    for scale in SCALES:
        places = {letters(word): place for place, words in enumerate(scale) for word in words.split("|")}
        found = {label: places.get(letters(label)) for label in labels}
        if None not in found.values() and len(set(found.values())) == len(labels):
            return tuple(sorted(labels, key=lambda label: places[letters(label)]))
    return None


def letters(label: str) -> str:
    """The label in lower case without spaces, `_` and `-`."""
    return re.sub(r"[\s_-]", "", label).lower()
