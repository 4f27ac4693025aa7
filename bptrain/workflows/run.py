"""The record of a finished run, as commands see it; `api.Run` adds what can be done with one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Self

from bptrain.config.load import config_from_text
from bptrain.config.schema import Config
from bptrain.errors import Problem
from bptrain.features.kinds import KINDS
from bptrain.runs.manifest import RunFiles, open_run
from bptrain.runs.storage import Json

if TYPE_CHECKING:
    import pyarrow as pa

    from bptrain.evaluation.gates import Verdict
    from bptrain.features.drift import Drift
    from bptrain.models.predictor import Predictor


DIVERGED = "diverged"


@dataclass(frozen=True)
class Evaluation:
    """The `targets` part of metrics.json, the predictions it was computed from, and the verdict of each gate.

    `status` is "evaluated", or "diverged" when the training of the run had; `warnings` tell what is odd in the rows,
    and `drift` how rows that are not the run's own differ from its training rows, column by column.
    """

    targets: dict[str, Json]
    predictions: pa.Table
    gates: list[Verdict]
    status: str
    warnings: list[Problem]
    drift: list[Drift] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """Whether every gate passed and training had not diverged."""
        return self.status != DIVERGED and all(verdict.passed for verdict in self.gates)


@dataclass(frozen=True)
class Run:
    """A sealed run directory; every file is checked against its manifest before it is used."""

    files: RunFiles

    def __repr__(self) -> str:
        return f"Run({str(self.path)!r})"

    @classmethod
    def open(cls, path: str | Path) -> Self:
        """The run in a directory. Raises RunError when it is damaged, unfinished or no run."""
        return cls(open_run(Path(path)))

    @property
    def path(self) -> Path:
        return self.files.directory

    @cached_property
    def config(self) -> Config:
        """The complete config."""
        text = self.files.read_bytes("config.yaml").decode()
        return config_from_text(text, source=str(self.path / "config.yaml"))

    @cached_property
    def metrics(self) -> Mapping[str, Json]:
        """metrics.json."""
        content: dict[str, Json] = self.files.read_json("metrics.json")
        return content

    @cached_property
    def lock(self) -> Mapping[str, Json]:
        """lock.json."""
        content: dict[str, Json] = self.files.read_json("lock.json")
        return content

    @property
    def features(self) -> tuple[str, ...]:
        """The columns that the model sees."""
        return tuple(name for name, options in self.config.columns.items() if options.kind in KINDS)

    @property
    def passed(self) -> bool:
        """Whether training ended with finite numbers and every gate of the config passed."""
        return not self.diverged and all(gate["passed"] for gate in self.metrics["gates"])

    @property
    def diverged(self) -> bool:
        """Whether training left the finite numbers; the model is then of no use."""
        return bool(self.metrics["status"] == DIVERGED)

    @cached_property
    def predictor(self) -> Predictor:
        """The model; loads TensorFlow."""
        from bptrain.models import backend, predictor
        from bptrain.utils import runtime

        backend.start(threads=self.config.training.threads, predicting=runtime.is_own_process())
        return predictor.load(self.files)
