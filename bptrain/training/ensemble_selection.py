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


def forward_selection(n_candidates: int, loss: Callable[[Sequence[int]], float]) -> Ranking:
    """Rank candidates by what they do for the loss of several together: the best, then always the one that helps most.

    Of equals the first is taken; a loss that is no number is worse than every other.

    Args:
        loss: the loss of the mean of some candidates, given their positions, rising.
    """
    order, losses = list[int](), list[float]()
    while len(order) < n_candidates:
        candidates = [candidate for candidate in range(n_candidates) if candidate not in order]
        values = [loss(sorted([*order, candidate])) for candidate in candidates]
        value, best = min(
            (math.inf if math.isnan(value) else value, candidate)
            for value, candidate in zip(values, candidates, strict=True)
        )
        order.append(best)
        losses.append(value)
    return Ranking(tuple(order), tuple(losses))


def n_selected(losses: Sequence[float], *, at_least: int, least_gain: float) -> int:
    """How many to select, of candidates whose first 1, 2, … together have these losses.

    So many as `at_least`, and more as long as each makes the loss less by more than this share of its size.
    """
    for n_chosen in range(at_least, len(losses)):
        before = losses[n_chosen - 1]
        if not losses[n_chosen] < before - least_gain * abs(before):
            return n_chosen
    return len(losses)
