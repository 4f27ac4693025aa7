"""What a kind of column gives to the network."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Features:
    """Tensors of keras, which several layers look at.

    Hidden layers see those of `hidden` (batch, width); `chunks` are the widths of neighbours in them that come from one
    column, one tensor after the other. A linear model beside the hidden layers sees those of `linear` (batch, width)
    and of `by_column` (columns, batch, width).
    """

    hidden: list[Any]
    chunks: list[int]
    linear: list[Any]
    by_column: list[Any] = field(default_factory=list)


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
        [tensor for part in every for tensor in part.by_column],
    )
