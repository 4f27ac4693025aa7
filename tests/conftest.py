"""What several test files share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import TYPE_CHECKING

import pytest
from forking import Server

from bptrain.utils import runtime

if TYPE_CHECKING:
    from bptrain import Run

runtime.configure()  # as the command line does, before a test file loads numpy or TensorFlow


@pytest.fixture(scope="session")
def backend() -> None:
    """TensorFlow as bptrain starts it, once per process of tests."""
    from bptrain.models import backend

    backend.start(threads=2)


@pytest.fixture
def unexported(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs without model.keras and without a picture, which take as long as training does where it is short."""
    monkeypatch.setattr("bptrain.models.ensemble.exported", lambda *_: None)
    monkeypatch.setattr("bptrain.models.ensemble.save_keras", lambda *_: None)
    monkeypatch.setattr("bptrain.reports.run.curves_svg", lambda _: "<svg/>")


@pytest.fixture(scope="session")
def forks() -> Iterator[Server]:
    """Where processes are forked from."""
    server = Server()
    yield server
    server.close()


@pytest.fixture(scope="session")
def fitted(backend: None, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Run]:
    """`fitted("label")` is a small run on `tables.make_table()`, made when first asked for; t.csv lies beside it."""
    import tables

    from bptrain import fit

    @cache
    def run(*targets: str) -> Run:
        folder = tmp_path_factory.mktemp("fitted")
        data = tables.write(tables.make_table(), folder / "t.csv").name
        return fit(tables.config(data, *targets), run=folder / "run", root=folder)

    return run
