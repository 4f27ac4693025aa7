"""The order of the rows: what is documented, every row once per epoch, in blocks of one shape."""

from __future__ import annotations

import hashlib
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bptrain.training.dataset import EpochPlan, blocks, permutation


@pytest.mark.parametrize(("seed", "epoch", "n_rows"), [(0, 0, 1), (0, 1, 7), (7, 3, 100), (2**32 - 1, 199, 20)])
def test_permutation_is_the_documented_function(seed: int, epoch: int, n_rows: int) -> None:
    digest = hashlib.sha256(f"order\0{epoch}".encode()).digest()[:16]
    words = np.frombuffer(digest, "<u4").tolist()
    generator = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, *words])))
    np.testing.assert_array_equal(permutation(seed, epoch, n_rows), generator.permutation(n_rows))


def test_permutation_differs_in_every_epoch_and_seed() -> None:
    orders = {tuple(permutation(seed, epoch, 50).tolist()) for seed in range(3) for epoch in range(40)}
    assert len(orders) == 3 * 40
    assert all(sorted(order) == list(range(50)) for order in orders)


@settings(deadline=None, max_examples=100)
@given(st.integers(1, 40), st.integers(1, 50), st.integers(1, 8), st.integers(0, 2**32 - 1))
def test_blocks_hold_every_row_once_per_epoch(n_rows: int, batch_size: int, most: int, seed: int) -> None:
    sizes = EpochPlan.of(n_rows, batch_size, most_steps=most)
    made = blocks(sizes, seed=seed)
    for epoch in range(3):
        part = list(itertools.islice(made, sizes.n_blocks))
        assert all(len(block) <= most for block, _ in part)
        assert len({block.shape for block, _ in part if block.shape[1] == batch_size}) <= 1
        batches = [batch for block, steps in part for batch in block[: steps[0]]]
        assert len(batches) == sizes.n_steps
        assert all(len(batch) == batch_size for batch in batches[:-1])
        assert 1 <= len(batches[-1]) <= batch_size
        np.testing.assert_array_equal(np.concatenate(batches), permutation(seed, epoch, n_rows))
