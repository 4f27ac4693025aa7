"""The best few of many: forward selection, Caruana et al., Ensemble Selection from Libraries of Models (ICML 2004)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence


def forward_selection(n_candidates: int, n_chosen: int, loss: Callable[[Sequence[int]], float]) -> list[int]:
    """Positions of candidates that together have little loss, in order: the best, then always the one that helps most.

    Of equals the first is taken; a loss that is no number is worse than every other.
    """
    chosen: list[int] = []

    def with_it(candidate: int) -> float:
        value = loss(sorted([*chosen, candidate]))
        return math.inf if math.isnan(value) else value

    while len(chosen) < n_chosen:
        chosen.append(min((each for each in range(n_candidates) if each not in chosen), key=with_it))
    return sorted(chosen)
