"""What several test files share."""

from __future__ import annotations

import pytest

from bptrain import environment

environment.configure()  # as the command line does, before a test file loads numpy or TensorFlow


@pytest.fixture(scope="session")
def backend() -> None:
    """TensorFlow as bptrain starts it, once per process of tests."""
    from bptrain.network import backend

    backend.start(threads=2)
