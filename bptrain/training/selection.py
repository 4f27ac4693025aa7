"""The best few of many: forward selection, Caruana et al., Ensemble Selection from Libraries of Models (ICML 2004)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence


def forward_selection(
    n_candidates: int,
    n_chosen: int,
    loss: Callable[[Sequence[int]], float],
    *,
    least_gain: float | None = None,
    at_least: int = 1,
) -> list[int]:
    """Positions of candidates that together have little loss, in order: the best, then always the one that helps most.

    Of equals the first is taken; a loss that is no number is worse than every other. With `least_gain`, no more are
    chosen than `at_least`, but for those that make the loss less by more than this share of its size.
    """
    chosen: list[int] = []

    def with_it(candidate: int) -> float:
        value = loss(sorted([*chosen, candidate]))
        return math.inf if math.isnan(value) else value

    before = math.inf
    while len(chosen) < n_chosen:
        value, best = min((with_it(each), each) for each in range(n_candidates) if each not in chosen)
        if least_gain is not None and len(chosen) >= at_least and not value < before - least_gain * abs(before):
            break
        before = value
        chosen.append(best)
    return sorted(chosen)
