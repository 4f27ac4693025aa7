"""Where every random number comes from: a function of the seed and of names, not of process, clock or call order."""

from __future__ import annotations

import hashlib

import numpy as np


def stream(seed: int, *names: str | int) -> np.random.Generator:
    """A PCG64 generator for one purpose, for instance `stream(seed, "order", epoch)`.

    Names are hashed, so adding a layer or a column does not move the numbers of another one.

    >>> int(stream(0, "order", 3).integers(100)) == int(stream(0, "order", 3).integers(100))
    True
    """
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, *_words(names)])))


def integer(seed: int, *names: str | int) -> int:
    """A seed in [0, 2^31) for libraries that take an int."""
    return int(np.random.SeedSequence([seed, *_words(names)]).generate_state(1)[0]) >> 1


def _words(names: tuple[str | int, ...]) -> list[int]:
    digest = hashlib.sha256("\0".join(str(name) for name in names).encode()).digest()
    return [int.from_bytes(digest[start : start + 4], "little") for start in range(0, 16, 4)]
