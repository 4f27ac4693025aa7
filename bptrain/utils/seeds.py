"""Where every random number comes from: a function of the seed and of names, not of process, clock or call order."""

from __future__ import annotations

import hashlib

import numpy as np

# The first word of each stream. The words, and the names that follow them, enter the numbers: a changed one trains
# another model. So they stay as they are when code, layers or options are renamed; tests/utils/test_seeds.py compares
# what they give with recorded values. Names of layers that follow are `hidden_1` …, `hidden_1_dropout` …, `target_0` ….
PURPOSES = {
    "order": "the order of the rows: epoch, and of rows in a file the number of the shuffle buffer",
    "chunks": "the order of the chunks of rows in a file: epoch",
    "init": "first weights: layer, then `bias` or `adapter`; or `embedding` and column, or `numeric`, what, and column",
    "dropout": "the key of a layer's masks: layer; as an integer, the step from which a network's masks begin",
    "network": "the seed of one of several networks but the first: its number",
    "halves": "which half of a fold a row goes to, where there are ten folds",
    "threshold": "the resamples that tell whether a threshold pays",
}


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
