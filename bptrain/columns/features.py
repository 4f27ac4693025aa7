"""What a kind of column gives to the network."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Features:
    """Tensors of keras (batch, width), which several layers look at.

    Hidden layers see those of `hidden`; `chunks` are the widths of neighbours in them that come from one column, one
    tensor after the other. A linear model beside the hidden layers sees those of `linear`.
    """

    hidden: list[Any]
    chunks: list[int]
    linear: list[Any]


def plain(tensors: Iterable[Any]) -> Features:
    """Features that are each for itself, seen by all."""
    hidden = list(tensors)
    return Features(hidden, [1] * sum(int(each.shape[-1]) for each in hidden), hidden)


def together(parts: Iterable[Features]) -> Features:
    """Those of several kinds, one after the other."""
    every = list(parts)
    return Features(
        [tensor for part in every for tensor in part.hidden],
        [width for part in every for width in part.chunks],
        [tensor for part in every for tensor in part.linear],
    )
