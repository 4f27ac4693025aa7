"""The best few of many: forward selection, Caruana et al., Ensemble Selection from Libraries of Models (ICML 2004)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Ranking:
    """Candidates in the order in which forward selection takes them, and the loss of the first 1, 2, … together."""

    order: tuple[int, ...]
    losses: tuple[float, ...]

    def first(self, n_chosen: int) -> tuple[int, ...]:
        """The positions of the first so many, rising."""
        return tuple(sorted(self.order[:n_chosen]))


def forward_selection(n_candidates: int, loss: Callable[[Sequence[int]], float]) -> Ranking:
    """Rank candidates by what they do for the loss of several together: the best, then always the one that helps most.

    `loss` is given positions, rising. Of equals the first is taken; a loss that is no number is worse than every other.
    """
    order, losses = list[int](), list[float]()

    def with_it(candidate: int) -> float:
        value = loss(sorted([*order, candidate]))
        return math.inf if math.isnan(value) else value

    while len(order) < n_candidates:
        value, best = min((with_it(each), each) for each in range(n_candidates) if each not in order)
        order.append(best)
        losses.append(value)
    return Ranking(tuple(order), tuple(losses))


def enough(losses: Sequence[float], *, at_least: int, least_gain: float) -> int:
    """How many to choose, of those whose first 1, 2, … together have these losses.

    So many as `at_least`, and more as long as each makes the loss less by more than this share of its size.
    """
    for n_chosen in range(at_least, len(losses)):
        before = losses[n_chosen - 1]
        if not losses[n_chosen] < before - least_gain * abs(before):
            return n_chosen
    return len(losses)
